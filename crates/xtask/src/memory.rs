//! What idle things weigh: an allocator that keeps count, asked before and after many of them are made.

use std::alloc::System;

use cap::Cap;

use crate::lab::control::Machine;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// Bytes for each of `count` things that `make` makes.
pub(crate) fn each(count: u32, make: impl FnOnce(&mut Machine, u32)) -> f64 {
    let mut machine = Machine::new();
    // What is only allocated once is not theirs.
    machine.make_pairs(1);
    machine.learn(1);
    let before = ALLOCATOR.allocated();
    make(&mut machine, count);
    (ALLOCATOR.allocated() - before) as f64 / f64::from(count)
}

/// Bytes for an idle veth pair, an idle namespace with its `lo`, an address that a bridge has learned.
pub(crate) fn figures() -> [(&'static str, f64); 3] {
    [
        ("idle veth pair", each(10_000, Machine::make_pairs)),
        ("idle namespace with its lo", each(1_000, Machine::make_empty_namespaces)),
        ("learned address", each(100_000, Machine::learn)),
    ]
}
