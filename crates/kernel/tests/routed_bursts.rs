//! A burst of packets through a router is what the same packets one by one are: who receives what in which order, what is counted,
//! what becomes of neighbours.

use std::net::Ipv4Addr;
use std::time::Duration;

use netloom_kernel::{DropReason, MacAddr, SocketId};
use netloom_testkit::lab::Lab;
use netloom_testkit::netlink::{Process, attr};
use proptest::prelude::*;

/// Where the packets come from, and who is behind the router: nobody's own addresses, so that nobody answers in between.
const SENDER: MacAddr = MacAddr([0x02, 0, 0, 0, 0, 9]);
const STATION: MacAddr = MacAddr([0x02, 0, 0, 0, 0, 10]);

const NEW_NEIGHBOUR: u16 = 28;
const NEW_ROUTE: u16 = 24;
const NEW_RULE: u16 = 32;
const CREATE: u16 = 0x400;
const APPEND: u16 = 0x800;
const NUD_STALE: u16 = 4;
const NUD_PERMANENT: u16 = 0x80;

/// A router with three cables, and everything that is listened to.
struct Router {
    lab: Lab,
    mac: MacAddr,
    sender: SocketId,
    listeners: Vec<SocketId>,
}

/// How the router is set up.
#[derive(Clone, Copy, Debug)]
struct Setup {
    tapped: bool,
    forwards: bool,
    reverse_path: bool,
    accepts_own: bool,
    raw_socket: bool,
    small_mtu: bool,
    rules: bool,
}

fn ip(a: u8, b: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, a, 0, b)
}

/// Requests for routes of every kind below 20.0.0.0/8: by one way, by another for some of it, to nowhere, by two ways, by the type of
/// service, with an MTU, back to where the packets come from.
fn route_bodies() -> Vec<Vec<u8>> {
    let route = |length: u8, tos: u8, kind: u8, destination: [u8; 4], rest: Vec<u8>| {
        // family, lengths, tos, table main, protocol static, scope universe, type, flags
        let body = vec![2, length, 0, tos, 254, 4, 0, kind, 0, 0, 0, 0];
        [body, attr(1, &destination), rest].concat()
    };
    let via = |number| attr(5, &ip(number, 2).octets());
    let hop = |number, weight| [&[16, 0, 0, weight, 0, 0, 0, 0][..], &via(number)].concat();
    vec![
        route(16, 0, 1, [20, 1, 0, 0], via(1)),
        route(24, 0, 6, [20, 1, 6, 0], Vec::new()),
        route(24, 0, 7, [20, 1, 7, 0], Vec::new()),
        route(24, 0, 9, [20, 1, 8, 0], Vec::new()),
        route(25, 0, 1, [20, 1, 9, 0], via(2)),
        route(16, 0, 1, [20, 2, 0, 0], attr(9, &[hop(1, 0), hop(2, 1)].concat())),
        route(16, 0, 1, [20, 3, 0, 0], [via(1), attr(8, &attr(2, &60u32.to_ne_bytes()))].concat()),
        route(16, 8, 1, [20, 4, 0, 0], via(2)),
        route(16, 0, 1, [20, 4, 0, 0], via(1)),
        route(24, 16, 1, [20, 4, 7, 0], via(2)),
        route(24, 16, 1, [20, 5, 7, 0], via(2)),
        route(16, 0, 1, [20, 5, 0, 0], via(0)),
    ]
}

/// Requests for rules: nothing for one source, nothing to a part of what there is a route to.
fn rule_bodies() -> [Vec<u8>; 2] {
    // family, lengths, tos, table, unused, action prohibit, flags
    let source = [&[2, 0, 32, 0, 0, 0, 0, 8, 0, 0, 0, 0][..], &attr(2, &ip(0, 3).octets())].concat();
    let destination = [&[2, 24, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0][..], &attr(1, &[20, 3, 7, 0])].concat();
    [source, destination]
}

