//! Longest-prefix match: a compressed trie of IPv4 prefixes.
//!
//! A node stands for four bits of the address and has a slot for each of their sixteen values. Bits in which no two prefixes
//! differ have no node: a node says what stands before its own bits. A prefix that ends within a node stands in every slot that
//! it covers; the shorter ones behind it are a chain. What would stand in a slot that leads to another node stands in that.
//! A large trie begins with a table of all values of the first sixteen bits, as a node so wide that it has no equal.
//!
//! What a lookup needs is little, as it has to be fetched: of most nodes one slot, which says of the next node whether there is more to
//! look at, and of the leaves their values, which lie side by side.
//!
//! After S. Nilsson and G. Karlsson, "IP-address lookup using LC-tries", and V. Srinivasan and G. Varghese, "Controlled prefix
//! expansion".

use std::iter;

/// How many bits of the address one node stands for.
const STRIDE: u32 = 4;
/// How many bits the table stands for that a large trie begins with.
const WIDE: u32 = 16;
/// A trie with so many prefixes gets that table, for at most 32 bytes a prefix, and loses it when it has a quarter of them.
const LARGE: usize = if cfg!(test) { 32 } else { 1 << 13 };
/// How many nodes an address passes at most.
const DEPTH: usize = 8;

/// What a slot leads to: a leaf (its index and one), a node (its index, and what is said of it), or nothing (0).
type Slot = u32;
const NODE: Slot = 1 << 31;
/// Of a node: no bits stand between the slot's and its own, and it inherits nothing.
const PLAIN: Slot = 1 << 30;
/// Above its index: how far right its bits of an address have to go, in nodes. There is no memory for more nodes.
const INDEX_BITS: u32 = 27;

/// How far right the bits of the node have to go that a slot leads to.
#[inline(always)]
fn shift(slot: Slot) -> u32 {
    (slot >> INDEX_BITS) % 8 * STRIDE
}

#[derive(Debug, Default)]
struct Node {
    /// The bits that stand before this node's, and which of an address these are.
    address: u32,
    mask: u32,
    /// How far right this node's bits of an address have to go.
    shift: u32,
    /// The longest prefix in the node above that covers this one.
    inherited: Slot,
    slots: [Slot; 1 << STRIDE],
}

impl Node {
    fn new(address: u32, position: u32) -> Node {
        let mask = mask(position);
        Node { address: address & mask, mask, shift: 32 - STRIDE - position, ..Node::default() }
    }

    /// How many bits stand before this node's.
    fn position(&self) -> u32 {
        32 - STRIDE - self.shift
    }

    /// The slot of an address.
    #[inline(always)]
    fn chunk(&self, address: u32) -> usize {
        (address >> self.shift) as usize & ((1 << STRIDE) - 1)
    }

    /// The slots that a prefix that ends here covers.
    fn covered(&self, address: u32, length: u8) -> std::ops::Range<usize> {
        let first = self.chunk(address);
        first..first + (1 << (self.position() + STRIDE - u32::from(length)))
    }
}

/// A prefix.
#[derive(Debug)]
struct Leaf {
    address: u32,
    length: u8,
    /// The next shorter prefix in the same node that covers this one; in a leaf that isn't used, the next of these.
    shorter: Slot,
}

/// The length of a leaf that isn't used.
const UNUSED: u8 = u8::MAX;

fn mask(length: u32) -> u32 {
    u32::MAX.checked_shl(32 - length).unwrap_or(0)
}

/// Where the node begins in which a prefix ends; that of length 0 ends before every node.
fn position(length: u8) -> Option<u32> {
    Some(u32::from(length).checked_sub(1)? & !(STRIDE - 1))
}

fn node_index(slot: Slot) -> Option<usize> {
    (slot & NODE != 0).then_some((slot & ((1 << INDEX_BITS) - 1)) as usize)
}

