//! `brctl`: bridges as bridge-utils 1.7 handles them, with ioctls to make and break them and sysfs for everything else.

mod number;
mod settings;
mod show;

use std::io;

use netloom_machine::Socket;

use crate::Context;

/// `SIOCBRADDBR` and `SIOCBRDELBR`: the argument is the bridge's name.
const SIOCBRADDBR: u32 = 0x89a0;
const SIOCBRDELBR: u32 = 0x89a1;
/// `SIOCBRADDIF` and `SIOCBRDELIF`: an `ifreq` with the bridge's name and the port's ifindex.
const SIOCBRADDIF: u32 = 0x89a2;
const SIOCBRDELIF: u32 = 0x89a3;
const SIOCGIFINDEX: u32 = 0x8933;

const NAME_LENGTH: usize = 16;
const IFREQ_LENGTH: usize = 40;

struct Command {
    name: &'static str,
    /// How many arguments it needs; what comes beyond is ignored by all but those that take a list.
    arguments: usize,
    run: fn(&mut Context<'_>, &[String]) -> io::Result<bool>,
    help: &'static str,
}

/// In the order of the usage text. A command gives whether it succeeded; its `Err` is a failure to write.
const COMMANDS: &[Command] = &[
    Command { name: "addbr", arguments: 1, run: add_bridge, help: "<bridge>\t\tadd bridge" },
    Command { name: "delbr", arguments: 1, run: delete_bridge, help: "<bridge>\t\tdelete bridge" },
    Command { name: "addif", arguments: 2, run: add_ports, help: "<bridge> <device>\tadd interface to bridge" },
    Command { name: "delif", arguments: 2, run: delete_ports, help: "<bridge> <device>\tdelete interface from bridge" },
    Command {
        name: "hairpin",
        arguments: 3,
        run: settings::hairpin,
        help: "<bridge> <port> {on|off}\tturn hairpin on/off",
    },
    Command { name: "setageing", arguments: 2, run: settings::ageing, help: "<bridge> <time>\t\tset ageing time" },
    Command {
        name: "setbridgeprio",
        arguments: 2,
        run: settings::bridge_priority,
        help: "<bridge> <prio>\t\tset bridge priority",
    },
    Command {
        name: "setfd",
        arguments: 2,
        run: settings::forward_delay,
        help: "<bridge> <time>\t\tset bridge forward delay",
    },
    Command { name: "sethello", arguments: 2, run: settings::hello, help: "<bridge> <time>\t\tset hello time" },
    Command { name: "setmaxage", arguments: 2, run: settings::max_age, help: "<bridge> <time>\t\tset max message age" },
    Command {
        name: "setpathcost",
        arguments: 3,
        run: settings::path_cost,
        help: "<bridge> <port> <cost>\tset path cost",
    },
    Command {
        name: "setportprio",
        arguments: 3,
        run: settings::port_priority,
        help: "<bridge> <port> <prio>\tset port priority",
    },
    Command { name: "show", arguments: 0, run: show::bridges, help: "[ <bridge> ]\t\tshow a list of bridges" },
    Command { name: "showmacs", arguments: 1, run: show::addresses, help: "<bridge>\t\tshow a list of mac addrs" },
    Command { name: "showstp", arguments: 1, run: show::stp, help: "<bridge>\t\tshow bridge stp info" },
    Command { name: "stp", arguments: 2, run: settings::stp, help: "<bridge> {on|off}\tturn stp on/off" },
];

pub(crate) fn run(context: &mut Context<'_>, arguments: &[String]) -> i32 {
    match dispatch(context, arguments) {
        Ok(true) => 0,
        Ok(false) | Err(_) => 1,
    }
}

fn dispatch(context: &mut Context<'_>, arguments: &[String]) -> io::Result<bool> {
    let mut words = Vec::new();
    let mut rest = arguments.iter();
    // Options may stand anywhere before `--`, and the first one decides.
    while let Some(argument) = rest.next() {
        if argument == "--" {
            words.extend(rest.by_ref().cloned());
        } else if argument.len() > 1 && argument.starts_with('-') {
            return option(context, argument);
        } else {
            words.push(argument.clone());
        }
    }
    let Some((name, arguments)) = words.split_first() else {
        usage(context)?;
        return Ok(false);
    };
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        writeln!(context.err, "never heard of command [{name}]")?;
        usage(context)?;
        return Ok(false);
    };
    if arguments.len() < command.arguments {
        writeln!(context.out, "Incorrect number of arguments for command")?;
        writeln!(context.out, "Usage: brctl {} {}", command.name, command.help)?;
        return Ok(false);
    }
    (command.run)(context, arguments)
}

fn option(context: &mut Context<'_>, argument: &str) -> io::Result<bool> {
    let wrong = match argument.strip_prefix("--") {
        Some(long) => {
            let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            match ["help", "version"].into_iter().find(|option| option.starts_with(name)) {
                Some(option) if value.is_some() => format!("option '--{option}' doesn't allow an argument"),
                Some("help") => return usage(context).map(|()| true),
                Some(_) => return version(context).map(|()| true),
                None => format!("unrecognized option '--{long}'"),
            }
        }
        None => match argument.chars().nth(1) {
            Some('h') => return usage(context).map(|()| true),
            Some('V') => return version(context).map(|()| true),
            letter => format!("invalid option -- '{}'", letter.unwrap_or_default()),
        },
    };
    writeln!(context.err, "brctl: {wrong}")?;
    writeln!(context.err, "Unknown option '?'")?;
    usage(context)?;
    Ok(false)
}

fn version(context: &mut Context<'_>) -> io::Result<()> {
    writeln!(context.out, "bridge-utils, 1.7")
}

