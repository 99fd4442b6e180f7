//! `bridge fdb add`, `append`, `replace`, `del` and `flush`.

use std::net::IpAddr;

use netloom_machine::netlink::Request;

use super::fdb::{nda, ndmsg, ntf, nud};
use super::{device, fail, mac_address, number, usage};
use crate::rtnl::{Arguments, Failure, Outcome, Session, duplicate_or_garbage, invalid_argument, matches};

const NLM_F_REPLACE: u16 = 0x100;
const NLM_F_EXCL: u16 = 0x200;
const NLM_F_CREATE: u16 = 0x400;
const NLM_F_APPEND: u16 = 0x800;
/// Of a deletion: everything that matches.
const NLM_F_BULK: u16 = 0x200;

pub(super) fn add(session: &mut Session<'_>, words: &[String]) -> Outcome {
    change(session, words, libc::RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL)
}

pub(super) fn append(session: &mut Session<'_>, words: &[String]) -> Outcome {
    change(session, words, libc::RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_APPEND)
}

pub(super) fn replace(session: &mut Session<'_>, words: &[String]) -> Outcome {
    change(session, words, libc::RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE)
}

pub(super) fn delete(session: &mut Session<'_>, words: &[String]) -> Outcome {
    change(session, words, libc::RTM_DELNEIGH, 0)
}

#[derive(Default)]
struct Entry<'w> {
    address: Option<&'w str>,
    device: Option<&'w str>,
    flags: u8,
    state: u16,
    vlan: Option<i32>,
    destination: Option<IpAddr>,
    port: u16,
    vni: Option<u32>,
    source_vni: Option<u32>,
    via: u32,
    nexthop: Option<u32>,
}

fn change(session: &mut Session<'_>, words: &[String], kind: u16, flags: u16) -> Outcome {
    let entry = parse(session, words)?;
    let (Some(name), Some(address)) = (entry.device, entry.address) else {
        return fail(session, "Device and address are required arguments.");
    };
    if entry.nexthop.is_some() && (entry.destination.is_some() || entry.port != 0 || entry.vni.is_some()) {
        return fail(session, "dst, port, vni are mutually exclusive with nhid");
    }
    let flags_of_entry = match entry.flags {
        flags if flags & (ntf::SELF | ntf::MASTER) == 0 => flags | ntf::SELF,
        flags => flags,
    };
    let state = match entry.state {
        state if state & (nud::PERMANENT | nud::REACHABLE) == 0 => state | nud::PERMANENT,
        state => state,
    };
    let Some(bytes) = mac_address(address) else {
        return fail(session, &format!("Invalid mac address {address}"));
    };
    let mut request = Request::new(kind, flags);
    request.put(&ndmsg(0, state, flags_of_entry)).attribute(nda::LLADDR, &bytes);
    match entry.destination {
        Some(IpAddr::V4(address)) => request.attribute(nda::DST, &address.octets()),
        Some(IpAddr::V6(address)) => request.attribute(nda::DST, &address.octets()),
        None => &mut request,
    };
    if let Some(vlan) = entry.vlan.filter(|vlan| *vlan >= 0) {
        request.u16(nda::VLAN, vlan as u16);
    }
    if let Some(id) = entry.nexthop {
        request.u32(nda::NH_ID, id);
    }
    if entry.port != 0 {
        request.attribute(nda::PORT, &entry.port.to_be_bytes());
    }
    for (kind, number) in [(nda::VNI, entry.vni), (nda::SRC_VNI, entry.source_vni)] {
        if let Some(number) = number {
            request.u32(kind, number);
        }
    }
    if entry.via != 0 {
        request.u32(nda::IFINDEX, entry.via);
    }
    let index = device(session, "device", name)?;
    request.patch(4, &index.to_ne_bytes());
    super::request(session, &mut request)
}

