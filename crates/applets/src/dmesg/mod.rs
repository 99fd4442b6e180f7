//! `dmesg`: the kernel log.

mod format;

use std::io;
use std::time::{Duration, SystemTime};

use netloom_machine::LogRecord;

use crate::Context;
use crate::getopt_long::{Found, Long, Takes, long, long_value, parse};
use crate::nettools::strerror;
use format::{Printer, Time};

/// Priorities by number.
const LEVELS: [(&str, &str); 8] = [
    ("emerg", "system is unusable"),
    ("alert", "action must be taken immediately"),
    ("crit", "critical conditions"),
    ("err", "error conditions"),
    ("warn", "warning conditions"),
    ("notice", "normal but significant condition"),
    ("info", "informational"),
    ("debug", "debug-level messages"),
];

/// Facilities by number.
const FACILITIES: [(&str, &str); 12] = [
    ("kern", "kernel messages"),
    ("user", "random user-level messages"),
    ("mail", "mail system"),
    ("daemon", "system daemons"),
    ("auth", "security/authorization messages"),
    ("syslog", "messages generated internally by syslogd"),
    ("lpr", "line printer subsystem"),
    ("news", "network news subsystem"),
    ("uucp", "UUCP subsystem"),
    ("cron", "clock daemon"),
    ("authpriv", "security/authorization messages (private)"),
    ("ftp", "FTP daemon"),
];

/// The letter of an option that has none.
const TIME_FORMAT: char = '\u{1}';
const NO_ESCAPE: char = '\u{2}';

const LONG: [Long; 23] = [
    long("clear", 'C'),
    long("read-clear", 'c'),
    long_value("console-level", 'n'),
    long("decode", 'x'),
    long_value("facility", 'f'),
    long_value("file", 'F'),
    long("follow", 'w'),
    long("follow-new", 'W'),
    long("force-prefix", 'p'),
    long("human", 'H'),
    long("help", 'h'),
    long("kernel", 'k'),
    Long { name: "color", takes: Takes::Optional, letter: 'L' },
    long_value("level", 'l'),
    long("syslog", 'S'),
    long("raw", 'r'),
    long("reltime", 'e'),
    long("show-delta", 'd'),
    long("ctime", 'T'),
    long("notime", 't'),
    long("nopager", 'P'),
    long("userspace", 'u'),
    long("version", 'V'),
];

/// What is left out.
#[derive(Default)]
struct Filter {
    levels: Vec<u8>,
    facilities: Vec<u8>,
    /// The kernel's own, or everybody else's.
    kernel: bool,
    userspace: bool,
}

impl Filter {
    fn wants(&self, record: &LogRecord) -> bool {
        let origin = match (self.kernel, self.userspace) {
            (true, false) => record.facility == 0,
            (false, true) => record.facility != 0,
            _ => true,
        };
        origin
            && (self.levels.is_empty() || self.levels.contains(&record.level))
            && (self.facilities.is_empty() || self.facilities.contains(&record.facility))
    }
}

pub(crate) fn run(context: &mut Context<'_>, arguments: &[String]) -> i32 {
    match main(context, arguments) {
        Ok(status) => status,
        // The reader went away.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            let _ = context.out.flush();
            let _ = writeln!(context.err, "dmesg: read kernel buffer failed: {}", strerror(&error));
            1
        }
    }
}

