//! `bridge monitor`: what happens to bridges, as it happens.

use netloom_machine::netlink::{Message, Netlink};

use super::fdb::Entry;
use super::mdb::{self, RTM_DELMDB, RTM_NEWMDB};
use super::{link, usage};
use crate::print::{Format, Printer};
use crate::rtnl::{Arguments, Failure, Links, Outcome, Session, matches, report};

const USAGE: &str = "Usage: bridge monitor [file | link | fdb | mdb | vlan | vni | all]\n";

/// The kinds of events, with their multicast group (`RTNLGRP_*`).
const KINDS: &[(&str, u32)] = &[("link", 1), ("fdb", 3), ("mdb", 26), ("vlan", 33)];

pub(super) fn run(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let mut groups: Vec<u32> = Vec::new();
    let mut labels = false;
    for word in Arguments::new(words) {
        match word {
            word if KINDS.iter().any(|(kind, _)| matches(word, kind)) => {
                groups.extend(KINDS.iter().find(|(kind, _)| matches(word, kind)).map(|(_, group)| *group));
            }
            "all" => {
                groups.clear();
                labels = true;
            }
            word if matches(word, "help") => return usage(session.err, USAGE),
            word => {
                session.complain(&format!("Argument \"{word}\" is unknown, try \"bridge monitor help\"."));
                return Err(Failure::Exit(255));
            }
        }
    }
    if groups.is_empty() {
        groups.extend(KINDS.iter().map(|(_, group)| *group));
    }
    session.links.learn_all();
    let mut events = match listen(session, &groups) {
        Ok(events) => events,
        Err(error) => {
            session.complain(&format!("Cannot open netlink socket: {error}"));
            return Err(Failure::Exit(1));
        }
    };
    // Events are text, whatever the format of what is shown.
    let format = Format { json: false, ..session.format };
    let Session { links, out, err, .. } = session;
    loop {
        let _ = out.flush();
        let received = events.receive(|message| {
            let mut printer = Printer::new(*out, &format);
            print(&mut printer, links, &format, labels, &message);
        });
        if let Err(error) = received {
            let _ = out.flush();
            report(*err, &error);
            return Err(Failure::Exit(2));
        }
    }
}

fn listen(session: &Session<'_>, groups: &[u32]) -> std::io::Result<Netlink> {
    let netlink = Netlink::open(session.machine, &session.netns, libc::NETLINK_ROUTE)?;
    for group in groups {
        netlink.join(*group)?;
    }
    Ok(netlink)
}

fn print(printer: &mut Printer<'_>, links: &mut Links<'_>, format: &Format, labels: bool, message: &Message<'_>) {
    let begin = |printer: &mut Printer<'_>, label: &str| {
        if format.timestamp {
            printer.text(format_args!("{}", crate::rtnl::timestamp(format.timestamp_short)));
        }
        if labels {
            printer.text(format_args!("[{label}]"));
        }
    };
    match message.kind {
        libc::RTM_NEWLINK | libc::RTM_DELLINK => {
            begin(printer, "LINK");
            link::print(printer, links, format.details > 0, message);
        }
        libc::RTM_NEWNEIGH | libc::RTM_DELNEIGH => {
            let Some(entry) = Entry::parse(message) else { return };
            begin(printer, "NEIGH");
            entry.print(printer, links, format.statistics > 0, false);
        }
        RTM_NEWMDB | RTM_DELMDB => {
            begin(printer, "MDB");
            let view = mdb::View::all(format.details > 0, format.statistics > 0);
            mdb::print_entries(printer, links, view, message);
            mdb::print_router_event(printer, links, view, message);
        }
        _ => {}
    }
}
