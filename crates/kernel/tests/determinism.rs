//! The same calls with the same seed give the same bytes; only chance differs with another seed.

use std::net::Ipv4Addr;
use std::time::Duration;

use netloom_kernel::{NodeKind, NsId};
use netloom_testkit::frames;
use netloom_testkit::lab::Lab;
use netloom_testkit::netlink::{Netlink, ifinfo};

/// Everything that can be seen from outside of what happened.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    datagrams: Vec<Vec<u8>>,
    frames: Vec<Vec<u8>>,
    log: Vec<String>,
    files: Vec<(String, Result<Vec<u8>, i32>)>,
    polls: u64,
    macs: Vec<String>,
}

fn files(lab: &Lab, ns: NsId, path: &str, into: &mut Vec<(String, Result<Vec<u8>, i32>)>) {
    for (name, node) in lab.kernel.read_dir(ns, path).unwrap_or_default() {
        let path = format!("{path}/{name}");
        match node.kind {
            NodeKind::Directory => files(lab, ns, &path, into),
            NodeKind::File => into.push((path.clone(), lab.kernel.read_file(ns, &path).map_err(|error| error.0))),
            NodeKind::Symlink => {
                into.push((
                    path.clone(),
                    lab.kernel.read_link(ns, &path).map(String::into_bytes).map_err(|error| error.0),
                ));
                if path.matches('/').count() == 4 {
                    files(lab, ns, &path, into);
                }
            }
        }
    }
}

/// Two hosts on a bridge with a third namespace as a router's leg; they ping each other, forget each other, and lose a cable.
fn run(seed: u64) -> Seen {
    let mut lab = Lab::new(seed);
    let root = lab.root();
    let monitor = Netlink::open(&mut lab.kernel, root, u32::MAX);
    let mut seen = Seen::default();

    lab.bridge(root, "br0");
    let (left, right) = (lab.namespace(), lab.namespace());
    let (a, b) = (Ipv4Addr::new(10, 0, 0, 2), Ipv4Addr::new(10, 0, 0, 3));
    for (ns, port, address) in [(left, "p0", a), (right, "p1", b)] {
        lab.veth(root, port, ns, "eth0");
        lab.join(root, port, "br0");
        lab.address(ns, "eth0", address, 24);
    }
    lab.address(root, "br0", Ipv4Addr::new(10, 0, 0, 1), 24);
    let capture = lab.packet_socket(root, "br0");
    let listener = lab.packet_socket(right, "eth0");
    let sender = lab.packet_socket(left, "eth0");
    lab.advance(Duration::from_secs(3));

    let raw = lab.kernel.socket(left, 2, 3, 1).unwrap();
    let destination = [&[2, 0, 0, 0], b.octets().as_slice(), &[0; 8]].concat();
    let (from, to) = ((lab.mac(left, "eth0"), a), (lab.mac(right, "eth0"), b));
    for sequence in 0..5u16 {
        let echo = [8, 0, 0xf7 - sequence as u8, 0xff, 0, 0, 0, sequence as u8];
        let process = lab.process();
        lab.kernel.send(raw, &echo, &destination, 0, &process).unwrap();
        lab.send(sender, &frames::echo_request(from, to, 100 + sequence, b"hello")).unwrap();
        lab.advance(Duration::from_millis(700));
    }
    seen.frames.extend(lab.received(raw));
    // Long enough for neighbours to be asked again and for addresses to be forgotten.
    lab.advance(Duration::from_secs(400));
    lab.down(right, "eth0");
    lab.advance(Duration::from_secs(1));
    lab.delete(root, "p0");
    lab.advance(Duration::from_secs(1));

    for socket in [capture, listener, sender] {
        seen.frames.extend(lab.received(socket));
    }
    seen.datagrams = monitor.datagrams(&mut lab.kernel);
    for kind in [18, 22, 26, 30, 34, 66, 82] {
        let netlink = Netlink::open(&mut lab.kernel, root, 0);
        let replies = netlink.request(&mut lab.kernel, kind, 0x300, &ifinfo(0, 0, 0));
        seen.datagrams.extend(replies.into_iter().map(|reply| reply.bytes));
        lab.kernel.close(netlink.socket);
    }
    for ns in [root, left, right] {
        for tree in ["/sys/class/net", "/proc/net", "/proc/sys/net"] {
            files(&lab, ns, tree, &mut seen.files);
        }
    }
    seen.log = lab.log();
    seen.polls = lab.polls();
    seen.macs = vec![lab.read(root, "/sys/class/net/p1/address"), lab.read(right, "/sys/class/net/eth0/address")];
    seen
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let (first, second) = (run(1), run(1));
    assert_eq!(first.macs, second.macs);
    assert_eq!(first.log, second.log);
    assert_eq!(first.frames, second.frames);
    assert_eq!(first.datagrams, second.datagrams);
    assert_eq!(first.files, second.files);
    assert_eq!(first.polls, second.polls);
    assert!(first.frames.len() > 20, "{} frames were seen", first.frames.len());
    assert!(first.datagrams.len() > 20 && first.files.len() > 300 && first.log.len() > 10);
    let answered = |sequence: u16| {
        first.frames.iter().any(|frame| frames::echo_reply(frame, Ipv4Addr::new(10, 0, 0, 3)) == Some(100 + sequence))
    };
    assert!((0..5).all(answered), "every echo request has its answer");
}

#[test]
fn another_seed_gives_other_addresses() {
    let (first, second) = (run(1), run(2));
    assert!(first.macs.iter().all(|mac| !second.macs.contains(mac)));
    assert_eq!(first.files.len(), second.files.len());
}
