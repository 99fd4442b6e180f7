//! Exact frames out, and silence elsewhere.

use std::time::Duration;

use proptest::prelude::*;

use crate::bridge::{Entry, EntryFlags, Key, PortFlags};
use crate::drop_reason::DropReason;
use crate::netdev::DevFlags;
use crate::testing::{Lab, frame, mac};
use crate::types::{DevId, MacAddr};

fn flags(lab: &mut Lab, port: DevId, on: PortFlags, off: PortFlags) {
    let port = lab.kernel.bridge_port_mut(port).unwrap();
    port.flags = (port.flags | on) - off;
}

fn entry(lab: &Lab, bridge: DevId, address: MacAddr) -> Option<Entry> {
    lab.kernel.bridge(bridge).unwrap().fdb.get(Key::new(address, 0))
}

fn add(lab: &mut Lab, bridge: DevId, address: MacAddr, port: u16, flags: EntryFlags) {
    let entry = Entry { port, flags, updated: 0, used: 0 };
    lab.kernel.bridge_mut(bridge).unwrap().fdb.insert(Key::new(address, 0), entry);
}

/// The far ends that got the frame.
fn receivers(lab: &mut Lab, bytes: &[u8]) -> Vec<DevId> {
    let seen = lab.seen();
    assert!(seen.iter().all(|(_, got)| got == bytes), "a frame has changed on its way");
    seen.into_iter().map(|(dev, _)| dev).collect()
}

#[test]
fn unknown_addresses_are_flooded_and_known_ones_are_not() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(3);
    let there = frame(mac(0xbb), mac(0xaa));
    lab.send(ends[0].1, &there);
    assert_eq!(receivers(&mut lab, &there), [ends[2].1, ends[1].1]);
    assert_eq!(lab.stats(bridge).rx_packets, 0);

    let back = frame(mac(0xaa), mac(0xbb));
    lab.send(ends[1].1, &back);
    assert_eq!(receivers(&mut lab, &back), [ends[0].1]);
    lab.send(ends[0].1, &there);
    assert_eq!(receivers(&mut lab, &there), [ends[1].1]);
}

#[test]
fn what_is_known_behind_its_own_port_stays_there() {
    let mut lab = Lab::default();
    let (_, ends) = lab.star(2);
    lab.send(ends[0].1, &frame(MacAddr::BROADCAST, mac(0xaa)));
    lab.seen();
    lab.send(ends[0].1, &frame(mac(0xaa), mac(0xbb)));
    assert!(lab.seen().is_empty());
    assert_eq!(lab.kernel.drops().get(DropReason::BridgeNoEgress), 1);
}

#[test]
fn broadcasts_and_groups_reach_every_other_port_and_the_host() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(3);
    for (destination, multicast) in [(MacAddr::BROADCAST, 0), (MacAddr([1, 0, 0x5e, 0, 0, 5]), 1)] {
        let before = lab.stats(bridge);
        let bytes = frame(destination, mac(0xaa));
        lab.send(ends[1].1, &bytes);
        assert_eq!(receivers(&mut lab, &bytes), [ends[2].1, ends[0].1]);
        let after = lab.stats(bridge);
        assert_eq!(after.rx_packets - before.rx_packets, 1);
        assert_eq!(after.rx_bytes - before.rx_bytes, 46, "the Ethernet header does not count");
        assert_eq!(after.multicast - before.multicast, multicast);
    }
}

#[test]
fn frames_to_the_bridge_or_to_any_port_go_up_and_nowhere_else() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(2);
    for (number, destination) in [mac(0xff), mac(1), mac(2)].into_iter().enumerate() {
        lab.send(ends[0].1, &frame(destination, mac(0xaa)));
        assert!(lab.seen().is_empty());
        assert_eq!(lab.stats(bridge).rx_packets, number as u64 + 1);
    }
}

#[test]
fn a_promiscuous_bridge_sees_what_passes() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(2);
    lab.kernel.change_flags(bridge, DevFlags::UP | DevFlags::PROMISC | DevFlags::MULTICAST).unwrap();
    let bytes = frame(mac(0xbb), mac(0xaa));
    lab.send(ends[0].1, &bytes);
    lab.send(ends[1].1, &frame(mac(0xaa), mac(0xbb)));
    assert_eq!(lab.seen().len(), 2);
    assert_eq!(lab.stats(bridge).rx_packets, 2);
}

