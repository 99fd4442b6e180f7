//! `bridge link show`: the ports of bridges and their state.

use netloom_machine::netlink::{Message, Request, Table};

use super::{device, link_set, unknown_command, usage};
use crate::print::Printer;
use crate::rtnl::{Arguments, Links, Outcome, Session, finish_dump, matches, print_flags, print_name};

/// The length of `struct ifinfomsg`.
pub(super) const IFINFOMSG: usize = 16;

/// `IFLA_BRPORT_*` within `IFLA_PROTINFO`.
pub(super) mod brport {
    pub(crate) const STATE: u16 = 1;
    pub(crate) const PRIORITY: u16 = 2;
    pub(crate) const COST: u16 = 3;
    pub(crate) const MODE: u16 = 4;
    pub(crate) const GUARD: u16 = 5;
    pub(crate) const PROTECT: u16 = 6;
    pub(crate) const FAST_LEAVE: u16 = 7;
    pub(crate) const LEARNING: u16 = 8;
    pub(crate) const UNICAST_FLOOD: u16 = 9;
    pub(crate) const LEARNING_SYNC: u16 = 11;
    pub(crate) const MULTICAST_ROUTER: u16 = 25;
    pub(crate) const MCAST_FLOOD: u16 = 27;
    pub(crate) const MCAST_TO_UCAST: u16 = 28;
    pub(crate) const VLAN_TUNNEL: u16 = 29;
    pub(crate) const BCAST_FLOOD: u16 = 30;
    pub(crate) const NEIGH_SUPPRESS: u16 = 32;
    pub(crate) const ISOLATED: u16 = 33;
    pub(crate) const BACKUP_PORT: u16 = 34;
    pub(crate) const LOCKED: u16 = 39;
}

/// `IFLA_BRIDGE_MODE` within `IFLA_AF_SPEC`.
pub(super) const IFLA_BRIDGE_MODE: u16 = 1;

/// STP states by number.
pub(super) const STATES: &[&str] = &["disabled", "listening", "learning", "forwarding", "blocking"];

pub(super) fn run(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let Some((command, rest)) = words.split_first() else { return show(session, words) };
    match command.as_str() {
        word if matches(word, "set") => link_set::run(session, rest),
        word if ["show", "lst", "list"].iter().any(|keyword| matches(word, keyword)) => show(session, rest),
        word if matches(word, "help") => usage(session.err, include_str!("usage/link.txt")),
        word => unknown_command(session, "link", word),
    }
}

fn show(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let mut arguments = Arguments::new(words);
    let mut name = None;
    while let Some(word) = arguments.next() {
        if matches(word, "dev") {
            let value = arguments.value(session.err)?;
            if name.replace(value).is_some() {
                return Err(crate::rtnl::duplicate(session.err, "dev", value));
            }
        }
    }
    session.links.learn_all();
    let only = match name {
        Some(name) => Some(device(session, "device", name)?),
        None => None,
    };
    let mut request = Request::new(libc::RTM_GETLINK, 0);
    let mut header = [0; IFINFOMSG];
    header[0] = libc::AF_BRIDGE as u8;
    request.put(&header);
    let Session { netlink, links, out, err, format, .. } = session;
    let mut printer = Printer::new(*out, format);
    printer.open_document();
    let dump = netlink.dump(&mut request, |message| {
        let port = message.payload.first() == Some(&(libc::AF_BRIDGE as u8));
        if port && (only.is_none() || only == index(&message)) {
            print(&mut printer, links, format.details > 0, &message);
        }
    });
    if dump.is_ok() {
        printer.close_document();
    }
    drop(printer);
    finish_dump(*err, dump)
}

fn index(message: &Message<'_>) -> Option<u32> {
    message.payload.get(4..8)?.try_into().ok().map(u32::from_ne_bytes)
}

