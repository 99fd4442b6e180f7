//! Hosts on cables, on a clock that the test moves.

use std::net::IpAddr;
use std::time::Duration;

use proptest::prelude::*;

use super::addr::{self, Address, flag};
use super::fib::{Entry, Insert, Nexthop, kind, table};
use super::header::{Header, LEN, checksum, next};
use super::*;
use crate::drivers::veth;
use crate::error::Errno;
use crate::frame::ETH_HLEN;
use crate::neighbour::nud;
use crate::netdev::NewDevice;
use crate::types::IfName;
use crate::{Config, Kernel};

struct Lab {
    kernel: Kernel,
}

fn ip(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

impl Lab {
    fn new() -> Lab {
        let config = Config { seed: 1, cpus: 1, hostname: "lab".into(), wall_clock: Duration::ZERO };
        Lab { kernel: Kernel::new(config, Instant(1_000_000_000)) }
    }

    fn host(&mut self) -> NsId {
        let ns = self.kernel.create_namespace();
        let lo = self.kernel.namespaces[ns].ipv4.loopback.unwrap();
        self.up(lo);
        ns
    }

    fn up(&mut self, dev: DevId) {
        self.kernel.open_device(dev).unwrap();
        self.kernel.settle();
    }

    fn down(&mut self, dev: DevId) {
        self.kernel.close_device(dev);
        self.kernel.settle();
    }

    fn cable(&mut self, (one, a): (NsId, u8), (two, b): (NsId, u8)) -> (DevId, DevId) {
        let new = |number: u8| NewDevice {
            address: Some(MacAddr([2, 0, 0, 0, 0, number])),
            ..NewDevice::named(IfName::new(&format!("eth{number}")).unwrap())
        };
        let pair = veth::create(&mut self.kernel, (one, new(a)), (two, new(b))).unwrap();
        self.up(pair.0);
        self.up(pair.1);
        pair
    }

    fn pass(&mut self, milliseconds: u64) {
        self.kernel.poll(self.kernel.now + Duration::from_millis(milliseconds));
    }

    fn address(&mut self, dev: DevId, address: &str) {
        let new = Address { flags: flag::PERMANENT | flag::NODAD, ..Address::new(ip(address), 64) };
        addr::add_by_hand(&mut self.kernel, dev, new).unwrap();
        self.kernel.settle();
    }

    fn ping(&mut self, ns: NsId, to: &str, oif: Option<DevId>, size: usize) -> Result<(), Errno> {
        let mut message = vec![128, 0, 0, 0, 0, 7, 0, 1];
        message.resize(8 + size, 0x55);
        let out = Outgoing {
            source: Ipv6Addr::UNSPECIFIED,
            destination: ip(to),
            oif,
            next_header: next::ICMP,
            traffic_class: 0,
            hop_limit: 64,
            dont_fragment: false,
            payload: &message,
        };
        let sent = send(&mut self.kernel, ns, &out);
        self.kernel.settle();
        sent
    }

    fn icmp_in(&self, ns: NsId, kind: u8) -> u64 {
        self.kernel.namespaces[ns].ipv6.snmp.icmp.in_types.get(&kind).copied().unwrap_or(0)
    }

    fn flags(&self, dev: DevId, address: &str) -> Option<u32> {
        self.kernel.address6(dev, ip(address)).map(|own| own.flags)
    }
}

fn pair(lab: &mut Lab) -> (NsId, NsId, DevId, DevId) {
    let (one, two) = (lab.host(), lab.host());
    let (a, b) = lab.cable((one, 10), (two, 11));
    lab.pass(2_100);
    (one, two, a, b)
}

#[test]
fn a_link_local_address_is_tentative_for_one_to_two_seconds() {
    let mut lab = Lab::new();
    let (one, two) = (lab.host(), lab.host());
    let (a, _) = lab.cable((one, 10), (two, 11));
    let tentative = |lab: &Lab| lab.flags(a, "fe80::ff:fe00:a").map(|flags| flags & flag::TENTATIVE != 0);
    assert_eq!(tentative(&lab), Some(true));
    lab.pass(990);
    assert_eq!(tentative(&lab), Some(true));
    lab.pass(1_100);
    assert_eq!(tentative(&lab), Some(false));
    assert!(is_bindable(&lab.kernel, one, ip("fe80::ff:fe00:a"), Some(a)));
}

#[test]
fn without_a_carrier_there_is_no_link_local_address() {
    let mut lab = Lab::new();
    let (_, _, a, b) = pair(&mut lab);
    lab.down(a);
    assert!(lab.kernel.addresses6(a).is_empty());
    // The other end keeps its own.
    assert_eq!(lab.kernel.addresses6(b).len(), 1);
    lab.down(b);
    lab.up(a);
    assert!(lab.kernel.addresses6(a).is_empty());
    lab.up(b);
    assert_eq!(lab.kernel.addresses6(a).len(), 1);
}

#[test]
fn a_duplicate_stays_unusable_and_is_logged() {
    let mut lab = Lab::new();
    let (_, _, a, b) = pair(&mut lab);
    lab.address(a, "fd00::1");
    addr::add_by_hand(&mut lab.kernel, b, Address::new(ip("fd00::1"), 64)).unwrap();
    lab.pass(2_100);
    let failed = flag::PERMANENT | flag::TENTATIVE | flag::DADFAILED;
    assert_eq!(lab.flags(b, "fd00::1"), Some(failed));
    let last = lab.kernel.log().from(0).last().map(|record| record.text.clone());
    let expected = "IPv6: eth11: IPv6 duplicate address fd00::1 used by 02:00:00:00:00:0a detected!";
    assert_eq!(last.as_deref(), Some(expected));
}

#[test]
fn a_ping_resolves_its_neighbour_and_is_answered() {
    let mut lab = Lab::new();
    let (one, two, a, b) = pair(&mut lab);
    lab.address(a, "fd00::1");
    lab.address(b, "fd00::2");
    lab.ping(one, "fd00::2", None, 56).unwrap();
    assert_eq!((lab.icmp_in(two, 128), lab.icmp_in(one, 129)), (1, 1));
    let state = |dev: DevId, address: &str| lab.kernel.neighbour(dev, IpAddr::V6(ip(address))).map(|entry| entry.state);
    assert_eq!((state(a, "fd00::2"), state(b, "fd00::1")), (Some(nud::REACHABLE), Some(nud::DELAY)));
}

#[test]
fn what_is_too_long_is_cut_up_and_put_together() {
    let mut lab = Lab::new();
    let (one, two, a, b) = pair(&mut lab);
    lab.address(a, "fd00::1");
    lab.address(b, "fd00::2");
    lab.ping(one, "fd00::2", None, 4_000).unwrap();
    assert_eq!((lab.icmp_in(two, 128), lab.icmp_in(one, 129)), (1, 1));
    let counters = &lab.kernel.namespaces[one].ipv6.snmp.ip;
    assert_eq!((counters.frag_creates, counters.reasm_oks), (3, 1));
}

#[test]
fn a_router_forwards_and_tells_of_its_refusals() {
    let mut lab = Lab::new();
    let (one, router, two) = (lab.host(), lab.host(), lab.host());
    let (a, ra) = lab.cable((one, 10), (router, 11));
    let (rb, b) = lab.cable((router, 12), (two, 13));
    set_conf(&mut lab.kernel, router, ConfOf::All, "forwarding", 1).unwrap();
    for (dev, address) in [(a, "fd01::1"), (ra, "fd01::2"), (rb, "fd02::2"), (b, "fd02::1")] {
        lab.address(dev, address);
    }
    for (ns, dev, gateway) in [(one, a, "fd01::2"), (two, b, "fd02::2")] {
        let hop = Nexthop { dev, gateway: Some(ip(gateway)), onlink: false, weight: 0 };
        let entry = Entry { hops: vec![hop], ..Entry::on_link(kind::UNICAST, dev, 1024) };
        let any = Ipv6Addr::UNSPECIFIED;
        insert_route(&mut lab.kernel, ns, table::MAIN, any, 0, entry, Insert::Exclusive).unwrap();
    }
    lab.pass(2_100);
    lab.ping(one, "fd02::1", None, 56).unwrap();
    assert_eq!((lab.icmp_in(two, 128), lab.icmp_in(one, 129)), (1, 1));
    lab.ping(one, "fd09::1", None, 56).unwrap();
    assert_eq!(lab.icmp_in(one, 1), 1);
    lab.kernel.set_mtu(rb, 1_400).unwrap();
    lab.ping(one, "fd02::1", None, 1_400).unwrap();
    assert_eq!(lab.icmp_in(one, 2), 1);
    // The path's MTU is known now.
    lab.ping(one, "fd02::1", None, 1_400).unwrap();
    assert_eq!((lab.icmp_in(two, 128), lab.icmp_in(one, 2)), (2, 1));
}

#[test]
fn nobody_answers() {
    let mut lab = Lab::new();
    let (one, _, a, _) = pair(&mut lab);
    lab.address(a, "fd00::1");
    lab.ping(one, "fd00::9", None, 56).unwrap();
    lab.pass(3_500);
    assert_eq!(lab.icmp_in(one, 1), 1);
}

#[test]
fn disabling_takes_everything_away() {
    let mut lab = Lab::new();
    let (one, _, a, _) = pair(&mut lab);
    lab.address(a, "fd00::1");
    set_conf(&mut lab.kernel, one, ConfOf::Device(a), "disable_ipv6", 1).unwrap();
    assert!(lab.kernel.addresses6(a).is_empty());
    let routes = |lab: &Lab| lab.kernel.namespaces[one].ipv6.fib.tables().iter().map(|(_, t)| t.entries().len()).sum();
    let left: usize = routes(&lab);
    assert_eq!(left, 1);
    let refused = addr::add_by_hand(&mut lab.kernel, a, Address::new(ip("fd00::9"), 64)).unwrap_err();
    assert_eq!(refused.message.as_deref(), Some("ipv6: IPv6 is disabled on this device"));
    set_conf(&mut lab.kernel, one, ConfOf::Device(a), "disable_ipv6", 0).unwrap();
    assert_eq!(lab.kernel.addresses6(a).len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn no_packet_can_make_the_kernel_panic(
        packets in proptest::collection::vec(
            (proptest::collection::vec(any::<u8>(), 0..120), 0u8..4, 0usize..9, 0u64..9_000), 1..40),
    ) {
        let mut lab = Lab::new();
        let (_, two, a, b) = pair(&mut lab);
        lab.address(a, "fd00::1");
        lab.address(b, "fd00::2");
        set_conf(&mut lab.kernel, two, ConfOf::All, "forwarding", 1).unwrap();
        for (mut noise, repair, shape, wait) in packets {
            let follows = [0, 43, 44, 60, 58, 58, 58, 17, 59][shape];
            let (source, destination) = (ip("fd00::1"), ip(["fd00::2", "ff02::1", "fd00::2", "fd07::1"][repair as usize]));
            if follows == next::ICMP && noise.len() >= 4 {
                noise[0] = [1, 2, 128, 130, 135, 136][usize::from(noise[0]) % 6];
                noise[1] = 0;
                noise[2..4].fill(0);
                let sum = checksum(source, destination, next::ICMP, &noise);
                noise[2..4].copy_from_slice(&sum.to_be_bytes());
            }
            let hop_limit = if repair == 2 { 255 } else { 1 };
            let header =
                Header { class: 0, flow: 0, payload: noise.len(), next: follows, hop_limit, source, destination };
            let mut bytes = vec![2, 0, 0, 0, 0, 11, 2, 0, 0, 0, 0, 10, 0x86, 0xdd];
            bytes.extend(header.bytes());
            bytes.extend(&noise);
            prop_assert_eq!(bytes.len(), ETH_HLEN + LEN + noise.len());
            let frame = lab.kernel.frames.copy_from(&bytes);
            lab.kernel.receive_frame(b, frame);
            lab.pass(wait);
        }
    }
}
