//! The neighbour table: entries by device and address, found with one hash, listed in the order in which they were made.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::net::IpAddr;

use slotmap::{Key as _, SlotMap};

use super::params::Params;
use crate::frame::Frame;
use crate::shared::Shared;
use crate::timer::TimerId;
use crate::types::{DevId, Instant, MacAddr};

slotmap::new_key_type! {
    /// An entry of a neighbour table.
    pub(crate) struct NeighId;
}

/// `NUD_…`: how sure we are of a neighbour.
pub(crate) mod nud {
    pub(crate) const NONE: u16 = 0;
    pub(crate) const INCOMPLETE: u16 = 0x01;
    pub(crate) const REACHABLE: u16 = 0x02;
    pub(crate) const STALE: u16 = 0x04;
    pub(crate) const DELAY: u16 = 0x08;
    pub(crate) const PROBE: u16 = 0x10;
    pub(crate) const FAILED: u16 = 0x20;
    pub(crate) const NOARP: u16 = 0x40;
    pub(crate) const PERMANENT: u16 = 0x80;
    /// States that a timer ends.
    pub(crate) const IN_TIMER: u16 = INCOMPLETE | REACHABLE | DELAY | PROBE;
    /// States with an address that may be used.
    pub(crate) const VALID: u16 = PERMANENT | NOARP | REACHABLE | PROBE | STALE | DELAY;
    /// States in which it is used without a second thought.
    pub(crate) const CONNECTED: u16 = PERMANENT | NOARP | REACHABLE;
}

/// `NTF_ROUTER`, `NTF_EXT_LEARNED`.
pub(crate) mod ntf {
    pub(crate) const PROXY: u8 = 0x08;
    pub(crate) const EXT_LEARNED: u8 = 0x10;
    pub(crate) const ROUTER: u8 = 0x80;
}

/// One neighbour.
#[derive(Debug)]
pub(crate) struct Neighbour {
    pub(crate) dev: DevId,
    pub(crate) address: IpAddr,
    /// See [`nud`].
    pub(crate) state: u16,
    /// See [`ntf`].
    pub(crate) flags: u8,
    /// `RTN_…` of the address.
    pub(crate) kind: u8,
    /// Who made the entry: `RTPROT_…`.
    pub(crate) protocol: u8,
    /// Means something in the states of [`nud::VALID`].
    pub(crate) lladdr: MacAddr,
    pub(crate) confirmed: Instant,
    pub(crate) used: Instant,
    pub(crate) updated: Instant,
    pub(crate) probes: u32,
    /// Packets that wait for its address.
    pub(super) waiting: VecDeque<Frame>,
    pub(super) waiting_bytes: usize,
    pub(super) timer: Option<TimerId>,
    sequence: u64,
}

impl Neighbour {
    /// Whether it is the entry for an address on a device.
    #[inline(always)]
    fn is_at(&self, place: &Place) -> bool {
        let same = match (self.address, place.address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => own == other,
            (IpAddr::V6(own), IpAddr::V6(other)) => own == other,
            _ => false,
        };
        same && self.dev == place.dev
    }

    /// Whether it is an entry of the ARP table.
    pub(crate) fn is_ipv4(&self) -> bool {
        self.address.is_ipv4()
    }
}

/// Mixes the few words of a key; nobody chooses enough neighbours to make it slow.
#[derive(Debug, Default)]
pub(super) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    #[inline]
    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 >> 32;
    }

    #[inline]
    fn write_u128(&mut self, word: u128) {
        self.write_u64(word as u64 ^ (word >> 64) as u64);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0.wrapping_mul(0xbf58_476d_1ce4_e5b9)
    }
}

/// An address on a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    dev: DevId,
    address: IpAddr,
}

impl Place {
    #[inline(always)]
    pub(crate) fn of(dev: DevId, address: &IpAddr) -> Place {
        Place { dev, address: *address }
    }
}

impl Hash for Place {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.dev.data().as_ffi());
        match self.address {
            IpAddr::V4(address) => state.write_u64(address.to_bits().into()),
            IpAddr::V6(address) => state.write_u128(address.to_bits()),
        }
    }
}

/// A device's settings for one family, and what was drawn from them.
#[derive(Clone, Debug)]
pub(crate) struct DevParams {
    pub(super) params: Shared<Params>,
    /// How long an answer is believed, and since when that is so.
    pub(super) reachable: Option<Box<(std::time::Duration, Instant)>>,
}

