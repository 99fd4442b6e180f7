//! `ip tuntap`: devices whose other end is a program, made by ioctls on `/dev/net/tun`.

use std::io;

use netloom_machine::netlink::Request;
use netloom_machine::{Machine, Netns, Socket};

use super::link::{header, info};
use crate::print::{Printer, strerror};
use crate::rtnl::{
    Arguments, Failure, IFINFOMSG, Outcome, Session, duplicate_or_garbage, finish_dump, invalid_argument, matches,
};

const TUNSETIFF: u32 = 0x4004_54ca;
const TUNSETPERSIST: u32 = 0x4004_54cb;
const TUNSETOWNER: u32 = 0x4004_54cc;
const TUNSETGROUP: u32 = 0x4004_54ce;

const IFF_TUN: u16 = 0x0001;
const IFF_TAP: u16 = 0x0002;
const IFF_MULTI_QUEUE: u16 = 0x0100;
const IFF_PERSIST: u16 = 0x0800;
const IFF_NO_PI: u16 = 0x1000;
const IFF_ONE_QUEUE: u16 = 0x2000;
const IFF_VNET_HDR: u16 = 0x4000;
const IFF_TUN_EXCL: u16 = 0x8000;

/// Bytes of a name in an `ifreq`, and of an `ifreq`.
const IFNAMSIZ: usize = 16;
const IFREQ: usize = 40;

/// Runs `ip tuntap` with the words after it.
pub(super) fn run(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let Some((command, rest)) = words.split_first() else { return show(session) };
    let is = |name| matches(command, name);
    match () {
        () if is("add") => {
            let device = Device::parse(session, rest)?;
            device.make(session)
        }
        () if is("delete") => {
            let device = Device::parse(session, rest)?;
            device.remove(session)
        }
        () if is("show") || is("lst") || is("list") => show(session),
        () if is("help") => usage(session),
        () => {
            session.complain(&format!("Command \"{command}\" is unknown, try \"ip tuntap help\"."));
            Err(Failure::Exit(255))
        }
    }
}

fn usage<T>(session: &mut Session<'_>) -> Outcome<T> {
    let _ = session.err.write_all(include_bytes!("usage/tuntap.txt"));
    Err(Failure::Exit(255))
}

/// What a command line says of a device.
struct Device<'a> {
    name: Option<&'a str>,
    flags: u16,
    user: Option<u32>,
    group: Option<u32>,
}

