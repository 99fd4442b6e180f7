//! Frames as they come in by ports: who sent them, and to whom.

use std::hint::black_box;

use super::Key;
use super::fdb::{Fdb, Sought};
use crate::frame::{ETH_HLEN, Frame};
use crate::types::DevId;

/// Destination and source address as numbers; 0 in a frame that is too short for a header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Addresses {
    pub(super) destination: u64,
    pub(super) source: u64,
}

impl Addresses {
    #[inline(always)]
    fn of(frame: &Frame) -> Addresses {
        frame.header().map(Addresses::of_header).unwrap_or_default()
    }

    #[inline(always)]
    fn of_header(header: &[u8; ETH_HLEN]) -> Addresses {
        // Eight bytes in one load each; what is too much is cut off.
        let number = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |bytes| u64::from_be_bytes(*bytes));
        let (destination, source) = (number(header.first_chunk()), number(header[4..].first_chunk()));
        Addresses { destination: destination >> 16, source: source << 16 >> 16 }
    }
}

/// Frames in a row that came in by a port, from one station to another. Where the first does nothing but leave by a port all do, as
/// nothing that a bridge knows changes between them; longer ones might not fit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(super) dev: DevId,
    /// The port's number.
    pub(super) number: u16,
    pub(super) frames: usize,
    /// Of the first frame; none is longer.
    pub(super) length: usize,
    pub(super) addresses: Addresses,
    /// Where the database looks for source and destination, once it was asked.
    homes: [u32; 2],
}

impl Arrival {
    #[inline(always)]
    pub(crate) fn of(dev: DevId, number: u16, frame: &Frame) -> Arrival {
        Arrival { dev, number, frames: 1, length: frame.len(), addresses: Addresses::of(frame), homes: [0; 2] }
    }

    /// Puts down frames that came in by a port.
    #[inline(always)]
    pub(crate) fn put_down(into: &mut Vec<Arrival>, dev: DevId, number: u16, frames: &[Frame]) {
        let Some((first, others)) = frames.split_first() else { return };
        // Made where it stays: what is copied there would have to be waited for.
        into.push(Arrival::of(dev, number, first));
        if !others.is_empty() {
            Arrival::put_down_more(into, dev, number, others);
        }
    }

    /// Puts down frames that follow the last.
    #[inline(never)]
    fn put_down_more(into: &mut Vec<Arrival>, dev: DevId, number: u16, frames: &[Frame]) {
        let mut last = into.last().map(|last| (last.addresses, last.length));
        let mut more = 0;
        let add = |into: &mut Vec<Arrival>, more| {
            if let Some(last) = into.last_mut() {
                last.frames += more;
            }
        };
        for frame in frames {
            let next = (Addresses::of(frame), frame.len());
            if last.is_some_and(|(addresses, length)| next.0 == addresses && next.1 <= length) {
                more += 1;
            } else {
                add(into, std::mem::take(&mut more));
                last = Some(next);
                into.push(Arrival::of(dev, number, frame));
            }
        }
        add(into, more);
    }

    #[inline(always)]
    pub(super) fn source(&self) -> Sought {
        Sought { key: Key::from_bits(self.addresses.source, 0), home: self.homes[0] }
    }

    #[inline(always)]
    pub(super) fn destination(&self) -> Sought {
        Sought { key: Key::from_bits(self.addresses.destination, 0), home: self.homes[1] }
    }

    /// Finds out where the database looks for the station.
    #[inline(always)]
    pub(super) fn seek(&mut self, fdb: &Fdb) {
        let Addresses { destination, source } = self.addresses;
        self.homes = [source, destination].map(|address| fdb.seek(Key::from_bits(address, 0)).home);
    }
}

/// For how many arrivals it pays to look ahead.
const FEW: usize = 4;

/// Finds out where the database looks for all these stations. In a large one the processor waits for nearly every entry that it is
/// asked for: it waits once, and not for one after the other, where it is asked for all of them first.
#[inline(always)]
pub(super) fn seek(fdb: &Fdb, arrivals: &mut [Arrival]) {
    arrivals.iter_mut().for_each(|arrival| arrival.seek(fdb));
    if fdb.is_large() && arrivals.len() >= FEW {
        black_box(arrivals.iter().flat_map(|arrival| arrival.homes).fold(0, |seen, home| seen ^ fdb.peek(home)));
    }
}
