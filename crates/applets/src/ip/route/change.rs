//! `ip route add`, `append`, `prepend`, `replace`, `change`, `test` and `delete`.

use netloom_machine::netlink::Request;

use super::metrics::Metrics;
use super::nexthop::{self, Nexthop, ONLINK};
use super::{
    ANYCAST, BROADCAST, LOCAL, MULTICAST, NAT, PROTOCOL_BOOT, RTMSG, TABLE_LOCAL, TABLE_MAIN, UNICAST, find_realms,
    find_tos, find_type, rta,
};
use crate::rtnl::address::{Address, Prefix, address, prefix};
use crate::rtnl::{Arguments, Outcome, Session, duplicate_or_garbage, invalid_argument, matches, names};

pub(super) const REPLACE: u16 = 0x100;
pub(super) const EXCLUSIVE: u16 = 0x200;
pub(super) const CREATE: u16 = 0x400;
pub(super) const APPEND: u16 = 0x800;

const SCOPE_LINK: u8 = 253;
const SCOPE_HOST: u8 = 254;
const SCOPE_NOWHERE: u8 = 255;

/// A route to be added or deleted.
#[derive(Default)]
struct Wanted<'w> {
    family: u8,
    kind: u8,
    destination: Option<Prefix>,
    from: Option<Prefix>,
    tos: u8,
    table: Option<u32>,
    protocol: Option<u8>,
    scope: Option<u8>,
    flags: u32,
    gateway: Option<Address>,
    device: Option<&'w str>,
    source: Option<Address>,
    metric: Option<u32>,
    realms: Option<u32>,
    expires: Option<u32>,
    preference: Option<u8>,
    nexthop_id: Option<u32>,
    propagate_ttl: Option<bool>,
    metrics: Metrics,
    nexthops: Vec<Nexthop>,
}

pub(super) fn run(session: &mut Session<'_>, words: &[String], kind: u16, flags: u16) -> Outcome {
    let delete = kind == libc::RTM_DELROUTE;
    let mut wanted = Wanted { family: session.family, kind: if delete { 0 } else { UNICAST }, ..Wanted::default() };
    parse(session, words, &mut wanted)?;
    let Some(destination) = wanted.destination else { return super::usage(session) };
    let family = if wanted.family == 0 { libc::AF_INET as u8 } else { wanted.family };
    let table = wanted.table.unwrap_or(match wanted.kind {
        LOCAL | BROADCAST | NAT | ANYCAST => TABLE_LOCAL,
        _ => TABLE_MAIN,
    });
    let mut header = [0; RTMSG];
    header[0] = family;
    header[1] = destination.bits;
    header[2] = wanted.from.map_or(0, |from| from.bits);
    header[3] = wanted.tos;
    header[4] = u8::try_from(table).unwrap_or(0);
    header[5] = wanted.protocol.unwrap_or(if delete { 0 } else { PROTOCOL_BOOT });
    header[6] = scope(&wanted, family, delete);
    header[7] = wanted.kind;
    header[8..12].copy_from_slice(&wanted.flags.to_ne_bytes());
    let mut request = Request::new(kind, flags);
    request.put(&header);
    put(&mut request, &wanted, family);
    if table > 255 {
        request.u32(rta::TABLE, table);
    }
    if let Some(name) = wanted.device {
        let index = session.index(name)?;
        request.u32(rta::OIF, index);
    }
    session.request(&mut request)
}

/// The scope that the kind of route has where none was given.
fn scope(wanted: &Wanted<'_>, family: u8, delete: bool) -> u8 {
    let direct = wanted.gateway.is_none() && wanted.nexthops.is_empty() && wanted.nexthop_id.is_none();
    match (wanted.scope, wanted.kind) {
        (Some(scope), _) => scope,
        (None, _) if i32::from(family) == libc::AF_INET6 => {
            if delete {
                SCOPE_NOWHERE
            } else {
                0
            }
        }
        (None, LOCAL | NAT) => SCOPE_HOST,
        (None, BROADCAST | MULTICAST | ANYCAST) => SCOPE_LINK,
        (None, _) if delete => SCOPE_NOWHERE,
        (None, UNICAST | 0) if direct => SCOPE_LINK,
        (None, _) => 0,
    }
}

fn put(request: &mut Request, wanted: &Wanted<'_>, family: u8) {
    for (prefix, kind) in [(wanted.destination, rta::DST), (wanted.from, rta::SRC)] {
        if let Some(prefix) = prefix.filter(|prefix| !prefix.address.bytes().is_empty() && prefix.bits > 0) {
            request.attribute(kind, prefix.address.bytes());
        }
    }
    if let Some(gateway) = &wanted.gateway {
        nexthop::put_gateway(request, family, gateway);
    }
    if let Some(source) = &wanted.source {
        request.attribute(rta::PREFSRC, source.bytes());
    }
    for (number, kind) in [
        (wanted.metric, rta::PRIORITY),
        (wanted.realms, rta::FLOW),
        (wanted.expires, rta::EXPIRES),
        (wanted.nexthop_id, rta::NH_ID),
    ] {
        if let Some(number) = number {
            request.u32(kind, number);
        }
    }
    if let Some(preference) = wanted.preference {
        request.u8(rta::PREF, preference);
    }
    if let Some(propagate) = wanted.propagate_ttl {
        request.u8(rta::TTL_PROPAGATE, propagate.into());
    }
    wanted.metrics.put(request);
    if !wanted.nexthops.is_empty() {
        nexthop::put_all(request, family, &wanted.nexthops);
    }
}

