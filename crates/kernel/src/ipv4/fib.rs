//! The routing tables: by prefix, then by type of service and priority, with Linux's rules for what may stand beside what.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::ControlFlow;

use super::trie::Trie;
use crate::common::Common;
use crate::error::{Errno, Result};
use crate::few::Few;
use crate::types::DevId;

/// Table numbers.
pub(crate) mod table {
    pub(crate) const DEFAULT: u32 = 253;
    pub(crate) const MAIN: u32 = 254;
    pub(crate) const LOCAL: u32 = 255;
}

/// `RTN_…`: what a route does with its packets.
pub(crate) mod kind {
    pub(crate) const UNICAST: u8 = 1;
    pub(crate) const LOCAL: u8 = 2;
    pub(crate) const BROADCAST: u8 = 3;
    pub(crate) const MULTICAST: u8 = 5;
    pub(crate) const BLACKHOLE: u8 = 6;
    pub(crate) const UNREACHABLE: u8 = 7;
    pub(crate) const PROHIBIT: u8 = 8;
    pub(crate) const THROW: u8 = 9;
}

/// `RT_SCOPE_…`: how far away what an address or route reaches may be; larger is nearer.
pub(crate) mod scope {
    pub(crate) const UNIVERSE: u8 = 0;
    pub(crate) const LINK: u8 = 253;
    pub(crate) const HOST: u8 = 254;
    pub(crate) const NOWHERE: u8 = 255;
}

/// `RTPROT_…`: who made a route.
pub(crate) mod protocol {
    pub(crate) const KERNEL: u8 = 2;
    pub(crate) const BOOT: u8 = 3;
}

/// `RTNH_F_…`: what is the matter with a next hop.
pub(crate) mod hop_flags {
    pub(crate) const DEAD: u8 = 1;
    pub(crate) const ONLINK: u8 = 4;
    pub(crate) const LINKDOWN: u8 = 16;
}

/// `RTAX_MTU`, as an index of [`Alias::metrics`].
pub(crate) const RTAX_MTU: usize = 2;
/// How many metrics there are, the unused number 0 included.
pub(crate) const RTAX_COUNT: usize = 18;

/// One way on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nexthop {
    /// The device; `None` for routes that lead nowhere.
    pub(crate) dev: Option<DevId>,
    /// `None`: what the route covers is on the link.
    pub(crate) gateway: Option<IpAddr>,
    /// How near the next hop itself is.
    pub(crate) scope: u8,
    /// See [`hop_flags`].
    pub(crate) flags: u8,
    /// Its share of the traffic, less one.
    pub(crate) weight: u8,
}

impl Nexthop {
    /// Whether both lead the same way; a flag may differ.
    fn leads_as(&self, other: &Nexthop) -> bool {
        self.dev == other.dev && self.gateway == other.gateway && self.weight == other.weight
    }
}

/// One of the routes to a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alias {
    pub(crate) tos: u8,
    /// See [`kind`].
    pub(crate) kind: u8,
    /// See [`scope`].
    pub(crate) scope: u8,
    /// See [`protocol`].
    pub(crate) protocol: u8,
    /// The metric: the smallest is used.
    pub(crate) priority: u32,
    /// The source address that packets should have; 0.0.0.0: to be chosen.
    pub(crate) source: Ipv4Addr,
    /// One, or more that share the traffic.
    pub(crate) nexthops: Few<Nexthop>,
    /// By `RTAX_…`; 0 where nothing is set.
    pub(crate) metrics: Option<Box<[u32; RTAX_COUNT]>>,
}

impl Alias {
    /// A route through a device, to what is on its link.
    pub(crate) fn on_link(kind: u8, scope: u8, dev: DevId, source: Ipv4Addr) -> Alias {
        let near = if scope == scope::HOST { scope::NOWHERE } else { scope::HOST };
        Alias {
            tos: 0,
            kind,
            scope,
            protocol: protocol::KERNEL,
            priority: 0,
            source,
            nexthops: Few::One(Nexthop { dev: Some(dev), gateway: None, scope: near, flags: 0, weight: 0 }),
            metrics: None,
        }
    }

