//! How a rule is printed.

use netloom_machine::netlink::{Message, Table};

use super::super::route::{protocol_name, table_name, type_name};
use super::{FIB_RULE, GOTO, IIF_DETACHED, INVERT, NAT, NOP, OIF_DETACHED, TO_TABLE, UNRESOLVED, fra};
use crate::print::{Colour, Format, Printer, Value};
use crate::rtnl::address::Address;

/// A rule as the kernel gives it.
pub(crate) struct Rule<'m> {
    deleted: bool,
    pub(super) family: u8,
    pub(super) destination_bits: u8,
    pub(super) source_bits: u8,
    pub(super) tos: u8,
    pub(super) table: u32,
    action: u8,
    pub(super) flags: u32,
    pub(super) attributes: Table<'m, 32>,
}

impl<'m> Rule<'m> {
    /// `None` where the message is too short for one.
    pub(crate) fn parse(message: &Message<'m>) -> Option<Rule<'m>> {
        let header = message.payload.first_chunk::<FIB_RULE>()?;
        let attributes = message.attributes(FIB_RULE).table::<32>();
        Some(Rule {
            deleted: message.kind == libc::RTM_DELRULE,
            family: header[0],
            destination_bits: header[1],
            source_bits: header[2],
            tos: header[3],
            table: attributes.u32(fra::TABLE).unwrap_or(header[4].into()),
            action: header[7],
            flags: u32::from_ne_bytes([header[8], header[9], header[10], header[11]]),
            attributes,
        })
    }

    pub(super) fn address(&self, kind: u16) -> Option<Address> {
        Address::new(self.family, self.attributes.bytes(kind)?)
    }

    /// Two numbers of 32 bits.
    pub(super) fn users(&self) -> Option<(u32, u32)> {
        let bytes = self.attributes.bytes(fra::UID_RANGE)?.first_chunk::<8>()?;
        let [a, b, c, d, e, f, g, h] = *bytes;
        Some((u32::from_ne_bytes([a, b, c, d]), u32::from_ne_bytes([e, f, g, h])))
    }

    /// Two numbers of 16 bits.
    pub(super) fn ports(&self, kind: u16) -> Option<(u16, u16)> {
        let [a, b, c, d] = *self.attributes.bytes(kind)?.first_chunk::<4>()?;
        Some((u16::from_ne_bytes([a, b]), u16::from_ne_bytes([c, d])))
    }

    /// Prints it.
    pub(crate) fn print(&self, printer: &mut Printer<'_>, format: &Format) {
        let table = &self.attributes;
        printer.open_object(None);
        if self.deleted {
            printer.field("deleted", true, format_args!("Deleted "));
        }
        let priority = table.u32(fra::PRIORITY).unwrap_or(0);
        printer.field("priority", priority, format_args!("{priority}:\t"));
        if self.flags & INVERT != 0 {
            printer.field("not", Value::Null, format_args!("not "));
        }
        self.print_end(printer, "from", ("src", "srclen"), fra::SRC, self.source_bits);
        if table.has(fra::DST) || self.destination_bits != 0 {
            self.print_end(printer, " to", ("dst", "dstlen"), fra::DST, self.destination_bits);
        }
        self.print_selectors(printer, format);
        self.print_action(printer, format);
        if let Some(protocol) = table.u8(fra::PROTOCOL) {
            // Neither a rule of nobody nor one of the kernel is worth a word.
            if protocol > 2 || protocol == 1 || format.details > 0 {
                let name = protocol_name(protocol, format);
                printer.field("protocol", &name, format_args!(" proto {name}"));
            }
        }
        printer.end_record();
    }

    fn print_end(&self, printer: &mut Printer<'_>, word: &str, keys: (&str, &str), kind: u16, bits: u8) {
        printer.text(format_args!("{word} "));
        match self.address(kind) {
            Some(address) => {
                let text = address.to_string();
                printer.coloured(Colour::of_family(self.family), keys.0, &text, format_args!("{text}"));
                if bits != address.bits() {
                    printer.field(keys.1, bits, format_args!("/{bits}"));
                }
            }
            None if bits != 0 => {
                printer.field(keys.0, "0", format_args!("0"));
                printer.field(keys.1, bits, format_args!("/{bits}"));
            }
            None => printer.field(keys.0, "all", format_args!("all")),
        }
    }

    fn print_selectors(&self, printer: &mut Printer<'_>, format: &Format) {
        let table = &self.attributes;
        if self.tos != 0 {
            let tos = format!("{:#04x}", self.tos);
            printer.field("tos", &tos, format_args!(" tos {tos}"));
        }
        let (mark, mask) = (table.u32(fra::FWMARK).unwrap_or(0), table.u32(fra::FWMASK));
        if mark != 0 || mask.is_some_and(|mask| mask != 0) {
            let mark = format!("{mark:#x}");
            printer.field("fwmark", &mark, format_args!(" fwmark {mark}"));
            if let Some(mask) = mask.filter(|mask| *mask != u32::MAX) {
                let mask = format!("{mask:#x}");
                printer.field("fwmask", &mask, format_args!("/{mask}"));
            }
        }
        for (kind, key, detached_key, detached) in
            [(fra::IIFNAME, "iif", "iif_detached", IIF_DETACHED), (fra::OIFNAME, "oif", "oif_detached", OIF_DETACHED)]
        {
            let Some(name) = table.string(kind) else { continue };
            printer.text(format_args!(" {key} "));
            printer.coloured(Colour::Name, key, name, format_args!("{name}"));
            if self.flags & detached != 0 {
                printer.field(detached_key, Value::Null, format_args!(" [detached]"));
            }
        }
        if table.u8(fra::L3MDEV).is_some_and(|on| on != 0) {
            printer.field("l3mdev", Value::Null, format_args!(" lookup [l3mdev-table]"));
        }
        if let Some((first, last)) = self.users() {
            printer.field("uid_start", first, format_args!(" uidrange {first}"));
            printer.field("uid_end", last, format_args!("-{last}"));
        }
        if let Some(protocol) = table.u8(fra::IP_PROTO) {
            let name = ip_protocol_name(protocol, format);
            printer.field("ipproto", &name, format_args!(" ipproto {name}"));
        }
        for (kind, key) in [(fra::SPORT_RANGE, "sport"), (fra::DPORT_RANGE, "dport")] {
            match self.ports(kind) {
                Some((first, last)) if first == last => printer.field(key, first, format_args!(" {key} {first}")),
                Some((first, last)) => {
                    printer.field(&format!("{key}_start"), first, format_args!(" {key} {first}"));
                    printer.field(&format!("{key}_end"), last, format_args!("-{last}"));
                }
                None => {}
            }
        }
        if let Some(id) = table.u64(fra::TUN_ID).map(u64::from_be) {
            printer.field("tun_id", id, format_args!(" tun_id {id}"));
        }
    }

    fn print_action(&self, printer: &mut Printer<'_>, format: &Format) {
        let table = &self.attributes;
        if self.table != 0 {
            let name = table_name(self.table, format);
            printer.field("table", &name, format_args!(" lookup {name}"));
            if let Some(bits) = table.i32(fra::SUPPRESS_PREFIXLEN).filter(|bits| *bits != -1) {
                printer.field("suppress_prefixlen", bits, format_args!(" suppress_prefixlength {bits}"));
            }
            if let Some(group) = table.i32(fra::SUPPRESS_IFGROUP).filter(|group| *group != -1) {
                let group = group.to_string();
                printer.field("suppress_ifgroup", &group, format_args!(" suppress_ifgroup {group}"));
            }
        }
        if let Some(flow) = table.u32(fra::FLOW) {
            let (from, to) = ((flow >> 16).to_string(), (flow & 0xffff).to_string());
            printer.text(format_args!(" realms "));
            if flow >> 16 != 0 {
                printer.field("flow_from", &from, format_args!("{from}/"));
            }
            printer.field("flow_to", &to, format_args!("{to}"));
        }
        match self.action {
            TO_TABLE => {}
            NAT => match self.address(fra::GATEWAY) {
                Some(address) => {
                    let text = address.to_string();
                    printer.field("nat_gateway", &text, format_args!(" map-to {text}"));
                }
                None => printer.field("masquerade", Value::Null, format_args!(" masquerade")),
            },
            GOTO => {
                let target = table.u32(fra::GOTO).unwrap_or(0);
                printer.field("goto", target, format_args!(" goto {target}"));
                if self.flags & UNRESOLVED != 0 {
                    printer.field("unresolved", Value::Null, format_args!(" [unresolved]"));
                }
            }
            NOP => printer.field("nop", Value::Null, format_args!(" nop")),
            action => {
                let name = type_name(action, format);
                printer.field("action", &name, format_args!(" {name}"));
            }
        }
    }
}

/// A protocol above IP.
fn ip_protocol_name(number: u8, format: &Format) -> String {
    const NAMES: &[(u8, &str)] = &[
        (0, "ip"),
        (1, "icmp"),
        (2, "igmp"),
        (4, "ipencap"),
        (6, "tcp"),
        (17, "udp"),
        (33, "dccp"),
        (41, "ipv6"),
        (47, "gre"),
        (50, "esp"),
        (51, "ah"),
        (58, "ipv6-icmp"),
        (89, "ospf"),
        (103, "pim"),
        (132, "sctp"),
        (136, "udplite"),
    ];
    match NAMES.iter().find(|(known, _)| *known == number).filter(|_| !format.numeric) {
        Some((_, name)) => (*name).to_owned(),
        None => format!("ipproto-{number}"),
    }
}
