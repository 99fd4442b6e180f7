//! Bridges over rtnetlink: bytes in, bytes out.

mod common;

use common::*;
use netloom_kernel::Kernel;

const NEWLINK: u16 = 16;
const GETLINK: u16 = 18;
const SETLINK: u16 = 19;
const NEWNEIGH: u16 = 28;
const DELNEIGH: u16 = 29;
const GETNEIGH: u16 = 30;
const CREATE: u16 = 0x600;
const DUMP: u16 = 0x300;
const BULK: u16 = 0x200;

const LINK_GROUP: u32 = 1;
const NEIGH_GROUP: u32 = 1 << 2;

/// `br` (index 2), `e` (3) and `p` (4), which is its port; `p` is up, `br` and `e` are too.
fn bridge_with_port(kernel: &mut Kernel) -> Netlink {
    let root = kernel.root();
    let netlink = Netlink::open(kernel, root, 0);
    let address = |last| attr(1, &[2, 0, 0, 0, 0, last]);
    let bridge = [ifinfo(0, 0, 0), text_attr(3, "br"), address(0xff), attr(18, &text_attr(1, "bridge"))].concat();
    assert_eq!(netlink.ask(kernel, NEWLINK, CREATE, &bridge), (0, None));
    let peer = attr(1, &[ifinfo(0, 0, 0), text_attr(3, "e"), address(0xb)].concat());
    let info = attr(18, &[text_attr(1, "veth"), attr(2, &peer)].concat());
    let veth = [ifinfo(0, 0, 0), text_attr(3, "p"), address(0xa), info].concat();
    assert_eq!(netlink.ask(kernel, NEWLINK, CREATE, &veth), (0, None));
    for index in [2, 3, 4] {
        assert_eq!(netlink.ask(kernel, SETLINK, 0, &ifinfo(index, 1, 1)), (0, None));
    }
    assert_eq!(netlink.ask(kernel, SETLINK, 0, &[ifinfo(4, 0, 0), u32_attr(10, 2)].concat()), (0, None));
    netlink
}

fn ndmsg(index: u32, state: u16, flags: u8) -> Vec<u8> {
    let mut bytes = vec![7, 0, 0, 0];
    bytes.extend(index.to_ne_bytes());
    bytes.extend(state.to_ne_bytes());
    bytes.extend([flags, 0]);
    bytes
}

fn lladdr(last: u8) -> Vec<u8> {
    attr(2, &[2, 0x11, 0, 0, 0, last])
}

/// Of every entry: ifindex, state, flags, address' last byte.
fn entries(replies: &[Reply]) -> Vec<(u32, u16, u8, u8)> {
    let entries = replies.iter().filter(|reply| matches!(reply.kind, NEWNEIGH | DELNEIGH));
    let entry = |reply: &Reply| {
        let body = reply.body();
        let address = &reply.attrs(12)[0].1;
        (
            u32::from_ne_bytes(body[4..8].try_into().unwrap()),
            u16::from_ne_bytes([body[8], body[9]]),
            body[10],
            address[5],
        )
    };
    entries.map(entry).collect()
}

fn dump(kernel: &mut Kernel, netlink: &Netlink, master: u32) -> Vec<(u32, u16, u8, u8)> {
    let replies = netlink.request(kernel, GETNEIGH, DUMP, &[ndmsg(0, 0, 0), u32_attr(9, master)].concat());
    entries(&replies).into_iter().filter(|(_, _, flags, _)| flags & 2 == 0).collect()
}

fn data(reply: &Reply, slave: bool) -> Vec<(u16, Vec<u8>)> {
    let info = reply.attrs(16).into_iter().find(|(kind, _)| *kind == 18).unwrap().1;
    let wanted = if slave { 5 } else { 2 };
    attrs(&attrs(&info).into_iter().find(|(kind, _)| *kind == wanted).unwrap().1)
}