    /// Whether every next hop is dead.
    pub(crate) fn is_dead(&self) -> bool {
        !self.nexthops.is_empty() && self.nexthops.iter().all(|hop| hop.flags & hop_flags::DEAD != 0)
    }

    /// A metric's value; 0 where it isn't set.
    pub(crate) fn metric(&self, number: usize) -> u32 {
        self.metrics.as_ref().and_then(|metrics| metrics.get(number)).copied().unwrap_or_default()
    }

    fn same_next_hops(&self, other: &Alias) -> bool {
        self.nexthops.len() == other.nexthops.len()
            && self.nexthops.iter().zip(other.nexthops.iter()).all(|(one, two)| one.leads_as(two))
    }

    /// Whether both would be one `fib_info` of Linux.
    fn same_info(&self, other: &Alias) -> bool {
        self.protocol == other.protocol
            && self.scope == other.scope
            && self.source == other.source
            && self.priority == other.priority
            && self.metrics == other.metrics
            && self.same_next_hops(other)
    }

    /// Linux orders by falling type of service, then by rising priority.
    fn order(&self) -> (u8, u32) {
        (u8::MAX - self.tos, self.priority)
    }
}

/// What is to happen where a route with the same prefix, type of service and priority is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Insert {
    /// Refuse (`ip route add`).
    Exclusive,
    /// Go behind the last (`append`).
    Append,
    /// Go before the first (`prepend`).
    Prepend,
    /// Take the place of the first, or be added (`replace`).
    Replace,
    /// Take the place of the first, or be refused (`change`).
    Change,
    /// Be refused either way: as there already, or as not there (`test`).
    Test,
}

/// How an insertion ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Inserted {
    /// A route more.
    Added,
    /// In the place of another.
    Replaced,
    /// It was there already, in the first place.
    Unchanged,
}

/// What a route to be deleted is like; whatever is `None` doesn't matter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pattern {
    pub(crate) tos: u8,
    pub(crate) kind: Option<u8>,
    pub(crate) scope: Option<u8>,
    pub(crate) protocol: Option<u8>,
    pub(crate) priority: Option<u32>,
    pub(crate) source: Option<Ipv4Addr>,
    /// Device and gateway of each next hop.
    pub(crate) nexthops: Vec<(Option<DevId>, Option<IpAddr>)>,
}

impl Pattern {
    fn fits(&self, alias: &Alias) -> bool {
        self.tos == alias.tos
            && self.kind.is_none_or(|kind| kind == alias.kind)
            && self.scope.is_none_or(|scope| scope == alias.scope)
            && self.protocol.is_none_or(|protocol| protocol == alias.protocol)
            && self.priority.is_none_or(|priority| priority == alias.priority)
            && self.source.is_none_or(|source| source == alias.source)
            && self.hops_fit(alias)
    }

    fn hops_fit(&self, alias: &Alias) -> bool {
        let fits = |(dev, gateway): &(Option<DevId>, Option<IpAddr>), hop: &Nexthop| {
            dev.is_none_or(|dev| hop.dev == Some(dev)) && gateway.is_none_or(|gateway| hop.gateway == Some(gateway))
        };
        match self.nexthops.as_slice() {
            [] => true,
            [one] => alias.nexthops.first().is_some_and(|hop| fits(one, hop)),
            many => {
                many.len() == alias.nexthops.len()
                    && many.iter().zip(alias.nexthops.iter()).all(|(one, hop)| fits(one, hop))
            }
        }
    }
}

