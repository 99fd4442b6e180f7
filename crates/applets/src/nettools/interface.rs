//! An interface as `ifconfig` and `netstat -i` show it: counters from `/proc/net/dev`, the rest through ioctls.

use std::cmp::Ordering;
use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

use netloom_machine::Socket;

use super::ifreq::{Ifreq, Map, NAME_LENGTH, cut, request};
use super::{hardware, resolve};
use crate::Context;

/// The datagram sockets whose ioctls are asked.
pub(crate) struct Sockets {
    /// For addresses.
    pub(crate) inet: Socket,
    /// For everything that is no family's own.
    pub(crate) any: Socket,
    /// For IPv6 addresses, where there is IPv6.
    pub(crate) inet6: Option<Socket>,
}

impl Sockets {
    pub(crate) fn open(context: &Context<'_>) -> io::Result<Sockets> {
        let socket = |family| context.machine.socket(&context.netns, family, libc::SOCK_DGRAM, 0);
        Ok(Sockets {
            inet: socket(libc::AF_INET)?,
            any: socket(libc::AF_INET6).or_else(|_| socket(libc::AF_INET))?,
            inet6: socket(libc::AF_INET6).ok(),
        })
    }
}

/// One line of `/proc/net/dev`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Statistics {
    rx_bytes: u64,
    rx_packets: u64,
    rx_errors: u64,
    rx_dropped: u64,
    rx_overruns: u64,
    rx_frame: u64,
    tx_bytes: u64,
    tx_packets: u64,
    tx_errors: u64,
    tx_dropped: u64,
    tx_overruns: u64,
    tx_collisions: u64,
    tx_carrier: u64,
}

fn statistics(numbers: &str) -> Statistics {
    let values: Vec<u64> = numbers.split_whitespace().map(|word| word.parse().unwrap_or(0)).collect();
    let at = |index: usize| values.get(index).copied().unwrap_or(0);
    Statistics {
        rx_bytes: at(0),
        rx_packets: at(1),
        rx_errors: at(2),
        rx_dropped: at(3),
        rx_overruns: at(4),
        rx_frame: at(5),
        tx_bytes: at(8),
        tx_packets: at(9),
        tx_errors: at(10),
        tx_dropped: at(11),
        tx_overruns: at(12),
        tx_collisions: at(13),
        tx_carrier: at(14),
    }
}

/// The devices of `/proc/net/dev` with their counters.
fn devices(context: &Context<'_>) -> Vec<(String, Statistics)> {
    let bytes = context.machine.read_file(&context.netns, "/proc/net/dev").unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    // The name may itself hold a colon: the counters follow the last one.
    let lines = text.lines().skip(2).filter_map(|line| line.rsplit_once(':'));
    lines.map(|(name, numbers)| (name.trim().to_owned(), statistics(numbers))).collect()
}

/// Every interface's name in the order in which they are shown, with counters where it is a device: aliases have none.
pub(crate) fn list(context: &Context<'_>, sockets: &Sockets) -> Vec<(String, Option<Statistics>)> {
    let mut interfaces: Vec<(String, Option<Statistics>)> =
        devices(context).into_iter().map(|(name, statistics)| (name, Some(statistics))).collect();
    for name in addressed(&sockets.inet) {
        if !interfaces.iter().any(|(known, _)| *known == name) {
            interfaces.push((name, None));
        }
    }
    interfaces.sort_by(|(one, _), (other, _)| by_number(one, other));
    interfaces
}

/// The counters of one device.
pub(crate) fn statistics_of(context: &Context<'_>, name: &str) -> Option<Statistics> {
    devices(context).into_iter().find(|(device, _)| device == name).map(|(_, statistics)| statistics)
}