#[test]
fn the_attributes_of_a_bridge_and_of_a_port_come_in_linux_order() {
    let mut kernel = kernel();
    let netlink = bridge_with_port(&mut kernel);
    let bridge = netlink.request(&mut kernel, GETLINK, 0, &ifinfo(2, 0, 0));
    let kinds: Vec<u16> = data(&bridge[0], false).iter().map(|(kind, _)| *kind).collect();
    let expected = [
        16, 17, 18, 19, 1, 2, 3, 4, 5, 6, 7, 9, 11, 10, 12, 13, 14, 15, 20, 46, 48, 49, 22, 23, 24, 25, 42, 26, 27, 28,
        29, 43, 44, 30, 31, 32, 33, 34, 35, 36, 37, 38,
    ];
    assert_eq!(kinds, expected);
    let port = netlink.request(&mut kernel, GETLINK, 0, &ifinfo(4, 0, 0));
    let attributes = data(&port[0], true);
    let kinds: Vec<u16> = attributes.iter().map(|(kind, _)| *kind).collect();
    let expected = [
        1, 2, 3, 4, 5, 6, 7, 28, 8, 9, 27, 30, 10, 12, 13, 14, 15, 16, 17, 18, 19, 20, 29, 31, 32, 35, 36, 33, 39, 40,
        43, 21, 22, 23, 25, 37, 38, 41, 42,
    ];
    assert_eq!(kinds, expected);
    assert_eq!(attributes[0].1, [3]);
    assert_eq!(attributes[14].1, [0x80, 0, 2, 0, 0, 0, 0, 0xff]);

    let mut request = ifinfo(0, 0, 0);
    request[0] = 7;
    let ports = netlink.request(&mut kernel, GETLINK, DUMP, &request);
    assert_eq!(ports.len(), 2);
    let kinds: Vec<u16> = ports[0].attrs(16).iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [3, 10, 4, 16, 1, 5, 12]);
    request.extend(u32_attr(29, 2));
    let with_bridge = netlink.request(&mut kernel, GETLINK, DUMP, &request);
    let kinds: Vec<u16> = with_bridge[0].attrs(16).iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [3, 10, 4, 16, 1]);
}

#[test]
fn settings_are_refused_as_linux_does() {
    let mut kernel = kernel();
    let netlink = bridge_with_port(&mut kernel);
    let mut set = |index, data: Vec<u8>| {
        let (kind, nest) = if index == 2 { (1, 2) } else { (4, 5) };
        let info = attr(18, &[text_attr(kind, "bridge"), attr(nest, &data)].concat());
        netlink.ask(&mut kernel, NEWLINK, 0, &[ifinfo(index, 0, 0), info].concat()).0
    };
    assert_eq!(set(2, [u32_attr(1, 200), u32_attr(5, 1)].concat()), 0);
    assert_eq!(set(2, u32_attr(1, 199)), 34);
    assert_eq!(set(2, u32_attr(2, 99)), 34);
    assert_eq!(set(2, u32_attr(3, 4001)), 34);
    assert_eq!(set(2, u32_attr(5, 0)), 0);
    assert_eq!(set(2, attr(9, &1u16.to_ne_bytes())), 22);
    assert_eq!(set(2, attr(20, &[1, 0x80, 0xc2, 0, 0, 1])), 22);
    assert_eq!(set(2, attr(7, &[1])), 95);
    assert_eq!(set(4, attr(2, &64u16.to_ne_bytes())), 34);
    assert_eq!(set(4, u32_attr(3, 65_536)), 34);
    assert_eq!(set(4, attr(1, &[7])), 22);
    assert_eq!(set(4, attr(31, &2u16.to_ne_bytes())), 22);
    assert_eq!(set(4, attr(4, &[1])), 0);
    assert_eq!(set(3, attr(4, &[1])), 95);

    let mut protinfo = |index, payload: Vec<u8>| {
        let mut body = ifinfo(index, 0, 0);
        body[0] = 7;
        body.extend(attr(0x8000 | 12, &payload));
        netlink.ask(&mut kernel, SETLINK, 0, &body).0
    };
    assert_eq!(protinfo(4, attr(8, &[0])), 0);
    assert_eq!(protinfo(4, Vec::new()), 0);
    assert_eq!(protinfo(3, attr(8, &[0])), 95);
    assert_eq!(protinfo(9, attr(8, &[0])), 19);
    let port = netlink.request(&mut kernel, GETLINK, 0, &ifinfo(4, 0, 0));
    let attributes = data(&port[0], true);
    let value = |kind| attributes.iter().find(|(it, _)| *it == kind).unwrap().1[0];
    assert_eq!((value(4), value(8)), (1, 0));
}

