//! What `brctl` shows: bridges with their ports, the FDB, and the state of the spanning tree.

use std::io;

use super::settings::not_a_bridge;
use super::{errno, strerror};
use crate::Context;

/// A directory of sysfs files that hold one value each.
struct Values {
    directory: String,
}

impl Values {
    fn bridge(name: &str) -> Values {
        Values { directory: format!("/sys/class/net/{name}/bridge") }
    }

    fn port(name: &str) -> Values {
        Values { directory: format!("/sys/class/net/{name}/brport") }
    }

    fn exist(&self, context: &Context<'_>) -> bool {
        context.machine.read_dir(&context.netns, &self.directory).is_ok()
    }

    fn text(&self, context: &Context<'_>, file: &str) -> String {
        let bytes = context.machine.read_file(&context.netns, &format!("{}/{file}", self.directory));
        String::from_utf8_lossy(&bytes.unwrap_or_default()).trim_end().to_owned()
    }

    fn number(&self, context: &Context<'_>, file: &str) -> i64 {
        let text = self.text(context, file);
        match text.strip_prefix("0x") {
            Some(hex) => i64::from_str_radix(hex, 16),
            None => text.parse(),
        }
        .unwrap_or_default()
    }

    /// Hundredths of a second as seconds, eight characters wide.
    fn time(&self, context: &Context<'_>, file: &str) -> String {
        seconds(self.number(context, file))
    }
}

fn seconds(ticks: i64) -> String {
    format!("{:4}.{:02}", ticks / 100, ticks % 100)
}

pub(super) fn bridges(context: &mut Context<'_>, names: &[String]) -> io::Result<bool> {
    let names = if names.is_empty() { all_bridges(context) } else { names.to_vec() };
    let mut succeeded = true;
    let mut titled = false;
    for name in &names {
        let bridge = Values::bridge(name);
        if !bridge.exist(context) {
            succeeded = false;
            complain(context, name)?;
            continue;
        }
        if !titled {
            writeln!(context.out, "bridge name\tbridge id\t\tSTP enabled\tinterfaces")?;
            titled = true;
        }
        let stp = if bridge.number(context, "stp_state") != 0 { "yes" } else { "no" };
        write!(context.out, "{name}\t\t{}\t{stp}\t\t", bridge.text(context, "bridge_id"))?;
        for (position, port) in ports(context, name).iter().enumerate() {
            if position > 0 {
                write!(context.out, "\n\t\t\t\t\t\t\t")?;
            }
            write!(context.out, "{port}")?;
        }
        writeln!(context.out)?;
    }
    Ok(succeeded)
}

fn complain(context: &mut Context<'_>, name: &str) -> io::Result<()> {
    match not_a_bridge(context, name) {
        libc::ENODEV => writeln!(context.err, "bridge {name} does not exist!"),
        _ => writeln!(context.err, "device {name} is not a bridge!"),
    }
}

fn all_bridges(context: &Context<'_>) -> Vec<String> {
    let mut names = entries(context, "/sys/class/net");
    names.retain(|name| Values::bridge(name).exist(context));
    names
}

fn ports(context: &Context<'_>, bridge: &str) -> Vec<String> {
    entries(context, &format!("/sys/class/net/{bridge}/brif"))
}

fn entries(context: &Context<'_>, directory: &str) -> Vec<String> {
    let entries = context.machine.read_dir(&context.netns, directory).unwrap_or_default();
    let mut names: Vec<String> = entries.into_iter().map(|entry| entry.name).collect();
    names.sort();
    names
}

/// One FDB entry of `brforward`.
struct Entry {
    address: [u8; 6],
    port: u16,
    local: bool,
    age: u32,
}

/// `brforward` is an array of 16 bytes each: address, low byte of the port number, is_local, age in hundredths of a
/// second, high byte of the port number, padding.
fn parse_entry(bytes: &[u8]) -> Option<Entry> {
    let address = bytes.get(..6)?.try_into().ok()?;
    let age = bytes.get(8..12)?.try_into().ok()?;
    let port = u16::from_le_bytes([*bytes.get(6)?, *bytes.get(12)?]);
    Some(Entry { address, port, local: *bytes.get(7)? != 0, age: u32::from_ne_bytes(age) })
}

