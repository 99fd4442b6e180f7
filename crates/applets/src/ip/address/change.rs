//! `ip address add`, `change`, `replace` and `delete`.

use netloom_machine::netlink::Request;

use super::header;
use crate::rtnl::address::{self, Address, Prefix};
use crate::rtnl::{
    Arguments, Failure, Outcome, Session, duplicate, duplicate_or_garbage, invalid_argument, matches, names, number,
};

const IFA_RT_PRIORITY: u16 = 9;
const AUTOJOIN: u32 = 0x400;
const FOREVER: u32 = u32::MAX;
const AF_UNSPEC: u8 = libc::AF_UNSPEC as u8;

/// The flags that can be given: their name, bit, and whether only IPv6 has them.
const FLAGS: &[(&str, u32, bool)] = &[
    ("nodad", 0x02, true),
    ("optimistic", 0x04, true),
    ("home", 0x10, true),
    ("mngtmpaddr", 0x100, true),
    ("noprefixroute", 0x200, false),
    ("autojoin", AUTOJOIN, false),
];

/// The broadcast address that is made from the prefix.
#[derive(Clone, Copy)]
enum Broadcast {
    /// `+`: every bit of the host part set.
    Ones,
    /// `-`: none set.
    Zeros,
}

/// What the words say besides what went into the request.
#[derive(Default)]
struct Parsed {
    family: u8,
    local: Option<Prefix>,
    /// As it was written, for the warning.
    local_text: String,
    peer: Option<Prefix>,
    device: Option<String>,
    scope: Option<u8>,
    flags: u32,
    valid: Option<u32>,
    preferred: Option<u32>,
    broadcast: Option<Broadcast>,
    seen: Vec<&'static str>,
}

impl Parsed {
    /// Complains where a key was given before.
    fn once(&mut self, session: &mut Session<'_>, key: &'static str, value: &str) -> Outcome {
        if self.seen.contains(&key) {
            return Err(duplicate(session.err, key, value));
        }
        self.seen.push(key);
        Ok(())
    }

    /// The first address decides the family of the others.
    fn meet(&mut self, family: u8) {
        if self.family == AF_UNSPEC {
            self.family = family;
        }
    }
}

/// Sends the request that the words describe.
pub(super) fn run(session: &mut Session<'_>, words: &[String], kind: u16, flags: u16) -> Outcome {
    let mut request = Request::new(kind, flags);
    request.put(&header(0, 0, 0, 0, 0));
    let mut parsed = Parsed { family: session.family, ..Parsed::default() };
    parse(session, words, &mut request, &mut parsed)?;
    if parsed.flags > 0xff {
        request.u32(libc::IFA_FLAGS, parsed.flags);
    }
    let Some(device) = parsed.device.clone() else {
        session.complain("Not enough information: \"dev\" argument is required.");
        return Err(Failure::Command(1));
    };
    let delete = kind == libc::RTM_DELADDR;
    let mut far = parsed.peer;
    if let Some(local) = parsed.local.filter(|local| local.address.family != AF_UNSPEC && parsed.peer.is_none()) {
        if delete && i32::from(local.address.family) == libc::AF_INET && !local.explicit {
            warn_of_wildcard(session, &parsed.local_text, local.bits);
        } else {
            request.attribute(libc::IFA_ADDRESS, local.address.bytes());
            far = Some(local);
        }
    }
    if let Some(broadcast) = parsed.broadcast.filter(|_| !delete) {
        make_broadcast(session, &mut request, broadcast, far)?;
    }
    let local = parsed.local.map(|local| local.address);
    let scope = parsed.scope.unwrap_or_else(|| local.filter(|_| !delete).as_ref().map_or(0, default_scope));
    if parsed.flags & AUTOJOIN != 0 && !local.as_ref().is_some_and(is_multicast) {
        session.complain("autojoin needs multicast address");
        return Err(Failure::Command(1));
    }
    let index = session.index(&device)?;
    lifetimes(session, &mut request, &parsed)?;
    let length = parsed.peer.or(parsed.local).map_or(0, |prefix| prefix.bits);
    let flags = if parsed.flags > 0xff { 0 } else { parsed.flags as u8 };
    request.patch(0, &header(parsed.family, length, flags, scope, index));
    session.request(&mut request)
}

