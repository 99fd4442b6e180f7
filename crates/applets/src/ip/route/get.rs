//! `ip route get`: the route that a packet would take.

use netloom_machine::netlink::Request;

use super::show::{Known, Route};
use super::{RTM_F_FIB_MATCH, RTM_F_LOOKUP_TABLE, RTMSG, find_tos, rta};
use crate::print::Printer;
use crate::rtnl::address::{Prefix, prefix};
use crate::rtnl::{Arguments, Failure, Outcome, Session, invalid_argument, matches};

/// A packet to be routed.
#[derive(Default)]
struct Packet<'w> {
    family: u8,
    to: Option<Prefix>,
    from: Option<Prefix>,
    iif: Option<&'w str>,
    oif: Option<&'w str>,
    tos: u8,
    mark: Option<u32>,
    user: Option<u32>,
    protocol: Option<u8>,
    ports: [Option<u16>; 2],
    match_only: bool,
}

pub(super) fn run(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let packet = parse(session, words)?;
    let Some(to) = packet.to else {
        session.complain("need at least a destination address");
        return Err(Failure::Command(1));
    };
    let family = if packet.family == 0 { libc::AF_INET as u8 } else { packet.family };
    let mut flags = if packet.match_only { RTM_F_FIB_MATCH } else { 0 };
    if i32::from(family) == libc::AF_INET {
        flags |= RTM_F_LOOKUP_TABLE;
    }
    let mut header = [0; RTMSG];
    header[0] = family;
    header[1] = to.bits;
    header[2] = packet.from.map_or(0, |from| from.bits);
    header[3] = packet.tos;
    header[8..12].copy_from_slice(&flags.to_ne_bytes());
    let mut request = Request::new(libc::RTM_GETROUTE, 0);
    request.put(&header);
    if !to.address.bytes().is_empty() {
        request.attribute(rta::DST, to.address.bytes());
    }
    if let Some(from) = packet.from.filter(|from| !from.address.bytes().is_empty()) {
        request.attribute(rta::SRC, from.address.bytes());
    }
    for (name, kind) in [(packet.iif, rta::IIF), (packet.oif, rta::OIF)] {
        if let Some(name) = name {
            let index = session.index(name)?;
            request.u32(kind, index);
        }
    }
    for (number, kind) in [(packet.mark, rta::MARK), (packet.user, rta::UID)] {
        if let Some(number) = number {
            request.u32(kind, number);
        }
    }
    if let Some(protocol) = packet.protocol {
        request.u8(rta::IP_PROTO, protocol);
    }
    for (port, kind) in packet.ports.into_iter().zip([rta::SPORT, rta::DPORT]) {
        if let Some(port) = port {
            request.attribute(kind, &port.to_be_bytes());
        }
    }
    let reply = session.get(&mut request)?;
    let Session { links, out, format, .. } = session;
    let mut printer = Printer::new(*out, format);
    printer.open_document();
    if let Some(route) = Route::parse(&reply.message()) {
        route.print(&mut printer, links, format, Known::default());
    }
    printer.close_document();
    Ok(())
}

fn parse<'w>(session: &mut Session<'_>, words: &'w [String]) -> Outcome<Packet<'w>> {
    let mut packet = Packet { family: session.family, ..Packet::default() };
    let mut arguments = Arguments::new(words);
    while let Some(word) = arguments.next() {
        match word {
            "tos" | "dsfield" => {
                let value = arguments.value(session.err)?;
                packet.tos =
                    find_tos(value).ok_or_else(|| invalid_argument(session.err, "TOS value is invalid\n", value))?;
            }
            "from" => {
                let value = arguments.value(session.err)?;
                packet.from = Some(end(session, value, &mut packet.family)?);
            }
            "iif" => packet.iif = Some(arguments.value(session.err)?),
            "oif" | "dev" => packet.oif = Some(arguments.value(session.err)?),
            "mark" => packet.mark = Some(number(session, &mut arguments, "invalid mark value")?),
            "uid" => packet.user = Some(number(session, &mut arguments, "invalid UID\n")?),
            "vrf" => {
                let value = arguments.value(session.err)?;
                return Err(invalid_argument(session.err, "Invalid VRF\n", value));
            }
            "ipproto" => {
                let value = arguments.value(session.err)?;
                packet.protocol = match ip_protocol(value) {
                    Some(protocol) => Some(protocol),
                    None => return Err(invalid_argument(session.err, "Invalid \"ipproto\" value\n", value)),
                };
            }
            "sport" | "dport" => {
                let value = arguments.value(session.err)?;
                let port = crate::rtnl::number(value).and_then(|port| u16::try_from(port).ok());
                if port.is_none() {
                    return Err(invalid_argument(session.err, &format!("invalid {word}\n"), value));
                }
                packet.ports[usize::from(word == "dport")] = port;
            }
            "fibmatch" => packet.match_only = true,
            "notify" | "connected" => {}
            word => {
                let value = if word == "to" { arguments.value(session.err)? } else { word };
                if matches(value, "help") {
                    super::usage(session)?;
                }
                packet.to = Some(end(session, value, &mut packet.family)?);
            }
        }
    }
    Ok(packet)
}

/// One end of a packet's way: an address; says that a prefix of one is none.
fn end(session: &mut Session<'_>, text: &str, family: &mut u8) -> Outcome<Prefix> {
    let mut prefix = prefix(session.err, text, *family)?;
    if *family == 0 {
        *family = prefix.address.family;
    }
    let bits = prefix.address.bits();
    if prefix.bits != bits && prefix.explicit && bits != 0 {
        session
            .complain(&format!("Warning: /{} as prefix is invalid, only /{bits} (or none) is supported.", prefix.bits));
        prefix.bits = bits;
    }
    Ok(prefix)
}

fn number(session: &mut Session<'_>, arguments: &mut Arguments<'_>, message: &str) -> Outcome<u32> {
    let value = arguments.value(session.err)?;
    crate::rtnl::number(value)
        .and_then(|number| u32::try_from(number).ok())
        .ok_or_else(|| invalid_argument(session.err, message, value))
}

/// A protocol above IP by name or number.
pub(crate) fn ip_protocol(text: &str) -> Option<u8> {
    const NAMES: &[(&str, u8)] =
        &[("icmp", 1), ("tcp", 6), ("udp", 17), ("dccp", 33), ("ipv6-icmp", 58), ("sctp", 132), ("udplite", 136)];
    match NAMES.iter().find(|(name, _)| *name == text) {
        Some((_, number)) => Some(*number),
        None => crate::rtnl::number(text).and_then(|number| u8::try_from(number).ok()),
    }
}
