//! Requests by the thousand: `cargo bench -p netloom-kernel --bench control`.

#[allow(dead_code, reason = "each bench uses its own part")]
mod lab;

use divan::Bencher;
use divan::counter::ItemsCount;
use lab::control::{Machine, live_pair_requests, pair_requests};

fn main() {
    divan::main();
}

#[divan::bench(args = [100, 1_000, 10_000, 100_000], sample_count = 5)]
fn veth_pairs(bencher: Bencher<'_, '_>, count: u32) {
    let requests = pair_requests(0, count);
    bencher.counter(ItemsCount::new(count)).with_inputs(Machine::new).bench_local_values(|mut machine| {
        machine.send(&requests);
        machine
    });
}

#[divan::bench(args = [100, 1_000, 10_000], sample_count = 5)]
fn live_veth_pairs(bencher: Bencher<'_, '_>, count: u32) {
    let requests = live_pair_requests(0, count);
    bencher.counter(ItemsCount::new(count)).with_inputs(Machine::new).bench_local_values(|mut machine| {
        machine.send(&requests);
        machine
    });
}

#[divan::bench(args = [10, 100, 1_000], sample_count = 5)]
fn namespaces(bencher: Bencher<'_, '_>, count: u32) {
    bencher.counter(ItemsCount::new(count)).with_inputs(Machine::new).bench_local_values(|mut machine| {
        machine.make_namespaces(count);
        machine
    });
}

#[divan::bench(args = [500, 5_000, 10_000], sample_count = 5)]
fn dump_links(bencher: Bencher<'_, '_>, pairs: u32) {
    let mut machine = Machine::new();
    machine.make_pairs(pairs);
    bencher.counter(ItemsCount::new(2 * pairs)).bench_local(|| machine.dump_links());
}