/// A namespace's neighbours, IPv4 and IPv6.
#[derive(Debug)]
pub(crate) struct Tables {
    entries: SlotMap<NeighId, Neighbour>,
    index: HashMap<Place, NeighId, BuildHasherDefault<KeyHasher>>,
    /// The last entry that was used, if it is still there.
    used: NeighId,
    sequence: u64,
    /// Addresses that are answered for on a device.
    pub(super) proxies: BTreeSet<(IpAddr, DevId)>,
    /// What a new device starts with: ARP's, neighbour discovery's.
    pub(super) defaults: [Shared<Params>; 2],
    /// Those devices that need settings of their own; the others have what new ones start with.
    devices: BTreeMap<(DevId, bool), DevParams>,
    pub(super) last_flush: Instant,
}

impl Default for Tables {
    fn default() -> Tables {
        Tables {
            entries: SlotMap::with_key(),
            index: HashMap::default(),
            used: NeighId::default(),
            sequence: 0,
            proxies: BTreeSet::new(),
            defaults: [Shared::Initial(&Params::ARP), Shared::Initial(&Params::NDISC)],
            devices: BTreeMap::new(),
            last_flush: Instant::default(),
        }
    }
}

impl Tables {
    /// The entry for an address on a device.
    #[inline(never)]
    pub(crate) fn find(&self, place: Place) -> Option<NeighId> {
        self.index.get(&place).copied()
    }

    /// The same for one that is going to be used.
    #[inline(always)]
    pub(super) fn find_used(&mut self, place: &Place) -> Option<(NeighId, &mut Neighbour)> {
        let is_last = self.entries.get(self.used).is_some_and(|last| last.is_at(place));
        if !is_last {
            self.used = self.find(*place)?;
        }
        Some((self.used, self.entries.get_mut(self.used)?))
    }

    /// An entry.
    #[inline]
    pub(crate) fn get(&self, id: NeighId) -> Option<&Neighbour> {
        self.entries.get(id)
    }

    /// An entry to write to.
    #[inline]
    pub(super) fn get_mut(&mut self, id: NeighId) -> Option<&mut Neighbour> {
        self.entries.get_mut(id)
    }

    /// Every entry, the oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (NeighId, &Neighbour)> {
        let mut entries: Vec<(NeighId, &Neighbour)> = self.entries.iter().collect();
        entries.sort_by_key(|(_, entry)| entry.sequence);
        entries.into_iter()
    }

    /// How many there are of one family.
    pub(super) fn count(&self, ipv4: bool) -> usize {
        self.entries.values().filter(|entry| entry.is_ipv4() == ipv4).count()
    }

    /// How many there are of both.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Puts an entry without an address in.
    pub(super) fn insert(&mut self, dev: DevId, address: IpAddr, now: Instant) -> NeighId {
        self.sequence += 1;
        let id = self.entries.insert(Neighbour {
            dev,
            address,
            state: nud::NONE,
            flags: 0,
            kind: 1,
            protocol: 0,
            lladdr: MacAddr::ZERO,
            confirmed: now,
            used: now,
            updated: now,
            probes: 0,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            timer: None,
            sequence: self.sequence,
        });
        self.index.insert(Place::of(dev, &address), id);
        id
    }

    /// Takes an entry out.
    pub(super) fn remove(&mut self, id: NeighId) -> Option<Neighbour> {
        let entry = self.entries.remove(id)?;
        self.index.remove(&Place::of(entry.dev, &entry.address));
        Some(entry)
    }

    /// The addresses that are answered for, by address.
    pub(crate) fn proxies(&self) -> impl Iterator<Item = (IpAddr, DevId)> {
        self.proxies.iter().copied()
    }

    /// A device's settings for one family; `None` for the device: what new ones start with.
    pub(crate) fn params(&self, dev: Option<DevId>, ipv4: bool) -> &Params {
        let own = dev.and_then(|dev| self.existing(dev, ipv4)).map(|device| &device.params);
        own.unwrap_or(&self.defaults[usize::from(!ipv4)])
    }

    /// What a device has of its own, if anything.
    pub(super) fn existing(&self, dev: DevId, ipv4: bool) -> Option<&DevParams> {
        self.devices.get(&(dev, ipv4))
    }

    /// A device's own settings; at first those that new ones start with.
    pub(crate) fn own(&mut self, dev: DevId, ipv4: bool) -> &mut DevParams {
        let params = &self.defaults[usize::from(!ipv4)];
        self.devices.entry((dev, ipv4)).or_insert_with(|| DevParams { params: params.clone(), reachable: None })
    }

    /// A device goes.
    pub(super) fn forget_device(&mut self, dev: DevId) {
        self.proxies.retain(|(_, on)| *on != dev);
        for ipv4 in [true, false] {
            self.devices.remove(&(dev, ipv4));
        }
    }

    /// Settings to write to.
    pub(crate) fn params_mut(&mut self, dev: Option<DevId>, ipv4: bool) -> &mut Params {
        match dev {
            None => self.defaults[usize::from(!ipv4)].make_mut(),
            Some(dev) => self.own(dev, ipv4).params.make_mut(),
        }
    }
}
