//! Routing rules of both families (`RTM_*RULE`). IPv6 has those that every namespace starts with.

use std::net::Ipv4Addr;

use super::addr::ipv4;
use super::attr::{Attr, Attributes, Check, Header, Policy, Rule as Must, Writer};
use super::dispatch::{Answer, Dump, Request};
use super::notify;
use super::uapi::*;
use crate::Kernel;
use crate::error::{Errno, Error, Result};
use crate::ipv4::fib::table;
use crate::ipv4::rule::{Rule, action};
use crate::types::{IfName, NsId};

/// Bytes of a `struct fib_rule_hdr`.
const FIB_RULE_HDR: usize = 12;

const FRA_DST: u16 = 1;
const FRA_SRC: u16 = 2;
const FRA_IIFNAME: u16 = 3;
const FRA_GOTO: u16 = 4;
const FRA_PRIORITY: u16 = 6;
const FRA_FWMARK: u16 = 10;
const FRA_SUPPRESS_PREFIXLEN: u16 = 14;
const FRA_TABLE: u16 = 15;
const FRA_FWMASK: u16 = 16;
const FRA_OIFNAME: u16 = 17;
const FRA_PROTOCOL: u16 = 21;

/// `FIB_RULE_UNRESOLVED`, `FIB_RULE_IIF_DETACHED`, `FIB_RULE_OIF_DETACHED`.
const UNRESOLVED: u32 = 4;
const IIF_DETACHED: u32 = 8;
const OIF_DETACHED: u32 = 16;

/// The bits of a type of service that are not about routing.
const ECN_BITS: u8 = 3;

/// What the header says of a table whose number is too large for it.
const TABLE_COMPAT: u8 = 252;

const POLICY: Policy = &[
    (FRA_DST, Must::Binary(16)),
    (FRA_SRC, Must::Binary(16)),
    (FRA_IIFNAME, Must::Text(15)),
    (FRA_GOTO, Must::U32),
    (FRA_PRIORITY, Must::U32),
    (FRA_FWMARK, Must::U32),
    (FRA_SUPPRESS_PREFIXLEN, Must::U32),
    (FRA_TABLE, Must::U32),
    (FRA_FWMASK, Must::U32),
    (FRA_OIFNAME, Must::Text(15)),
    (FRA_PROTOCOL, Must::U8),
];

/// `struct fib_rule_hdr`.
struct Head {
    family: u8,
    destination_length: u8,
    source_length: u8,
    tos: u8,
    table: u8,
    action: u8,
    flags: u32,
}

impl Head {
    fn parse(bytes: &[u8; FIB_RULE_HDR]) -> Head {
        let [family, destination_length, source_length, tos, table, _, _, action, flags @ ..] = *bytes;
        let flags = u32::from_ne_bytes(flags);
        Head { family, destination_length, source_length, tos, table, action, flags }
    }
}

/// Whether an attribute has an address in it; that of `default` is empty.
fn is_address(attr: &Attr<'_>) -> bool {
    attr.payload.len() == 4
}

fn wanted(head: &Head, attrs: &Attributes<'_>) -> Result<Rule> {
    if head.family != AF_INET {
        return Err(Errno::EOPNOTSUPP.into());
    }
    if head.source_length > 32 || head.destination_length > 32 {
        return Err(Error::new(Errno::EINVAL, "Invalid prefix length"));
    }
    let prefix = |number: u16, length: u8| {
        let address = attrs.get(number).filter(is_address).map_or(Ipv4Addr::UNSPECIFIED, |attr| ipv4(&attr));
        (address, length)
    };
    let name = |number: u16| attrs.get(number).and_then(|name| name.text()).and_then(IfName::new);
    let number = |number: u16| attrs.get(number).map(|attr| attr.u32());
    let mark = number(FRA_FWMARK);
    Ok(Rule {
        priority: number(FRA_PRIORITY).unwrap_or(0),
        action: head.action,
        table: number(FRA_TABLE).unwrap_or(head.table.into()),
        source: prefix(FRA_SRC, head.source_length),
        destination: prefix(FRA_DST, head.destination_length),
        tos: head.tos,
        iif: name(FRA_IIFNAME),
        oif: name(FRA_OIFNAME),
        mark: mark.unwrap_or(0),
        mask: number(FRA_FWMASK).unwrap_or(if mark.is_some() { u32::MAX } else { 0 }),
        flags: head.flags & crate::ipv4::rule::INVERT,
        target: number(FRA_GOTO),
        suppress_prefix_length: attrs.get(FRA_SUPPRESS_PREFIXLEN).map_or(-1, |attr| attr.i32()),
        protocol: attrs.get(FRA_PROTOCOL).map_or(0, |attr| attr.u8()),
    })
}

