//! Routing rules: which table is asked for which packet, in which order.

use std::net::Ipv4Addr;

use super::fib::{Key, table};
use crate::types::IfName;

/// `FR_ACT_…`: what a rule does.
pub(crate) mod action {
    pub(crate) const TO_TABLE: u8 = 1;
    pub(crate) const GOTO: u8 = 2;
    pub(crate) const BLACKHOLE: u8 = 6;
    pub(crate) const UNREACHABLE: u8 = 7;
    pub(crate) const PROHIBIT: u8 = 8;
}

/// `FIB_RULE_INVERT`.
pub(crate) const INVERT: u32 = 2;

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) priority: u32,
    pub(crate) action: u8,
    pub(crate) table: u32,
    pub(crate) source: (Ipv4Addr, u8),
    pub(crate) destination: (Ipv4Addr, u8),
    pub(crate) tos: u8,
    pub(crate) iif: Option<IfName>,
    pub(crate) oif: Option<IfName>,
    pub(crate) mark: u32,
    pub(crate) mask: u32,
    pub(crate) flags: u32,
    /// The priority of the rule to go on with.
    pub(crate) target: Option<u32>,
    /// Routes with prefixes no longer than this are passed over; -1: none are.
    pub(crate) suppress_prefix_length: i32,
    pub(crate) protocol: u8,
}

impl Rule {
    /// A rule that sends every packet to a table.
    pub(crate) fn all(priority: u32, table: u32) -> Rule {
        Rule {
            priority,
            action: action::TO_TABLE,
            table,
            source: (Ipv4Addr::UNSPECIFIED, 0),
            destination: (Ipv4Addr::UNSPECIFIED, 0),
            tos: 0,
            iif: None,
            oif: None,
            mark: 0,
            mask: 0,
            flags: 0,
            target: None,
            suppress_prefix_length: -1,
            protocol: super::fib::protocol::KERNEL,
        }
    }

    /// Whether it is about a packet; `iif` and `oif` are the names of the key's devices.
    pub(crate) fn fits(&self, key: &Key, iif: Option<IfName>, oif: Option<IfName>) -> bool {
        let within = |address: u32, (prefix, length): (Ipv4Addr, u8)| {
            length == 0 || (address ^ prefix.to_bits()) >> (32 - u32::from(length).min(32)) == 0
        };
        let fits = within(key.source, self.source)
            && within(key.destination, self.destination)
            && (self.tos == 0 || self.tos == key.tos)
            && self.iif.is_none_or(|name| iif == Some(name))
            && self.oif.is_none_or(|name| oif == Some(name))
            && (self.mark ^ key.mark) & self.mask == 0;
        fits != (self.flags & INVERT != 0)
    }
}

/// A namespace's rules, in order.
#[derive(Debug)]
pub(crate) struct Rules {
    rules: Vec<Rule>,
    custom: bool,
}

impl Default for Rules {
    fn default() -> Rules {
        let rules = vec![Rule::all(0, table::LOCAL), Rule::all(32_766, table::MAIN), Rule::all(32_767, table::DEFAULT)];
        Rules { rules, custom: false }
    }
}

impl Rules {
    /// Whether they are other than those that a namespace starts with.
    #[inline]
    pub(crate) fn are_custom(&self) -> bool {
        self.custom
    }

    /// In order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// Adds a rule behind those of the same priority.
    pub(crate) fn add(&mut self, rule: Rule) {
        let at = self.rules.iter().position(|other| other.priority > rule.priority).unwrap_or(self.rules.len());
        self.rules.insert(at, rule);
        self.custom = true;
    }

    /// Takes out the first rule that `doomed` says it of.
    pub(crate) fn remove(&mut self, doomed: impl Fn(&Rule) -> bool) -> Option<Rule> {
        let at = self.rules.iter().position(doomed)?;
        self.custom = true;
        Some(self.rules.remove(at))
    }

    /// The priority of a rule that is given none: just before the second one, the first that may be passed.
    pub(crate) fn default_priority(&self) -> u32 {
        match self.rules.get(1) {
            Some(second) if second.priority > 0 => second.priority - 1,
            _ => 0,
        }
    }
}