#[test]
fn the_host_sends_to_one_port_or_to_all() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(2);
    let bytes = frame(mac(0xaa), mac(0xff));
    lab.send(bridge, &bytes);
    assert_eq!(receivers(&mut lab, &bytes), [ends[1].1, ends[0].1]);
    lab.send(ends[0].1, &frame(mac(0xff), mac(0xaa)));
    lab.send(bridge, &bytes);
    assert_eq!(receivers(&mut lab, &bytes), [ends[0].1]);
    let stats = lab.stats(bridge);
    assert_eq!((stats.tx_packets, stats.tx_bytes), (2, 120));
    flags(&mut lab, ends[0].0, PortFlags::empty(), PortFlags::BCAST_FLOOD | PortFlags::MCAST_FLOOD | PortFlags::FLOOD);
    for destination in [MacAddr::BROADCAST, MacAddr([1, 0, 0x5e, 0, 0, 5])] {
        let bytes = frame(destination, mac(0xff));
        lab.send(bridge, &bytes);
        assert_eq!(
            receivers(&mut lab, &bytes),
            [ends[1].1, ends[0].1],
            "the host's own frames to groups go everywhere"
        );
    }
}

#[test]
fn sources_that_cannot_be_are_dropped() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(2);
    for source in [MacAddr([3, 0, 0, 0, 0, 1]), MacAddr::ZERO, MacAddr::BROADCAST] {
        lab.send(ends[0].1, &frame(MacAddr::BROADCAST, source));
        assert!(lab.seen().is_empty());
        assert_eq!(entry(&lab, bridge, source), None);
    }
    assert_eq!(lab.kernel.drops().get(DropReason::BridgeInvalidSource), 3);
}

#[test]
fn learned_and_static_addresses_move_sticky_ones_do_not() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(2);
    add(&mut lab, bridge, mac(0xa1), 1, EntryFlags::STATIC | EntryFlags::USER);
    add(&mut lab, bridge, mac(0xa2), 1, EntryFlags::STATIC | EntryFlags::STICKY | EntryFlags::USER);
    lab.send(ends[0].1, &frame(MacAddr::BROADCAST, mac(0xa3)));
    for (address, port) in [(mac(0xa1), 2), (mac(0xa2), 1), (mac(0xa3), 2)] {
        lab.send(ends[1].1, &frame(MacAddr::BROADCAST, address));
        assert_eq!(entry(&lab, bridge, address).unwrap().port, port);
    }
    assert!(entry(&lab, bridge, mac(0xa1)).unwrap().flags.contains(EntryFlags::STATIC));
    assert_eq!(lab.seen().len(), 4, "frames from the wrong port still pass");
}

#[test]
fn an_own_address_as_source_is_reported_but_ten_times_in_five_seconds() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(2);
    let bytes = frame(MacAddr::BROADCAST, mac(2));
    for _ in 0..25 {
        lab.send(ends[0].1, &bytes);
    }
    assert_eq!(lab.seen().len(), 25);
    assert_eq!(entry(&lab, bridge, mac(2)).unwrap().port, 2);
    let line = "br0: received packet on p1 with own address as source address (addr:02:00:00:00:00:02, vlan:0)";
    assert_eq!(lab.log(), [line; 10]);
    lab.advance(Duration::from_secs(6));
    lab.send(ends[0].1, &bytes);
    assert_eq!(lab.log(), ["net_ratelimit: 15 callbacks suppressed", line]);
}

#[test]
fn hairpin_sends_back() {
    let mut lab = Lab::default();
    let (_, ends) = lab.star(2);
    flags(&mut lab, ends[0].0, PortFlags::HAIRPIN, PortFlags::empty());
    let bytes = frame(MacAddr::BROADCAST, mac(0xaa));
    lab.send(ends[0].1, &bytes);
    assert_eq!(receivers(&mut lab, &bytes), [ends[1].1, ends[0].1]);
    let bytes = frame(mac(0xaa), mac(0xab));
    lab.send(ends[0].1, &bytes);
    assert_eq!(receivers(&mut lab, &bytes), [ends[0].1]);
}