pub(super) fn addresses(context: &mut Context<'_>, arguments: &[String]) -> io::Result<bool> {
    let [bridge, ..] = arguments else { return Ok(false) };
    let read = context.machine.read_file(&context.netns, &format!("/sys/class/net/{bridge}/brforward"));
    let Ok(bytes) = read else {
        let code = match not_a_bridge(context, bridge) {
            libc::ENOENT => errno(&read),
            code => code,
        };
        writeln!(context.err, "read of forward table failed: {}", strerror(code))?;
        return Ok(false);
    };
    let mut entries: Vec<Entry> = bytes.chunks_exact(16).filter_map(parse_entry).collect();
    entries.sort_by_key(|entry| entry.address);
    writeln!(context.out, "port no\tmac addr\t\tis local?\tageing timer")?;
    for entry in entries {
        let address = entry.address.map(|byte| format!("{byte:02x}")).join(":");
        let local = if entry.local { "yes" } else { "no" };
        writeln!(context.out, "{:3}\t{address}\t{local}\t\t{}", entry.port, seconds(entry.age.into()))?;
    }
    Ok(true)
}

pub(super) fn stp(context: &mut Context<'_>, arguments: &[String]) -> io::Result<bool> {
    let [name, ..] = arguments else { return Ok(false) };
    let bridge = Values::bridge(name);
    if !bridge.exist(context) {
        complain(context, name)?;
        return Ok(false);
    }
    let number = |file| bridge.number(context, file);
    let time = |file| bridge.time(context, file);
    let mut lines = vec![
        name.clone(),
        format!(" bridge id\t\t{}", bridge.text(context, "bridge_id")),
        format!(" designated root\t{}", bridge.text(context, "root_id")),
        format!(" root port\t\t{:4}\t\t\tpath cost\t\t{:4}", number("root_port"), number("root_path_cost")),
    ];
    // sysfs knows one value of each, while the kernel may be using its root's.
    for (label, own, file) in [
        ("max age\t\t", "bridge max age\t\t", "max_age"),
        ("hello time\t\t", "bridge hello time\t", "hello_time"),
        ("forward delay\t\t", "bridge forward delay\t", "forward_delay"),
    ] {
        lines.push(format!(" {label}{0}\t\t\t{own}{0}", time(file)));
    }
    lines.push(format!(" ageing time\t\t{}", time("ageing_time")));
    lines.push(format!(" hello timer\t\t{}\t\t\ttcn timer\t\t{}", time("hello_timer"), time("tcn_timer")));
    let timer = time("topology_change_timer");
    lines.push(format!(" topology change timer\t{timer}\t\t\tgc timer\t\t{}", time("gc_timer")));
    let mut flags = String::from(" flags\t\t\t");
    for (file, flag) in
        [("topology_change", "TOPOLOGY_CHANGE "), ("topology_change_detected", "TOPOLOGY_CHANGE_DETECTED ")]
    {
        if number(file) != 0 {
            flags.push_str(flag);
        }
    }
    lines.push(flags);
    lines.push("\n".to_owned());
    for port in ports(context, name) {
        lines.append(&mut port_lines(context, &port));
        lines.push(String::new());
    }
    for line in lines {
        writeln!(context.out, "{line}")?;
    }
    Ok(true)
}

fn port_lines(context: &Context<'_>, name: &str) -> Vec<String> {
    let port = Values::port(name);
    let number = |file| port.number(context, file);
    let time = |file| port.time(context, file);
    let state = match number("state") {
        0 => "disabled",
        1 => "listening",
        2 => "learning",
        3 => "forwarding",
        4 => "blocking",
        _ => "<INVALID STATE>",
    };
    let mut flags = String::from(" flags\t\t\t");
    for (file, flag) in [("config_pending", "CONFIG_PENDING "), ("change_ack", "TOPOLOGY_CHANGE_ACK ")] {
        if number(file) != 0 {
            flags.push_str(flag);
        }
    }
    let root = port.text(context, "designated_root");
    let bridge = port.text(context, "designated_bridge");
    let mut lines = vec![
        format!("{name} ({})", number("port_no")),
        format!(" port id\t\t{:04x}\t\t\tstate\t\t{state:>15}", number("port_id")),
        format!(" designated root\t{root}\tpath cost\t\t{:4}", number("path_cost")),
        format!(" designated bridge\t{bridge}\tmessage age timer\t{}", time("message_age_timer")),
        format!(
            " designated port\t{:04x}\t\t\tforward delay timer\t{}",
            number("designated_port"),
            time("forward_delay_timer")
        ),
        format!(" designated cost\t{:4}\t\t\thold timer\t\t{}", number("designated_cost"), time("hold_timer")),
        flags,
    ];
    if number("hairpin_mode") != 0 {
        lines.push(format!(" hairpin mode\t\t{:4}", number("hairpin_mode")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarding_entries_have_their_port_in_two_halves() {
        let entry = parse_entry(&[2, 0, 0, 0, 0, 10, 1, 1, 44, 1, 0, 0, 2, 0, 0, 0]).unwrap();
        assert_eq!((entry.port, entry.local, entry.age), (0x201, true, 300));
        assert!(parse_entry(&[0; 12]).is_none());
    }
}
