//! Longest-prefix match: a compressed trie of IPv4 prefixes.
//!
//! A node stands for six bits of the address. One bitmap says which prefixes end inside it (the 63 of length 0 to 5 below the
//! node's own), another which of its 64 children there are; values and children stand densely packed, in bitmap order, and are
//! found by counting bits. A node is one cache line and an address passes six at most. After W. Eatherton, "Tree bitmap".

use std::iter;

/// How many bits of the address one node stands for.
const STRIDE: u32 = 6;
/// How many nodes an address passes at most: 32 bits by six.
const DEPTH: usize = 6;

/// For every six bits of an address, the prefixes within a node that they match.
const MATCH: [u64; 64] = {
    let mut table = [0u64; 64];
    let mut chunk = 0;
    while chunk < 64 {
        let mut length = 0;
        while length < STRIDE {
            table[chunk] |= 1 << ((1u32 << length) - 1 + (chunk as u32 >> (STRIDE - length)));
            length += 1;
        }
        chunk += 1;
    }
    table
};

#[derive(Debug)]
struct Node<T> {
    /// Which prefixes end here: bit 2^length - 1 + the prefix' bits.
    ends: u64,
    /// Which children there are.
    branches: u64,
    values: Vec<T>,
    children: Vec<Node<T>>,
}

impl<T> Default for Node<T> {
    fn default() -> Node<T> {
        Node { ends: 0, branches: 0, values: Vec::new(), children: Vec::new() }
    }
}

/// The place of bit number `bit` in a dense array described by `bitmap`.
#[inline]
fn rank(bitmap: u64, bit: u32) -> usize {
    (bitmap & ((1u64 << bit) - 1)).count_ones() as usize
}

/// The six bits of an address that choose within a node at `depth`.
#[inline]
fn chunk(address: u32, depth: u32) -> u32 {
    ((u64::from(address) << 4) >> (30 - STRIDE * depth)) as u32 & 63
}

/// The bit that stands for a prefix within the node where it ends.
#[inline]
fn end_bit(address: u32, length: u8) -> u32 {
    let (depth, within) = (u32::from(length) / STRIDE, u32::from(length) % STRIDE);
    (1 << within) - 1 + (chunk(address, depth) >> (STRIDE - within))
}

impl<T> Node<T> {
    #[inline]
    fn child(&self, chunk: u32) -> Option<&Node<T>> {
        if self.branches >> chunk & 1 == 0 { None } else { self.children.get(rank(self.branches, chunk)) }
    }

    fn child_mut(&mut self, chunk: u32) -> Option<&mut Node<T>> {
        if self.branches >> chunk & 1 == 0 { None } else { self.children.get_mut(rank(self.branches, chunk)) }
    }

    fn remove(&mut self, address: u32, length: u8, depth: u32) -> Option<T> {
        if u32::from(length) / STRIDE == depth {
            let bit = end_bit(address, length);
            if self.ends >> bit & 1 == 0 {
                return None;
            }
            let at = rank(self.ends, bit);
            self.ends &= !(1 << bit);
            return Some(self.values.remove(at));
        }
        let chunk = chunk(address, depth);
        let child = self.child_mut(chunk)?;
        let value = child.remove(address, length, depth + 1)?;
        if child.ends == 0 && child.branches == 0 {
            self.children.remove(rank(self.branches, chunk));
            self.branches &= !(1 << chunk);
        }
        Some(value)
    }

    fn collect<'a>(&'a self, address: u32, depth: u32, into: &mut Vec<(u32, u8, &'a T)>) {
        let mut ends = self.ends;
        for value in &self.values {
            let bit = ends.trailing_zeros();
            ends &= ends - 1;
            let within = (bit + 1).ilog2();
            let bits = u64::from(bit + 1 - (1 << within)) << (STRIDE - within);
            let prefix = address | ((bits << (30 - STRIDE * depth)) >> 4) as u32;
            into.push((prefix, (depth * STRIDE + within) as u8, value));
        }
        let mut branches = self.branches;
        for child in &self.children {
            let chunk = branches.trailing_zeros();
            branches &= branches - 1;
            let prefix = address | ((u64::from(chunk) << (30 - STRIDE * depth)) >> 4) as u32;
            child.collect(prefix, depth + 1, into);
        }
    }

    fn for_each(&mut self, visit: &mut impl FnMut(&mut T)) {
        self.values.iter_mut().for_each(&mut *visit);
        for child in &mut self.children {
            child.for_each(visit);
        }
    }
}

/// A map from prefixes to values. Bits of an address beyond its prefix' length must be zero.
#[derive(Debug)]
pub(crate) struct Trie<T> {
    root: Node<T>,
}

impl<T> Default for Trie<T> {
    fn default() -> Trie<T> {
        Trie { root: Node::default() }
    }
}

