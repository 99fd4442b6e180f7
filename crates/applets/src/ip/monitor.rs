//! `ip monitor`: what the kernel tells of changes, as it happens.

use netloom_machine::netlink::{Message, Messages, Netlink};

use super::address::print::{self as address, Address, Layout};
use super::link::print::{self as link, Device, Scope};
use super::neigh::Entry;
use super::route::{Known, RTMSG, Route};
use super::rule::Rule;
use super::{netconf, netns};
use crate::print::{Format, Printer, strerror};
use crate::rtnl::{Arguments, Failure, Outcome, Session, invalid_argument, matches, timestamp};

const NETLINK_LISTEN_ALL_NSID: i32 = 8;
/// Longer than any notification.
const LONGEST: usize = 1 << 16;

/// A kind of change: its word, its label, its multicast groups by family (any, IPv4, IPv6).
struct Object {
    word: &'static str,
    label: &'static str,
    groups: &'static [(i32, u32)],
    first: u16,
}

const ANY: i32 = libc::AF_UNSPEC;
const V4: i32 = libc::AF_INET;
const V6: i32 = libc::AF_INET6;

/// Every kind of change. `first` is the type of the message that tells of something new; the next one is its end.
const OBJECTS: &[Object] = &[
    Object { word: "link", label: "[LINK]", groups: &[(ANY, 1)], first: 16 },
    Object { word: "address", label: "[ADDR]", groups: &[(V4, 5), (V6, 9)], first: 20 },
    Object { word: "route", label: "[ROUTE]", groups: &[(V4, 7), (V6, 11)], first: 24 },
    Object { word: "mroute", label: "[MROUTE]", groups: &[(V4, 6), (V6, 10)], first: 24 },
    Object { word: "prefix", label: "[PREFIX]", groups: &[(V6, 18)], first: 52 },
    Object { word: "neigh", label: "[NEIGH]", groups: &[(ANY, 3)], first: 28 },
    Object { word: "netconf", label: "[NETCONF]", groups: &[(V4, 24), (V6, 25)], first: 80 },
    Object { word: "rule", label: "[RULE]", groups: &[(V4, 8), (V6, 19)], first: 32 },
    Object { word: "nsid", label: "[NSID]", groups: &[(ANY, 28)], first: 88 },
];

/// How notifications are shown.
#[derive(Default)]
struct View {
    labels: bool,
    nsid_prefix: bool,
    /// Whether ids of namespaces are replaced by their names.
    names: bool,
    /// Only this device's.
    device: Option<u32>,
}

/// Runs `ip monitor` with the words after it.
pub(super) fn run(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let mut arguments = Arguments::new(words);
    let (mut wanted, mut view, mut file) = (Vec::new(), View::default(), None);
    while let Some(word) = arguments.next() {
        if word == "file" {
            file = Some(arguments.value(session.err)?);
        } else if matches(word, "label") {
            view.labels = true;
        } else if let Some(object) = OBJECTS.iter().find(|object| matches(word, object.word)) {
            wanted.push(object.word);
        } else if word == "all" {
            view.labels = true;
        } else if matches(word, "all-nsid") {
            view.nsid_prefix = true;
        } else if matches(word, "help") {
            return super::usage(session.err, include_str!("usage/monitor.txt"));
        } else if word == "dev" {
            let name = arguments.value(session.err)?;
            let index = session.links.index(name);
            view.device = Some(index.ok_or_else(|| invalid_argument(session.err, "Device does not exist\n", name))?);
        } else {
            session.complain(&format!("Argument \"{word}\" is unknown, try \"ip monitor help\"."));
            return Err(Failure::Exit(255));
        }
    }
    view.names = wanted.is_empty() || wanted.contains(&"nsid");
    match file {
        Some(file) => replay(session, &view, file),
        None => listen(session, &view, &wanted),
    }
}

/// Shows what a file of messages (`rtmon`'s) tells.
fn replay(session: &mut Session<'_>, view: &View, file: &str) -> Outcome {
    match std::fs::read(file) {
        Ok(bytes) => {
            Messages::new(&bytes).for_each(|message| show(session, view, &message, None));
            Ok(())
        }
        Err(error) => {
            let text = strerror(error.raw_os_error().unwrap_or(libc::EIO));
            session.complain(&format!("Cannot fopen: {text}"));
            Err(Failure::Exit(255))
        }
    }
}

