//! `bridge mdb show`: which ports have listeners of a multicast group, and which lead to multicast routers.

use std::net::IpAddr;

use netloom_machine::netlink::{Attribute, Dump, Message, Request, Table};

use super::{device_and_vlan, mdb_change, unknown_command, usage};
use crate::print::{Colour, Printer, hex_colons, ip_address};
use crate::rtnl::{Links, Outcome, Session, finish_dump, matches};

pub(super) const RTM_NEWMDB: u16 = 84;
pub(super) const RTM_DELMDB: u16 = 85;
const RTM_GETMDB: u16 = 86;

/// The length of `struct br_port_msg`.
pub(super) const BR_PORT_MSG: usize = 8;

const MDBA_MDB: u16 = 1;
const MDBA_ROUTER: u16 = 2;
/// Within `MDBA_MDB`: an entry's ports, each an [`ENTRY_INFO`].
const MDBA_MDB_ENTRY: u16 = 1;
const ENTRY_INFO: u16 = 1;
const MDBA_ROUTER_PORT: u16 = 1;
/// The length of `struct br_mdb_entry`.
pub(super) const BR_MDB_ENTRY: usize = 28;

/// `MDBA_MDB_EATTR_*`.
mod eattr {
    pub(super) const TIMER: u16 = 1;
    pub(super) const SRC_LIST: u16 = 2;
    pub(super) const GROUP_MODE: u16 = 3;
    pub(super) const SOURCE: u16 = 4;
    pub(super) const RTPROT: u16 = 5;
}

pub(super) fn run(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let Some((command, rest)) = words.split_first() else { return show(session, words) };
    match command.as_str() {
        word if matches(word, "add") => mdb_change::add(session, rest),
        word if matches(word, "delete") => mdb_change::delete(session, rest),
        word if ["show", "lst", "list"].iter().any(|keyword| matches(word, keyword)) => show(session, rest),
        word if matches(word, "help") => usage(session.err, include_str!("usage/mdb.txt")),
        word => unknown_command(session, "mdb", word),
    }
}

/// How much is shown, and of what.
#[derive(Clone, Copy, Default)]
pub(super) struct View {
    bridge: Option<u32>,
    vlan: Option<u16>,
    details: bool,
    statistics: bool,
}

impl View {
    /// Everything, as a notification shows it.
    pub(super) fn all(details: bool, statistics: bool) -> View {
        View { details, statistics, ..View::default() }
    }
}

fn show(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let (bridge, vlan) = device_and_vlan(session, words)?;
    let (details, statistics) = (session.format.details > 0, session.format.statistics > 0);
    let view = View { bridge, vlan: vlan.filter(|vlan| *vlan != 0), details, statistics };
    let Session { netlink, links, out, err, format, .. } = session;
    let mut printer = Printer::new(*out, format);
    printer.open_document();
    printer.open_object(None);
    // Two dumps, since JSON keeps entries and router ports apart.
    printer.open_array("mdb");
    let entries = netlink.dump(&mut dump_request(), |message| print_entries(&mut printer, links, view, &message));
    let entries = match entries {
        Ok(entries) => entries,
        error => {
            drop(printer);
            return finish_dump(*err, error);
        }
    };
    printer.close_array();
    printer.open_object("router");
    let routers = netlink.dump(&mut dump_request(), |message| print_routers(&mut printer, links, view, &message));
    printer.close_object();
    printer.close_object();
    printer.close_document();
    drop(printer);
    finish_dump(*err, routers.map(|routers| Dump { interrupted: entries.interrupted || routers.interrupted }))
}

fn dump_request() -> Request {
    let mut request = Request::new(RTM_GETMDB, 0);
    let mut header = [0; BR_PORT_MSG];
    header[0] = libc::AF_BRIDGE as u8;
    request.put(&header);
    request
}

/// The bridge that a message is about, unless another was asked for.
fn bridge(view: View, message: &Message<'_>) -> Option<u32> {
    let index = message.payload.get(4..BR_PORT_MSG)?.try_into().ok().map(u32::from_ne_bytes)?;
    (view.bridge.is_none_or(|only| only == index) && matches!(message.kind, RTM_NEWMDB..=RTM_GETMDB)).then_some(index)
}