impl Router {
    fn new(setup: Setup) -> Router {
        let mut lab = Lab::new(7);
        let (root, far) = (lab.root(), lab.namespace());
        for number in 0..3u8 {
            lab.veth(root, &format!("r{number}"), far, &format!("e{number}"));
            lab.address(root, &format!("r{number}"), ip(number, 1), 24);
            for (ns, device) in [(root, format!("r{number}")), (far, format!("e{number}"))] {
                lab.write(ns, &format!("/proc/sys/net/ipv6/conf/{device}/disable_ipv6"), "1");
            }
        }
        lab.write(root, "/proc/sys/net/ipv4/ip_forward", if setup.forwards { "1" } else { "0" });
        if setup.reverse_path {
            lab.write(root, "/proc/sys/net/ipv4/conf/r0/rp_filter", "1");
        }
        if setup.accepts_own {
            lab.write(root, "/proc/sys/net/ipv4/conf/all/accept_local", "1");
        }
        if setup.small_mtu {
            lab.write(root, "/sys/class/net/r2/mtu", "576");
        }
        let neighbours = [(0, 2, SENDER, NUD_PERMANENT), (1, 2, STATION, NUD_PERMANENT), (2, 2, STATION, NUD_STALE)];
        for (number, host, mac, state) in neighbours {
            let mut body = vec![2, 0, 0, 0];
            body.extend(lab.ifindex(root, &format!("r{number}")).to_ne_bytes());
            body.extend(state.to_ne_bytes());
            body.extend([0, 0]);
            body.extend(attr(1, &ip(number, host).octets()));
            body.extend(attr(2, &mac.0));
            assert_eq!(lab.ask(root, NEW_NEIGHBOUR, CREATE, &body), 0);
        }
        lab.default_route(root, ip(1, 2));
        for (number, body) in route_bodies().iter().enumerate() {
            assert_eq!(lab.ask(root, NEW_ROUTE, CREATE | APPEND, body), 0, "route {number}");
        }
        if setup.rules {
            for body in rule_bodies() {
                assert_eq!(lab.ask(root, NEW_RULE, CREATE, &body), 0);
            }
        }
        lab.advance(Duration::from_secs(20));
        let mac = lab.mac(root, "r0");
        let sender = lab.packet_socket(far, "e0");
        let mut listeners: Vec<SocketId> = (0..3).map(|number| lab.packet_socket(far, &format!("e{number}"))).collect();
        if setup.tapped {
            listeners.extend([lab.packet_socket(root, "r0"), lab.packet_socket(root, "r1")]);
        }
        for listener in &listeners {
            lab.kernel.set_option(*listener, 263, 23, &1i32.to_ne_bytes()).expect("PACKET_IGNORE_OUTGOING");
        }
        if setup.raw_socket {
            listeners.push(lab.kernel.socket(root, 2, 3, 1).expect("a raw socket"));
        }
        for listener in &listeners {
            lab.kernel.set_option(*listener, 1, 33, &(4i32 << 20).to_ne_bytes()).expect("SO_RCVBUFFORCE");
        }
        Router { lab, mac, sender, listeners }
    }

    /// What can be seen afterwards, and a while later.
    fn seen(&mut self) -> (Vec<Vec<Vec<u8>>>, Vec<String>) {
        let mut files = Vec::new();
        let mut captures = Vec::new();
        for _ in 0..2 {
            captures.extend(self.listeners.clone().into_iter().map(|socket| self.lab.received(socket)));
            let root = self.lab.root();
            for path in ["/proc/net/snmp", "/proc/net/netstat", "/proc/net/arp", "/proc/net/dev"] {
                files.push(self.lab.read(root, path));
            }
            for device in ["r0", "r1", "r2"] {
                let counters = ["rx_packets", "rx_dropped", "tx_packets", "tx_dropped"];
                for path in counters.map(|counter| format!("/sys/class/net/{device}/statistics/{counter}")) {
                    files.push(format!("{path}: {}", self.lab.read(root, &path)));
                }
            }
            let drops = self.lab.kernel.drops();
            let counts = DropReason::ALL.iter().map(|reason| (*reason, drops.get(*reason)));
            files.push(format!("{:?}", counts.collect::<Vec<_>>()));
            self.lab.advance(Duration::from_secs(8));
        }
        (captures, files)
    }
}

/// A packet with any of what matters to a router; `to` says for whom it is on the link: the router, everybody, somebody else.
#[derive(Clone, Debug)]
struct Packet {
    to: u8,
    source: Ipv4Addr,
    destination: Ipv4Addr,
    ttl: u8,
    tos: u8,
    fragment: u16,
    protocol: u8,
    options: bool,
    length: usize,
    wrong: u8,
}

impl Packet {
    fn frame(&self, router: MacAddr) -> Vec<u8> {
        let to = match self.to {
            0 => router,
            1 => MacAddr::BROADCAST,
            _ => STATION,
        };
        let options: &[u8] = if self.options { &[7, 7, 4, 0, 0, 0, 0, 0] } else { &[] };
        let header = 20 + options.len();
        let mut packet = vec![0x40 | (header / 4) as u8, self.tos];
        packet.extend(((header + self.length) as u16).to_be_bytes());
        packet.extend([0, 7]);
        packet.extend(self.fragment.to_be_bytes());
        packet.extend([self.ttl, self.protocol, 0, 0]);
        packet.extend(self.source.octets());
        packet.extend(self.destination.octets());
        packet.extend(options);
        let checksum = checksum(&packet);
        packet[10..12].copy_from_slice(&checksum.to_be_bytes());
        // An echo request, whatever its protocol.
        let mut message = vec![8, 0, 0, 0, 0, 1, 0, 2];
        message.resize(self.length.max(8), 0x55);
        let checksum = self::checksum(&message);
        message[2..4].copy_from_slice(&checksum.to_be_bytes());
        packet.extend(&message[..self.length]);
        match self.wrong {
            0 => packet[10] ^= 1,
            1 => packet[2] = 0xff,
            2 => packet[0] = 0x65,
            3 => packet.truncate(12),
            // Padding.
            4 => packet.extend([0; 9]),
            _ => {}
        }
        [&to.0[..], &SENDER.0, &[8, if self.wrong == 5 { 6 } else { 0 }], &packet].concat()
    }
}

