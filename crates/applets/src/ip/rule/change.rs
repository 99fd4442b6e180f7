//! `ip rule add` and `delete`.

use netloom_machine::netlink::Request;

use super::super::route::{find_realms, find_tos, find_type, ip_protocol};
use super::filter::{number, value};
use super::{FIB_RULE, GOTO, INVERT, NAT, NOP, TO_TABLE, fra, mark, ports, range};
use crate::rtnl::address::{address, prefix};
use crate::rtnl::{Arguments, Failure, Outcome, Session, invalid_argument, matches, names};

const NLM_F_EXCL: u16 = 0x200;
const NLM_F_CREATE: u16 = 0x400;
const TABLE_MAIN: u32 = 254;

/// The header's part of a rule, while its attributes are being added to the request.
#[derive(Default)]
struct Header {
    destination_bits: u8,
    source_bits: u8,
    tos: u8,
    table: Option<u32>,
    action: u8,
    flags: u32,
    l3mdev: bool,
}

pub(super) fn run(session: &mut Session<'_>, words: &[String], add: bool) -> Outcome {
    if words.is_empty() {
        let command = if add { "add" } else { "del" };
        session.complain(&format!("\"ip rule {command}\" requires arguments."));
        return Err(Failure::Command(1));
    }
    let mut request = match add {
        true => Request::new(libc::RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL),
        false => Request::new(libc::RTM_DELRULE, 0),
    };
    request.put(&[0; FIB_RULE]);
    let mut header = Header { action: if add { TO_TABLE } else { 0 }, ..Header::default() };
    let mut arguments = Arguments::new(words);
    while let Some(word) = arguments.next() {
        if !selector(session, &mut request, &mut header, word, &mut arguments)? {
            action(session, &mut request, &mut header, word, &mut arguments)?;
        }
    }
    if header.l3mdev && header.table.is_some() {
        session.complain("table can not be specified for l3mdev rules");
        return Err(Failure::Command(255));
    }
    let table = header.table.unwrap_or(if add && !header.l3mdev { TABLE_MAIN } else { 0 });
    if table > 255 {
        request.u32(fra::TABLE, table);
    }
    let mut bytes = [0; FIB_RULE];
    bytes[0] = if session.family == 0 { libc::AF_INET as u8 } else { session.family };
    bytes[1] = header.destination_bits;
    bytes[2] = header.source_bits;
    bytes[3] = header.tos;
    bytes[4] = u8::try_from(table).unwrap_or(0);
    bytes[7] = header.action;
    bytes[8..12].copy_from_slice(&header.flags.to_ne_bytes());
    request.patch(0, &bytes);
    session.request(&mut request)
}

/// Reads what the packets must be like; `false` where the word says something else.
fn selector(
    session: &mut Session<'_>,
    request: &mut Request,
    header: &mut Header,
    word: &str,
    arguments: &mut Arguments<'_>,
) -> Outcome<bool> {
    match word {
        "not" => header.flags |= INVERT,
        "from" | "to" => {
            let text = arguments.value(session.err)?;
            let prefix = prefix(session.err, text, session.family)?;
            if word == "from" {
                header.source_bits = prefix.bits;
                request.attribute(fra::SRC, prefix.address.bytes());
            } else {
                header.destination_bits = prefix.bits;
                request.attribute(fra::DST, prefix.address.bytes());
            }
        }
        word if matches(word, "preference") || matches(word, "order") || matches(word, "priority") => {
            request.u32(fra::PRIORITY, value(session, arguments, number, "preference value is invalid\n")?);
        }
        "tos" | "dsfield" => header.tos = value(session, arguments, find_tos, "TOS value is invalid\n")?,
        "fwmark" => {
            let (mark, mask) = value(session, arguments, mark, "fwmark value is invalid\n")?;
            request.u32(fra::FWMARK, mark);
            if let Some(mask) = mask {
                request.u32(fra::FWMASK, mask);
            }
        }
        "tun_id" => {
            let id = value(session, arguments, crate::rtnl::number, "\"tun_id\" value is invalid\n")?;
            request.attribute(fra::TUN_ID, &id.to_be_bytes());
        }
        "dev" | "iif" => {
            request.string(fra::IIFNAME, arguments.value(session.err)?);
        }
        "oif" => {
            request.string(fra::OIFNAME, arguments.value(session.err)?);
        }
        "l3mdev" => {
            request.u8(fra::L3MDEV, 1);
            header.l3mdev = true;
        }
        "uidrange" => {
            let (first, last): (u32, u32) = value(session, arguments, range, "invalid UID range\n")?;
            request.attribute(fra::UID_RANGE, &[first.to_ne_bytes(), last.to_ne_bytes()].concat());
        }
        "ipproto" => {
            request.u8(fra::IP_PROTO, value(session, arguments, ip_protocol, "Invalid \"ipproto\" value\n")?);
        }
        "sport" | "dport" => {
            let (first, last) = value(session, arguments, ports, "invalid port range\n")?;
            let kind = if word == "sport" { fra::SPORT_RANGE } else { fra::DPORT_RANGE };
            let ([a, b], [c, d]) = (first.to_ne_bytes(), last.to_ne_bytes());
            request.attribute(kind, &[a, b, c, d]);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Reads what is done with the packets.
fn action(
    session: &mut Session<'_>,
    request: &mut Request,
    header: &mut Header,
    word: &str,
    arguments: &mut Arguments<'_>,
) -> Outcome {
    match word {
        word if matches(word, "realms") => {
            request.u32(fra::FLOW, value(session, arguments, find_realms, "invalid realms\n")?);
        }
        word if matches(word, "protocol") => {
            let message = "\"protocol\" value is invalid\n";
            request.u8(fra::PROTOCOL, value(session, arguments, names::find_protocol, message)?);
        }
        word if matches(word, "table") || word == "lookup" => {
            header.table = Some(value(session, arguments, names::find_table, "invalid table ID\n")?);
        }
        "suppress_prefixlength" | "sup_pl" => {
            let message = "suppress_prefixlength value is invalid\n";
            request.u32(fra::SUPPRESS_PREFIXLEN, value(session, arguments, number, message)?);
        }
        "suppress_ifgroup" | "sup_group" => {
            let message = "Invalid \"suppress_ifgroup\" value\n";
            request.u32(fra::SUPPRESS_IFGROUP, value(session, arguments, number, message)?);
        }
        "nat" | "map-to" => {
            let text = arguments.value(session.err)?;
            session.complain("Warning: route NAT is deprecated");
            let to = address(session.err, text, libc::AF_INET as u8)?;
            request.attribute(fra::GATEWAY, to.bytes());
            header.action = NAT;
        }
        word => {
            let word = if word == "type" { arguments.value(session.err)? } else { word };
            header.action = match word {
                word if matches(word, "help") => return super::usage(session),
                word if matches(word, "goto") => {
                    request.u32(fra::GOTO, value(session, arguments, number, "invalid target\n")?);
                    GOTO
                }
                word if matches(word, "nop") => NOP,
                word => match find_type(word) {
                    Some(kind) => kind,
                    None => return Err(invalid_argument(session.err, "Failed to parse rule type", word)),
                },
            };
            // Such a rule needs no table; one that was given stays.
            header.table = header.table.or(Some(0));
        }
    }
    Ok(())
}
