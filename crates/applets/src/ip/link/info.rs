//! What kind of device it is, and what is particular to the kind (`IFLA_LINKINFO`): the second line of `ip -d link`.

use std::fmt::Write as _;

use netloom_machine::netlink::{Attribute, Attributes};

use super::bridge::{BRIDGE_FIELDS, BRPORT_FIELDS, PORT_STATES};
use super::print::Surroundings;
use crate::print::{Printer, Value, hex_colons};

pub(crate) const IFLA_INFO_KIND: u16 = 1;
pub(crate) const IFLA_INFO_DATA: u16 = 2;
pub(crate) const IFLA_INFO_SLAVE_KIND: u16 = 4;
pub(crate) const IFLA_INFO_SLAVE_DATA: u16 = 5;

/// How an attribute of a kind is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Show {
    /// A number of as many bits as the attribute has.
    Number,
    /// Hundredths of a second.
    Timer,
    /// on or off.
    OnOff,
    /// on or off, and only in text.
    OnOffText,
    /// `8000.0:11:22:33:44:55`.
    BridgeId,
    /// A link-layer address.
    Mac,
    /// Hexadecimal; 0 without its prefix.
    Hex,
    /// The names of group addresses that a mask lets pass, after the mask.
    GroupMask,
    /// The name of a device.
    Device,
    /// The name of a port's state.
    PortState,
    /// `802.1Q` or `802.1ad`, in network byte order.
    VlanProtocol,
    /// The bits of `struct br_boolopt_multi` that have names.
    BooleanOptions,
}

/// One attribute of a kind: its type, its JSON name, its name in text.
pub(crate) type Field = (u16, &'static str, &'static str, Show);

/// Prints `    KIND …` and `    KIND_slave …`.
pub(crate) fn print(printer: &mut Printer<'_>, around: &mut Surroundings<'_, '_>, info: Attributes<'_>) {
    printer.open_object("linkinfo");
    if let Some(kind) = info.find(IFLA_INFO_KIND).map(|kind| kind.string()) {
        printer.line_break();
        printer.field("info_kind", kind, format_args!("    {kind} "));
        let fields: Option<fn(&mut Printer<'_>, &mut Surroundings<'_, '_>, Attributes<'_>)> = match kind {
            "bridge" => Some(|printer, around, data| fields(printer, around, data, BRIDGE_FIELDS)),
            "tun" => Some(super::tun::print),
            "macvlan" => Some(super::macvlan::print),
            "vlan" => Some(super::vlan::print),
            _ => None,
        };
        if let (Some(print), Some(data)) = (fields, info.find(IFLA_INFO_DATA)) {
            printer.open_object("info_data");
            print(printer, around, data.attributes());
            printer.close_object();
        }
    }
    if let Some(kind) = info.find(IFLA_INFO_SLAVE_KIND).map(|kind| kind.string()) {
        printer.line_break();
        printer.field("info_slave_kind", kind, format_args!("    {kind}_slave "));
        if let (Some(data), "bridge") = (info.find(IFLA_INFO_SLAVE_DATA), kind) {
            printer.open_object("info_slave_data");
            fields(printer, around, data.attributes(), BRPORT_FIELDS);
            printer.close_object();
        }
    }
    printer.close_object();
}

/// Prints the attributes that are there, in the fields' order.
fn fields(printer: &mut Printer<'_>, around: &mut Surroundings<'_, '_>, data: Attributes<'_>, fields: &[Field]) {
    let table = data.table::<64>();
    for &(kind, key, name, show) in fields {
        if let Some(attribute) = table.get(kind) {
            field(printer, around, attribute, key, name, show);
        }
    }
}

