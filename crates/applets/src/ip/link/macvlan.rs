//! MACVLAN devices: how `ip -d link` shows them, and their options.

use netloom_machine::netlink::{Attributes, Request};

use super::print::Surroundings;
use crate::print::{Printer, hex_colons};
use crate::rtnl::{Arguments, Failure, Outcome, Session, invalid_argument, matches, number};

const IFLA_MACVLAN_MODE: u16 = 1;
const IFLA_MACVLAN_FLAGS: u16 = 2;
const IFLA_MACVLAN_MACADDR_DATA: u16 = 5;
const IFLA_MACVLAN_MACADDR_COUNT: u16 = 6;
const IFLA_MACVLAN_BC_QUEUE_LEN: u16 = 7;
const IFLA_MACVLAN_BC_QUEUE_LEN_USED: u16 = 8;

const MODES: &[(u32, &str)] = &[(1, "private"), (2, "vepa"), (4, "bridge"), (8, "passthru"), (16, "source")];

pub(super) fn print(printer: &mut Printer<'_>, _around: &mut Surroundings<'_, '_>, data: Attributes<'_>) {
    let table = data.table::<16>();
    if let Some(mode) = table.u32(IFLA_MACVLAN_MODE) {
        let name = MODES.iter().find(|(number, _)| *number == mode).map_or("unknown", |(_, name)| name);
        printer.field("mode", name, format_args!("mode {name} "));
    }
    match table.u16(IFLA_MACVLAN_FLAGS) {
        Some(flags) if flags & 1 != 0 => printer.field("nopromisc", true, format_args!("nopromisc ")),
        _ => {}
    }
    for (kind, name) in [(IFLA_MACVLAN_BC_QUEUE_LEN, "bcqueuelen"), (IFLA_MACVLAN_BC_QUEUE_LEN_USED, "usedbcqueuelen")]
    {
        if let Some(length) = table.u32(kind) {
            printer.field(name, length, format_args!("{name} {length} "));
        }
    }
    if table.u32(IFLA_MACVLAN_MODE) == Some(16)
        && let Some(count) = table.u32(IFLA_MACVLAN_MACADDR_COUNT)
    {
        printer.field("macaddr_count", count, format_args!("remotes ({count}) "));
        printer.open_array("macaddr_data");
        for address in table.nested(IFLA_MACVLAN_MACADDR_DATA) {
            let address = hex_colons(address.value);
            printer.element(&address, format_args!("{address} "));
        }
        printer.close_array();
    }
}

/// Reads the options into the request: `mode` and `bcqueuelen`.
pub(super) fn parse(session: &mut Session<'_>, arguments: &mut Arguments<'_>, request: &mut Request) -> Outcome {
    while let Some(word) = arguments.next() {
        if matches(word, "mode") {
            let value = arguments.value(session.err)?;
            let Some((mode, _)) = MODES.iter().find(|(_, name)| *name == value) else {
                let text = "argument of \"mode\" must be \"private\", \"vepa\", \"bridge\", \"passthru\" or \"source\"";
                session.complain(&format!("Error: {text}, not \"{value}\""));
                return Err(Failure::Command(1));
            };
            request.u32(IFLA_MACVLAN_MODE, *mode);
        } else if matches(word, "bcqueuelen") {
            let value = arguments.value(session.err)?;
            let length = number(value).and_then(|value| u32::try_from(value).ok());
            let length = length
                .ok_or_else(|| invalid_argument(session.err, "bcqueuelen must be in range [0-4294967295]", value))?;
            request.u32(IFLA_MACVLAN_BC_QUEUE_LEN, length);
        } else {
            if !matches(word, "help") {
                session.complain(&format!("macvlan: unknown option \"{word}\"?"));
            }
            let _ = session.err.write_all(include_bytes!("../usage/link_macvlan.txt"));
            return Err(Failure::Command(1));
        }
    }
    Ok(())
}
