//! `ip link xstats type bridge[_slave]`: what a bridge counts of multicast and spanning tree.

use netloom_machine::netlink::{Attributes, Request};

use crate::print::Printer;
use crate::rtnl::{Arguments, Failure, Outcome, Session, invalid_argument};

const IFLA_STATS_LINK_XSTATS: u16 = 2;
const IFLA_STATS_LINK_XSTATS_SLAVE: u16 = 3;
const LINK_XSTATS_TYPE_BRIDGE: u16 = 1;
const BRIDGE_XSTATS_MCAST: u16 = 2;
const BRIDGE_XSTATS_STP: u16 = 4;
/// The length of `struct if_stats_msg`.
const IF_STATS_MSG: usize = 12;

/// Which of the statistics are printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Only {
    Everything,
    Multicast,
    SpanningTree,
}

/// Runs `ip link xstats` with the words after it.
pub(super) fn run(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let mut arguments = Arguments::new(words);
    match arguments.next() {
        None => {
            session.complain("xstats: missing argument");
            return Err(Failure::Command(1));
        }
        Some("type") => {}
        Some("help") => return super::usage(session),
        Some(word) => return Err(invalid_argument(session.err, "unknown argument", word)),
    }
    let kind = arguments.value(session.err)?;
    let attribute = match kind {
        "bridge" => IFLA_STATS_LINK_XSTATS,
        "bridge_slave" => IFLA_STATS_LINK_XSTATS_SLAVE,
        _ if !is_known(kind) => return Err(invalid_argument(session.err, "invalid type", kind)),
        _ => {
            session.complain(&format!("xstats: link type {kind} doesn't support xstats"));
            return Err(Failure::Command(1));
        }
    };
    let (mut only, mut wanted) = (Only::Everything, None);
    while let Some(word) = arguments.next() {
        match word {
            "igmp" | "mcast" => only = Only::Multicast,
            "stp" => only = Only::SpanningTree,
            "dev" => {
                let name = arguments.value(session.err)?;
                wanted = Some(session.index(name)?);
            }
            "help" => {
                session.complain("Usage: ... bridge [ igmp ] [ dev DEVICE ]");
                return Err(Failure::Command(1));
            }
            _ => return Err(invalid_argument(session.err, "unknown attribute", word)),
        }
    }
    let mut request = Request::new(libc::RTM_GETSTATS, 0);
    let mut header = [0; IF_STATS_MSG];
    header[8..].copy_from_slice(&(1u32 << (attribute - 1)).to_ne_bytes());
    request.put(&header);
    let mut printer = Printer::new(session.out, &session.format);
    printer.open_document();
    let result = session.netlink.dump(&mut request, |message| {
        let Some(header) = message.payload.first_chunk::<IF_STATS_MSG>() else { return };
        let index = u32::from_ne_bytes([header[4], header[5], header[6], header[7]]);
        let statistics = message.attributes(IF_STATS_MSG).find(attribute);
        let bridge = statistics.and_then(|statistics| statistics.attributes().find(LINK_XSTATS_TYPE_BRIDGE));
        let Some(bridge) = bridge.filter(|_| wanted.is_none_or(|wanted| wanted == index)) else { return };
        let name = session.links.name(index);
        printer.open_object(None);
        printer.field("ifname", &name, format_args!("{name:<16}\n"));
        bridge_statistics(&mut printer, bridge.attributes(), only);
        printer.close_object();
    });
    printer.close_document();
    drop(printer);
    crate::rtnl::finish_dump(session.err, result)
}

/// Whether the usage of `ip link` lists a type.
fn is_known(kind: &str) -> bool {
    let usage = include_str!("../usage/link.txt");
    let types = usage.split_once("TYPE := {").map_or("", |(_, types)| types);
    types.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|known| known == kind)
}

/// The indentation of every line but the device's name.
const INDENT: &str = "                    ";

fn bridge_statistics(printer: &mut Printer<'_>, bridge: Attributes<'_>, only: Only) {
    for attribute in bridge {
        let counters: Vec<u64> = attribute
            .value
            .chunks_exact(8)
            .filter_map(|chunk| chunk.first_chunk().copied().map(u64::from_ne_bytes))
            .collect();
        let counter = |at: usize| counters.get(at).copied().unwrap_or(0);
        match attribute.kind {
            BRIDGE_XSTATS_MCAST if only != Only::SpanningTree => multicast(printer, &counter),
            BRIDGE_XSTATS_STP if only != Only::Multicast => spanning_tree(printer, &counter),
            _ => {}
        }
    }
}

/// `struct br_mcast_stats`: pairs of what was received and sent.
fn multicast(printer: &mut Printer<'_>, counter: &impl Fn(usize) -> u64) {
    let pairs = |printer: &mut Printer<'_>, key: &str, title: &str, first: usize, versions: usize| {
        printer.open_object(key);
        printer.text(format_args!("{INDENT}{title}:\n"));
        for (direction, label, json) in [(0, "RX", "rx"), (1, "TX", "tx")] {
            printer.text(format_args!("{INDENT}  {label}:"));
            for version in 1..=versions {
                let count = counter(first + 2 * (version - 1) + direction);
                printer.field(&format!("{json}_v{version}"), count, format_args!(" v{version} {count}"));
            }
            printer.text(format_args!("\n"));
        }
        printer.close_object();
    };
    let leaves = |printer: &mut Printer<'_>, key: &str, title: &str, first: usize| {
        let (rx, tx) = (counter(first), counter(first + 1));
        printer.open_object(key);
        printer.field("rx", rx, format_args!("{INDENT}{title}: RX: {rx}"));
        printer.field("tx", tx, format_args!(" TX: {tx}\n"));
        printer.close_object();
    };
    printer.open_object("multicast");
    pairs(printer, "igmp_queries", "IGMP queries", 0, 3);
    pairs(printer, "igmp_reports", "IGMP reports", 8, 3);
    leaves(printer, "igmp_leaves", "IGMP leaves", 6);
    let errors = counter(14);
    printer.field("igmp_parse_errors", errors, format_args!("{INDENT}IGMP parse errors: {errors}\n"));
    pairs(printer, "mld_queries", "MLD queries", 15, 2);
    pairs(printer, "mld_reports", "MLD reports", 21, 2);
    leaves(printer, "mld_leaves", "MLD leaves", 19);
    let errors = counter(25);
    printer.field("mld_parse_errors", errors, format_args!("{INDENT}MLD parse errors: {errors}\n"));
    printer.close_object();
}

/// `struct bridge_stp_xstats`.
fn spanning_tree(printer: &mut Printer<'_>, counter: &impl Fn(usize) -> u64) {
    let [blocked, forwarding, rx_bpdu, tx_bpdu, rx_tcn, tx_tcn] = [0, 1, 2, 3, 4, 5].map(counter);
    printer.open_object("stp");
    printer.field("rx_bpdu", rx_bpdu, format_args!("{INDENT}STP BPDU:  RX: {rx_bpdu}"));
    printer.field("tx_bpdu", tx_bpdu, format_args!(" TX: {tx_bpdu}\n"));
    printer.field("rx_tcn", rx_tcn, format_args!("{INDENT}STP TCN:   RX: {rx_tcn}"));
    printer.field("tx_tcn", tx_tcn, format_args!(" TX: {tx_tcn}\n"));
    printer.field("transition_blk", blocked, format_args!("{INDENT}STP Transitions: Blocked: {blocked}"));
    printer.field("transition_fwd", forwarding, format_args!(" Forwarding: {forwarding}\n"));
    printer.close_object();
}
