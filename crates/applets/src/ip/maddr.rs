//! `ip maddr`: the multicast addresses that devices listen to, from `/proc/net`.

use std::net::Ipv6Addr;

use crate::print::{Colour, Printer, hex_colons, ip_address, strerror};
use crate::rtnl::address::link_layer_address;
use crate::rtnl::{Arguments, Failure, Outcome, Session, duplicate, duplicate_or_garbage, matches};

const SIOCADDMULTI: u32 = 0x8931;
const SIOCDELMULTI: u32 = 0x8932;
const IFNAMSIZ: usize = 16;
const IFREQ_LENGTH: usize = 40;

/// Runs `ip maddr` with the words after it.
pub(crate) fn run(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let Some((command, rest)) = words.split_first() else { return show(session, words) };
    let is = |keyword| matches(command, keyword);
    if is("add") {
        change(session, rest, SIOCADDMULTI)
    } else if is("delete") {
        change(session, rest, SIOCDELMULTI)
    } else if is("list") || is("show") || is("lst") {
        show(session, rest)
    } else if is("help") {
        usage(session)
    } else {
        session.complain(&format!("Command \"{command}\" is unknown, try \"ip maddr help\"."));
        Err(Failure::Exit(255))
    }
}

fn usage(session: &mut Session<'_>) -> Outcome {
    super::usage(session.err, include_str!("usage/maddr.txt"))
}

/// A multicast address of a device.
struct Membership {
    index: u32,
    device: String,
    family: i32,
    address: String,
    users: u32,
    /// Asked for by `ip maddr add`.
    fixed: bool,
}

fn show(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let mut name = None;
    let mut arguments = Arguments::new(words);
    while let Some(word) = arguments.next() {
        let value = if word == "dev" { arguments.value(session.err)? } else { word };
        if word != "dev" && matches(value, "help") {
            return usage(session);
        }
        if name.replace(value).is_some() {
            return Err(duplicate_or_garbage(session.err, "dev", value));
        }
    }
    let family = i32::from(session.family);
    let mut memberships = Vec::new();
    for (file, of_family, parse) in [
        ("/proc/net/dev_mcast", libc::AF_PACKET, parse_link as fn(&str) -> Vec<Membership>),
        ("/proc/net/igmp", libc::AF_INET, parse_igmp),
        ("/proc/net/igmp6", libc::AF_INET6, parse_igmp6),
    ] {
        if family == libc::AF_UNSPEC || family == of_family {
            let text = session.machine.read_file(&session.netns, file).unwrap_or_default();
            memberships.extend(parse(&String::from_utf8_lossy(&text)));
        }
    }
    memberships.retain(|membership| name.is_none_or(|name| name == membership.device));
    memberships.sort_by_key(|membership| membership.index);
    let oneline = session.format.oneline;
    let mut printer = Printer::new(&mut *session.out, &session.format);
    printer.open_document();
    for device in memberships.chunk_by(|one, next| one.index == next.index) {
        print_device(&mut printer, device, oneline);
    }
    printer.close_document();
    Ok(())
}

fn print_device(printer: &mut Printer<'_>, memberships: &[Membership], oneline: bool) {
    let Some(first) = memberships.first() else { return };
    printer.open_object(None);
    for (at, membership) in memberships.iter().enumerate() {
        if at == 0 || oneline {
            print_heading(printer, first, oneline);
        }
        if at == 0 {
            printer.open_array("maddr");
        }
        printer.open_object(None);
        let address = &membership.address;
        match membership.family {
            libc::AF_PACKET => {
                printer.text(format_args!("\tlink  "));
                printer.coloured(Colour::Mac, "link", address, format_args!("{address}"));
            }
            family => {
                let name = if family == libc::AF_INET { "inet" } else { "inet6" };
                printer.field("family", name, format_args!("\t{name:<5} "));
                printer.coloured(Colour::of_family(family as u8), "address", address, format_args!("{address}"));
            }
        }
        if membership.users != 1 {
            printer.field("users", membership.users, format_args!(" users {}", membership.users));
        }
        if membership.fixed {
            printer.field("static", true, format_args!(" static"));
        }
        printer.end_record();
    }
    printer.close_array();
    printer.close_object();
}

fn print_heading(printer: &mut Printer<'_>, first: &Membership, oneline: bool) {
    printer.field("ifindex", first.index, format_args!("{}:", first.index));
    printer.coloured(Colour::Name, "ifname", &first.device, format_args!("\t{}", first.device));
    printer.text(format_args!("{}", if oneline { '\\' } else { '\n' }));
}

