//! `ip neigh`: the neighbour tables, which address of the link layer an address of IP has.

mod change;
mod flush;

use netloom_machine::netlink::{Message, Request, Table};

use crate::print::{Colour, Format, Printer, Value, hex_colons};
use crate::rtnl::address::{Address, Prefix, address, prefix};
use crate::rtnl::names::{find_protocol, protocol};
use crate::rtnl::{
    Arguments, Failure, Links, Outcome, Session, duplicate_or_garbage, finish_dump, invalid_argument, matches,
};

/// The length of `struct ndmsg`.
const NDMSG: usize = 12;

const NDA_DST: u16 = 1;
const NDA_LLADDR: u16 = 2;
const NDA_CACHEINFO: u16 = 3;
const NDA_PROBES: u16 = 4;
const NDA_IFINDEX: u16 = 8;
const NDA_MASTER: u16 = 9;
const NDA_PROTOCOL: u16 = 12;
const NDA_FLAGS_EXT: u16 = 15;

const NTF_USE: u8 = 0x01;
const NTF_PROXY: u8 = 0x08;
const NTF_EXT_LEARNED: u8 = 0x10;
const NTF_OFFLOADED: u8 = 0x20;
const NTF_ROUTER: u8 = 0x80;
const NTF_EXT_MANAGED: u32 = 1;

const NUD_NOARP: u16 = 0x40;
const NUD_PERMANENT: u16 = 0x80;
const NUD_FAILED: u16 = 0x20;
/// Stands for "no state at all" in a filter.
const NUD_NONE: u16 = 0x100;

/// States in the order in which they are printed.
const STATES: &[(u16, &str)] = &[
    (0x01, "INCOMPLETE"),
    (0x02, "REACHABLE"),
    (0x04, "STALE"),
    (0x08, "DELAY"),
    (0x10, "PROBE"),
    (NUD_FAILED, "FAILED"),
    (NUD_NOARP, "NOARP"),
    (NUD_PERMANENT, "PERMANENT"),
];

/// Runs `ip neigh` with the words after it.
pub(crate) fn run(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let Some((command, rest)) = words.split_first() else { return show(session, words) };
    let is = |keyword| matches(command, keyword);
    if is("add") {
        change::add(session, rest)
    } else if is("change") || command == "chg" {
        change::change(session, rest)
    } else if is("replace") {
        change::replace(session, rest)
    } else if is("delete") {
        change::delete(session, rest)
    } else if is("get") {
        get(session, rest)
    } else if is("show") || is("lst") || is("list") {
        show(session, rest)
    } else if is("flush") {
        flush::run(session, rest)
    } else if is("help") {
        super::usage(session.err, include_str!("usage/neigh.txt"))
    } else {
        session.complain(&format!("Command \"{command}\" is unknown, try \"ip neigh help\"."));
        Err(Failure::Exit(255))
    }
}

/// Which neighbours are asked for.
#[derive(Clone, Debug, Default)]
struct Filter {
    family: u8,
    device: Option<u32>,
    master: Option<u32>,
    state: u16,
    unused: bool,
    proxy: bool,
    protocol: Option<u8>,
    to: Option<Prefix>,
}

impl Filter {
    /// Reads a selector. `state` is what it asks for where no state is given.
    fn parse(session: &mut Session<'_>, words: &[String], state: u16) -> Outcome<Filter> {
        let mut filter = Filter { family: session.family, ..Filter::default() };
        let mut name = None;
        let mut given = None;
        let mut arguments = Arguments::new(words);
        while let Some(word) = arguments.next() {
            match word {
                "dev" => name = Some(arguments.value(session.err)?),
                "master" => {
                    let master = arguments.value(session.err)?;
                    let Some(index) = session.links.index(master) else {
                        return Err(invalid_argument(session.err, "Device does not exist\n", master));
                    };
                    filter.master = Some(index);
                }
                "vrf" => {
                    let vrf = arguments.value(session.err)?;
                    return Err(invalid_argument(session.err, "Not a valid VRF name\n", vrf));
                }
                "nomaster" => filter.master = Some(0),
                "unused" => filter.unused = true,
                "nud" => {
                    let value = arguments.value(session.err)?;
                    let state = if value == "all" { u16::MAX } else { parse_state(session, value)? };
                    let state = if state == 0 { NUD_NONE } else { state };
                    given = Some(given.unwrap_or(0) | state);
                }
                "proxy" => filter.proxy = true,
                word if matches(word, "protocol") => {
                    let value = arguments.value(session.err)?;
                    let Some(protocol) = find_protocol(value) else {
                        return Err(invalid_argument(session.err, "invalid \"protocol\"\n", value));
                    };
                    filter.protocol = Some(protocol);
                }
                word => {
                    let value = if word == "to" { arguments.value(session.err)? } else { word };
                    if matches(value, "help") {
                        super::usage(session.err, include_str!("usage/neigh.txt"))?;
                    }
                    let to = prefix(session.err, value, filter.family)?;
                    if filter.family == 0 {
                        filter.family = to.address.family;
                    }
                    filter.to = Some(to);
                }
            }
        }
        filter.state = given.unwrap_or(state);
        if let Some(name) = name {
            filter.device = Some(session.index(name)?);
        }
        Ok(filter)
    }

