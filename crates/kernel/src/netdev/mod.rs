//! What every device has: flags, counters, names, carrier and operstate, promiscuity.

mod address;
mod by_index;
mod filter;
mod flags;
mod moving;
mod mtu;
mod name;
mod nesting;
mod notifier;
mod operstate;
mod promiscuity;
mod register;
mod stats;

pub(crate) use by_index::ByIndex;
pub(crate) use filter::FilterList;
pub(crate) use flags::DevFlags;
pub(crate) use name::NameAssign;
pub(crate) use notifier::NetdevEvent;
pub(crate) use operstate::OperState;
pub(crate) use register::NewDevice;
pub(crate) use stats::{Incidents, Stats, Traffic};

use crate::drivers::DevKind;
use crate::types::{DevId, IfName, MacAddr, NsId};

/// How an address came to a device (`addr_assign_type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum AddrAssign {
    /// The driver's own.
    #[default]
    Permanent = 0,
    /// Made up at creation.
    Random = 1,
    /// Given by somebody.
    Set = 3,
}

/// A device's membership in a bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PortRef {
    /// The bridge.
    pub(crate) bridge: DevId,
    /// The port's number in it, from 1.
    pub(crate) number: u16,
}

/// One device. What a frame needs stays together, what most need last: next to the version by which the table of devices knows a key
/// from an old one.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Device {
    pub(crate) ns: NsId,
    pub(crate) name: IfName,
    /// IPv4 on this device; `None` where its MTU is too small for it.
    pub(crate) ipv4: Option<Box<crate::ipv4::Interface>>,
    /// IPv6 on this device; `None` where its MTU is too small for it.
    pub(crate) ipv6: Option<Box<crate::ipv6::Interface>>,
    /// What only control requests look at.
    pub(crate) info: Box<DevInfo>,
    /// The macvlans on it; a frame for one of them goes there.
    pub(crate) macvlans: Option<Box<crate::drivers::macvlan::Lower>>,
    pub(crate) ifindex: u32,
    pub(crate) broadcast: MacAddr,
    pub(crate) address: MacAddr,
    /// The bridge port it is; such a device's frames go to the bridge.
    pub(crate) port: Option<PortRef>,
    /// Packet sockets that see its frames; sockets bound to no device stand in each device's list of their namespace.
    pub(crate) taps: crate::socket::packet::Taps,
    pub(crate) carrier: bool,
    /// What it is, with what only that kind has.
    pub(crate) kind: DevKind,
    pub(crate) traffic: Traffic,
    pub(crate) mtu: u32,
    /// `IFF_…` as the kernel keeps them: with the effective `PROMISC` and `ALLMULTI`, without `RUNNING` and its like.
    pub(crate) flags: DevFlags,
}

/// The part of a device that only control requests look at.
#[derive(Debug)]
pub(crate) struct DevInfo {
    pub(crate) incidents: Incidents,
    pub(crate) addr_assign: AddrAssign,
    pub(crate) name_assign: NameAssign,
    /// The flags that somebody asked for (`PROMISC`, `ALLMULTI`), beside those that follow from use.
    pub(crate) requested_flags: DevFlags,
    /// How many reasons there are for promiscuous mode.
    pub(crate) promiscuity: u32,
    /// Whether the unicast filter is one of them.
    pub(crate) filter_promiscuity: bool,
    /// How many reasons there are for receiving every group.
    pub(crate) allmulti: u32,
    pub(crate) unicast_filter: FilterList,
    pub(crate) multicast_filter: FilterList,
    pub(crate) operstate: OperState,
    /// `IF_LINK_MODE_…`: 0 default, 1 dormant.
    pub(crate) link_mode: u8,
    pub(crate) carrier_up_count: u32,
    pub(crate) carrier_down_count: u32,
    /// Whether a transmit queue was ever set up (`noqueue` instead of `noop`).
    pub(crate) activated: bool,
    pub(crate) tx_queue_len: u32,
    pub(crate) group: u32,
    pub(crate) alias: Option<Box<str>>,
    pub(crate) altnames: Vec<Box<str>>,
    pub(crate) tx_queues: u32,
    pub(crate) rx_queues: u32,
    pub(crate) min_mtu: u32,
    pub(crate) max_mtu: u32,
    pub(crate) gso_max_size: u32,
    pub(crate) gso_max_segs: u32,
    pub(crate) gso_ipv4_max_size: u32,
    pub(crate) gro_max_size: u32,
    pub(crate) gro_ipv4_max_size: u32,
    pub(crate) tso_max_size: u32,
    pub(crate) tso_max_segs: u32,
    /// The offload switches that differ from the driver's defaults; ethtool's own.
    pub(crate) features: crate::ethtool::Features,
}

impl Device {
    /// Whether it is administratively up.
    #[inline]
    pub(crate) fn is_up(&self) -> bool {
        self.flags.contains(DevFlags::UP)
    }

    /// Whether what is sent through it gets as far as its driver, and before that to packet sockets: no cable and no queue takes a
    /// frame without a carrier.
    #[inline]
    pub(crate) fn takes_frames(&self) -> bool {
        self.carrier || !matches!(self.kind, DevKind::Veth(_) | DevKind::Tun(_))
    }

    /// Whether it is up and has a carrier: `LOWER_UP`.
    pub(crate) fn is_up_with_carrier(&self) -> bool {
        self.is_up() && self.carrier
    }

    /// The port that it is, where nobody but its bridge sees what it receives.
    #[inline(always)]
    pub(crate) fn quiet_port(&self) -> Option<PortRef> {
        self.port.filter(|_| !self.taps.see_incoming())
    }

    /// The device that it is linked to (`IFLA_LINK`): the other end of the cable, or the device below.
    pub(crate) fn link(&self) -> Option<DevId> {
        self.peer().or_else(|| self.macvlan().map(|macvlan| macvlan.lower))
    }

    /// The device at the other end of the cable, for a veth.
    #[inline]
    pub(crate) fn peer(&self) -> Option<DevId> {
        match &self.kind {
            DevKind::Veth(veth) => veth.peer,
            _ => None,
        }
    }
}
