//! Links over rtnetlink: bytes in, bytes out.

mod common;

use common::*;
use netlink_packet_core::{NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{InfoKind, LinkAttribute, LinkInfo, LinkMessage};
use netloom_kernel::{Kernel, NsId};

const NEWLINK: u16 = 16;
const DELLINK: u16 = 17;
const GETLINK: u16 = 18;
const SETLINK: u16 = 19;
const CREATE: u16 = 0x600;
const DUMP: u16 = 0x300;

fn link_info(kind: &str) -> Vec<u8> {
    attr(18, &text_attr(1, kind))
}

fn veth(name: &str, peer: &str) -> Vec<u8> {
    let peer = attr(1, &[ifinfo(0, 0, 0), text_attr(3, peer)].concat());
    let info = [text_attr(1, "veth"), attr(2, &peer)].concat();
    [ifinfo(0, 0, 0), text_attr(3, name), attr(18, &info)].concat()
}

fn parse(reply: &Reply) -> LinkMessage {
    let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(&reply.bytes).unwrap();
    match message.payload {
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link) | RouteNetlinkMessage::DelLink(link)) => link,
        other => panic!("{other:?}"),
    }
}

fn name(link: &LinkMessage) -> String {
    let name = |attribute: &LinkAttribute| match attribute {
        LinkAttribute::IfName(name) => Some(name.clone()),
        _ => None,
    };
    link.attributes.iter().find_map(name).unwrap()
}

fn links(kernel: &mut Kernel, ns: NsId) -> Vec<LinkMessage> {
    let netlink = Netlink::open(kernel, ns, 0);
    let replies = netlink.request(kernel, GETLINK, DUMP, &ifinfo(0, 0, 0));
    let (done, links) = replies.split_last().unwrap();
    assert_eq!((done.kind, done.errno()), (3, 0));
    let links = links.iter().map(parse).collect();
    kernel.close(netlink.socket);
    links
}

#[test]
fn the_peer_cannot_be_up_before_there_is_another_end() {
    let mut kernel = kernel();
    let root = kernel.root();
    let netlink = Netlink::open(&mut kernel, root, 0);
    let peer = attr(1, &[ifinfo(0, 1, 1), text_attr(3, "veth1")].concat());
    let info = [text_attr(1, "veth"), attr(2, &peer)].concat();
    let request = [ifinfo(0, 0, 0), text_attr(3, "veth0"), attr(18, &info)].concat();
    const ENOTCONN: i32 = 107;
    assert_eq!(netlink.ask(&mut kernel, NEWLINK, CREATE, &request), (ENOTCONN, None));
    assert_eq!(links(&mut kernel, root).len(), 1, "only lo is there");
}

#[test]
fn a_pair_is_made_peer_first_and_goes_with_either_end() {
    let mut kernel = kernel();
    let root = kernel.root();
    let netlink = Netlink::open(&mut kernel, root, 0);
    assert_eq!(netlink.ask(&mut kernel, NEWLINK, CREATE, &veth("veth0", "veth1")), (0, None));
    let all = links(&mut kernel, root);
    let shown: Vec<_> = all.iter().map(|link| (link.header.index, name(link))).collect();
    assert_eq!(shown, [(1, "lo".into()), (2, "veth1".into()), (3, "veth0".into())]);
    assert!(all[1].attributes.contains(&LinkAttribute::Link(3)));
    assert!(all[1].attributes.contains(&LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Veth)])));

    assert_eq!(netlink.ask(&mut kernel, SETLINK, 0, &ifinfo(2, 1, 1)), (0, None));
    assert_eq!(netlink.ask(&mut kernel, SETLINK, 0, &ifinfo(3, 1, 1)), (0, None));
    let replies = netlink.request(&mut kernel, GETLINK, 0, &ifinfo(2, 0, 0));
    // UP, BROADCAST, RUNNING, MULTICAST, LOWER_UP
    assert_eq!(parse(&replies[0]).header.flags.bits(), 0x11043);

    assert_eq!(netlink.ask(&mut kernel, DELLINK, 0, &ifinfo(2, 0, 0)), (0, None));
    assert_eq!(links(&mut kernel, root).len(), 1);
}

fn wanted(errno: i32, text: &str) -> (i32, Option<String>) {
    (errno, Some(text.to_owned()))
}