/// A map from prefixes to values. Bits of an address beyond its prefix' length must be zero.
#[derive(Debug)]
pub(crate) struct Trie<T> {
    /// Where the first node stands; in a large trie, what stands in no slot of the table.
    root: Slot,
    /// The slots for the first bits of an address in a large trie, in others none.
    wide: Vec<Slot>,
    /// How many prefixes there are.
    len: usize,
    unused_node: Slot,
    unused_leaf: Slot,
    nodes: Vec<Node>,
    leaves: Vec<Leaf>,
    /// Of each leaf.
    values: Vec<T>,
}

impl<T> Default for Trie<T> {
    fn default() -> Trie<T> {
        Trie {
            root: 0,
            wide: Vec::new(),
            len: 0,
            unused_node: 0,
            unused_leaf: 0,
            nodes: Vec::new(),
            leaves: Vec::new(),
            values: Vec::new(),
        }
    }
}

/// A place that a slot can stand in.
#[derive(Clone, Copy)]
enum Place {
    Root,
    Wide(usize),
    In(usize, usize),
}

/// The slot of the table that an address is in.
#[inline(always)]
fn wide_chunk(address: u32) -> usize {
    (address >> (32 - WIDE)) as usize
}

impl<T> Trie<T> {
    fn leaf(&self, slot: Slot) -> Option<&Leaf> {
        self.leaves.get(slot.wrapping_sub(1) as usize)
    }

    fn leaf_mut(&mut self, slot: Slot) -> Option<&mut Leaf> {
        self.leaves.get_mut(slot.wrapping_sub(1) as usize)
    }

    /// The value of a leaf.
    #[inline(always)]
    fn value(&self, slot: Slot) -> Option<&T> {
        self.values.get(slot.wrapping_sub(1) as usize)
    }

    fn slot(&mut self, place: Place) -> &mut Slot {
        match place {
            Place::Root => &mut self.root,
            Place::Wide(chunk) => &mut self.wide[chunk],
            Place::In(node, chunk) => &mut self.nodes[node].slots[chunk],
        }
    }

    /// How many bits of an address stand before what a place leads to.
    fn end(&self, place: Place) -> u32 {
        match place {
            Place::Root => 0,
            Place::Wide(_) => WIDE,
            Place::In(node, _) => self.nodes[node].position() + STRIDE,
        }
    }

    /// Has a place lead to a node.
    fn lead(&mut self, place: Place, at: usize) {
        let node = &self.nodes[at];
        let plain = node.inherited == 0 && node.position() == self.end(place);
        let said = if plain { NODE | PLAIN } else { NODE };
        *self.slot(place) = said | (node.shift / STRIDE) << INDEX_BITS | at as Slot;
    }

    /// What a node inherits has changed: the place that leads to it says so.
    fn tell(&mut self, place: Place) {
        if let Some(at) = node_index(*self.slot(place)) {
            self.lead(place, at);
        }
    }

    /// Where an address' way begins.
    fn top(&self, address: u32) -> Place {
        if self.wide.is_empty() { Place::Root } else { Place::Wide(wide_chunk(address)) }
    }

    /// Whether a prefix stands in the table.
    fn is_wide(&self, length: u8) -> bool {
        !self.wide.is_empty() && (1..=WIDE).contains(&length.into())
    }

    /// The places of the table that a prefix covers.
    fn covered(address: u32, length: u8) -> impl Iterator<Item = Place> {
        let first = wide_chunk(address);
        (first..first + (1 << (WIDE - u32::from(length)))).map(Place::Wide)
    }

    /// The same prefixes, as a trie that begins with a table or one that doesn't.
    fn rebuild(&mut self, wide: bool)
    where
        T: Default,
    {
        let old = std::mem::take(self);
        self.wide = vec![0; if wide { 1 << WIDE } else { 0 }];
        for (leaf, value) in old.leaves.into_iter().zip(old.values).filter(|(leaf, _)| leaf.length != UNUSED) {
            *self.entry(leaf.address, leaf.length) = value;
        }
    }

