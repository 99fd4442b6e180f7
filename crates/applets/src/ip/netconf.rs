//! `ip netconf`: the settings of devices that the kernel tells over netlink.

use netloom_machine::netlink::{Message, Request};

use crate::print::{Colour, Printer};
use crate::rtnl::{Arguments, Failure, Links, Outcome, Session, finish_dump, matches};

const RTM_DELNETCONF: u16 = 81;
const RTM_GETNETCONF: u16 = 82;
const NETCONFA_IFINDEX: u16 = 1;
const NETCONFA_RP_FILTER: u16 = 3;
/// The length of `struct netconfmsg`, padded.
const NETCONFMSG: usize = 4;

/// The settings in their order: attribute and name.
const SETTINGS: &[(u16, &str)] = &[
    (2, "forwarding"),
    (NETCONFA_RP_FILTER, "rp_filter"),
    (4, "mc_forwarding"),
    (5, "proxy_neigh"),
    (6, "ignore_routes_with_linkdown"),
];

/// Runs `ip netconf` with the words after it.
pub(super) fn run(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let Some((command, rest)) = words.split_first() else { return show(session, &[]) };
    let is = |name| matches(command, name);
    match () {
        () if is("show") || is("lst") || is("list") => show(session, rest),
        () if is("help") => super::usage(session.err, include_str!("usage/netconf.txt")),
        () => {
            session.complain(&format!("Command \"{command}\" is unknown, try \"ip netconf help\"."));
            Err(Failure::Exit(255))
        }
    }
}

fn show(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let mut arguments = Arguments::new(words);
    let mut wanted = None;
    while let Some(word) = arguments.next() {
        let name = if word == "dev" { arguments.value(session.err)? } else { word };
        if matches(name, "help") {
            return super::usage(session.err, include_str!("usage/netconf.txt"));
        }
        let Some(index) = session.links.index(name) else {
            session.complain(&format!("Device \"{name}\" does not exist."));
            return Err(Failure::Command(1));
        };
        wanted = Some(index as i32);
    }
    session.links.learn_all();
    let mut request = Request::new(RTM_GETNETCONF, 0);
    request.put(&[session.family, 0, 0, 0]);
    let mut printer = Printer::new(session.out, &session.format);
    printer.open_document();
    let result =
        session.netlink.dump(&mut request, |message| print(&mut printer, &mut session.links, &message, wanted));
    printer.close_document();
    drop(printer);
    finish_dump(session.err, result)
}

/// Prints one message, where it is about the wanted device.
pub(super) fn print(printer: &mut Printer<'_>, links: &mut Links<'_>, message: &Message<'_>, wanted: Option<i32>) {
    let table = message.attributes(NETCONFMSG).table::<16>();
    let Some(index) = table.i32(NETCONFA_IFINDEX).filter(|index| wanted.is_none_or(|wanted| wanted == *index)) else {
        return;
    };
    printer.open_object(None);
    if message.kind == RTM_DELNETCONF {
        printer.field("deleted", true, format_args!("Deleted "));
    }
    let family = match message.payload.first().map(|&family| i32::from(family)) {
        Some(libc::AF_INET) => "inet",
        Some(libc::AF_INET6) => "inet6",
        Some(libc::AF_MPLS) => "mpls",
        _ => "???",
    };
    printer.field("family", family, format_args!("{family} "));
    let name = match index {
        -1 => "all".to_owned(),
        -2 => "default".to_owned(),
        index => links.name(index as u32),
    };
    printer.coloured(Colour::Name, "interface", &name, format_args!("{name} "));
    for &(kind, key) in SETTINGS {
        match table.u32(kind) {
            Some(value) if kind == NETCONFA_RP_FILTER => {
                let word = ["off", "strict", "loose"].get(value as usize).copied().unwrap_or("unknown");
                printer.field(key, word, format_args!("{key} {word} "));
            }
            Some(value) => printer.on_off(key, key, value != 0),
            None => {}
        }
    }
    printer.end_record();
}