const FINE: (i32, Option<String>) = (0, None);
const ESRCH: i32 = 3;
const EBADF: i32 = 9;
const EEXIST: i32 = 17;
const ENODEV: i32 = 19;
const EINVAL: i32 = 22;
const ERANGE: i32 = 34;
const EOPNOTSUPP: i32 = 95;
const EAFNOSUPPORT: i32 = 97;
const EADDRNOTAVAIL: i32 = 99;

/// What Linux 6.18 answered to the same bytes.
#[test]
fn refusals_are_linuxs() {
    let mut kernel = kernel();
    let root = kernel.root();
    let netlink = Netlink::open(&mut kernel, root, 0);
    let info = |index| ifinfo(index, 0, 0);
    let with = |index, attrs: &[u8]| [info(index), attrs.to_vec()].concat();
    let veth_with = |attrs: &[u8]| with(0, &[attrs, &link_info("veth")].concat());
    let policy = "Attribute failed policy validation";

    let cases = vec![
        ("nothing named", NEWLINK, 0, info(0), (ENODEV, None)),
        ("short header", NEWLINK, 0, vec![0, 0], wanted(EINVAL, "Invalid header length")),
        ("get: short header", GETLINK, 0, vec![0], wanted(EINVAL, "Invalid header for get link")),
        ("no body", GETLINK, 0, vec![], FINE),
        ("unknown type", 200, 0, info(0), (EOPNOTSUPP, None)),
        ("control type", 15, 0, info(0), FINE),
        ("get nothing", GETLINK, 0, info(0), (EINVAL, None)),
        ("get index 99", GETLINK, 0, info(99), (ENODEV, None)),
        ("index -1", NEWLINK, 0, info(-1), wanted(EINVAL, "ifindex can't be negative")),
        ("mtu too short", NEWLINK, 0, with(1, &attr(4, &[1, 0])), wanted(ERANGE, policy)),
        ("name too long", GETLINK, 0, with(0, &text_attr(3, "0123456789abcdef")), wanted(ERANGE, policy)),
        ("name without NUL", GETLINK, 0, with(0, &attr(3, b"0123456789abcdef")), wanted(ERANGE, policy)),
        ("empty name", GETLINK, 0, with(0, &text_attr(3, "")), (ENODEV, None)),
        ("no name", GETLINK, 0, with(0, &attr(3, b"")), wanted(ERANGE, policy)),
        ("address too long", NEWLINK, 0, with(1, &attr(1, &[2; 40])), wanted(ERANGE, policy)),
        ("alias too long", NEWLINK, 0, with(1, &attr(20, &[65; 257])), wanted(ERANGE, policy)),
        ("garbage nest", NEWLINK, 0, with(1, &attr(18, b"xyz")), wanted(ERANGE, policy)),
        ("carrier of lo", NEWLINK, 0, with(1, &attr(33, &[1])), (EOPNOTSUPP, None)),
        ("no kind", NEWLINK, CREATE, info(0), wanted(EOPNOTSUPP, "Unknown device type")),
        ("unknown kind", NEWLINK, CREATE, with(0, &link_info("nosuch")), wanted(EOPNOTSUPP, "Unknown device type")),
        ("exclusive", NEWLINK, CREATE, info(1), (EEXIST, None)),
        ("replace", NEWLINK, 0x500, info(1), (EOPNOTSUPP, None)),
        ("set nothing", SETLINK, 0, info(0), (EINVAL, None)),
        ("set index 77", SETLINK, 0, info(77), (ENODEV, None)),
        ("delete nothing", DELLINK, 0, info(0), (EINVAL, None)),
        ("delete lo", DELLINK, 0, info(1), (EOPNOTSUPP, None)),
        ("delete a group", DELLINK, 0, with(0, &u32_attr(27, 99)), (ENODEV, None)),
        ("queues", NEWLINK, CREATE, veth_with(&u32_attr(31, 0)), wanted(EINVAL, "Invalid number of transmit queues")),
        ("queues", NEWLINK, CREATE, veth_with(&u32_attr(32, 5000)), wanted(EINVAL, "Invalid number of receive queues")),
        ("mtu 10", NEWLINK, CREATE, veth_with(&u32_attr(4, 10)), (EINVAL, None)),
        ("5-byte address", NEWLINK, CREATE, veth_with(&attr(1, &[2; 5])), (EINVAL, None)),
        ("group address", NEWLINK, CREATE, veth_with(&attr(1, &[1; 6])), (EADDRNOTAVAIL, None)),
        ("zero address", NEWLINK, CREATE, veth_with(&attr(1, &[0; 6])), (EADDRNOTAVAIL, None)),
        ("name taken", NEWLINK, CREATE, veth_with(&text_attr(3, "lo")), (EEXIST, None)),
        ("bad name", NEWLINK, CREATE, veth_with(&text_attr(3, "h2:x")), (EINVAL, None)),
        ("dot", NEWLINK, CREATE, veth_with(&text_attr(3, ".")), (EINVAL, None)),
        ("bad descriptor", NEWLINK, CREATE, veth_with(&u32_attr(28, 999)), (EBADF, None)),
        ("bad process", NEWLINK, CREATE, veth_with(&u32_attr(19, 999_999)), (ESRCH, None)),
        ("bad nsid", NEWLINK, CREATE, veth_with(&u32_attr(46, 55)), (EINVAL, None)),
        ("bad nsid", NEWLINK, CREATE, veth_with(&u32_attr(37, 55)), wanted(EINVAL, "Unknown network namespace id")),
        (
            "two namespaces",
            NEWLINK,
            CREATE,
            veth_with(&[u32_attr(19, 1), u32_attr(28, 1)].concat()),
            wanted(EINVAL, "multiple netns identifying attributes specified"),
        ),
        ("same name twice", NEWLINK, CREATE, veth("h2c", "h2c"), (EEXIST, None)),
        (
            "get by descriptor",
            GETLINK,
            0,
            with(1, &u32_attr(28, 0)),
            wanted(EOPNOTSUPP, "specified netns attribute not supported"),
        ),
        ("gso 0", SETLINK, 0, with(1, &u32_attr(41, 0)), wanted(ERANGE, "integer out of range")),
        ("gso", SETLINK, 0, with(1, &u32_attr(41, 10_000_000)), wanted(EINVAL, "too big gso_max_size")),
        ("gro", SETLINK, 0, with(1, &u32_attr(58, 10_000_000)), wanted(EINVAL, "too big gro_max_size")),
        ("protodown", SETLINK, 0, with(1, &attr(39, &[1])), wanted(EOPNOTSUPP, "Protodown not supported by device")),
        ("no such master", SETLINK, 0, with(1, &u32_attr(10, 99)), (EINVAL, None)),
        ("master lo", SETLINK, 0, with(1, &u32_attr(10, 1)), (EOPNOTSUPP, None)),
        ("family", SETLINK, 0, with(1, &attr(26, &attr(99, b""))), (EAFNOSUPPORT, None)),
        ("rename", SETLINK, 0, with(1, &text_attr(3, "a/b")), (EINVAL, None)),
        ("map", SETLINK, 0, with(1, &attr(14, &[0; 32])), (EOPNOTSUPP, None)),
        ("unmarked nest", 108, 0, with(1, &attr(52, &text_attr(53, "alt"))), wanted(EINVAL, "NLA_F_NESTED is missing")),
    ];
    for (what, kind, flags, body, expected) in cases {
        assert_eq!(netlink.ask(&mut kernel, kind, flags, &body), expected, "{what}");
    }
    assert_eq!(links(&mut kernel, root).len(), 1, "nothing was made");
}

