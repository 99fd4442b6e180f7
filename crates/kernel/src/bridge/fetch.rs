//! Looking ahead. In a large database the processor waits for nearly every entry that it is asked for: it waits once, and not for one
//! after the other, where it is asked for all of them first. Nothing else follows from it.

use std::hint::black_box;

use super::Bridge;
use super::fdb::Key;
use super::input::Addresses;
use crate::Kernel;
use crate::backlog::Backlog;
use crate::frame::Frame;

/// For how many frames it pays: for one there is nothing to ask for meanwhile, and what many need doesn't stay at hand until their turn
/// comes.
const FRAMES: std::ops::RangeInclusive<usize> = 4..=256;

/// Looks at what ports will need for the frames that wait for them.
#[inline(always)]
pub(crate) fn fetch(kernel: &mut Kernel, queue: &mut Backlog) {
    if FRAMES.contains(&queue.len()) {
        fetch_all(kernel, queue);
    }
}

#[inline(never)]
fn fetch_all(kernel: &mut Kernel, queue: &mut Backlog) {
    let mut homes = std::mem::take(&mut kernel.homes);
    let mut current = None;
    for (dev, burst) in queue.runs() {
        let Some(port) = kernel.devices.get(dev).and_then(|device| device.port) else { continue };
        if current != Some(port.bridge) {
            look(kernel, current.and_then(|bridge| kernel.bridge(bridge)), &mut homes);
            current = Some(port.bridge);
        }
        let Some(bridge) = kernel.bridge(port.bridge).filter(|bridge| bridge.fdb.is_large()) else { continue };
        let mut before = None;
        for header in burst.iter().filter_map(Frame::header) {
            let addresses = header.first_chunk::<12>();
            if addresses != before {
                before = addresses;
                let Addresses { destination, source } = Addresses::of(header);
                let home = |address| bridge.fdb.home(Key::from_bits(address, 0)) as u32;
                homes.push((home(source), home(destination)));
            }
        }
    }
    look(kernel, current.and_then(|bridge| kernel.bridge(bridge)), &mut homes);
    kernel.homes = homes;
}

/// Looks at entries, then at the ports behind which the destinations are and at the two ends of their cables.
fn look(kernel: &Kernel, bridge: Option<&Bridge>, homes: &mut Vec<(u32, u32)>) {
    if let Some(bridge) = bridge {
        black_box(
            homes
                .iter()
                .fold(0, |seen, (source, destination)| seen ^ bridge.fdb.peek(*source) ^ bridge.fdb.peek(*destination)),
        );
        let peers = homes.iter().filter_map(|(_, destination)| {
            let port = bridge.port(bridge.fdb.peek(*destination))?;
            let peer = kernel.devices.get(port.dev)?.peer()?;
            Some(kernel.devices.get(peer)?.mtu)
        });
        black_box(peers.fold(0, |seen, mtu| seen ^ mtu));
    }
    homes.clear();
}
