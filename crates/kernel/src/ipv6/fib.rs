//! The routing tables: by prefix, then by metric, with Linux's rules for what may stand beside what.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use super::prefix::Prefix;
use crate::error::{Errno, Result};
use crate::types::{DevId, Instant};

pub(crate) use crate::ipv4::fib::{RTAX_COUNT, RTAX_MTU, kind, protocol, table};

/// `RTN_ANYCAST`.
pub(crate) const ANYCAST: u8 = 4;
/// The metric of routes that somebody makes without one.
pub(crate) const USER_METRIC: u32 = 1024;
/// The metric of the routes that come with addresses.
pub(crate) const ADDRESS_METRIC: u32 = 256;

/// One way on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nexthop {
    pub(crate) dev: DevId,
    /// `None`: what the route covers is on the link.
    pub(crate) gateway: Option<Ipv6Addr>,
    /// The gateway is taken to be on the link, whatever the tables say (`onlink`).
    pub(crate) onlink: bool,
    /// Its share of the traffic, less one.
    pub(crate) weight: u8,
}

/// One of the routes to a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// `RTN_…`.
    pub(crate) kind: u8,
    /// `RTPROT_…`.
    pub(crate) protocol: u8,
    /// The smallest is used.
    pub(crate) metric: u32,
    /// `ICMPV6_ROUTER_PREF_…`.
    pub(crate) preference: u8,
    /// The source address that packets should have; `::`: to be chosen.
    pub(crate) source: Ipv6Addr,
    /// One, or more that share the traffic.
    pub(crate) hops: Vec<Nexthop>,
    /// By `RTAX_…`; 0 where nothing is set.
    pub(crate) metrics: Option<Box<[u32; RTAX_COUNT]>>,
    pub(crate) expires: Option<Instant>,
}

impl Entry {
    /// A route to what is on a device's link, made by the kernel itself.
    pub(crate) fn on_link(kind: u8, dev: DevId, metric: u32) -> Entry {
        Entry {
            kind,
            protocol: protocol::KERNEL,
            metric,
            preference: 0,
            source: Ipv6Addr::UNSPECIFIED,
            hops: vec![Nexthop { dev, gateway: None, onlink: false, weight: 0 }],
            metrics: None,
            expires: None,
        }
    }

    /// A metric's value; 0 where it isn't set.
    pub(crate) fn metric(&self, number: usize) -> u32 {
        self.metrics.as_ref().and_then(|metrics| metrics.get(number).copied()).unwrap_or(0)
    }

    /// Whether packets that it covers are refused.
    pub(crate) fn refuses(&self) -> bool {
        matches!(self.kind, kind::BLACKHOLE | kind::UNREACHABLE | kind::PROHIBIT | kind::THROW)
    }

    /// Only routes through gateways share traffic.
    pub(super) fn may_share(&self) -> bool {
        !self.hops.is_empty() && self.hops.iter().all(|hop| hop.gateway.is_some()) && self.expires.is_none()
    }

    pub(super) fn leads_as(&self, other: &Entry) -> bool {
        let same = |(one, two): (&Nexthop, &Nexthop)| (one.dev, one.gateway) == (two.dev, two.gateway);
        self.hops.len() == other.hops.len() && self.hops.iter().zip(&other.hops).all(same)
    }
}

/// How a route goes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Insert {
    /// Only where there is none with its metric.
    Exclusive,
    /// Beside those that are there.
    Append,
    /// Instead of one that is there; `create`: or anew.
    Replace { create: bool },
}

/// Which route is to go; what is `None` or empty fits all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pattern {
    pub(crate) kind: Option<u8>,
    pub(crate) protocol: Option<u8>,
    pub(crate) metric: Option<u32>,
    pub(crate) hops: Vec<(Option<DevId>, Option<Ipv6Addr>)>,
}

impl Pattern {
    pub(super) fn fits(&self, entry: &Entry) -> bool {
        self.kind.is_none_or(|kind| kind == entry.kind)
            && self.protocol.is_none_or(|protocol| protocol == entry.protocol)
            && self.metric.is_none_or(|metric| metric == entry.metric)
            && self.hops.iter().all(|(dev, gateway)| {
                let fits = |hop: &Nexthop| {
                    dev.is_none_or(|dev| dev == hop.dev) && gateway.is_none_or(|gateway| Some(gateway) == hop.gateway)
                };
                entry.hops.iter().any(fits)
            })
    }
}