fn field(
    printer: &mut Printer<'_>,
    around: &mut Surroundings<'_, '_>,
    attribute: Attribute<'_>,
    key: &str,
    name: &str,
    show: Show,
) {
    let number = number(attribute);
    match show {
        Show::Number => printer.field(key, number, format_args!("{name} {number} ")),
        Show::Timer => {
            let text = format!("{}.{:02}", number / 100, number % 100);
            printer.field(key, Value::Hundredths(number), format_args!("{name} {text:>7} "));
        }
        Show::OnOff => printer.on_off(key, name, number != 0),
        Show::OnOffText => printer.text(format_args!("{name} {} ", if number != 0 { "on" } else { "off" })),
        Show::BridgeId => {
            let id = bridge_id(attribute.value);
            printer.field(key, &id, format_args!("{name} {id} "));
        }
        Show::Mac => {
            let address = hex_colons(attribute.value);
            printer.field(key, &address, format_args!("{name} {address} "));
        }
        Show::Hex => {
            let text = if number == 0 { "0".to_owned() } else { format!("{number:#x}") };
            printer.field(key, &text, format_args!("{name} {text} "));
        }
        Show::GroupMask => {
            let text = group_mask(number);
            printer.field(key, &text, format_args!("{name} {text} "));
        }
        Show::Device => {
            let device = around.links.name(number as u32);
            printer.field(key, &device, format_args!("{name} {device} "));
        }
        Show::PortState => match PORT_STATES.get(number as usize) {
            Some(state) => printer.field(key, *state, format_args!("{name} {state} ")),
            None => printer.field(key, number, format_args!("{name} ({number}) ")),
        },
        Show::VlanProtocol => {
            let protocol = match attribute.value {
                [0x81, 0x00, ..] => "802.1Q".to_owned(),
                [0x88, 0xa8, ..] => "802.1ad".to_owned(),
                other => format!("[{}]", other.iter().fold(0u32, |number, byte| number << 8 | u32::from(*byte))),
            };
            printer.field(key, &protocol, format_args!("{name} {protocol} "));
        }
        Show::BooleanOptions => boolean_options(printer, attribute),
    }
}

fn number(attribute: Attribute<'_>) -> u64 {
    match attribute.value.len() {
        0 => 0,
        1 => attribute.u8().map_or(0, u64::from),
        2..=3 => attribute.u16().map_or(0, u64::from),
        4..=7 => attribute.u32().map_or(0, u64::from),
        _ => attribute.u64().unwrap_or(0),
    }
}

/// Priority and address of a bridge as `ip` writes them: the bytes of the address without leading zeros.
pub(crate) fn bridge_id(bytes: &[u8]) -> String {
    let Some(id) = bytes.first_chunk::<8>() else { return String::new() };
    let mut text = format!("{:02x}{:02x}.", id[0], id[1]);
    for (at, byte) in id[2..].iter().enumerate() {
        let _ = write!(text, "{}{byte:x}", if at == 0 { "" } else { ":" });
    }
    text
}

/// The bits of a group forwarding mask: the groups that have a name by it, the others as numbers.
pub(crate) fn group_mask(mask: u64) -> String {
    if mask == 0 {
        return "0x0".to_owned();
    }
    let groups = (0..16).filter(|bit| mask & (1 << bit) != 0).map(|bit| match bit {
        0 => "stp".to_owned(),
        2 => "lacp".to_owned(),
        14 => "lldp".to_owned(),
        bit => format!("{:#x}", 1u32 << bit),
    });
    groups.collect::<Vec<_>>().join(",")
}

fn boolean_options(printer: &mut Printer<'_>, attribute: Attribute<'_>) {
    let Some([values, mask]) = attribute.array::<8>().map(|bytes| {
        let word = |at: usize| u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        [word(0), word(4)]
    }) else {
        return;
    };
    for (bit, name) in ["no_linklocal_learn", "mcast_vlan_snooping"].into_iter().enumerate() {
        if mask & (1 << bit) != 0 {
            let on = u32::from(values & (1 << bit) != 0);
            printer.field(name, on, format_args!("{name} {on} "));
        }
    }
}
