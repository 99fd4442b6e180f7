//! Frames that are likely to be understood: lengths and checksums are right, most of the time.

use std::net::Ipv4Addr;

use netloom_kernel::MacAddr;

use super::Network;
use super::script::Script;

/// An address in the network of the bridge.
pub(super) fn host(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, number)
}

impl Network {
    /// A frame that is likely to be understood, or any bytes.
    pub(super) fn frame_bytes(&self, script: &mut Script<'_>) -> Vec<u8> {
        if script.byte() < 32 {
            return script.some().to_vec();
        }
        let mut bytes = Vec::new();
        for _ in 0..2 {
            match script.byte() % 6 {
                0 => bytes.extend([0xff; 6]),
                1 => bytes.extend([1, 0x80, 0xc2, 0, 0, script.byte()]),
                2 => bytes.extend([1, 0, 0x5e, 0, 0, script.byte()]),
                3 => bytes.extend([0x33, 0x33, 0, 0, 0, script.byte()]),
                4 => bytes.extend([2, 0, 0, 0, 0, script.byte()]),
                _ => bytes.extend(self.address_of(script).0),
            }
        }
        match script.byte() % 6 {
            0 => {
                bytes.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, script.byte()]);
                bytes.extend(script.bytes(20));
            }
            1 => {
                bytes.extend([0x81, 0, 0, script.byte()]);
                bytes.extend(script.some());
            }
            2 => bytes.extend([[0x86, 0xdd].as_slice(), &self.packet6(script)].concat()),
            3 => bytes.extend(script.some()),
            _ => bytes.extend([[8, 0].as_slice(), &self.packet(script)].concat()),
        }
        bytes
    }

    fn address_of(&self, script: &mut Script<'_>) -> MacAddr {
        let path = format!("/sys/class/net/{}/address", script.one(&["br0", "p0", "p1"]));
        let text = self.lab.kernel.read_file(self.namespaces[0], &path).unwrap_or_default();
        let text = String::from_utf8(text).unwrap_or_default();
        let bytes: Vec<u8> = text.trim().split(':').filter_map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
        MacAddr::from_slice(&bytes).unwrap_or_default()
    }

    /// An IPv4 packet whose header checksum is right.
    fn packet(&self, script: &mut Script<'_>) -> Vec<u8> {
        let options = usize::from(script.byte() % 16).saturating_sub(5).min(10) * 4;
        let mut bytes = vec![0x45 + (options / 4) as u8, script.byte(), 0, 0, 0, script.byte() & 3];
        bytes.extend(*script.one(&[
            [0u8, 0],
            [0x20, 0],
            [0x20, 1],
            [0, 1],
            [0x40, 0],
            [0x1f, 0xff],
            [0, 2],
            [0x3f, 0xff],
        ]));
        bytes.extend([*script.one(&[64u8, 1, 0, 255]), *script.one(&[1u8, 1, 17, 6, 2, 58, 0])]);
        bytes.extend([0, 0]);
        for _ in 0..2 {
            bytes.extend(match script.byte() % 5 {
                0 => [224, 0, 0, script.byte()],
                1 => [127, 0, 0, 1],
                2 => [255; 4],
                3 => [10, 0, 1, script.byte() % 4],
                _ => host(script.byte() % 6).octets(),
            });
        }
        let given = script.bytes(options);
        bytes.extend(given);
        bytes.resize(20 + options, 0);
        let payload = script.some();
        bytes.extend(payload);
        if payload.len() >= 8 && script.byte() < 200 {
            let at = 20 + options;
            bytes[at + 2..at + 4].fill(0);
            let sum = checksum(&bytes[at..]);
            bytes[at + 2..at + 4].copy_from_slice(&sum);
        }
        let length = bytes.len() as u16;
        bytes[2..4].copy_from_slice(&length.to_be_bytes());
        let header = 20 + options;
        let sum = checksum(&bytes[..header]);
        bytes[10..12].copy_from_slice(&sum);
        bytes
    }

    /// An IPv6 packet whose length and ICMPv6 checksum are usually right.
    fn packet6(&self, script: &mut Script<'_>) -> Vec<u8> {
        let next = *script.one(&[58u8, 58, 58, 0, 43, 44, 60, 17, 6, 59, 255]);
        let mut bytes = vec![0x60, script.byte() & 1, 0, 0, 0, 0, next, *script.one(&[255u8, 64, 1, 0])];
        bytes.extend(self.address6(script));
        bytes.extend(self.address6(script));
        if next == 58 {
            // Errors, echo, MLD, neighbour discovery, MLDv2 reports.
            bytes.extend([
                *script.one(&[128u8, 129, 130, 131, 132, 133, 134, 135, 136, 137, 143, 1, 2, 3, 4]),
                0,
                0,
                0,
            ]);
            bytes.extend(script.bytes(4));
            if script.flag() {
                bytes.extend(self.address6(script));
            }
        }
        bytes.extend(script.some());
        let length = bytes.len() - 40;
        let said = if script.byte() < 16 { script.byte().into() } else { length as u16 };
        bytes[4..6].copy_from_slice(&said.to_be_bytes());
        if next == 58 && length >= 8 && script.byte() > 16 {
            let pseudo = [&bytes[8..40], &(length as u32).to_be_bytes(), &[0, 0, 0, 58], &bytes[40..]].concat();
            bytes[42..44].copy_from_slice(&checksum(&pseudo));
        }
        bytes
    }

    /// An address that somebody has, listens to, or might have.
    pub(super) fn address6(&self, script: &mut Script<'_>) -> [u8; 16] {
        let mut known = Vec::new();
        for ns in &self.namespaces {
            let text = self.lab.kernel.read_file(*ns, "/proc/net/if_inet6").unwrap_or_default();
            for line in String::from_utf8_lossy(&text).lines() {
                let digits = line.split(' ').next().unwrap_or_default();
                known.extend(u128::from_str_radix(digits, 16).map(u128::to_be_bytes));
            }
        }
        let someone = if known.is_empty() { [0; 16] } else { *script.one(&known) };
        let mut group = [0; 16];
        (group[0], group[1], group[15]) = (0xff, 2, 1);
        match script.byte() % 6 {
            0 => group,
            1 => {
                group[11..13].copy_from_slice(&[1, 0xff]);
                group[13..].copy_from_slice(&someone[13..]);
                group
            }
            2 => {
                group[15] = script.byte();
                group
            }
            3 => [0; 16],
            _ => someone,
        }
    }
}

fn checksum(bytes: &[u8]) -> [u8; 2] {
    let words = bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!(sum as u16)).to_be_bytes()
}
