//! `bridge vlan show`: the VLANs of bridges and their ports.

use netloom_machine::netlink::{DUMP, Error, Message, Request, Stage};

use super::link::{IFINFOMSG, STATES};
use super::{device_and_vlan, unknown_command, usage, vlan_change};
use crate::print::{Colour, Printer};
use crate::rtnl::{Links, Outcome, Session, finish_dump, matches};

const RTEXT_FILTER_BRVLAN: u32 = 2;
const RTEXT_FILTER_BRVLAN_COMPRESSED: u32 = 4;
pub(super) const RTM_NEWVLAN: u16 = 112;
const RTM_GETVLAN: u16 = 114;
const RTM_GETSTATS: u16 = 94;
/// The length of `struct br_vlan_msg` and of `struct if_stats_msg`.
pub(super) const BR_VLAN_MSG: usize = 8;
const IF_STATS_MSG: usize = 12;

/// `IFLA_BRIDGE_VLAN_INFO` and `…_TUNNEL_INFO` within `IFLA_AF_SPEC`.
pub(super) const IFLA_BRIDGE_VLAN_INFO: u16 = 2;
pub(super) const IFLA_BRIDGE_VLAN_TUNNEL_INFO: u16 = 3;

/// `BRIDGE_VLAN_INFO_*`.
pub(super) mod info {
    pub(crate) const PVID: u16 = 2;
    pub(crate) const UNTAGGED: u16 = 4;
    pub(crate) const RANGE_BEGIN: u16 = 8;
    pub(crate) const RANGE_END: u16 = 16;
    pub(crate) const ONLY_OPTS: u16 = 64;
}

pub(super) fn run(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let Some((command, rest)) = words.split_first() else { return show(session, words) };
    match command.as_str() {
        word if matches(word, "add") => vlan_change::add(session, rest),
        word if matches(word, "delete") => vlan_change::delete(session, rest),
        word if ["show", "lst", "list"].iter().any(|keyword| matches(word, keyword)) => show(session, rest),
        word if matches(word, "tunnelshow") => tunnels(session, rest),
        word if matches(word, "set") => vlan_change::set(session, rest),
        word if matches(word, "help") => usage(session.err, include_str!("usage/vlan.txt")),
        word => unknown_command(session, "vlan", word),
    }
}

/// What is shown.
#[derive(Clone, Copy, Default)]
struct View {
    port: Option<u32>,
    vlan: Option<u16>,
}

fn view(session: &mut Session<'_>, words: &[String]) -> Outcome<View> {
    let (port, vlan) = device_and_vlan(session, words)?;
    Ok(View { port, vlan })
}

fn show(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let view = view(session, words)?;
    if session.format.details > 0 {
        return show_details(session, view);
    }
    if session.format.statistics > 0 {
        return show_statistics(session, view);
    }
    let mask = if session.format.compress_vlans { RTEXT_FILTER_BRVLAN_COMPRESSED } else { RTEXT_FILTER_BRVLAN };
    let Session { netlink, links, out, err, format, .. } = session;
    let mut printer = Printer::new(*out, format);
    printer.open_document();
    printer.text(format_args!("{:<16}  {:<9}\n", "port", "vlan-id"));
    let dump = netlink.dump(&mut ports(mask), |message| print_port(&mut printer, links, view, &message));
    printer.close_document();
    drop(printer);
    finish_dump(*err, dump)
}

/// Asks for the ports with their VLANs.
fn ports(mask: u32) -> Request {
    let mut header = [0; IFINFOMSG];
    header[0] = libc::AF_BRIDGE as u8;
    let mut request = Request::new(libc::RTM_GETLINK, DUMP);
    request.put(&header).u32(libc::IFLA_EXT_MASK, mask);
    request
}

fn print_port(printer: &mut Printer<'_>, links: &mut Links<'_>, view: View, message: &Message<'_>) {
    let Some(index) = message.payload.get(4..8).and_then(|bytes| bytes.first_chunk()).copied() else { return };
    let index = u32::from_ne_bytes(index);
    let spec = message.attributes(IFINFOMSG).table::<64>().nested(libc::IFLA_AF_SPEC);
    if view.port.is_some_and(|only| only != index) {
        return;
    }
    let mut lines = Lines::new(index);
    let mut begin = None;
    for vlan in spec.filter(|attribute| attribute.kind == IFLA_BRIDGE_VLAN_INFO) {
        let Some([flags, id]) = vlan.array::<4>().map(|b| [[b[0], b[1]], [b[2], b[3]]].map(u16::from_ne_bytes)) else {
            continue;
        };
        if flags & info::RANGE_BEGIN != 0 {
            begin = Some(id);
            continue;
        }
        let first = begin.take().unwrap_or(id);
        if view.vlan.is_none_or(|only| (first..=id).contains(&only)) {
            lines.begin(printer, links);
            print_vlan(printer, first, id, flags);
            lines.end(printer);
        }
    }
    lines.finish(printer);
}