/// What a table is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) destination: u32,
    pub(crate) source: u32,
    pub(crate) tos: u8,
    /// No route that reaches farther than this.
    pub(crate) scope: u8,
    /// Only through this device.
    pub(crate) oif: Option<DevId>,
    /// Where the packet came from; a device's rule looks at it.
    pub(crate) iif: Option<DevId>,
    pub(crate) mark: u32,
    /// What spreads traffic over several next hops.
    pub(crate) hash: u32,
}

impl Key {
    /// For a packet of this host to `destination`.
    pub(crate) fn to(destination: Ipv4Addr) -> Key {
        Key {
            destination: destination.to_bits(),
            source: 0,
            tos: 0,
            scope: scope::UNIVERSE,
            oif: None,
            iif: None,
            mark: 0,
            hash: 0,
        }
    }
}

/// A route that was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'a> {
    pub(crate) table: u32,
    pub(crate) length: u8,
    pub(crate) alias: &'a Alias,
    pub(crate) nexthop: &'a Nexthop,
}

/// What the routes to one prefix have to say: go on with a shorter one, or the answer of the table.
#[inline(always)]
fn ask<'a>(
    number: u32,
    length: u8,
    aliases: &'a [Alias],
    key: &Key,
    usable: &impl Fn(&Nexthop) -> bool,
) -> ControlFlow<Option<Result<Found<'a>, Errno>>> {
    for alias in aliases {
        if (alias.tos != 0 && alias.tos != key.tos) || alias.scope < key.scope {
            continue;
        }
        match alias.kind {
            kind::BLACKHOLE => return ControlFlow::Break(Some(Err(Errno::EINVAL))),
            kind::UNREACHABLE => return ControlFlow::Break(Some(Err(Errno::EHOSTUNREACH))),
            kind::PROHIBIT => return ControlFlow::Break(Some(Err(Errno::EACCES))),
            kind::THROW => return ControlFlow::Break(None),
            _ => {}
        }
        let fits = |hop: &&Nexthop| {
            hop.flags & hop_flags::DEAD == 0
                && key.oif.is_none_or(|dev| hop.dev == Some(dev))
                && (hop.flags & hop_flags::LINKDOWN == 0 || usable(hop))
        };
        let nexthop = match &alias.nexthops[..] {
            [hop] => Some(hop).filter(fits),
            hops => pick(hops, key.hash, fits),
        };
        if let Some(nexthop) = nexthop {
            return ControlFlow::Break(Some(Ok(Found { table: number, length, alias, nexthop })));
        }
    }
    ControlFlow::Continue(())
}

/// One table.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// The number of a list for each prefix.
    routes: Trie<u32>,
    /// The routes to one prefix each. Many prefixes are reached the same way.
    lists: Common<Few<Alias>>,
}

