//! Two or three hosts on cables, on a clock that the test moves: exact frames out.

use std::net::Ipv4Addr;
use std::time::Duration;

use proptest::prelude::*;

use super::addr::{self, Address};
use super::fib::{Alias, Insert, Nexthop, Pattern, kind, scope, table};
use super::header::Header;
use super::*;
use crate::Config;
use crate::drivers::veth;
use crate::few::Few;
use crate::frame::ETH_HLEN;
use crate::neighbour::{self, nud};
use crate::netdev::{DevFlags, NewDevice};
use crate::types::{IfName, MacAddr};

/// A machine with helpers for tests.
pub(crate) struct Lab {
    pub(crate) kernel: Kernel,
}

impl Lab {
    pub(crate) fn new() -> Lab {
        let config = Config { seed: 1, cpus: 2, hostname: "lab".into(), wall_clock: std::time::Duration::ZERO };
        Lab { kernel: Kernel::new(config, Instant(1_000_000_000)) }
    }

    /// A namespace whose `lo` is up.
    pub(crate) fn host(&mut self) -> NsId {
        let ns = self.kernel.create_namespace();
        crate::ipv6::set_conf(&mut self.kernel, ns, crate::ipv6::ConfOf::Default, "disable_ipv6", 1).unwrap();
        let lo = self.kernel.namespaces[ns].ipv4.loopback.unwrap();
        self.up(lo);
        ns
    }

    pub(crate) fn up(&mut self, dev: DevId) {
        self.kernel.open_device(dev).unwrap();
        self.kernel.settle();
    }

    pub(crate) fn down(&mut self, dev: DevId) {
        self.kernel.close_device(dev);
        self.kernel.settle();
    }

    /// A cable between two hosts, both ends up; the last byte of their MAC addresses is given.
    pub(crate) fn cable(&mut self, (one, a): (NsId, u8), (two, b): (NsId, u8)) -> (DevId, DevId) {
        let new = |number: u8| NewDevice {
            address: Some(MacAddr([2, 0, 0, 0, 0, number])),
            ..NewDevice::named(IfName::new(&format!("eth{number}")).unwrap())
        };
        let (first, second) = veth::create(&mut self.kernel, (one, new(a)), (two, new(b))).unwrap();
        self.up(first);
        self.up(second);
        (first, second)
    }

    pub(crate) fn address(&mut self, dev: DevId, address: [u8; 4], length: u8) {
        let label = self.kernel.devices[dev].name;
        addr::add(&mut self.kernel, dev, Address::new(address.into(), length, label.as_str())).unwrap();
    }

    pub(crate) fn route(&mut self, ns: NsId, to: [u8; 4], length: u8, dev: DevId, via: [u8; 4]) {
        let mut alias = Alias::on_link(kind::UNICAST, scope::UNIVERSE, dev, Ipv4Addr::UNSPECIFIED);
        alias.nexthops[0] = Nexthop { gateway: Some(IpAddr::V4(via.into())), scope: scope::LINK, ..alias.nexthops[0] };
        insert_route(&mut self.kernel, ns, table::MAIN, to.into(), length, alias, Insert::Exclusive).unwrap();
    }

    pub(crate) fn ping(&mut self, ns: NsId, to: [u8; 4], size: usize) -> Result<(), Errno> {
        let mut message = vec![8, 0, 0, 0, 0, 7, 0, 1];
        message.resize(8 + size, 0x55);
        let checksum = internet_checksum(&message);
        message[2..4].copy_from_slice(&checksum.to_be_bytes());
        let out = Outgoing {
            source: Ipv4Addr::UNSPECIFIED,
            destination: to.into(),
            protocol: 1,
            tos: 0,
            ttl: 64,
            dont_fragment: true,
            options: &[],
            head: None,
            payload: &message,
        };
        let route = lookup(&self.kernel, ns, &Flow::to(to.into()))?;
        let dont_fragment = size + 28 <= route.mtu as usize;
        let sent = send_here(&mut self.kernel, ns, &Outgoing { dont_fragment, ..out }, &route);
        self.kernel.settle();
        sent
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        let then = self.kernel.now + time;
        self.kernel.poll(then);
    }

    pub(crate) fn icmp_in(&self, ns: NsId, kind: u8) -> u64 {
        self.kernel.namespaces[ns].ipv4.snmp.icmp.in_types.get(kind)
    }

