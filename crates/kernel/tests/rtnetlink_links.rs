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