impl<'a> Device<'a> {
    fn parse(session: &mut Session<'_>, words: &'a [String]) -> Outcome<Device<'a>> {
        let mut arguments = Arguments::new(words);
        let mut device = Device { name: None, flags: IFF_NO_PI, user: None, group: None };
        while let Some(word) = arguments.next() {
            let is = |name| matches(word, name);
            match () {
                () if is("mode") => {
                    let mode = arguments.value(session.err)?;
                    if device.flags & (IFF_TUN | IFF_TAP) != 0 {
                        session.complain("You managed to ask for more than one tunnel mode.");
                        return Err(Failure::Exit(255));
                    }
                    device.flags |= match () {
                        () if matches(mode, "tun") => IFF_TUN,
                        () if matches(mode, "tap") => IFF_TAP,
                        () => {
                            session.complain(&format!("Unknown tunnel mode \"{mode}\""));
                            return Err(Failure::Exit(255));
                        }
                    };
                }
                () if is("user") => device.user = account(session, &mut arguments, "user", "/etc/passwd")?,
                () if is("group") => device.group = account(session, &mut arguments, "group", "/etc/group")?,
                () if is("pi") => device.flags &= !IFF_NO_PI,
                () if is("one_queue") => device.flags |= IFF_ONE_QUEUE,
                () if is("vnet_hdr") => device.flags |= IFF_VNET_HDR,
                () if is("multi_queue") => device.flags |= IFF_MULTI_QUEUE,
                () if is("dev") => {
                    let name = arguments.value(session.err)?;
                    device.name = Some(checked(session, name)?);
                }
                () => {
                    let name = if is("name") { arguments.value(session.err)? } else { word };
                    if matches(name, "help") {
                        return usage(session);
                    }
                    if device.name.is_some() {
                        return Err(duplicate_or_garbage(session.err, "name", name));
                    }
                    device.name = Some(checked(session, name)?);
                }
            }
        }
        if device.flags & (IFF_TUN | IFF_TAP) == 0 {
            session.complain("You failed to specify a tunnel mode");
            return Err(Failure::Command(1));
        }
        Ok(device)
    }

    /// A descriptor that is attached to the device, which it makes if there is none.
    fn attach(&self, session: &mut Session<'_>, flags: u16) -> Outcome<Socket> {
        let tun = session.machine.open_tun(&session.netns);
        let tun = tun.map_err(|error| failed(session, "open", &error))?;
        let mut ifreq = [0; IFREQ];
        for (to, from) in ifreq.iter_mut().zip(self.name.unwrap_or_default().bytes()) {
            *to = from;
        }
        ifreq[IFNAMSIZ..IFNAMSIZ + 2].copy_from_slice(&flags.to_ne_bytes());
        tun.ioctl(TUNSETIFF, &mut ifreq).map_err(|error| failed(session, "ioctl(TUNSETIFF)", &error))?;
        Ok(tun)
    }

    fn make(&self, session: &mut Session<'_>) -> Outcome {
        let tun = self.attach(session, self.flags | IFF_TUN_EXCL)?;
        let mut set = |request, name: &str, value| match tun.ioctl_value(request, value) {
            Ok(_) => Ok(()),
            Err(error) => Err(failed(session, &format!("ioctl({name})"), &error)),
        };
        if let Some(user) = self.user {
            set(TUNSETOWNER, "TUNSETOWNER", user)?;
        }
        if let Some(group) = self.group {
            set(TUNSETGROUP, "TUNSETGROUP", group)?;
        }
        set(TUNSETPERSIST, "TUNSETPERSIST", 1)
    }

    fn remove(&self, session: &mut Session<'_>) -> Outcome {
        let tun = self.attach(session, self.flags)?;
        match tun.ioctl_value(TUNSETPERSIST, 0) {
            Ok(_) => Ok(()),
            Err(error) => Err(failed(session, "ioctl(TUNSETPERSIST)", &error)),
        }
    }
}

fn failed(session: &mut Session<'_>, call: &str, error: &io::Error) -> Failure {
    session.complain(&format!("{call}: {}", strerror(error.raw_os_error().unwrap_or(libc::EIO))));
    Failure::Command(1)
}

/// A name that a device can have.
fn checked<'a>(session: &mut Session<'_>, name: &'a str) -> Outcome<&'a str> {
    let bad = name.is_empty() || name.len() >= IFNAMSIZ || name.bytes().any(|b| b == b'/' || b.is_ascii_whitespace());
    if bad { Err(invalid_argument(session.err, "\"name\" not a valid ifname", name)) } else { Ok(name) }
}

/// A user or group, by number or by name; `None` for -1, which is nobody.
fn account(session: &mut Session<'_>, arguments: &mut Arguments<'_>, what: &str, file: &str) -> Outcome<Option<u32>> {
    let word = arguments.value(session.err)?;
    let number = word.trim_start().parse::<i64>().ok().or_else(|| account_number(file, word).map(i64::from));
    match number {
        // As a C program cuts it.
        Some(number) => Ok(Some(number as u32).filter(|id| *id != u32::MAX)),
        None => {
            session.complain(&format!("invalid {what} \"{word}\""));
            Err(Failure::Exit(255))
        }
    }
}

/// The number of a user or group by its name, from a file of lines `NAME:PASSWORD:NUMBER:…`.
fn account_number(file: &str, name: &str) -> Option<u32> {
    let text = std::fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then(|| fields.nth(1)?.parse().ok())?
    })
}

