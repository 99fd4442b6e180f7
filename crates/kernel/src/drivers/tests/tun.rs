use crate::Caller;
use crate::bridge::set_master;
use crate::error::Errno;
use crate::netdev::{DevFlags, OperState};
use crate::testing::{Lab, frame, mac};
use crate::types::{DevId, NsId, SocketId};

const TUNSETIFF: u32 = 0x4004_54ca;
const TUNSETPERSIST: u32 = 0x4004_54cb;
const TUNSETOWNER: u32 = 0x4004_54cc;
const TUNGETIFF: u32 = 0x8004_54d2;
const TUNSETIFINDEX: u32 = 0x4004_54da;
const TUN: u16 = 0x1001;
const TAP: u16 = 0x1002;
const EXCL: u16 = 0x8000;

struct Nobody;

impl Caller for Nobody {
    fn pid(&self) -> u32 {
        1
    }
    fn netns_by_fd(&self, _: u32) -> Option<NsId> {
        None
    }
    fn netns_by_pid(&self, _: u32) -> Option<NsId> {
        None
    }
}

/// `TUNSETIFF` on a descriptor; the name that comes back.
fn set_iff(lab: &mut Lab, fd: SocketId, name: &str, flags: u16) -> Result<String, Errno> {
    let mut ifreq = [0; 40];
    ifreq[..name.len()].copy_from_slice(name.as_bytes());
    ifreq[16..18].copy_from_slice(&flags.to_ne_bytes());
    lab.kernel.ioctl(fd, TUNSETIFF, &mut ifreq, None, &Nobody)?;
    let end = ifreq.iter().position(|byte| *byte == 0).unwrap();
    Ok(String::from_utf8(ifreq[..end].to_vec()).unwrap())
}

fn set(lab: &mut Lab, fd: SocketId, request: u32, value: u32) -> Result<i32, Errno> {
    lab.kernel.ioctl(fd, request, &mut value.to_ne_bytes(), None, &Nobody)
}

fn open(lab: &mut Lab) -> SocketId {
    lab.kernel.open_tun(lab.ns).unwrap()
}

/// A device that stays, with nobody at its end.
fn persistent(lab: &mut Lab, name: &str, flags: u16) -> DevId {
    let fd = open(lab);
    let name = set_iff(lab, fd, name, flags).unwrap();
    set(lab, fd, TUNSETPERSIST, 1).unwrap();
    lab.kernel.close(fd);
    find(lab, &name).unwrap()
}

fn find(lab: &Lab, name: &str) -> Option<DevId> {
    lab.kernel.namespaces[lab.ns].device_by_name(name)
}

#[test]
fn names_are_patterns_and_of_their_kind_without_one() {
    let mut lab = Lab::default();
    for (name, flags, given) in [("", TUN, "tun0"), ("", TAP, "tap0"), ("x%d", TAP, "x0"), ("x%d", TUN, "x1")] {
        let fd = open(&mut lab);
        assert_eq!(set_iff(&mut lab, fd, name, flags), Ok(given.to_owned()));
    }
}

#[test]
fn refusals() {
    let mut lab = Lab::default();
    let fd = open(&mut lab);
    assert_eq!(set(&mut lab, fd, TUNSETPERSIST, 1), Err(Errno::EBADFD));
    assert_eq!(set_iff(&mut lab, fd, "a0", 0), Err(Errno::EINVAL));
    assert_eq!(set_iff(&mut lab, fd, "a/b", TUN), Err(Errno::EINVAL));
    assert_eq!(set_iff(&mut lab, fd, "lo", TUN), Err(Errno::EINVAL));
    set_iff(&mut lab, fd, "a0", TAP).unwrap();
    assert_eq!(set_iff(&mut lab, fd, "a1", TAP), Err(Errno::EEXIST));
    assert_eq!(set(&mut lab, fd, TUNSETIFINDEX, 7), Err(Errno::EPERM));
    assert_eq!(set(&mut lab, fd, TUNSETOWNER, u32::MAX), Err(Errno::EINVAL));
    assert_eq!(set(&mut lab, fd, 0x1234, 0), Err(Errno::EINVAL));
    let other = open(&mut lab);
    assert_eq!(set_iff(&mut lab, other, "a0", TAP), Err(Errno::EBUSY));
    assert_eq!(set_iff(&mut lab, other, "a0", TUN), Err(Errno::EINVAL));
    lab.kernel.close(fd);
    persistent(&mut lab, "a2", TAP);
    assert_eq!(set_iff(&mut lab, other, "a2", TAP | EXCL), Err(Errno::EBUSY));
}

