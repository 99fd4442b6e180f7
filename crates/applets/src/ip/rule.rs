//! `ip rule`: which routing table a packet is looked up in.

mod change;
mod filter;
mod show;

use crate::rtnl::{Failure, Outcome, Session, matches};

pub(crate) use show::Rule;

/// The length of `struct fib_rule_hdr`.
const FIB_RULE: usize = 12;

/// `FRA_*`.
mod fra {
    pub(super) const DST: u16 = 1;
    pub(super) const SRC: u16 = 2;
    pub(super) const IIFNAME: u16 = 3;
    pub(super) const GOTO: u16 = 4;
    /// The address that `nat` maps to.
    pub(super) const GATEWAY: u16 = 5;
    pub(super) const PRIORITY: u16 = 6;
    pub(super) const FWMARK: u16 = 10;
    pub(super) const FLOW: u16 = 11;
    pub(super) const TUN_ID: u16 = 12;
    pub(super) const SUPPRESS_IFGROUP: u16 = 13;
    pub(super) const SUPPRESS_PREFIXLEN: u16 = 14;
    pub(super) const TABLE: u16 = 15;
    pub(super) const FWMASK: u16 = 16;
    pub(super) const OIFNAME: u16 = 17;
    pub(super) const L3MDEV: u16 = 19;
    pub(super) const UID_RANGE: u16 = 20;
    pub(super) const PROTOCOL: u16 = 21;
    pub(super) const IP_PROTO: u16 = 22;
    pub(super) const SPORT_RANGE: u16 = 23;
    pub(super) const DPORT_RANGE: u16 = 24;
}

/// What a rule does (`FR_ACT_*`); the rest are kinds of routes.
const TO_TABLE: u8 = 1;
const GOTO: u8 = 2;
const NOP: u8 = 3;
const NAT: u8 = 10;

const INVERT: u32 = 2;
const UNRESOLVED: u32 = 4;
const IIF_DETACHED: u32 = 8;
const OIF_DETACHED: u32 = 16;

/// Runs `ip rule` with the words after it.
pub(crate) fn run(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let Some((command, rest)) = words.split_first() else { return filter::list(session, words) };
    let is = |keyword| matches(command, keyword);
    if is("list") || is("lst") || is("show") || command == "ls" {
        filter::list(session, rest)
    } else if is("add") {
        change::run(session, rest, true)
    } else if is("delete") {
        change::run(session, rest, false)
    } else if is("flush") {
        filter::flush(session, rest)
    } else if is("help") {
        usage(session)
    } else {
        session.complain(&format!("Command \"{command}\" is unknown, try \"ip rule help\"."));
        Err(Failure::Exit(255))
    }
}

fn usage(session: &mut Session<'_>) -> Outcome {
    super::usage(session.err, include_str!("usage/rule.txt"))
}

/// Two numbers with `-` between.
fn range<T: TryFrom<u64>>(text: &str) -> Option<(T, T)> {
    let number = |text: &str| text.parse::<u64>().ok().and_then(|number| T::try_from(number).ok());
    let (first, last) = text.split_once('-')?;
    Some((number(first)?, number(last)?))
}

/// One port or a range of them.
fn ports(text: &str) -> Option<(u16, u16)> {
    range(text).or_else(|| text.parse().ok().map(|port| (port, port)))
}

/// A firewall mark, behind which a mask may stand.
fn mark(text: &str) -> Option<(u32, Option<u32>)> {
    let number = |text: &str| crate::rtnl::number(text).and_then(|number| u32::try_from(number).ok());
    match text.split_once('/') {
        Some((mark, mask)) => Some((number(mark)?, Some(number(mask)?))),
        None => Some((number(text)?, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_marks() {
        assert_eq!(range::<u32>("1-5"), Some((1, 5)));
        assert_eq!(range::<u32>("x"), None);
        assert_eq!(ports("50"), Some((50, 50)));
        assert_eq!(ports("1-70000"), None);
        assert_eq!(mark("0x3/0x7"), Some((3, Some(7))));
        assert_eq!(mark("x"), None);
    }
}