/// The labels of every IPv4 address (`SIOCGIFCONF`).
fn addressed(socket: &Socket) -> Vec<String> {
    let mut room = 30;
    loop {
        let mut data = vec![0u8; room * 40];
        let mut ifconf = [0u8; 16];
        ifconf[..4].copy_from_slice(&(data.len() as i32).to_ne_bytes());
        if socket.ioctl_with_data(request::ADDRESSES, &mut ifconf, 8, &mut data).is_err() {
            return Vec::new();
        }
        let length = u32::from_ne_bytes([ifconf[0], ifconf[1], ifconf[2], ifconf[3]]) as usize;
        if length == data.len() {
            room *= 2;
            continue;
        }
        let used = data.get(..length).unwrap_or(&data);
        let name = |ifreq: &[u8]| {
            let name = ifreq.get(..16).unwrap_or_default();
            String::from_utf8_lossy(name.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
        };
        return used.chunks_exact(40).map(name).collect();
    }
}

/// Names in the order of what stands before their final number, then of that number; a device's aliases follow it.
fn by_number(one: &str, other: &str) -> Ordering {
    fn split(name: &str) -> (&str, u128) {
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        (stem, name[stem.len()..].parse().unwrap_or(0))
    }
    fn parts(name: &str) -> ((&str, u128), Option<(&str, u128)>) {
        match name.split_once(':') {
            Some((device, alias)) => (split(device), Some(split(alias))),
            None => (split(name), None),
        }
    }
    parts(one).cmp(&parts(other)).then_with(|| one.cmp(other))
}

/// What the ioctls say about an interface.
pub(crate) struct Interface {
    pub(crate) name: String,
    pub(crate) flags: u16,
    hardware: (u16, [u8; 14]),
    mtu: i32,
    map: Map,
    queue_length: Option<i32>,
    pub(crate) inet: Option<Inet>,
    pub(crate) statistics: Option<Statistics>,
}

/// An interface's IPv4 address with its kin.
#[derive(Clone, Copy)]
pub(crate) struct Inet {
    pub(crate) address: Ipv4Addr,
    destination: Ipv4Addr,
    pub(crate) broadcast: Ipv4Addr,
    pub(crate) netmask: Ipv4Addr,
}

const UP: u16 = 0x1;
const BROADCAST: u16 = 0x2;
const POINTOPOINT: u16 = 0x10;
const AUTOMEDIA: u16 = 0x4000;
const PORTSEL: u16 = 0x2000;

/// The flags with a name, in the order in which they are shown.
const FLAG_NAMES: [(u16, &str); 14] = [
    (UP, "UP"),
    (BROADCAST, "BROADCAST"),
    (0x4, "DEBUG"),
    (0x8, "LOOPBACK"),
    (POINTOPOINT, "POINTOPOINT"),
    (0x20, "NOTRAILERS"),
    (0x40, "RUNNING"),
    (0x80, "NOARP"),
    (0x100, "PROMISC"),
    (0x200, "ALLMULTI"),
    (0x800, "SLAVE"),
    (0x400, "MASTER"),
    (0x1000, "MULTICAST"),
    (0x8000, "DYNAMIC"),
];

/// The flags with a letter in the short format, in the order in which they are shown.
const FLAG_LETTERS: [(u16, char); 12] = [
    (0x200, 'A'),
    (BROADCAST, 'B'),
    (0x4, 'D'),
    (0x8, 'L'),
    (0x1000, 'M'),
    (0x8000, 'd'),
    (0x100, 'P'),
    (0x20, 'N'),
    (0x80, 'O'),
    (POINTOPOINT, 'P'),
    (0x40, 'R'),
    (UP, 'U'),
];

/// The media that ports can have (`IF_PORT_*`), by number.
pub(crate) const PORTS: [&str; 7] = ["unknown", "10base2", "10baseT", "AUI", "100baseT", "100baseTX", "100baseFX"];

impl Interface {
    /// Asks about an interface. Any error means that there is none of that name.
    pub(crate) fn read(sockets: &Sockets, name: &str, statistics: Option<Statistics>) -> io::Result<Interface> {
        let name = cut(name);
        let ask = |request| {
            let mut ifreq = Ifreq::new(name);
            ifreq.call(&sockets.any, request).map(|()| ifreq)
        };
        let flags = ask(request::FLAGS)?.flags();
        Ok(Interface {
            name: name.to_owned(),
            flags,
            hardware: ask(request::HARDWARE).map(|ifreq| ifreq.hardware()).unwrap_or_default(),
            mtu: ask(request::MTU).map(|ifreq| ifreq.i32()).unwrap_or(0),
            map: Map::read(&sockets.any, name).unwrap_or_default(),
            queue_length: ask(request::QUEUE_LENGTH).ok().map(|ifreq| ifreq.i32()).filter(|length| *length >= 0),
            inet: Inet::read(&sockets.inet, name),
            statistics,
        })
    }

    pub(crate) fn is_up(&self) -> bool {
        self.flags & UP != 0
    }

    /// The paragraph of `ifconfig` and `netstat -ie`.
    pub(crate) fn show(&self, context: &mut Context<'_>) -> io::Result<()> {
        let inet6 = inet6_addresses(context, &self.name);
        let out = &mut *context.out;
        let names = FLAG_NAMES.iter().filter(|(flag, _)| self.flags & flag != 0).map(|(_, name)| *name);
        let names = names.collect::<Vec<_>>().join(",");
        writeln!(out, "{}: flags={}<{names}>  mtu {}", self.name, self.flags as i16, self.mtu)?;
        if let Some(inet) = &self.inet {
            write!(out, "        inet {}  netmask {}", inet.address, inet.netmask)?;
            if self.flags & BROADCAST != 0 {
                write!(out, "  broadcast {}", inet.broadcast)?;
            }
            if self.flags & POINTOPOINT != 0 {
                write!(out, "  destination {}", inet.destination)?;
            }
            writeln!(out)?;
        }
        for (address, prefix, scope) in inet6 {
            let address = resolve::show_inet6(address);
            writeln!(out, "        inet6 {address}  prefixlen {prefix}  scopeid 0x{scope:x}<{}>", scope_names(scope))?;
        }
        self.show_link(out)?;
        if let Some(statistics) = &self.statistics {
            statistics.show(out)?;
        }
        writeln!(out)
    }

    fn show_link(&self, out: &mut dyn Write) -> io::Result<()> {
        let hardware = hardware::by_number(self.hardware.0);
        write!(out, "        {}", hardware.name)?;
        if hardware.length > 0 {
            write!(out, " {}", hardware.show(&self.hardware.1))?;
        }
        if let Some(length) = self.queue_length {
            write!(out, "  txqueuelen {length}")?;
        }
        writeln!(out, "  ({})", hardware.title)?;
        if self.flags & PORTSEL != 0 {
            let port = PORTS.get(usize::from(self.map.port)).unwrap_or(&PORTS[0]);
            let auto = if self.flags & AUTOMEDIA != 0 { "autoselect" } else { "" };
            writeln!(out, "        media {port}{auto}")?;
        }
        let map = &self.map;
        if map.interrupt != 0 || map.memory_start != 0 || map.dma != 0 || map.base_address >= 0x100 {
            write!(out, "        device ")?;
            if map.interrupt != 0 {
                write!(out, "interrupt {}  ", map.interrupt)?;
            }
            if map.base_address >= 0x100 {
                write!(out, "base 0x{:x}  ", map.base_address)?;
            }
            if map.memory_start != 0 {
                write!(out, "memory 0x{:x}-{:x}  ", map.memory_start, map.memory_end)?;
            }
            if map.dma != 0 {
                write!(out, "  dma 0x{:x}", map.dma)?;
            }
            writeln!(out)?;
        }
        Ok(())
    }

    /// The line of `ifconfig -s` and `netstat -i`.
    pub(crate) fn show_short(&self, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "{:<width$} {:>5} ", self.name, self.mtu, width = NAME_LENGTH)?;
        match &self.statistics {
            Some(s) => {
                write!(out, "{:>8} {:>6} {:>6} {:<6} ", s.rx_packets, s.rx_errors, s.rx_dropped, s.rx_overruns)?;
                write!(out, "{:>8} {:>6} {:>6} {:>6} ", s.tx_packets, s.tx_errors, s.tx_dropped, s.tx_overruns)?;
            }
            None => write!(out, "{:<56}", "     - no statistics available -")?,
        }
        let letters: String =
            FLAG_LETTERS.iter().filter(|(flag, _)| self.flags & flag != 0).map(|(_, letter)| *letter).collect();
        let letters = if letters.is_empty() { "[NO FLAGS]".to_owned() } else { letters };
        writeln!(out, "{letters}")
    }
}

