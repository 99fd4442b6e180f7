//! `netstat -g`: the multicast groups that devices are members of.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Context;
use crate::nettools::resolve;

/// One membership.
struct Membership {
    device: String,
    users: u32,
    group: IpAddr,
}

pub(super) fn show(context: &mut Context<'_>, inet: bool, inet6: bool, numeric: bool) -> io::Result<i32> {
    let file = |name: &str| {
        let bytes = context.machine.read_file(&context.netns, &format!("/proc/net/{name}")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let mut memberships = Vec::new();
    if inet {
        memberships.extend(parse_igmp(&file("igmp")));
    }
    if inet6 {
        memberships.extend(file("igmp6").lines().filter_map(parse_igmp6));
    }
    writeln!(context.out, "IPv6/IPv4 Group Memberships\nInterface       RefCnt Group")?;
    writeln!(context.out, "--------------- ------ ---------------------")?;
    for Membership { device, users, group } in memberships {
        let name = if numeric { None } else { resolve::host_name(group) };
        let group = name.unwrap_or_else(|| match group {
            IpAddr::V4(group) => group.to_string(),
            IpAddr::V6(group) => resolve::show_inet6(group),
        });
        writeln!(context.out, "{device:<15} {users:<6} {group}")?;
    }
    Ok(0)
}

/// A line for a device, then an indented one for each of its groups.
fn parse_igmp(text: &str) -> Vec<Membership> {
    let mut memberships = Vec::new();
    let mut device = "";
    for line in text.lines().skip(1) {
        let mut words = line.split_whitespace();
        if line.starts_with('\t') {
            let group = words.next().and_then(|group| u32::from_str_radix(group, 16).ok());
            let users = words.next().and_then(|users| users.parse().ok());
            if let (Some(group), Some(users)) = (group, users) {
                let group = Ipv4Addr::from(group.to_ne_bytes()).into();
                memberships.push(Membership { device: device.to_owned(), users, group });
            }
        } else {
            device = words.nth(1).unwrap_or_default();
        }
    }
    memberships
}

fn parse_igmp6(line: &str) -> Option<Membership> {
    let mut words = line.split_whitespace().skip(1);
    Some(Membership {
        device: words.next()?.to_owned(),
        group: Ipv6Addr::from(u128::from_str_radix(words.next()?, 16).ok()?).into(),
        users: words.next()?.parse().ok()?,
    })
}