    /// Where the longest prefix that ends in a place stands.
    fn head(&mut self, place: Place) -> &mut Slot {
        match node_index(*self.slot(place)) {
            Some(node) => &mut self.nodes[node].inherited,
            None => self.slot(place),
        }
    }

    /// The node that begins at `position` on the way to an address, and the places that are passed on the way.
    fn way(&self, address: u32, position: u32, mut pass: impl FnMut(Place)) -> Option<usize> {
        let mut place = self.top(address);
        let mut slot = self.wide.get(wide_chunk(address)).copied().unwrap_or(self.root);
        loop {
            pass(place);
            let at = node_index(slot)?;
            let node = &self.nodes[at];
            if address & node.mask != node.address || node.position() > position {
                return None;
            }
            if node.position() == position {
                return Some(at);
            }
            let chunk = node.chunk(address);
            (place, slot) = (Place::In(at, chunk), node.slots[chunk]);
        }
    }

    /// The first leaf of the chain in which a prefix stands, if it is there.
    fn chain(&self, address: u32, length: u8) -> Option<Slot> {
        let slot = match position(length) {
            None => self.root,
            Some(_) if self.is_wide(length) => self.wide[wide_chunk(address)],
            Some(position) => {
                let node = &self.nodes[self.way(address, position, |_| {})?];
                node.slots[node.chunk(address)]
            }
        };
        Some(node_index(slot).map_or(slot, |node| self.nodes[node].inherited))
    }

    fn find(&self, address: u32, length: u8) -> Option<Slot> {
        let mut slot = self.chain(address, length)?;
        while self.leaf(slot)?.length > length {
            slot = self.leaf(slot)?.shorter;
        }
        (self.leaf(slot)?.length == length).then_some(slot)
    }

    /// The value of exactly this prefix.
    pub(crate) fn get(&self, address: u32, length: u8) -> Option<&T> {
        self.value(self.find(address, length)?)
    }

    /// The value of exactly this prefix, which is made where there is none.
    pub(crate) fn entry(&mut self, address: u32, length: u8) -> &mut T
    where
        T: Default,
    {
        let slot = match self.find(address, length) {
            Some(slot) => slot,
            None => {
                if self.wide.is_empty() && self.len == LARGE {
                    self.rebuild(true);
                }
                let slot = self.new_leaf(address, length);
                self.len += 1;
                match position(length) {
                    None => self.link(Place::Root, slot),
                    Some(_) if self.is_wide(length) => {
                        Trie::<T>::covered(address, length).for_each(|place| self.link(place, slot));
                    }
                    Some(position) => {
                        let node = self.make_way(address, position);
                        for chunk in self.nodes[node].covered(address, length) {
                            self.link(Place::In(node, chunk), slot);
                        }
                    }
                }
                slot
            }
        };
        &mut self.values[slot as usize - 1]
    }

    fn new_leaf(&mut self, address: u32, length: u8) -> Slot
    where
        T: Default,
    {
        let new = Leaf { address, length, shorter: 0 };
        let slot = self.unused_leaf;
        match self.leaf_mut(slot) {
            Some(leaf) => {
                let next = std::mem::replace(leaf, new).shorter;
                self.unused_leaf = next;
                slot
            }
            None => {
                self.leaves.push(new);
                self.values.push(T::default());
                self.leaves.len() as Slot
            }
        }
    }

    fn new_node(&mut self, new: Node) -> usize {
        match node_index(self.unused_node) {
            Some(at) => {
                self.unused_node = std::mem::replace(&mut self.nodes[at], new).inherited;
                at
            }
            None => {
                self.nodes.push(new);
                self.nodes.len() - 1
            }
        }
    }