impl Table {
    /// The best route for `key`: `None` where this table has nothing to say, the errno of a route that refuses.
    #[inline(always)]
    pub(crate) fn lookup(
        &self,
        number: u32,
        key: &Key,
        usable: impl Fn(&Nexthop) -> bool,
    ) -> Option<Result<Found<'_>, Errno>> {
        // Mostly the longest prefix has the answer.
        let (length, list) = self.routes.longest(key.destination)?;
        let aliases = self.lists.get(*list)?;
        match ask(number, length, aliases, key, &usable) {
            ControlFlow::Break(answer) => answer,
            ControlFlow::Continue(()) => self.lookup_shorter(number, key, &usable),
        }
    }

    /// The same among all prefixes but the longest.
    #[cold]
    fn lookup_shorter(
        &self,
        number: u32,
        key: &Key,
        usable: &impl Fn(&Nexthop) -> bool,
    ) -> Option<Result<Found<'_>, Errno>> {
        for (length, list) in self.routes.matches(key.destination).skip(1) {
            let aliases = self.lists.get(*list)?;
            if let ControlFlow::Break(answer) = ask(number, length, aliases, key, usable) {
                return answer;
            }
        }
        None
    }

    /// The list that is asked first about a destination.
    #[inline(always)]
    fn first(&self, destination: u32) -> Option<u32> {
        self.routes.longest_value(destination).copied()
    }

    /// Whether a list has but one way to go, and that is the answer.
    fn settles(&self, list: u32, key: &Key, usable: impl Fn(&Nexthop) -> bool) -> bool {
        self.lists.get(list).is_some_and(|aliases| {
            aliases.len() == 1
                && aliases[0].nexthops.len() <= 1
                && matches!(ask(0, 0, aliases, key, &usable), ControlFlow::Break(Some(_)))
        })
    }

    /// Every route in dump order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (Ipv4Addr, u8, &Alias)> {
        self.routes.entries().into_iter().flat_map(|(address, length, list)| {
            let aliases = self.lists.get(*list).map(|aliases| &aliases[..]).unwrap_or_default();
            aliases.iter().map(move |alias| (Ipv4Addr::from_bits(address), length, alias))
        })
    }

    /// Puts a route in. `EEXIST`, `ENOENT` as [`Insert`] says.
    pub(crate) fn insert(&mut self, prefix: Ipv4Addr, length: u8, new: Alias, how: Insert) -> Result<Inserted> {
        let place = prefix.to_bits();
        let aliases = self.aliases(place, length);
        let mut same = aliases.iter().enumerate().filter(|(_, alias)| alias.order() == new.order());
        let first = same.next().map(|(at, _)| at);
        let last = same.next_back().map(|(at, _)| at).or(first);
        let twin = aliases
            .iter()
            .position(|alias| alias.order() == new.order() && alias.kind == new.kind && alias.same_info(&new));
        let at = match (how, first) {
            (Insert::Exclusive | Insert::Test, Some(_)) => return Err(Errno::EEXIST.into()),
            (Insert::Change | Insert::Test, None) => return Err(Errno::ENOENT.into()),
            (Insert::Change | Insert::Replace, Some(first)) => match twin {
                Some(twin) if twin == first => return Ok(Inserted::Unchanged),
                Some(_) => return Err(Errno::EEXIST.into()),
                None => {
                    self.change(place, length, |aliases| aliases[first] = new);
                    return Ok(Inserted::Replaced);
                }
            },
            (Insert::Append | Insert::Prepend, Some(_)) if twin.is_some() => return Err(Errno::EEXIST.into()),
            (Insert::Append, Some(_)) => last.unwrap_or_default() + 1,
            (Insert::Prepend, Some(first)) => first,
            (_, None) => aliases.iter().position(|alias| alias.order() > new.order()).unwrap_or(aliases.len()),
        };
        self.change(place, length, |aliases| aliases.insert(at, new));
        Ok(Inserted::Added)
    }

    /// Takes the first route out that `pattern` fits; `ESRCH` where none does.
    pub(crate) fn remove(&mut self, prefix: Ipv4Addr, length: u8, pattern: &Pattern) -> Result<Alias> {
        let place = prefix.to_bits();
        let at = self.aliases(place, length).iter().position(|alias| pattern.fits(alias)).ok_or(Errno::ESRCH)?;
        Ok(self.change(place, length, |aliases| aliases.change(|aliases| aliases.remove(at))))
    }

    /// The routes to exactly this prefix.
    fn aliases(&self, place: u32, length: u8) -> &[Alias] {
        let list = self.routes.get(place, length).and_then(|list| self.lists.get(*list));
        list.map(|aliases| &aliases[..]).unwrap_or_default()
    }

    /// Changes them.
    fn change<R>(&mut self, place: u32, length: u8, change: impl FnOnce(&mut Few<Alias>) -> R) -> R {
        let known = self.routes.get(place, length).copied();
        let mut aliases = known.map(|list| self.lists.take(list)).unwrap_or_default();
        let result = change(&mut aliases);
        if aliases.is_empty() {
            self.routes.remove(place, length);
        } else {
            *self.routes.entry(place, length) = self.lists.share(aliases);
        }
        result
    }

    /// Takes out every route that `doomed` says it of.
    fn retain(&mut self, mut doomed: impl FnMut(&Alias) -> bool) {
        let mut emptied = false;
        for aliases in self.lists.values_mut() {
            if aliases.iter().any(&mut doomed) {
                aliases.change(|aliases| aliases.retain(|alias| !doomed(alias)));
                emptied |= aliases.is_empty();
            }
        }
        if emptied {
            let is_empty = |list: u32| self.lists.get(list).is_none_or(|aliases| aliases.is_empty());
            let routes = self.routes.entries().into_iter().map(|(address, length, list)| (address, length, *list));
            let empty: Vec<(u32, u8, u32)> = routes.filter(|(_, _, list)| is_empty(*list)).collect();
            for (address, length, list) in empty {
                self.routes.remove(address, length);
                self.lists.take(list);
            }
        }
    }
}