    pub(crate) fn state(&self, dev: DevId, address: [u8; 4]) -> Option<u16> {
        self.kernel.neighbour(dev, IpAddr::V4(address.into())).map(|entry| entry.state)
    }

    /// The next frame that `dev` will receive.
    pub(crate) fn next_frame(&mut self, dev: DevId) -> Option<Vec<u8>> {
        self.kernel.backlog.take(Some(dev)).map(|(_, frame)| frame.bytes().to_vec())
    }
}

fn pair(lab: &mut Lab) -> (NsId, NsId, DevId, DevId) {
    let (one, two) = (lab.host(), lab.host());
    let (a, b) = lab.cable((one, 10), (two, 11));
    lab.address(a, [10, 1, 0, 1], 24);
    lab.address(b, [10, 1, 0, 2], 24);
    (one, two, a, b)
}

fn routes(lab: &Lab, ns: NsId, number: u32) -> Vec<String> {
    let Some(table) = lab.kernel.namespaces[ns].ipv4.fib.table(number) else { return vec![] };
    table
        .entries()
        .map(|(prefix, length, alias)| {
            let kind = match alias.kind {
                kind::LOCAL => "local ",
                kind::BROADCAST => "broadcast ",
                _ => "",
            };
            format!("{kind}{prefix}/{length} src {}", alias.source)
        })
        .collect()
}

#[test]
fn a_ping_resolves_its_neighbour_and_is_answered() {
    let mut lab = Lab::new();
    let (one, two, a, b) = pair(&mut lab);
    lab.ping(one, [10, 1, 0, 2], 56).unwrap();
    assert_eq!((lab.icmp_in(two, 8), lab.icmp_in(one, 0)), (1, 1));
    assert_eq!(lab.state(a, [10, 1, 0, 2]), Some(nud::REACHABLE));
    assert_eq!(lab.state(b, [10, 1, 0, 1]), Some(nud::DELAY));
    // One request, one answer, two echoes.
    assert_eq!(lab.kernel.devices[a].stats().tx_packets, 2);
    assert_eq!(lab.kernel.devices[a].stats().tx_bytes, 42 + 98);
}

#[test]
fn whatever_changes_holds_for_the_next_packet() {
    type Change = fn(&mut Lab, NsId, DevId);
    let near: [(&str, Change, Change); 5] = [
        (
            "route",
            |lab, ns, dev| {
                let alias = Alias::on_link(kind::BLACKHOLE, scope::UNIVERSE, dev, Ipv4Addr::UNSPECIFIED);
                insert_route(&mut lab.kernel, ns, table::MAIN, [10, 1, 0, 2].into(), 32, alias, Insert::Exclusive)
                    .unwrap();
            },
            |lab, ns, _| {
                let to = [10, 1, 0, 2].into();
                remove_route(&mut lab.kernel, ns, table::MAIN, to, 32, &Pattern::default()).unwrap();
            },
        ),
        ("link", |lab, _, dev| lab.down(dev), |lab, _, dev| lab.up(dev)),
        (
            "address",
            |lab, _, dev| addr::remove(&mut lab.kernel, dev, 0),
            |lab, _, dev| lab.address(dev, [10, 1, 0, 1], 24),
        ),
        (
            "reverse path",
            |lab, ns, dev| {
                sysctl::set_conf(&mut lab.kernel, ns, sysctl::ConfOf::Device(dev), Conf::RpFilter, 1).unwrap();
                let alias = Alias::on_link(kind::UNREACHABLE, scope::UNIVERSE, dev, Ipv4Addr::UNSPECIFIED);
                insert_route(&mut lab.kernel, ns, table::MAIN, [10, 1, 0, 2].into(), 32, alias, Insert::Exclusive)
                    .unwrap();
            },
            |lab, ns, dev| {
                sysctl::set_conf(&mut lab.kernel, ns, sysctl::ConfOf::Device(dev), Conf::RpFilter, 0).unwrap();
                let to = [10, 1, 0, 2].into();
                remove_route(&mut lab.kernel, ns, table::MAIN, to, 32, &Pattern::default()).unwrap();
            },
        ),
        (
            "rule",
            |lab, ns, _| {
                let refuse = rule::Rule { action: rule::action::PROHIBIT, ..rule::Rule::all(1, 0) };
                lab.kernel.namespaces[ns].ipv4.rules.add(refuse);
            },
            |lab, ns, _| {
                let _ = lab.kernel.namespaces[ns].ipv4.rules.remove(|rule| rule.priority == 1);
            },
        ),
    ];
    for asks in [true, false] {
        for (what, change, back) in near {
            let mut lab = Lab::new();
            let (one, two, a, _) = pair(&mut lab);
            let (from, to) = if asks { (one, [10, 1, 0, 2]) } else { (two, [10, 1, 0, 1]) };
            let echoed = |lab: &mut Lab| {
                let before = lab.icmp_in(from, 0);
                let _ = lab.ping(from, to, 56);
                lab.icmp_in(from, 0) > before
            };
            assert!(echoed(&mut lab) && echoed(&mut lab), "{what}");
            change(&mut lab, one, a);
            assert!(!echoed(&mut lab), "{what}, which the one that asks changed: {asks}");
            back(&mut lab, one, a);
            // Links are looked at once in a second.
            lab.pass(Duration::from_secs(2));
            assert!(echoed(&mut lab), "{what} and back, which the one that asks changed: {asks}");
        }
    }
}

