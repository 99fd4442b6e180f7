//! An `RTM_NEWLINK` message about a device, attribute by attribute in Linux's order.

use super::super::attr::{Header, NLA_F_NESTED, Writer};
use super::super::uapi::*;
use crate::Kernel;
use crate::drivers::DevKind;
use crate::netdev::{Device, OperState};
use crate::types::DevId;

/// What a message says beside the device's state.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct View {
    /// `ifi_change`.
    pub(crate) change: u32,
    /// `IFLA_EVENT`.
    pub(crate) event: Option<u32>,
    /// The number of the namespace that it moves to, and the ifindex that it gets there.
    pub(crate) moved: Option<(i32, u32)>,
    /// It is going: its queue, addresses and settings are gone already.
    pub(crate) leaving: bool,
    /// The number of the namespace that was asked about.
    pub(crate) target: Option<i32>,
}

/// Writes a message about a device.
pub(crate) fn link(kernel: &mut Kernel, dev: DevId, out: &mut Writer, header: Header, view: View) {
    // When a device is taken away its cable is already gone.
    let gone = view.leaving && view.moved.is_none() && !is_macvlan(kernel, dev);
    let nsid = if gone { None } else { peer_nsid(kernel, dev) };
    let Some(device) = kernel.devices.get(dev) else { return };
    out.message(header, |out| {
        out.raw(&if_info(device, AF_UNSPEC, view.change));
        if let Some(target) = view.target {
            out.u32(IFLA_TARGET_NETNSID, target as u32);
        }
        state(kernel, device, out);
        if let Some(event) = view.event {
            out.u32(IFLA_EVENT, event);
        }
        if device.kind.has_address() {
            out.put(IFLA_ADDRESS, &device.address.0);
            out.put(IFLA_BROADCAST, &device.broadcast.0);
        }
        stats(device, out);
        out.nest(IFLA_XDP, |out| out.u8(IFLA_XDP_ATTACHED, 0));
        link_info(kernel, dev, device, out);
        if let Some(nsid) = nsid {
            out.u32(IFLA_LINK_NETNSID, nsid as u32);
        }
        if let Some((nsid, ifindex)) = view.moved {
            out.u32(IFLA_NEW_NETNSID, nsid as u32);
            out.u32(IFLA_NEW_IFINDEX, ifindex);
        }
        // A veth whose peer is gone, or not there yet, is linked to nothing: 0.
        if let DevKind::Veth(_) | DevKind::Macvlan(_) = device.kind {
            let lower = kernel.lower_ifindex(dev).filter(|_| !gone).unwrap_or(0);
            if nsid.is_some() || lower != device.ifindex {
                out.u32(IFLA_LINK, lower);
            }
        }
        out.text(IFLA_QDISC, qdisc(device, view));
        out.nest(IFLA_AF_SPEC, |out| {
            if !view.leaving {
                out.nest_unless_empty(AF_INET.into(), |out| crate::ipv4::fill_af_spec(kernel, dev, out));
                out.nest_unless_empty(AF_INET6.into(), |out| crate::ipv6::fill_af_spec(kernel, dev, out));
            }
        });
        out.put(IFLA_MAP, &[0; 32]);
        out.nest_unless_empty(IFLA_PROP_LIST | NLA_F_NESTED, |out| {
            for name in &device.info.altnames {
                out.text(IFLA_ALT_IFNAME, name);
            }
        });
        out.nest(IFLA_DEVLINK_PORT | NLA_F_NESTED, |_| {});
        out.nest(IFLA_DPLL_PIN | NLA_F_NESTED, |_| {});
    });
}

fn is_macvlan(kernel: &Kernel, dev: DevId) -> bool {
    kernel.devices.get(dev).is_some_and(|device| device.macvlan().is_some())
}

/// The queue's discipline.
fn qdisc(device: &Device, view: View) -> &'static str {
    match device.info.tx_queues {
        _ if !device.info.activated || view.leaving => "noop",
        _ if !device.kind.has_queue() => "noqueue",
        1 => "pfifo_fast",
        _ => "mq",
    }
}

/// A `struct ifinfomsg`.
pub(crate) fn if_info(device: &Device, family: u8, change: u32) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[0] = family;
    bytes[2..4].copy_from_slice(&device.kind.hardware_type().to_ne_bytes());
    bytes[4..8].copy_from_slice(&device.ifindex.to_ne_bytes());
    bytes[8..12].copy_from_slice(&device.visible_flags().bits().to_ne_bytes());
    bytes[12..16].copy_from_slice(&change.to_ne_bytes());
    bytes
}

/// The operational state that is shown: a device that is down is down, whatever it was before.
pub(crate) fn operstate(device: &Device) -> OperState {
    if device.is_up() { device.info.operstate } else { OperState::Down }
}