/// Prints the entries in a message of a dump or in a notification.
pub(super) fn print_entries(printer: &mut Printer<'_>, links: &mut Links<'_>, view: View, message: &Message<'_>) {
    let Some(bridge) = bridge(view, message) else { return };
    let table = message.attributes(BR_PORT_MSG).table::<4>();
    for entry in table.nested(MDBA_MDB).filter(|attribute| attribute.kind == MDBA_MDB_ENTRY) {
        for info in entry.attributes().filter(|attribute| attribute.kind == ENTRY_INFO) {
            print_entry(printer, links, view, message.kind == RTM_DELMDB, bridge, &info);
        }
    }
}

/// A group's address: of IP, or of the link layer where the protocol is none.
fn group(entry: &[u8; BR_MDB_ENTRY]) -> (Colour, String) {
    let family = match u16::from_be_bytes([entry[24], entry[25]]) {
        0x0800 => libc::AF_INET,
        0x86dd => libc::AF_INET6,
        _ => return (Colour::None, hex_colons(&entry[8..14])),
    } as u8;
    let address = ip_address(family, &entry[8..24]).map(|address| address.to_string());
    (Colour::of_family(family), address.unwrap_or_default())
}

fn print_entry(
    printer: &mut Printer<'_>,
    links: &mut Links<'_>,
    view: View,
    deleted: bool,
    bridge: u32,
    info: &Attribute<'_>,
) {
    let Some(entry) = info.array::<BR_MDB_ENTRY>() else { return };
    let table = netloom_machine::netlink::Attributes::new(info.value.get(BR_MDB_ENTRY..).unwrap_or_default()).table();
    let (state, flags) = (entry[4], entry[5]);
    let vlan = u16::from_ne_bytes([entry[6], entry[7]]);
    if view.vlan.is_some_and(|only| only != vlan) {
        return;
    }
    printer.open_object(None);
    if deleted {
        printer.field("deleted", true, format_args!("Deleted "));
    }
    printer.json("index", bridge);
    let name = links.name(bridge);
    printer.coloured(Colour::Name, "dev", &name, format_args!("dev {name}"));
    let port = links.name(u32::from_ne_bytes([entry[0], entry[1], entry[2], entry[3]]));
    printer.field("port", &port, format_args!(" port {port}"));
    let (colour, group) = group(&entry);
    printer.coloured(colour, "grp", &group, format_args!(" grp {group}"));
    if let Some(source) = table.get(eattr::SOURCE).and_then(|source| address(source.value)) {
        printer.coloured(colour, "src", &source, format_args!(" src {source}"));
    }
    let state = if state & 1 != 0 { "permanent" } else { "temp" };
    printer.field("state", state, format_args!(" {state}"));
    if view.details {
        print_details(printer, &table);
    }
    printer.open_array("flags");
    for (flag, name) in [(1, "offload"), (2, "fast_leave"), (4, "added_by_star_ex"), (8, "blocked")] {
        if flags & flag != 0 {
            printer.element(name, format_args!(" {name}"));
        }
    }
    printer.close_array();
    if vlan != 0 {
        printer.field("vid", vlan, format_args!(" vid {vlan}"));
    }
    if let Some(timer) = table.u32(eattr::TIMER).filter(|_| view.statistics) {
        let timer = time(timer);
        printer.field("timer", &timer, format_args!(" {timer}"));
    }
    printer.close_object();
    printer.line_break();
    printer.flush_if_long();
}

fn print_details(printer: &mut Printer<'_>, table: &Table<'_, 16>) {
    if let Some(mode) = table.u8(eattr::GROUP_MODE) {
        let mode = if mode == 0 { "exclude" } else { "include" };
        printer.field("filter_mode", mode, format_args!(" filter_mode {mode}"));
    }
    if table.has(eattr::SRC_LIST) {
        print_sources(printer, table);
    }
    if let Some(protocol) = table.u8(eattr::RTPROT) {
        let protocol = crate::rtnl::names::protocol(protocol);
        printer.field("protocol", &protocol, format_args!(" proto {protocol} "));
    }
}