#[test]
fn isolated_ports_talk_to_others_but_not_to_each_other() {
    let mut lab = Lab::default();
    let (_, ends) = lab.star(3);
    for (port, _) in &ends[..2] {
        flags(&mut lab, *port, PortFlags::ISOLATED, PortFlags::empty());
    }
    let bytes = frame(MacAddr::BROADCAST, mac(0xa1));
    lab.send(ends[0].1, &bytes);
    assert_eq!(receivers(&mut lab, &bytes), [ends[2].1]);
    let bytes = frame(mac(0xa1), mac(0xa2));
    lab.send(ends[1].1, &bytes);
    assert!(lab.seen().is_empty());
    let bytes = frame(mac(0xa1), mac(0xa3));
    lab.send(ends[2].1, &bytes);
    assert_eq!(receivers(&mut lab, &bytes), [ends[0].1]);
}

#[test]
fn a_locked_port_lets_only_its_known_addresses_send() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(2);
    flags(&mut lab, ends[0].0, PortFlags::LOCKED, PortFlags::LEARNING);
    lab.send(ends[0].1, &frame(MacAddr::BROADCAST, mac(0xaa)));
    assert!(lab.seen().is_empty());
    assert_eq!(entry(&lab, bridge, mac(0xaa)), None);
    add(&mut lab, bridge, mac(0xaa), 1, EntryFlags::STATIC | EntryFlags::USER);
    lab.send(ends[0].1, &frame(MacAddr::BROADCAST, mac(0xaa)));
    assert_eq!(lab.seen().len(), 1);
}

#[test]
fn ports_refuse_what_they_do_not_flood() {
    let mut lab = Lab::default();
    let (_, ends) = lab.star(2);
    let group = MacAddr([1, 0, 0x5e, 0, 0, 5]);
    let cases =
        [(PortFlags::FLOOD, mac(0xbb)), (PortFlags::MCAST_FLOOD, group), (PortFlags::BCAST_FLOOD, MacAddr::BROADCAST)];
    for (flag, refused) in cases {
        flags(&mut lab, ends[1].0, PortFlags::default(), flag);
        for (_, destination) in cases {
            lab.send(ends[0].1, &frame(destination, mac(0xaa)));
            assert_eq!(lab.seen().len(), usize::from(destination != refused), "{flag:?} off, to {destination}");
        }
        flags(&mut lab, ends[1].0, PortFlags::default(), PortFlags::empty());
    }
}

#[test]
fn without_learning_nothing_is_learned() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(2);
    flags(&mut lab, ends[0].0, PortFlags::empty(), PortFlags::LEARNING);
    lab.send(ends[0].1, &frame(MacAddr::BROADCAST, mac(0xaa)));
    assert_eq!(lab.seen().len(), 1);
    assert_eq!(entry(&lab, bridge, mac(0xaa)), None);
}

#[test]
fn link_local_groups_pass_only_where_they_may() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(2);
    let group = |last| MacAddr([0x01, 0x80, 0xc2, 0, 0, last]);
    let passing = |lab: &mut Lab| -> Vec<u8> {
        (0..=0x11)
            .filter(|last| {
                lab.send(ends[0].1, &frame(group(*last), mac(0xaa)));
                !lab.seen().is_empty()
            })
            .collect()
    };
    assert_eq!(passing(&mut lab), [0, 0x10, 0x11]);
    assert_eq!(lab.stats(bridge).rx_packets, 3, "the others are the port's, not the bridge's");
    lab.kernel.bridge_mut(bridge).unwrap().group_fwd_mask = 0x4008;
    assert_eq!(passing(&mut lab), [0, 3, 0xe, 0x10, 0x11]);
    lab.kernel.bridge_mut(bridge).unwrap().group_fwd_mask = 0;
    lab.kernel.bridge_port_mut(ends[0].0).unwrap().group_fwd_mask = 4;
    assert_eq!(passing(&mut lab), [0, 2, 0x10, 0x11]);
    assert_eq!(entry(&lab, bridge, mac(0xaa)).unwrap().port, 1);
}

#[test]
fn link_local_sources_are_learned_unless_told_not_to() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(2);
    let lldp = MacAddr([0x01, 0x80, 0xc2, 0, 0, 0xe]);
    lab.kernel.bridge_mut(bridge).unwrap().no_link_local_learning = true;
    lab.send(ends[0].1, &frame(lldp, mac(0xaa)));
    assert_eq!(entry(&lab, bridge, mac(0xaa)), None);
    lab.kernel.bridge_mut(bridge).unwrap().no_link_local_learning = false;
    lab.send(ends[0].1, &frame(lldp, mac(0xaa)));
    assert_eq!(entry(&lab, bridge, mac(0xaa)).unwrap().port, 1);
}