/// Prints one device of a dump or a notification.
pub(super) fn print(printer: &mut Printer<'_>, links: &mut Links<'_>, details: bool, message: &Message<'_>) {
    let table = message.attributes(IFINFOMSG).table::<64>();
    let (Some(header), Some(name)) = (message.payload.first_chunk::<IFINFOMSG>(), table.string(libc::IFLA_IFNAME))
    else {
        return;
    };
    let flags = u32::from_ne_bytes([header[8], header[9], header[10], header[11]]);
    printer.open_object(None);
    if message.kind == libc::RTM_DELLINK {
        printer.field("deleted", true, format_args!("Deleted "));
    }
    let index = index(message).unwrap_or_default();
    printer.field("ifindex", index, format_args!("{index}: "));
    let peer_down = print_name(printer, links, name, &table);
    print_flags(printer, flags, peer_down);
    if let Some(mtu) = table.u32(libc::IFLA_MTU) {
        printer.field("mtu", mtu, format_args!("mtu {mtu} "));
    }
    if let Some(master) = table.u32(libc::IFLA_MASTER) {
        let master = links.name(master);
        printer.field("master", &master, format_args!("master {master} "));
    }
    if let Some(info) = table.get(libc::IFLA_PROTINFO) {
        if info.nested {
            print_port(printer, links, details, &info.attributes().table());
        } else if let Some(state) = info.u8() {
            print_state(printer, state);
        }
    }
    if let Some(mode) = table.nested(libc::IFLA_AF_SPEC).find(IFLA_BRIDGE_MODE).and_then(|mode| mode.u16()) {
        let mode = match mode {
            0 => "VEB".to_owned(),
            1 => "VEPA".to_owned(),
            other => format!("{other:#x}"),
        };
        printer.field("hwmode", &mode, format_args!("hwmode {mode} "));
    }
    printer.end_record();
}

fn print_state(printer: &mut Printer<'_>, state: u8) {
    match STATES.get(usize::from(state)) {
        Some(name) => printer.field("state", *name, format_args!("state {name} ")),
        None => printer.field("state_index", state, format_args!("state ({state}) ")),
    }
}

fn print_port(printer: &mut Printer<'_>, links: &mut Links<'_>, details: bool, port: &Table<'_, 64>) {
    if let Some(state) = port.u8(brport::STATE) {
        print_state(printer, state);
    }
    if let Some(priority) = port.u16(brport::PRIORITY) {
        printer.field("priority", priority, format_args!("priority {priority} "));
    }
    if let Some(cost) = port.u32(brport::COST) {
        printer.field("cost", cost, format_args!("cost {cost} "));
    }
    if !details {
        return;
    }
    printer.line_break();
    printer.text(format_args!("    "));
    let switches = |names: &[(u16, &str)], printer: &mut Printer<'_>| {
        for (kind, name) in names {
            if let Some(on) = port.u8(*kind) {
                printer.on_off(name, name, on != 0);
            }
        }
    };
    switches(
        &[
            (brport::MODE, "hairpin"),
            (brport::GUARD, "guard"),
            (brport::PROTECT, "root_block"),
            (brport::FAST_LEAVE, "fastleave"),
            (brport::LEARNING, "learning"),
            (brport::LEARNING_SYNC, "learning_sync"),
            (brport::UNICAST_FLOOD, "flood"),
            (brport::MCAST_FLOOD, "mcast_flood"),
            (brport::BCAST_FLOOD, "bcast_flood"),
        ],
        printer,
    );
    if let Some(router) = port.u8(brport::MULTICAST_ROUTER) {
        printer.field("mcast_router", router, format_args!("mcast_router {router} "));
    }
    switches(
        &[
            (brport::MCAST_TO_UCAST, "mcast_to_unicast"),
            (brport::NEIGH_SUPPRESS, "neigh_suppress"),
            (brport::VLAN_TUNNEL, "vlan_tunnel"),
        ],
        printer,
    );
    if let Some(backup) = port.u32(brport::BACKUP_PORT) {
        let backup = links.name(backup);
        printer.field("backup_port", &backup, format_args!("backup_port {backup} "));
    }
    switches(&[(brport::ISOLATED, "isolated"), (brport::LOCKED, "locked")], printer);
}