impl Inet {
    fn read(socket: &Socket, name: &str) -> Option<Inet> {
        let ask = |request| {
            let mut ifreq = Ifreq::new(name);
            ifreq.call(socket, request).map(|()| ifreq)
        };
        let address = ask(request::ADDRESS).ok()?;
        if i32::from(address.flags()) != libc::AF_INET {
            return None;
        }
        let or_none = |request| ask(request).map_or(Ipv4Addr::UNSPECIFIED, |ifreq| ifreq.inet());
        Some(Inet {
            address: address.inet(),
            destination: or_none(request::DESTINATION),
            broadcast: or_none(request::BROADCAST),
            netmask: or_none(request::NETMASK),
        })
    }
}

impl Statistics {
    fn show(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "        RX packets {}  bytes {} ({})", self.rx_packets, self.rx_bytes, human(self.rx_bytes))?;
        writeln!(
            out,
            "        RX errors {}  dropped {}  overruns {}  frame {}",
            self.rx_errors, self.rx_dropped, self.rx_overruns, self.rx_frame
        )?;
        writeln!(out, "        TX packets {}  bytes {} ({})", self.tx_packets, self.tx_bytes, human(self.tx_bytes))?;
        writeln!(
            out,
            "        TX errors {}  dropped {} overruns {}  carrier {}  collisions {}",
            self.tx_errors, self.tx_dropped, self.tx_overruns, self.tx_carrier, self.tx_collisions
        )
    }
}