    fn passes(&self, entry: &Entry<'_>) -> bool {
        let table = &entry.table;
        let state = self.state & entry.state != 0
            || entry.flags & (NTF_PROXY | NTF_EXT_LEARNED) != 0
            || (entry.state == 0 && self.state & NUD_NONE != 0);
        (self.family == 0 || self.family == entry.family)
            && self.device.is_none_or(|device| device == entry.ifindex)
            && state
            && self.to.is_none_or(|to| entry.destination().is_none_or(|address| to.contains(&address)))
            && self.protocol.is_none_or(|protocol| table.u8(NDA_PROTOCOL).unwrap_or(0) == protocol)
            && !(self.unused && references(table) != 0)
    }

    fn request(&self) -> Request {
        let mut header = [0; NDMSG];
        header[0] = self.family;
        header[10] = if self.proxy { NTF_PROXY } else { 0 };
        let mut request = Request::new(libc::RTM_GETNEIGH, 0);
        request.put(&header);
        if let Some(master) = self.master {
            request.u32(NDA_MASTER, master);
        }
        if let Some(device) = self.device {
            request.u32(NDA_IFINDEX, device);
        }
        request
    }
}

/// A state by name or number.
fn parse_state(session: &mut Session<'_>, text: &str) -> Outcome<u16> {
    if matches(text, "none") {
        return Ok(0);
    }
    // Abbreviations find states in this order.
    let names = ["permanent", "reachable", "noarp", "none", "stale", "incomplete", "delay", "probe", "failed"];
    let named = names
        .iter()
        .find(|name| matches(text, name))
        .and_then(|name| STATES.iter().find(|(_, state)| state.eq_ignore_ascii_case(name)).map(|(state, _)| *state));
    named
        .or_else(|| crate::rtnl::number(text).and_then(|number| u8::try_from(number).ok()).map(u16::from))
        .ok_or_else(|| invalid_argument(session.err, "nud state is bad", text))
}

fn show(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let filter = Filter::parse(session, words, 0xff & !NUD_NOARP)?;
    let Session { netlink, links, out, err, format, .. } = session;
    let mut printer = Printer::new(*out, format);
    printer.open_document();
    let dump = netlink.dump(&mut filter.request(), |message| {
        if let Some(entry) = Entry::parse(&message).filter(|entry| filter.passes(entry)) {
            entry.print(&mut printer, links, format, filter.device.is_some());
        }
    });
    if dump.is_ok() {
        printer.close_document();
    }
    drop(printer);
    finish_dump(*err, dump)
}

fn get(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let (mut name, mut destination, mut flags) = (None, None, 0);
    let mut arguments = Arguments::new(words);
    while let Some(word) = arguments.next() {
        match word {
            "dev" => name = Some(arguments.value(session.err)?),
            "proxy" => flags |= NTF_PROXY,
            word => {
                let value = if word == "to" { arguments.value(session.err)? } else { word };
                if matches(value, "help") {
                    super::usage(session.err, include_str!("usage/neigh.txt"))?;
                }
                if destination.is_some() {
                    return Err(duplicate_or_garbage(session.err, "to", value));
                }
                destination = Some(address(session.err, value, session.family)?);
            }
        }
    }
    let (Some(name), Some(destination)) = (name, destination) else {
        session.complain("Device and address are required arguments.");
        return Err(Failure::Command(1));
    };
    let index = session.index(name)?;
    let mut request = Request::new(libc::RTM_GETNEIGH, 0);
    request.put(&ndmsg(destination.family, index, 0, flags)).attribute(NDA_DST, destination.bytes());
    let reply = session.get(&mut request)?;
    let Session { links, out, format, .. } = session;
    // One entry is always text.
    let format = Format { json: false, ..*format };
    let mut printer = Printer::new(*out, &format);
    if let Some(entry) = Entry::parse(&reply.message()) {
        entry.print(&mut printer, links, &format, false);
    }
    Ok(())
}

fn ndmsg(family: u8, ifindex: u32, state: u16, flags: u8) -> [u8; NDMSG] {
    let mut header = [0; NDMSG];
    header[0] = family;
    header[4..8].copy_from_slice(&ifindex.to_ne_bytes());
    header[8..10].copy_from_slice(&state.to_ne_bytes());
    header[10] = flags;
    header
}