fn usage(context: &mut Context<'_>) -> io::Result<()> {
    writeln!(context.out, "Usage: brctl [commands]\ncommands:")?;
    for command in COMMANDS {
        writeln!(context.out, "\t{:<10}\t{}", command.name, command.help)?;
    }
    Ok(())
}

fn add_bridge(context: &mut Context<'_>, arguments: &[String]) -> io::Result<bool> {
    let [bridge, ..] = arguments else { return Ok(false) };
    let result = socket(context).and_then(|socket| socket.ioctl(SIOCBRADDBR, &mut name_bytes(bridge)));
    match errno(&result) {
        0 => return Ok(true),
        libc::EEXIST => {
            writeln!(context.err, "device {bridge} already exists; can't create bridge with the same name")?
        }
        code => writeln!(context.err, "add bridge failed: {}", strerror(code))?,
    }
    Ok(false)
}

fn delete_bridge(context: &mut Context<'_>, arguments: &[String]) -> io::Result<bool> {
    let [bridge, ..] = arguments else { return Ok(false) };
    let result = socket(context).and_then(|socket| socket.ioctl(SIOCBRDELBR, &mut name_bytes(bridge)));
    match errno(&result) {
        0 => return Ok(true),
        libc::ENXIO => writeln!(context.err, "bridge {bridge} doesn't exist; can't delete it")?,
        libc::EBUSY => writeln!(context.err, "bridge {bridge} is still up; can't delete it")?,
        code => writeln!(context.err, "can't delete bridge {bridge}: {}", strerror(code))?,
    }
    Ok(false)
}

fn add_ports(context: &mut Context<'_>, arguments: &[String]) -> io::Result<bool> {
    let Some((bridge, ports)) = arguments.split_first() else { return Ok(false) };
    for port in ports {
        match change_port(context, SIOCBRADDIF, bridge, port)? {
            0 => continue,
            libc::ENODEV => missing(context, bridge, port)?,
            libc::EBUSY => writeln!(
                context.err,
                "device {port} is already a member of a bridge; can't add it to bridge {bridge}."
            )?,
            libc::ELOOP => writeln!(
                context.err,
                "device {port} is a bridge device itself; can't add a bridge device to a bridge device."
            )?,
            code => writeln!(context.err, "can't add {port} to bridge {bridge}: {}", strerror(code))?,
        }
        return Ok(false);
    }
    Ok(true)
}

fn delete_ports(context: &mut Context<'_>, arguments: &[String]) -> io::Result<bool> {
    let Some((bridge, ports)) = arguments.split_first() else { return Ok(false) };
    for port in ports {
        match change_port(context, SIOCBRDELIF, bridge, port)? {
            0 => continue,
            libc::ENODEV => missing(context, bridge, port)?,
            libc::EINVAL => writeln!(context.err, "device {port} is not a port of {bridge}")?,
            code => writeln!(context.err, "can't delete {port} from {bridge}: {}", strerror(code))?,
        }
        return Ok(false);
    }
    Ok(true)
}

/// The errno of an ioctl that names a bridge and a port; 0 where it succeeded.
fn change_port(context: &Context<'_>, request: u32, bridge: &str, port: &str) -> io::Result<i32> {
    let Some(index) = ifindex(context, port) else { return Ok(libc::ENODEV) };
    let mut request_bytes = [0; IFREQ_LENGTH];
    request_bytes[..NAME_LENGTH].copy_from_slice(&name_bytes(bridge));
    request_bytes[NAME_LENGTH..NAME_LENGTH + 4].copy_from_slice(&index.to_ne_bytes());
    match errno(&socket(context).and_then(|socket| socket.ioctl(request, &mut request_bytes))) {
        libc::EPERM if ifindex(context, bridge).is_none() => Ok(libc::ENODEV),
        code => Ok(code),
    }
}

/// Which of the two doesn't exist.
fn missing(context: &mut Context<'_>, bridge: &str, port: &str) -> io::Result<()> {
    match ifindex(context, port) {
        None => writeln!(context.err, "interface {port} does not exist!"),
        Some(_) => writeln!(context.err, "bridge {bridge} does not exist!"),
    }
}

fn socket(context: &Context<'_>) -> io::Result<Socket> {
    context.machine.socket(&context.netns, libc::AF_UNIX, libc::SOCK_STREAM, 0)
}

fn ifindex(context: &Context<'_>, name: &str) -> Option<i32> {
    if name.len() >= NAME_LENGTH {
        return None;
    }
    let mut request = [0; IFREQ_LENGTH];
    request[..NAME_LENGTH].copy_from_slice(&name_bytes(name));
    socket(context).ok()?.ioctl(SIOCGIFINDEX, &mut request).ok()?;
    request.get(NAME_LENGTH..NAME_LENGTH + 4)?.try_into().ok().map(i32::from_ne_bytes)
}

/// A name as the kernel reads it: cut to 15 bytes, with zeros behind.
fn name_bytes(name: &str) -> [u8; NAME_LENGTH] {
    let mut bytes = [0; NAME_LENGTH];
    for (to, from) in bytes.iter_mut().take(NAME_LENGTH - 1).zip(name.bytes()) {
        *to = from;
    }
    bytes
}

fn errno<T>(result: &io::Result<T>) -> i32 {
    match result {
        Ok(_) => 0,
        Err(error) => error.raw_os_error().unwrap_or(libc::EIO),
    }
}

/// The C library's text for an errno, without the number that Rust adds.
fn strerror(errno: i32) -> String {
    let text = io::Error::from_raw_os_error(errno).to_string();
    text.rsplit_once(" (os error").map_or(text.clone(), |(text, _)| text.to_owned())
}
