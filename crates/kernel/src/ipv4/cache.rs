//! What the routing tables said last, kept until somebody changes them: the next packet mostly goes where one went before.
//!
//! Kept is only what follows from the tables and the settings, without rules of the namespace's own: whoever changes one or the other
//! makes it forgotten. Devices, neighbours, groups and what was learned of single destinations are asked for every packet.

use std::cell::{Cell, OnceCell};
use std::net::{IpAddr, Ipv4Addr};
use std::ops::{Deref, DerefMut};

use super::fib::{Fib, Found, RTAX_MTU};
use super::input::Target;
use crate::types::DevId;

/// How many answers of each kind are kept.
const PLACES: usize = 8;

/// A namespace's tables, and what they said last. Whoever gets at the tables to change them makes that forgotten.
#[derive(Debug, Default)]
pub(crate) struct CachedFib {
    fib: Fib,
    /// Made when there is something to keep.
    said: OnceCell<Box<Said>>,
}

/// Each answer in the place that its key's hash names.
#[derive(Debug, Default)]
struct Said {
    ways: [Cell<Option<(WayKey, Way)>>; PLACES],
    own: [Cell<Option<(OwnKey, Target)>>; PLACES],
}

/// What the way to a destination depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WayKey {
    pub(super) destination: Ipv4Addr,
    /// Only through this device.
    pub(super) oif: Option<DevId>,
    pub(super) tos: u8,
}

/// What a lookup found, without the route that said so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    /// `RTN_…`, see [`super::kind`].
    pub(super) kind: u8,
    /// See [`super::scope`].
    pub(super) scope: u8,
    pub(super) table: u32,
    /// The source address that packets should have; 0.0.0.0: to be chosen.
    pub(super) source: Ipv4Addr,
    pub(super) dev: Option<DevId>,
    pub(super) gateway: Option<IpAddr>,
    /// 0: the device's.
    pub(super) mtu: u32,
}

/// What it depends on whether a packet that came in is for this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OwnKey {
    pub(super) dev: DevId,
    pub(super) source: Ipv4Addr,
    pub(super) destination: Ipv4Addr,
    pub(super) tos: u8,
}

impl Way {
    #[inline]
    pub(super) fn of(found: &Found<'_>) -> Way {
        Way {
            kind: found.alias.kind,
            scope: found.alias.scope,
            table: found.table,
            source: found.alias.source,
            dev: found.nexthop.dev,
            gateway: found.nexthop.gateway,
            mtu: found.alias.metric(RTAX_MTU),
        }
    }
}

/// Where an answer about addresses stands.
#[inline(always)]
fn place(address: u32) -> usize {
    (address.wrapping_mul(0x9e37_79b1) >> (32 - PLACES.ilog2())) as usize
}

/// An address as a number, whichever.
#[inline(always)]
fn number(address: Ipv4Addr) -> u32 {
    u32::from_ne_bytes(address.octets())
}

impl WayKey {
    #[inline(always)]
    fn place(self) -> usize {
        place(number(self.destination))
    }
}

impl OwnKey {
    #[inline(always)]
    fn place(self) -> usize {
        place(number(self.source) ^ number(self.destination))
    }
}

impl CachedFib {
    /// The way that the tables named for a key.
    #[inline(always)]
    pub(super) fn way(&self, key: WayKey) -> Option<Way> {
        let (known, way) = self.said.get()?.ways[key.place()].get()?;
        (known == key).then_some(way)
    }

    /// Keeps it.
    #[inline(always)]
    pub(super) fn keep_way(&self, key: WayKey, way: Way) {
        self.said().ways[key.place()].set(Some((key, way)));
    }

    #[inline(always)]
    fn said(&self) -> &Said {
        match self.said.get() {
            Some(said) => said,
            None => self.begin(),
        }
    }

    #[cold]
    #[inline(never)]
    fn begin(&self) -> &Said {
        self.said.get_or_init(Box::default)
    }

    /// What the destination of a packet that came in is to this host, if it is for this host.
    #[inline(always)]
    pub(super) fn own(&self, key: OwnKey) -> Option<Target> {
        let (known, target) = self.said.get()?.own[key.place()].get()?;
        (known == key).then_some(target)
    }

    /// Keeps it.
    pub(super) fn keep_own(&self, key: OwnKey, target: Target) {
        self.said().own[key.place()].set(Some((key, target)));
    }

    /// Something has changed that answers follow from.
    pub(super) fn forget(&mut self) {
        if let Some(said) = self.said.get_mut() {
            **said = Said::default();
        }
    }
}

impl Deref for CachedFib {
    type Target = Fib;

    #[inline]
    fn deref(&self) -> &Fib {
        &self.fib
    }
}