/// `RTM_NEWRULE`.
pub(crate) fn add(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let head = Head::parse(&request.fixed("Invalid header for rule request")?);
    let attrs = request.attributes(FIB_RULE_HDR, POLICY, Check::Lenient)?;
    let mut rule = wanted(&head, &attrs)?;
    for (length, number) in [(head.source_length, FRA_SRC), (head.destination_length, FRA_DST)] {
        if length > 0 && attrs.get(number).filter(is_address).is_none() {
            return Err(Errno::EINVAL.into());
        }
    }
    if head.tos & ECN_BITS != 0 {
        return Err(Error::new(Errno::EINVAL, "Invalid dsfield (tos): ECN bits must be 0"));
    }
    let ipv4 = &mut kernel.namespaces.get_mut(request.ns).ok_or(Errno::EINVAL)?.ipv4;
    let rules = &mut ipv4.rules;
    let named = attrs.get(FRA_PRIORITY).is_some();
    if !named {
        rule.priority = rules.default_priority();
    }
    match (rule.action, rule.target) {
        (action::GOTO, None) => return Err(Error::new(Errno::EINVAL, "Missing goto target for action goto")),
        (action::GOTO, Some(target)) if target <= rule.priority => {
            return Err(Error::new(Errno::EINVAL, "Backward goto not supported"));
        }
        (action, Some(_)) if action != action::GOTO => {
            return Err(Error::new(Errno::EINVAL, "Unexpected goto target in non-goto action"));
        }
        _ => {}
    }
    if rule.action == action::TO_TABLE && rule.table == 0 {
        rule.table = FREE_TABLE;
    }
    if request.has(NLM_F_EXCL) && named && rules.iter().any(|other| same(other, &rule)) {
        return Err(Errno::EEXIST.into());
    }
    rules.add(rule.clone());
    ipv4.fib.set_apart();
    tell(kernel, request.ns, RTM_NEWRULE, &rule);
    crate::ipv4::exception::forget(kernel, request.ns);
    Ok(Answer::Done)
}

/// The table of a rule that names none: the first free number.
const FREE_TABLE: u32 = 1;

fn same(one: &Rule, two: &Rule) -> bool {
    Rule { protocol: 0, ..one.clone() } == Rule { protocol: 0, ..two.clone() }
}

/// `RTM_DELRULE`: the first rule that is as the request says.
pub(crate) fn delete(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let head = Head::parse(&request.fixed("Invalid header for rule request")?);
    let attrs = request.attributes(FIB_RULE_HDR, POLICY, Check::Lenient)?;
    let rule = wanted(&head, &attrs)?;
    let has = |number: u16| attrs.get(number).is_some();
    let fits = |other: &Rule| {
        (rule.action == 0 || rule.action == other.action)
            && (rule.table == 0 || rule.table == other.table)
            && (!has(FRA_PRIORITY) || rule.priority == other.priority)
            && (!has(FRA_IIFNAME) || rule.iif == other.iif)
            && (!has(FRA_OIFNAME) || rule.oif == other.oif)
            && (!has(FRA_FWMARK) || rule.mark == other.mark)
            && (!has(FRA_FWMASK) || rule.mask == other.mask)
            && (!has(FRA_PROTOCOL) || rule.protocol == 0 || rule.protocol == other.protocol)
            && (rule.source.1 == 0 || rule.source == other.source)
            && (rule.destination.1 == 0 || rule.destination == other.destination)
            && (rule.tos == 0 || rule.tos == other.tos)
    };
    let ipv4 = &mut kernel.namespaces.get_mut(request.ns).ok_or(Errno::EINVAL)?.ipv4;
    let gone = ipv4.rules.remove(fits).ok_or(Errno::ENOENT)?;
    ipv4.fib.set_apart();
    tell(kernel, request.ns, RTM_DELRULE, &gone);
    crate::ipv4::exception::forget(kernel, request.ns);
    Ok(Answer::Done)
}

