//! The state machine on a clock that the test moves.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::*;
use crate::error::Errno;
use crate::ipv4::sysctl::{self, ConfOf};
use crate::ipv4::tests::Lab;

const TWO: [u8; 4] = [10, 1, 0, 2];

fn pair(lab: &mut Lab) -> (NsId, NsId, DevId, DevId) {
    let (one, two) = (lab.host(), lab.host());
    let (a, b) = lab.cable((one, 10), (two, 11));
    lab.address(a, [10, 1, 0, 1], 24);
    lab.address(b, TWO, 24);
    (one, two, a, b)
}

#[test]
fn a_used_entry_is_confirmed_by_a_unicast_probe() {
    let mut lab = Lab::new();
    let (one, _, a, b) = pair(&mut lab);
    lab.ping(one, TWO, 56).unwrap();
    assert_eq!(lab.state(a, TWO), Some(nud::REACHABLE));
    // The answerer has only heard of the asker; five seconds after its answer it asks itself.
    lab.pass(Duration::from_secs(4));
    assert_eq!(lab.state(b, [10, 1, 0, 1]), Some(nud::DELAY));
    lab.pass(Duration::from_secs(2));
    assert_eq!(lab.state(b, [10, 1, 0, 1]), Some(nud::REACHABLE));
    // No longer used, both are no longer sure after at most 45 seconds.
    lab.pass(Duration::from_secs(46));
    assert_eq!(lab.state(a, TWO), Some(nud::STALE));
    assert_eq!(lab.state(b, [10, 1, 0, 1]), Some(nud::STALE));
    lab.ping(one, TWO, 56).unwrap();
    assert_eq!(lab.state(a, TWO), Some(nud::DELAY));
    let sent = lab.kernel.devices[a].stats().tx_packets;
    lab.pass(Duration::from_secs(6));
    assert_eq!(lab.state(a, TWO), Some(nud::REACHABLE));
    assert!(lab.kernel.devices[a].stats().tx_packets > sent);
}

#[test]
fn nobody_answers() {
    let mut lab = Lab::new();
    let (one, _, a, _) = pair(&mut lab);
    for _ in 0..3 {
        lab.ping(one, [10, 1, 0, 99], 56).unwrap();
    }
    assert_eq!(lab.state(a, [10, 1, 0, 99]), Some(nud::INCOMPLETE));
    assert_eq!(lab.kernel.devices[a].stats().tx_packets, 1);
    lab.pass(Duration::from_millis(2_990));
    assert_eq!(lab.kernel.devices[a].stats().tx_packets, 3);
    assert_eq!(lab.icmp_in(one, 3), 0);
    // Timers are a little late.
    lab.pass(Duration::from_millis(110));
    assert_eq!(lab.state(a, [10, 1, 0, 99]), Some(nud::FAILED));
    // Every packet that waited is answered, through lo and so without a limit.
    assert_eq!(lab.icmp_in(one, 3), 3);
    assert_eq!(lab.kernel.devices[a].stats().tx_packets, 3);
}

#[test]
fn entries_made_by_hand() {
    let mut lab = Lab::new();
    let (one, _, a, _) = pair(&mut lab);
    let five = IpAddr::V4(Ipv4Addr::new(10, 1, 0, 5));
    let lladdr = Some(MacAddr([2, 0, 0, 0, 0, 5]));
    let add = Change {
        lladdr,
        state: nud::PERMANENT,
        flags: 0,
        protocol: None,
        create: true,
        exclusive: true,
        replace: false,
    };
    change(&mut lab.kernel, a, five, &add).unwrap();
    assert_eq!(change(&mut lab.kernel, a, five, &add), Err(Errno::EEXIST.into()));
    let missing = IpAddr::V4(Ipv4Addr::new(10, 1, 0, 6));
    let edit = Change { create: false, exclusive: false, replace: true, ..add };
    assert_eq!(change(&mut lab.kernel, a, missing, &edit), Err(Errno::ENOENT.into()));
    let bare = Change { lladdr: None, ..add };
    let refusal = change(&mut lab.kernel, a, missing, &bare).unwrap_err();
    assert_eq!(refusal.message.as_deref(), Some("No link layer address given"));
    // What was made for it stays, as on Linux.
    assert_eq!(lab.state(a, [10, 1, 0, 6]), Some(nud::NONE));
    // Carrier loss leaves it, going down doesn't.
    let peer = lab.kernel.devices[a].peer().unwrap();
    lab.down(peer);
    assert_eq!(lab.state(a, [10, 1, 0, 5]), Some(nud::PERMANENT));
    delete(&mut lab.kernel, a, five).unwrap();
    assert_eq!(delete(&mut lab.kernel, a, five), Err(Errno::ENOENT.into()));
    change(&mut lab.kernel, a, five, &add).unwrap();
    lab.down(a);
    assert_eq!(lab.state(a, [10, 1, 0, 5]), None);
    let _ = one;
}