/// A prefix as bits, with those beyond its length cleared.
pub(crate) fn prefix_bits(address: Ipv6Addr, length: u8) -> u128 {
    address.to_bits() & mask(length)
}

fn mask(length: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(length.min(128))).unwrap_or(0)
}

/// One table: the lengths that prefixes have, the longest first, with the prefixes of each.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<(u8, BTreeMap<u128, Prefix>)>);

impl Table {
    fn prefix_mut(&mut self, address: Ipv6Addr, length: u8) -> &mut Prefix {
        let at = match self.0.binary_search_by(|(own, _)| length.cmp(own)) {
            Ok(at) => at,
            Err(at) => {
                self.0.insert(at, (length, BTreeMap::new()));
                at
            }
        };
        self.0[at].1.entry(prefix_bits(address, length)).or_default()
    }

    fn tidy(&mut self) {
        for (_, prefixes) in &mut self.0 {
            prefixes.retain(|_, prefix| !prefix.is_empty());
        }
        self.0.retain(|(_, prefixes)| !prefixes.is_empty());
    }

    /// The routes of every prefix that covers `address`, the longest first.
    #[inline]
    pub(crate) fn matches(&self, address: Ipv6Addr) -> impl Iterator<Item = (u8, &[Entry])> {
        self.0.iter().filter_map(move |(length, prefixes)| {
            Some((*length, prefixes.get(&prefix_bits(address, *length))?.entries()))
        })
    }

    /// The routes of exactly this prefix.
    pub(crate) fn at(&self, address: Ipv6Addr, length: u8) -> &[Entry] {
        let prefixes = self.0.iter().find(|(own, _)| *own == length);
        prefixes.and_then(|(_, prefixes)| prefixes.get(&prefix_bits(address, length))).map_or(&[], Prefix::entries)
    }

    /// Puts a route in; what it became part of, and whether it took another's place.
    pub(crate) fn insert(&mut self, address: Ipv6Addr, length: u8, new: Entry, how: Insert) -> Result<(Entry, bool)> {
        let prefix = self.prefix_mut(address, length);
        let result = prefix.put(new, how);
        if prefix.is_empty() {
            self.tidy();
        }
        result
    }

    /// Takes the first route out that fits, or of one that shares traffic the way that does. `ESRCH` where there is none.
    pub(crate) fn remove(&mut self, address: Ipv6Addr, length: u8, pattern: &Pattern) -> Result<Entry, Errno> {
        let prefix = self.prefix_mut(address, length);
        let gone = prefix.remove(pattern);
        if prefix.is_empty() {
            self.tidy();
        }
        gone.ok_or(Errno::ESRCH)
    }

    /// Keeps of the routes what `kept` says, which may take ways out of those that stay; what went, in the order of dumps.
    pub(crate) fn retain(&mut self, mut kept: impl FnMut(&mut Entry) -> bool) -> Vec<(Ipv6Addr, u8, Entry)> {
        let mut gone = Vec::new();
        for (length, prefixes) in &mut self.0 {
            for (bits, prefix) in prefixes.iter_mut() {
                prefix.retain(&mut kept, |entry| gone.push((Ipv6Addr::from_bits(*bits), *length, entry)));
            }
        }
        self.tidy();
        gone.sort_by_key(|(prefix, length, _)| place(*prefix, *length));
        gone
    }

    /// Every route as Linux lists them: what lies in a prefix before the prefix itself.
    pub(crate) fn entries(&self) -> Vec<(Ipv6Addr, u8, &Entry)> {
        let mut all: Vec<(Ipv6Addr, u8, &Entry)> = self
            .0
            .iter()
            .flat_map(|(length, prefixes)| prefixes.iter().map(move |(bits, prefix)| (*bits, *length, prefix)))
            .flat_map(|(bits, length, prefix)| {
                prefix.entries().iter().map(move |entry| (Ipv6Addr::from_bits(bits), length, entry))
            })
            .collect();
        all.sort_by_key(|(prefix, length, _)| place(*prefix, *length));
        all
    }
}

/// Where a prefix stands in a list: after everything that lies in it.
fn place(prefix: Ipv6Addr, length: u8) -> (u128, u8) {
    (prefix.to_bits() | !mask(length), u8::MAX - length)
}