/// Names, numbers and states: everything before the addresses.
fn state(kernel: &Kernel, device: &Device, out: &mut Writer) {
    let info = &device.info;
    let immutable = matches!(device.kind, DevKind::Loopback | DevKind::Bridge(_));
    out.text(IFLA_IFNAME, device.name.as_str());
    out.u32(IFLA_TXQLEN, info.tx_queue_len);
    out.u8(IFLA_OPERSTATE, operstate(device) as u8);
    out.u8(IFLA_LINKMODE, info.link_mode);
    out.u8(IFLA_NETNS_IMMUTABLE, immutable.into());
    out.u32(IFLA_MTU, device.mtu);
    out.u32(IFLA_MIN_MTU, info.min_mtu);
    out.u32(IFLA_MAX_MTU, info.max_mtu);
    out.u32(IFLA_GROUP, info.group);
    out.u32(IFLA_PROMISCUITY, info.promiscuity);
    out.u32(IFLA_ALLMULTI, info.allmulti);
    out.u32(IFLA_NUM_TX_QUEUES, info.tx_queues);
    out.u32(IFLA_GSO_MAX_SEGS, info.gso_max_segs);
    out.u32(IFLA_GSO_MAX_SIZE, info.gso_max_size);
    out.u32(IFLA_GRO_MAX_SIZE, info.gro_max_size);
    out.u32(IFLA_GSO_IPV4_MAX_SIZE, info.gso_ipv4_max_size);
    out.u32(IFLA_GRO_IPV4_MAX_SIZE, info.gro_ipv4_max_size);
    out.u32(IFLA_TSO_MAX_SIZE, info.tso_max_size);
    out.u32(IFLA_TSO_MAX_SEGS, info.tso_max_segs);
    out.u32(IFLA_MAX_PACING_OFFLOAD_HORIZON, 0);
    out.u32(IFLA_NUM_RX_QUEUES, info.rx_queues);
    if let Some(bridge) = device.port.and_then(|port| kernel.devices.get(port.bridge)) {
        out.u32(IFLA_MASTER, bridge.ifindex);
    }
    out.u8(IFLA_CARRIER, device.carrier.into());
    if let Some(alias) = &info.alias {
        out.text(IFLA_IFALIAS, alias);
    }
    out.u32(IFLA_CARRIER_CHANGES, info.carrier_up_count.wrapping_add(info.carrier_down_count));
    out.u32(IFLA_CARRIER_UP_COUNT, info.carrier_up_count);
    out.u32(IFLA_CARRIER_DOWN_COUNT, info.carrier_down_count);
    out.u16(IFLA_HEADROOM, 0);
    out.u16(IFLA_TAILROOM, 0);
    out.u8(IFLA_PROTO_DOWN, 0);
}

/// Counters, in 64 bits and in 32.
fn stats(device: &Device, out: &mut Writer) {
    let counts = device.stats().as_stats64();
    out.put(IFLA_STATS64, &stats64(device));
    let short: Vec<u8> = counts.iter().take(24).flat_map(|count| (*count as u32).to_ne_bytes()).collect();
    out.put(IFLA_STATS, &short);
}

/// A `struct rtnl_link_stats64`.
pub(crate) fn stats64(device: &Device) -> Vec<u8> {
    device.stats().as_stats64().iter().flat_map(|count| count.to_ne_bytes()).collect()
}

/// The kind, its settings, and those of the port that the device is.
fn link_info(kernel: &Kernel, dev: DevId, device: &Device, out: &mut Writer) {
    out.nest_unless_empty(IFLA_LINKINFO, |out| {
        if let Some(kind) = device.kind.name() {
            out.text(IFLA_INFO_KIND, kind);
        }
        match &device.kind {
            DevKind::Bridge(_) => {
                out.nest(IFLA_INFO_DATA, |out| crate::bridge::netlink::fill_info(kernel, dev, out));
            }
            DevKind::Macvlan(macvlan) => {
                out.nest(IFLA_INFO_DATA, |out| super::macvlan::fill_info(kernel, *macvlan, out));
            }
            DevKind::Tun(tun) => out.nest(IFLA_INFO_DATA, |out| tun.fill_info(out)),
            _ => {}
        }
        if device.port.is_some() {
            out.text(IFLA_INFO_SLAVE_KIND, "bridge");
            out.nest(IFLA_INFO_SLAVE_DATA, |out| crate::bridge::netlink::fill_port_info(kernel, dev, out));
        }
    });
}

/// What the device's namespace calls the one where the other end of its cable is; `None` where that is the same one.
/// Whoever asks first makes it choose a number.
pub(crate) fn peer_nsid(kernel: &mut Kernel, dev: DevId) -> Option<i32> {
    let device = kernel.devices.get(dev)?;
    let (ns, peer_ns) = (device.ns, kernel.devices.get(device.link()?)?.ns);
    (ns != peer_ns).then(|| kernel.nsid(ns, peer_ns))
}
