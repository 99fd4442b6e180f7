//! The head of a device's line, the same in `ip link`, `ip address` and `bridge link`: `h2a@h2b: <UP,LOWER_UP> `.

use netloom_machine::netlink::Table;

use super::Links;
use crate::print::{Colour, Printer};

const IFLA_LINK_NETNSID: u16 = 37;
const IFF_UP: u32 = 1;
const IFF_RUNNING: u32 = 0x40;

/// Flags in the order in which they are printed.
const FLAGS: &[(u32, &str)] = &[
    (0x8, "LOOPBACK"),
    (0x2, "BROADCAST"),
    (0x10, "POINTOPOINT"),
    (0x1000, "MULTICAST"),
    (0x80, "NOARP"),
    (0x200, "ALLMULTI"),
    (0x100, "PROMISC"),
    (0x400, "MASTER"),
    (0x800, "SLAVE"),
    (0x4, "DEBUG"),
    (0x8000, "DYNAMIC"),
    (0x4000, "AUTOMEDIA"),
    (0x2000, "PORTSEL"),
    (0x20, "NOTRAILERS"),
    (IFF_UP, "UP"),
    (0x10000, "LOWER_UP"),
    (0x20000, "DORMANT"),
    (0x40000, "ECHO"),
];

/// Prints a device's name and the one it is linked to, before a colon; whether that one is known to be down.
pub(crate) fn print_name<const N: usize>(
    printer: &mut Printer<'_>,
    links: &mut Links<'_>,
    name: &str,
    table: &Table<'_, N>,
) -> bool {
    let (shown, peer_down) = linked_name(printer, links, name, table);
    printer.coloured(Colour::Name, "ifname", name, format_args!("{shown}: "));
    peer_down
}

/// The same in a column of 16, as `-br` has it.
pub(crate) fn print_name_column<const N: usize>(
    printer: &mut Printer<'_>,
    links: &mut Links<'_>,
    name: &str,
    table: &Table<'_, N>,
) -> bool {
    let (shown, peer_down) = linked_name(printer, links, name, table);
    printer.coloured(Colour::Name, "ifname", name, format_args!("{shown:<16} "));
    peer_down
}

/// `NAME[@OTHER]`, and whether the other is known to be down; in JSON the other is printed as an item of its own.
fn linked_name<const N: usize>(
    printer: &mut Printer<'_>,
    links: &mut Links<'_>,
    name: &str,
    table: &Table<'_, N>,
) -> (String, bool) {
    match table.u32(libc::IFLA_LINK) {
        None => (name.to_owned(), false),
        Some(0) => {
            printer.json("link", crate::print::Value::Null);
            (format!("{name}@NONE"), false)
        }
        // The index is one of the other namespace.
        Some(link) if table.has(IFLA_LINK_NETNSID) => {
            printer.json("link_index", link);
            (format!("{name}@if{link}"), false)
        }
        Some(link) => {
            let other = links.name(link);
            let peer_down = links.get(link).is_some_and(|link| link.flags & IFF_UP == 0);
            printer.json("link", &other);
            (format!("{name}@{other}"), peer_down)
        }
    }
}

/// Prints flags in angle brackets. `NO-CARRIER` stands for a device that is up and not running.
pub(crate) fn print_flags(printer: &mut Printer<'_>, flags: u32, peer_down: bool) {
    printer.open_array("flags");
    printer.text(format_args!("<"));
    let mut words: Vec<String> = Vec::new();
    if flags & IFF_UP != 0 && flags & IFF_RUNNING == 0 {
        words.push("NO-CARRIER".to_owned());
    }
    let mut rest = flags & !IFF_RUNNING;
    for &(flag, name) in FLAGS {
        if rest & flag != 0 {
            words.push(name.to_owned());
            rest &= !flag;
        }
    }
    if rest != 0 {
        words.push(format!("{rest:x}"));
    }
    if peer_down {
        words.push("M-DOWN".to_owned());
    }
    for (at, word) in words.iter().enumerate() {
        let comma = if at + 1 < words.len() { "," } else { "" };
        printer.element(word, format_args!("{word}{comma}"));
    }
    printer.text(format_args!("> "));
    printer.close_array();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::print::Format;

    #[test]
    fn flags_of_a_device_without_carrier() {
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, &Format::default());
        print_flags(&mut printer, 0x1003, true);
        print_flags(&mut printer, 0x10049 | 0x80000, false);
        drop(printer);
        assert_eq!(
            String::from_utf8_lossy(&out),
            "<NO-CARRIER,BROADCAST,MULTICAST,UP,M-DOWN> <LOOPBACK,UP,LOWER_UP,80000> "
        );
    }
}