/// Bytes in the greatest unit that leaves at least one (of KiB: more than one), one decimal, cut rather than rounded.
fn human(bytes: u64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let unit = (1..UNITS.len()).rev().find(|unit| bytes > 1 << (10 * unit)).unwrap_or(0);
    // A tenth of the greatest unit is itself cut, or the sum would not fit 64 bits.
    let tenths = if unit == 6 { bytes / ((1 << 60) / 10) } else { (bytes * 10) >> (10 * unit) };
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

/// The device's lines of `/proc/net/if_inet6`: address, prefix length, scope.
fn inet6_addresses(context: &Context<'_>, name: &str) -> Vec<(Ipv6Addr, u32, u32)> {
    let bytes = context.machine.read_file(&context.netns, "/proc/net/if_inet6").unwrap_or_default();
    let parse = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [address, _index, prefix, scope, _flags, device] = fields.as_slice() else { return None };
        let number = |text: &str| u32::from_str_radix(text, 16).ok();
        let address = Ipv6Addr::from(u128::from_str_radix(address, 16).ok()?);
        (*device == name).then_some((address, number(prefix)?, number(scope)?))
    };
    String::from_utf8_lossy(&bytes).lines().filter_map(parse).collect()
}

fn scope_names(scope: u32) -> String {
    let names = [(0x80, "compat"), (0x40, "site"), (0x20, "link"), (0x10, "host")];
    let mut names: Vec<&str> = names.iter().filter(|(bit, _)| scope & bit != 0).map(|(_, name)| *name).collect();
    if scope & 0x70 == 0 {
        names.push("global");
    }
    names.join(",")
}

#[cfg(test)]
mod tests {
    use super::{by_number, human, statistics};

    #[test]
    fn interfaces_are_ordered_by_stem_and_number() {
        let mut names =
            ["v0:10", "v0:9", "v10", "v9", "lo", "v2b10", "v010", "v9a", "v", "v0", "10a", "8", "v2b9", "99"];
        names.sort_by(|one, other| by_number(one, other));
        assert_eq!(
            names,
            ["8", "99", "10a", "lo", "v", "v0", "v0:9", "v0:10", "v9", "v010", "v10", "v2b9", "v2b10", "v9a"]
        );
    }

    #[test]
    fn bytes_are_cut_to_one_decimal() {
        assert_eq!(human(0), "0.0 B");
        assert_eq!(human(1024), "1024.0 B");
        assert_eq!(human(1104), "1.0 KiB");
        assert_eq!(human(1170), "1.1 KiB");
        assert_eq!(human(1048575), "1023.9 KiB");
        assert_eq!(human(1048576), "1024.0 KiB");
        assert_eq!(human(u64::MAX), "16.0 EiB");
    }

    #[test]
    fn short_lines_of_counters_are_zero_filled() {
        assert_eq!(statistics("1 2 3").rx_errors, 3);
        assert_eq!(statistics("1 2 3").tx_carrier, 0);
    }
}
