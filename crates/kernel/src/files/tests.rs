//! Paths, links, permissions and values.

use super::*;
use crate::Config;
use crate::drivers::veth;
use crate::netdev::NewDevice;
use crate::types::{IfName, Instant};

fn kernel() -> Kernel {
    let config = Config { seed: 1, cpus: 2, wall_clock: Default::default(), hostname: "host".into() };
    let mut kernel = Kernel::new(config, Instant(0));
    let ns = kernel.root();
    let new = |name| NewDevice::named(IfName::new(name).unwrap());
    veth::create(&mut kernel, (ns, new("a")), (ns, new("b"))).unwrap();
    kernel
}

fn text(kernel: &Kernel, path: &str) -> Result<String, Errno> {
    kernel.read_file(kernel.root(), path).map(|bytes| String::from_utf8(bytes).unwrap())
}

#[test]
fn a_device_is_reached_through_its_class_link_and_by_its_own_place() {
    let kernel = kernel();
    for path in ["/sys/class/net/a/iflink", "/sys/devices/virtual/net/a/iflink", "/sys/class/net/../net//a/./iflink"] {
        assert_eq!(text(&kernel, path).unwrap(), "2\n");
    }
    assert_eq!(kernel.read_link(kernel.root(), "/sys/class/net/a").unwrap(), "../../devices/virtual/net/a");
    assert_eq!(kernel.node(kernel.root(), "/sys/class/net/a").unwrap(), SYMLINK);
    assert_eq!(kernel.node(kernel.root(), "/sys/class/net/a/mtu").unwrap(), file(0o644));
    assert_eq!(kernel.node(kernel.root(), "/sys/class/net/nosuch"), Err(Errno::ENOENT));
}

#[test]
fn the_carrier_of_a_device_that_is_down_cannot_be_read() {
    let mut kernel = kernel();
    let root = kernel.root();
    assert_eq!(text(&kernel, "/sys/class/net/a/carrier"), Err(Errno::EINVAL));
    kernel.write_file(root, "/sys/class/net/a/flags", b"0x1003\n").unwrap();
    assert_eq!(text(&kernel, "/sys/class/net/a/carrier").unwrap(), "0\n");
    assert_eq!(text(&kernel, "/sys/class/net/a/operstate").unwrap(), "lowerlayerdown\n");
}

#[test]
fn a_bad_mtu_is_refused_and_said_in_the_log() {
    let mut kernel = kernel();
    let root = kernel.root();
    assert_eq!(kernel.write_file(root, "/sys/class/net/a/mtu", b"10\n"), Err(Errno::EINVAL));
    assert_eq!(kernel.log().from(0).last().unwrap().text, "a: mtu less than device minimum");
    assert_eq!(kernel.write_file(root, "/sys/class/net/a/mtu", b"x\n"), Err(Errno::EINVAL));
    assert_eq!(kernel.write_file(root, "/sys/class/net/a/address", b"02:00:00:00:00:01\n"), Err(Errno::EACCES));
}

#[test]
fn hostile_paths_are_answered_with_an_errno() {
    let kernel = kernel();
    for path in [
        "",
        "relative",
        "/",
        "/sys",
        "/sys/class/net/a/statistics/x",
        "/proc/net/nosuch",
        "/sys/class/net/a/queues/rx-99",
    ] {
        let _ = kernel.node(kernel.root(), path);
        assert!(kernel.read_file(kernel.root(), path).is_err(), "{path}");
    }
    assert_eq!(number("--5"), Err(Errno::EINVAL));
    assert_eq!(number("0x"), Err(Errno::EINVAL));
    assert_eq!(number("99999999999999999999"), Err(Errno::EINVAL));
}
