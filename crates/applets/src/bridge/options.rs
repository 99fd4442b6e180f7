//! `bridge`'s options: those before the object.

use std::io::Write;

use netloom_machine::Netns;

use crate::Context;
use crate::print::{ColourMode, strerror};
use crate::rtnl::options::{Action, Options, full_name, next_option};
use crate::rtnl::{Failure, Outcome};

/// The options that may be abbreviated, in the order in which an abbreviation finds them; `-color` is asked between
/// `-netns` and `-compressvlans`.
const NAMES: &[&str] = &[
    "-help",
    "-Version",
    "-stats",
    "-statistics",
    "-details",
    "-oneline",
    "-timestamp",
    "-family",
    "-4",
    "-6",
    "-netns",
    "-color",
    "-compressvlans",
    "-force",
    "-json",
    "-pretty",
    "-batch",
];

/// Reads the options; the words after them.
pub(super) fn parse<'w>(mut words: &'w [String], err: &mut dyn Write) -> Outcome<(Action, &'w [String])> {
    let mut options = Options::default();
    let mut colour = ColourMode::Never;
    while let Some(word) = next_option(&mut words) {
        let mut value = || {
            let (value, rest) = words.split_first()?;
            words = rest;
            Some(value)
        };
        let format = &mut options.format;
        match full_name(NAMES, word) {
            Some("-help") => return Ok((Action::Help, words)),
            Some("-Version") => return Ok((Action::Version, words)),
            Some("-stats" | "-statistics") => format.statistics += 1,
            Some("-details") => format.details += 1,
            Some("-oneline") => format.oneline = true,
            Some("-timestamp") => format.timestamp = true,
            Some("-family") => {
                let name = value().map_or("", String::as_str);
                options.family = match name {
                    "inet" => libc::AF_INET,
                    "inet6" => libc::AF_INET6,
                    _ => return Err(crate::rtnl::invalid_argument(err, "invalid protocol family", name)),
                } as u8;
            }
            Some("-4") => options.family = libc::AF_INET as u8,
            Some("-6") => options.family = libc::AF_INET6 as u8,
            Some("-netns") => match value() {
                Some(name) => options.netns = Some(Netns::parse(name)),
                None => return no_namespace(err, "(null)", libc::ENOENT),
            },
            Some("-compressvlans") => format.compress_vlans = true,
            Some("-force") => options.force = true,
            Some("-json") => format.json = true,
            Some("-pretty") => format.pretty = true,
            Some("-batch") => match value() {
                Some(file) => options.batch = Some(file.clone()),
                None => {
                    let _ = writeln!(err, "Command line is not complete. Try option \"help\"");
                    return Err(Failure::Exit(255));
                }
            },
            _ => match ColourMode::parse(word) {
                Some(mode) => colour = mode,
                None => {
                    let _ = writeln!(err, "Option \"{word}\" is unknown, try \"bridge help\".");
                    return Err(Failure::Exit(255));
                }
            },
        }
    }
    options.format.colour = colour.enabled(options.format.json);
    Ok((Action::Run(options), words))
}

/// Whether the namespace can be entered; says why not.
pub(super) fn check(context: &mut Context<'_>, netns: &Netns) -> Outcome {
    let name = match netns {
        Netns::Named(name) => name.clone(),
        Netns::Path(path) => path.display().to_string(),
        _ => return Ok(()),
    };
    match context.machine.netns_handle(netns) {
        Ok(_) => Ok(()),
        Err(error) => no_namespace(context.err, &name, error.raw_os_error().unwrap_or(libc::EIO)),
    }
}

fn no_namespace<T>(err: &mut dyn Write, name: &str, errno: i32) -> Outcome<T> {
    let _ = writeln!(err, "Cannot open network namespace \"{name}\": {}", strerror(errno));
    Err(Failure::Exit(255))
}
