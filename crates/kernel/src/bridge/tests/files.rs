//! The files of bridges and ports, and what ioctls do.

use std::time::Duration;

use crate::bridge::{
    BRIDGE_FILES, PORT_FILES, attribute, forwarding_table, ioctl, port_attribute, set_attribute, set_port_attribute,
};
use crate::error::Errno;
use crate::testing::{Lab, frame, mac};
use crate::types::MacAddr;

#[test]
fn every_file_that_can_be_read_has_the_default_that_linux_has() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(1);
    lab.advance(Duration::from_millis(300));
    let read = |name: &str| attribute(&lab.kernel, bridge, name);
    for (name, mode) in BRIDGE_FILES {
        assert_eq!(read(name).is_some(), mode & 0o444 != 0, "{name}");
    }
    let expected = [
        ("ageing_time", "30000"),
        ("bridge_id", "8000.0200000000ff"),
        ("group_addr", "01:80:c2:00:00:00"),
        ("group_fwd_mask", "0x0"),
        ("gc_timer", "29980"),
        ("multicast_startup_query_interval", "3124"),
        ("priority", "32768"),
        ("root_id", "8000.0200000000ff"),
        ("stp_state", "0"),
    ];
    for (name, value) in expected {
        assert_eq!(read(name).as_deref(), Some(&*format!("{value}\n")), "{name}");
    }
    let read = |name: &str| port_attribute(&lab.kernel, ends[0].0, name);
    for (name, mode) in PORT_FILES {
        assert_eq!(read(name).is_some(), mode & 0o444 != 0, "{name}");
    }
    let expected = [
        ("designated_port", "32769"),
        ("forward_delay_timer", "1470"),
        ("learning", "1"),
        ("multicast_router", "1"),
        ("path_cost", "2"),
        ("port_id", "0x8001"),
        ("port_no", "0x1"),
        ("state", "3"),
    ];
    for (name, value) in expected {
        assert_eq!(read(name).as_deref(), Some(&*format!("{value}\n")), "{name}");
    }
    assert_eq!(read("backup_port").as_deref(), Some(""));
}

#[test]
fn what_files_refuse() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(1);
    let mut write =
        |name: &str, text: &str| set_attribute(&mut lab.kernel, bridge, name, text).map_err(|error| error.errno).err();
    for (name, text, errno) in [
        ("ageing_time", "0x10\n", None),
        ("ageing_time", "010", None),
        ("ageing_time", "5x\n", Some(Errno::EINVAL)),
        ("ageing_time", "\n", Some(Errno::EINVAL)),
        ("ageing_time", " 4\n", Some(Errno::EINVAL)),
        ("ageing_time", "-1\n", Some(Errno::EINVAL)),
        ("bridge_id", "1\n", Some(Errno::EACCES)),
        ("nosuch", "1\n", Some(Errno::ENOENT)),
        ("forward_delay", "1\n", None),
        ("stp_state", "1\n", None),
        ("forward_delay", "1\n", Some(Errno::ERANGE)),
        ("forward_delay", "200\n", None),
        ("hello_time", "99\n", Some(Errno::ERANGE)),
        ("hello_time", "1000\n", None),
        ("max_age", "599\n", Some(Errno::ERANGE)),
        ("group_fwd_mask", "7\n", Some(Errno::EINVAL)),
        ("group_fwd_mask", "65535\n", Some(Errno::EINVAL)),
        ("group_fwd_mask", "0xfff8\n", None),
        ("group_fwd_mask", "65536\n", None),
        ("group_addr", "01:80:c2:00:00:05\n", None),
        ("group_addr", "01:80:c2:00:00:01\n", Some(Errno::EINVAL)),
        ("group_addr", "02:80:c2:00:00:05\n", Some(Errno::EINVAL)),
        ("multicast_igmp_version", "4\n", Some(Errno::EINVAL)),
        ("multicast_router", "3\n", Some(Errno::EINVAL)),
    ] {
        assert_eq!(write(name, text), errno, "{name} <- {text:?}");
    }
    write("priority", "65536\n");
    write("multicast_query_interval", "7\n");
    assert_eq!(attribute(&lab.kernel, bridge, "priority").as_deref(), Some("0\n"));
    let line = "br0: trying to set multicast query interval below minimum, setting to 100 (1000ms)";
    assert_eq!(lab.log(), [line]);

    let mut write = |name: &str, text: &str| {
        set_port_attribute(&mut lab.kernel, ends[0].0, name, text).map_err(|error| error.errno).err()
    };
    for (name, text, errno) in [
        ("path_cost", "5x\n", None),
        ("path_cost", "0\n", Some(Errno::ERANGE)),
        ("path_cost", "65536\n", Some(Errno::ERANGE)),
        ("path_cost", "on\n", Some(Errno::EINVAL)),
        ("priority", "64\n", Some(Errno::ERANGE)),
        ("priority", "63\n", None),
        ("group_fwd_mask", "2\n", Some(Errno::EINVAL)),
        ("group_fwd_mask", "5\n", None),
        ("multicast_router", "7\n", Some(Errno::EINVAL)),
        ("backup_port", "p1\n", Some(Errno::EINVAL)),
        ("backup_port", "nosuch\n", Some(Errno::ENOENT)),
        ("backup_port", "\n", None),
        ("state", "3\n", Some(Errno::EACCES)),
        ("learning", "7\n", None),
    ] {
        assert_eq!(write(name, text), errno, "{name} <- {text:?}");
    }
    assert_eq!(port_attribute(&lab.kernel, ends[0].0, "port_id").as_deref(), Some("0xfc01\n"));
}

