//! How things grow: what a frame, a pair, a link, a namespace costs where there are few or many.

use std::hint::black_box;

use crate::lab::control::{Machine, live_pair_requests, pair_requests};
use crate::lab::switch::{BATCH, Switch};
use crate::memory;
use crate::report::{spread, timed};

/// Points of a curve: how many there are, what one costs.
pub(crate) type Curve = Vec<(u32, f64)>;

/// All curves.
pub(crate) struct Growth {
    /// Nanoseconds for a frame against ports, 1,024 flows between 2,048 addresses.
    pub(crate) ports: Curve,
    /// Nanoseconds for a frame against flows between as many addresses, 64 ports.
    pub(crate) flows: Curve,
    /// Nanoseconds for a veth pair against pairs: down, and up.
    pub(crate) pairs: Curve,
    pub(crate) live_pairs: Curve,
    /// Nanoseconds for a port against ports of the bridge, each with a namespace at its far end.
    pub(crate) members: Curve,
    /// Nanoseconds for a link of a list against links.
    pub(crate) links: Curve,
    /// Bytes for a namespace against namespaces.
    pub(crate) namespaces: Curve,
}

fn frame(mut switch: Switch, frames: usize) -> f64 {
    let batches = frames / BATCH;
    let mut round = || timed(batches * BATCH, || (0..batches).for_each(|_| assert_eq!(switch.batch(BATCH), BATCH)));
    round();
    let times: Vec<f64> = (0..5).map(|_| round()).collect();
    spread(&times).0
}

/// What each of `count` costs that `work` makes on a fresh machine; the few are made often.
fn made(count: u32, work: impl Fn(&mut Machine)) -> f64 {
    let each = || {
        let mut machine = Machine::new();
        timed(count as usize, || work(&mut machine))
    };
    let times: Vec<f64> = (0..(3_000 / count).clamp(3, 300)).map(|_| each()).collect();
    spread(&times).0
}

fn link(pairs: u32) -> f64 {
    let mut machine = Machine::new();
    machine.make_pairs(pairs);
    let mut list = || timed(2 * pairs as usize + 2, || assert!(black_box(machine.dump_links()) > 0));
    let times: Vec<f64> = (0..(1_000 / pairs).clamp(3, 100)).map(|_| list()).collect();
    spread(&times).0
}

/// Measures them; `quick` leaves the largest out.
pub(crate) fn measure(quick: bool) -> Growth {
    let most = if quick { 10_000 } else { 100_000 };
    let (frames, largest) = (100_000, if quick { 4_096 } else { 65_536 });
    let upto = |most: u32, counts: &[u32], each: &dyn Fn(u32) -> f64| -> Curve {
        counts.iter().filter(|count| **count <= most).map(|count| (*count, each(*count))).collect()
    };
    let decades = [1, 10, 100, 1_000, 10_000, 100_000];
    Growth {
        ports: upto(1_023, &[2, 8, 32, 128, 512, 1_023], &|ports| {
            frame(Switch::flows(ports, 2_048, 1_024, 64), frames)
        }),
        flows: upto(largest, &[1, 16, 256, 4_096, 65_536], &|flows| {
            frame(Switch::flows(64, flows.max(128), flows, 64), frames)
        }),
        pairs: upto(most, &decades, &|count| {
            let requests = pair_requests(0, count);
            made(count, |machine| machine.send(&requests))
        }),
        live_pairs: upto(most / 10, &decades, &|count| {
            let requests = live_pair_requests(0, count);
            made(count, |machine| machine.send(&requests))
        }),
        members: upto(1_023, &[1, 10, 100, 1_000], &|count| made(count, |machine| machine.make_namespaces(count))),
        links: upto(most / 2, &[1, 10, 100, 1_000, 10_000, 50_000], &link),
        namespaces: upto(most, &decades[..5], &|count| memory::each(count, Machine::make_empty_namespaces)),
    }
}