#[test]
fn strict_checks_name_what_they_refuse() {
    let mut kernel = kernel();
    let root = kernel.root();
    let netlink = Netlink::open(&mut kernel, root, 0).strict(&mut kernel);
    let mut ask = |flags: u16, body: Vec<u8>| {
        let replies = netlink.request(&mut kernel, GETLINK, flags | 4, &body);
        let last = replies.last().unwrap();
        (last.kind, last.errno(), last.explanation().unwrap_or_default())
    };
    let refused = |kind: u16, text: &str| (kind, EINVAL, text.to_owned());
    let info = || ifinfo(0, 0, 0);
    assert_eq!(ask(DUMP, ifinfo(0, 1, 0)), refused(3, "Invalid values in header for link dump request"));
    assert_eq!(ask(DUMP, ifinfo(1, 0, 0)), refused(3, "Filter by device index not supported for link dumps"));
    assert_eq!(ask(DUMP, vec![0]), refused(3, "Invalid header for link dump"));
    let body = [info(), u32_attr(4, 1)].concat();
    assert_eq!(ask(DUMP, body.clone()), refused(3, "Unsupported attribute in link dump request"));
    assert_eq!(ask(0, body), refused(2, "Unsupported attribute in get link request"));
    assert_eq!(ask(DUMP, [info(), u32_attr(200, 1)].concat()), refused(3, "Unknown attribute type"));
    assert_eq!(ask(0, [info(), vec![1, 2, 3]].concat()), refused(2, "bytes leftover after parsing attributes"));
    // A nest needn't be marked as one here.
    assert_eq!(ask(DUMP, [info(), link_info("bridge")].concat()), (3, 0, String::new()));
    let body = [info(), u32_attr(46, 99)].concat();
    assert_eq!(ask(DUMP, body), refused(3, "Invalid target network namespace id"));
}