#[test]
fn entries_are_added_changed_deleted_and_found() {
    let mut kernel = kernel();
    let netlink = bridge_with_port(&mut kernel);
    let mut ask = |kind, flags, index, state, ntf, last| {
        netlink.ask(&mut kernel, kind, flags, &[ndmsg(index, state, ntf), lladdr(last)].concat())
    };
    assert_eq!(ask(NEWNEIGH, CREATE, 4, 0x80, 4, 1).0, 0);
    assert_eq!(ask(NEWNEIGH, CREATE, 4, 0x42, 4, 2).0, 0);
    assert_eq!(ask(NEWNEIGH, CREATE, 4, 2, 4, 3).0, 0);
    assert_eq!(ask(NEWNEIGH, CREATE, 4, 0x42, 0x44, 4).0, 0);
    assert_eq!(ask(NEWNEIGH, CREATE, 4, 2, 0x14, 5).0, 0);
    assert_eq!(ask(NEWNEIGH, CREATE, 4, 0x42, 4, 2).0, 17);
    assert_eq!(ask(NEWNEIGH, CREATE, 4, 0x80, 0x44, 7).0, 22);
    assert_eq!(ask(NEWNEIGH, 0, 4, 0x80, 4, 8).0, 2);
    assert_eq!(ask(NEWNEIGH, CREATE, 4, 0, 4, 8).0, 22);
    assert_eq!(ask(NEWNEIGH, CREATE, 3, 0x80, 4, 8).0, 95);
    assert_eq!(ask(NEWNEIGH, CREATE, 2, 0x80, 4, 8).0, 95);
    assert_eq!(ask(NEWNEIGH, CREATE, 2, 0x80, 2, 9).0, 0);
    assert_eq!(ask(NEWNEIGH, CREATE, 99, 0x80, 4, 8), (19, Some("unknown ifindex".into())));
    assert_eq!(ask(DELNEIGH, 0, 4, 0x80, 4, 0x99).0, 2);
    let root = kernel.root();
    let strict = Netlink::open(&mut kernel, root, 0).strict(&mut kernel);
    let expected = [
        (2, 0x80, 0, 9),
        (2, 0x80, 0, 0xff),
        (4, 2, 0x10, 5),
        (4, 0x40, 0x40, 4),
        (4, 2, 0, 3),
        (4, 0x40, 0, 2),
        (4, 0x80, 0, 1),
        (4, 0x80, 0, 0xa),
    ];
    assert_eq!(dump(&mut kernel, &strict, 2), expected);
    assert_eq!(dump(&mut kernel, &strict, 3), []);

    let get = |kernel: &mut Kernel, body: Vec<u8>| netlink.request(kernel, GETNEIGH, 0, &body);
    let found = get(&mut kernel, [ndmsg(0, 0, 0), u32_attr(9, 2), lladdr(2)].concat());
    assert_eq!(entries(&found), [(4, 0x40, 0, 2)]);
    let missing = get(&mut kernel, [ndmsg(0, 0, 0), u32_attr(9, 2), lladdr(0xaa)].concat());
    assert_eq!((missing[0].errno(), missing[0].explanation().as_deref()), (2, Some("Fdb entry not found")));

    assert_eq!(netlink.ask(&mut kernel, DELNEIGH, 0, &[ndmsg(4, 0x80, 4), lladdr(1)].concat()).0, 0);
    let statics = [ndmsg(2, 0x40, 2), attr(16, &0x40u16.to_ne_bytes())].concat();
    assert_eq!(netlink.ask(&mut kernel, DELNEIGH, BULK, &statics).0, 0);
    assert_eq!(dump(&mut kernel, &strict, 2), [(4, 2, 0x10, 5), (4, 2, 0, 3)]);
    assert_eq!(netlink.ask(&mut kernel, DELNEIGH, BULK, &ndmsg(4, 0, 2)).0, 95);
    assert_eq!(netlink.ask(&mut kernel, DELNEIGH, BULK, &ndmsg(4, 0, 4)).0, 0);
    assert_eq!(dump(&mut kernel, &strict, 2), []);

    let log: Vec<String> = kernel.log().from(0).map(|record| record.text.clone()).collect();
    assert_eq!(log.last().map(String::as_str), Some("bridge: RTM_NEWNEIGH with invalid state 0x0"));
}

