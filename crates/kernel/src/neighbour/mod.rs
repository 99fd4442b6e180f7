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
pub(crate) use table::{NeighId, Neighbour, Place, Tables, ntf, nud};

use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::frame::Frame;
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

/// The Ethernet addresses, destination first, of frames to a neighbour that is known, and which is used now. `None` where it has to
/// be asked for first.
#[inline(always)]
pub(crate) fn link_addresses(kernel: &mut Kernel, dev: DevId, next_hop: &Place) -> Option<[u8; 12]> {
    let Kernel { devices, namespaces, now, .. } = kernel;
    let device = devices.get(dev)?;
    let neighbours = &mut namespaces.get_mut(device.ns)?.neighbours;
    let (id, entry) = neighbours.find_used(next_hop).filter(|(_, entry)| entry.state & nud::VALID != 0)?;
    entry.used = *now;
    let mut addresses = [0; 12];
    addresses[..6].copy_from_slice(&entry.lladdr.0);
    addresses[6..].copy_from_slice(&device.address.0);
    if entry.state & nud::STALE != 0 {
        let ns = device.ns;
        state::use_now(kernel, ns, id);
    }
    Some(addresses)
}

/// Sends a packet to a neighbour: `frame` is complete but for its Ethernet addresses. It waits in the neighbour's queue while
/// that is being asked for.
#[inline]
pub(crate) fn output(kernel: &mut Kernel, dev: DevId, next_hop: IpAddr, frame: Frame) -> Result<(), DropReason> {
    match link_addresses(kernel, dev, &Place::of(dev, &next_hop)) {
        Some(addresses) => transmit_with(kernel, dev, &addresses, frame),
        None => state::output(kernel, dev, next_hop, frame),
    }
}

/// Sends a frame to an address on the link.
fn transmit_to(kernel: &mut Kernel, dev: DevId, to: MacAddr, frame: Frame) -> Result<(), DropReason> {
    let from = kernel.devices.get(dev).map_or(MacAddr::ZERO, |device| device.address);
    let mut addresses = [0; 12];
    addresses[..6].copy_from_slice(&to.0);
    addresses[6..].copy_from_slice(&from.0);
    transmit_with(kernel, dev, &addresses, frame)
}

/// Writes both Ethernet addresses and sends the frame.
#[inline]
fn transmit_with(kernel: &mut Kernel, dev: DevId, addresses: &[u8; 12], mut frame: Frame) -> Result<(), DropReason> {
    if let Some(header) = kernel.frames.bytes_mut(&mut frame).first_chunk_mut::<12>() {
        *header = *addresses;
    }
    kernel.transmit(dev, frame)
}
