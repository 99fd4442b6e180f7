//! Looking ahead. In a large database the processor waits for nearly every entry that it is asked for: it waits once, and not for one
//! after the other, where it is asked for all of them first. Nothing else follows from it.

use std::hint::black_box;

use super::fdb::Key;
use super::input::Addresses;
use crate::Kernel;
use crate::frame::Frame;
use crate::types::DevId;

/// For how many frames it pays: for one there is nothing to ask for meanwhile, and what many need doesn't stay at hand until their turn
/// comes.
const FRAMES: std::ops::RangeInclusive<usize> = 4..=256;

/// Looks at what a bridge's database knows of the frames' stations.
#[inline(always)]
pub(super) fn fetch(kernel: &mut Kernel, bridge: DevId, frames: &[Frame]) {
    if FRAMES.contains(&frames.len()) {
        fetch_all(kernel, bridge, frames);
    }
}

#[inline(never)]
fn fetch_all(kernel: &mut Kernel, bridge: DevId, frames: &[Frame]) {
    let mut homes = std::mem::take(&mut kernel.homes);
    if let Some(bridge) = kernel.bridge(bridge).filter(|bridge| bridge.fdb.is_large()) {
        let mut before = None;
        for header in frames.iter().filter_map(Frame::header) {
            let addresses = Addresses::of(header);
            if Some(addresses) != before {
                before = Some(addresses);
                let Addresses { destination, source } = addresses;
                homes.extend([source, destination].map(|address| bridge.fdb.home(Key::from_bits(address, 0)) as u32));
            }
        }
        black_box(homes.iter().fold(0, |seen, home| seen ^ bridge.fdb.peek(*home)));
        homes.clear();
    }
    kernel.homes = homes;
}