fn main(context: &mut Context<'_>, arguments: &[String]) -> io::Result<i32> {
    let mut longs: Vec<Long> = LONG.into();
    longs.push(long_value("time-format", TIME_FORMAT));
    longs.push(long("noescape", NO_ESCAPE));
    let (found, operands) = parse(arguments, "CcDdEeF:f:HhkL::l:n:iPprSs:TtuVWwx", &longs);
    let mut filter = Filter::default();
    let (mut time, mut delta, mut raw, mut decode) = (Time::Seconds, false, false, false);
    let (mut clear, mut print, mut follow, mut only_new) = (false, true, false, false);
    for option in found {
        match option {
            Found::Option('C', _) => (clear, print) = (true, false),
            Found::Option('c', _) => clear = true,
            Found::Option('d', _) => delta = true,
            Found::Option('e' | 'H', _) => time = Time::Relative,
            Found::Option('T', _) => time = Time::Calendar,
            Found::Option('t', _) => time = Time::Nothing,
            Found::Option('r', _) => raw = true,
            Found::Option('x', _) => decode = true,
            Found::Option('k', _) => filter.kernel = true,
            Found::Option('u', _) => filter.userspace = true,
            Found::Option('w', _) => follow = true,
            Found::Option('W', _) => (follow, only_new) = (true, true),
            Found::Option('l', Some(names)) => match numbers(&names, &LEVELS) {
                Ok(levels) => filter.levels.extend(levels),
                Err(name) => return fail(context, &format!("unknown level '{name}'")),
            },
            Found::Option('f', Some(names)) => match numbers(&names, &FACILITIES) {
                Ok(facilities) => filter.facilities.extend(facilities),
                Err(name) => return fail(context, &format!("unknown facility '{name}'")),
            },
            Found::Option(TIME_FORMAT, Some(name)) => match name.as_str() {
                "delta" => (time, delta) = (Time::Nothing, true),
                "reltime" => time = Time::Relative,
                "ctime" => time = Time::Calendar,
                "notime" => time = Time::Nothing,
                "iso" => time = Time::Iso,
                other => return fail(context, &format!("unknown time format: {other}")),
            },
            Found::Option('n', Some(level)) => {
                if numbers(&level, &LEVELS).is_err() && level.parse::<u8>().is_err() {
                    return fail(context, &format!("unknown level '{level}'"));
                }
                return fail(context, "klogctl failed: Operation not permitted");
            }
            Found::Option('D' | 'E', _) => return fail(context, "klogctl failed: Operation not permitted"),
            Found::Option('F', Some(path)) => {
                return fail(context, &format!("cannot open {path}: Operation not supported"));
            }
            Found::Option('V', _) => {
                writeln!(context.out, "dmesg from util-linux 2.38.1")?;
                return Ok(0);
            }
            Found::Option('h', _) => return help(context),
            Found::Wrong(complaint) => {
                writeln!(context.err, "dmesg: {complaint}\nTry 'dmesg --help' for more information.")?;
                return Ok(1);
            }
            // Pager, colours, buffer sizes, syslog(2): all the same here.
            Found::Option(..) => {}
        }
    }
    if !operands.is_empty() {
        writeln!(context.err, "dmesg: bad usage\nTry 'dmesg --help' for more information.")?;
        return Ok(1);
    }
    let excluded = match () {
        () if raw && decode => Some("--decode"),
        () if raw && matches!(time, Time::Nothing) => Some("--notime"),
        () => None,
    };
    if let Some(other) = excluded {
        return fail(context, &format!("mutually exclusive arguments: --raw {other}"));
    }
    if delta && matches!(time, Time::Relative) {
        time = Time::Nothing;
    }
    let boot = boot_time(context);
    let mut printer = Printer::new(time, delta, raw, decode, boot);
    let mut log = context.machine.kernel_log()?;
    while let Some(record) = log.read()? {
        if print && !only_new && filter.wants(&record) {
            printer.print(context.out, &record)?;
        }
    }
    if clear {
        log.clear()?;
    }
    if !follow {
        return Ok(0);
    }
    loop {
        context.out.flush()?;
        log.wait(None)?;
        while let Some(record) = log.read()? {
            if filter.wants(&record) {
                printer.print(context.out, &record)?;
            }
        }
    }
}

/// The numbers of a comma-separated list of names; the error is the unknown one.
fn numbers(names: &str, table: &[(&str, &str)]) -> Result<Vec<u8>, String> {
    let number = |name: &str| {
        let at = table.iter().position(|(known, _)| *known == name);
        at.map(|at| at as u8).ok_or_else(|| name.to_owned())
    };
    names.split(',').map(number).collect()
}

fn fail(context: &mut Context<'_>, complaint: &str) -> io::Result<i32> {
    writeln!(context.err, "dmesg: {complaint}")?;
    Ok(1)
}

/// The second in which the machine's clock of records started: now less its uptime.
fn boot_time(context: &Context<'_>) -> SystemTime {
    let uptime = context.machine.read_file(&context.netns, "/proc/uptime").unwrap_or_default();
    let uptime = String::from_utf8_lossy(&uptime);
    let seconds = uptime.split_whitespace().next().and_then(|text| text.parse::<f64>().ok());
    let uptime = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or_default();
    let boot = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().saturating_sub(uptime);
    SystemTime::UNIX_EPOCH + Duration::from_secs(boot.as_secs())
}

fn help(context: &mut Context<'_>) -> io::Result<i32> {
    let out = &mut *context.out;
    writeln!(out, "\nUsage:\n dmesg [options]\n\nOptions:")?;
    for option in LONG {
        writeln!(out, " -{}, --{}", option.letter, option.name)?;
    }
    writeln!(out, "     --time-format <format>\n\nSupported log facilities:")?;
    for (name, title) in FACILITIES {
        writeln!(out, "{name:>8} - {title}")?;
    }
    writeln!(out, "\nSupported log levels (priorities):")?;
    for (name, title) in LEVELS {
        writeln!(out, "{name:>8} - {title}")?;
    }
    Ok(0)
}