#[test]
fn a_frame_longer_than_the_egress_mtu_is_dropped_in_silence() {
    let mut lab = Lab::default();
    let (_, ends) = lab.star(2);
    lab.kernel.set_mtu(ends[1].0, 1000).unwrap();
    for (length, passes) in [(1018, true), (1019, false)] {
        let mut bytes = frame(MacAddr::BROADCAST, mac(0xaa));
        bytes.resize(length, 0);
        lab.send(ends[0].1, &bytes);
        assert_eq!(!lab.seen().is_empty(), passes, "{length} bytes");
    }
    assert_eq!(lab.stats(ends[1].0).tx_dropped, 0);
}

#[test]
fn tagged_frames_pass_as_they_are() {
    let mut lab = Lab::default();
    let (_, ends) = lab.star(2);
    let mut bytes = frame(mac(0xbb), mac(0xaa));
    bytes.splice(12..12, [0x81, 0, 0, 10]);
    lab.send(ends[0].1, &bytes);
    assert_eq!(receivers(&mut lab, &bytes), [ends[1].1]);
}

#[test]
fn a_bridge_that_is_down_forwards_and_delivers_nothing() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(2);
    lab.down(bridge);
    lab.send(ends[0].1, &frame(MacAddr::BROADCAST, mac(0xaa)));
    assert!(lab.seen().is_empty());
    assert_eq!(lab.stats(bridge).rx_packets, 0);
    assert_eq!(entry(&lab, bridge, mac(0xaa)), None);
}

#[test]
fn a_silent_address_is_forgotten_after_the_ageing_time() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(2);
    lab.send(ends[0].1, &frame(MacAddr::BROADCAST, mac(0xaa)));
    add(&mut lab, bridge, mac(0xab), 1, EntryFlags::STATIC | EntryFlags::USER);
    lab.advance(Duration::from_millis(200_000));
    lab.send(ends[0].1, &frame(MacAddr::BROADCAST, mac(0xaa)));
    lab.advance(Duration::from_millis(299_980));
    assert!(entry(&lab, bridge, mac(0xaa)).is_some());
    lab.advance(Duration::from_millis(30));
    assert_eq!(entry(&lab, bridge, mac(0xaa)), None);
    assert!(entry(&lab, bridge, mac(0xab)).is_some());
}

#[test]
fn a_loop_of_two_bridges_ends_with_the_budget() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(2);
    // Both ends of one cable in one bridge.
    lab.join(ends[0].1, bridge);
    let frame = lab.kernel.frames.copy_from(&frame(MacAddr::BROADCAST, mac(0xaa)));
    let _ = lab.kernel.transmit(ends[0].1, frame);
    lab.kernel.poll(lab.kernel.now);
    assert!(lab.kernel.deadline().is_some());
    lab.down(bridge);
}

proptest! {
    #[test]
    fn no_frame_brings_a_bridge_down(frames in proptest::collection::vec((0..3usize, proptest::collection::vec(any::<u8>(), 0..80)), 1..60)) {
        let mut lab = Lab::default();
        let (_, ends) = lab.star(3);
        for (port, bytes) in frames {
            lab.send(ends[port].1, &bytes);
        }
    }

    #[test]
    fn a_frame_never_returns_and_never_comes_twice(frames in proptest::collection::vec((0..4usize, 0..8u8, 0..8u8), 1..80)) {
        let mut lab = Lab::default();
        let (_, ends) = lab.star(4);
        for (port, to, from) in frames {
            let destination = if to == 7 { MacAddr::BROADCAST } else { mac(0xa0 + to) };
            lab.send(ends[port].1, &frame(destination, mac(0xa0 + from)));
            let mut seen: Vec<DevId> = lab.seen().into_iter().map(|(dev, _)| dev).collect();
            prop_assert!(!seen.contains(&ends[port].1));
            let count = seen.len();
            seen.sort();
            seen.dedup();
            prop_assert_eq!(seen.len(), count);
        }
    }
}