impl DerefMut for CachedFib {
    fn deref_mut(&mut self) -> &mut Fib {
        self.forget();
        &mut self.fib
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ipv4::fib::{Alias, Insert, Nexthop, Pattern, kind, scope, table};
    use crate::ipv4::rule::Rule;
    use crate::ipv4::sysctl::{self, Conf, ConfOf};
    use crate::ipv4::tests::Lab;
    use crate::ipv4::{self, Flow, Route, addr, exception, input_kind, insert_route, remove_route};
    use crate::netdev::NetdevEvent;
    use crate::types::NsId;
    use crate::{Errno, Kernel};

    /// The ways to a destination, and what a packet to it that comes in is to the host.
    type Answer = (Vec<Result<Route, Errno>>, Vec<Option<(u8, DevId)>>);

    /// How far those that are asked for together are apart.
    const APART: usize = 13;

    /// A host, its two devices, and their far ends.
    struct Host {
        lab: Lab,
        ns: NsId,
        near: [DevId; 2],
        far: [DevId; 2],
    }

    impl Host {
        fn new() -> Host {
            let mut lab = Lab::new();
            let (ns, other) = (lab.host(), lab.host());
            let (one, two) = (lab.cable((ns, 10), (other, 11)), lab.cable((ns, 12), (other, 13)));
            lab.address(one.0, [10, 1, 0, 1], 24);
            lab.address(two.0, [10, 2, 0, 1], 24);
            Host { lab, ns, near: [one.0, two.0], far: [one.1, two.1] }
        }

        fn route(&self, at: usize, kind: u8) -> Alias {
            let mut alias = Alias::on_link(kind, scope::UNIVERSE, self.near[at], Ipv4Addr::UNSPECIFIED);
            let gateway = Some(IpAddr::V4(Ipv4Addr::new(10, 1 + at as u8, 0, 2)));
            alias.nexthops[0] = Nexthop { gateway, scope: scope::LINK, ..alias.nexthops[0] };
            alias
        }

        /// What the host says of some destinations, on their way out and on their way in: of few, as many are not kept.
        fn answers(&self, first: usize) -> Vec<Answer> {
            let kernel = &self.lab.kernel;
            let to = [
                [10, 1, 0, 1],
                [10, 1, 0, 2],
                [10, 2, 0, 255],
                [10, 9, 0, 1],
                [10, 9, 1, 1],
                [10, 9, 1, 255],
                [127, 0, 0, 1],
                [224, 0, 0, 9],
                [255, 255, 255, 255],
            ];
            let from = [[10, 1, 0, 2], [10, 9, 1, 1], [127, 0, 0, 1]];
            let pairs = to.into_iter().flat_map(|to| from.map(|from| (from, to)));
            let both = pairs.flat_map(|(from, to)| [0, 8].map(|tos| (Ipv4Addr::from(from), Ipv4Addr::from(to), tos)));
            let lo = kernel.namespaces[self.ns].ipv4.loopback.unwrap();
            let answer = |(from, to, tos)| {
                let flow = Flow { tos, ..Flow::to(to) };
                let flows = [
                    flow,
                    Flow { source: from, any_source: true, ..flow },
                    Flow { source: Ipv4Addr::new(10, 1, 0, 1), ..flow },
                    Flow { oif: Some(self.near[1]), ..flow },
                ];
                let ways = flows.map(|flow| ipv4::lookup_here(kernel, self.ns, flow)).to_vec();
                let kinds = [self.near[0], self.near[1], lo].map(|dev| input_kind(kernel, dev, from, to)).to_vec();
                (ways, kinds)
            };
            both.skip(first % APART).step_by(APART).map(answer).collect()
        }

        fn forget(&mut self) {
            let _: &mut Fib = &mut self.lab.kernel.namespaces[self.ns].ipv4.fib;
        }

        /// Something of `what` kind is done to a device, a prefix …; whether it can be done doesn't matter.
        fn step(&mut self, what: u8, at: usize, more: u8) {
            let (ns, dev) = (self.ns, self.near[at]);
            let (prefix, length) = (Ipv4Addr::new(10, 9, more & 1, 0), [16, 24][usize::from(more & 1)]);
            let kernel: &mut Kernel = &mut self.lab.kernel;
            match what {
                0..=3 => {
                    let kind = [kind::UNICAST, kind::UNICAST, kind::UNICAST, kind::BLACKHOLE][usize::from(what)];
                    let alias = Alias { tos: (more & 2) << 2, ..self.route(at, kind) };
                    let _ = insert_route(&mut self.lab.kernel, ns, table::MAIN, prefix, length, alias, Insert::Replace);
                }
                4 => {
                    let mut alias = self.route(at, kind::UNICAST);
                    alias.nexthops.push(self.route(1 - at, kind::UNICAST).nexthops[0]);
                    let _ = insert_route(&mut self.lab.kernel, ns, table::MAIN, prefix, length, alias, Insert::Replace);
                }
                5 => {
                    let _ = remove_route(kernel, ns, table::MAIN, prefix, length, &Pattern::default());
                }
                6 if more & 1 == 0 => self.lab.down(dev),
                6 => self.lab.up(dev),
                7 if more & 1 == 0 => self.lab.down(self.far[at]),
                7 => self.lab.up(self.far[at]),
                8 => {
                    let label = kernel.devices[dev].name;
                    let address = addr::Address::new(Ipv4Addr::new(10, 9, more & 1, 1), 24, label.as_str());
                    let _ = addr::add(kernel, dev, address);
                }
                9 if kernel.addresses(dev).len() > 1 => {
                    addr::remove(kernel, dev, 1);
                }
                10 => {
                    let settings = [
                        Conf::Forwarding,
                        Conf::RpFilter,
                        Conf::IgnoreRoutesWithLinkdown,
                        Conf::AcceptLocal,
                        Conf::RouteLocalnet,
                    ];
                    let conf = settings[usize::from(more >> 1) % settings.len()];
                    let of = [ConfOf::Device(dev), ConfOf::All, ConfOf::Default][usize::from(more >> 5) % 3];
                    // A device may be without IPv4.
                    let _ = sysctl::set_conf(kernel, ns, of, conf, i32::from(more & 1));
                }
                11 => exception::learn_mtu(kernel, ns, Ipv4Addr::new(10, 9, more & 1, 1), 600 + u32::from(more)),
                // One is too small for IPv4.
                12 => {
                    kernel.devices[dev].mtu = if more & 7 == 0 { 67 } else { 1000 + u32::from(more) };
                    ipv4::netdev_event(kernel, dev, NetdevEvent::ChangeMtu);
                }
                13 if more < 8 => kernel.namespaces[ns].ipv4.rules.add(Rule::all(100, 7)),
                13 => {
                    let _ = kernel.namespaces[ns].ipv4.rules.remove(|rule| more < 32 && rule.table == table::MAIN);
                }
                14 => {
                    let _ = ipv4::igmp::join(kernel, dev, Ipv4Addr::new(224, 0, 0, 9));
                }
                _ => {}
            }
            self.lab.kernel.settle();
        }
    }

    proptest! {
        #[test]
        fn what_is_kept_is_what_would_be_found(
            steps in proptest::collection::vec((0u8..15, 0usize..2, any::<u8>(), 0..APART), 1..24),
        ) {
            let mut host = Host::new();
            for (what, at, more, first) in steps {
                host.answers(first);
                host.step(what, at, more);
                let kept = host.answers(first);
                host.forget();
                prop_assert_eq!(kept, host.answers(first), "after {:?}", (what, at, more));
            }
        }
    }

    #[test]
    fn answers_are_kept_until_the_tables_change() {
        let mut host = Host::new();
        let alias = host.route(0, kind::UNICAST);
        insert_route(&mut host.lab.kernel, host.ns, table::MAIN, [10, 9, 0, 0].into(), 16, alias, Insert::Exclusive)
            .unwrap();
        let ask = |host: &Host| {
            let kernel = &host.lab.kernel;
            ipv4::lookup(kernel, host.ns, &Flow { tos: 8, ..Flow::to([10, 9, 0, 1].into()) }).unwrap();
            input_kind(kernel, host.near[0], [10, 1, 0, 2].into(), [10, 1, 0, 1].into()).unwrap();
        };
        ask(&host);
        let fib = |host: &Host| {
            let fib = &host.lab.kernel.namespaces[host.ns].ipv4.fib;
            let way = fib.way(WayKey { destination: [10, 9, 0, 1].into(), oif: None, tos: 8 });
            let (source, destination) = ([10, 1, 0, 2].into(), [10, 1, 0, 1].into());
            let own = fib.own(OwnKey { dev: host.near[0], source, destination, tos: 0 });
            (way.and_then(|way| way.dev), own.map(|own| own.kind))
        };
        let kept = (Some(host.near[0]), Some(kind::LOCAL));
        assert_eq!(fib(&host), kept);
        // Nobody's route follows from a neighbour, or from what other devices do.
        host.step(11, 0, 1);
        host.step(12, 0, 1);
        assert_eq!(fib(&host), kept);
        let filter = (ConfOf::Device(host.near[0]), Conf::RpFilter);
        sysctl::set_conf(&mut host.lab.kernel, host.ns, filter.0, filter.1, 1).unwrap();
        assert_eq!(fib(&host), (None, None));
        ask(&host);
        assert_eq!(fib(&host), kept);
        host.step(0, 1, 1);
        assert_eq!(fib(&host), (None, None));
    }
}