/// One of several next hops, each with the share of the hashes that its weight gives it.
fn pick(hops: &[Nexthop], hash: u32, fits: impl Fn(&&Nexthop) -> bool) -> Option<&Nexthop> {
    let total: u64 = hops.iter().filter(&fits).map(|hop| u64::from(hop.weight) + 1).sum();
    let mut left = (u64::from(hash) * total) >> 32;
    hops.iter().filter(fits).find(|hop| {
        let share = u64::from(hop.weight) + 1;
        let found = left < share;
        left = left.wrapping_sub(share);
        found
    })
}

/// A list of routes in one of the tables that every packet asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct First {
    local: bool,
    list: u32,
}

/// Addresses about which the table `local` has nothing to say: those that have some bits in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Away {
    address: u32,
    mask: u32,
}

impl Away {
    /// None at all.
    pub(crate) const NOTHING: Away = Away { address: 1, mask: 0 };

    #[inline(always)]
    fn holds(self, address: u32) -> bool {
        address & self.mask == self.address
    }
}

/// A namespace's tables. Those that every packet asks stand by themselves.
#[derive(Debug, Default)]
pub(crate) struct Fib {
    local: Option<Box<Table>>,
    main: Option<Box<Table>>,
    others: BTreeMap<u32, Table>,
    /// Whether the namespace has rules of its own: `local` and `main` have nothing to do with each other then.
    apart: bool,
}

impl Fib {
    /// A table, if it was ever put something into.
    #[inline]
    pub(crate) fn table(&self, number: u32) -> Option<&Table> {
        match number {
            table::LOCAL => self.local.as_deref(),
            table::MAIN => self.main.as_deref(),
            other => self.others.get(&other),
        }
    }