/// A namespace's tables, by number.
#[derive(Debug, Default)]
pub(crate) struct Fib(BTreeMap<u32, Table>);

impl Fib {
    /// A table; `None` where nothing was ever put into it.
    #[inline]
    pub(crate) fn table(&self, number: u32) -> Option<&Table> {
        self.0.get(&number)
    }

    /// Whether a table is there: the two that always are, or one that something was put into.
    pub(crate) fn has(&self, number: u32) -> bool {
        matches!(number, table::MAIN | table::LOCAL) || self.0.contains_key(&number)
    }

    /// The same to write to.
    pub(crate) fn table_mut(&mut self, number: u32) -> &mut Table {
        self.0.entry(number).or_default()
    }

    /// Every table in the order of dumps: by the last byte of its number.
    pub(crate) fn tables(&self) -> Vec<(u32, &Table)> {
        let mut tables: Vec<(u32, &Table)> = self.0.iter().map(|(number, table)| (*number, table)).collect();
        tables.sort_by_key(|(number, _)| (number & 0xff, *number));
        tables
    }

    /// Takes routes out of every table, see [`Table::retain`].
    pub(crate) fn retain(&mut self, mut kept: impl FnMut(&mut Entry) -> bool) -> Vec<(u32, Ipv6Addr, u8, Entry)> {
        let mut numbers: Vec<u32> = self.0.keys().copied().collect();
        numbers.sort_by_key(|number| (number & 0xff, *number));
        let mut gone = Vec::new();
        for number in numbers {
            let routes = self.0.get_mut(&number).map(|table| table.retain(&mut kept)).unwrap_or_default();
            gone.extend(routes.into_iter().map(|(prefix, length, entry)| (number, prefix, length, entry)));
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Prefixes that share long beginnings, so that they cover and neighbour each other.
    fn prefix() -> impl Strategy<Value = (u128, u8)> {
        let base = 0xfd00_0000_0000_0000_u128 << 64;
        (prop_oneof![any::<u128>(), (0u128..64).prop_map(move |low| base | low), Just(0), Just(u128::MAX)], 0u8..=128)
            .prop_map(|(address, length)| (address & mask(length), length))
    }

    proptest! {
        #[test]
        fn lookup_agrees_with_a_linear_scan(
            prefixes in proptest::collection::vec((prefix(), 0u32..3), 1..60),
            asked in proptest::collection::vec(prefix(), 1..30),
        ) {
            let mut table = Table::default();
            let mut model: Vec<((u128, u8), u32)> = Vec::new();
            for ((address, length), metric) in prefixes {
                let entry = Entry::on_link(kind::UNICAST, DevId::default(), metric);
                let done = table.insert(Ipv6Addr::from_bits(address), length, entry, Insert::Exclusive);
                let taken = model.contains(&((address, length), metric));
                prop_assert_eq!(done.is_err(), taken);
                if !taken {
                    model.push(((address, length), metric));
                }
            }
            for (address, _) in asked {
                let mut expected: Vec<(u8, u32)> = model
                    .iter()
                    .filter(|((prefix, length), _)| address & mask(*length) == *prefix)
                    .map(|((_, length), metric)| (*length, *metric))
                    .collect();
                expected.sort_unstable_by_key(|(length, metric)| (std::cmp::Reverse(*length), *metric));
                let found: Vec<(u8, u32)> = table
                    .matches(Ipv6Addr::from_bits(address))
                    .flat_map(|(length, entries)| entries.iter().map(move |entry| (length, entry.metric)))
                    .collect();
                prop_assert_eq!(found, expected);
            }
            prop_assert_eq!(table.entries().len(), model.len());
        }
    }

    #[test]
    fn a_prefix_is_listed_after_what_lies_in_it() {
        let mut table = Table::default();
        for (address, length) in [("::", 0), ("fd00::", 64), ("fd00::1", 128), ("ff00::", 8), ("fd00::", 16)] {
            let entry = Entry::on_link(kind::UNICAST, DevId::default(), 1);
            table.insert(address.parse().unwrap(), length, entry, Insert::Append).unwrap();
        }
        let lengths: Vec<u8> = table.entries().iter().map(|(_, length, _)| *length).collect();
        assert_eq!(lengths, [128, 64, 16, 8, 0]);
    }
}
