//! How a route is printed.

use netloom_machine::netlink::{Message, Table};

use super::{
    PROTOCOL_BOOT, RTM_F_CLONED, RTMSG, TABLE_MAIN, UNICAST, metrics, nexthop, protocol_name, realms, rta, scope_name,
    table_name, type_name,
};
use crate::print::{Colour, Format, Printer};
use crate::rtnl::Links;
use crate::rtnl::address::Address;

/// What needn't be shown, since it was asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Known {
    pub(super) table: bool,
    pub(super) tos: bool,
    pub(super) gateway: bool,
    pub(super) device: bool,
    pub(super) protocol: bool,
    pub(super) scope: bool,
    pub(super) source: bool,
}

/// A route as the kernel gives it.
pub(crate) struct Route<'m> {
    deleted: bool,
    pub(super) family: u8,
    pub(super) destination_bits: u8,
    pub(super) source_bits: u8,
    pub(super) tos: u8,
    pub(super) table: u32,
    pub(super) protocol: u8,
    pub(super) scope: u8,
    pub(super) kind: u8,
    pub(super) flags: u32,
    pub(super) attributes: Table<'m, 32>,
}

/// Flags that a route and a next hop share, in the order in which they are printed.
const FLAGS: &[(u32, &str)] = &[
    (0x1, "dead"),
    (0x4, "onlink"),
    (0x2, "pervasive"),
    (0x8, "offload"),
    (0x40, "trap"),
    (0x100, "notify"),
    (0x10, "linkdown"),
    (0x20, "unresolved"),
    (0x4000, "rt_offload"),
    (0x8000, "rt_trap"),
    (0x2000_0000, "rt_offload_failed"),
];

/// Flags of a cached route.
const CACHE_FLAGS: &[(u32, &str)] = &[
    (0x8000_0000, "local"),
    (0x4000_0000, "reject"),
    (0x2000_0000, "mc"),
    (0x1000_0000, "brd"),
    (0x0800_0000, "dst-nat"),
    (0x0080_0000, "src-nat"),
    (0x0040_0000, "masq"),
    (0x0002_0000, "dst-direct"),
    (0x0400_0000, "src-direct"),
    (0x0004_0000, "redirected"),
    (0x0100_0000, "redirect"),
    (0x0020_0000, "fastroute"),
    (0x0001_0000, "notify"),
    (0x0008_0000, "proxy"),
];

