//! `ip`'s options: those before the object.

use std::io::Write;

use netloom_machine::Netns;

use crate::print::ColourMode;
use crate::rtnl::options::{Action, Options, full_name, next_option};
use crate::rtnl::{Failure, Outcome};

/// The options that may be abbreviated, in the order in which an abbreviation finds them.
const NAMES: &[&str] = &[
    "-loops",
    "-family",
    "-human-readable",
    "-iec",
    "-statistics",
    "-stats",
    "-details",
    "-resolve",
    "-oneline",
    "-timestamp",
    "-tshort",
    "-Version",
    "-force",
    "-batch",
    "-brief",
    "-json",
    "-rcvbuf",
    "-help",
    "-netns",
    "-Numeric",
    "-all",
    "-pretty",
];

/// Reads the options; the words after them.
pub(super) fn parse<'w>(mut words: &'w [String], err: &mut dyn Write) -> Outcome<(Action, &'w [String])> {
    let mut options = Options::default();
    let mut colour = ColourMode::Never;
    while let Some(word) = next_option(&mut words) {
        let mut value = |err: &mut dyn Write| match words.split_first() {
            Some((value, rest)) => {
                words = rest;
                Ok(value)
            }
            None if "-netns".starts_with(word) => {
                let _ = writeln!(err, "Cannot open network namespace \"(null)\": No such file or directory");
                Err(Failure::Exit(255))
            }
            None => {
                let _ = err.write_all(include_bytes!("usage/ip.txt"));
                Err(Failure::Exit(255))
            }
        };
        let format = &mut options.format;
        match word {
            "-4" => options.family = libc::AF_INET as u8,
            "-6" => options.family = libc::AF_INET6 as u8,
            "-0" => options.family = libc::AF_PACKET as u8,
            "-M" => options.family = libc::AF_MPLS as u8,
            "-B" => options.family = libc::AF_BRIDGE as u8,
            _ => match full_name(NAMES, word) {
                Some("-loops") => {
                    let value = value(err)?;
                    options.loops = value.parse().unwrap_or(0);
                }
                Some("-family") => {
                    let name = value(err)?;
                    options.family = family(name).ok_or_else(|| {
                        let message = "invalid protocol family";
                        crate::rtnl::invalid_argument(err, message, name)
                    })?;
                }
                Some("-human-readable") => format.human = true,
                Some("-iec") => format.iec = true,
                Some("-statistics" | "-stats") => format.statistics += 1,
                Some("-details") => format.details += 1,
                Some("-resolve") => format.resolve = true,
                Some("-oneline") => format.oneline = true,
                Some("-timestamp") => format.timestamp = true,
                Some("-tshort") => (format.timestamp, format.timestamp_short) = (true, true),
                Some("-Version") => return Ok((Action::Version, words)),
                Some("-force") => options.force = true,
                Some("-batch") => options.batch = Some(value(err)?.clone()),
                Some("-brief") => format.brief = true,
                Some("-json") => format.json = true,
                Some("-rcvbuf") => {
                    let size = value(err)?;
                    if crate::rtnl::number(size).is_none_or(|size| size > u64::from(u32::MAX)) {
                        let _ = writeln!(err, "Invalid rcvbuf size '{size}'");
                        return Err(Failure::Exit(255));
                    }
                }
                Some("-help") => return Ok((Action::Help, words)),
                Some("-netns") => options.netns = Some(Netns::parse(value(err)?)),
                Some("-Numeric") => format.numeric = true,
                Some("-all") => options.all = true,
                Some("-pretty") => format.pretty = true,
                _ if matches!(word.strip_suffix('='), Some(name) if name.len() > 1 && "-color".starts_with(name)) => {
                    return Ok((Action::Help, words));
                }
                _ => match ColourMode::parse(word) {
                    Some(mode) => colour = mode,
                    None => {
                        let _ = writeln!(err, "Option \"{word}\" is unknown, try \"ip -help\".");
                        return Err(Failure::Exit(255));
                    }
                },
            },
        }
    }
    options.format.colour = colour.enabled(options.format.json);
    Ok((Action::Run(options), words))
}

fn family(name: &str) -> Option<u8> {
    let family = match name {
        "inet" => libc::AF_INET,
        "inet6" => libc::AF_INET6,
        "link" => libc::AF_PACKET,
        "mpls" => libc::AF_MPLS,
        "bridge" => libc::AF_BRIDGE,
        _ => return None,
    };
    Some(family as u8)
}
