//! `ip netns`: namespaces with a name, and the ids by which one knows another.

use std::os::unix::process::CommandExt;
use std::process::Command;

use netloom_machine::Netns;
use netloom_machine::netlink::{Message, Request};

use crate::print::{Printer, strerror};
use crate::rtnl::nsids::{self, NETNSA_CURRENT_NSID, NETNSA_FD, NETNSA_NSID, NETNSA_TARGET_NSID, RTGENMSG};
use crate::rtnl::{Arguments, Failure, Outcome, Session, cannot_open, invalid_argument, matches, signed_number};

/// Where namespaces have their names.
const RUN_NETNS: &str = "/run/netns";

/// Runs `ip netns` with the words after it.
pub(super) fn run(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let Some((command, rest)) = words.split_first() else { return list(session) };
    let command = command.as_str();
    // A name is checked before anything is done with it.
    if !session.all
        && let Some(name) = rest.first()
        && !valid(name)
    {
        session.complain(&format!("Invalid netns name \"{name}\""));
        return Err(Failure::Exit(255));
    }
    match command {
        _ if ["list", "show", "lst"].iter().any(|name| matches(command, name)) => list(session),
        _ if matches(command, "list-id") => list_id(session, rest),
        _ if matches(command, "help") => super::usage(session.err, include_str!("usage/netns.txt")),
        _ if matches(command, "add") => add(session, rest),
        _ if matches(command, "set") => set(session, rest),
        _ if matches(command, "delete") => delete(session, rest),
        _ if matches(command, "identify") => identify(session, rest),
        _ if matches(command, "pids") => pids(session, rest),
        _ if matches(command, "exec") => exec(session, rest),
        _ if matches(command, "monitor") => monitor(session),
        _ if matches(command, "attach") => attach(session, rest),
        _ => {
            session.complain(&format!("Command \"{command}\" is unknown, try \"ip netns help\"."));
            Err(Failure::Exit(255))
        }
    }
}

/// A file name, and one that stays in its directory.
fn valid(name: &str) -> bool {
    !name.is_empty() && !name.contains('/') && name != "." && name != ".." && name.len() < 256
}

fn fail<T>(session: &mut Session<'_>, text: &str) -> Outcome<T> {
    session.complain(text);
    Err(Failure::Command(1))
}

fn errno(error: &std::io::Error) -> String {
    strerror(error.raw_os_error().unwrap_or(libc::EIO))
}

fn list(session: &mut Session<'_>) -> Outcome {
    session.nsids.refresh(session.machine, &session.netns, session.err);
    let names = session.machine.netns_list().unwrap_or_default();
    let mut printer = Printer::new(session.out, &session.format);
    printer.open_document();
    for name in &names {
        printer.open_object(None);
        printer.field("name", name, format_args!("{name}"));
        if let Ok(handle) = session.machine.netns_handle(&Netns::Named(name.clone())) {
            match nsids::nsid(&mut session.netlink, &handle) {
                Ok(Some(id)) => printer.field("id", id, format_args!(" (id: {id})")),
                Ok(None) => {}
                Err(error) => crate::rtnl::report(session.err, &error),
            }
        }
        printer.end_record();
    }
    printer.close_document();
    Ok(())
}

fn list_id(session: &mut Session<'_>, words: &[String]) -> Outcome {
    session.nsids.refresh(session.machine, &session.netns, session.err);
    let mut arguments = Arguments::new(words);
    let (mut target, mut only) = (None, None);
    while let Some(word) = arguments.next() {
        let place = match word {
            "target-nsid" => &mut target,
            "nsid" => &mut only,
            _ => return super::usage(session.err, include_str!("usage/netns.txt")),
        };
        let value = arguments.value(session.err)?;
        let Some(id) = signed_number(value).and_then(|id| i32::try_from(id).ok()) else {
            return Err(invalid_argument(session.err, &format!("\"{word}\" value is invalid"), value));
        };
        if id < 0 {
            let message = format!("\"{word}\" value should be >= 0");
            return Err(invalid_argument(session.err, &message, arguments.peek().unwrap_or("(null)")));
        }
        *place = Some(id as u32);
    }
    let mut request = Request::new(libc::RTM_GETNSID, 0);
    request.put(&[0; RTGENMSG]);
    let mut printer = Printer::new(session.out, &session.format);
    printer.open_document();
    let mut print = |message: Message<'_>| {
        print_id(&mut printer, &message, |id| {
            session.nsids.name(session.machine, &session.netns, session.err, id).map(str::to_owned)
        });
    };
    let result = match only {
        Some(id) => {
            request.u32(NETNSA_NSID, id);
            if let Some(target) = target {
                request.u32(NETNSA_TARGET_NSID, target);
            }
            match session.netlink.get(&mut request) {
                Ok(reply) => {
                    print(reply.message());
                    Ok(())
                }
                Err(error) => {
                    drop(printer);
                    crate::rtnl::report(session.err, &error);
                    return Err(Failure::Command(2));
                }
            }
        }
        None => {
            if let Some(target) = target {
                request.u32(NETNSA_TARGET_NSID, target);
            }
            let result = session.netlink.dump(&mut request, print);
            crate::rtnl::finish_dump(session.err, result)
        }
    };
    if result.is_ok() {
        printer.close_document();
    }
    result
}