#[test]
fn a_neighbours_new_address_holds_for_the_next_packet() {
    let mut lab = Lab::new();
    let (one, two, a, _) = pair(&mut lab);
    lab.ping(one, [10, 1, 0, 2], 56).unwrap();
    for (last, requests) in [(99, 1), (11, 2)] {
        let change = neighbour::Change {
            lladdr: Some(MacAddr([2, 0, 0, 0, 0, last])),
            state: nud::PERMANENT,
            flags: 0,
            protocol: None,
            create: false,
            exclusive: false,
            replace: true,
        };
        neighbour::change(&mut lab.kernel, a, IpAddr::V4([10, 1, 0, 2].into()), &change).unwrap();
        lab.ping(one, [10, 1, 0, 2], 56).unwrap();
        assert_eq!(lab.icmp_in(two, 8), requests);
    }
}

#[test]
fn arp_on_the_wire() {
    let mut lab = Lab::new();
    let (one, _, a, b) = pair(&mut lab);
    let flow = Outgoing {
        source: Ipv4Addr::UNSPECIFIED,
        destination: [10, 1, 0, 2].into(),
        protocol: 99,
        tos: 0,
        ttl: 64,
        dont_fragment: true,
        options: &[],
        head: None,
        payload: b"hello",
    };
    let route = lookup(&lab.kernel, one, &Flow::to(flow.destination)).unwrap();
    send_here(&mut lab.kernel, one, &flow, &route).unwrap();
    let request = lab.next_frame(b).unwrap();
    let mut expected = vec![0xff; 6];
    expected.extend([2, 0, 0, 0, 0, 10, 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1]);
    expected.extend([2, 0, 0, 0, 0, 10, 10, 1, 0, 1, 0, 0, 0, 0, 0, 0, 10, 1, 0, 2]);
    assert_eq!(request, expected);
    let frame = lab.kernel.frames.copy_from(&request);
    lab.kernel.receive_frame(b, frame);
    let reply = lab.next_frame(a).unwrap();
    let mut expected = vec![2, 0, 0, 0, 0, 10, 2, 0, 0, 0, 0, 11, 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 2];
    expected.extend([2, 0, 0, 0, 0, 11, 10, 1, 0, 2, 2, 0, 0, 0, 0, 10, 10, 1, 0, 1]);
    assert_eq!(reply, expected);
    let frame = lab.kernel.frames.copy_from(&reply);
    lab.kernel.receive_frame(a, frame);
    let packet = lab.next_frame(b).unwrap();
    assert_eq!(packet[..14], [2, 0, 0, 0, 0, 11, 2, 0, 0, 0, 0, 10, 8, 0]);
    let header = Header::parse(&packet[ETH_HLEN..]).unwrap();
    assert_eq!((header.total, header.ttl, header.protocol, header.fragment), (25, 64, 99, 0x4000));
    assert_eq!(&packet[34..], b"hello");
}