/// How often the kernel refers to the entry.
fn references(table: &Table<'_, 32>) -> u32 {
    table.bytes(NDA_CACHEINFO).and_then(|info| info.get(12..16)?.try_into().ok()).map_or(0, u32::from_ne_bytes)
}

/// An entry as the kernel gives it.
pub(crate) struct Entry<'m> {
    deleted: bool,
    family: u8,
    ifindex: u32,
    state: u16,
    flags: u8,
    table: Table<'m, 32>,
}

impl<'m> Entry<'m> {
    /// `None` where the message is too short for one.
    pub(crate) fn parse(message: &Message<'m>) -> Option<Entry<'m>> {
        let header = message.payload.first_chunk::<NDMSG>()?;
        Some(Entry {
            deleted: message.kind == libc::RTM_DELNEIGH,
            family: header[0],
            ifindex: u32::from_ne_bytes([header[4], header[5], header[6], header[7]]),
            state: u16::from_ne_bytes([header[8], header[9]]),
            flags: header[10],
            table: message.attributes(NDMSG).table(),
        })
    }

    /// The device that it is on.
    pub(crate) fn ifindex(&self) -> u32 {
        self.ifindex
    }

    fn destination(&self) -> Option<Address> {
        Address::new(self.family, self.table.bytes(NDA_DST)?)
    }

    /// Prints it; without its device where only that one's entries were asked for.
    pub(crate) fn print(&self, printer: &mut Printer<'_>, links: &mut Links<'_>, format: &Format, one_device: bool) {
        let table = &self.table;
        printer.open_object(None);
        if self.deleted {
            printer.field("deleted", true, format_args!("Deleted "));
        }
        if let Some(destination) = self.destination() {
            let text = destination.to_string();
            let width = if format.brief { 39 } else { 0 };
            printer.coloured(Colour::of_family(self.family), "dst", &text, format_args!("{text:width$} "));
        }
        if !one_device && self.ifindex != 0 {
            let name = links.name(self.ifindex);
            if !format.brief {
                printer.text(format_args!("dev "));
            }
            let width = if format.brief { 16 } else { 0 };
            printer.coloured(Colour::Name, "dev", &name, format_args!("{name:width$} "));
        }
        if let Some(address) = table.bytes(NDA_LLADDR) {
            let address = hex_colons(address);
            if format.brief {
                printer.coloured(Colour::Mac, "lladdr", &address, format_args!("{address}"));
            } else {
                printer.text(format_args!("lladdr "));
                printer.coloured(Colour::Mac, "lladdr", &address, format_args!("{address} "));
            }
        }
        if format.brief {
            return printer.end_record();
        }
        let managed = table.u32(NDA_FLAGS_EXT).unwrap_or(0) & NTF_EXT_MANAGED != 0;
        for (set, name) in [
            (self.flags & NTF_ROUTER != 0, "router"),
            (self.flags & NTF_PROXY != 0, "proxy"),
            (managed, "managed"),
            (self.flags & NTF_EXT_LEARNED != 0, "extern_learn"),
            (self.flags & NTF_OFFLOADED != 0, "offload"),
        ] {
            if set {
                printer.field(name, Value::Null, format_args!("{name} "));
            }
        }
        if format.statistics > 0 {
            self.print_statistics(printer);
        }
        if self.state != 0 {
            printer.open_array("state");
            for (_, name) in STATES.iter().filter(|(state, _)| self.state & state != 0) {
                printer.element(*name, format_args!("{name} "));
            }
            printer.close_array();
        }
        if let Some(number) = table.u8(NDA_PROTOCOL) {
            let name = protocol(number);
            printer.field("protocol", &name, format_args!("proto {name} "));
        }
        printer.end_record();
    }

    /// `struct nda_cacheinfo`: confirmed, used, updated, references; ages in hundredths of a second.
    fn print_statistics(&self, printer: &mut Printer<'_>) {
        let age = |info: &[u8], at: usize| {
            info.get(at..at + 4).and_then(|bytes| bytes.first_chunk()).copied().map_or(0, u32::from_ne_bytes) / 100
        };
        if let Some(info) = self.table.bytes(NDA_CACHEINFO) {
            let references = references(&self.table);
            if references != 0 {
                printer.field("refcnt", references, format_args!(" ref {references}"));
            }
            let (confirmed, used, updated) = (age(info, 0), age(info, 4), age(info, 8));
            printer.json("used", used);
            printer.json("confirmed", confirmed);
            printer.field("updated", updated, format_args!(" used {used}/{confirmed}/{updated}"));
        }
        if let Some(probes) = self.table.u32(NDA_PROBES) {
            printer.field("probes", probes, format_args!("probes {probes} "));
        }
    }
}
