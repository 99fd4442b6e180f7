//! What is measured, by name.

use crate::lab::control::{Machine, live_pair_requests};
use crate::lab::echo::Echo;
use crate::lab::router::Router;
use crate::lab::switch::{BATCH, Switch};

/// A scenario: what it is called and how it is set up. What comes of that does the thing `n` times.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) setup: fn() -> Box<dyn FnMut(usize)>,
}

/// How many bridges a chain has: a frame takes one queue more than there are, and may take sixteen.
pub(crate) const BRIDGES: u32 = 9;

fn frames(mut switch: Switch, copies: usize) -> Box<dyn FnMut(usize)> {
    Box::new(move |mut count| {
        while count > 0 {
            let sent = (count.div_ceil(copies)).min(if copies > 1 { 1 } else { BATCH });
            let received = switch.batch(sent);
            assert_eq!(received, sent * copies, "nothing is lost");
            count = count.saturating_sub(received);
        }
    })
}

/// Frames through a router with that many routes.
pub(crate) fn routed(routes: u32) -> Box<dyn FnMut(usize)> {
    let mut router = Router::new(routes);
    Box::new(move |mut count| {
        while count > 0 {
            let sent = count.min(BATCH);
            assert_eq!(router.batch(sent), sent, "nothing is lost");
            count -= sent;
        }
    })
}

fn machine(work: impl Fn(&mut Machine, u32) + 'static) -> Box<dyn FnMut(usize)> {
    let mut machine = Machine::new();
    Box::new(move |count| work(&mut machine, count as u32))
}

/// All of them.
pub(crate) const ALL: &[Scenario] = &[
    Scenario { name: "pair-64", setup: || frames(Switch::pair(64), 1) },
    Scenario { name: "mixed-64", setup: || frames(Switch::mixed(64), 1) },
    Scenario { name: "pair-1514", setup: || frames(Switch::pair(1514), 1) },
    Scenario { name: "chain-1514", setup: || frames(Switch::chain(BRIDGES, 1514), 1) },
    Scenario { name: "guarded-64", setup: || frames(Switch::guarded(64), 1) },
    Scenario { name: "routed-64", setup: || routed(10_000) },
    Scenario { name: "routed-100000", setup: || routed(100_000) },
    Scenario {
        name: "route-get",
        setup: || {
            let mut router = Router::new(10_000);
            Box::new(move |count| (0..count).for_each(|_| router.route_get()))
        },
    },
    Scenario { name: "random-1023-ports", setup: || frames(Switch::random(1023, 65_536, 64), 1) },
    Scenario { name: "flood-1000-ports", setup: || frames(Switch::flood(1000, 1514), 1000) },
    Scenario {
        name: "icmp-echo",
        setup: || {
            let mut echo = Echo::new();
            Box::new(move |count| (0..count).for_each(|_| assert!(echo.round_trip())))
        },
    },
    Scenario { name: "veth-pairs", setup: || machine(Machine::make_pairs) },
    Scenario {
        name: "live-veth-pairs",
        setup: || machine(|machine, count| machine.send(&live_pair_requests(0, count))),
    },
    Scenario { name: "empty-namespaces", setup: || machine(Machine::make_empty_namespaces) },
    Scenario { name: "namespaces", setup: || machine(Machine::make_namespaces) },
    Scenario {
        name: "dump-links",
        setup: || {
            let mut machine = Machine::new();
            machine.make_pairs(1000);
            Box::new(move |count| (0..count / 2002).for_each(|_| assert!(machine.dump_links() > 0)))
        },
    },
];

/// Sets a scenario up.
pub(crate) fn setup(name: &str) -> Box<dyn FnMut(usize)> {
    let scenario = ALL.iter().find(|scenario| scenario.name == name).expect("a scenario of that name");
    (scenario.setup)()
}

/// Sets a scenario up and goes through it once: what an instruction counter looks at.
pub(crate) fn once(name: &str, count: usize) {
    setup(name)(count);
}