#[test]
fn addresses_bring_their_routes_and_take_them_along() {
    let mut lab = Lab::new();
    let one = lab.host();
    let two = lab.host();
    let (a, _) = lab.cable((one, 10), (two, 11));
    lab.address(a, [10, 1, 0, 1], 24);
    lab.address(a, [10, 1, 0, 2], 24);
    assert_eq!(routes(&lab, one, table::MAIN), ["10.1.0.0/24 src 10.1.0.1"]);
    let local = [
        "local 10.1.0.1/32 src 10.1.0.1",
        "local 10.1.0.2/32 src 10.1.0.1",
        "broadcast 10.1.0.255/32 src 10.1.0.1",
        "local 127.0.0.0/8 src 127.0.0.1",
        "local 127.0.0.1/32 src 127.0.0.1",
        "broadcast 127.255.255.255/32 src 127.0.0.1",
    ];
    assert_eq!(routes(&lab, one, table::LOCAL), local);
    lab.down(a);
    assert!(routes(&lab, one, table::MAIN).is_empty());
    assert_eq!(routes(&lab, one, table::LOCAL).len(), 5);
    lab.up(a);
    assert_eq!(routes(&lab, one, table::LOCAL), local);
    // The primary takes its secondary with it.
    addr::remove(&mut lab.kernel, a, 0);
    assert!(lab.kernel.addresses(a).is_empty());
    assert_eq!(routes(&lab, one, table::LOCAL).len(), 3);
    assert!(routes(&lab, one, table::MAIN).is_empty());
}

#[test]
fn a_secondary_is_promoted_where_that_is_wanted() {
    let mut lab = Lab::new();
    let (one, _, a, _) = pair(&mut lab);
    lab.address(a, [10, 1, 0, 7], 24);
    lab.address(a, [10, 1, 0, 8], 24);
    sysctl::set_conf(&mut lab.kernel, one, sysctl::ConfOf::Device(a), Conf::PromoteSecondaries, 1).unwrap();
    addr::remove(&mut lab.kernel, a, 0);
    let left: Vec<(Ipv4Addr, bool)> =
        lab.kernel.addresses(a).iter().map(|address| (address.local, address.is_secondary())).collect();
    assert_eq!(left, [([10, 1, 0, 7].into(), false), ([10, 1, 0, 8].into(), true)]);
    assert_eq!(routes(&lab, one, table::MAIN), ["10.1.0.0/24 src 10.1.0.7"]);
    assert_eq!(
        routes(&lab, one, table::LOCAL)[..3],
        ["local 10.1.0.7/32 src 10.1.0.7", "local 10.1.0.8/32 src 10.1.0.7", "broadcast 10.1.0.255/32 src 10.1.0.7"]
    );
}

#[test]
fn an_address_ends_with_its_lifetime() {
    let mut lab = Lab::new();
    let (one, _, a, _) = pair(&mut lab);
    let address = Address { valid: 10, preferred: 5, flags: 0, ..Address::new([10, 9, 0, 1].into(), 24, "eth10") };
    addr::add(&mut lab.kernel, a, address).unwrap();
    lab.pass(Duration::from_secs(6));
    assert_eq!(lab.kernel.addresses(a)[1].flags, addr::flag::DEPRECATED);
    lab.pass(Duration::from_secs(5));
    assert_eq!(lab.kernel.addresses(a).len(), 1);
    assert_eq!(routes(&lab, one, table::MAIN), ["10.1.0.0/24 src 10.1.0.1"]);
}

fn routed(lab: &mut Lab) -> (NsId, NsId, NsId) {
    let (one, router, two) = (lab.host(), lab.host(), lab.host());
    let (a, ra) = lab.cable((one, 10), (router, 20));
    let (b, rb) = lab.cable((two, 11), (router, 21));
    lab.address(a, [10, 1, 0, 1], 24);
    lab.address(ra, [10, 1, 0, 254], 24);
    lab.address(b, [10, 2, 0, 1], 24);
    lab.address(rb, [10, 2, 0, 254], 24);
    lab.route(one, [0, 0, 0, 0], 0, a, [10, 1, 0, 254]);
    lab.route(two, [0, 0, 0, 0], 0, b, [10, 2, 0, 254]);
    (one, router, two)
}