/// `RTM_GETRULE` for all, in order.
pub(crate) fn dump(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let family = request.body().first().copied().unwrap_or(AF_UNSPEC);
    let netns = kernel.namespaces.get(request.ns).ok_or(Errno::EINVAL)?;
    let mut rules: Vec<(u8, Rule)> = Vec::new();
    if matches!(family, AF_UNSPEC | AF_INET) {
        rules.extend(netns.ipv4.rules.iter().map(|rule| (AF_INET, rule.clone())));
    }
    if matches!(family, AF_UNSPEC | AF_INET6) {
        let built_in = [Rule::all(0, table::LOCAL), Rule::all(32_766, table::MAIN)];
        rules.extend(built_in.map(|rule| (AF_INET6, rule)));
    }
    if rules.is_empty() {
        return Err(Errno::EAFNOSUPPORT.into());
    }
    let ns = request.ns;
    let mut rules = rules.into_iter();
    Ok(Answer::Dump(Dump::new(move |kernel, out, header| {
        let Some((family, rule)) = rules.next() else { return Ok(false) };
        fill(kernel, ns, family, &rule, out, header.with_kind(RTM_NEWRULE));
        Ok(true)
    })))
}

fn fill(kernel: &Kernel, ns: NsId, family: u8, rule: &Rule, out: &mut Writer, header: Header) {
    let netns = kernel.namespaces.get(ns);
    let there = |name: IfName| netns.is_some_and(|netns| netns.device_by_name(name.as_str()).is_some());
    let mut flags = rule.flags;
    if rule.iif.is_some_and(|name| !there(name)) {
        flags |= IIF_DETACHED;
    }
    if rule.oif.is_some_and(|name| !there(name)) {
        flags |= OIF_DETACHED;
    }
    let resolved =
        |target: u32| netns.is_some_and(|netns| netns.ipv4.rules.iter().any(|other| other.priority == target));
    if rule.target.is_some_and(|target| !resolved(target)) {
        flags |= UNRESOLVED;
    }
    let table = if rule.action == action::TO_TABLE { rule.table } else { 0 };
    out.message(header, |out| {
        let [a, b, c, d] = flags.to_ne_bytes();
        let short = u8::try_from(table).unwrap_or(TABLE_COMPAT);
        let lengths = [rule.destination.1, rule.source.1];
        out.raw(&[family, lengths[0], lengths[1], rule.tos, short, 0, 0, rule.action, a, b, c, d]);
        out.u32(FRA_TABLE, table);
        out.put(FRA_SUPPRESS_PREFIXLEN, &rule.suppress_prefix_length.to_ne_bytes());
        out.u8(FRA_PROTOCOL, rule.protocol);
        if let Some(name) = rule.iif {
            out.text(FRA_IIFNAME, name.as_str());
        }
        if let Some(name) = rule.oif {
            out.text(FRA_OIFNAME, name.as_str());
        }
        if rule.priority != 0 {
            out.u32(FRA_PRIORITY, rule.priority);
        }
        if rule.mark != 0 {
            out.u32(FRA_FWMARK, rule.mark);
        }
        if rule.mark != 0 || rule.mask != 0 {
            out.u32(FRA_FWMASK, rule.mask);
        }
        if let Some(target) = rule.target {
            out.u32(FRA_GOTO, target);
        }
        for (number, (address, length)) in [(FRA_DST, rule.destination), (FRA_SRC, rule.source)] {
            if length > 0 {
                out.put(number, &address.octets());
            }
        }
    });
}

fn tell(kernel: &mut Kernel, ns: NsId, kind: u16, rule: &Rule) {
    notify::multicast(kernel, ns, RTNLGRP_IPV4_RULE, |kernel, out| {
        fill(kernel, ns, AF_INET, rule, out, Header { kind, ..Header::default() });
    });
}