#[test]
fn a_refusal_points_at_its_attribute() {
    let mut kernel = kernel();
    let root = kernel.root();
    let netlink = Netlink::open(&mut kernel, root, 0);
    let body = [ifinfo(1, 0, 0), u32_attr(27, 0), attr(4, &[1, 0])].concat();
    let replies = netlink.request(&mut kernel, NEWLINK, 4, &body);
    let echoed = 4 + 16 + body.len();
    let offset = replies[0].attrs(echoed).into_iter().find(|(kind, _)| *kind == 2).unwrap().1;
    assert_eq!(offset, (16 + 16 + 8u32).to_ne_bytes());
    // The request is echoed, unless the socket has had enough of that.
    assert_eq!(&replies[0].body()[4 + 16..echoed], body);
    kernel.set_option(netlink.socket, 270, 10, &1i32.to_ne_bytes()).unwrap();
    let replies = netlink.request(&mut kernel, NEWLINK, 4, &ifinfo(-1, 0, 0));
    assert_eq!((replies[0].flags, replies[0].bytes.len()), (0x300, 68));
    // Without NETLINK_EXT_ACK there is the errno alone.
    kernel.set_option(netlink.socket, 270, 11, &0i32.to_ne_bytes()).unwrap();
    let replies = netlink.request(&mut kernel, NEWLINK, 4, &ifinfo(-1, 0, 0));
    assert_eq!((replies[0].flags, replies[0].bytes.len()), (0x100, 36));
}

#[test]
fn attributes_come_in_linuxs_order() {
    let mut kernel = kernel();
    let root = kernel.root();
    let netlink = Netlink::open(&mut kernel, root, 0);
    netlink.ask(&mut kernel, NEWLINK, CREATE, &veth("a", "b"));
    let body = [ifinfo(3, 0, 0), text_attr(20, "two words")].concat();
    assert_eq!(netlink.ask(&mut kernel, SETLINK, 0, &body), (0, None));
    let body = [ifinfo(3, 0, 0), attr(0x8000 | 52, &text_attr(53, "alt"))].concat();
    assert_eq!(netlink.ask(&mut kernel, 108, 0, &body), (0, None));
    let replies = netlink.request(&mut kernel, GETLINK, 0, &[ifinfo(0, 0, 0), text_attr(53, "alt")].concat());
    let order: Vec<u16> = replies[0].attrs(16).iter().map(|(kind, _)| *kind).collect();
    let linux = [
        3, 13, 16, 17, 67, 4, 50, 51, 27, 30, 61, 31, 40, 41, 58, 63, 64, 59, 60, 66, 32, 33, 20, 35, 47, 48, 68, 69,
        39, 1, 2, 23, 7, 43, 18, 5, 6, 26, 14, 52, 62, 65,
    ];
    assert_eq!(order, linux);
}

#[test]
fn without_a_word_the_peer_has_the_same_mtu() {
    let mut kernel = kernel();
    let root = kernel.root();
    let netlink = Netlink::open(&mut kernel, root, 0);
    let body = [ifinfo(0, 0, 0), text_attr(3, "q0"), u32_attr(4, 1400), link_info("veth")].concat();
    assert_eq!(netlink.ask(&mut kernel, NEWLINK, CREATE, &body), (0, None));
    let all = links(&mut kernel, root);
    assert_eq!(all.iter().map(name).collect::<Vec<_>>(), ["lo", "veth0", "q0"]);
    assert!(all[1].attributes.contains(&LinkAttribute::Mtu(1400)));
}