#[test]
fn a_router_forwards_once_it_may() {
    let mut lab = Lab::new();
    let (one, router, two) = routed(&mut lab);
    lab.ping(one, [10, 2, 0, 1], 56).unwrap();
    assert_eq!(lab.icmp_in(two, 8), 0);
    assert_eq!(lab.kernel.namespaces[router].ipv4.snmp.ip.in_addr_errors, 1);
    sysctl::set_setting(&mut lab.kernel, router, "ip_forward", 1).unwrap();
    lab.ping(one, [10, 2, 0, 1], 56).unwrap();
    assert_eq!((lab.icmp_in(two, 8), lab.icmp_in(one, 0)), (1, 1));
    // No route: the sender is told.
    lab.ping(one, [10, 99, 0, 1], 56).unwrap();
    assert_eq!(lab.icmp_in(one, 3), 1);
    // Nobody there: the sender is told three seconds later.
    lab.ping(one, [10, 2, 0, 77], 56).unwrap();
    lab.pass(Duration::from_millis(2_900));
    assert_eq!(lab.icmp_in(one, 3), 1);
    lab.pass(Duration::from_millis(200));
    assert_eq!(lab.icmp_in(one, 3), 2);
}

#[test]
fn a_smaller_mtu_on_the_path_is_learned() {
    let mut lab = Lab::new();
    let (one, router, two) = routed(&mut lab);
    sysctl::set_setting(&mut lab.kernel, router, "ip_forward", 1).unwrap();
    for (ns, name) in [(router, "eth21"), (two, "eth11")] {
        let dev = lab.kernel.namespaces[ns].device_by_name(name).unwrap();
        lab.kernel.set_mtu(dev, 1400).unwrap();
    }
    lab.ping(one, [10, 2, 0, 1], 1400).unwrap();
    assert_eq!((lab.icmp_in(one, 3), lab.icmp_in(two, 8)), (1, 0));
    assert_eq!(lookup(&lab.kernel, one, &Flow::to([10, 2, 0, 1].into())).unwrap().mtu, 1400);
    // Now it goes in two parts, and so does the answer.
    lab.ping(one, [10, 2, 0, 1], 1400).unwrap();
    assert_eq!((lab.icmp_in(two, 8), lab.icmp_in(one, 0)), (1, 1));
    let ip = &lab.kernel.namespaces[one].ipv4.snmp.ip;
    assert_eq!((ip.frag_oks, ip.frag_creates, ip.reasm_reqds, ip.reasm_oks), (1, 2, 2, 1));
    lab.pass(Duration::from_secs(601));
    assert_eq!(lookup(&lab.kernel, one, &Flow::to([10, 2, 0, 1].into())).unwrap().mtu, 1500);
}

#[test]
fn errors_to_one_host_are_limited() {
    let mut lab = Lab::new();
    let (one, router, _) = routed(&mut lab);
    sysctl::set_setting(&mut lab.kernel, router, "ip_forward", 1).unwrap();
    for _ in 0..10 {
        lab.ping(one, [10, 99, 0, 1], 56).unwrap();
    }
    let told = lab.icmp_in(one, 3);
    assert!((2..5).contains(&told), "{told} errors");
    lab.pass(Duration::from_secs(2));
    lab.ping(one, [10, 99, 0, 1], 56).unwrap();
    assert_eq!(lab.icmp_in(one, 3), told + 1);
}

#[test]
fn own_addresses_go_through_lo() {
    let mut lab = Lab::new();
    let (one, _, a, _) = pair(&mut lab);
    lab.ping(one, [10, 1, 0, 1], 56).unwrap();
    lab.ping(one, [127, 1, 2, 3], 56).unwrap();
    assert_eq!(lab.icmp_in(one, 0), 2);
    assert_eq!(lab.kernel.devices[a].stats().tx_packets, 0);
    let lo = lab.kernel.namespaces[one].ipv4.loopback.unwrap();
    lab.down(lo);
    lab.ping(one, [10, 1, 0, 1], 56).unwrap();
    assert_eq!(lab.icmp_in(one, 0), 2);
    assert_eq!(lab.ping(one, [8, 8, 8, 8], 56), Err(Errno::ENETUNREACH));
}

