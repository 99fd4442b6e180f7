//! What `brctl` sets through `/sys/class/net/*/bridge` and `brport`.

use std::io;

use super::{errno, ifindex, missing, number, strerror};
use crate::Context;

pub(super) fn stp(context: &mut Context<'_>, arguments: &[String]) -> io::Result<bool> {
    let [bridge, state, ..] = arguments else { return Ok(false) };
    let Some(on) = switch(context, state)? else { return Ok(false) };
    set_bridge(context, bridge, "stp_state", on, "set stp status failed")
}

pub(super) fn ageing(context: &mut Context<'_>, arguments: &[String]) -> io::Result<bool> {
    set_time(context, arguments, "ageing_time", "ageing time value", "set ageing time failed")
}

pub(super) fn forward_delay(context: &mut Context<'_>, arguments: &[String]) -> io::Result<bool> {
    set_time(context, arguments, "forward_delay", "forward delay value", "set forward delay failed")
}

pub(super) fn hello(context: &mut Context<'_>, arguments: &[String]) -> io::Result<bool> {
    set_time(context, arguments, "hello_time", "hello timer value", "set hello timer failed")
}

pub(super) fn max_age(context: &mut Context<'_>, arguments: &[String]) -> io::Result<bool> {
    set_time(context, arguments, "max_age", "max age value", "set max age failed")
}

pub(super) fn bridge_priority(context: &mut Context<'_>, arguments: &[String]) -> io::Result<bool> {
    let [bridge, priority, ..] = arguments else { return Ok(false) };
    let Some(priority) = number::integer(priority) else { return bad(context, "priority") };
    set_bridge(context, bridge, "priority", i64::from(priority) as u64, "set bridge priority failed")
}

pub(super) fn path_cost(context: &mut Context<'_>, arguments: &[String]) -> io::Result<bool> {
    let [bridge, port, cost, ..] = arguments else { return Ok(false) };
    let Some(cost) = number::integer(cost) else { return bad(context, "path cost value") };
    set_port(context, bridge, port, "path_cost", cost, "set path cost failed")
}

pub(super) fn port_priority(context: &mut Context<'_>, arguments: &[String]) -> io::Result<bool> {
    let [bridge, port, priority, ..] = arguments else { return Ok(false) };
    let Some(priority) = number::integer(priority) else { return bad(context, "path priority value") };
    set_port(context, bridge, port, "priority", priority, "set port priority failed")
}

pub(super) fn hairpin(context: &mut Context<'_>, arguments: &[String]) -> io::Result<bool> {
    let [bridge, port, state, ..] = arguments else { return Ok(false) };
    let Some(on) = switch(context, state)? else { return Ok(false) };
    if ifindex(context, port).is_none() || ifindex(context, bridge).is_none() {
        missing(context, bridge, port)?;
        return Ok(false);
    }
    let path = format!("/sys/class/net/{port}/brport/hairpin_mode");
    match write(context, &path, on) {
        0 => Ok(true),
        code => {
            // There never was an ioctl for this setting, to refuse those who may not write the file.
            let code = if code == libc::EACCES { libc::EOPNOTSUPP } else { code };
            writeln!(context.err, "can't set {port} to hairpin on bridge {bridge}: {}", strerror(code))?;
            Ok(false)
        }
    }
}

fn switch(context: &mut Context<'_>, state: &str) -> io::Result<Option<u64>> {
    match state {
        "on" | "yes" | "1" => Ok(Some(1)),
        "off" | "no" | "0" => Ok(Some(0)),
        _ => writeln!(context.err, "expect on/off for argument").map(|()| None),
    }
}

fn bad(context: &mut Context<'_>, what: &str) -> io::Result<bool> {
    writeln!(context.err, "bad {what}")?;
    Ok(false)
}

fn set_time(
    context: &mut Context<'_>,
    arguments: &[String],
    file: &str,
    what: &str,
    failure: &str,
) -> io::Result<bool> {
    let [bridge, time, ..] = arguments else { return Ok(false) };
    let Some(seconds) = number::float(time) else { return bad(context, what) };
    set_bridge(context, bridge, file, ticks(seconds), failure)
}

/// Hundredths of a second. Counted as unsigned microseconds first, which makes something huge of what is negative.
fn ticks(seconds: f64) -> u64 {
    let whole = seconds as i64;
    let microseconds = ((seconds - whole as f64) * 1e6) as i64;
    (whole.wrapping_mul(1_000_000).wrapping_add(microseconds) as u64) / 10_000
}

fn set_bridge(context: &mut Context<'_>, bridge: &str, file: &str, value: u64, failure: &str) -> io::Result<bool> {
    let path = format!("/sys/class/net/{bridge}/bridge/{file}");
    let code = match write(context, &path, value) {
        0 => return Ok(true),
        libc::ENOENT => not_a_bridge(context, bridge),
        libc::EACCES => libc::EPERM,
        code => code,
    };
    writeln!(context.err, "{failure}: {}", strerror(code))?;
    Ok(false)
}

fn set_port(
    context: &mut Context<'_>,
    bridge: &str,
    port: &str,
    file: &str,
    value: i32,
    failure: &str,
) -> io::Result<bool> {
    let path = format!("/sys/class/net/{port}/brport/{file}");
    let code = match write(context, &path, i64::from(value) as u64) {
        0 => return Ok(true),
        libc::ENOENT if ifindex(context, port).is_none() => libc::ENODEV,
        libc::ENOENT => not_a_bridge(context, bridge),
        libc::EACCES => libc::EPERM,
        code => code,
    };
    writeln!(context.err, "{failure}: {}", strerror(code))?;
    Ok(false)
}

/// The errno for a device whose bridge files aren't there: it doesn't exist, or is something else. ENOENT where it is
/// a bridge, and so the port is not one of its ports.
pub(super) fn not_a_bridge(context: &Context<'_>, name: &str) -> i32 {
    if ifindex(context, name).is_none() {
        libc::ENODEV
    } else if context.machine.read_dir(&context.netns, &format!("/sys/class/net/{name}/bridge")).is_err() {
        libc::EOPNOTSUPP
    } else {
        libc::ENOENT
    }
}

/// Writes a number and gives the errno, 0 for success.
fn write(context: &Context<'_>, path: &str, value: u64) -> i32 {
    errno(&context.machine.write_file(&context.netns, path, format!("{value}\n").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::ticks;

    #[test]
    fn times_are_cut_to_hundredths() {
        assert_eq!(ticks(1.557), 155);
        assert_eq!(ticks(1.999999), 199);
        assert_eq!(ticks(100.0), 10000);
        assert_eq!(ticks(-5.0), 1844674407370455);
    }
}