/// Prints an id and its name.
fn print_id(printer: &mut Printer<'_>, message: &Message<'_>, name: impl FnOnce(i32) -> Option<String>) {
    let table = message.attributes(RTGENMSG).table::<8>();
    let Some(id) = table.i32(NETNSA_NSID) else { return };
    printer.open_object(None);
    if message.kind == libc::RTM_DELNSID {
        printer.field("deleted", true, format_args!("Deleted "));
    }
    printer.field("nsid", id, format_args!("nsid {id} "));
    let current = table.i32(NETNSA_CURRENT_NSID);
    match current {
        Some(current) if current >= 0 => {
            printer.field("current-nsid", current, format_args!("current-nsid {current} "));
        }
        Some(_) => printer.text(format_args!("current-nsid unassigned ")),
        None => {}
    }
    if let Some(name) = name(current.filter(|&current| current >= 0).unwrap_or(id)) {
        printer.field("name", &name, format_args!("(iproute2 netns name: {name})"));
    }
    printer.end_record();
}

/// Prints a notification of an id. A new one may have a name, which the one that goes had.
pub(super) fn notification(session: &mut Session<'_>, head: &str, message: &Message<'_>) {
    if message.kind == libc::RTM_NEWNSID {
        session.nsids.refresh(session.machine, &session.netns, session.err);
    }
    let format = crate::print::Format { json: false, ..session.format };
    let mut printer = Printer::new(session.out, &format);
    printer.text(format_args!("{head}"));
    print_id(&mut printer, message, |id| {
        session.nsids.name(session.machine, &session.netns, session.err, id).map(str::to_owned)
    });
}

fn add(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let Some(name) = words.first() else { return fail(session, "No netns name specified") };
    match session.machine.netns_add(name) {
        Ok(()) => Ok(()),
        Err(error) => cannot_create(session, name, &error),
    }
}

fn cannot_create(session: &mut Session<'_>, name: &str, error: &std::io::Error) -> Outcome {
    if error.kind() == std::io::ErrorKind::Other {
        return fail(session, &error.to_string());
    }
    fail(session, &format!("Cannot create namespace file \"{RUN_NETNS}/{name}\": {}", errno(error)))
}

fn attach(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let [name, pid, ..] = words else { return fail(session, "No netns name and PID specified") };
    let Ok(number) = pid.parse() else { return fail(session, &format!("Invalid PID: {pid}")) };
    match session.machine.netns_attach(name, number) {
        Ok(()) => Ok(()),
        Err(error) if matches!(error.raw_os_error(), None | Some(libc::EEXIST | libc::EROFS | libc::EACCES)) => {
            cannot_create(session, name, &error)
        }
        Err(error) => {
            let text = errno(&error);
            fail(session, &format!("Bind /proc/{number}/ns/net -> {RUN_NETNS}/{name} failed: {text}"))
        }
    }
}

fn delete(session: &mut Session<'_>, words: &[String]) -> Outcome {
    if !session.all {
        let Some(name) = words.first() else { return fail(session, "No netns name specified") };
        return delete_one(session, name);
    }
    let names = session.machine.netns_list().unwrap_or_default();
    names.iter().try_for_each(|name| delete_one(session, name))
}

fn delete_one(session: &mut Session<'_>, name: &str) -> Outcome {
    match session.machine.netns_delete(name) {
        Ok(()) => Ok(()),
        Err(error) => {
            let text = errno(&error);
            fail(session, &format!("Cannot remove namespace file \"{RUN_NETNS}/{name}\": {text}"))
        }
    }
}

