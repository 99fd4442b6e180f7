//! The devices of one namespace, as rtnetlink describes them.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netloom_machine::netlink::{Attribute, Attributes, Error, Message, Netlink, Request};

use super::far::Far;

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const RTM_GETLINK: u16 = 18;
const RTM_GETADDR: u16 = 22;
const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_LINK: u16 = 5;
const IFLA_MASTER: u16 = 10;
const IFLA_LINKINFO: u16 = 18;
const IFLA_PROMISCUITY: u16 = 30;
const IFLA_LINK_NETNSID: u16 = 37;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const IFLA_INFO_SLAVE_KIND: u16 = 4;
const IFLA_INFO_SLAVE_DATA: u16 = 5;
const IFLA_BRPORT_STATE: u16 = 1;
const IFLA_VLAN_ID: u16 = 1;
const IFLA_VXLAN_ID: u16 = 1;
const IFLA_MACVLAN_MODE: u16 = 1;
const IFLA_TUN_TYPE: u16 = 3;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
/// Lengths of `struct ifinfomsg` and `struct ifaddrmsg`.
const LINK_HEADER: usize = 16;
const ADDRESS_HEADER: usize = 8;
const IFF_UP: u32 = 1;
const IFF_LOOPBACK: u32 = 1 << 3;
const IFF_RUNNING: u32 = 1 << 6;
const ARPHRD_ETHER: u16 = 1;
/// By number.
const PORT_STATES: [&str; 5] = ["disabled", "listening", "learning", "forwarding", "blocking"];
const MACVLAN_MODES: [(u32, &str); 5] = [(1, "private"), (2, "vepa"), (4, "bridge"), (8, "passthru"), (16, "source")];

/// A network device.
#[derive(Clone, Debug, Default)]
pub(crate) struct Device {
    pub(crate) name: String,
    pub(crate) index: u32,
    /// `veth`, `bridge`, `vlan` …; `loopback` and `ethernet` where the kernel names no kind; else nothing.
    pub(crate) kind: String,
    /// What distinguishes it among its kind: a VLAN's number, a macvlan's mode.
    pub(crate) detail: Option<String>,
    /// Administratively.
    pub(crate) up: bool,
    /// `IFF_RUNNING`.
    pub(crate) running: bool,
    /// How many reasons there are for promiscuous mode.
    pub(crate) promiscuity: u32,
    pub(crate) mtu: u32,
    /// Its hardware address.
    pub(crate) address: Option<String>,
    /// The ifindex of the device that it is a port of, in the same namespace.
    pub(crate) master: Option<u32>,
    /// Of a bridge's port.
    pub(crate) port_state: Option<&'static str>,
    /// Its addresses, in the kernel's order.
    pub(crate) addresses: Vec<Address>,
    /// The ifindex that it leads to, in that device's namespace.
    pub(super) link: Option<u32>,
    /// This namespace's number for that one; `None` where it is the same one.
    pub(super) link_nsid: Option<i32>,
    /// A veth's peer; the lower device of others.
    pub(crate) far: Option<Far>,
}

/// An address of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) local: IpAddr,
    /// The other end of a point-to-point link.
    pub(crate) peer: Option<IpAddr>,
    /// The prefix's length.
    pub(crate) length: u8,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.peer {
            None => write!(f, "{}/{}", self.local, self.length),
            Some(peer) => write!(f, "{} peer {peer}/{}", self.local, self.length),
        }
    }
}

impl Address {
    /// An address of its link alone, which every device has from itself.
    pub(crate) fn is_of_link(&self) -> bool {
        match self.local {
            IpAddr::V4(address) => address.is_link_local(),
            IpAddr::V6(address) => address.is_unicast_link_local(),
        }
    }
}

impl Device {
    pub(crate) fn is_veth(&self) -> bool {
        self.kind == "veth"
    }

    /// `lo` with no addresses but those that every one has.
    pub(crate) fn is_plain_loopback(&self) -> bool {
        self.kind == "loopback" && self.addresses.iter().all(|address| address.local.is_loopback())
    }

    /// A device that a kernel makes in every namespace for a kind of tunnel, and that nobody has done anything with.
    pub(crate) fn is_unused_tunnel(&self) -> bool {
        const KINDS: [&str; 10] =
            ["ipip", "gre", "gretap", "erspan", "ip6gre", "ip6gretap", "ip6erspan", "ip6tnl", "sit", "vti"];
        let kind = KINDS.contains(&self.kind.as_str()) || self.kind == "vti6";
        kind && !self.up && self.addresses.is_empty() && self.master.is_none() && self.far.is_none()
    }