#[test]
fn a_refusing_route_gives_its_errno() {
    let mut lab = Lab::new();
    let (one, ..) = pair(&mut lab);
    for (number, (kind, errno)) in
        [(6, Errno::EINVAL), (7, Errno::EHOSTUNREACH), (8, Errno::EACCES), (9, Errno::ENETUNREACH)].iter().enumerate()
    {
        let alias = Alias {
            nexthops: Few::default(),
            ..Alias::on_link(*kind, scope::UNIVERSE, DevId::default(), Ipv4Addr::UNSPECIFIED)
        };
        let prefix = Ipv4Addr::new(10, 50 + number as u8, 0, 0);
        insert_route(&mut lab.kernel, one, table::MAIN, prefix, 16, alias, Insert::Exclusive).unwrap();
        assert_eq!(lookup(&lab.kernel, one, &Flow::to(prefix)).unwrap_err(), *errno);
    }
}

#[test]
fn carrier_loss_flags_routes_and_flushes_neighbours() {
    let mut lab = Lab::new();
    let (one, _, a, b) = pair(&mut lab);
    lab.ping(one, [10, 1, 0, 2], 56).unwrap();
    lab.down(b);
    assert_eq!(lab.state(a, [10, 1, 0, 2]), None);
    let main = lab.kernel.namespaces[one].ipv4.fib.table(table::MAIN).unwrap();
    let flags: Vec<u8> = main.entries().map(|(_, _, alias)| alias.nexthops[0].flags).collect();
    assert_eq!(flags, [fib::hop_flags::LINKDOWN]);
    assert!(lookup(&lab.kernel, one, &Flow::to([10, 1, 0, 9].into())).is_ok());
    lab.up(b);
    let main = lab.kernel.namespaces[one].ipv4.fib.table(table::MAIN).unwrap();
    assert!(main.entries().all(|(_, _, alias)| alias.nexthops[0].flags == 0));
}

#[test]
fn both_ends_in_one_namespace_do_not_answer_each_other() {
    let mut lab = Lab::new();
    let one = lab.host();
    let (a, b) = lab.cable((one, 10), (one, 11));
    lab.address(a, [10, 1, 0, 1], 24);
    lab.address(b, [10, 1, 0, 2], 24);
    let out = Outgoing {
        source: [10, 1, 0, 1].into(),
        destination: [10, 1, 0, 2].into(),
        protocol: 99,
        tos: 0,
        ttl: 64,
        dont_fragment: true,
        options: &[],
        head: None,
        payload: &[],
    };
    // The local route has no next hop through `a`; what is forced through it asks and gets no answer.
    let flow = Flow { source: out.source, oif: Some(a), ..Flow::to(out.destination) };
    let route = lookup(&lab.kernel, one, &flow).unwrap();
    send_here(&mut lab.kernel, one, &out, &route).unwrap();
    lab.kernel.settle();
    assert_eq!(lab.state(a, [10, 1, 0, 2]), Some(nud::INCOMPLETE));
}

#[test]
fn a_device_that_moves_loses_its_addresses() {
    let mut lab = Lab::new();
    let (one, two, a, b) = pair(&mut lab);
    lab.ping(one, [10, 1, 0, 2], 56).unwrap();
    let elsewhere = lab.host();
    lab.kernel.move_device(a, elsewhere, None, None).unwrap();
    lab.kernel.settle();
    assert!(lab.kernel.addresses(a).is_empty());
    assert!(routes(&lab, one, table::MAIN).is_empty());
    assert!(routes(&lab, elsewhere, table::MAIN).is_empty());
    assert_eq!(lab.state(b, [10, 1, 0, 1]), None);
    assert!(lab.kernel.devices[a].ipv4.is_some());
    assert_eq!(routes(&lab, two, table::MAIN).len(), 1);
}

#[test]
fn a_small_mtu_takes_ipv4_away() {
    let mut lab = Lab::new();
    let one = lab.host();
    let lo = lab.kernel.namespaces[one].ipv4.loopback.unwrap();
    lab.kernel.set_mtu(lo, 67).unwrap();
    assert!(lab.kernel.devices[lo].ipv4.is_none());
    assert!(routes(&lab, one, table::LOCAL).is_empty());
    lab.kernel.set_mtu(lo, 65_536).unwrap();
    assert!(lab.kernel.addresses(lo).is_empty());
    lab.down(lo);
    lab.up(lo);
    assert_eq!(routes(&lab, one, table::LOCAL).len(), 3);
}