    /// Puts a leaf into the chain of a place: behind those that are longer.
    fn link(&mut self, place: Place, new: Slot) {
        let length = self.leaves[new as usize - 1].length;
        let mut longer = 0;
        let mut slot = *self.head(place);
        while let Some(leaf) = self.leaf(slot).filter(|leaf| leaf.length > length) {
            (longer, slot) = (slot, leaf.shorter);
        }
        if slot == new {
            return;
        }
        self.leaves[new as usize - 1].shorter = slot;
        match self.leaf_mut(longer) {
            Some(longer) => longer.shorter = new,
            None => {
                *self.head(place) = new;
                self.tell(place);
            }
        }
    }

    /// Takes a leaf out of the chain of a place.
    fn unlink(&mut self, place: Place, old: Slot) {
        let shorter = self.leaves[old as usize - 1].shorter;
        let mut slot = *self.head(place);
        if slot == old {
            *self.head(place) = shorter;
            self.tell(place);
        }
        while let Some(leaf) = self.leaf_mut(slot) {
            if leaf.shorter == old {
                leaf.shorter = shorter;
            }
            slot = leaf.shorter;
        }
    }

    /// The node that begins at `position` on the way to an address, which is made where there is none.
    fn make_way(&mut self, address: u32, position: u32) -> usize {
        let mut place = self.top(address);
        loop {
            let slot = *self.slot(place);
            let Some(at) = node_index(slot) else {
                let new = self.new_node(Node { inherited: slot, ..Node::new(address, position) });
                self.lead(place, new);
                return new;
            };
            let node = &self.nodes[at];
            let common = (address ^ node.address).leading_zeros() & !(STRIDE - 1);
            let parting = common.min(position);
            if parting >= node.position() {
                if node.position() == position {
                    return at;
                }
                place = Place::In(at, node.chunk(address));
                continue;
            }
            // The ways part before this node: another one goes between.
            let mut between = Node { inherited: node.inherited, ..Node::new(address, parting) };
            let chunk = between.chunk(node.address);
            between.slots[chunk] = slot;
            self.nodes[at].inherited = 0;
            let between = self.new_node(between);
            self.lead(place, between);
            self.tell(Place::In(between, chunk));
        }
    }

    /// Takes a prefix out.
    pub(crate) fn remove(&mut self, address: u32, length: u8) -> Option<T>
    where
        T: Default,
    {
        let slot = self.find(address, length)?;
        match position(length) {
            None => self.unlink(Place::Root, slot),
            Some(_) if self.is_wide(length) => {
                Trie::<T>::covered(address, length).for_each(|place| self.unlink(place, slot));
            }
            Some(position) => {
                let mut places = [Place::Root; DEPTH];
                let mut passed = 0;
                let node = self.way(address, position, |place| {
                    places[passed] = place;
                    passed += 1;
                })?;
                for chunk in self.nodes[node].covered(address, length) {
                    self.unlink(Place::In(node, chunk), slot);
                }
                places[..passed].iter().rev().all(|place| self.tidy(*place));
            }
        }
        self.leaves[slot as usize - 1] = Leaf { address: 0, length: UNUSED, shorter: self.unused_leaf };
        self.unused_leaf = slot;
        let value = std::mem::take(&mut self.values[slot as usize - 1]);
        self.len -= 1;
        if !self.wide.is_empty() && self.len < LARGE / 4 {
            self.rebuild(false);
        }
        Some(value)
    }

    /// Takes the node out that a place leads to if it has become superfluous.
    fn tidy(&mut self, place: Place) -> bool {
        let Some(at) = node_index(*self.slot(place)) else { return false };
        let node = &self.nodes[at];
        let mut used = node.slots.iter().filter(|slot| **slot != 0);
        let instead = match (used.next(), used.next()) {
            (None, _) => node.inherited,
            (Some(only), None) => match node_index(*only) {
                // A leaf that stands in but one slot, or a node below a prefix that ends here.
                None => return false,
                Some(below) if self.nodes[below].inherited != 0 => return false,
                Some(below) => {
                    let only = *only;
                    self.nodes[below].inherited = node.inherited;
                    only
                }
            },
            _ => return false,
        };
        *self.slot(place) = instead;
        self.tell(place);
        self.nodes[at].inherited = self.unused_node;
        self.unused_node = at as Slot | NODE;
        true
    }