#[test]
fn a_device_filter_is_its_own_database() {
    let mut kernel = kernel();
    let netlink = bridge_with_port(&mut kernel);
    let mut ask = |kind, flags, state, last| {
        netlink.ask(&mut kernel, kind, flags, &[ndmsg(3, state, 2), lladdr(last)].concat()).0
    };
    assert_eq!(ask(NEWNEIGH, CREATE, 0x80, 1), 0);
    assert_eq!(ask(NEWNEIGH, CREATE, 0x80, 1), 17);
    assert_eq!(ask(NEWNEIGH, CREATE & !0x200, 0x80, 1), 0);
    assert_eq!(ask(NEWNEIGH, CREATE, 2, 2), 22);
    assert_eq!(ask(DELNEIGH, 0, 0x80, 1), 0);
    assert_eq!(ask(DELNEIGH, 0, 0x80, 1), 2);
    let log: Vec<String> = kernel.log().from(0).map(|record| record.text.clone()).collect();
    let refused = "e: default FDB implementation only supports local addresses";
    assert_eq!(log[log.len() - 3..], ["e: entered promiscuous mode", refused, "e: left promiscuous mode"]);
}

#[test]
fn the_listeners_hear_of_joining_and_leaving_in_linux_order() {
    let mut kernel = kernel();
    let netlink = bridge_with_port(&mut kernel);
    let root = kernel.root();
    let monitor = Netlink::open(&mut kernel, root, LINK_GROUP | NEIGH_GROUP);
    // Type, family, ifindex; of a link whether it has a master.
    let heard = |kernel: &mut Kernel| -> Vec<(u16, u8, u32, bool)> {
        let heard = monitor.replies(kernel).into_iter().map(|reply| {
            let body = reply.body();
            let index = u32::from_ne_bytes(body[4..8].try_into().unwrap());
            let master = reply.kind < 28 && reply.attrs(16).iter().any(|(kind, _)| *kind == 10);
            (reply.kind, body[0], index, master)
        });
        heard.collect()
    };
    let set_master = |kernel: &mut Kernel, master| {
        assert_eq!(netlink.ask(kernel, SETLINK, 0, &[ifinfo(4, 0, 0), u32_attr(10, master)].concat()), (0, None));
    };
    set_master(&mut kernel, 0);
    let leaving =
        [(16, 0, 4, true), (16, 7, 4, true), (17, 7, 4, true), (29, 7, 4, false), (16, 0, 4, false), (16, 0, 2, false)];
    let seen = heard(&mut kernel);
    assert_eq!(seen[..leaving.len()], leaving, "{seen:?}");
    set_master(&mut kernel, 2);
    let joining = [
        (16, 0, 4, true),
        (16, 0, 4, true),
        (16, 0, 2, false),
        (28, 7, 4, false),
        (16, 7, 4, true),
        (16, 7, 4, true),
        (16, 7, 4, true),
    ];
    let seen = heard(&mut kernel);
    assert_eq!(seen[..joining.len()], joining, "{seen:?}");
}