fn parse<'w>(session: &mut Session<'_>, words: &'w [String]) -> Outcome<Entry<'w>> {
    // An entry that ages is the only one whose address may be asked for.
    let mut entry = Entry { state: nud::NOARP, ..Entry::default() };
    let mut ages = false;
    let mut arguments = Arguments::new(words);
    while let Some(word) = arguments.next() {
        match word {
            "dev" => entry.device = Some(arguments.value(session.err)?),
            "dst" => {
                let value = arguments.value(session.err)?;
                entry.destination = match value.parse() {
                    Ok(address) => Some(address),
                    Err(_) => {
                        let text = format!("Error: any valid address is expected rather than \"{value}\".");
                        session.complain(&text);
                        return Err(Failure::Exit(1));
                    }
                };
            }
            "nhid" => entry.nexthop = Some(parsed(session, &mut arguments, "\"id\" value is invalid\n", u32::MAX)?),
            "port" => entry.port = parsed(session, &mut arguments, "invalid port\n", u32::from(u16::MAX))? as u16,
            "vni" => entry.vni = Some(parsed(session, &mut arguments, "invalid VNI\n", (1 << 24) - 1)?),
            "src_vni" => entry.source_vni = Some(parsed(session, &mut arguments, "invalid src VNI\n", (1 << 24) - 1)?),
            "via" => {
                let name = arguments.value(session.err)?;
                entry.via = device(session, "device", name)?;
            }
            "self" => entry.flags |= ntf::SELF,
            word if matches(word, "master") => entry.flags |= ntf::MASTER,
            word if matches(word, "router") => entry.flags |= ntf::ROUTER,
            word if matches(word, "local") || matches(word, "permanent") => entry.state |= nud::PERMANENT,
            word if matches(word, "temp") || matches(word, "static") => entry.state |= nud::REACHABLE,
            word if matches(word, "dynamic") => {
                entry.state |= nud::REACHABLE;
                ages = true;
            }
            word if matches(word, "vlan") => entry.vlan = Some(number(arguments.value(session.err)?)),
            word if matches(word, "use") => entry.flags |= ntf::USE,
            word if matches(word, "extern_learn") => entry.flags |= ntf::EXT_LEARNED,
            word if matches(word, "sticky") => entry.flags |= ntf::STICKY,
            word => {
                let value = if word == "to" { arguments.value(session.err)? } else { word };
                if matches(value, "help") {
                    usage(session.err, include_str!("usage/fdb.txt"))?;
                }
                if entry.address.replace(value).is_some() {
                    return Err(duplicate_or_garbage(session.err, "to", value));
                }
            }
        }
    }
    if ages {
        entry.state &= !nud::NOARP;
    }
    Ok(entry)
}

fn parsed(session: &mut Session<'_>, arguments: &mut Arguments<'_>, message: &str, most: u32) -> Outcome<u32> {
    let value = arguments.value(session.err)?;
    crate::rtnl::number(value)
        .filter(|number| *number <= u64::from(most))
        .map(|number| number as u32)
        .ok_or_else(|| invalid_argument(session.err, message, value))
}

/// `[no]` before a keyword asks for entries that don't have the property.
pub(super) fn flush(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let (mut name, mut port, mut vlan) = (None, None, None);
    let (mut own, mut state, mut state_mask, mut flags, mut flags_mask) = (0, 0, 0, 0, 0);
    let mut arguments = Arguments::new(words);
    while let Some(word) = arguments.next() {
        let (positive, property) = match word.strip_prefix("no") {
            Some(property) => (false, property),
            None => (true, word),
        };
        match (word, property) {
            ("dev", _) => name = Some(arguments.value(session.err)?),
            ("brport", _) => port = Some(arguments.value(session.err)?),
            ("vlan", _) => {
                let value = arguments.value(session.err)?;
                vlan = match number(value) {
                    vlan @ 0..4096 => Some(vlan as u16),
                    _ => return fail(session, &format!("Invalid VLAN ID \"{value}\"")),
                };
            }
            ("self", _) => own |= ntf::SELF,
            ("master", _) => own |= ntf::MASTER,
            (_, "permanent") => {
                state = if positive { state | nud::PERMANENT } else { state & !nud::PERMANENT };
                state_mask |= nud::PERMANENT;
            }
            ("static", _) => {
                state |= nud::NOARP;
                state_mask |= nud::PERMANENT | nud::NOARP;
            }
            ("nostatic", _) => {
                state &= !nud::NOARP;
                state_mask |= nud::NOARP;
            }
            ("dynamic", _) => {
                state &= !nud::NOARP;
                state_mask |= nud::NOARP | nud::PERMANENT;
            }
            ("nodynamic", _) => {
                state |= nud::NOARP;
                state_mask |= nud::NOARP;
            }
            (_, "added_by_user" | "extern_learn" | "sticky" | "offloaded") => {
                let flag = match property {
                    "added_by_user" => ntf::USE,
                    "extern_learn" => ntf::EXT_LEARNED,
                    "sticky" => ntf::STICKY,
                    _ => ntf::OFFLOADED,
                };
                flags = if positive { flags | flag } else { flags & !flag };
                flags_mask |= flag;
            }
            (word, _) if matches(word, "help") => {
                arguments.value(session.err)?;
            }
            _ => {}
        }
    }
    let Some(name) = name else { return fail(session, "Device is a required argument.") };
    let index = device(session, "bridge device", name)?;
    let mut request = Request::new(libc::RTM_DELNEIGH, NLM_F_BULK);
    let own = if own == 0 { ntf::SELF } else { own };
    request.put(&ndmsg(index, state, flags | own));
    if let Some(port) = port {
        let index = device(session, "bridge port device", port)?;
        request.u32(nda::IFINDEX, index);
    }
    if let Some(vlan) = vlan {
        request.u16(nda::VLAN, vlan);
    }
    if flags_mask != 0 {
        request.u8(nda::NDM_FLAGS_MASK, flags_mask);
    }
    if state_mask != 0 {
        request.u16(nda::NDM_STATE_MASK, state_mask);
    }
    super::request(session, &mut request)
}