#[test]
fn a_device_that_is_not_to_stay_goes_with_its_descriptor() {
    let mut lab = Lab::default();
    let fd = open(&mut lab);
    set_iff(&mut lab, fd, "a0", TAP).unwrap();
    assert!(find(&lab, "a0").is_some());
    lab.kernel.close(fd);
    assert!(find(&lab, "a0").is_none());
}

#[test]
fn a_descriptor_outlives_its_device() {
    let mut lab = Lab::default();
    let fd = open(&mut lab);
    set_iff(&mut lab, fd, "a0", TAP).unwrap();
    let dev = find(&lab, "a0").unwrap();
    lab.kernel.unregister_device(dev);
    assert_eq!(set(&mut lab, fd, TUNSETPERSIST, 1), Err(Errno::EBADFD));
    assert_eq!(set_iff(&mut lab, fd, "a1", TUN), Ok("a1".to_owned()));
    lab.kernel.close(fd);
    assert!(find(&lab, "a1").is_none());
}

#[test]
fn carrier_comes_and_goes_with_the_descriptor() {
    let mut lab = Lab::default();
    let dev = persistent(&mut lab, "a0", TUN);
    lab.up(dev);
    let info = |lab: &Lab| {
        let device = &lab.kernel.devices[dev];
        (device.carrier, device.info.operstate, device.info.carrier_up_count, device.info.carrier_down_count)
    };
    assert_eq!(info(&lab), (false, OperState::Down, 0, 1));
    let fd = open(&mut lab);
    set_iff(&mut lab, fd, "a0", TUN).unwrap();
    assert_eq!(info(&lab), (true, OperState::Up, 1, 1));
    lab.kernel.close(fd);
    assert_eq!(info(&lab), (false, OperState::Down, 1, 2));
}

#[test]
fn an_ipv6_address_is_not_made_of_an_address_that_is_not_there() {
    let mut lab = Lab::default();
    crate::ipv6::set_conf(&mut lab.kernel, lab.ns, crate::ipv6::ConfOf::Default, "disable_ipv6", 0).unwrap();
    let fd = open(&mut lab);
    set_iff(&mut lab, fd, "a0", TUN).unwrap();
    lab.up(find(&lab, "a0").unwrap());
    let addresses = String::from_utf8(lab.kernel.read_file(lab.ns, "/proc/net/if_inet6").unwrap()).unwrap();
    assert!(addresses.contains("fe80") && !addresses.contains("fffe"), "{addresses}");
}

#[test]
fn flags_come_back_with_the_name() {
    let mut lab = Lab::default();
    let fd = open(&mut lab);
    set_iff(&mut lab, fd, "a0", 0x0001).unwrap();
    set(&mut lab, fd, TUNSETPERSIST, 1).unwrap();
    let mut ifreq = [0; 40];
    lab.kernel.ioctl(fd, TUNGETIFF, &mut ifreq, None, &Nobody).unwrap();
    assert_eq!((&ifreq[..3], &ifreq[16..18]), (&b"a0\0"[..], &0x1801u16.to_ne_bytes()[..]));
}

#[test]
fn an_ifindex_can_be_asked_for_once() {
    let mut lab = Lab::default();
    let (first, second) = (open(&mut lab), open(&mut lab));
    for fd in [first, second] {
        set(&mut lab, fd, TUNSETIFINDEX, 77).unwrap();
    }
    set_iff(&mut lab, first, "a0", TAP).unwrap();
    assert_eq!(lab.kernel.devices[find(&lab, "a0").unwrap()].ifindex, 77);
    assert_eq!(set_iff(&mut lab, second, "a1", TAP), Err(Errno::EBUSY));
}

#[test]
fn without_a_reader_frames_are_dropped_and_counted() {
    let mut lab = Lab::default();
    let dev = persistent(&mut lab, "a0", TAP);
    lab.up(dev);
    lab.send(dev, &frame(mac(1), mac(2)));
    let stats = lab.stats(dev);
    assert_eq!((stats.tx_packets, stats.tx_dropped), (0, 1));
}

#[test]
fn a_bridge_takes_taps_alone() {
    let mut lab = Lab::default();
    let bridge = lab.bridge("br0", None);
    let tap = persistent(&mut lab, "a0", TAP);
    let tun = persistent(&mut lab, "a1", TUN);
    assert_eq!(set_master(&mut lab.kernel, tun, Some(bridge)).map_err(Errno::from), Err(Errno::EINVAL));
    lab.join(tap, bridge);
    assert!(lab.kernel.devices[tap].flags.contains(DevFlags::PROMISC));
}
