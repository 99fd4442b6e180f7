use crate::bridge::set_master;
use crate::drivers::macvlan::{self, Mode, Settings};
use crate::error::{Errno, Result};
use crate::netdev::{DevFlags, NewDevice, OperState};
use crate::testing::{Lab, frame, mac};
use crate::types::{DevId, IfName, MacAddr};

/// A lower device `low` (02:…:01) that is up, and the other end of its cable, where everything that leaves is seen.
fn lower(lab: &mut Lab) -> (DevId, DevId) {
    let (low, far) = lab.veth("low", mac(1), "far", mac(2));
    lab.up(low);
    lab.up(far);
    (low, far)
}

fn create(lab: &mut Lab, name: &str, address: Option<MacAddr>, below: DevId, mode: Mode) -> Result<DevId> {
    let new = NewDevice { address, ..NewDevice::named(IfName::new(name).unwrap()) };
    let settings = Settings { mode: Some(mode), ..Settings::default() };
    let made = macvlan::create(&mut lab.kernel, lab.ns, new, below, settings);
    lab.settle();
    made
}

fn up(lab: &mut Lab, name: &str, last: u8, below: DevId, mode: Mode) -> DevId {
    let dev = create(lab, name, Some(mac(last)), below, mode).unwrap();
    lab.up(dev);
    lab.seen();
    dev
}

fn received(lab: &Lab, dev: DevId) -> (u64, u64) {
    let stats = lab.stats(dev);
    (stats.rx_packets, stats.multicast)
}

#[test]
fn a_frame_goes_to_the_macvlan_with_its_address() {
    let mut lab = Lab::default();
    let (low, far) = lower(&mut lab);
    let (a, b) = (up(&mut lab, "a", 0xa, low, Mode::Bridge), up(&mut lab, "b", 0xb, low, Mode::Vepa));
    for (to, expected) in [(0xa, (1, 0)), (0xb, (1, 1)), (0x1, (1, 1)), (0xc, (1, 1))] {
        lab.send(far, &frame(mac(to), mac(2)));
        assert_eq!((received(&lab, a).0, received(&lab, b).0), expected);
    }
    assert_eq!(lab.stats(a).rx_bytes, 60);
    // The lower device has counted every one.
    assert_eq!(lab.stats(low).rx_packets, 4);
}

#[test]
fn broadcasts_from_outside_go_to_everybody_and_groups_to_who_listens() {
    let mut lab = Lab::default();
    let (low, far) = lower(&mut lab);
    let a = up(&mut lab, "a", 0xa, low, Mode::Private);
    let b = up(&mut lab, "b", 0xb, low, Mode::Bridge);
    let down = create(&mut lab, "c", Some(mac(0xc)), low, Mode::Bridge).unwrap();
    lab.send(far, &frame(MacAddr::BROADCAST, mac(2)));
    assert_eq!([a, b, down].map(|dev| received(&lab, dev)), [(1, 1), (1, 1), (0, 0)]);
    let group = MacAddr([1, 0, 0x5e, 0, 0, 7]);
    lab.kernel.add_multicast(b, group);
    lab.send(far, &frame(group, mac(2)));
    assert_eq!([a, b].map(|dev| received(&lab, dev).0), [1, 2]);
    assert!(lab.kernel.devices[low].info.multicast_filter.iter().any(|entry| entry.address == group));
}

#[test]
fn macvlans_in_bridge_mode_speak_to_each_other_directly() {
    let mut lab = Lab::default();
    let (low, far) = lower(&mut lab);
    let a = up(&mut lab, "a", 0xa, low, Mode::Bridge);
    let b = up(&mut lab, "b", 0xb, low, Mode::Bridge);
    let private = up(&mut lab, "p", 0xc, low, Mode::Private);
    lab.send(a, &frame(mac(0xb), mac(0xa)));
    assert_eq!((received(&lab, b).0, lab.seen().len()), (1, 0));
    // To one that nobody meets it leaves, and nobody sends it back.
    let to_private = frame(mac(0xc), mac(0xa));
    lab.send(a, &to_private);
    assert_eq!((received(&lab, private).0, lab.seen()), (0, vec![(far, to_private)]));
    // A broadcast goes both ways.
    lab.send(a, &frame(MacAddr::BROADCAST, mac(0xa)));
    assert_eq!([a, b, private].map(|dev| received(&lab, dev).0), [0, 2, 0]);
    assert_eq!(lab.seen().len(), 1);
    assert_eq!((lab.stats(a).tx_packets, lab.stats(a).tx_bytes), (3, 180));
}

#[test]
fn vepa_leaves_it_to_the_switch() {
    let mut lab = Lab::default();
    let (low, far) = lower(&mut lab);
    let a = up(&mut lab, "a", 0xa, low, Mode::Vepa);
    let b = up(&mut lab, "b", 0xb, low, Mode::Vepa);
    let to_b = frame(mac(0xb), mac(0xa));
    lab.send(a, &to_b);
    assert_eq!((received(&lab, b).0, lab.seen()), (0, vec![(far, to_b.clone())]));
    // The switch sends it back; a broadcast comes back to all but who sent it.
    lab.send(far, &to_b);
    lab.send(far, &frame(MacAddr::BROADCAST, mac(0xa)));
    assert_eq!([a, b].map(|dev| received(&lab, dev).0), [0, 2]);
}