#[test]
fn a_gratuitous_announcement_updates_and_does_not_create() {
    let mut lab = Lab::new();
    let (one, two, a, b) = pair(&mut lab);
    sysctl::set_conf(&mut lab.kernel, two, ConfOf::Device(b), Conf::ArpNotify, 1).unwrap();
    arp::announce(&mut lab.kernel, b);
    lab.kernel.settle();
    assert_eq!(lab.state(a, TWO), None);
    lab.ping(one, TWO, 56).unwrap();
    lab.pass(Duration::from_secs(10));
    lab.kernel.set_address(b, MacAddr([2, 0, 0, 0, 0, 0x77])).unwrap();
    lab.kernel.settle();
    let entry = lab.kernel.neighbour(a, IpAddr::V4(TWO.into())).unwrap();
    assert_eq!((entry.state, entry.lladdr), (nud::STALE, MacAddr([2, 0, 0, 0, 0, 0x77])));
    sysctl::set_conf(&mut lab.kernel, one, ConfOf::All, Conf::ArpAccept, 1).unwrap();
    delete(&mut lab.kernel, a, IpAddr::V4(TWO.into())).unwrap();
    arp::announce(&mut lab.kernel, b);
    lab.kernel.settle();
    assert_eq!(lab.state(a, TWO), Some(nud::STALE));
}

#[test]
fn a_queue_keeps_the_newest_packets() {
    let mut lab = Lab::new();
    let (one, _, a, b) = pair(&mut lab);
    lab.kernel.namespaces[one].neighbour_params_mut(Some(a), true).set("unres_qlen_bytes", 2_000);
    for _ in 0..9 {
        let _ = lab.ping(one, [10, 1, 0, 50], 56);
    }
    lab.address(b, [10, 1, 0, 50], 24);
    lab.pass(Duration::from_secs(2));
    assert_eq!(lab.icmp_in(one, 0), 3);
}

#[test]
fn the_table_never_holds_more_than_its_limit() {
    let mut lab = Lab::new();
    let (one, _, a, _) = pair(&mut lab);
    for number in 0..2_000u32 {
        let address = Ipv4Addr::from_bits(0x0a01_0000 + 256 + number);
        let _ = touch(&mut lab.kernel, a, IpAddr::V4(address));
    }
    assert!(lab.kernel.namespaces[one].neighbours.iter().count() <= gc::THRESHOLD_HIGH);
}

#[test]
fn devices_keep_what_they_started_with_when_the_settings_of_new_ones_change() {
    let mut lab = Lab::new();
    let (one, _, a, _) = pair(&mut lab);
    lab.kernel.namespaces[one].neighbour_params_mut(None, true).set("locktime", 7);
    let neighbours = &lab.kernel.namespaces[one].neighbours;
    assert_eq!(*neighbours.params(Some(a), true), Params::ARP);
    assert_eq!(neighbours.params(Some(DevId::default()), true).locktime, 7, "what a new one starts with");
    assert_eq!(*neighbours.params(None, false), Params::NDISC, "the other family's are others");
}
