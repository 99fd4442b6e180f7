//! Names of routing protocols, tables and scopes: iproute2's own, and those that the administrator gave.

use std::collections::BTreeMap;
use std::sync::OnceLock;

type Names = BTreeMap<u32, String>;

const PROTOCOLS: &[(u32, &str)] = &[
    (0, "unspec"),
    (1, "redirect"),
    (2, "kernel"),
    (3, "boot"),
    (4, "static"),
    (8, "gated"),
    (9, "ra"),
    (10, "mrt"),
    (11, "zebra"),
    (12, "bird"),
    (13, "dnrouted"),
    (14, "xorp"),
    (15, "ntk"),
    (16, "dhcp"),
    (18, "keepalived"),
    (42, "babel"),
    (99, "openr"),
    (186, "bgp"),
    (187, "isis"),
    (188, "ospf"),
    (189, "rip"),
    (192, "eigrp"),
];
const TABLES: &[(u32, &str)] = &[(0, "unspec"), (253, "default"), (254, "main"), (255, "local")];
const SCOPES: &[(u32, &str)] = &[(0, "global"), (200, "site"), (253, "link"), (254, "host"), (255, "nowhere")];

/// Reads `/etc/iproute2/FILE` (a number and a name a line) over the built-in names.
fn load(built_in: &[(u32, &str)], file: &str) -> Names {
    let mut names: Names = built_in.iter().map(|(number, name)| (*number, (*name).to_owned())).collect();
    let text = std::fs::read_to_string(format!("/etc/iproute2/{file}")).unwrap_or_default();
    for line in text.lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        if let (Some(number), Some(name)) = (words.next().and_then(super::number), words.next()) {
            names.insert(number as u32, name.to_owned());
        }
    }
    names
}

fn protocols() -> &'static Names {
    static NAMES: OnceLock<Names> = OnceLock::new();
    NAMES.get_or_init(|| load(PROTOCOLS, "rt_protos"))
}

fn tables() -> &'static Names {
    static NAMES: OnceLock<Names> = OnceLock::new();
    NAMES.get_or_init(|| load(TABLES, "rt_tables"))
}

fn scopes() -> &'static Names {
    static NAMES: OnceLock<Names> = OnceLock::new();
    NAMES.get_or_init(|| load(SCOPES, "rt_scopes"))
}

fn name(names: &Names, number: u32) -> String {
    names.get(&number).cloned().unwrap_or_else(|| number.to_string())
}

fn find(names: &Names, text: &str, most: u64) -> Option<u32> {
    match names.iter().find(|(_, name)| *name == text) {
        Some((number, _)) => Some(*number),
        None => super::number(text).filter(|number| *number <= most).map(|number| number as u32),
    }
}

/// A routing protocol's name, or its number.
pub(crate) fn protocol(number: u8) -> String {
    name(protocols(), number.into())
}

/// A routing protocol by name or number.
pub(crate) fn find_protocol(text: &str) -> Option<u8> {
    find(protocols(), text, 255).map(|number| number as u8)
}

/// A routing table's name, or its number.
pub(crate) fn table(number: u32) -> String {
    name(tables(), number)
}

/// A routing table by name or number.
pub(crate) fn find_table(text: &str) -> Option<u32> {
    find(tables(), text, u64::from(u32::MAX))
}

/// A scope's name, or its number.
pub(crate) fn scope(number: u8) -> String {
    name(scopes(), number.into())
}

/// A scope by name or number.
pub(crate) fn find_scope(text: &str) -> Option<u8> {
    find(scopes(), text, 255).map(|number| number as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        assert_eq!(protocol(2), "kernel");
        assert_eq!(find_protocol("0x10"), Some(16));
        assert_eq!(find_protocol("300"), None);
        assert_eq!(table(100_000), "100000");
        assert_eq!(find_table("main"), Some(254));
        assert_eq!(find_scope("link"), Some(253));
    }
}
