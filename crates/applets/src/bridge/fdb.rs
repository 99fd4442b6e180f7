//! `bridge fdb show` and `get`: which address is reached through which port.

use netloom_machine::netlink::{Message, Request, Table};

use super::{device, fail, fdb_change, mac_address, number, unknown_command, usage};
use crate::print::{Colour, Printer, hex_colons, ip_address};
use crate::rtnl::{
    Arguments, Failure, Links, Outcome, Session, duplicate, duplicate_or_garbage, finish_dump, invalid_argument,
    matches,
};

/// The length of `struct ndmsg`.
pub(super) const NDMSG: usize = 12;

/// `NDA_*`.
pub(super) mod nda {
    pub(crate) const DST: u16 = 1;
    pub(crate) const LLADDR: u16 = 2;
    pub(crate) const CACHEINFO: u16 = 3;
    pub(crate) const VLAN: u16 = 5;
    pub(crate) const PORT: u16 = 6;
    pub(crate) const VNI: u16 = 7;
    pub(crate) const IFINDEX: u16 = 8;
    pub(crate) const MASTER: u16 = 9;
    pub(crate) const LINK_NETNSID: u16 = 10;
    pub(crate) const SRC_VNI: u16 = 11;
    pub(crate) const NH_ID: u16 = 13;
    pub(crate) const NDM_STATE_MASK: u16 = 16;
    pub(crate) const NDM_FLAGS_MASK: u16 = 17;
}

/// `NTF_*`.
pub(super) mod ntf {
    pub(crate) const USE: u8 = 0x01;
    pub(crate) const SELF: u8 = 0x02;
    pub(crate) const MASTER: u8 = 0x04;
    pub(crate) const EXT_LEARNED: u8 = 0x10;
    pub(crate) const OFFLOADED: u8 = 0x20;
    pub(crate) const STICKY: u8 = 0x40;
    pub(crate) const ROUTER: u8 = 0x80;
}

/// `NUD_*`.
pub(super) mod nud {
    pub(crate) const REACHABLE: u16 = 0x02;
    pub(crate) const STALE: u16 = 0x04;
    pub(crate) const NOARP: u16 = 0x40;
    pub(crate) const PERMANENT: u16 = 0x80;
}

pub(super) fn run(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let Some((command, rest)) = words.split_first() else { return show(session, words) };
    match command.as_str() {
        word if matches(word, "add") => fdb_change::add(session, rest),
        word if matches(word, "append") => fdb_change::append(session, rest),
        word if matches(word, "replace") => fdb_change::replace(session, rest),
        word if matches(word, "delete") => fdb_change::delete(session, rest),
        word if matches(word, "get") => get(session, rest),
        word if ["show", "lst", "list"].iter().any(|keyword| matches(word, keyword)) => show(session, rest),
        "flush" => fdb_change::flush(session, rest),
        word if matches(word, "help") => usage(session.err, include_str!("usage/fdb.txt")),
        word => unknown_command(session, "fdb", word),
    }
}

/// What `show` is asked to leave out.
#[derive(Clone, Copy, Default)]
struct Filter {
    port: Option<u32>,
    vlan: Option<i32>,
    /// One of these states, unless 0.
    state: u16,
    dynamic: bool,
}

impl Filter {
    fn passes(&self, entry: &Entry<'_>) -> bool {
        self.port.is_none_or(|port| port == entry.ifindex)
            && (self.state == 0 || self.state & entry.state != 0)
            && self.vlan.is_none_or(|vlan| entry.table.u16(nda::VLAN).is_some_and(|found| i32::from(found) == vlan))
            && !(self.dynamic && entry.state & nud::PERMANENT != 0)
    }
}

/// States as `show state` takes them.
fn state(name: &str) -> Option<u16> {
    match name {
        name if matches(name, "permanent") => Some(nud::PERMANENT),
        name if matches(name, "static") || matches(name, "temp") => Some(nud::NOARP),
        name if matches(name, "stale") => Some(nud::STALE),
        name if matches(name, "reachable") || matches(name, "dynamic") => Some(nud::REACHABLE),
        "all" => Some(u16::MAX),
        _ => None,
    }
}