    /// The value of the longest prefix that covers `address`: the first of [`Trie::matches`], for less.
    #[inline(always)]
    pub(crate) fn longest(&self, address: u32) -> Option<(u8, &T)> {
        let slot = self.longest_slot(address);
        Some((self.leaf(slot)?.length, self.value(slot)?))
    }

    /// The same without the prefix' length, which need not be fetched.
    #[inline(always)]
    pub(crate) fn longest_value(&self, address: u32) -> Option<&T> {
        self.value(self.longest_slot(address))
    }

    /// The leaf of the longest prefix that covers `address`, or nothing.
    #[inline(always)]
    fn longest_slot(&self, address: u32) -> Slot {
        let (mut slot, mut longest) = match self.wide.get(wide_chunk(address)) {
            Some(slot) => (*slot, self.root),
            None => (self.root, 0),
        };
        while let Some(at) = node_index(slot) {
            let Some(node) = self.nodes.get(at) else { break };
            if slot & PLAIN == 0 {
                if node.inherited != 0 {
                    longest = node.inherited;
                }
                if address & node.mask != node.address {
                    slot = 0;
                    break;
                }
            }
            slot = node.slots[(address >> shift(slot)) as usize % node.slots.len()];
        }
        if slot != 0 { slot } else { longest }
    }

    /// The addresses around one that no prefix covers, nor any of them: which bits they have in common with it. `None` where a prefix
    /// does.
    pub(crate) fn gap(&self, address: u32) -> Option<u32> {
        if self.longest(address).is_some() {
            return None;
        }
        let (mut slot, mut bits) = match self.wide.get(wide_chunk(address)) {
            Some(slot) => (*slot, WIDE),
            None => (self.root, 0),
        };
        while let Some(at) = node_index(slot) {
            let node = &self.nodes[at];
            let common = (address ^ node.address).leading_zeros();
            if common < node.position() {
                return Some(mask(common + 1));
            }
            bits = node.position() + STRIDE;
            slot = node.slots[node.chunk(address)];
        }
        Some(mask(bits))
    }

    /// The values of every prefix that covers `address`, the longest first.
    pub(crate) fn matches(&self, address: u32) -> impl Iterator<Item = (u8, &T)> {
        // From the root down, noting where chains begin; then up again.
        let mut chains = [0; DEPTH + 1];
        let mut passed = 0;
        let mut slot = self.root;
        if let Some(first) = self.wide.get(wide_chunk(address)) {
            chains[passed] = slot;
            (passed, slot) = (1, *first);
        }
        while let Some(at) = node_index(slot) {
            let node = &self.nodes[at];
            chains[passed] = node.inherited;
            passed += 1;
            if address & node.mask != node.address {
                slot = 0;
                break;
            }
            slot = node.slots[node.chunk(address)];
        }
        iter::from_fn(move || {
            while slot == 0 {
                passed = passed.checked_sub(1)?;
                slot = chains[passed];
            }
            let (leaf, value) = (self.leaf(slot)?, self.value(slot)?);
            slot = leaf.shorter;
            Some((leaf.length, value))
        })
    }

