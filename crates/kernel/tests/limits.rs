//! Many of everything, and names that can't be.

use std::time::{Duration, Instant};

use netloom_testkit::lab::Lab;

const EINVAL: i32 = 22;
const ERANGE: i32 = 34;
const EEXIST: i32 = 17;

#[test]
fn a_thousand_namespaces() {
    let mut lab = Lab::new(1);
    let root = lab.root();
    lab.bridge(root, "br0");
    let start = Instant::now();
    let all: Vec<_> = (0..1000).map(|_| lab.namespace()).collect();
    for (number, ns) in all.iter().enumerate().take(500) {
        lab.veth(root, &format!("p{number}"), *ns, "eth0");
        lab.join(root, &format!("p{number}"), "br0");
    }
    assert_eq!(lab.kernel.read_dir(root, "/sys/class/net").unwrap().len(), 502);
    for ns in all {
        lab.release(ns);
    }
    assert_eq!(lab.kernel.read_dir(root, "/sys/class/net").unwrap().len(), 2, "lo and br0");
    assert_eq!(
        lab.kernel.read_file(root, "/sys/class/net/br0/brforward").unwrap().len(),
        0,
        "without ports it has no address"
    );
    lab.advance(Duration::from_secs(600));
    println!("a thousand namespaces came and went in {:?}", start.elapsed());
}

#[test]
fn two_thousand_pairs() {
    let mut lab = Lab::new(1);
    let root = lab.root();
    let start = Instant::now();
    for _ in 0..2000 {
        assert_eq!(lab.try_veth(root, "veth%d", root, "veth%d"), 0);
    }
    assert_eq!(lab.kernel.read_dir(root, "/sys/class/net").unwrap().len(), 4001);
    for number in 0..2000 {
        lab.delete(root, &format!("veth{}", 2 * number));
    }
    assert_eq!(lab.kernel.read_dir(root, "/sys/class/net").unwrap().len(), 1);
    println!("two thousand pairs came and went in {:?}", start.elapsed());
}

#[test]
fn names_that_cannot_be() {
    let mut lab = Lab::new(1);
    let root = lab.root();
    for (name, errno) in [
        ("a/b", EINVAL),
        ("a:b", EINVAL),
        ("a b", EINVAL),
        (".", EINVAL),
        ("..", EINVAL),
        ("%s", EINVAL),
        ("a%d%d", EINVAL),
        ("0123456789abcdef", ERANGE),
        ("lo", EEXIST),
    ] {
        assert_eq!(lab.try_veth(root, name, root, "peer"), errno, "{name:?}");
        assert_eq!(lab.try_veth(root, "mine", root, name), errno, "the peer {name:?}");
        assert_eq!(lab.kernel.read_dir(root, "/sys/class/net").unwrap().len(), 1, "nothing is left of it");
    }
    assert_eq!(lab.try_veth(root, "0123456789abcde", root, "ünï"), 0, "fifteen letters, and others than ASCII");
    assert_eq!(lab.try_veth(root, "same", root, "same"), EEXIST);
    assert_eq!(lab.try_veth(root, "ünï", root, "other"), EEXIST);
}