/// The sources of a group with the time that each has left.
fn print_sources(printer: &mut Printer<'_>, table: &Table<'_, 16>) {
    printer.open_array("source_list");
    printer.text(format_args!(" source_list "));
    for (at, source) in table.nested(eattr::SRC_LIST).enumerate() {
        let source = source.attributes().table::<3>();
        let (Some(address), Some(timer)) = (source.bytes(1).and_then(address), source.u32(2)) else { continue };
        let timer = time(timer);
        printer.open_object(None);
        let comma = if at > 0 { "," } else { "" };
        printer.field("address", &address, format_args!("{comma}{address}"));
        printer.field("timer", &timer, format_args!("/{}", timer.trim_start()));
        printer.close_object();
    }
    printer.close_array();
}

/// An address of the family that its length tells.
fn address(bytes: &[u8]) -> Option<String> {
    let address: IpAddr = match bytes.len() {
        4 => ip_address(libc::AF_INET as u8, bytes)?,
        16 => ip_address(libc::AF_INET6 as u8, bytes)?,
        _ => return None,
    };
    Some(address.to_string())
}

/// Hundredths of a second as seconds.
fn time(hundredths: u32) -> String {
    format!("{:4}.{:02}", hundredths / 100, hundredths % 100)
}

/// Prints the router ports in a message: in text with `-d` alone, in a notification always.
pub(super) fn print_routers(printer: &mut Printer<'_>, links: &mut Links<'_>, view: View, message: &Message<'_>) {
    let Some(bridge) = bridge(view, message) else { return };
    let ports = message.attributes(BR_PORT_MSG).table::<4>().nested(MDBA_ROUTER);
    if ports.count() == 0 || !view.details {
        return;
    }
    let bridge = links.name(bridge);
    printer.open_array(bridge.as_str());
    printer.text(format_args!("router ports on {bridge}: "));
    for port in ports.filter(|attribute| attribute.kind == MDBA_ROUTER_PORT) {
        let name = links.name(port.u32().unwrap_or_default());
        printer.open_object(None);
        printer.field("port", &name, format_args!("{name} "));
        if view.statistics {
            print_router_statistics(printer, &port);
        }
        printer.close_object();
    }
    printer.close_array();
    printer.line_break();
}

fn print_router_statistics(printer: &mut Printer<'_>, port: &Attribute<'_>) {
    let table = netloom_machine::netlink::Attributes::new(port.value.get(4..).unwrap_or_default()).table::<8>();
    if let Some(timer) = table.u32(1) {
        let timer = time(timer);
        printer.field("timer", &timer, format_args!("{timer}"));
    }
    if let Some(kind) = table.u8(2) {
        let kind = ["disabled", "learn", "permanent", "temp"].get(usize::from(kind)).copied().unwrap_or("unknown");
        printer.field("type", kind, format_args!(" {kind}"));
    }
}

/// Prints a notification of router ports, which names the port that came or went.
pub(super) fn print_router_event(printer: &mut Printer<'_>, links: &mut Links<'_>, view: View, message: &Message<'_>) {
    let Some(bridge) = bridge(view, message) else { return };
    let ports = message.attributes(BR_PORT_MSG).table::<4>().nested(MDBA_ROUTER);
    for port in ports.filter(|attribute| attribute.kind == MDBA_ROUTER_PORT) {
        let deleted = if message.kind == RTM_DELMDB { "Deleted " } else { "" };
        let (name, bridge) = (links.name(port.u32().unwrap_or_default()), links.name(bridge));
        printer.text(format_args!("{deleted}router port dev {name} master {bridge}"));
        printer.line_break();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_each_protocol() {
        let mut entry = [0; BR_MDB_ENTRY];
        entry[8..14].copy_from_slice(&[1, 0, 0x5e, 1, 1, 1]);
        assert_eq!(group(&entry), (Colour::None, "01:00:5e:01:01:01".to_owned()));
        entry[8..12].copy_from_slice(&[239, 1, 1, 1]);
        entry[24..26].copy_from_slice(&[8, 0]);
        assert_eq!(group(&entry), (Colour::Inet, "239.1.1.1".to_owned()));
    }
}
