//! What a frame costs. Prints and asserts nothing: `cargo test --release -p netloom-kernel speed -- --ignored --nocapture`.

use std::fs;

use crate::bridge::fdb::{Fdb, Key, LEARNED_LIMIT};
use crate::testing::{Lab, frame, mac};
use crate::types::{DevId, MacAddr};

const FRAMES: usize = 10_000_000;

fn address(number: usize) -> MacAddr {
    let [.., b, c, d] = (number as u64).to_be_bytes();
    MacAddr([2, 0xaa, 0, b, c, d])
}

/// Nanoseconds that this thread has had a processor for; others that want it don't count.
fn processor_time() -> u64 {
    let line = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    line.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or_default()
}

fn per_frame(what: &str, frames: usize, work: impl FnOnce()) {
    let start = processor_time();
    work();
    println!("{what}: {:.1} ns", (processor_time() - start) as f64 / frames as f64);
}

/// Hands frames to ports as they would come off the queue, and takes what leaves off the queue at once.
fn through(lab: &mut Lab, frames: &[(DevId, Vec<u8>)]) {
    for (dev, bytes) in frames.iter().cycle().take(FRAMES) {
        let frame = lab.kernel.frames.copy_from(bytes);
        lab.kernel.receive_frame(*dev, frame);
        while let Some((_, frame)) = lab.kernel.backlog.take(None) {
            lab.kernel.frames.recycle(frame);
        }
    }
}

#[test]
#[ignore = "a measurement"]
fn one_flow_between_two_ports() {
    let mut lab = Lab::default();
    let (_, ends) = lab.star(2);
    lab.send(ends[1].1, &frame(MacAddr::BROADCAST, mac(0xbb)));
    let frames = [(ends[0].0, frame(mac(0xbb), mac(0xaa)))];
    per_frame("received, forwarded and sent through a veth", FRAMES, || through(&mut lab, &frames));
    let nowhere = [(ends[0].0, frame(mac(0xaa), mac(0xaa)))];
    per_frame("received, and dropped by the bridge", FRAMES, || through(&mut lab, &nowhere));
    per_frame("made and recycled", FRAMES, || {
        for _ in 0..FRAMES {
            let frame = lab.kernel.frames.copy_from(&frames[0].1);
            lab.kernel.frames.recycle(std::hint::black_box(frame));
        }
    });
}

#[test]
#[ignore = "a measurement"]
fn many_addresses_on_many_ports() {
    let mut lab = Lab::default();
    let (bridge, mut ports) = lab.star(2);
    for n in 3..=1000u16 {
        let [high, low] = n.to_be_bytes();
        let pair = lab.veth(
            &format!("p{n}"),
            MacAddr([2, 1, 0, 0, high, low]),
            &format!("e{n}"),
            MacAddr([2, 2, 0, 0, high, low]),
        );
        lab.up(pair.0);
        lab.up(pair.1);
        lab.join(pair.0, bridge);
        ports.push(pair);
    }
    let count = 65_536;
    for number in 0..count {
        let port = ports[number % ports.len()];
        let unicast = lab.kernel.frames.copy_from(&frame(mac(0xff), address(number)));
        lab.kernel.receive_frame(port.0, unicast);
    }
    let scattered = |number: usize| number * 40_503 % count;
    let frames: Vec<_> = (0..count)
        .map(|number| {
            let (from, to) = (scattered(number), scattered(number + 7));
            (ports[from % ports.len()].0, frame(address(to), address(from)))
        })
        .collect();
    per_frame("65,536 addresses on 1,000 ports, at random", FRAMES, || through(&mut lab, &frames));
}

#[test]
#[ignore = "a measurement"]
fn the_database_alone() {
    for count in [2usize, 1024, 65_536] {
        let mut fdb = Fdb::with_seed(0x1234_5678_9abc_def1);
        let keys: Vec<Key> = (0..count).map(|number| Key::new(address(number), 0)).collect();
        for key in &keys {
            fdb.learn(fdb.seek(*key), 1, 0, LEARNED_LIMIT);
        }
        per_frame(&format!("learn and look up among {count}"), FRAMES, || {
            let mut at = 0;
            for _ in 0..FRAMES {
                at = (at + 40_503) & (count - 1);
                std::hint::black_box(fdb.learn(fdb.seek(keys[at]), 1, 0, LEARNED_LIMIT));
                std::hint::black_box(fdb.destination(fdb.seek(keys[count - 1 - at]), 0));
            }
        });
    }
}
