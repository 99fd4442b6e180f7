//! `bridge mdb add` and `del`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netloom_machine::netlink::Request;

use super::mdb::{BR_MDB_ENTRY, BR_PORT_MSG, RTM_DELMDB, RTM_NEWMDB};
use super::{device, fail, mac_address, number, usage};
use crate::rtnl::{Arguments, Outcome, Session, matches};

const NLM_F_EXCL: u16 = 0x200;
const NLM_F_CREATE: u16 = 0x400;
const MDBA_SET_ENTRY: u16 = 1;
/// Within it `MDBE_ATTR_SOURCE`.
const MDBA_SET_ENTRY_ATTRS: u16 = 2 | 0x8000;
const MDBE_ATTR_SOURCE: u16 = 1;
const MDB_PERMANENT: u8 = 1;

pub(super) fn add(session: &mut Session<'_>, words: &[String]) -> Outcome {
    change(session, words, RTM_NEWMDB, NLM_F_CREATE | NLM_F_EXCL)
}

pub(super) fn delete(session: &mut Session<'_>, words: &[String]) -> Outcome {
    change(session, words, RTM_DELMDB, 0)
}

fn change(session: &mut Session<'_>, words: &[String], kind: u16, flags: u16) -> Outcome {
    let (mut bridge, mut port, mut group, mut source) = (None, None, None, None);
    let (mut state, mut vlan) = (0, 0u16);
    let mut arguments = Arguments::new(words);
    while let Some(word) = arguments.next() {
        match word {
            "dev" => bridge = Some(arguments.value(session.err)?),
            "grp" => group = Some(arguments.value(session.err)?),
            "port" => port = Some(arguments.value(session.err)?),
            "vid" => vlan = number(arguments.value(session.err)?) as u16,
            "src" => source = Some(arguments.value(session.err)?),
            word if matches(word, "permanent") => state |= MDB_PERMANENT,
            word if matches(word, "temp") => state &= !MDB_PERMANENT,
            word if matches(word, "help") => usage(session.err, include_str!("usage/mdb.txt"))?,
            _ => {}
        }
    }
    let (Some(bridge), Some(port), Some(group)) = (bridge, port, group) else {
        return fail(session, "Device, group address and port name are required arguments.");
    };
    let bridge = device(session, "device", bridge)?;
    let port = device(session, "device", port)?;
    let mut entry = [0; BR_MDB_ENTRY];
    entry[..4].copy_from_slice(&port.to_ne_bytes());
    entry[4] = state;
    entry[6..8].copy_from_slice(&vlan.to_ne_bytes());
    if put_group(&mut entry, group).is_none() {
        session.complain(&format!("\"{group}\" is invalid lladdr."));
        return fail(session, &format!("Invalid address \"{group}\""));
    }
    let mut request = Request::new(kind, flags);
    let mut header = [0; BR_PORT_MSG];
    header[0] = libc::AF_BRIDGE as u8;
    header[4..8].copy_from_slice(&bridge.to_ne_bytes());
    request.put(&header).attribute(MDBA_SET_ENTRY, &entry);
    if let Some(source) = source {
        let nest = request.begin(MDBA_SET_ENTRY_ATTRS);
        match source.parse() {
            Ok(IpAddr::V4(address)) => request.attribute(MDBE_ATTR_SOURCE, &address.octets()),
            Ok(IpAddr::V6(address)) => request.attribute(MDBE_ATTR_SOURCE, &address.octets()),
            Err(_) => return fail(session, &format!("Invalid source address \"{source}\"")),
        };
        request.end(nest);
    }
    super::request(session, &mut request)
}

/// Writes a group's address and its protocol; `None` where it is no address.
fn put_group(entry: &mut [u8; BR_MDB_ENTRY], text: &str) -> Option<()> {
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        entry[8..12].copy_from_slice(&address.octets());
        entry[24..26].copy_from_slice(&(libc::ETH_P_IP as u16).to_be_bytes());
    } else if let Ok(address) = text.parse::<Ipv6Addr>() {
        entry[8..24].copy_from_slice(&address.octets());
        entry[24..26].copy_from_slice(&(libc::ETH_P_IPV6 as u16).to_be_bytes());
    } else {
        entry[8..14].copy_from_slice(&mac_address(text)?);
    }
    Some(())
}