/// Reads the words; attributes whose value needs nothing else go into the request in their order.
fn parse(session: &mut Session<'_>, words: &[String], request: &mut Request, parsed: &mut Parsed) -> Outcome {
    let mut arguments = Arguments::new(words);
    while let Some(word) = arguments.next() {
        match () {
            () if word == "peer" || word == "remote" => {
                let value = arguments.value(session.err)?;
                parsed.once(session, "peer", value)?;
                let prefix = address::prefix(session.err, value, parsed.family)?;
                parsed.meet(prefix.address.family);
                request.attribute(libc::IFA_ADDRESS, prefix.address.bytes());
                parsed.peer = Some(prefix);
            }
            () if matches(word, "broadcast") || word == "brd" => {
                let value = arguments.value(session.err)?;
                parsed.once(session, "broadcast", value)?;
                match value {
                    "+" => parsed.broadcast = Some(Broadcast::Ones),
                    "-" => parsed.broadcast = Some(Broadcast::Zeros),
                    _ => {
                        let broadcast = address::address(session.err, value, parsed.family)?;
                        parsed.meet(broadcast.family);
                        request.attribute(libc::IFA_BROADCAST, broadcast.bytes());
                    }
                }
            }
            () if word == "anycast" => {
                let value = arguments.value(session.err)?;
                parsed.once(session, "anycast", value)?;
                let anycast = address::address(session.err, value, parsed.family)?;
                parsed.meet(anycast.family);
                request.attribute(libc::IFA_ANYCAST, anycast.bytes());
            }
            () if word == "scope" => {
                let value = arguments.value(session.err)?;
                let scope = names::find_scope(value);
                parsed.scope = Some(scope.ok_or_else(|| invalid_argument(session.err, "invalid scope value.", value))?);
            }
            () if word == "dev" => parsed.device = Some(arguments.value(session.err)?.to_owned()),
            () if word == "label" => {
                let value = arguments.value(session.err)?;
                request.string(libc::IFA_LABEL, value);
            }
            () if ["metric", "priority", "preference"].iter().any(|key| matches(word, key)) => {
                let value = arguments.value(session.err)?;
                let metric = number(value).and_then(|metric| u32::try_from(metric).ok());
                let metric =
                    metric.ok_or_else(|| invalid_argument(session.err, "\"metric\" value is invalid\n", value))?;
                request.u32(IFA_RT_PRIORITY, metric);
            }
            () if matches(word, "valid_lft") => {
                parsed.once(session, "valid_lft", word)?;
                parsed.valid = Some(lifetime(session, &mut arguments, "valid_lft value")?);
            }
            () if matches(word, "preferred_lft") => {
                parsed.once(session, "preferred_lft", word)?;
                parsed.preferred = Some(lifetime(session, &mut arguments, "preferred_lft value")?);
            }
            () => match FLAGS.iter().find(|(name, ..)| *name == word) {
                Some(&(name, _, true)) if i32::from(parsed.family) != libc::AF_INET6 => {
                    session.complain(&format!("Warning: {name} option can be set only for IPv6 addresses"));
                }
                Some((_, bit, _)) => parsed.flags |= bit,
                None => local(session, word, &mut arguments, request, parsed)?,
            },
        }
    }
    Ok(())
}