/// Lists every TUN and TAP device, whatever the words behind it say.
fn show(session: &mut Session<'_>) -> Outcome {
    let mut request = Request::new(libc::RTM_GETLINK, 0);
    request.put(&header(0, 0, 0, 0));
    let nest = request.begin(libc::IFLA_LINKINFO);
    request.attribute(info::IFLA_INFO_KIND, b"tun").end(nest);
    let mut names = Vec::new();
    let result = session.netlink.dump(&mut request, |message| {
        let table = message.attributes(IFINFOMSG).table::<64>();
        let info = table.nested(libc::IFLA_LINKINFO).table::<8>();
        if info.string(info::IFLA_INFO_KIND) == Some("tun")
            && let Some(name) = table.string(libc::IFLA_IFNAME)
        {
            names.push(name.to_owned());
        }
    });
    let mut printer = Printer::new(session.out, &session.format);
    printer.open_document();
    for name in &names {
        let path = format!("/sys/class/net/{name}");
        let Some(flags) = number(session.machine, &session.netns, session.err, &format!("{path}/tun_flags")) else {
            continue;
        };
        let id = |file| {
            number(session.machine, &session.netns, &mut io::sink(), &format!("{path}/{file}")).filter(|id| *id != -1)
        };
        printer.open_object(None);
        printer.field("ifname", name, format_args!("{name}:"));
        print_flags(&mut printer, flags as u16);
        for key in ["owner", "group"] {
            if let Some(id) = id(key) {
                let key = if key == "owner" { "user" } else { key };
                printer.field(key, id, format_args!(" {key} {id}"));
            }
        }
        if session.format.details > 0 {
            print_processes(&mut printer, session.machine, name);
        }
        printer.end_record();
    }
    printer.close_document();
    drop(printer);
    finish_dump(session.err, result)
}

/// The number in a file; what is not there is complained of.
fn number(machine: &Machine, netns: &Netns, err: &mut dyn io::Write, path: &str) -> Option<i64> {
    match machine.read_file(netns, path) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            let text = text.trim();
            match text.strip_prefix("0x") {
                Some(digits) => i64::from_str_radix(digits, 16).ok(),
                None => text.parse().ok(),
            }
        }
        Err(error) => {
            let _ = writeln!(err, "fopen {path}: {}", strerror(error.raw_os_error().unwrap_or(libc::EIO)));
            None
        }
    }
}

fn print_flags(printer: &mut Printer<'_>, flags: u16) {
    let no_pi = flags & IFF_NO_PI != 0;
    let words = [
        (flags & IFF_TUN != 0, "tun"),
        (flags & IFF_TAP != 0, "tap"),
        (!no_pi, "pi"),
        (flags & IFF_ONE_QUEUE != 0, "one_queue"),
        (flags & IFF_MULTI_QUEUE != 0, "multi_queue"),
        (flags & IFF_VNET_HDR != 0, "vnet_hdr"),
        (flags & IFF_PERSIST != 0, "persist"),
        // The same bit says both: no packet information, no filter.
        (!no_pi, "filter"),
    ];
    let known = IFF_TUN | IFF_TAP | IFF_NO_PI | IFF_ONE_QUEUE | IFF_MULTI_QUEUE | IFF_VNET_HDR | IFF_PERSIST;
    printer.open_array("flags");
    for (_, word) in words.iter().filter(|(set, _)| *set) {
        printer.element(*word, format_args!(" {word}"));
    }
    if flags & !known != 0 {
        let rest = format!("{:#x}", flags & !known);
        printer.element(&rest, format_args!(" {rest}"));
    }
    printer.close_array();
}

/// The processes that have a descriptor attached to the device.
fn print_processes(printer: &mut Printer<'_>, machine: &Machine, name: &str) {
    printer.line_break();
    printer.text(format_args!("\tAttached to processes:"));
    printer.open_array("processes");
    let entries = |path: &str| machine.read_dir(&Netns::Current, path).unwrap_or_default();
    let text = |path: &str| {
        let bytes = machine.read_file(&Netns::Current, path).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    for pid in entries("/proc").iter().filter_map(|entry| entry.name.parse::<u32>().ok()) {
        for fd in entries(&format!("/proc/{pid}/fd")) {
            let link = machine.read_link(&Netns::Current, &format!("/proc/{pid}/fd/{}", fd.name));
            if !link.is_ok_and(|target| target == "/dev/net/tun") {
                continue;
            }
            let about = text(&format!("/proc/{pid}/fdinfo/{}", fd.name));
            if about.lines().any(|line| line.strip_prefix("iff:").is_some_and(|attached| attached.trim() == name)) {
                let process = text(&format!("/proc/{pid}/comm"));
                let process = process.trim_end();
                printer.field("name", process, format_args!("{process}"));
                printer.field("pid", pid, format_args!("({pid})"));
            }
        }
    }
    printer.close_array();
}
