//! `bridge`: ports, FDB, multicast groups and VLANs of bridges, by rtnetlink.

mod fdb;
mod fdb_change;
mod link;
mod link_set;
mod mdb;
mod mdb_change;
mod monitor;
mod options;
mod vlan;
mod vlan_change;

use std::io::Write;

use netloom_machine::netlink::Request;

use crate::Context;
use crate::rtnl::options::{Action, exit_status};
use crate::rtnl::{Arguments, Failure, Outcome, Session, batch, duplicate, matches};

/// What follows the object.
type Command = fn(&mut Session<'_>, &[String]) -> Outcome;

/// In the order in which an abbreviation finds them.
const OBJECTS: &[(&str, Command)] = &[
    ("link", link::run),
    ("fdb", fdb::run),
    ("mdb", mdb::run),
    ("vlan", vlan::run),
    ("monitor", monitor::run),
    ("help", help),
];

/// The exit status of a command that failed: -1, as a process gives it.
const FAILED: Failure = Failure::Command(255);

/// Runs `bridge`.
pub(crate) fn run(context: &mut Context<'_>, arguments: &[String]) -> i32 {
    exit_status(start(context, arguments))
}

fn start(context: &mut Context<'_>, arguments: &[String]) -> Outcome {
    let (action, words) = options::parse(arguments, context.err)?;
    let options = match action {
        Action::Run(options) => options,
        Action::Help => return usage(context.err, include_str!("usage/bridge.txt")),
        Action::Version => {
            let _ = writeln!(context.out, "bridge utility, 6.1.0");
            return Ok(());
        }
    };
    let netns = options.netns.clone().unwrap_or_else(|| context.netns.clone());
    options::check(context, &netns)?;
    let mut session = Session::open(context.machine, netns, context.out, context.err, options.format, options.family)?;
    match &options.batch {
        Some(file) => batch::run(&mut session, file, options.force, dispatch).map_err(|failure| match failure {
            Failure::Command(_) => Failure::Command(1),
            exit => exit,
        }),
        None if words.is_empty() => help(&mut session, &[]),
        None => dispatch(&mut session, words),
    }
}

fn dispatch(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let Some((object, rest)) = words.split_first() else { return help(session, &[]) };
    match OBJECTS.iter().find(|(name, _)| matches(object, name)) {
        Some((_, command)) => command(session, rest),
        None => {
            session.complain(&format!("Object \"{object}\" is unknown, try \"bridge help\"."));
            Err(FAILED)
        }
    }
}

fn help(session: &mut Session<'_>, _arguments: &[String]) -> Outcome {
    usage(session.err, include_str!("usage/bridge.txt"))
}

/// Prints a usage text, which is a failure even where it was asked for.
fn usage(err: &mut dyn Write, text: &str) -> Outcome {
    let _ = err.write_all(text.as_bytes());
    Err(Failure::Exit(255))
}

/// Says that an object has no such command.
fn unknown_command(session: &mut Session<'_>, object: &str, command: &str) -> Outcome {
    session.complain(&format!("Command \"{command}\" is unknown, try \"bridge {object} help\"."));
    Err(Failure::Exit(255))
}

/// Says what is wrong; the command has failed.
fn fail<T>(session: &mut Session<'_>, text: &str) -> Outcome<T> {
    session.complain(text);
    Err(FAILED)
}

/// A device's index; where there is none, says that there is no such `what` (`device`, `bridge device` …).
fn device(session: &mut Session<'_>, what: &str, name: &str) -> Outcome<u32> {
    match session.links.index(name) {
        Some(index) => Ok(index),
        None => fail(session, &format!("Cannot find {what} \"{name}\"")),
    }
}

/// What follows `show`: `dev NAME` and `vid VLAN`, each at most once. Other words mean nothing.
fn device_and_vlan(session: &mut Session<'_>, words: &[String]) -> Outcome<(Option<u32>, Option<u16>)> {
    let (mut name, mut vlan) = (None, None);
    let mut arguments = Arguments::new(words);
    while let Some(word) = arguments.next() {
        let value = match word {
            "dev" | "vid" => arguments.value(session.err)?,
            _ => continue,
        };
        let again = match word {
            "dev" => name.replace(value).is_some(),
            _ => vlan.replace(number(value) as u16).is_some(),
        };
        if again {
            return Err(duplicate(session.err, word, value));
        }
    }
    session.links.learn_all();
    let index = name.map(|name| device(session, "device", name)).transpose()?;
    Ok((index, vlan))
}

/// Sends a request and waits for its acknowledgement.
fn request(session: &mut Session<'_>, request: &mut Request) -> Outcome {
    session.request(request).map_err(|_| FAILED)
}

/// A number as `atoi` reads it: the digits at the beginning, 0 where there are none.
fn number(text: &str) -> i32 {
    let text = text.trim_start();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = digits.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(digits.len());
    let value = digits.get(..end).and_then(|digits| digits.parse::<i32>().ok()).unwrap_or(0);
    if negative { -value } else { value }
}

/// A link-layer address as the FDB commands read it: six hexadecimal numbers, whatever follows them.
fn mac_address(text: &str) -> Option<[u8; 6]> {
    let mut bytes = [0; 6];
    let mut parts = text.split(':');
    for byte in &mut bytes {
        let part = parts.next()?;
        let end = part.find(|digit: char| !digit.is_ascii_hexdigit()).unwrap_or(part.len());
        *byte = u64::from_str_radix(part.get(..end)?, 16).ok()? as u8;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_six_numbers() {
        assert_eq!(mac_address("02:11:0:0:0:6"), Some([2, 0x11, 0, 0, 0, 6]));
        assert_eq!(mac_address("02:11:00:00:00:03:04"), Some([2, 0x11, 0, 0, 0, 3]));
        assert_eq!(mac_address("02:11:00:00:00"), None);
        assert_eq!(mac_address("zz"), None);
        assert_eq!(mac_address("0211.0000.0006"), None);
    }

    #[test]
    fn numbers_of_atoi() {
        assert_eq!(number("12x"), 12);
        assert_eq!(number("x"), 0);
        assert_eq!(number("-3"), -3);
    }
}
