//! TUN and TAP devices as `ip -d link` shows them.

use netloom_machine::netlink::Attributes;

use super::print::Surroundings;
use crate::print::Printer;

const IFLA_TUN_OWNER: u16 = 1;
const IFLA_TUN_GROUP: u16 = 2;
const IFLA_TUN_TYPE: u16 = 3;
const IFLA_TUN_PI: u16 = 4;
const IFLA_TUN_VNET_HDR: u16 = 5;
const IFLA_TUN_PERSIST: u16 = 6;
const IFLA_TUN_MULTI_QUEUE: u16 = 7;
const IFLA_TUN_NUM_QUEUES: u16 = 8;
const IFLA_TUN_NUM_DISABLED_QUEUES: u16 = 9;

pub(super) fn print(printer: &mut Printer<'_>, _around: &mut Surroundings<'_, '_>, data: Attributes<'_>) {
    let table = data.table::<16>();
    match table.u8(IFLA_TUN_TYPE) {
        Some(1) => printer.field("type", "tun", format_args!("type tun ")),
        Some(2) => printer.field("type", "tap", format_args!("type tap ")),
        Some(other) => printer.field("type", other, format_args!("type UNKNOWN:{other} ")),
        None => {}
    }
    let is_on = |kind| table.u8(kind).map(|value| value != 0);
    if let Some(on) = is_on(IFLA_TUN_PI) {
        printer.on_off("pi", "pi", on);
    }
    if let Some(on) = is_on(IFLA_TUN_VNET_HDR) {
        printer.on_off("vnet_hdr", "vnet_hdr", on);
    }
    if let Some(on) = is_on(IFLA_TUN_MULTI_QUEUE) {
        printer.field("multi_queue", on, format_args!("{}", if on { "multi_queue " } else { "" }));
        if on {
            let queues = table.u32(IFLA_TUN_NUM_QUEUES).unwrap_or(0);
            printer.field("numqueues", queues, format_args!("numqueues {queues} "));
            let disabled = table.u32(IFLA_TUN_NUM_DISABLED_QUEUES).unwrap_or(0);
            printer.field("numdisabled", disabled, format_args!("numdisabled {disabled} "));
        }
    }
    if let Some(on) = is_on(IFLA_TUN_PERSIST) {
        printer.on_off("persist", "persist", on);
    }
    for (kind, key, file) in [(IFLA_TUN_OWNER, "user", "/etc/passwd"), (IFLA_TUN_GROUP, "group", "/etc/group")] {
        if let Some(id) = table.u32(kind) {
            match account(file, id) {
                Some(name) => printer.field(key, &name, format_args!("{key} {name} ")),
                None => printer.field(key, id, format_args!("{key} {id} ")),
            }
        }
    }
}

/// The name of a user or group by its number, from a file of lines `NAME:PASSWORD:NUMBER:…`.
fn account(file: &str, id: u32) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    })
}