#[test]
fn a_move_is_told_on_both_sides() {
    let mut kernel = kernel();
    let root = kernel.root();
    let other = kernel.create_namespace();
    let mut netlink = Netlink::open(&mut kernel, root, 0);
    netlink.process = Process(vec![root, other]);
    netlink.ask(&mut kernel, NEWLINK, CREATE, &veth("a", "b"));
    // Groups LINK and NSID.
    let here = Netlink::open(&mut kernel, root, 1 | 1 << 27);
    let there = Netlink::open(&mut kernel, other, 1);
    assert_eq!(netlink.ask(&mut kernel, SETLINK, 0, &[ifinfo(2, 0, 0), u32_attr(28, 1)].concat()), (0, None));
    let told = here.replies(&mut kernel);
    assert_eq!(told.iter().map(|reply| reply.kind).collect::<Vec<_>>(), [88, DELLINK, NEWLINK]);
    let attrs = told[1].attrs(16);
    assert!(attrs.contains(&(45, 0u32.to_ne_bytes().to_vec())) && attrs.contains(&(49, 2u32.to_ne_bytes().to_vec())));
    let told = there.replies(&mut kernel);
    assert_eq!(told.iter().map(|reply| (reply.kind, name(&parse(reply)))).collect::<Vec<_>>(), [(NEWLINK, "b".into())]);
    // lo doesn't move.
    let refusal = netlink.ask(&mut kernel, SETLINK, 0, &[ifinfo(1, 0, 0), u32_attr(28, 1)].concat());
    assert_eq!(refusal, wanted(EINVAL, "The interface netns is immutable"));
}

#[test]
fn a_pair_across_namespaces_gives_the_other_a_number() {
    let mut kernel = kernel();
    let root = kernel.root();
    let other = kernel.create_namespace();
    let mut netlink = Netlink::open(&mut kernel, root, 0);
    netlink.process = Process(vec![root, other]);
    let peer = attr(1, &[ifinfo(0, 0, 0), text_attr(3, "b"), u32_attr(28, 1)].concat());
    let info = [text_attr(1, "veth"), attr(2, &peer)].concat();
    let body = [ifinfo(0, 0, 0), text_attr(3, "a"), attr(18, &info)].concat();
    assert_eq!(netlink.ask(&mut kernel, NEWLINK, CREATE, &body), (0, None));
    // Nobody has asked for the link, and yet the number is there; not so on the other side.
    let numbers = |kernel: &mut Kernel, ns| {
        let netlink = Netlink::open(kernel, ns, 0);
        netlink.request(kernel, 90, DUMP, &[0; 4]).len() - 1
    };
    assert_eq!((numbers(&mut kernel, root), numbers(&mut kernel, other)), (1, 0));

    let ask = |kernel: &mut Kernel, attrs: &[u8]| netlink.ask(kernel, 88, 0, &[vec![0; 4], attrs.to_vec()].concat());
    assert_eq!(ask(&mut kernel, &u32_attr(3, 1)), wanted(EINVAL, "nsid is missing"));
    assert_eq!(ask(&mut kernel, &u32_attr(1, 1)), wanted(EINVAL, "Peer netns reference is missing"));
    let again = [u32_attr(3, 1), u32_attr(1, 7)].concat();
    assert_eq!(ask(&mut kernel, &again), wanted(EEXIST, "Peer netns already has a nsid assigned"));
    let nowhere = [u32_attr(3, 99), u32_attr(1, 7)].concat();
    assert_eq!(ask(&mut kernel, &nowhere), wanted(EBADF, "Peer netns reference is invalid"));
    let replies = netlink.request(&mut kernel, 90, 0, &[vec![0; 4], u32_attr(3, 0)].concat());
    assert_eq!(replies[0].attrs(4), [(1, (-1i32).to_ne_bytes().to_vec())]);
}

#[test]
fn carrier_changes_are_told_in_order() {
    let mut kernel = kernel();
    let root = kernel.root();
    let netlink = Netlink::open(&mut kernel, root, 0);
    let monitor = Netlink::open(&mut kernel, root, 1);
    netlink.ask(&mut kernel, NEWLINK, CREATE, &veth("h2a", "h2b"));
    let mut told = Vec::new();
    let mut hear = |kernel: &mut Kernel| {
        for reply in monitor.replies(kernel) {
            let link = parse(&reply);
            let lower = reply.attrs(16).iter().find(|(kind, _)| *kind == 5).unwrap().1[0];
            let state = reply.attrs(16).iter().find(|(kind, _)| *kind == 16).unwrap().1[0];
            told.push((reply.kind, name(&link), lower, link.header.flags.bits(), state));
        }
    };
    hear(&mut kernel);
    for index in [3, 2] {
        netlink.ask(&mut kernel, SETLINK, 0, &ifinfo(index, 1, 1));
        hear(&mut kernel);
    }
    let linux = [
        // The peer isn't linked to anything when it is told of.
        (NEWLINK, "h2b", 0, 0x1002, 2),
        (NEWLINK, "h2a", 2, 0x1002, 2),
        (NEWLINK, "h2a", 2, 0x1003, 3),
        (NEWLINK, "h2b", 3, 0x11003, 3),
        (NEWLINK, "h2b", 3, 0x11043, 6),
        (NEWLINK, "h2a", 2, 0x11043, 6),
    ];
    let told: Vec<_> =
        told.iter().map(|(kind, name, lower, flags, state)| (*kind, &**name, *lower, *flags, *state)).collect();
    assert_eq!(told, linux);
}

