//! The veth devices of one namespace, and which namespace each one's peer is in.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netloom_machine::netlink::{Error, Netlink, Request};
use netloom_machine::{HostMachine, Machine, Netns};

const NETLINK_ROUTE: i32 = 0;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const RTM_GETLINK: u16 = 18;
const RTM_GETADDR: u16 = 22;
const RTM_GETNSID: u16 = 90;
const IFLA_IFNAME: u16 = 3;
const IFLA_LINK: u16 = 5;
const IFLA_MASTER: u16 = 10;
const IFLA_LINKINFO: u16 = 18;
const IFLA_LINK_NETNSID: u16 = 37;
const IFLA_INFO_KIND: u16 = 1;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const NETNSA_NSID: u16 = 1;
const NETNSA_FD: u16 = 3;
/// Lengths of `struct ifinfomsg` and `struct ifaddrmsg`.
const LINK_HEADER: usize = 16;
const ADDRESS_HEADER: usize = 8;

/// One end of a veth pair, as its namespace sees it.
#[derive(Clone, Debug)]
pub(crate) struct Veth {
    pub(crate) name: String,
    pub(crate) index: u32,
    /// The device that it is a port of.
    pub(crate) master: Option<String>,
    /// The peer's ifindex, in the peer's namespace.
    pub(crate) peer: Option<u32>,
    /// This namespace's number for the peer's; `None` where it is the same one.
    pub(crate) peer_nsid: Option<i32>,
    /// Its addresses, each with the length of its prefix.
    pub(crate) addresses: Vec<(IpAddr, u8)>,
}

/// What one namespace says.
pub(crate) struct Links {
    netlink: Netlink,
    pub(crate) veths: Vec<Veth>,
}

impl Links {
    /// Fails where the namespace can't be entered.
    pub(crate) fn read(namespace: &Netns) -> std::io::Result<Links> {
        let mut netlink = Netlink::open(&Machine::Host(HostMachine), namespace, NETLINK_ROUTE)?;
        let mut names = HashMap::new();
        let mut veths: Vec<(Veth, Option<u32>)> = Vec::new();
        // What changes meanwhile may be missing: it wasn't there all the time.
        let _ = netlink.dump(Request::new(RTM_GETLINK, 0).put(&[0; LINK_HEADER]), |message| {
            let Some(index) = message.payload.get(4..8).and_then(|bytes| bytes.try_into().ok()).map(u32::from_ne_bytes)
            else {
                return;
            };
            let table = message.attributes(LINK_HEADER).table::<64>();
            let name = table.string(IFLA_IFNAME).unwrap_or_default().to_owned();
            names.insert(index, name.clone());
            let kind = table.nested(IFLA_LINKINFO).find(IFLA_INFO_KIND);
            if kind.is_some_and(|kind| kind.string() == "veth") {
                let (peer, peer_nsid) = (table.u32(IFLA_LINK).filter(|peer| *peer != 0), table.i32(IFLA_LINK_NETNSID));
                let veth = Veth { name, index, master: None, peer, peer_nsid, addresses: Vec::new() };
                veths.push((veth, table.u32(IFLA_MASTER)));
            }
        })?;
        let name_of_master = |(mut veth, master): (Veth, Option<u32>)| {
            veth.master = master.map(|master| names.get(&master).cloned().unwrap_or_else(|| format!("if{master}")));
            veth
        };
        let mut links = Links { netlink, veths: veths.into_iter().map(name_of_master).collect() };
        links.read_addresses()?;
        Ok(links)
    }

    fn read_addresses(&mut self) -> Result<(), Error> {
        let veths = &mut self.veths;
        let _ = self.netlink.dump(Request::new(RTM_GETADDR, 0).put(&[0; ADDRESS_HEADER]), |message| {
            let Some((&[family, length, _, _, a, b, c, d], _)) = message.payload.split_first_chunk::<ADDRESS_HEADER>()
            else {
                return;
            };
            let table = message.attributes(ADDRESS_HEADER).table::<16>();
            let address = table.get(IFA_LOCAL).or_else(|| table.get(IFA_ADDRESS)).and_then(|found| match family {
                AF_INET => found.array::<4>().map(|bytes| IpAddr::V4(Ipv4Addr::from(bytes))),
                AF_INET6 => found.array::<16>().map(|bytes| IpAddr::V6(Ipv6Addr::from(bytes))),
                _ => None,
            });
            let index = u32::from_ne_bytes([a, b, c, d]);
            if let (Some(address), Some(veth)) = (address, veths.iter_mut().find(|veth| veth.index == index)) {
                veth.addresses.push((address, length));
            }
        })?;
        Ok(())
    }

    /// This namespace's number for another one; `None` where it has none.
    pub(crate) fn nsid_of(&mut self, other: &Netns) -> Option<i32> {
        let handle = Machine::Host(HostMachine).netns_handle(other).ok()?;
        let reply = self.netlink.get(Request::new(RTM_GETNSID, 0).put(&[0; 4]).u32(NETNSA_FD, handle.number())).ok()?;
        let table = reply.message().attributes(4).table::<8>();
        table.i32(NETNSA_NSID).filter(|nsid| *nsid >= 0)
    }
}