/// Reads `[local] ADDRESS`.
fn local(
    session: &mut Session<'_>,
    word: &str,
    arguments: &mut Arguments<'_>,
    request: &mut Request,
    parsed: &mut Parsed,
) -> Outcome {
    let value = if word == "local" { arguments.value(session.err)? } else { word };
    if matches(value, "help") {
        return super::super::usage(session.err, include_str!("../usage/address.txt"));
    }
    if parsed.local.is_some() {
        return Err(duplicate_or_garbage(session.err, "local", value));
    }
    let prefix = address::prefix(session.err, value, parsed.family)?;
    parsed.meet(prefix.address.family);
    if prefix.bits > 0 || prefix.address.bits() > 0 {
        request.attribute(libc::IFA_LOCAL, prefix.address.bytes());
    }
    parsed.local = Some(prefix);
    value.clone_into(&mut parsed.local_text);
    Ok(())
}

fn lifetime(session: &mut Session<'_>, arguments: &mut Arguments<'_>, message: &str) -> Outcome<u32> {
    let value = arguments.value(session.err)?;
    if value == "forever" {
        return Ok(FOREVER);
    }
    let seconds = number(value).and_then(|seconds| u32::try_from(seconds).ok());
    seconds.ok_or_else(|| invalid_argument(session.err, message, value))
}

/// Adds the lifetimes, where any was given.
fn lifetimes(session: &mut Session<'_>, request: &mut Request, parsed: &Parsed) -> Outcome {
    if parsed.valid.is_none() && parsed.preferred.is_none() {
        return Ok(());
    }
    let (valid, preferred) = (parsed.valid.unwrap_or(FOREVER), parsed.preferred.unwrap_or(FOREVER));
    if valid == 0 {
        session.complain("valid_lft is zero");
        return Err(Failure::Command(1));
    }
    if valid < preferred {
        session.complain("preferred_lft is greater than valid_lft");
        return Err(Failure::Command(1));
    }
    let mut information = [0; 16];
    information[..4].copy_from_slice(&preferred.to_ne_bytes());
    information[4..8].copy_from_slice(&valid.to_ne_bytes());
    request.attribute(libc::IFA_CACHEINFO, &information);
    Ok(())
}

/// An address without a length is deleted whatever its length is.
fn warn_of_wildcard(session: &mut Session<'_>, text: &str, length: u8) {
    session.complain(&format!(
        "Warning: Executing wildcard deletion to stay compatible with old scripts.\n         \
         Explicitly specify the prefix length ({text}/{length}) to avoid this warning.\n         \
         This special behaviour is likely to disappear in further releases,\n         fix your scripts!"
    ));
}

/// Adds the broadcast address of a prefix: none of one that has two addresses or less.
fn make_broadcast(
    session: &mut Session<'_>,
    request: &mut Request,
    broadcast: Broadcast,
    prefix: Option<Prefix>,
) -> Outcome {
    let inet = prefix.filter(|prefix| i32::from(prefix.address.family) == libc::AF_INET);
    let Some((bits, bytes)) = inet.and_then(|prefix| Some((prefix.bits, *prefix.address.bytes().first_chunk()?)))
    else {
        session.complain("Broadcast can be set only for IPv4 addresses");
        return Err(Failure::Command(1));
    };
    if bits <= 30 {
        let hosts = u32::MAX >> bits;
        let address = match broadcast {
            Broadcast::Ones => u32::from_be_bytes(bytes) | hosts,
            Broadcast::Zeros => u32::from_be_bytes(bytes) & !hosts,
        };
        request.attribute(libc::IFA_BROADCAST, &address.to_be_bytes());
    }
    Ok(())
}

/// Loopback addresses are of the host alone.
fn default_scope(address: &Address) -> u8 {
    const RT_SCOPE_HOST: u8 = 254;
    match address.bytes() {
        [127, _, _, _] => RT_SCOPE_HOST,
        _ => 0,
    }
}

fn is_multicast(address: &Address) -> bool {
    match address.bytes() {
        [first, _, _, _] => (224..240).contains(first),
        [first, ..] => *first == 0xff,
        [] => false,
    }
}
