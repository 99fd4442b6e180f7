//! Joining and leaving: log lines, addresses, MTU, carrier, promiscuity.

use crate::bridge::{EntryFlags, set_master};
use crate::error::Errno;
use crate::netdev::{DevFlags, OperState};
use crate::testing::{Lab, frame, mac};
use crate::types::{DevId, MacAddr};

/// The bridge's own addresses in its database, newest first: (address, port).
fn local(lab: &Lab, bridge: DevId) -> Vec<(MacAddr, u16)> {
    let fdb = &lab.kernel.bridge(bridge).unwrap().fdb;
    let local = fdb.newest_first(|_, entry| entry.flags.contains(EntryFlags::LOCAL));
    local.into_iter().map(|(key, entry)| (key.address(), entry.port)).collect()
}

#[test]
fn the_log_tells_of_joining_and_leaving_in_this_order() {
    let mut lab = Lab::default();
    let bridge = lab.bridge("br0", None);
    let (port, peer) = lab.veth("p", mac(1), "e", mac(0x11));
    lab.up(bridge);
    lab.join(port, bridge);
    let join = [
        "br0: port 1(p) entered blocking state",
        "br0: port 1(p) entered disabled state",
        "p: entered allmulticast mode",
        "p: entered promiscuous mode",
    ];
    assert_eq!(lab.log(), join);
    lab.up(port);
    assert!(lab.log().is_empty());
    lab.up(peer);
    let forward = ["br0: port 1(p) entered blocking state", "br0: port 1(p) entered forwarding state"];
    assert_eq!(lab.log(), forward);
    lab.down(peer);
    assert_eq!(lab.log(), ["br0: port 1(p) entered disabled state"]);
    lab.up(peer);
    lab.log();
    lab.leave(port);
    let leave = ["p: left allmulticast mode", "p: left promiscuous mode", "br0: port 1(p) entered disabled state"];
    assert_eq!(lab.log(), leave);
    lab.join(port, bridge);
    assert_eq!(lab.log(), [&join[..], &forward[..]].concat());
    lab.down(bridge);
    assert_eq!(lab.log(), ["br0: port 1(p) entered disabled state"]);
    lab.up(bridge);
    assert_eq!(lab.log(), forward);

    let other = lab.bridge("br1", None);
    lab.up(other);
    lab.join(port, other);
    assert_eq!(lab.log()[..3], leave);
    lab.kernel.unregister_device(other);
    lab.kernel.settle();
    let leave = leave.map(|line| line.replace("br0", "br1"));
    assert_eq!(lab.log(), leave);
}

#[test]
fn a_device_that_is_deleted_leaves_by_its_name() {
    let mut lab = Lab::default();
    let (_, ends) = lab.star(1);
    lab.kernel.unregister_device(ends[0].0);
    lab.kernel.settle();
    let expected = [
        "br0: port 1(p1) entered disabled state",
        "p1 (unregistering): left allmulticast mode",
        "p1 (unregistering): left promiscuous mode",
        "br0: port 1(p1) entered disabled state",
    ];
    assert_eq!(lab.log(), expected);
}

#[test]
fn a_port_that_goes_down_says_so_even_when_it_was_disabled() {
    let mut lab = Lab::default();
    let (_, ends) = lab.star(1);
    lab.down(ends[0].1);
    lab.log();
    lab.down(ends[0].0);
    assert_eq!(lab.log(), ["br0: port 1(p1) entered disabled state"]);
}

#[test]
fn a_bridge_comes_up_with_its_newest_port_first() {
    let mut lab = Lab::default();
    let (bridge, _) = lab.star(2);
    lab.down(bridge);
    lab.log();
    lab.up(bridge);
    let lines = lab.log();
    assert!(lines[0].contains("port 2(p2)") && lines[2].contains("port 1(p1)"), "{lines:?}");
}