    /// Everything in it as (address, length, value): by address, then the longer prefix first.
    pub(crate) fn entries(&self) -> Vec<(u32, u8, &T)> {
        let used = self.leaves.iter().zip(&self.values).filter(|(leaf, _)| leaf.length != UNUSED);
        let mut entries: Vec<_> = used.map(|(leaf, value)| (leaf.address, leaf.length, value)).collect();
        entries.sort_unstable_by_key(|(address, length, _)| (*address, u8::MAX - *length));
        entries
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    use super::*;

    fn mask(address: u32, length: u8) -> u32 {
        if length == 0 { 0 } else { address & (u32::MAX << (32 - length)) }
    }

    impl<T> Trie<T> {
        /// Whether every node is needed and is what is said of it, and every one that isn't used waits to be used again.
        fn is_tidy(&self) -> bool {
            let (mut waiting, mut unused) = (self.nodes.len(), self.unused_node);
            while let Some(at) = node_index(unused) {
                (waiting, unused) = (waiting - 1, self.nodes[at].inherited);
            }
            let first = |slot: &Slot| (*slot, if self.wide.is_empty() { 0 } else { WIDE });
            let mut below: Vec<(Slot, u32)> =
                if self.wide.is_empty() { vec![first(&self.root)] } else { self.wide.iter().map(first).collect() };
            while let Some((slot, bits)) = below.pop() {
                let Some(at) = node_index(slot) else { continue };
                let node = &self.nodes[at];
                let plain = node.position() == bits && node.inherited == 0;
                if (slot & PLAIN != 0, shift(slot)) != (plain, node.shift) {
                    return false;
                }
                let used: Vec<Slot> = node.slots.iter().copied().filter(|slot| *slot != 0).collect();
                let ends = used.iter().any(|slot| node_index(*slot).is_none_or(|at| self.nodes[at].inherited != 0));
                if used.len() < 2 && !ends {
                    return false;
                }
                waiting -= 1;
                below.extend(used.into_iter().map(|slot| (slot, node.position() + STRIDE)));
            }
            waiting == 0
        }
    }

    /// Prefixes that share long beginnings, so that they cover and neighbour each other.
    fn prefix() -> impl Strategy<Value = (u32, u8)> {
        (prop_oneof![any::<u32>(), 0x0a01_0000u32..0x0a01_0400, Just(0), Just(u32::MAX)], 0u8..=32)
            .prop_map(|(address, length)| (mask(address, length), length))
    }

    proptest! {
        #[test]
        fn a_trie_answers_as_a_linear_scan(
            steps in proptest::collection::vec((prefix(), any::<bool>()), 1..200),
            asked in proptest::collection::vec(prefix(), 1..50),
        ) {
            let mut trie = Trie::<u32>::default();
            let mut model = BTreeMap::new();
            for (number, ((address, length), remove)) in steps.into_iter().enumerate() {
                if remove {
                    prop_assert_eq!(trie.remove(address, length), model.remove(&(address, length)));
                } else {
                    *trie.entry(address, length) = number as u32;
                    model.insert((address, length), number as u32);
                }
            }
            prop_assert_eq!(trie.len, model.len());
            prop_assert!(trie.is_tidy(), "{trie:?}");
            for (address, _) in asked {
                let mut expected: Vec<(u8, u32)> = model
                    .iter()
                    .filter(|((prefix, length), _)| mask(address, *length) == *prefix)
                    .map(|((_, length), value)| (*length, *value))
                    .collect();
                expected.sort_unstable_by_key(|(length, _)| std::cmp::Reverse(*length));
                let found: Vec<(u8, u32)> = trie.matches(address).map(|(length, value)| (length, *value)).collect();
                let longest = trie.longest(address).map(|(length, value)| (length, *value));
                prop_assert_eq!(longest, expected.first().copied());
                let gap = trie.gap(address);
                prop_assert_eq!(gap.is_none(), longest.is_some());
                if let Some(common) = gap {
                    let meets = |(prefix, length): &(u32, u8)| mask((prefix ^ address) & common, *length) == 0;
                    prop_assert!(!model.keys().any(meets), "{:x} {:x} {:?}", address, common, model);
                }
                prop_assert_eq!(found, expected);
            }
            let mut expected: Vec<(u32, u8, u32)> = model.iter().map(|((a, l), v)| (*a, *l, *v)).collect();
            expected.sort_unstable_by_key(|(address, length, _)| (*address, 255 - *length));
            let entries: Vec<(u32, u8, u32)> = trie.entries().into_iter().map(|(a, l, v)| (a, l, *v)).collect();
            prop_assert_eq!(entries, expected);
        }
    }
}
