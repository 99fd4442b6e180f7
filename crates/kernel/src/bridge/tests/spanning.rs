//! Port states with the spanning tree on, and by hand.

use std::time::Duration;

use crate::bridge::{PortState, state};
use crate::error::Errno;
use crate::testing::{Lab, frame, mac};
use crate::types::MacAddr;

#[test]
fn a_port_listens_and_learns_before_it_forwards() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(1);
    state::set_stp(&mut lab.kernel, bridge, true);
    assert_eq!(lab.kernel.bridge_port(ends[0].0).unwrap().state, PortState::Forwarding);
    lab.down(bridge);
    lab.log();
    lab.up(bridge);
    let lines = ["br0: port 1(p1) entered blocking state", "br0: port 1(p1) entered listening state"];
    assert_eq!(lab.log(), lines);
    assert!(!lab.kernel.devices[bridge].carrier);
    lab.advance(Duration::from_secs(15));
    assert_eq!(lab.log(), ["br0: port 1(p1) entered learning state"]);
    lab.send(ends[0].1, &frame(mac(0xff), mac(0xaa)));
    assert_eq!(lab.stats(bridge).rx_packets, 0);
    assert_eq!(lab.kernel.bridge(bridge).unwrap().fdb.learned(), 1);
    lab.advance(Duration::from_secs(15));
    assert_eq!(lab.log(), ["br0: port 1(p1) entered forwarding state", "br0: topology change detected, propagating"]);
    assert!(lab.kernel.devices[bridge].carrier);
    assert_eq!(lab.kernel.bridge(bridge).unwrap().parameters.ageing_time, 3000);
    lab.advance(Duration::from_secs(36));
    assert_eq!(lab.kernel.bridge(bridge).unwrap().parameters.ageing_time, 30_000);
}

#[test]
fn states_are_set_by_hand_while_nobody_else_decides() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(2);
    let port = ends[0].0;
    let set = |lab: &mut Lab, state| state::set_by_hand(&mut lab.kernel, port, state).map_err(|error| error.errno);
    set(&mut lab, 4).unwrap();
    assert_eq!(lab.log(), ["br0: port 1(p1) entered blocking state", "br0: port 1(p1) entered forwarding state"]);
    set(&mut lab, 0).unwrap();
    lab.send(ends[0].1, &frame(MacAddr::BROADCAST, mac(0xaa)));
    lab.send(ends[1].1, &frame(MacAddr::BROADCAST, mac(0xab)));
    assert!(lab.seen().is_empty());
    assert_eq!(set(&mut lab, 7), Err(Errno::EINVAL));
    state::set_stp(&mut lab.kernel, bridge, true);
    assert_eq!(set(&mut lab, 3), Err(Errno::EBUSY));
    state::set_stp(&mut lab.kernel, bridge, false);
    lab.down(ends[0].1);
    assert_eq!(set(&mut lab, 3), Err(Errno::ENETDOWN));
}