#[test]
fn who_may_not_join() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(1);
    let other = lab.bridge("br1", None);
    let lo = lab.kernel.namespaces[lab.ns].device_by_name("lo").unwrap();
    let errno = |lab: &mut Lab, dev, master| set_master(&mut lab.kernel, dev, Some(master)).unwrap_err();
    assert_eq!(errno(&mut lab, lo, bridge).errno, Errno::EINVAL);
    let error = errno(&mut lab, other, bridge);
    assert_eq!((error.errno, error.message.as_deref()), (Errno::ELOOP, Some("Can not enslave a bridge to a bridge")));
    assert_eq!(errno(&mut lab, bridge, bridge).errno, Errno::ELOOP);
    assert_eq!(errno(&mut lab, ends[0].1, ends[0].0).errno, Errno::EOPNOTSUPP);
    assert_eq!(super::super::add_port(&mut lab.kernel, other, ends[0].0).unwrap_err().errno, Errno::EBUSY);
    assert_eq!(set_master(&mut lab.kernel, ends[0].0, Some(bridge)), Ok(()));
    assert!(lab.log().is_empty());
}

#[test]
fn port_numbers_are_the_lowest_free_ones() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(3);
    lab.leave(ends[0].0);
    lab.leave(ends[1].0);
    let (port, _) = lab.veth("q", mac(9), "r", mac(0x19));
    lab.join(port, bridge);
    assert_eq!(lab.kernel.devices[port].port.unwrap().number, 1);
}

#[test]
fn the_bridge_has_the_lowest_address_of_its_ports() {
    let mut lab = Lab::default();
    let bridge = lab.bridge("br0", None);
    let ports =
        [0x50, 0x10, 0x30].map(|last| lab.veth(&format!("p{last}"), mac(last), &format!("e{last}"), mac(last + 1)).0);
    let address = |lab: &Lab| lab.kernel.devices[bridge].address;
    assert_eq!(local(&lab, bridge), [(address(&lab), 0)]);
    for (port, expected) in ports.into_iter().zip([0x50, 0x10, 0x10]) {
        lab.join(port, bridge);
        assert_eq!(address(&lab), mac(expected));
    }
    assert_eq!(local(&lab, bridge), [(mac(0x30), 3), (mac(0x10), 2), (mac(0x50), 1)]);
    lab.leave(ports[1]);
    assert_eq!(address(&lab), mac(0x30));
    lab.kernel.set_address(ports[0], mac(1)).unwrap();
    assert_eq!(address(&lab), mac(1));
    lab.leave(ports[0]);
    lab.leave(ports[2]);
    assert_eq!(address(&lab), MacAddr::ZERO);
    assert!(local(&lab, bridge).is_empty());
    lab.join(ports[0], bridge);
    lab.kernel.set_address(bridge, mac(0x99)).unwrap();
    lab.join(ports[1], bridge);
    lab.leave(ports[0]);
    assert_eq!(address(&lab), mac(0x99));
    assert_eq!(local(&lab, bridge), [(mac(0x10), 2), (mac(0x99), 0)]);
}

#[test]
fn an_address_that_two_ports_have_passes_to_the_one_that_stays() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(2);
    lab.kernel.set_address(ends[1].0, mac(1)).unwrap();
    assert_eq!(local(&lab, bridge), [(mac(1), 1), (mac(0xff), 0)]);
    lab.kernel.set_address(ends[0].0, mac(3)).unwrap();
    assert_eq!(local(&lab, bridge), [(mac(3), 1), (mac(1), 2), (mac(0xff), 0)]);
    lab.kernel.set_address(bridge, mac(1)).unwrap();
    assert_eq!(local(&lab, bridge), [(mac(3), 1), (mac(1), 2)]);
    lab.kernel.set_address(ends[1].0, mac(2)).unwrap();
    assert_eq!(local(&lab, bridge), [(mac(2), 2), (mac(3), 1), (mac(1), 0)]);
}

#[test]
fn a_learned_address_becomes_that_of_a_port_that_joins() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(1);
    lab.send(ends[0].1, &frame(MacAddr::BROADCAST, mac(9)));
    let (port, _) = lab.veth("q", mac(9), "r", mac(0x19));
    lab.log();
    lab.join(port, bridge);
    let line = "br0: adding interface q with same address as a received packet (addr:02:00:00:00:00:09, vlan:0)";
    assert_eq!(lab.log()[4], line);
    assert_eq!(local(&lab, bridge)[0], (mac(9), 2));
}