#[test]
fn a_long_dump_is_told_piece_by_piece() {
    let mut kernel = kernel();
    let root = kernel.root();
    let netlink = Netlink::open(&mut kernel, root, 0);
    for number in 0..200 {
        let body = veth(&format!("a{number}"), &format!("b{number}"));
        assert_eq!(netlink.ask(&mut kernel, NEWLINK, CREATE, &body), (0, None));
    }
    let reader = Netlink::open(&mut kernel, root, 0);
    reader.send(&mut kernel, &message(GETLINK, 1 | DUMP, &ifinfo(0, 0, 0)));
    let first = kernel.receive(reader.socket, 0).unwrap().data;
    assert!(first.len() <= 3776);
    // A change in the middle of it is noticed.
    netlink.ask(&mut kernel, DELLINK, 0, &ifinfo(200, 0, 0));
    let rest = reader.datagrams(&mut kernel);
    assert!(rest.iter().all(|datagram| datagram.len() <= 32 * 1024));
    let replies: Vec<Reply> = rest.iter().flat_map(|datagram| split(datagram)).collect();
    let done = replies.last().unwrap();
    assert_eq!((done.kind, done.flags), (3, 0x12));
    // lo, 400 ends, less the pair that went.
    assert_eq!(split(&first).len() + replies.len() - 1, 399);
    assert_eq!(rest.last().unwrap().len(), 20, "the end comes by itself");
}

#[test]
fn a_listener_that_does_not_read_is_told_that_it_lost_something() {
    let mut kernel = kernel();
    let root = kernel.root();
    let netlink = Netlink::open(&mut kernel, root, 0);
    let monitor = Netlink::open(&mut kernel, root, 1);
    netlink.ask(&mut kernel, NEWLINK, CREATE, &veth("a", "b"));
    for mtu in 0..500 {
        netlink.ask(&mut kernel, SETLINK, 0, &[ifinfo(2, 0, 0), u32_attr(4, 1000 + mtu)].concat());
    }
    assert_eq!(kernel.receive(monitor.socket, 0), Err(netloom_kernel::Errno::ENOBUFS));
    assert!(kernel.receive(monitor.socket, 0).is_ok());
}

#[test]
fn settings_are_told_before_the_device_and_gone_before_it() {
    const NEWNETCONF: u16 = 80;
    const DELNETCONF: u16 = 81;
    let mut kernel = kernel();
    let root = kernel.root();
    let netlink = Netlink::open(&mut kernel, root, 0);
    // LINK, and NETCONF of IPv4.
    let monitor = Netlink::open(&mut kernel, root, 1 | 1 << 23);
    netlink.ask(&mut kernel, NEWLINK, CREATE, &veth("a", "b"));
    let heard = |kernel: &mut Kernel| monitor.replies(kernel).iter().map(|reply| reply.kind).collect::<Vec<_>>();
    assert_eq!(heard(&mut kernel), [NEWNETCONF, NEWLINK, NEWNETCONF, NEWLINK]);
    netlink.ask(&mut kernel, SETLINK, 0, &[ifinfo(3, 0, 0), text_attr(3, "c")].concat());
    assert_eq!(heard(&mut kernel), [NEWLINK, DELNETCONF, NEWNETCONF]);
    netlink.ask(&mut kernel, DELLINK, 0, &ifinfo(3, 0, 0));
    assert_eq!(heard(&mut kernel), [DELNETCONF, DELLINK, DELNETCONF, DELLINK]);
    // lo, all and default.
    let replies = netlink.request(&mut kernel, 82, DUMP, &[2, 0, 0, 0]);
    let indexes: Vec<_> = replies[..3].iter().map(|reply| reply.attrs(4)[0].1.clone()).collect();
    assert_eq!(indexes, [1i32, -1, -2].map(|index| index.to_ne_bytes().to_vec()));
    assert_eq!((replies[0].bytes.len(), replies[3].kind), (76, 3));
}