    fn parse(message: &Message<'_>) -> Option<Device> {
        let number = |at: usize| message.payload.get(at..)?.first_chunk().copied().map(u32::from_ne_bytes);
        let hardware = message.payload.get(2..)?.first_chunk().copied().map(u16::from_ne_bytes)?;
        let (index, flags) = (number(4)?, number(8)?);
        let table = message.attributes(LINK_HEADER).table::<64>();
        let info = table.nested(IFLA_LINKINFO).table::<8>();
        let kind = match info.get(IFLA_INFO_KIND) {
            Some(kind) => text(kind),
            None if flags & IFF_LOOPBACK != 0 => "loopback".to_owned(),
            None if hardware == ARPHRD_ETHER => "ethernet".to_owned(),
            None => String::new(),
        };
        let data = info.nested(IFLA_INFO_DATA);
        let port = info.get(IFLA_INFO_SLAVE_KIND).is_some_and(|kind| kind.string() == "bridge");
        let state = || info.nested(IFLA_INFO_SLAVE_DATA).find(IFLA_BRPORT_STATE)?.u8();
        let mac = |address: Attribute<'_>| {
            let bytes: Vec<String> = address.value.iter().map(|byte| format!("{byte:02x}")).collect();
            bytes.join(":")
        };
        Some(Device {
            name: table.get(IFLA_IFNAME).map(text).unwrap_or_default(),
            index,
            detail: detail(&kind, data),
            kind,
            up: flags & IFF_UP != 0,
            running: flags & IFF_RUNNING != 0,
            promiscuity: table.u32(IFLA_PROMISCUITY).unwrap_or(0),
            mtu: table.u32(IFLA_MTU).unwrap_or(0),
            address: table.get(IFLA_ADDRESS).filter(|address| !address.value.is_empty()).map(mac),
            master: table.u32(IFLA_MASTER).filter(|master| *master != 0),
            port_state: state().filter(|_| port).and_then(|state| PORT_STATES.get(usize::from(state)).copied()),
            addresses: Vec::new(),
            link: table.u32(IFLA_LINK).filter(|link| *link != 0),
            link_nsid: table.i32(IFLA_LINK_NETNSID),
            far: None,
        })
    }
}

/// Text up to its zero. A name may have bytes that are none.
fn text(attribute: Attribute<'_>) -> String {
    let bytes = attribute.value.split(|&byte| byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(bytes).into_owned()
}

fn detail(kind: &str, data: Attributes<'_>) -> Option<String> {
    match kind {
        "vlan" => data.find(IFLA_VLAN_ID)?.u16().map(|id| id.to_string()),
        "vxlan" => data.find(IFLA_VXLAN_ID)?.u32().map(|id| id.to_string()),
        "macvlan" | "macvtap" => {
            let mode = data.find(IFLA_MACVLAN_MODE)?.u32()?;
            MACVLAN_MODES.iter().find(|(number, _)| *number == mode).map(|(_, name)| (*name).to_owned())
        }
        "tun" => data.find(IFLA_TUN_TYPE)?.u8().and_then(|kind| match kind {
            1 => Some("tun".to_owned()),
            2 => Some("tap".to_owned()),
            _ => None,
        }),
        _ => None,
    }
}

/// The devices of the namespace that a socket is in, by ifindex. What changes meanwhile may be missing: it wasn't there all
/// the time.
pub(super) fn read(netlink: &mut Netlink) -> Result<Vec<Device>, Error> {
    let mut devices: Vec<Device> = Vec::new();
    let _ = netlink.dump(Request::new(RTM_GETLINK, 0).put(&[0; LINK_HEADER]), |message| {
        devices.extend(Device::parse(&message));
    })?;
    devices.sort_by_key(|device| device.index);
    devices.dedup_by_key(|device| device.index);
    let places: HashMap<u32, usize> = devices.iter().enumerate().map(|(at, device)| (device.index, at)).collect();
    let _ = netlink.dump(Request::new(RTM_GETADDR, 0).put(&[0; ADDRESS_HEADER]), |message| {
        let Some((index, address)) = parse_address(&message) else { return };
        if let Some(device) = places.get(&index).and_then(|&at| devices.get_mut(at)) {
            device.addresses.push(address);
        }
    })?;
    Ok(devices)
}

fn parse_address(message: &Message<'_>) -> Option<(u32, Address)> {
    let &[family, length, _, _, a, b, c, d] = message.payload.first_chunk::<ADDRESS_HEADER>()?;
    let table = message.attributes(ADDRESS_HEADER).table::<16>();
    let ip = |kind: u16| match family {
        AF_INET => table.get(kind)?.array::<4>().map(|bytes| IpAddr::V4(Ipv4Addr::from(bytes))),
        AF_INET6 => table.get(kind)?.array::<16>().map(|bytes| IpAddr::V6(Ipv6Addr::from(bytes))),
        _ => None,
    };
    let (local, address) = (ip(IFA_LOCAL), ip(IFA_ADDRESS));
    let local = local.or(address)?;
    let peer = address.filter(|address| *address != local);
    Some((u32::from_ne_bytes([a, b, c, d]), Address { local, peer, length }))
}