#[test]
fn routes_are_removed_with_their_last_address() {
    let mut lab = Lab::new();
    let (one, _, a, _) = pair(&mut lab);
    lab.route(one, [0, 0, 0, 0], 0, a, [10, 1, 0, 254]);
    addr::remove(&mut lab.kernel, a, 0);
    assert!(routes(&lab, one, table::MAIN).is_empty());
    assert_eq!(
        remove_route(&mut lab.kernel, one, table::MAIN, Ipv4Addr::UNSPECIFIED, 0, &Pattern::default()),
        Err(Errno::ESRCH.into())
    );
}

#[test]
fn a_device_is_in_the_group_of_all_hosts_while_it_is_up() {
    let mut lab = Lab::new();
    let (_, _, a, _) = pair(&mut lab);
    let all = MacAddr([0x01, 0x00, 0x5e, 0, 0, 1]);
    let has = |lab: &Lab| lab.kernel.devices[a].info.multicast_filter.iter().any(|entry| entry.address == all);
    assert!(has(&lab));
    assert!(matches!(igmp::groups(&lab.kernel, a), [igmp::Group { address: igmp::ALL_HOSTS, users: 1, .. }]));
    lab.down(a);
    assert!(!has(&lab));
    lab.kernel.change_flags(a, DevFlags::UP | DevFlags::MULTICAST).unwrap();
    assert!(has(&lab));
}

#[test]
fn strict_reverse_path_filtering_drops_what_came_the_wrong_way() {
    let mut lab = Lab::new();
    let (one, two, a, b) = pair(&mut lab);
    let _ = (a, one);
    sysctl::set_conf(&mut lab.kernel, two, sysctl::ConfOf::Device(b), Conf::RpFilter, 1).unwrap();
    lab.ping(one, [10, 1, 0, 2], 56).unwrap();
    assert_eq!(lab.icmp_in(two, 8), 1);
    let pattern = Pattern::default();
    remove_route(&mut lab.kernel, two, table::MAIN, [10, 1, 0, 0].into(), 24, &pattern).unwrap();
    lab.ping(one, [10, 1, 0, 2], 56).unwrap();
    assert_eq!(lab.icmp_in(two, 8), 1);
    assert_eq!(lab.kernel.namespaces[two].ipv4.snmp.reverse_path_filter, 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_frame_can_make_the_kernel_panic(
        frames in proptest::collection::vec(
            (0usize..4, proptest::collection::vec(any::<u8>(), 0..120), any::<bool>(), 0u8..60), 1..40),
    ) {
        let mut lab = Lab::new();
        let (_, two, _, b) = pair(&mut lab);
        sysctl::set_setting(&mut lab.kernel, two, "ip_forward", 1).unwrap();
        for (shape, noise, repair, seconds) in frames {
            let mut bytes = match shape {
                0 => noise.clone(),
                1 => {
                    let mut arp = vec![0xff; 6];
                    arp.extend([2, 0, 0, 0, 0, 10, 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0]);
                    arp.extend(&noise);
                    arp
                }
                _ => {
                    let mut ip = vec![2, 0, 0, 0, 0, 11, 2, 0, 0, 0, 0, 10, 8, 0];
                    ip.extend(&noise);
                    ip
                }
            };
            if repair && shape >= 2 && noise.len() >= 64 {
                // A header that holds, around options and content that need not.
                let packet = &mut bytes[ETH_HLEN..];
                let length = packet.len();
                packet[0] = 0x40 | (5 + packet[0] % 11);
                packet[2..4].copy_from_slice(&(length as u16).to_be_bytes());
                packet[9] = if shape == 2 { 1 } else { packet[9] };
                packet[12..16].copy_from_slice(&[10, 1, 0, 1]);
                let last = 2 + packet[19] % 2;
                packet[16..20].copy_from_slice(&[10, 1, 0, last]);
                let ihl = usize::from(packet[0] & 15) * 4;
                header::update_checksum(packet, ihl);
                if packet[9] == 1 {
                    packet[ihl] %= 20;
                    packet[ihl + 2..ihl + 4].fill(0);
                    let checksum = internet_checksum(&packet[ihl..]);
                    packet[ihl + 2..ihl + 4].copy_from_slice(&checksum.to_be_bytes());
                }
            }
            let frame = lab.kernel.frames.copy_from(&bytes);
            lab.kernel.receive_frame(b, frame);
            lab.pass(Duration::from_secs(seconds.into()));
        }
    }
}