fn checksum(bytes: &[u8]) -> u16 {
    let sum: u32 =
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u32::from(*low))).sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    !((sum & 0xffff) + (sum >> 16)) as u16
}

fn packet() -> impl Strategy<Value = Packet> {
    let source = prop_oneof![
        12 => Just(ip(0, 2)),
        2 => (2u8..5).prop_map(|host| ip(0, host)),
        1 => (0u8..3).prop_map(|number| ip(number, 1)),
        1 => Just(ip(2, 2)),
        1 => Just(Ipv4Addr::new(127, 0, 0, 1)),
        1 => Just(Ipv4Addr::UNSPECIFIED),
        1 => Just(Ipv4Addr::new(224, 0, 0, 1)),
    ];
    let destination = prop_oneof![
        6 => Just(ip(1, 2)),
        4 => Just(ip(2, 2)),
        2 => (2u8..6).prop_map(|host| ip(2, host)),
        4 => (0u8..3).prop_map(|number| ip(number, 1)),
        1 => (0u8..3).prop_map(|number| ip(number, 255)),
        2 => Just(ip(0, 7)),
        4 => any::<u32>().prop_map(Ipv4Addr::from_bits),
        12 => (1u8..7, 5u8..10, any::<u8>()).prop_map(|(b, c, d)| Ipv4Addr::new(20, b, c, d)),
        1 => Just(Ipv4Addr::new(224, 0, 0, 1)),
        1 => Just(Ipv4Addr::BROADCAST),
    ];
    let protocol = prop_oneof![3 => Just(1u8), 1 => Just(2u8), 1 => Just(17u8), 1 => Just(253u8)];
    let fragment = prop_oneof![8 => Just(0x4000u16), 8 => Just(0u16), 1 => Just(0x2000u16), 1 => Just(2u16)];
    let length = prop_oneof![6 => 8usize..80, 1 => 0usize..8, 1 => 560usize..600, 1 => 1440usize..1460];
    let shape = (protocol, prop::bool::weighted(0.1), length, prop_oneof![8 => Just(9u8), 1 => 0u8..6]);
    let to = prop_oneof![12 => Just(0u8), 1 => Just(1u8), 1 => Just(2u8)];
    let head = (prop_oneof![8 => Just(64u8), 1 => 0u8..3], prop_oneof![4 => Just(0u8), 1 => any::<u8>()], fragment);
    (to, source, destination, head, shape).prop_map(|(to, source, destination, (ttl, tos, fragment), shape)| {
        let (protocol, options, length, wrong) = shape;
        Packet { to, source, destination, ttl, tos, fragment, protocol, options, length, wrong }
    })
}

/// Packets in a row that differ in little but their destinations, all of which are below two neighbouring routes.
fn alike() -> impl Strategy<Value = Vec<Packet>> {
    let destination = (0u8..2, 6u8..9, 0u8..4).prop_map(|(b, c, d)| [20, b, c, d]);
    let tos = prop_oneof![2 => Just(0u8), 1 => Just(8u8), 1 => Just(16u8)];
    (packet(), 1u8..6, tos, proptest::collection::vec(destination, 1..16)).prop_map(|(packet, b, tos, destinations)| {
        let first = Packet { to: 0, source: ip(0, 2), ttl: 64, tos, options: false, wrong: 9, ..packet };
        let to = |[a, more, c, d]: [u8; 4]| Ipv4Addr::new(a, b + more, c, d);
        destinations.into_iter().map(|address| Packet { destination: to(address), ..first.clone() }).collect()
    })
}

/// What is sent at once.
fn burst() -> impl Strategy<Value = Vec<Packet>> {
    let repeated = (packet(), 1usize..4).prop_map(|(packet, times)| vec![packet; times]);
    let parts = proptest::collection::vec(prop_oneof![9 => repeated, 1 => alike()], 1..60);
    parts.prop_map(|parts| parts.concat())
}

fn setup() -> impl Strategy<Value = Setup> {
    let often = prop::bool::weighted(0.8);
    let flags = (any::<bool>(), often, any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    flags.prop_map(|(tapped, forwards, reverse_path, accepts_own, raw_socket, small_mtu, rules)| Setup {
        tapped,
        forwards,
        reverse_path,
        accepts_own,
        raw_socket,
        small_mtu,
        rules,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]
    #[test]
    fn a_burst_is_its_packets_one_by_one(
        setup in setup(),
        bursts in proptest::collection::vec(burst(), 1..4),
    ) {
        let (mut together, mut alone) = (Router::new(setup), Router::new(setup));
        for burst in bursts {
            let frames: Vec<Vec<u8>> = burst.iter().map(|packet| packet.frame(together.mac)).collect();
            let messages = frames.iter().map(|frame| (&frame[..], &[][..]));
            let sent = together.lab.kernel.send_many(together.sender, messages, 0, &Process::default());
            prop_assert_eq!(sent, Ok(frames.len()));
            for frame in &frames {
                prop_assert_eq!(alone.lab.send(alone.sender, frame), Ok(frame.len()));
            }
        }
        prop_assert_eq!(together.seen(), alone.seen());
    }
}