impl<T> Trie<T> {
    /// The value of exactly this prefix.
    pub(crate) fn get(&self, address: u32, length: u8) -> Option<&T> {
        let mut node = &self.root;
        for depth in 0..u32::from(length) / STRIDE {
            node = node.child(chunk(address, depth))?;
        }
        let bit = end_bit(address, length);
        if node.ends >> bit & 1 == 0 { None } else { node.values.get(rank(node.ends, bit)) }
    }

    /// The same to write to.
    pub(crate) fn get_mut(&mut self, address: u32, length: u8) -> Option<&mut T> {
        let mut node = &mut self.root;
        for depth in 0..u32::from(length) / STRIDE {
            node = node.child_mut(chunk(address, depth))?;
        }
        let bit = end_bit(address, length);
        if node.ends >> bit & 1 == 0 { None } else { node.values.get_mut(rank(node.ends, bit)) }
    }

    /// The value of exactly this prefix, which is made where there is none.
    pub(crate) fn entry(&mut self, address: u32, length: u8) -> &mut T
    where
        T: Default,
    {
        let mut node = &mut self.root;
        for depth in 0..u32::from(length) / STRIDE {
            let chunk = chunk(address, depth);
            let at = rank(node.branches, chunk);
            if node.branches >> chunk & 1 == 0 {
                node.branches |= 1 << chunk;
                node.children.insert(at, Node::default());
            }
            node = &mut node.children[at];
        }
        let bit = end_bit(address, length);
        let at = rank(node.ends, bit);
        if node.ends >> bit & 1 == 0 {
            node.ends |= 1 << bit;
            node.values.insert(at, T::default());
        }
        &mut node.values[at]
    }

    /// Takes a prefix out.
    pub(crate) fn remove(&mut self, address: u32, length: u8) -> Option<T> {
        self.root.remove(address, length, 0)
    }

    /// The value of the longest prefix that covers `address`: the first of [`Trie::matches`], for less.
    #[inline]
    pub(crate) fn longest(&self, address: u32) -> Option<(u8, &T)> {
        let mut node = &self.root;
        let mut longest = None;
        for depth in 0..DEPTH as u32 {
            let chunk = chunk(address, depth);
            let bits = node.ends & MATCH[chunk as usize];
            if bits != 0 {
                longest = Some((depth, node, bits));
            }
            let Some(child) = node.child(chunk) else { break };
            node = child;
        }
        let (depth, node, bits) = longest?;
        let bit = bits.ilog2();
        let value = node.values.get(rank(node.ends, bit))?;
        Some(((depth * STRIDE + (bit + 1).ilog2()) as u8, value))
    }

    /// The values of every prefix that covers `address`, the longest first.
    #[inline]
    pub(crate) fn matches(&self, address: u32) -> impl Iterator<Item = (u8, &T)> {
        // From the root down, noting the nodes in which something matches; then up again.
        let mut path = [(&self.root, 0); DEPTH];
        let mut matching = 0u32;
        let mut node = &self.root;
        for (depth, place) in path.iter_mut().enumerate() {
            let chunk = chunk(address, depth as u32);
            let bits = node.ends & MATCH[chunk as usize];
            if bits != 0 {
                *place = (node, bits);
                matching |= 1 << depth;
            }
            let Some(child) = node.child(chunk) else { break };
            node = child;
        }
        iter::from_fn(move || {
            let depth = matching.checked_ilog2()?;
            let (node, bits) = path.get_mut(depth as usize)?;
            let bit = bits.ilog2();
            let value = node.values.get(rank(node.ends, bit))?;
            *bits &= !(1 << bit);
            if *bits == 0 {
                matching &= !(1 << depth);
            }
            Some(((depth * STRIDE + (bit + 1).ilog2()) as u8, value))
        })
    }

    /// Everything in it as (address, length, value): by address, then the longer prefix first.
    pub(crate) fn entries(&self) -> Vec<(u32, u8, &T)> {
        let mut entries = Vec::new();
        self.root.collect(0, 0, &mut entries);
        entries.sort_unstable_by_key(|(address, length, _)| (*address, u8::MAX - *length));
        entries
    }

    /// Shows every value to `visit`.
    pub(crate) fn for_each(&mut self, mut visit: impl FnMut(&mut T)) {
        self.root.for_each(&mut visit);
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
            prop_assert_eq!(trie.root.ends == 0 && trie.root.branches == 0, model.is_empty());
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
                prop_assert_eq!(found, expected);
            }
            let mut expected: Vec<(u32, u8, u32)> = model.iter().map(|((a, l), v)| (*a, *l, *v)).collect();
            expected.sort_unstable_by_key(|(address, length, _)| (*address, 255 - *length));
            let entries: Vec<(u32, u8, u32)> = trie.entries().into_iter().map(|(a, l, v)| (a, l, *v)).collect();
            prop_assert_eq!(entries, expected);
        }
    }
}