/// A line of `dev_mcast`: index, device, users, whether it is fixed, address.
fn parse_link(text: &str) -> Vec<Membership> {
    let parse = |line: &str| {
        let mut words = line.split_whitespace();
        let (index, device) = (words.next()?.parse().ok()?, words.next()?.to_owned());
        let (users, fixed) = (words.next()?.parse().ok()?, words.next()? != "0");
        let address = hex_colons(&hex(words.next()?)?);
        Some(Membership { index, device, family: libc::AF_PACKET, address, users, fixed })
    };
    text.lines().filter_map(parse).collect()
}

/// `igmp`: a line for a device, then one for each of its groups.
fn parse_igmp(text: &str) -> Vec<Membership> {
    let mut memberships = Vec::new();
    let mut device = None;
    for line in text.lines().skip(1) {
        let mut words = line.split_whitespace();
        let Some(first) = words.next() else { continue };
        if !line.starts_with('\t') {
            device = first.parse().ok().zip(words.next().map(|name| name.trim_end_matches(':').to_owned()));
            continue;
        }
        // The address is printed as a number of the host's byte order.
        let address = u32::from_str_radix(first, 16).ok().and_then(|number| {
            ip_address(libc::AF_INET as u8, &number.to_ne_bytes()).map(|address| address.to_string())
        });
        let users = words.next().and_then(|users| users.parse().ok());
        if let (Some((index, device)), Some(address), Some(users)) = (device.clone(), address, users) {
            memberships.push(Membership { index, device, family: libc::AF_INET, address, users, fixed: false });
        }
    }
    memberships
}

/// A line of `igmp6`: index, device, group, users …
fn parse_igmp6(text: &str) -> Vec<Membership> {
    let parse = |line: &str| {
        let mut words = line.split_whitespace();
        let (index, device) = (words.next()?.parse().ok()?, words.next()?.to_owned());
        let bytes: [u8; 16] = hex(words.next()?)?.try_into().ok()?;
        let users = words.next()?.parse().ok()?;
        let address = Ipv6Addr::from(bytes).to_string();
        Some(Membership { index, device, family: libc::AF_INET6, address, users, fixed: false })
    };
    text.lines().filter_map(parse).collect()
}

fn hex(text: &str) -> Option<Vec<u8>> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()).collect()
}

fn change(session: &mut Session<'_>, words: &[String], request: u32) -> Outcome {
    let mut name = None;
    let mut address = None;
    let mut arguments = Arguments::new(words);
    while let Some(word) = arguments.next() {
        if word == "dev" {
            let value = arguments.value(session.err)?;
            if name.replace(value).is_some() {
                return Err(duplicate(session.err, "dev", value));
            }
            continue;
        }
        let value = if matches(word, "address") { arguments.value(session.err)? } else { word };
        if matches(value, "help") {
            return usage(session);
        }
        if address.is_some() {
            return Err(duplicate(session.err, "address", value));
        }
        let bytes = link_layer_address(session.err, value)?;
        if bytes.len() != 6 {
            session.complain(&format!("Error: Invalid address length {} - must be 6 bytes", bytes.len()));
            return Err(Failure::Exit(1));
        }
        address = Some(bytes);
    }
    let Some(name) = name else {
        session.complain("Not enough information: \"dev\" is required.");
        return Err(Failure::Exit(255));
    };
    // An `ifreq`: the name, then a `sockaddr` whose family is of no interest.
    let mut bytes = [0; IFREQ_LENGTH];
    for (to, from) in bytes.iter_mut().take(IFNAMSIZ - 1).zip(name.bytes()) {
        *to = from;
    }
    for (to, from) in bytes.iter_mut().skip(IFNAMSIZ + 2).zip(address.unwrap_or_default()) {
        *to = from;
    }
    let done = session
        .machine
        .socket(&session.netns, libc::AF_INET, libc::SOCK_DGRAM, 0)
        .and_then(|socket| socket.ioctl(request, &mut bytes));
    if let Err(error) = done {
        session.complain(&format!("ioctl: {}", strerror(error.raw_os_error().unwrap_or(libc::EIO))));
        return Err(Failure::Exit(1));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_files() {
        let link = parse_link("3    h2br            2     1     01005e000099\nbad line\n");
        assert_eq!(link.len(), 1);
        assert_eq!((link[0].address.as_str(), link[0].users, link[0].fixed), ("01:00:5e:00:00:99", 2, true));
        let number = u32::from_ne_bytes([224, 0, 0, 106]);
        let text = format!("Idx\tDevice\n3\th2br      :     2      V3\n\t\t\t\t{number:08X}     1 0:00000000\t\t0\n");
        let igmp = parse_igmp(&text);
        assert_eq!((igmp[0].device.as_str(), igmp[0].address.as_str()), ("h2br", "224.0.0.106"));
        let igmp6 = parse_igmp6("3    h2br            ff02000000000000000000000000006a     1 0000000C 0\n");
        assert_eq!(igmp6[0].address, "ff02::6a");
    }
}