/// The lines of one port: the first one has its name, those below have blanks in its place.
struct Lines {
    index: u32,
    open: bool,
}

impl Lines {
    fn new(index: u32) -> Lines {
        Lines { index, open: false }
    }

    fn begin(&mut self, printer: &mut Printer<'_>, links: &mut Links<'_>) {
        if self.open {
            printer.text(format_args!("{:<16}  ", ""));
        } else {
            let name = links.name(self.index);
            printer.open_object(None);
            printer.coloured(Colour::Name, "ifname", &name, format_args!("{name:<16}  "));
            printer.open_array("vlans");
            self.open = true;
        }
        printer.open_object(None);
    }

    fn end(&mut self, printer: &mut Printer<'_>) {
        printer.end_record();
    }

    fn finish(self, printer: &mut Printer<'_>) {
        if self.open {
            printer.close_array();
            printer.close_object();
        }
    }
}

fn print_vlan(printer: &mut Printer<'_>, first: u16, last: u16, flags: u16) {
    printer.field("vlan", first, format_args!("{first}"));
    if last > first {
        printer.field("vlanEnd", last, format_args!("-{last}"));
    }
    if flags & (info::PVID | info::UNTAGGED) == 0 {
        return;
    }
    printer.open_array("flags");
    for (flag, name) in [(info::PVID, "PVID"), (info::UNTAGGED, "Egress Untagged")] {
        if flags & flag != 0 {
            printer.element(name, format_args!(" {name}"));
        }
    }
    printer.close_array();
}

/// With `-d`: the options of each VLAN, by a request of their own that not every kernel has.
fn show_details(session: &mut Session<'_>, view: View) -> Outcome {
    const DUMP_FLAGS: u16 = 1;
    const STATISTICS: u32 = 1;
    let mut header = [0; BR_VLAN_MSG];
    header[0] = libc::AF_BRIDGE as u8;
    let mut request = Request::new(RTM_GETVLAN, DUMP);
    request.put(&header).u32(DUMP_FLAGS, if session.format.statistics > 0 { STATISTICS } else { 0 });
    let Session { netlink, links, out, err, format, .. } = session;
    let mut printer = Printer::new(*out, format);
    printer.open_document();
    printer.text(format_args!("{:<16}  {:<9}\n", "port", "vlan-id"));
    let dump = netlink.dump(&mut request, |message| print_options(&mut printer, links, view, &message));
    if dump.is_ok() {
        printer.close_document();
    }
    drop(printer);
    finish_dump(*err, dump.map_err(|error| Error { stage: Stage::Request, ..error }))
}

fn print_options(printer: &mut Printer<'_>, links: &mut Links<'_>, view: View, message: &Message<'_>) {
    const ENTRY: u16 = 1;
    const INFO: u16 = 1;
    const RANGE: u16 = 2;
    const STATE: u16 = 3;
    const MCAST_ROUTER: u16 = 6;
    let Some(index) = message.payload.get(4..8).and_then(|bytes| bytes.first_chunk()).copied() else { return };
    let index = u32::from_ne_bytes(index);
    if view.port.is_some_and(|only| only != index) {
        return;
    }
    let mut lines = Lines::new(index);
    for entry in message.attributes(BR_VLAN_MSG).filter(|attribute| attribute.kind == ENTRY) {
        let entry = entry.attributes().table::<8>();
        let Some([flags, id]) = entry
            .get(INFO)
            .and_then(|info| info.array::<4>())
            .map(|b| [[b[0], b[1]], [b[2], b[3]]].map(u16::from_ne_bytes))
        else {
            continue;
        };
        let last = entry.u16(RANGE).unwrap_or(id);
        if view.vlan.is_some_and(|only| !(id..=last).contains(&only)) {
            continue;
        }
        lines.begin(printer, links);
        print_vlan(printer, id, last, flags);
        printer.line_break();
        printer.text(format_args!("{:<16}    ", ""));
        if let Some(state) = entry.u8(STATE).and_then(|state| STATES.get(usize::from(state))) {
            printer.field("state", *state, format_args!("state {state} "));
        }
        if let Some(router) = entry.u8(MCAST_ROUTER) {
            printer.field("mcast_router", router, format_args!("mcast_router {router} "));
        }
        lines.end(printer);
    }
    lines.finish(printer);
}

