//! Frames from socket to socket: `cargo bench -p netloom-kernel --bench datapath`.

#[allow(dead_code, reason = "each bench uses its own part")]
mod lab;

use divan::Bencher;
use divan::counter::ItemsCount;
use lab::echo::Echo;
use lab::router::Router;
use lab::switch::{BATCH, Switch};

fn main() {
    divan::main();
}

fn batches(bencher: Bencher<'_, '_>, mut switch: Switch, sent: usize, received: usize) {
    bencher.counter(ItemsCount::new(received)).bench_local(|| assert_eq!(switch.batch(sent), received));
}

#[divan::bench(args = [64, 1514])]
fn pair(bencher: Bencher<'_, '_>, length: usize) {
    batches(bencher, Switch::pair(length), BATCH, BATCH);
}

#[divan::bench]
fn mixed(bencher: Bencher<'_, '_>) {
    batches(bencher, Switch::mixed(64), BATCH, BATCH);
}

#[divan::bench(args = [1, 9])]
fn chain(bencher: Bencher<'_, '_>, bridges: u32) {
    batches(bencher, Switch::chain(bridges, 1514), BATCH, BATCH);
}

#[divan::bench(args = [(2, 2), (64, 4096), (1023, 65_536)])]
fn random_flows(bencher: Bencher<'_, '_>, (ports, addresses): (u32, u32)) {
    batches(bencher, Switch::random(ports, addresses, 64), BATCH, BATCH);
}

#[divan::bench(args = [10, 100, 1000])]
fn flood(bencher: Bencher<'_, '_>, ports: u32) {
    batches(bencher, Switch::flood(ports, 1514), 1, ports as usize);
}

#[divan::bench]
fn guarded(bencher: Bencher<'_, '_>) {
    batches(bencher, Switch::guarded(64), BATCH, BATCH);
}

#[divan::bench(args = [100, 10_000, 100_000])]
fn routed(bencher: Bencher<'_, '_>, routes: u32) {
    let mut router = Router::new(routes);
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| assert_eq!(router.batch(BATCH), BATCH));
}

#[divan::bench]
fn icmp_echo(bencher: Bencher<'_, '_>) {
    let mut echo = Echo::new();
    bencher.bench_local(|| assert!(echo.round_trip()));
}