#[test]
fn passthru_has_the_device_for_itself() {
    let mut lab = Lab::default();
    let (low, far) = lower(&mut lab);
    let a = create(&mut lab, "a", None, low, Mode::Passthru).unwrap();
    assert_eq!(lab.kernel.devices[a].address, mac(1));
    assert!(create(&mut lab, "b", None, low, Mode::Bridge).is_err());
    lab.log();
    lab.up(a);
    assert_eq!(lab.log(), ["low: entered promiscuous mode"]);
    lab.send(far, &frame(mac(0x77), mac(2)));
    assert_eq!(received(&lab, a).0, 1);
    lab.kernel.set_address(a, mac(9)).unwrap();
    assert_eq!((lab.kernel.devices[low].address, lab.kernel.devices[a].address), (mac(9), mac(9)));
}

#[test]
fn carrier_follows_the_lower_device() {
    let mut lab = Lab::default();
    let (low, far) = lower(&mut lab);
    let a = up(&mut lab, "a", 0xa, low, Mode::Bridge);
    let state = |lab: &Lab| (lab.kernel.devices[a].carrier, lab.kernel.devices[a].info.operstate);
    assert_eq!(state(&lab), (true, OperState::Up));
    lab.down(far);
    assert_eq!(state(&lab), (false, OperState::LowerLayerDown));
    lab.up(far);
    assert_eq!(state(&lab), (true, OperState::Up));
    lab.down(low);
    assert_eq!(state(&lab), (false, OperState::LowerLayerDown));
}

#[test]
fn it_goes_away_with_the_lower_device() {
    let mut lab = Lab::default();
    let (low, _) = lower(&mut lab);
    let a = up(&mut lab, "a", 0xa, low, Mode::Bridge);
    let bridge = lab.bridge("br0", None);
    lab.join(a, bridge);
    lab.kernel.unregister_device(low);
    lab.settle();
    assert!(!lab.kernel.devices.contains_key(a));
    assert!(!lab.kernel.devices.contains_key(low));
    assert!(lab.kernel.unregistering.is_empty());
}

#[test]
fn the_lower_device_receives_what_its_macvlans_want() {
    let mut lab = Lab::default();
    let (low, _) = lower(&mut lab);
    lab.log();
    let a = up(&mut lab, "a", 0xa, low, Mode::Bridge);
    assert_eq!(lab.log(), ["low: entered promiscuous mode"]);
    lab.kernel.set_address(a, mac(0xd)).unwrap();
    let filter: Vec<MacAddr> = lab.kernel.devices[low].info.unicast_filter.iter().map(|entry| entry.address).collect();
    assert_eq!(filter, [mac(0xd)]);
    let bridge = lab.bridge("br0", None);
    lab.join(a, bridge);
    assert_eq!(
        lab.log()[2..],
        ["a: entered allmulticast mode", "low: entered allmulticast mode", "a: entered promiscuous mode"]
    );
    assert_eq!(lab.kernel.devices[low].info.promiscuity, 2);
    lab.leave(a);
    lab.down(a);
    assert_eq!(lab.kernel.devices[low].info.promiscuity, 0);
    assert!(!lab.kernel.devices[low].flags.contains(DevFlags::ALLMULTI));
    assert!(lab.kernel.devices[low].info.multicast_filter.iter().all(|entry| entry.users == 1));
}

#[test]
fn a_lower_device_is_no_bridge_port_and_a_port_no_lower_device() {
    let mut lab = Lab::default();
    let (low, _) = lower(&mut lab);
    let bridge = lab.bridge("br0", None);
    lab.join(low, bridge);
    assert_eq!(create(&mut lab, "a", None, low, Mode::Bridge).unwrap_err().errno, Errno::EBUSY);
    lab.leave(low);
    create(&mut lab, "a", None, low, Mode::Bridge).unwrap();
    lab.log();
    assert_eq!(set_master(&mut lab.kernel, low, Some(bridge)).unwrap_err().errno, Errno::EBUSY);
    assert_eq!(
        lab.log(),
        [
            "br0: port 1(low) entered blocking state",
            "br0: port 1(low) entered disabled state",
            "low: entered allmulticast mode",
            "low: left allmulticast mode"
        ]
    );
    assert!(lab.kernel.devices[low].port.is_none());
}

#[test]
fn devices_stand_on_each_other_neither_in_a_circle_nor_too_high() {
    let mut lab = Lab::default();
    let first = lab.bridge("b0", None);
    let mut top = create(&mut lab, "m0", None, first, Mode::Bridge).unwrap();
    assert_eq!(set_master(&mut lab.kernel, top, Some(first)).unwrap_err().errno, Errno::EBUSY);
    for level in 1..4 {
        let bridge = lab.bridge(&format!("b{level}"), None);
        lab.join(top, bridge);
        top = create(&mut lab, &format!("m{level}"), None, bridge, Mode::Bridge).unwrap();
    }
    let bridge = lab.bridge("b4", None);
    assert_eq!(set_master(&mut lab.kernel, top, Some(bridge)).unwrap_err().errno, Errno::EMLINK);
}

#[test]
fn mtu_and_address_are_limited_by_the_lower_device() {
    let mut lab = Lab::default();
    let (low, _) = lower(&mut lab);
    let a = up(&mut lab, "a", 0xa, low, Mode::Bridge);
    let b = create(&mut lab, "b", Some(mac(0xa)), low, Mode::Bridge).unwrap();
    assert_eq!(lab.kernel.change_flags(b, DevFlags::UP).unwrap_err().errno, Errno::EADDRINUSE);
    assert_eq!(lab.kernel.set_address(a, mac(1)).unwrap_err().errno, Errno::EADDRINUSE);
    assert_eq!(lab.kernel.set_mtu(a, 1501).unwrap_err().errno, Errno::EINVAL);
    lab.kernel.set_mtu(low, 1300).unwrap();
    assert_eq!(lab.kernel.devices[a].mtu, 1300);
}
