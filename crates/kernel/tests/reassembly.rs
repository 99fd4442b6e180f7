//! What pieces of packets may not do to a host.

use std::net::Ipv4Addr;
use std::time::Duration;

use netloom_kernel::SocketId;
use netloom_testkit::lab::Lab;

/// A piece of an ICMP packet: `start` in bytes, with so many bytes of options.
fn piece(id: u16, start: usize, more: bool, data: usize, options: usize) -> Vec<u8> {
    let header = 20 + options;
    let mut bytes = vec![0x40 | (header / 4) as u8, 0];
    bytes.extend(((header + data) as u16).to_be_bytes());
    bytes.extend(id.to_be_bytes());
    bytes.extend(((start / 8) as u16 | if more { 0x2000 } else { 0 }).to_be_bytes());
    bytes.extend([64, 1, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1]);
    bytes.resize(header, 1);
    let sum: u32 = bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum();
    let sum = !(((sum & 0xffff) + (sum >> 16)) as u16);
    bytes[10..12].copy_from_slice(&sum.to_be_bytes());
    bytes.resize(header + data, 0);
    bytes
}

/// A host, and a socket at the other end of its cable with the Ethernet header that leads to it.
fn host() -> (Lab, SocketId, Vec<u8>) {
    let mut lab = Lab::new(1);
    let root = lab.root();
    let other = lab.namespace();
    lab.veth(root, "eth0", other, "wire");
    lab.address(root, "eth0", Ipv4Addr::new(10, 0, 0, 1), 24);
    let socket = lab.packet_socket(other, "wire");
    let header = [&lab.mac(root, "eth0").0, &lab.mac(other, "wire").0, [8, 0].as_slice()].concat();
    (lab, socket, header)
}

fn reassembly(lab: &Lab, name: &str) -> u64 {
    let text = lab.read(lab.root(), "/proc/net/snmp");
    let mut ip = text.lines().filter(|line| line.starts_with("Ip:"));
    let (names, values) = (ip.next().unwrap(), ip.next().unwrap());
    let at = names.split(' ').position(|known| known == name).unwrap();
    values.split(' ').nth(at).unwrap().parse().unwrap()
}

#[test]
fn a_packet_that_options_make_longer_than_any_is_refused() {
    let (mut lab, socket, header) = host();
    let step = 1480;
    let mut start = 0;
    // Data up to 65,512 fits behind a header of 20 bytes, but not behind the first piece's 60.
    while start < 65_512 {
        let data = step.min(65_512 - start).min(if start == 0 { 1440 } else { step });
        let last = start + data == 65_512;
        let bytes = piece(1, start, !last, data, if start == 0 { 40 } else { 0 });
        lab.send(socket, &[header.as_slice(), &bytes].concat()).unwrap();
        start += data;
    }
    assert_eq!(reassembly(&lab, "ReasmOKs"), 0);
    assert_eq!(reassembly(&lab, "ReasmFails"), 1);
}

#[test]
fn pieces_that_never_fit_leave_nothing_behind() {
    let (mut lab, socket, header) = host();
    let count = 3_000;
    for id in 0..count {
        // The second overlaps the first and takes it along.
        let bytes = piece(id, 0, true, 16, 0);
        lab.send(socket, &[header.as_slice(), &bytes].concat()).unwrap();
        let bytes = piece(id, 8, true, 24, 0);
        lab.send(socket, &[header.as_slice(), &bytes].concat()).unwrap();
    }
    assert_eq!(reassembly(&lab, "ReasmFails"), u64::from(count));
    let held = |lab: &Lab| lab.read(lab.root(), "/proc/net/sockstat").lines().last().unwrap().to_owned();
    assert_eq!(held(&lab), "FRAG: inuse 0 memory 0");
    lab.send(socket, &[header.as_slice(), &piece(0, 0, true, 16, 0)].concat()).unwrap();
    assert!(held(&lab).starts_with("FRAG: inuse 1 memory "));
    lab.advance(Duration::from_secs(60));
    assert_eq!(reassembly(&lab, "ReasmTimeout"), 1, "only the last was waited for");
    assert_eq!(held(&lab), "FRAG: inuse 0 memory 0");
}
