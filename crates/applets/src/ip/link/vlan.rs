//! VLAN devices: how `ip -d link` shows them, and their options.

use netloom_machine::netlink::{Attributes, Request};

use super::print::Surroundings;
use crate::print::Printer;
use crate::rtnl::{Arguments, Failure, Outcome, Session, invalid_argument, matches, number};

const IFLA_VLAN_ID: u16 = 1;
const IFLA_VLAN_FLAGS: u16 = 2;
const IFLA_VLAN_PROTOCOL: u16 = 5;

const FLAGS: &[(u32, &str, &str)] = &[
    (0x1, "reorder_hdr", "REORDER_HDR"),
    (0x2, "gvrp", "GVRP"),
    (0x8, "mvrp", "MVRP"),
    (0x4, "loose_binding", "LOOSE_BINDING"),
    (0x10, "bridge_binding", "BRIDGE_BINDING"),
];

pub(super) fn print(printer: &mut Printer<'_>, _around: &mut Surroundings<'_, '_>, data: Attributes<'_>) {
    let table = data.table::<8>();
    if let Some(protocol) = table.bytes(IFLA_VLAN_PROTOCOL) {
        let name = match protocol {
            [0x88, 0xa8, ..] => "802.1ad",
            _ => "802.1Q",
        };
        printer.field("protocol", name, format_args!("protocol {name} "));
    }
    if let Some(id) = table.u16(IFLA_VLAN_ID) {
        printer.field("id", id, format_args!("id {id} "));
    }
    if let Some(flags) = table.u32(IFLA_VLAN_FLAGS) {
        printer.open_array("flags");
        printer.text(format_args!("<"));
        let mut separator = "";
        for (_, _, name) in FLAGS.iter().filter(|(bit, ..)| flags & bit != 0) {
            printer.element(*name, format_args!("{separator}{name}"));
            separator = ",";
        }
        printer.text(format_args!("> "));
        printer.close_array();
    }
}

/// Reads the options into the request.
pub(super) fn parse(session: &mut Session<'_>, arguments: &mut Arguments<'_>, request: &mut Request) -> Outcome {
    let mut flags = None;
    while let Some(word) = arguments.next() {
        if matches(word, "protocol") {
            let value = arguments.value(session.err)?;
            let protocol: u16 = match value.to_ascii_lowercase().as_str() {
                "802.1q" => 0x8100,
                "802.1ad" => 0x88a8,
                _ => return Err(invalid_argument(session.err, "protocol is invalid", value)),
            };
            request.attribute(IFLA_VLAN_PROTOCOL, &protocol.to_be_bytes());
        } else if matches(word, "id") {
            let value = arguments.value(session.err)?;
            let id = number(value).and_then(|id| u16::try_from(id).ok());
            request.u16(IFLA_VLAN_ID, id.ok_or_else(|| invalid_argument(session.err, "id is invalid", value))?);
        } else if let Some((bit, name, _)) = FLAGS.iter().find(|(_, name, _)| matches(word, name)) {
            let on = super::parse::on_off(session, name, arguments)?;
            let (values, mask) = flags.get_or_insert((0u32, 0u32));
            *mask |= bit;
            *values = if on { *values | bit } else { *values & !bit };
        } else {
            if !matches(word, "help") {
                session.complain(&format!("vlan: unknown command \"{word}\"?"));
            }
            let _ = session.err.write_all(include_bytes!("../usage/link_vlan.txt"));
            return Err(Failure::Command(1));
        }
    }
    if let Some((values, mask)) = flags {
        let mut bytes = values.to_ne_bytes().to_vec();
        bytes.extend_from_slice(&mask.to_ne_bytes());
        request.attribute(IFLA_VLAN_FLAGS, &bytes);
    }
    Ok(())
}
