//! `ip route`: where packets go.

mod change;
mod filter;
mod get;
mod metrics;
mod nexthop;
mod show;

use crate::print::Format;
use crate::rtnl::{Failure, Outcome, Session, matches, names};

pub(crate) use get::ip_protocol;
pub(crate) use show::{Known, Route};

/// The length of `struct rtmsg`.
pub(crate) const RTMSG: usize = 12;

/// `RTA_*`.
mod rta {
    pub(super) const DST: u16 = 1;
    pub(super) const SRC: u16 = 2;
    pub(super) const IIF: u16 = 3;
    pub(super) const OIF: u16 = 4;
    pub(super) const GATEWAY: u16 = 5;
    pub(super) const PRIORITY: u16 = 6;
    pub(super) const PREFSRC: u16 = 7;
    pub(super) const METRICS: u16 = 8;
    pub(super) const MULTIPATH: u16 = 9;
    pub(super) const FLOW: u16 = 11;
    pub(super) const CACHEINFO: u16 = 12;
    pub(super) const TABLE: u16 = 15;
    pub(super) const MARK: u16 = 16;
    pub(super) const VIA: u16 = 18;
    pub(super) const PREF: u16 = 20;
    pub(super) const EXPIRES: u16 = 23;
    pub(super) const UID: u16 = 25;
    pub(super) const TTL_PROPAGATE: u16 = 26;
    pub(super) const IP_PROTO: u16 = 27;
    pub(super) const SPORT: u16 = 28;
    pub(super) const DPORT: u16 = 29;
    pub(super) const NH_ID: u16 = 30;
}

const RTM_F_CLONED: u32 = 0x200;
const RTM_F_LOOKUP_TABLE: u32 = 0x1000;
const RTM_F_FIB_MATCH: u32 = 0x2000;

const TABLE_MAIN: u32 = 254;
const TABLE_LOCAL: u32 = 255;

const PROTOCOL_BOOT: u8 = 3;

/// Kinds of routes by number.
const TYPES: &[&str] = &[
    "none",
    "unicast",
    "local",
    "broadcast",
    "anycast",
    "multicast",
    "blackhole",
    "unreachable",
    "prohibit",
    "throw",
    "nat",
    "xresolve",
];
const UNICAST: u8 = 1;
const LOCAL: u8 = 2;
const BROADCAST: u8 = 3;
const ANYCAST: u8 = 4;
const MULTICAST: u8 = 5;
const NAT: u8 = 10;

/// Runs `ip route` with the words after it.
pub(crate) fn run(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let Some((command, rest)) = words.split_first() else { return filter::list(session, words) };
    let is = |keyword| matches(command, keyword);
    if is("list") || is("show") || is("lst") || command == "ls" {
        filter::list(session, rest)
    } else if is("get") {
        get::run(session, rest)
    } else if is("add") {
        change::run(session, rest, libc::RTM_NEWROUTE, change::CREATE | change::EXCLUSIVE)
    } else if is("change") || command == "chg" {
        change::run(session, rest, libc::RTM_NEWROUTE, change::REPLACE)
    } else if is("replace") {
        change::run(session, rest, libc::RTM_NEWROUTE, change::CREATE | change::REPLACE)
    } else if is("prepend") {
        change::run(session, rest, libc::RTM_NEWROUTE, change::CREATE)
    } else if is("append") {
        change::run(session, rest, libc::RTM_NEWROUTE, change::CREATE | change::APPEND)
    } else if is("test") {
        change::run(session, rest, libc::RTM_NEWROUTE, change::EXCLUSIVE)
    } else if is("delete") {
        change::run(session, rest, libc::RTM_DELROUTE, 0)
    } else if is("flush") {
        filter::flush(session, rest)
    } else if is("save") {
        filter::save(session, rest)
    } else if is("help") {
        usage(session)
    } else {
        session.complain(&format!("Command \"{command}\" is unknown, try \"ip route help\"."));
        Err(Failure::Exit(255))
    }
}

fn usage(session: &mut Session<'_>) -> Outcome {
    super::usage(session.err, include_str!("usage/route.txt"))
}

/// A kind of route by name or number.
pub(crate) fn find_type(text: &str) -> Option<u8> {
    match TYPES.iter().position(|name| *name == text) {
        Some(at) if at > 0 => u8::try_from(at).ok(),
        _ => crate::rtnl::number(text).and_then(|number| u8::try_from(number).ok()),
    }
}

pub(crate) fn type_name(number: u8, format: &Format) -> String {
    match TYPES.get(usize::from(number)).filter(|_| !format.numeric) {
        Some(name) => (*name).to_owned(),
        None => number.to_string(),
    }
}

/// A realm, or two with a slash between: the source's and the destination's.
fn realms(number: u32) -> String {
    match (number >> 16, number & 0xffff) {
        (0, to) => to.to_string(),
        (from, to) => format!("{from}/{to}"),
    }
}

pub(crate) fn find_realms(text: &str) -> Option<u32> {
    let realm = |text: &str| crate::rtnl::number(text).filter(|number| *number < 1 << 16).map(|number| number as u32);
    match text.split_once('/') {
        Some((from, to)) => Some(realm(from)? << 16 | realm(to)?),
        None => realm(text),
    }
}

/// A type of service, now the DS field: two hexadecimal digits.
pub(crate) fn find_tos(text: &str) -> Option<u8> {
    if text == "default" {
        return Some(0);
    }
    u8::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16).ok()
}

/// Names of tables, protocols and scopes; their numbers with `-N`.
pub(crate) fn table_name(number: u32, format: &Format) -> String {
    if format.numeric { number.to_string() } else { names::table(number) }
}

pub(crate) fn protocol_name(number: u8, format: &Format) -> String {
    if format.numeric { number.to_string() } else { names::protocol(number) }
}

fn scope_name(number: u8, format: &Format) -> String {
    if format.numeric { number.to_string() } else { names::scope(number) }
}