fn show(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let mut filter = Filter::default();
    let (mut bridge, mut port) = (None, None);
    let mut arguments = Arguments::new(words);
    while let Some(word) = arguments.next() {
        match word {
            "brport" | "dev" => port = Some(arguments.value(session.err)?),
            "br" => bridge = Some(arguments.value(session.err)?),
            "vlan" => {
                let value = arguments.value(session.err)?;
                if filter.vlan.is_some() {
                    return Err(duplicate(session.err, "vlan", value));
                }
                filter.vlan = Some(number(value)).filter(|vlan| *vlan != 0);
            }
            "state" => {
                let value = arguments.value(session.err)?;
                filter.state |= state(value).ok_or_else(|| invalid_argument(session.err, "invalid state", value))?;
            }
            "dynamic" => filter.dynamic = true,
            word if matches(word, "help") => return usage(session.err, include_str!("usage/fdb.txt")),
            _ => {}
        }
    }
    session.links.learn_all();
    let mut request = Request::new(libc::RTM_GETNEIGH, 0);
    request.put(&ndmsg(0, 0, 0));
    if let Some(bridge) = bridge {
        let index = device(session, "bridge device", bridge)?;
        request.u32(nda::MASTER, index);
    }
    if let Some(port) = port {
        let index = device(session, "device", port)?;
        request.patch(4, &index.to_ne_bytes());
        filter.port = Some(index);
    }
    let Session { netlink, links, out, err, format, .. } = session;
    let mut printer = Printer::new(*out, format);
    printer.open_document();
    let dump = netlink.dump(&mut request, |message| {
        if let Some(entry) = Entry::parse(&message).filter(|entry| filter.passes(entry)) {
            entry.print(&mut printer, links, format.statistics > 0, filter.port.is_some());
        }
    });
    if dump.is_ok() {
        printer.close_document();
    }
    drop(printer);
    finish_dump(*err, dump)
}

fn get(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let (mut address, mut bridge, mut port, mut vlan, mut vni, mut flags) = (None, None, None, None, None, 0);
    let mut arguments = Arguments::new(words);
    while let Some(word) = arguments.next() {
        match word {
            "brport" | "dev" => port = Some(arguments.value(session.err)?),
            "br" => bridge = Some(arguments.value(session.err)?),
            "vlan" => {
                let value = arguments.value(session.err)?;
                if vlan.replace(number(value)).is_some() {
                    return Err(duplicate(session.err, "vlan", value));
                }
            }
            "vni" => {
                let value = arguments.value(session.err)?;
                let parsed = crate::rtnl::number(value).filter(|vni| *vni < 1 << 24);
                vni = Some(parsed.ok_or_else(|| invalid_argument(session.err, "invalid VNI\n", value))? as u32);
            }
            "self" => flags |= ntf::SELF,
            word if matches(word, "master") => flags |= ntf::MASTER,
            word if matches(word, "dynamic") => {}
            word => {
                let value = match word {
                    "to" => arguments.value(session.err)?,
                    word if matches(word, "help") => return usage(session.err, include_str!("usage/fdb.txt")),
                    word => word,
                };
                if address.replace(value).is_some() {
                    return Err(duplicate_or_garbage(session.err, "to", value));
                }
            }
        }
    }
    let (Some(address), true) = (address, port.is_some() || bridge.is_some()) else {
        return fail(session, "Device or master and address are required arguments.");
    };
    let Some(bytes) = mac_address(address) else {
        return fail(session, &format!("Invalid mac address {address}"));
    };
    let mut request = Request::new(libc::RTM_GETNEIGH, 0);
    request.put(&ndmsg(0, 0, flags)).attribute(nda::LLADDR, &bytes);
    if let Some(vlan) = vlan {
        request.u16(nda::VLAN, vlan as u16);
    }
    if let Some(port) = port {
        let index = device(session, "device", port)?;
        request.patch(4, &index.to_ne_bytes());
    }
    if let Some(vni) = vni {
        request.u32(nda::VNI, vni);
    }
    if let Some(bridge) = bridge {
        let index = device(session, "bridge device", bridge)?;
        request.u32(nda::MASTER, index);
    }
    let reply = session.get(&mut request).map_err(|_| Failure::Command(254))?;
    let Session { links, out, format, .. } = session;
    let mut printer = Printer::new(*out, format);
    printer.open_document();
    if let Some(entry) = Entry::parse(&reply.message()) {
        entry.print(&mut printer, links, format.statistics > 0, false);
    }
    printer.close_document();
    Ok(())
}

/// The family header of an FDB request.
pub(super) fn ndmsg(ifindex: u32, state: u16, flags: u8) -> [u8; NDMSG] {
    let mut header = [0; NDMSG];
    header[0] = libc::AF_BRIDGE as u8;
    header[4..8].copy_from_slice(&ifindex.to_ne_bytes());
    header[8..10].copy_from_slice(&state.to_ne_bytes());
    header[10] = flags;
    header
}

/// An entry as the kernel gives it.
pub(super) struct Entry<'m> {
    deleted: bool,
    ifindex: u32,
    state: u16,
    flags: u8,
    table: Table<'m, 32>,
}

