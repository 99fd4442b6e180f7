//! `ip link`: devices.

pub(super) mod arphrd;
mod bridge;
mod change;
pub(super) mod info;
mod macvlan;
mod parse;
pub(super) mod print;
mod property;
pub(super) mod show;
pub(super) mod statistics;
mod tun;
mod vlan;
mod xstats;

use netloom_machine::netlink::Request;

use crate::rtnl::{Arguments, Failure, Outcome, Session, matches, number};

/// `RTEXT_FILTER_VF`: also virtual functions, as iproute2 asks.
pub(super) const RTEXT_FILTER_VF: u32 = 1;
/// `RTEXT_FILTER_SKIP_STATS`
pub(super) const RTEXT_FILTER_SKIP_STATS: u32 = 8;

/// `struct ifinfomsg`.
pub(super) fn header(family: u8, index: u32, flags: u32, change: u32) -> [u8; 16] {
    let mut header = [0; 16];
    header[0] = family;
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    header[8..12].copy_from_slice(&flags.to_ne_bytes());
    header[12..16].copy_from_slice(&change.to_ne_bytes());
    header
}

/// Runs `ip link` with the words after it.
pub(super) fn run(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let Some((command, rest)) = words.split_first() else { return show::run(session, &[], true) };
    let is = |name| matches(command, name);
    match () {
        () if is("add") => change::add(session, rest, libc::NLM_F_CREATE as u16 | libc::NLM_F_EXCL as u16),
        () if is("set") || is("change") => change::set(session, rest),
        () if is("replace") => change::add(session, rest, libc::NLM_F_CREATE as u16 | libc::NLM_F_REPLACE as u16),
        () if is("delete") => change::delete(session, rest),
        () if is("show") || is("lst") || is("list") => show::run(session, rest, true),
        () if is("xstats") => xstats::run(session, rest),
        () if is("afstats") => afstats(session, rest),
        () if is("property") => property::run(session, rest),
        () if is("help") => help(session, rest),
        () => {
            session.complain(&format!("Command \"{command}\" is unknown, try \"ip link help\"."));
            Err(Failure::Exit(255))
        }
    }
}

fn usage(session: &mut Session<'_>) -> Outcome {
    super::usage(session.err, include_str!("../usage/link.txt"))
}

/// `ip link help [TYPE]`: the options of a type, where there are any.
fn help(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let text = match words.first().map(String::as_str) {
        Some("veth") => include_str!("../usage/link_veth.txt"),
        Some("bridge") => include_str!("../usage/link_bridge.txt"),
        Some("bridge_slave") => include_str!("../usage/link_bridge_slave.txt"),
        Some("macvlan") => include_str!("../usage/link_macvlan.txt"),
        Some(kind @ ("dummy" | "ifb" | "nlmon")) => {
            let _ = writeln!(session.out, "Usage: ... {kind}");
            return Ok(());
        }
        Some("vlan") => include_str!("../usage/link_vlan.txt"),
        _ => return usage(session),
    };
    let _ = session.out.write_all(text.as_bytes());
    Ok(())
}

/// `ip link afstats`: statistics by address family, of which only MPLS has any.
fn afstats(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let mut arguments = Arguments::new(words);
    while let Some(word) = arguments.next() {
        if word != "dev" {
            session.complain(&format!("Command \"{word}\" is unknown, try \"ip link help\"."));
            return Err(Failure::Exit(255));
        }
        let name = arguments.value(session.err)?;
        if session.links.index(name).is_none() {
            session.complain(&format!("Device \"{name}\" does not exist."));
            return Ok(());
        }
    }
    Ok(())
}

/// The name of a device group: from `/etc/iproute2/group`, otherwise its number.
pub(crate) fn group_name(group: u32, numeric: bool) -> String {
    match group {
        0 if !numeric => "default".to_owned(),
        _ if numeric => group.to_string(),
        _ => groups().into_iter().find(|(number, _)| *number == group).map_or_else(|| group.to_string(), |(_, n)| n),
    }
}

/// The number of a device group.
pub(crate) fn group_number(name: &str) -> Option<u32> {
    if name == "default" {
        return Some(0);
    }
    let named = groups().into_iter().find(|(_, known)| known == name).map(|(number, _)| number);
    named.or_else(|| number(name).and_then(|number| u32::try_from(number).ok()))
}

fn groups() -> Vec<(u32, String)> {
    let text = std::fs::read_to_string("/etc/iproute2/group").unwrap_or_default();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((number(words.next()?)? as u32, words.next()?.to_owned()))
        })
        .collect()
}

/// A request for one device by its index.
pub(super) fn get_request(index: u32, mask: u32) -> Request {
    let mut request = Request::new(libc::RTM_GETLINK, 0);
    request.put(&header(0, index, 0, 0));
    if mask != 0 {
        request.u32(libc::IFLA_EXT_MASK, mask);
    }
    request
}