/// With `-s`: octets and packets of each VLAN, of bridges first and then of ports.
fn show_statistics(session: &mut Session<'_>, view: View) -> Outcome {
    const LINK_XSTATS: u16 = 2;
    const LINK_XSTATS_SLAVE: u16 = 3;
    let Session { netlink, links, out, err, format, .. } = session;
    let mut printer = Printer::new(*out, format);
    printer.open_document();
    printer.text(format_args!("{:<16}  vlan-id\n", "port"));
    let mut outcome = Ok(());
    for kind in [LINK_XSTATS, LINK_XSTATS_SLAVE] {
        let mut header = [0; IF_STATS_MSG];
        header[8..12].copy_from_slice(&(1u32 << (kind - 1)).to_ne_bytes());
        let mut request = Request::new(RTM_GETSTATS, DUMP);
        request.put(&header);
        let dump = netlink.dump(&mut request, |message| print_counters(&mut printer, links, view, kind, &message));
        outcome = outcome.and(finish_dump(*err, dump));
    }
    printer.close_document();
    outcome
}

fn print_counters(printer: &mut Printer<'_>, links: &mut Links<'_>, view: View, kind: u16, message: &Message<'_>) {
    const LINK_XSTATS_TYPE_BRIDGE: u16 = 1;
    const BRIDGE_XSTATS_VLAN: u16 = 1;
    let Some(index) = message.payload.get(4..8).and_then(|bytes| bytes.first_chunk()).copied() else { return };
    let index = u32::from_ne_bytes(index);
    if view.port.is_some_and(|only| only != index) {
        return;
    }
    let bridge =
        message.attributes(IF_STATS_MSG).table::<8>().nested(kind).table::<4>().nested(LINK_XSTATS_TYPE_BRIDGE);
    let mut lines = Lines::new(index);
    for vlan in bridge.filter(|attribute| attribute.kind == BRIDGE_XSTATS_VLAN) {
        let Some(bytes) = vlan.array::<40>() else { continue };
        let counter = |at: usize| bytes[at..].first_chunk().copied().map_or(0, u64::from_ne_bytes);
        let id = u16::from_ne_bytes([bytes[32], bytes[33]]);
        if view.vlan.is_some_and(|only| only != id) {
            continue;
        }
        lines.begin(printer, links);
        print_vlan(printer, id, id, u16::from_ne_bytes([bytes[34], bytes[35]]));
        for (direction, octets, packets, at) in
            [("RX", "rx_bytes", "rx_packets", 0), ("TX", "tx_bytes", "tx_packets", 16)]
        {
            printer.line_break();
            printer.text(format_args!("{:<16}    {direction}: ", ""));
            printer.field(octets, counter(at), format_args!("{} bytes", counter(at)));
            printer.field(packets, counter(at + 8), format_args!(" {} packets", counter(at + 8)));
        }
        lines.end(printer);
    }
    lines.finish(printer);
}

fn tunnels(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let view = view(session, words)?;
    let Session { netlink, links, out, err, format, .. } = session;
    let mut printer = Printer::new(*out, format);
    printer.open_document();
    printer.text(format_args!("{:<16}  {:<9}  tunnel-id\n", "port", "vlan-id"));
    let mut request = ports(RTEXT_FILTER_BRVLAN);
    let dump = netlink.dump(&mut request, |message| print_tunnels(&mut printer, links, view, &message));
    printer.close_document();
    drop(printer);
    finish_dump(*err, dump)
}

fn print_tunnels(printer: &mut Printer<'_>, links: &mut Links<'_>, view: View, message: &Message<'_>) {
    let Some(index) = message.payload.get(4..8).and_then(|bytes| bytes.first_chunk()).copied() else { return };
    let index = u32::from_ne_bytes(index);
    let spec = message.attributes(IFINFOMSG).table::<64>().nested(libc::IFLA_AF_SPEC);
    if view.port.is_some_and(|only| only != index) {
        return;
    }
    let mut lines = Lines::new(index);
    for tunnel in spec.filter(|attribute| attribute.kind == IFLA_BRIDGE_VLAN_TUNNEL_INFO) {
        let tunnel = tunnel.attributes().table::<4>();
        let (Some(id), Some(vlan)) = (tunnel.u32(1), tunnel.u16(2)) else { continue };
        if view.vlan.is_none_or(|only| only == vlan) {
            lines.begin(printer, links);
            printer.field("vlan", vlan, format_args!("{vlan:<9}"));
            printer.field("tunid", id, format_args!("  {id}"));
            lines.end(printer);
        }
    }
    lines.finish(printer);
}
