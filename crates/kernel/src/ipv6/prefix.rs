//! The routes to one prefix, and what may stand beside what.

use super::fib::{Entry, Insert, Nexthop, Pattern};
use crate::error::{Errno, Error, Result};
use crate::types::DevId;

/// The routes to one prefix, the smallest metric first.
#[derive(Debug, Default)]
pub(super) struct Prefix {
    entries: Vec<Entry>,
    /// Which of them lead straight to a device's link: metric and device, in order. Of fe80::/64 there is one for each device, and
    /// none of them twice.
    links: Vec<(u32, DevId)>,
}

impl Entry {
    /// Its metric and device, where it leads straight to one device's link.
    fn link(&self) -> Option<(u32, DevId)> {
        match self.hops.as_slice() {
            [Nexthop { dev, gateway: None, .. }] => Some((self.metric, *dev)),
            _ => None,
        }
    }
}

impl Prefix {
    /// All of them.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn note(&mut self, link: Option<(u32, DevId)>) {
        if let Some(link) = link {
            let (Ok(at) | Err(at)) = self.links.binary_search(&link);
            self.links.insert(at, link);
        }
    }

    fn forget(&mut self, link: Option<(u32, DevId)>) {
        if let Some(Ok(at)) = link.map(|link| self.links.binary_search(&link)) {
            self.links.remove(at);
        }
    }

    /// Puts a route in; what it became part of, and whether it took another's place.
    pub(super) fn put(&mut self, new: Entry, how: Insert) -> Result<(Entry, bool)> {
        let first = self.entries.partition_point(|entry| entry.metric < new.metric);
        let last = self.entries.partition_point(|entry| entry.metric <= new.metric);
        let link = new.link();
        let rivals = || self.entries[first..last].iter().zip(first..);
        match how {
            Insert::Exclusive if first < last => return Err(Errno::EEXIST.into()),
            Insert::Replace { create } => {
                let alike = rivals().find(|(entry, _)| entry.may_share() == new.may_share());
                match alike.or_else(|| rivals().next()).map(|(_, at)| at) {
                    Some(at) => {
                        self.forget(self.entries[at].link());
                        self.note(link);
                        self.entries[at] = new.clone();
                        return Ok((new, true));
                    }
                    None if !create => {
                        return Err(Error::new(Errno::ENOENT, "Can not replace route - no match found"));
                    }
                    None => {}
                }
            }
            _ if link.is_some() => {
                if link.is_some_and(|link| self.links.binary_search(&link).is_ok()) {
                    return Err(Errno::EEXIST.into());
                }
            }
            _ => {
                if rivals().any(|(entry, _)| entry.leads_as(&new)) {
                    return Err(Errno::EEXIST.into());
                }
                let partner = rivals().find(|(entry, _)| entry.may_share() && new.may_share()).map(|(_, at)| at);
                if let Some(partner) = partner.and_then(|at| self.entries.get_mut(at)) {
                    let same =
                        |hop: &Nexthop| partner.hops.iter().any(|own| (own.dev, own.gateway) == (hop.dev, hop.gateway));
                    if new.hops.iter().any(same) {
                        return Err(Errno::EEXIST.into());
                    }
                    partner.hops.extend(new.hops);
                    return Ok((partner.clone(), false));
                }
            }
        }
        self.note(link);
        self.entries.insert(last, new.clone());
        Ok((new, false))
    }

    /// Takes the first route out that fits, or of one that shares traffic the way that does.
    pub(super) fn remove(&mut self, pattern: &Pattern) -> Option<Entry> {
        let at = self.entries.iter().position(|entry| pattern.fits(entry))?;
        let entry = &mut self.entries[at];
        // One way of several: the others stay.
        if let ([(dev, gateway)], true) = (pattern.hops.as_slice(), entry.hops.len() > 1)
            && gateway.is_some()
        {
            let way = entry.hops.iter().position(|hop| dev.is_none_or(|dev| dev == hop.dev) && *gateway == hop.gateway);
            if let Some(way) = way {
                let mut gone = entry.clone();
                gone.hops = vec![entry.hops.remove(way)];
                let link = entry.link();
                self.note(link);
                return Some(gone);
            }
        }
        let gone = self.entries.remove(at);
        self.forget(gone.link());
        Some(gone)
    }

    /// Keeps what `kept` says, which may take ways out of what stays; `gone` is given the rest.
    pub(super) fn retain(&mut self, mut kept: impl FnMut(&mut Entry) -> bool, mut gone: impl FnMut(Entry)) {
        let before = self.entries.len();
        let mut ways = false;
        self.entries.retain_mut(|entry| {
            let hops = entry.hops.len();
            let kept = kept(entry);
            ways |= entry.hops.len() != hops;
            if !kept {
                gone(entry.clone());
            }
            kept
        });
        if ways || self.entries.len() != before {
            self.links.clear();
            self.links.extend(self.entries.iter().filter_map(Entry::link));
            self.links.sort_unstable();
        }
    }
}