fn set(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let Some(name) = words.first() else { return fail(session, "No netns name specified") };
    let Some(value) = words.get(1) else { return fail(session, "No nsid specified") };
    let id = match (value.as_str(), signed_number(value).and_then(|id| i32::try_from(id).ok())) {
        ("auto", _) => -1,
        (_, Some(id)) if id < 0 => {
            return Err(invalid_argument(session.err, "\"netnsid\" value should be >= 0", value));
        }
        (_, Some(id)) => id,
        (_, None) => return Err(invalid_argument(session.err, "Invalid \"netnsid\" value", value)),
    };
    let handle = match session.machine.netns_handle(&Netns::Named(name.clone())) {
        Ok(handle) => handle,
        Err(error) => {
            let text = errno(&error);
            return fail(session, &format!("Cannot open network namespace \"{name}\": {text}"));
        }
    };
    let mut request = Request::new(libc::RTM_NEWNSID, 0);
    request.put(&[0; RTGENMSG]).u32(NETNSA_FD, handle.number()).u32(NETNSA_NSID, id as u32);
    session.request(&mut request)
}

fn identify(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let names = match words.first().filter(|pid| !pid.is_empty()) {
        None => match &session.netns {
            // What `-n` names is where the command is.
            Netns::Named(name) => Ok(vec![name.clone()]),
            _ => session.machine.netns_identify(None),
        },
        Some(pid) => match pid.parse() {
            Ok(pid) => session.machine.netns_identify(Some(pid)),
            Err(_) => return fail(session, &format!("Specified string '{pid}' is not a pid")),
        },
    };
    match names {
        Ok(names) => {
            let _ = writeln!(session.out, "{}", names.first().map_or("", String::as_str));
            for name in names.iter().skip(1) {
                let _ = writeln!(session.out, "{name}");
            }
            Ok(())
        }
        Err(error) => fail(session, &format!("Cannot open network namespace: {}", errno(&error))),
    }
}

fn pids(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let Some(name) = words.first() else { return fail(session, "No netns name specified") };
    match session.machine.netns_pids(name) {
        Ok(pids) => {
            for pid in pids {
                let _ = writeln!(session.out, "{pid}");
            }
            Ok(())
        }
        Err(error) => fail(session, &format!("Cannot open network namespace: {}", errno(&error))),
    }
}

fn exec(session: &mut Session<'_>, words: &[String]) -> Outcome {
    if session.all {
        return exec_in_all(session, words);
    }
    let Some((name, command)) = words.split_first() else { return fail(session, "No netns name specified") };
    let Some((program, arguments)) = command.split_first() else { return fail(session, "No command specified") };
    let _ = session.out.flush();
    let netns = Netns::Named(name.clone());
    if let Err(error) = session.machine.enter(&netns) {
        session.complain(&cannot_open(&netns, &error));
        return Err(Failure::Command(255));
    }
    let error = Command::new(program).args(arguments).exec();
    fail(session, &format!("exec of \"{program}\" failed: {}", errno(&error)))
}

/// Runs a command in one namespace after the other, each from a fresh `ip`, which can enter but once.
fn exec_in_all(session: &mut Session<'_>, words: &[String]) -> Outcome {
    if words.is_empty() {
        return fail(session, "No command specified");
    }
    for name in session.machine.netns_list().unwrap_or_default() {
        let _ = writeln!(session.out, "\nnetns: {name}");
        let _ = session.out.flush();
        let child = Command::new("/proc/self/exe").arg0("ip").args(["netns", "exec", &name]).args(words).status();
        if let Err(error) = child {
            return fail(session, &format!("fork failed: {}", errno(&error)));
        }
    }
    Ok(())
}

/// Reports names as they come and go, until it is interrupted.
fn monitor(session: &mut Session<'_>) -> Outcome {
    let cannot = |session: &mut Session<'_>, what: &str, error: std::io::Error| {
        session.complain(&format!("{what}: {}", errno(&error)));
        Failure::Command(1)
    };
    let mut watch = session
        .machine
        .netns_watch()
        .map_err(|error| cannot(session, &format!("inotify_add_watch failed on {RUN_NETNS}"), error))?;
    loop {
        let changes = watch.wait().map_err(|error| cannot(session, "read failed", error))?;
        for (name, new) in changes {
            let _ = writeln!(session.out, "{} {name}", if new { "add" } else { "delete" });
        }
        let _ = session.out.flush();
    }
}