#[test]
fn the_mtu_follows_the_ports_until_somebody_sets_it() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(2);
    let mtu = |lab: &Lab| lab.kernel.devices[bridge].mtu;
    lab.kernel.set_mtu(ends[0].0, 1400).unwrap();
    assert_eq!(mtu(&lab), 1400);
    lab.leave(ends[0].0);
    assert_eq!(mtu(&lab), 1500);
    lab.kernel.set_mtu(ends[1].0, 9000).unwrap();
    assert_eq!(mtu(&lab), 9000);
    lab.leave(ends[1].0);
    assert_eq!(mtu(&lab), 1500);
    lab.kernel.set_mtu(bridge, 1300).unwrap();
    lab.join(ends[0].0, bridge);
    assert_eq!(mtu(&lab), 1300);
}

#[test]
fn the_carrier_follows_the_ports_once_there_was_one() {
    let mut lab = Lab::default();
    let bridge = lab.bridge("br0", None);
    lab.up(bridge);
    let state = |lab: &Lab| (lab.kernel.devices[bridge].carrier, lab.kernel.devices[bridge].info.operstate);
    assert_eq!(state(&lab), (true, OperState::Unknown));
    let (port, peer) = lab.veth("p", mac(1), "e", mac(0x11));
    lab.join(port, bridge);
    assert_eq!(state(&lab), (false, OperState::Down));
    lab.up(port);
    assert_eq!(state(&lab), (false, OperState::Down));
    lab.up(peer);
    assert_eq!(state(&lab), (true, OperState::Up));
    lab.leave(port);
    assert_eq!(state(&lab), (false, OperState::Down));
    lab.join(port, bridge);
    let info = &lab.kernel.devices[bridge].info;
    assert_eq!((info.carrier_up_count, info.carrier_down_count), (2, 2));
}

#[test]
fn ports_are_promiscuous_for_as_long_as_they_are_ports() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(1);
    let counts = |lab: &Lab| {
        let info = &lab.kernel.devices[ends[0].0].info;
        (info.promiscuity, info.allmulti)
    };
    assert_eq!(counts(&lab), (1, 1));
    assert!(!lab.kernel.devices[ends[0].0].visible_flags().contains(DevFlags::PROMISC));
    let flags = lab.kernel.devices[ends[0].0].visible_flags();
    lab.kernel.change_flags(ends[0].0, flags | DevFlags::PROMISC).unwrap();
    assert_eq!(counts(&lab), (2, 1));
    lab.log();
    lab.leave(ends[0].0);
    assert_eq!(counts(&lab), (1, 0));
    assert_eq!(lab.log(), ["p1: left allmulticast mode", "br0: port 1(p1) entered disabled state"]);
    lab.down(ends[0].0);
    lab.join(ends[0].0, bridge);
    assert_eq!(counts(&lab), (2, 1));
}

#[test]
fn a_bridge_that_is_up_and_snoops_is_in_the_groups_of_snoopers() {
    let mut lab = Lab::default();
    let bridge = lab.bridge("br0", None);
    let snoopers = |lab: &Lab| {
        let filter = &lab.kernel.devices[bridge].info.multicast_filter;
        filter.iter().filter(|entry| entry.address.0[5] == 0x6a).count()
    };
    assert_eq!(snoopers(&lab), 0);
    lab.up(bridge);
    assert_eq!(snoopers(&lab), 2);
    super::super::snooping::set(&mut lab.kernel, bridge, false);
    assert_eq!(snoopers(&lab), 0);
    lab.down(bridge);
    super::super::snooping::set(&mut lab.kernel, bridge, true);
    assert_eq!(snoopers(&lab), 0);
}

#[test]
fn what_was_learned_goes_with_the_link_what_was_added_with_the_port() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(2);
    let fdb = |lab: &Lab| lab.kernel.bridge(bridge).unwrap().fdb.newest_first(|_, entry| entry.port == 1).len();
    lab.send(ends[0].1, &frame(MacAddr::BROADCAST, mac(0xaa)));
    assert_eq!(fdb(&lab), 2);
    lab.down(ends[0].1);
    assert_eq!(fdb(&lab), 1);
    lab.leave(ends[0].0);
    assert_eq!(fdb(&lab), 0);
    assert_eq!(lab.kernel.bridge(bridge).unwrap().fdb.len(), 2);
}
