//! Names of ports and protocols, from `/etc/services` and `/etc/protocols`.

use std::fs;

/// The entries of such a file: name, and what stands behind it.
fn entries(path: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .filter_map(|line| {
            let mut words = line.split('#').next()?.split_whitespace();
            Some((words.next()?.to_owned(), words.next()?.to_owned()))
        })
        .collect()
}

/// The port of a service.
pub(super) fn port(name: &str) -> Option<u16> {
    let found = entries("/etc/services").into_iter().find(|(entry, _)| entry == name)?;
    found.1.split('/').next()?.parse().ok()
}

/// The service of a port; `protocol` is `tcp` or `udp`.
pub(super) fn service(port: u16, protocol: &str) -> Option<String> {
    let wanted = format!("{port}/{protocol}");
    entries("/etc/services").into_iter().find(|(_, entry)| *entry == wanted).map(|(name, _)| name)
}

/// The number of a protocol inside IP.
pub(super) fn protocol(name: &str) -> Option<u8> {
    match name {
        "icmp" => Some(1),
        "igmp" => Some(2),
        "tcp" => Some(6),
        "udp" => Some(17),
        "icmp6" | "ipv6-icmp" => Some(58),
        _ => entries("/etc/protocols").into_iter().find(|(entry, _)| entry == name)?.1.parse().ok(),
    }
}

/// The name of a protocol inside IP.
pub(super) fn protocol_name(number: u8) -> Option<String> {
    let wanted = number.to_string();
    entries("/etc/protocols").into_iter().find(|(_, entry)| *entry == wanted).map(|(name, _)| name)
}