#[test]
fn a_disabled_port_keeps_the_priority_it_knew() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(2);
    lab.down(ends[1].1);
    set_attribute(&mut lab.kernel, bridge, "priority", "8192\n").unwrap();
    let designated = |lab: &Lab, port| port_attribute(&lab.kernel, port, "designated_bridge").unwrap();
    assert_eq!(designated(&lab, ends[0].0), "2000.0200000000ff\n");
    assert_eq!(designated(&lab, ends[1].0), "8000.0200000000ff\n");
}

#[test]
fn the_forwarding_table_as_a_file() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(1);
    lab.send(ends[0].1, &frame(MacAddr::BROADCAST, mac(0xb)));
    lab.advance(Duration::from_millis(260));
    let expected =
        [[2, 0, 0, 0, 0, 0x0b, 1, 0, 26, 0, 0, 0, 0, 0, 0, 0], [2, 0, 0, 0, 0, 0x01, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]];
    assert_eq!(forwarding_table(&lab.kernel, bridge).unwrap(), expected.concat());
}

#[test]
fn a_new_ageing_time_is_heeded_at_once() {
    let mut lab = Lab::default();
    let (bridge, ends) = lab.star(1);
    lab.send(ends[0].1, &frame(MacAddr::BROADCAST, mac(0xaa)));
    lab.advance(Duration::from_secs(50));
    set_attribute(&mut lab.kernel, bridge, "ageing_time", "4000\n").unwrap();
    lab.advance(Duration::ZERO);
    assert_eq!(lab.kernel.bridge(bridge).unwrap().fdb.learned(), 0);
    set_attribute(&mut lab.kernel, bridge, "ageing_time", "0\n").unwrap();
    lab.send(ends[0].1, &frame(MacAddr::BROADCAST, mac(0xaa)));
    assert_eq!(lab.kernel.bridge(bridge).unwrap().fdb.learned(), 0);
}

#[test]
fn ioctls_make_and_unmake_bridges() {
    let mut lab = Lab::default();
    let ns = lab.ns;
    let errno = |result: crate::Result<()>| result.map_err(|error| error.errno).err();
    assert_eq!(errno(ioctl::add_bridge(&mut lab.kernel, ns, "br0")), None);
    assert_eq!(errno(ioctl::add_bridge(&mut lab.kernel, ns, "br0")), Some(Errno::EEXIST));
    assert_eq!(errno(ioctl::add_bridge(&mut lab.kernel, ns, "a b")), Some(Errno::EINVAL));
    assert_eq!(errno(ioctl::delete_bridge(&mut lab.kernel, ns, "nosuch")), Some(Errno::ENXIO));
    assert_eq!(errno(ioctl::delete_bridge(&mut lab.kernel, ns, "lo")), Some(Errno::EPERM));
    let bridge = lab.kernel.namespaces[ns].device_by_name("br0").unwrap();
    let (port, _) = lab.veth("p", mac(1), "e", mac(2));
    let ifindex = lab.kernel.devices[port].ifindex;
    assert_eq!(errno(ioctl::add_interface(&mut lab.kernel, port, ifindex)), Some(Errno::EOPNOTSUPP));
    assert_eq!(errno(ioctl::add_interface(&mut lab.kernel, bridge, 99)), Some(Errno::EINVAL));
    assert_eq!(errno(ioctl::add_interface(&mut lab.kernel, bridge, 1)), Some(Errno::EINVAL));
    assert_eq!(errno(ioctl::add_interface(&mut lab.kernel, bridge, ifindex)), None);
    assert_eq!(errno(ioctl::add_interface(&mut lab.kernel, bridge, ifindex)), Some(Errno::EBUSY));
    assert_eq!(errno(ioctl::numbered_request(&mut lab.kernel, bridge, [4, ifindex.into(), 0, 0])), Some(Errno::EBUSY));
    assert_eq!(errno(ioctl::numbered_request(&mut lab.kernel, bridge, [17, 1, 70_000, 0])), Some(Errno::ERANGE));
    assert_eq!(errno(ioctl::delete_interface(&mut lab.kernel, bridge, ifindex)), None);
    assert_eq!(errno(ioctl::delete_interface(&mut lab.kernel, bridge, ifindex)), Some(Errno::EINVAL));
    lab.up(bridge);
    assert_eq!(errno(ioctl::delete_bridge(&mut lab.kernel, ns, "br0")), Some(Errno::EBUSY));
    lab.down(bridge);
    assert_eq!(errno(ioctl::delete_bridge(&mut lab.kernel, ns, "br0")), None);
}
