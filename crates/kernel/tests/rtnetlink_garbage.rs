//! Nothing that a program sends makes the kernel panic.

mod common;

use common::*;
use proptest::prelude::*;

/// A request of a known type whose attributes are anything.
fn request() -> impl Strategy<Value = Vec<u8>> {
    let attrs = prop::collection::vec((0u16..80, prop::collection::vec(any::<u8>(), 0..40)), 0..8);
    (16u16..112, 0u16..0x1000, 0u8..12, -1i32..6, attrs, 0u8..4).prop_map(
        |(kind, flags, family, index, attrs, nest)| {
            let mut body = ifinfo(index, 0, 0);
            body[0] = family;
            for (kind, payload) in attrs {
                let mut payload = payload;
                for level in 0..nest {
                    payload = attr(u16::from(level) + 1, &payload);
                }
                body.extend(attr(kind, &payload));
            }
            message(kind, flags | 1, &body)
        },
    )
}

/// Messages that make sense, with some bytes changed.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let peer = attr(1, &[ifinfo(0, 0, 0), text_attr(3, "b")].concat());
    let info = [text_attr(1, "veth"), attr(2, &peer)].concat();
    let pair = message(16, 0x601, &[ifinfo(0, 0, 0), text_attr(3, "a"), attr(18, &info)].concat());
    let bridge = message(16, 0x601, &[ifinfo(0, 0, 0), text_attr(3, "br"), attr(18, &text_attr(1, "bridge"))].concat());
    let join = message(19, 5, &[ifinfo(2, 1, 1), u32_attr(10, 4)].concat());
    let dump = message(18, 0x301, &ifinfo(0, 0, 0));
    let delete = message(17, 5, &ifinfo(2, 0, 0));
    let names = message(108, 5, &[ifinfo(2, 0, 0), attr(0x8000 | 52, &text_attr(53, "alt"))].concat());
    let samples = vec![pair, bridge, join, dump, delete, names];
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    (prop::sample::select(samples), changes, any::<prop::sample::Index>(), 0..4u8).prop_map(
        |(mut bytes, changes, end, cut)| {
            for (at, value) in changes {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            if cut == 0 {
                bytes.truncate(end.index(bytes.len()));
            }
            bytes
        },
    )
}

fn converse(datagrams: &[Vec<u8>], strict: bool, protocol: i32) {
    let mut kernel = kernel();
    let root = kernel.root();
    let other = kernel.create_namespace();
    let mut netlink = Netlink::of_protocol(&mut kernel, root, protocol, 0);
    netlink.process = Process(vec![root, other]);
    let monitor = Netlink::of_protocol(&mut kernel, root, protocol, u32::MAX);
    if strict {
        netlink = netlink.strict(&mut kernel);
    }
    for bytes in datagrams {
        netlink.send(&mut kernel, bytes);
        for reply in netlink.replies(&mut kernel) {
            assert!(reply.bytes.len() >= 16);
        }
        let _ = kernel.receive(monitor.socket, 0);
    }
}

proptest! {
    #[test]
    fn random_bytes(datagrams in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..8), strict: bool) {
        converse(&datagrams, strict, 0);
    }

    #[test]
    fn random_attributes(datagrams in prop::collection::vec(request(), 1..12), strict: bool) {
        converse(&datagrams, strict, 0);
    }

    #[test]
    fn sensible_requests_with_changed_bytes(datagrams in prop::collection::vec(mutated(), 1..24), strict: bool) {
        converse(&datagrams, strict, 0);
    }

    #[test]
    fn generic_netlink(datagrams in prop::collection::vec(request(), 1..8), strict: bool) {
        converse(&datagrams, strict, 16);
    }
}