    /// Asks the tables in the order in which a namespace without rules of its own does. `ENETUNREACH` where none has an answer.
    #[inline(always)]
    pub(crate) fn lookup(&self, key: &Key, usable: impl Fn(&Nexthop) -> bool) -> Result<Found<'_>, Errno> {
        if let Some(local) = &self.local
            && let Some(answer) = local.lookup(table::LOCAL, key, &usable)
        {
            return answer;
        }
        if let Some(main) = &self.main
            && let Some(answer) = main.lookup(table::MAIN, key, &usable)
        {
            return answer;
        }
        match self.others.get(&table::DEFAULT).and_then(|default| default.lookup(table::DEFAULT, key, &usable)) {
            Some(answer) => answer,
            None => Err(Errno::ENETUNREACH),
        }
    }

    /// The routes that are asked first about a destination, in `local` or `main`; what is `away` isn't in `local`.
    #[inline(always)]
    pub(crate) fn first(&self, destination: u32, away: Away) -> Option<First> {
        let local = self.local.as_ref().filter(|_| !away.holds(destination));
        match local.and_then(|local| local.first(destination)) {
            Some(list) => Some(First { local: true, list }),
            None => self.main.as_ref()?.first(destination).map(|list| First { local: false, list }),
        }
    }

    /// The addresses around a destination about which `local` has nothing to say.
    pub(crate) fn away(&self, destination: u32) -> Away {
        match self.local.as_ref().map_or(Some(0), |local| local.routes.gap(destination)) {
            Some(mask) => Away { address: destination & mask, mask },
            None => Away::NOTHING,
        }
    }

    /// Whether everything for which these routes are asked first gets the answer that `key` gets, as long as it differs in nothing
    /// but its destination.
    pub(crate) fn settles(&self, first: First, key: &Key, usable: impl Fn(&Nexthop) -> bool) -> bool {
        let table = if first.local { &self.local } else { &self.main };
        table.as_ref().is_some_and(|table| table.settles(first.list, key, usable))
    }

    /// What a lookup says of the table that it found something in: as long as they aren't apart, `local` is part of `main`.
    pub(crate) fn shown(&self, number: u32) -> u32 {
        if number == table::LOCAL && !self.apart { table::MAIN } else { number }
    }

    /// The namespace has rules of its own.
    pub(crate) fn set_apart(&mut self) {
        self.apart = true;
    }

    /// A table to write to; it is made where there is none, and `main` together with `local`.
    pub(crate) fn table_mut(&mut self, number: u32) -> &mut Table {
        match number {
            table::LOCAL => {
                if !self.apart {
                    self.main.get_or_insert_default();
                }
                self.local.get_or_insert_default()
            }
            table::MAIN => self.main.get_or_insert_default(),
            other => self.others.entry(other).or_default(),
        }
    }

    /// A table to take something out of.
    pub(crate) fn existing_table_mut(&mut self, number: u32) -> Option<&mut Table> {
        match number {
            table::LOCAL => self.local.as_deref_mut(),
            table::MAIN => self.main.as_deref_mut(),
            other => self.others.get_mut(&other),
        }
    }

    /// The tables in the order in which Linux dumps them: by the low byte of their numbers.
    pub(crate) fn tables(&self) -> Vec<(u32, &Table)> {
        let mut tables: Vec<(u32, &Table)> = self.others.iter().map(|(number, table)| (*number, table)).collect();
        tables.extend(self.main.as_deref().map(|main| (table::MAIN, main)));
        tables.extend(self.local.as_deref().map(|local| (table::LOCAL, local)));
        tables.sort_by_key(|(number, _)| (number & 255, u32::MAX - number));
        tables
    }

    fn each_table(&mut self, mut visit: impl FnMut(&mut Table)) {
        let first = self.local.as_deref_mut().into_iter().chain(self.main.as_deref_mut());
        first.chain(self.others.values_mut()).for_each(&mut visit);
    }

    /// Sets flags of the next hops through a device. Those that are local to this host stay as they are unless `forced`.
    pub(crate) fn set_hop_flags(&mut self, dev: DevId, flags: u8, forced: bool) {
        self.each_table(|table| {
            let aliases = table.lists.values_mut().flat_map(|aliases| &mut aliases[..]);
            for hop in aliases.flat_map(|alias| &mut alias.nexthops[..]) {
                if hop.dev == Some(dev) && (forced || hop.scope != scope::NOWHERE) {
                    hop.flags |= flags;
                }
            }
        });
    }

    /// Clears flags of the next hops through a device.
    pub(crate) fn clear_hop_flags(&mut self, dev: DevId, flags: u8) {
        self.each_table(|table| {
            let aliases = table.lists.values_mut().flat_map(|aliases| &mut aliases[..]);
            for hop in aliases.flat_map(|alias| &mut alias.nexthops[..]) {
                if hop.dev == Some(dev) {
                    hop.flags &= !flags;
                }
            }
        });
    }

    /// Takes out the routes that lead nowhere any more.
    pub(crate) fn remove_dead(&mut self) {
        self.each_table(|table| table.retain(Alias::is_dead));
    }

    /// Takes out the routes whose packets were to have this source address.
    pub(crate) fn remove_by_source(&mut self, source: Ipv4Addr) {
        self.each_table(|table| table.retain(|alias| alias.source == source));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alias(gateway: u8, priority: u32) -> Alias {
        let mut alias = Alias::on_link(kind::UNICAST, scope::UNIVERSE, DevId::default(), Ipv4Addr::UNSPECIFIED);
        alias.priority = priority;
        alias.nexthops[0].gateway = Some(IpAddr::V4(Ipv4Addr::new(10, 1, 0, gateway)));
        alias
    }

    fn gateways(table: &Table) -> Vec<u8> {
        table
            .entries()
            .map(|(_, _, alias)| match alias.nexthops[0].gateway {
                Some(IpAddr::V4(gateway)) => gateway.octets()[3],
                _ => 0,
            })
            .collect()
    }

    #[test]
    fn routes_to_one_prefix_keep_the_order_in_which_they_were_asked_for() {
        let any = Ipv4Addr::UNSPECIFIED;
        let mut table = Table::default();
        let mut insert = |gateway, priority, how| table.insert(any, 0, alias(gateway, priority), how);
        assert_eq!(insert(1, 0, Insert::Exclusive), Ok(Inserted::Added));
        assert_eq!(insert(254, 0, Insert::Exclusive), Err(Errno::EEXIST.into()));
        assert_eq!(insert(253, 100, Insert::Exclusive), Ok(Inserted::Added));
        assert_eq!(insert(252, 0, Insert::Append), Ok(Inserted::Added));
        assert_eq!(insert(251, 0, Insert::Prepend), Ok(Inserted::Added));
        assert_eq!(insert(250, 0, Insert::Replace), Ok(Inserted::Replaced));
        assert_eq!(insert(249, 0, Insert::Change), Ok(Inserted::Replaced));
        assert_eq!(insert(249, 0, Insert::Replace), Ok(Inserted::Unchanged));
        assert_eq!(insert(252, 0, Insert::Replace), Err(Errno::EEXIST.into()));
        assert_eq!(insert(9, 7, Insert::Change), Err(Errno::ENOENT.into()));
        assert_eq!(gateways(&table), [249, 1, 252, 253]);
    }

    #[test]
    fn a_route_is_deleted_by_what_is_known_of_it() {
        let any = Ipv4Addr::UNSPECIFIED;
        let mut table = Table::default();
        for gateway in [1, 2, 3] {
            table.insert(any, 0, alias(gateway, 0), Insert::Append).unwrap();
        }
        let second = Some(IpAddr::V4(Ipv4Addr::new(10, 1, 0, 2)));
        let pattern = Pattern { nexthops: vec![(None, second)], ..Pattern::default() };
        table.remove(any, 0, &pattern).unwrap();
        assert_eq!(table.remove(any, 0, &pattern), Err(Errno::ESRCH.into()));
        table.remove(any, 0, &Pattern::default()).unwrap();
        assert_eq!(gateways(&table), [3]);
    }

    #[test]
    fn traffic_is_shared_by_weight() {
        let mut shared = alias(1, 0);
        shared.nexthops.push(Nexthop { weight: 1, gateway: None, ..shared.nexthops[0] });
        let mut table = Table::default();
        table.insert(Ipv4Addr::UNSPECIFIED, 0, shared, Insert::Exclusive).unwrap();
        let first = (0..300u32)
            .filter(|part| {
                let key = Key { hash: part * (u32::MAX / 300), ..Key::to(Ipv4Addr::LOCALHOST) };
                let found = table.lookup(table::MAIN, &key, |_| true).unwrap().unwrap();
                found.nexthop.gateway.is_some()
            })
            .count();
        assert!((99..=101).contains(&first), "{first} of 300");
    }
}