impl<'m> Route<'m> {
    /// `None` where the message is too short for one.
    pub(crate) fn parse(message: &Message<'m>) -> Option<Route<'m>> {
        let header = message.payload.first_chunk::<RTMSG>()?;
        let attributes = message.attributes(RTMSG).table::<32>();
        Some(Route {
            deleted: message.kind == libc::RTM_DELROUTE,
            family: header[0],
            destination_bits: header[1],
            source_bits: header[2],
            tos: header[3],
            table: attributes.u32(rta::TABLE).unwrap_or(header[4].into()),
            protocol: header[5],
            scope: header[6],
            kind: header[7],
            flags: u32::from_ne_bytes([header[8], header[9], header[10], header[11]]),
            attributes,
        })
    }

    pub(super) fn address(&self, kind: u16) -> Option<Address> {
        Address::new(self.family, self.attributes.bytes(kind)?)
    }

    /// Prints it.
    pub(crate) fn print(&self, printer: &mut Printer<'_>, links: &mut Links<'_>, format: &Format, known: Known) {
        let table = &self.attributes;
        printer.open_object(None);
        if self.deleted {
            printer.field("deleted", true, format_args!("Deleted "));
        }
        if self.kind != UNICAST || format.details > 0 {
            let name = type_name(self.kind, format);
            printer.field("type", &name, format_args!("{name} "));
        }
        self.print_ends(printer);
        if self.tos != 0 && !known.tos {
            let tos = format!("{:#04x}", self.tos);
            printer.field("tos", &tos, format_args!("tos {tos} "));
        }
        if let Some(id) = table.u32(rta::NH_ID) {
            printer.field("nhid", id, format_args!("nhid {id} "));
        }
        if !known.gateway {
            nexthop::print_gateway(printer, self.family, table.bytes(rta::GATEWAY), table.bytes(rta::VIA));
        }
        if let Some(index) = table.u32(rta::OIF).filter(|_| !known.device) {
            let name = links.name(index);
            printer.text(format_args!("dev "));
            printer.coloured(Colour::Name, "dev", &name, format_args!("{name} "));
        }
        self.print_origin(printer, format, known);
        if let Some(source) = self.address(rta::PREFSRC).filter(|_| !known.source) {
            let source = source.to_string();
            printer.text(format_args!("src "));
            printer.coloured(Colour::of_family(self.family), "prefsrc", &source, format_args!("{source} "));
        }
        if let Some(metric) = table.u32(rta::PRIORITY) {
            printer.field("metric", metric, format_args!("metric {metric} "));
        }
        print_flags(printer, self.flags);
        if let Some(mark) = table.u32(rta::MARK).filter(|mark| *mark != 0) {
            if mark >= 16 {
                let mark = format!("{mark:#x}");
                printer.field("mark", &mark, format_args!("mark {mark} "));
            } else {
                printer.field("mark", mark, format_args!("mark {mark} "));
            }
        }
        if let Some(user) = table.u32(rta::UID) {
            printer.field("uid", user, format_args!("uid {user} "));
        }
        if let Some(flow) = table.u32(rta::FLOW) {
            print_realms(printer, flow);
        }
        if i32::from(self.family) == libc::AF_INET && self.flags & RTM_F_CLONED != 0 {
            self.print_cache(printer);
        }
        if let Some(info) = table.bytes(rta::CACHEINFO) {
            print_cache_info(printer, info, format);
        }
        metrics::print(printer, table.nested(rta::METRICS));
        if let Some(index) = table.u32(rta::IIF) {
            let name = links.name(index);
            printer.text(format_args!("iif "));
            printer.coloured(Colour::Name, "iif", &name, format_args!("{name} "));
        }
        if let Some(preference) = table.u8(rta::PREF) {
            let name = match preference {
                0 => "medium".to_owned(),
                1 => "high".to_owned(),
                3 => "low".to_owned(),
                other => format!("{other}"),
            };
            printer.field("pref", &name, format_args!("pref {name}"));
        }
        if let Some(propagate) = table.u8(rta::TTL_PROPAGATE) {
            let on = if propagate != 0 { "enabled" } else { "disabled" };
            printer.field("ttl-propogate", propagate != 0, format_args!("ttl-propagate {on}"));
        }
        if let Some(hops) = table.bytes(rta::MULTIPATH) {
            nexthop::print_all(printer, links, self.family, hops);
        }
        printer.end_record();
    }

    /// Where it leads to and, if it matters, where from.
    fn print_ends(&self, printer: &mut Printer<'_>) {
        let colour = Colour::of_family(self.family);
        let destination = match (self.address(rta::DST), self.destination_bits) {
            (Some(address), bits) if bits == address.bits() => address.to_string(),
            (Some(address), bits) => format!("{address}/{bits}"),
            (None, 0) => "default".to_owned(),
            (None, bits) => format!("0/{bits}"),
        };
        let colour_of_destination = if destination == "default" { Colour::None } else { colour };
        printer.coloured(colour_of_destination, "dst", &destination, format_args!("{destination} "));
        let source = match (self.address(rta::SRC), self.source_bits) {
            (Some(address), bits) if bits == address.bits() => address.to_string(),
            (Some(address), bits) => format!("{address}/{bits}"),
            (None, 0) => return,
            (None, bits) => format!("0/{bits}"),
        };
        printer.coloured(colour, "from", &source, format_args!("from {source} "));
    }

    /// Table, protocol and scope, as far as they aren't what one expects.
    fn print_origin(&self, printer: &mut Printer<'_>, format: &Format, known: Known) {
        let details = format.details > 0;
        let cloned = self.flags & RTM_F_CLONED != 0;
        if !known.table && (details || (self.table != TABLE_MAIN && !cloned)) {
            let name = table_name(self.table, format);
            printer.field("table", &name, format_args!("table {name} "));
        }
        if cloned {
            return;
        }
        if !known.protocol && (details || self.protocol != PROTOCOL_BOOT) {
            let name = protocol_name(self.protocol, format);
            printer.field("protocol", &name, format_args!("proto {name} "));
        }
        if !known.scope && (details || self.scope != 0) {
            let name = scope_name(self.scope, format);
            printer.field("scope", &name, format_args!("scope {name} "));
        }
    }

    fn print_cache(&self, printer: &mut Printer<'_>) {
        printer.line_break();
        printer.text(format_args!("    cache "));
        printer.open_array("cache");
        let mut rest = self.flags & !0xffff;
        let mut before = '<';
        for (flag, name) in CACHE_FLAGS {
            if rest & flag != 0 {
                rest &= !flag;
                printer.element(*name, format_args!("{before}{name}"));
                before = ',';
            }
        }
        if rest != 0 {
            let rest = format!("{rest:x}");
            printer.element(&rest, format_args!("{before}{rest}"));
            before = ',';
        }
        if before == ',' {
            printer.text(format_args!("> "));
        }
        printer.close_array();
    }
}

/// Prints the flags of a route or a next hop.
pub(super) fn print_flags(printer: &mut Printer<'_>, flags: u32) {
    printer.open_array("flags");
    for (flag, name) in FLAGS {
        if flags & flag != 0 {
            printer.element(*name, format_args!("{name} "));
        }
    }
    printer.close_array();
}

/// Prints the realms of a route or a next hop.
pub(super) fn print_realms(printer: &mut Printer<'_>, flow: u32) {
    let (from, to) = ((flow >> 16).to_string(), (flow & 0xffff).to_string());
    printer.open_object("flow");
    if flow >> 16 != 0 {
        printer.json("from", &from);
        printer.text(format_args!("realms {} ", realms(flow)));
    } else {
        printer.text(format_args!("realm {to} "));
    }
    printer.json("to", &to);
    printer.close_object();
}

/// `struct rta_cacheinfo`: references, last use, expiry, error, uses …; times in hundredths of a second.
fn print_cache_info(printer: &mut Printer<'_>, info: &[u8], format: &Format) {
    let at =
        |at: usize| info.get(at..at + 4).and_then(|bytes| bytes.first_chunk()).copied().map_or(0, i32::from_ne_bytes);
    let (references, last_use, expires, error, used) = (at(0), at(4), at(8), at(12), at(16));
    if expires != 0 {
        printer.field("expires", expires / 100, format_args!("expires {}sec ", expires / 100));
    }
    if error != 0 {
        printer.field("error", error, format_args!("error {error} "));
    }
    if format.statistics > 0 {
        for (number, name, before, after) in [(references, "users", "users ", " "), (used, "used", "used ", " ")] {
            if number != 0 {
                printer.field(name, number, format_args!("{before}{number}{after}"));
            }
        }
        if last_use != 0 {
            printer.field("age", last_use / 100, format_args!("age {}sec ", last_use / 100));
        }
    }
}