fn listen(session: &mut Session<'_>, view: &View, wanted: &[&str]) -> Outcome {
    let cannot = |session: &mut Session<'_>, error: std::io::Error| {
        session.complain(&crate::rtnl::cannot_open(&session.netns.clone(), &error));
        Failure::Exit(1)
    };
    let netlink =
        Netlink::open(session.machine, &session.netns, libc::NETLINK_ROUTE).map_err(|error| cannot(session, error))?;
    for object in OBJECTS.iter().filter(|object| wanted.is_empty() || wanted.contains(&object.word)) {
        let family = i32::from(session.family);
        for (_, group) in object.groups.iter().filter(|(of, _)| *of == ANY || family == ANY || *of == family) {
            netlink.join(*group).map_err(|error| cannot(session, error))?;
        }
    }
    if view.nsid_prefix {
        let all = netlink.socket().set_option_int(libc::SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, 1);
        all.map_err(|error| cannot(session, error))?;
    }
    session.links.learn_all();
    if view.names {
        session.nsids.refresh(session.machine, &session.netns, session.err);
    }
    loop {
        let received = match netlink.socket().receive(LONGEST, 0) {
            Ok(received) => received,
            Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                session.complain("netlink receive error No buffer space available (105)");
                continue;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => {
                let errno = error.raw_os_error().unwrap_or(libc::EIO);
                session.complain(&format!("netlink receive error {} ({errno})", strerror(errno)));
                return Err(Failure::Exit(2));
            }
        };
        let nsid = received
            .control
            .iter()
            .find(|control| (control.level, control.kind) == (libc::SOL_NETLINK, NETLINK_LISTEN_ALL_NSID));
        let nsid = nsid.and_then(|control| control.data.first_chunk().copied().map(i32::from_ne_bytes));
        for message in Messages::new(&received.data) {
            show(session, view, &message, nsid);
        }
        let _ = session.out.flush();
    }
}

/// Shows one notification.
fn show(session: &mut Session<'_>, view: &View, message: &Message<'_>, nsid: Option<i32>) {
    let Some(object) = object_of(message) else { return };
    // Notifications are never JSON.
    let format = Format { json: false, ..session.format };
    let mut head = String::new();
    if format.timestamp {
        head.push_str(&timestamp(format.timestamp_short));
    }
    if view.nsid_prefix {
        match nsid {
            Some(id) => head.push_str(&format!("[nsid {id}]")),
            None => head.push_str("[nsid current]"),
        }
    }
    if view.labels {
        head.push_str(object.label);
    }
    let mut printer = Printer::new(session.out, &format);
    match object.word {
        "link" => {
            let device = Device::parse(message).filter(|device| view.device.is_none_or(|only| only == device.index));
            if let Some(device) = &device {
                printer.text(format_args!("{head}"));
                deleted(&mut printer, message);
                let mut around = link::surroundings!(session);
                around.format = format;
                around.name_namespaces = view.names;
                if message.kind == libc::RTM_NEWLINK && nsid.is_none() {
                    around.links.learn(message);
                }
                if format.brief {
                    link::brief(&mut printer, &mut around, device, false);
                } else {
                    link::device(&mut printer, &mut around, device, Scope { link_layer: true, ..Scope::default() });
                    printer.end_record();
                }
                if message.kind == libc::RTM_DELLINK {
                    session.links.forget(device.index);
                }
            }
        }
        "address" => {
            let address = Address::parse(message).filter(|own| view.device.is_none_or(|only| only == own.index));
            if let Some(address) = &address {
                printer.text(format_args!("{head}"));
                deleted(&mut printer, message);
                let layout = Layout { named: !format.brief, brief: format.brief, numeric: format.numeric };
                address::address(&mut printer, &mut session.links, address, layout);
                if !format.brief {
                    printer.end_record();
                }
            }
        }
        "netconf" => {
            printer.text(format_args!("{head}"));
            netconf::print(&mut printer, &mut session.links, message, view.device.map(|index| index as i32));
        }
        "nsid" => {
            drop(printer);
            netns::notification(session, &head, message);
        }
        "neigh" => {
            let entry = Entry::parse(message).filter(|entry| view.device.is_none_or(|only| only == entry.ifindex()));
            if let Some(entry) = entry {
                printer.text(format_args!("{head}"));
                entry.print(&mut printer, &mut session.links, &format, false);
            }
        }
        "rule" => {
            if let Some(rule) = Rule::parse(message) {
                printer.text(format_args!("{head}"));
                rule.print(&mut printer, &format);
            }
        }
        "route" | "mroute" => {
            let out = message.attributes(RTMSG).find(libc::RTA_OIF).and_then(|device| device.u32());
            let route = Route::parse(message).filter(|_| view.device.is_none_or(|only| out == Some(only)));
            if let Some(route) = route {
                printer.text(format_args!("{head}"));
                route.print(&mut printer, &mut session.links, &format, Known::default());
            }
        }
        _ => {}
    }
}

fn deleted(printer: &mut Printer<'_>, message: &Message<'_>) {
    if matches!(message.kind, libc::RTM_DELLINK | libc::RTM_DELADDR) {
        printer.text(format_args!("Deleted "));
    }
}

/// The kind of change that a message tells of. Multicast routes are routes of families of their own.
fn object_of(message: &Message<'_>) -> Option<&'static Object> {
    const RTNL_FAMILY_IPMR: u8 = 128;
    let multicast = message.payload.first().is_some_and(|&family| family >= RTNL_FAMILY_IPMR);
    OBJECTS
        .iter()
        .filter(|object| object.first == message.kind || object.first + 1 == message.kind)
        .find(|object| (object.word == "mroute") == (object.first == libc::RTM_NEWROUTE && multicast))
}
