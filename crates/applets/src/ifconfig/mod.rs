//! `ifconfig`: shows interfaces, and configures one.

mod address;
mod configure;
mod usage;

use std::io;

use crate::Context;
use crate::nettools::VERSION;
use crate::nettools::ifreq::cut;
use crate::nettools::interface::{self, Interface, Sockets};

/// Exit status where arguments make no sense.
const USAGE: i32 = 3;

/// The heading of the short format, narrower than its rows.
const SHORT_HEADING: &str = "Iface      MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg";

pub(crate) fn run(context: &mut Context<'_>, arguments: &[String]) -> i32 {
    match main(context, arguments) {
        Ok(status) => status,
        Err(error) => {
            let _ = writeln!(context.err, "ifconfig: {}", crate::nettools::strerror(&error));
            1
        }
    }
}

#[derive(Default)]
struct Options {
    all: bool,
    short: bool,
}

fn main(context: &mut Context<'_>, mut arguments: &[String]) -> io::Result<i32> {
    let mut options = Options::default();
    while let [first, rest @ ..] = arguments
        && first.starts_with('-')
    {
        match first.as_str() {
            "-a" => options.all = true,
            "-s" => options.short = true,
            "-v" => {}
            "-V" | "-version" | "--version" => {
                writeln!(context.out, "{VERSION}")?;
                return Ok(0);
            }
            "-?" | "-h" | "-help" | "--help" => {
                usage::help(context)?;
                return Ok(0);
            }
            other => {
                writeln!(context.err, "ifconfig: option `{other}' not recognised.")?;
                writeln!(context.err, "ifconfig: `--help' gives usage information.")?;
                return Ok(1);
            }
        }
        arguments = rest;
    }
    let sockets = Sockets::open(context)?;
    match arguments {
        [] => show_all(context, &sockets, &options),
        [name] => show_one(context, &sockets, &options, name),
        [name, rest @ ..] => configure::run(context, sockets, name, rest),
    }
}

fn show_all(context: &mut Context<'_>, sockets: &Sockets, options: &Options) -> io::Result<i32> {
    if options.short {
        writeln!(context.out, "{SHORT_HEADING}")?;
    }
    for (name, statistics) in interface::list(context, sockets) {
        let Ok(interface) = Interface::read(sockets, &name, statistics) else {
            not_found(context, &name)?;
            continue;
        };
        if options.all || interface.is_up() {
            show(context, options, &interface)?;
        }
    }
    Ok(0)
}

fn show_one(context: &mut Context<'_>, sockets: &Sockets, options: &Options, name: &str) -> io::Result<i32> {
    let name = cut(name);
    if options.short {
        writeln!(context.out, "{SHORT_HEADING}")?;
    }
    let statistics = interface::statistics_of(context, name);
    match Interface::read(sockets, name, statistics) {
        Ok(interface) => {
            show(context, options, &interface)?;
            Ok(0)
        }
        Err(_) => {
            not_found(context, name)?;
            Ok(1)
        }
    }
}

fn show(context: &mut Context<'_>, options: &Options, interface: &Interface) -> io::Result<()> {
    if options.short { interface.show_short(context.out) } else { interface.show(context) }
}

fn not_found(context: &mut Context<'_>, name: &str) -> io::Result<()> {
    context.out.flush()?;
    writeln!(context.err, "{name}: error fetching interface information: Device not found")
}
