//! Neighbours: who has which IP address on a link, and how sure we are (RFC 4861's states, for ARP too).
//!
//! The state machine in [`state`] is the same for both families; how an address is asked for is each family's own:
//! [`arp::solicit`] and [`ndisc::solicit`].

pub(crate) mod arp;
mod control;
mod gc;
pub(crate) mod ndisc;
mod params;
mod state;
mod table;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use slotmap::KeyData;

pub(crate) use control::{Change, add_proxy, change, delete, delete_proxy};
pub(crate) use params::Params;
pub(crate) use state::{times, touch};
pub(crate) use table::{NeighId, Neighbour, Tables, ntf, nud};

use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_HLEN, Frame};
use crate::ipv4::Conf;
use crate::netdev::NetdevEvent;
use crate::types::{DevId, MacAddr, NsId};

/// Something happened to a device.
pub(crate) fn netdev_event(kernel: &mut Kernel, dev: DevId, event: NetdevEvent) {
    match event {
        NetdevEvent::Change => {
            let Some(device) = kernel.devices.get(dev) else { return };
            if !device.carrier && kernel.conf_both(dev, Conf::ArpEvictNocarrier) {
                flush_device(kernel, dev, true, true);
            }
            if !kernel.devices.get(dev).is_some_and(|device| device.carrier) {
                flush_device(kernel, dev, false, true);
            }
        }
        NetdevEvent::ChangeAddress => {
            flush_device(kernel, dev, true, false);
            flush_device(kernel, dev, false, false);
            arp::announce(kernel, dev);
        }
        // IPv4 and IPv6 have flushed their own entries at the right moment before.
        NetdevEvent::Down => {
            flush_device(kernel, dev, true, false);
            flush_device(kernel, dev, false, false);
        }
        NetdevEvent::Unregister => {
            flush_device(kernel, dev, true, false);
            flush_device(kernel, dev, false, false);
            let Some(ns) = kernel.devices.get(dev).map(|device| device.ns) else { return };
            kernel.namespaces[ns].neighbours.forget_device(dev);
        }
        NetdevEvent::Register
        | NetdevEvent::Up
        | NetdevEvent::GoingDown
        | NetdevEvent::ChangeMtu
        | NetdevEvent::ChangeName => {}
    }
}

/// Takes out a device's entries of one family; those made by hand stay if `keep_permanent`.
pub(crate) fn flush_device(kernel: &mut Kernel, dev: DevId, ipv4: bool, keep_permanent: bool) {
    let Some(ns) = kernel.devices.get(dev).map(|device| device.ns) else { return };
    let doomed: Vec<NeighId> = kernel.namespaces[ns]
        .neighbours
        .iter()
        .filter(|(_, entry)| {
            entry.dev == dev && entry.is_ipv4() == ipv4 && !(keep_permanent && entry.state & nud::PERMANENT != 0)
        })
        .map(|(id, _)| id)
        .collect();
    for id in doomed {
        state::remove(kernel, ns, id);
    }
}

/// An entry's next step is due.
pub(crate) fn timer(kernel: &mut Kernel, ns: NsId, entry: u64) {
    state::timer(kernel, ns, NeighId::from(KeyData::from_ffi(entry)));
}

/// Sends a packet to a neighbour: `frame` is complete but for its Ethernet addresses. It waits in the neighbour's queue while
/// that is being asked for.
#[inline]
pub(crate) fn output(kernel: &mut Kernel, dev: DevId, next_hop: IpAddr, frame: Frame) -> Result<(), DropReason> {
    let now = kernel.now;
    if let Some(device) = kernel.devices.get(dev)
        && let Some(netns) = kernel.namespaces.get_mut(device.ns)
    {
        let entry = netns.neighbours.find(dev, next_hop).and_then(|id| netns.neighbours.get_mut(id));
        if let Some(entry) = entry
            && entry.state & nud::CONNECTED != 0
        {
            entry.used = now;
            let lladdr = entry.lladdr;
            return transmit_to(kernel, dev, lladdr, frame);
        }
    }
    state::output(kernel, dev, next_hop, frame)
}

/// Writes both Ethernet addresses and sends the frame.
#[inline]
fn transmit_to(kernel: &mut Kernel, dev: DevId, to: MacAddr, mut frame: Frame) -> Result<(), DropReason> {
    let from = kernel.devices.get(dev).map_or(MacAddr::ZERO, |device| device.address);
    if let Some(header) = kernel.frames.bytes_mut(&mut frame).first_chunk_mut::<ETH_HLEN>() {
        header[..6].copy_from_slice(&to.0);
        header[6..12].copy_from_slice(&from.0);
    }
    kernel.transmit(dev, frame)
}
