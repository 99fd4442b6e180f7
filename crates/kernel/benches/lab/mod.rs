//! Machines to measure: topologies built as any client builds them, by netlink and sockets, and one method for each thing
//! that is done over and over.

pub(crate) mod control;
pub(crate) mod echo;
pub(crate) mod router;
pub(crate) mod switch;

use netloom_kernel::{Kernel, NsId};
use netloom_testkit::netlink::{Netlink, attr, ifinfo, kernel, message, text_attr, u32_attr};

const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const RTM_NEWADDR: u16 = 20;
const RTM_NEWROUTE: u16 = 24;
const RTM_GETROUTE: u16 = 26;
const RTM_NEWNEIGH: u16 = 28;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_DUMP: u16 = 0x300;
const NLM_F_CREATE: u16 = 0x600;
const IFLA_IFNAME: u16 = 3;
const IFLA_MASTER: u16 = 10;
const IFLA_LINKINFO: u16 = 18;
const IFLA_NET_NS_FD: u16 = 28;
const UP: u32 = 1;

/// `ETH_P_ALL` as socket(2) takes it.
const EVERYTHING: i32 = 0x0300;
/// An EtherType for local experiments.
const EXPERIMENT: [u8; 2] = [0x88, 0xb5];

/// An Ethernet frame of `length` bytes.
fn frame(destination: [u8; 6], source: [u8; 6], length: usize) -> Vec<u8> {
    let mut bytes = [&destination[..], &source, &EXPERIMENT].concat();
    bytes.resize(length, 0x5a);
    bytes
}

/// A `sockaddr_ll`.
fn link_address(protocol: [u8; 2], ifindex: u32) -> Vec<u8> {
    let mut bytes = 17u16.to_ne_bytes().to_vec();
    bytes.extend(protocol);
    bytes.extend(ifindex.to_ne_bytes());
    bytes.resize(20, 0);
    bytes
}

/// The attributes of a link of some kind.
fn link_kind(kind: &str, data: &[u8]) -> Vec<u8> {
    let mut info = text_attr(1, kind);
    if !data.is_empty() {
        info.extend(attr(2, data));
    }
    attr(IFLA_LINKINFO, &info)
}

/// A request for a veth pair, the near end up; `peer_ns` is where the peer goes (as a descriptor), `master` an ifindex.
pub(crate) fn veth_request(name: &str, peer: &str, peer_ns: Option<u32>, master: Option<u32>) -> Vec<u8> {
    let mut end = [ifinfo(0, 0, 0), text_attr(IFLA_IFNAME, peer)].concat();
    end.extend(peer_ns.map(|fd| u32_attr(IFLA_NET_NS_FD, fd)).unwrap_or_default());
    let mut body = [ifinfo(0, UP, UP), text_attr(IFLA_IFNAME, name)].concat();
    body.extend(master.map(|master| u32_attr(IFLA_MASTER, master)).unwrap_or_default());
    body.extend(link_kind("veth", &attr(1, &end)));
    message(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_CREATE, &body)
}

/// A request that a device be up and a port of a bridge.
fn port_request(name: &str, bridge: u32) -> Vec<u8> {
    let body = [ifinfo(0, UP, UP), text_attr(IFLA_IFNAME, name), u32_attr(IFLA_MASTER, bridge)].concat();
    message(RTM_NEWLINK, NLM_F_REQUEST, &body)
}

/// A request that a device be up.
pub(crate) fn up_request(name: &str) -> Vec<u8> {
    message(RTM_NEWLINK, NLM_F_REQUEST, &[ifinfo(0, UP, UP), text_attr(IFLA_IFNAME, name)].concat())
}

/// A request for a veth pair, both ends down.
fn idle_veth_request(name: &str, peer: &str) -> Vec<u8> {
    let end = [ifinfo(0, 0, 0), text_attr(IFLA_IFNAME, peer)].concat();
    let body = [ifinfo(0, 0, 0), text_attr(IFLA_IFNAME, name), link_kind("veth", &attr(1, &end))].concat();
    message(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_CREATE, &body)
}

/// A request for an IPv4 address with a prefix of 24 bits.
pub(crate) fn address_request(ifindex: u32, address: [u8; 4]) -> Vec<u8> {
    let mut body = vec![2, 24, 0, 0];
    body.extend(ifindex.to_ne_bytes());
    body.extend(attr(2, &address));
    body.extend(attr(1, &address));
    message(RTM_NEWADDR, NLM_F_REQUEST | NLM_F_CREATE, &body)
}

/// A request for a neighbour of an address family that stays: a `struct ndmsg` and its attributes.
fn neighbour_request(family: u8, ifindex: u32, state: u16, flags: u8, attributes: &[u8]) -> Vec<u8> {
    let mut body = vec![family, 0, 0, 0];
    body.extend(ifindex.to_ne_bytes());
    body.extend(state.to_ne_bytes());
    body.extend([flags, 0]);
    body.extend(attributes);
    message(RTM_NEWNEIGH, NLM_F_REQUEST | NLM_F_CREATE, &body)
}

/// A cheap sequence of numbers that looks random.
fn next_random(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 16) as usize
}

/// A request for a bridge that is up.
pub(crate) fn bridge_request(name: &str) -> Vec<u8> {
    let body = [ifinfo(0, UP, UP), text_attr(IFLA_IFNAME, name), link_kind("bridge", &[])].concat();
    message(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_CREATE, &body)
}

/// The ifindex of a device.
fn ifindex(kernel: &mut Kernel, netlink: &Netlink, name: &str) -> u32 {
    let body = [ifinfo(0, 0, 0), text_attr(IFLA_IFNAME, name)].concat();
    let reply = netlink.request(kernel, RTM_GETLINK, 0, &body).remove(0);
    assert_eq!(reply.kind, RTM_NEWLINK, "{name} is there");
    u32::from_ne_bytes(reply.body()[4..8].try_into().expect("a header"))
}

/// A kernel with two namespaces, and a conversation with each; descriptor 1 is the second namespace in both.
fn two_namespaces() -> (Kernel, NsId, Netlink, Netlink) {
    let mut kernel = kernel();
    let (root, other) = (kernel.root(), kernel.create_namespace());
    let mut here = Netlink::open(&mut kernel, root, 0);
    here.process.0 = vec![root, other];
    let mut there = Netlink::open(&mut kernel, other, 0);
    there.process.0 = vec![root, other];
    (kernel, other, here, there)
}