impl<'m> Entry<'m> {
    /// `None` where the message is about something else, such as a neighbour of the IP layer.
    pub(super) fn parse(message: &Message<'m>) -> Option<Entry<'m>> {
        let header = message.payload.first_chunk::<NDMSG>()?;
        if i32::from(header[0]) != libc::AF_BRIDGE {
            return None;
        }
        Some(Entry {
            deleted: message.kind == libc::RTM_DELNEIGH,
            ifindex: u32::from_ne_bytes([header[4], header[5], header[6], header[7]]),
            state: u16::from_ne_bytes([header[8], header[9]]),
            flags: header[10],
            table: message.attributes(NDMSG).table(),
        })
    }

    /// Prints it; without its device where only that one's entries were asked for.
    pub(super) fn print(&self, printer: &mut Printer<'_>, links: &mut Links<'_>, statistics: bool, one_device: bool) {
        let table = &self.table;
        printer.open_object(None);
        if self.deleted {
            printer.field("deleted", true, format_args!("Deleted "));
        }
        if let Some(address) = table.bytes(nda::LLADDR) {
            let address = hex_colons(address);
            printer.coloured(Colour::Mac, "mac", &address, format_args!("{address} "));
        }
        if !one_device && self.ifindex != 0 {
            let name = links.name(self.ifindex);
            printer.text(format_args!("dev "));
            printer.coloured(Colour::Name, "ifname", &name, format_args!("{name} "));
        }
        if let Some(bytes) = table.bytes(nda::DST) {
            let family = if bytes.len() == 16 { libc::AF_INET6 } else { libc::AF_INET } as u8;
            if let Some(address) = ip_address(family, bytes) {
                let address = address.to_string();
                printer.coloured(Colour::of_family(family), "dst", &address, format_args!("dst {address} "));
            }
        }
        if let Some(vlan) = table.u16(nda::VLAN) {
            printer.field("vlan", vlan, format_args!("vlan {vlan} "));
        }
        if let Some(port) = table.u16(nda::PORT).map(u16::from_be) {
            printer.field("port", port, format_args!("port {port} "));
        }
        for (kind, name) in [(nda::VNI, "vni"), (nda::SRC_VNI, "src_vni")] {
            if let Some(number) = table.u32(kind) {
                printer.field(name, number, format_args!("{name} {number} "));
            }
        }
        if let Some(index) = table.u32(nda::IFINDEX) {
            // Of another namespace the index is all there is.
            let name = if table.has(nda::LINK_NETNSID) { format!("if{index}") } else { links.name(index) };
            printer.field("viaIf", &name, format_args!("via {name} "));
        }
        if let Some(id) = table.u32(nda::NH_ID) {
            printer.field("nhid", id, format_args!("nhid {id} "));
        }
        if let Some(id) = table.u32(nda::LINK_NETNSID) {
            printer.field("linkNetNsId", id, format_args!("link-netnsid {id} "));
        }
        if let Some(times) = table.bytes(nda::CACHEINFO).filter(|_| statistics) {
            print_times(printer, times);
        }
        printer.open_array("flags");
        for (flag, name) in [
            (ntf::SELF, "self"),
            (ntf::ROUTER, "router"),
            (ntf::EXT_LEARNED, "extern_learn"),
            (ntf::OFFLOADED, "offload"),
            (ntf::STICKY, "sticky"),
        ] {
            if self.flags & flag != 0 {
                printer.element(name, format_args!("{name} "));
            }
        }
        printer.close_array();
        if let Some(master) = table.u32(nda::MASTER) {
            let name = links.name(master);
            printer.field("master", &name, format_args!("master {name} "));
        }
        let state = match self.state {
            state if state & nud::PERMANENT != 0 => "permanent".to_owned(),
            state if state & nud::NOARP != 0 => "static".to_owned(),
            state if state & nud::STALE != 0 => "stale".to_owned(),
            state if state & nud::REACHABLE != 0 => String::new(),
            state => format!("state={state:#x}"),
        };
        printer.field("state", &state, format_args!("{state}"));
        printer.end_record();
    }
}

/// `struct nda_cacheinfo`: confirmed, used, updated, references; ages in hundredths of a second.
fn print_times(printer: &mut Printer<'_>, times: &[u8]) {
    let at = |at: usize| times.get(at..at + 4).and_then(|bytes| bytes.first_chunk()).copied().map(u32::from_ne_bytes);
    let (Some(used), Some(updated)) = (at(4), at(8)) else { return };
    let (used, updated) = (used / 100, updated / 100);
    printer.json("used", used);
    printer.field("updated", updated, format_args!("used {used}/{updated} "));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_by_prefix() {
        assert_eq!(state("perm"), Some(nud::PERMANENT));
        assert_eq!(state("temp"), Some(nud::NOARP));
        assert_eq!(state("all"), Some(u16::MAX));
        assert_eq!(state("bogus"), None);
    }
}