fn parse<'w>(session: &mut Session<'_>, words: &'w [String], wanted: &mut Wanted<'w>) -> Outcome {
    let mut arguments = Arguments::new(words);
    while let Some(word) = arguments.next() {
        if wanted.metrics.parse(session, word, &mut arguments)? || parse_option(session, word, &mut arguments, wanted)?
        {
            continue;
        }
        let mut word = if word == "to" { arguments.value(session.err)? } else { word };
        if !word.starts_with(|first: char| first.is_ascii_digit())
            && let Some(kind) = find_type(word)
        {
            wanted.kind = kind;
            word = arguments.value(session.err)?;
        }
        if matches(word, "help") {
            return super::usage(session);
        }
        if wanted.destination.is_some() {
            return Err(duplicate_or_garbage(session.err, "to", word));
        }
        let destination = prefix(session.err, word, wanted.family)?;
        if wanted.family == 0 {
            wanted.family = destination.address.family;
        }
        wanted.destination = Some(destination);
    }
    Ok(())
}

/// Reads the option `word`; `false` where the word is none.
fn parse_option<'w>(
    session: &mut Session<'_>,
    word: &str,
    arguments: &mut Arguments<'w>,
    wanted: &mut Wanted<'w>,
) -> Outcome<bool> {
    match word {
        "src" => {
            let value = arguments.value(session.err)?;
            let source = address(session.err, value, wanted.family)?;
            if wanted.family == 0 {
                wanted.family = source.family;
            }
            wanted.source = Some(source);
        }
        "via" => {
            if wanted.gateway.is_some() {
                let message = "use nexthop syntax to specify multiple via\n";
                return Err(invalid_argument(session.err, message, word));
            }
            wanted.gateway = Some(nexthop::parse_via(session, arguments, &mut wanted.family)?);
        }
        "from" => {
            let value = arguments.value(session.err)?;
            let from = prefix(session.err, value, wanted.family)?;
            if wanted.family == 0 {
                wanted.family = from.address.family;
            }
            wanted.from = Some(from);
        }
        "dev" | "oif" => wanted.device = Some(arguments.value(session.err)?),
        "onlink" => wanted.flags |= ONLINK,
        "nexthop" => wanted.nexthops = nexthop::parse_all(session, arguments, &mut wanted.family)?,
        "tos" | "dsfield" => {
            wanted.tos = value(session, arguments, find_tos, "\"tos\" value is invalid\n")?;
        }
        "expires" => wanted.expires = Some(value(session, arguments, number, "\"expires\" value is invalid\n")?),
        "nhid" => wanted.nexthop_id = Some(value(session, arguments, number, "\"id\" value is invalid\n")?),
        "pref" => wanted.preference = Some(value(session, arguments, preference, "\"pref\" value is invalid\n")?),
        "vrf" => {
            let value = arguments.value(session.err)?;
            return Err(invalid_argument(session.err, "Invalid VRF\n", value));
        }
        "ttl-propagate" => {
            let value = arguments.value(session.err)?;
            wanted.propagate_ttl = match value {
                "enabled" => Some(true),
                "disabled" => Some(false),
                _ => {
                    let message = "\"ttl-propagate\" value is invalid\n";
                    return Err(invalid_argument(session.err, message, value));
                }
            };
        }
        word if matches(word, "metric") || matches(word, "priority") || word == "preference" => {
            wanted.metric = Some(value(session, arguments, number, "\"metric\" value is invalid\n")?);
        }
        word if matches(word, "scope") => {
            wanted.scope = Some(value(session, arguments, names::find_scope, "invalid \"scope\" value\n")?);
        }
        word if matches(word, "realms") => {
            wanted.realms = Some(value(session, arguments, find_realms, "\"realm\" value is invalid\n")?);
        }
        word if matches(word, "protocol") => {
            let message = "\"protocol\" value is invalid\n";
            wanted.protocol = Some(value(session, arguments, names::find_protocol, message)?);
        }
        word if matches(word, "table") => {
            wanted.table = Some(value(session, arguments, names::find_table, "\"table\" value is invalid\n")?);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// The value of an option, or the complaint that it is invalid.
fn value<T>(
    session: &mut Session<'_>,
    arguments: &mut Arguments<'_>,
    parse: fn(&str) -> Option<T>,
    message: &str,
) -> Outcome<T> {
    let value = arguments.value(session.err)?;
    parse(value).ok_or_else(|| invalid_argument(session.err, message, value))
}

fn number(text: &str) -> Option<u32> {
    crate::rtnl::number(text).and_then(|number| u32::try_from(number).ok())
}

fn preference(text: &str) -> Option<u8> {
    match text {
        "low" => Some(3),
        "medium" => Some(0),
        "high" => Some(1),
        _ => crate::rtnl::number(text).and_then(|number| u8::try_from(number).ok()),
    }
}
