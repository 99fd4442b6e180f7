//! `ethtool`: what a device's driver knows and can be told.

mod driver;
mod facts;
mod features;
mod genetlink;
mod parameters;
mod settings;

use std::io;

use crate::Context;
use crate::nettools::strerror;
use genetlink::command;

/// Exit status where link settings can't be had or set.
const SETTINGS_FAILURE: i32 = 75;
/// Exit status where features can't be set.
const FEATURES_FAILURE: i32 = 92;
/// The longest device name of an ioctl.
const NAME_LENGTH: usize = 15;

/// Flags before the option.
#[derive(Default)]
struct Options {
    json: bool,
}

/// How an option answers: with the device and the rest of the arguments.
enum Answer {
    /// Through generic netlink; no further arguments.
    Plain(fn(&mut Context<'_>, &str) -> io::Result<i32>),
    /// Through generic netlink, with arguments.
    With(fn(&mut Context<'_>, &str, &[String]) -> io::Result<i32>),
    /// Through ioctls, which limit a device's name.
    Driver(fn(&mut Context<'_>, &str, &[String]) -> Option<io::Result<i32>>),
    /// The features, in JSON too.
    Features,
}

/// An option: its names, what it does, its answer.
struct Command {
    names: &'static [&'static str],
    help: &'static str,
    answer: Answer,
}

const fn command(names: &'static [&'static str], help: &'static str, answer: Answer) -> Command {
    Command { names, help, answer }
}

/// An ioctl that takes no arguments.
macro_rules! driver {
    ($function:path) => {
        Answer::Driver(|context, device, rest| rest.is_empty().then(|| $function(context, device)))
    };
}

/// A question of generic netlink, by its number.
macro_rules! ask {
    ($number:expr, $title:literal) => {
        Answer::Plain(|context, device| facts::ask(context, $number, $title, device))
    };
}

/// A table of parameters to show, or to set.
macro_rules! table {
    (show $table:path) => {
        Answer::Plain(|context, device| parameters::show(context, &$table, device))
    };
    (set $table:path) => {
        Answer::With(|context, device, rest| parameters::set(context, &$table, device, rest))
    };
}

const COMMANDS: &[Command] = &[
    command(&["-s", "--change"], "Set link settings", Answer::With(settings::set)),
    command(&["-a", "--show-pause"], "Show pause frame settings", table!(show parameters::PAUSE)),
    command(&["-A", "--pause"], "Set pause frames", table!(set parameters::PAUSE)),
    command(&["-c", "--show-coalesce"], "Show coalescing", table!(show parameters::COALESCE)),
    command(&["-C", "--coalesce"], "Set coalescing", table!(set parameters::COALESCE)),
    command(&["-g", "--show-ring"], "Show ring sizes", table!(show parameters::RINGS)),
    command(&["-G", "--set-ring"], "Set ring sizes", table!(set parameters::RINGS)),
    command(&["-k", "--show-features", "--show-offload"], "Show offloads", Answer::Features),
    command(&["-K", "--features", "--offload"], "Set offloads", Answer::With(features::change)),
    command(&["-i", "--driver"], "Show the driver", driver!(driver::information)),
    command(&["-d", "--register-dump"], "Show registers", driver!(driver::registers)),
    command(&["-e", "--eeprom-dump"], "Show the EEPROM", driver!(driver::eeprom)),
    command(&["-r", "--negotiate"], "Restart auto-negotiation", driver!(driver::restart_negotiation)),
    command(&["-p", "--identify"], "Blink", Answer::Driver(identify)),
    command(&["-t", "--test"], "Test the device", Answer::Driver(|c, d, _| Some(driver::test(c, d)))),
    command(&["-S", "--statistics"], "Show statistics", Answer::Driver(statistics)),
    command(&["-n", "-u", "--show-nfc", "--show-ntuple"], "Show receive classification", driver!(driver::flow_rules)),
    command(
        &["-x", "--show-rxfh", "--show-rxfh-indir"],
        "Show the receive indirection table",
        driver!(driver::flow_spread),
    ),
    command(&["-T", "--show-time-stamping"], "Show time stamping", Answer::Plain(facts::timestamping)),
    command(&["-P", "--show-permaddr"], "Show the permanent address", Answer::Plain(facts::permanent_address)),
    command(&["-l", "--show-channels"], "Show channels", table!(show parameters::CHANNELS)),
    command(&["-L", "--set-channels"], "Set channels", table!(set parameters::CHANNELS)),
    command(&["--show-priv-flags"], "Show private flags", ask!(command::PRIVATE_FLAGS, "Private flags")),
    command(&["-m", "--dump-module-eeprom", "--module-info"], "Show a module", Answer::Plain(facts::module_eeprom)),
    command(&["--show-eee"], "Show Energy-Efficient Ethernet", ask!(command::EEE, "EEE settings")),
    command(&["--show-fec"], "Show forward error correction", ask!(command::FEC, "FEC parameters")),
    command(&["--show-tunnels"], "Show tunnel offloads", ask!(command::TUNNELS, "Tunnel information")),
    command(&["--show-module"], "Show module settings", ask!(command::MODULE, "Module parameters")),
];

fn statistics(context: &mut Context<'_>, device: &str, arguments: &[String]) -> Option<io::Result<i32>> {
    Some(if arguments.is_empty() {
        driver::statistics(context, device)
    } else {
        facts::standard_statistics(context, device, arguments)
    })
}

fn identify(context: &mut Context<'_>, device: &str, arguments: &[String]) -> Option<io::Result<i32>> {
    let seconds = match arguments {
        [] => 0,
        [seconds] => seconds.parse().ok()?,
        _ => return None,
    };
    Some(driver::identify(context, device, seconds))
}

pub(crate) fn run(context: &mut Context<'_>, arguments: &[String]) -> i32 {
    match main(context, arguments) {
        Ok(status) => status,
        Err(error) => {
            let _ = writeln!(context.err, "netlink error: {}", strerror(&error));
            1
        }
    }
}

fn main(context: &mut Context<'_>, mut arguments: &[String]) -> io::Result<i32> {
    let mut options = Options::default();
    loop {
        match arguments {
            [flag, rest @ ..] if flag == "--json" => {
                options.json = true;
                arguments = rest;
            }
            [flag, rest @ ..] if flag == "-I" || flag == "--include-statistics" => arguments = rest,
            [flag, _, rest @ ..] if flag == "--debug" => arguments = rest,
            _ => break,
        }
    }
    match arguments {
        [] => wrong(context),
        [flag, ..] if flag == "-h" || flag == "--help" => help(context),
        [flag, ..] if flag == "--version" => {
            writeln!(context.out, "ethtool version 6.1")?;
            Ok(0)
        }
        [flag, rest @ ..] if flag.starts_with('-') => {
            let command = COMMANDS.iter().find(|command| command.names.contains(&flag.as_str()));
            match (command, rest) {
                (Some(command), [device, rest @ ..]) => answer(context, &options, command, flag, device, rest),
                _ => wrong(context),
            }
        }
        _ if options.json => wrong(context),
        [device, ..] => settings::show(context, device),
    }
}

fn answer(
    context: &mut Context<'_>,
    options: &Options,
    command: &Command,
    flag: &str,
    device: &str,
    rest: &[String],
) -> io::Result<i32> {
    if options.json && !matches!(command.answer, Answer::Features) {
        return wrong(context);
    }
    match &command.answer {
        Answer::With(set) => set(context, device, rest),
        Answer::Driver(ask) => {
            if device.len() > NAME_LENGTH && (flag != "-S" || rest.is_empty()) {
                writeln!(
                    context.err,
                    "ethtool netlink support for subcommand missing, device name longer than {NAME_LENGTH} not supported"
                )?;
                return Ok(1);
            }
            match ask(context, device, rest) {
                Some(result) => result,
                None => wrong(context),
            }
        }
        Answer::Plain(_) | Answer::Features if !rest.is_empty() => {
            writeln!(context.err, "ethtool: unexpected parameter '{}'", rest.first().map_or("", String::as_str))?;
            Ok(1)
        }
        Answer::Plain(ask) => ask(context, device),
        Answer::Features => features::show(context, options, device),
    }
}

fn wrong(context: &mut Context<'_>) -> io::Result<i32> {
    writeln!(context.err, "ethtool: bad command line argument(s)\nFor more information run ethtool -h")?;
    Ok(1)
}

fn help(context: &mut Context<'_>) -> io::Result<i32> {
    writeln!(context.out, "ethtool version 6.1\nUsage:")?;
    writeln!(context.out, "        ethtool [ FLAGS ]  DEVNAME\tDisplay standard information about device")?;
    for command in COMMANDS {
        let names = command.names.join("|");
        writeln!(context.out, "        ethtool [ FLAGS ] {names} DEVNAME\t{}", command.help)?;
    }
    Ok(0)
}
