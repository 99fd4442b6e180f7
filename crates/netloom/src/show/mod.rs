//! `netloom show`: the networks of a machine as a picture in the terminal.

mod ink;
mod picture;
mod rails;

use std::env;
use std::io::{self, IsTerminal, Write};

use clap::{Args, ValueEnum};
use miette::{IntoDiagnostic, Result, WrapErr};

use crate::program;
use crate::topology::Topology;
use picture::Picture;

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Show {
    /// Everything: also the link-local IPv6 addresses of devices, and tunnel devices that nobody has used.
    #[arg(short, long)]
    all: bool,
    /// Nothing but ASCII; without it only where the locale isn't UTF-8.
    #[arg(long)]
    ascii: bool,
    /// Colours. By themselves they come to a terminal only, and not where NO_COLOR is set.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: Colour,
}

const AFTER_HELP: &str = "\
A box is a network namespace. Ports stand below their bridge, VLANs and macvlans below their device. A line on the right is a veth pair, \
dashed where it has no carrier; where there are too many, each end names the other one.

DOWN: not brought up. NO-CARRIER: up, but what it leads to isn't. promisc: in promiscuous mode.";

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Colour {
    Auto,
    Always,
    Never,
}

/// As wide as a picture is where nobody says.
const WIDTH: usize = 80;

impl Show {
    pub(crate) fn run(&self, machine: Option<&str>) -> Result<u8> {
        netloom_runtime::default_broken_pipe();
        let machine = program::machine(machine)?;
        let topology = Topology::read(&machine).into_diagnostic().wrap_err("cannot look for namespaces")?;
        let colour = match self.color {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => wants_colour(),
        };
        let glyphs = if self.ascii || !is_utf8() { &ink::ASCII } else { &ink::UNICODE };
        let text = Picture { topology: &topology, width: width(), glyphs, all: self.all }.draw(colour);
        io::stdout().lock().write_all(text.as_bytes()).into_diagnostic()?;
        Ok(0)
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether the locale's characters are UTF-8's.
fn is_utf8() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable).unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// See no-color.org.
fn wants_colour() -> bool {
    io::stdout().is_terminal() && variable("NO_COLOR").is_none() && variable("TERM").is_none_or(|term| term != "dumb")
}

fn width() -> usize {
    let given = variable("COLUMNS").and_then(|columns| columns.parse().ok());
    let of_terminal = || rustix::termios::tcgetwinsize(io::stdout()).ok().map(|size| usize::from(size.ws_col));
    given.or_else(of_terminal).filter(|width| *width > 0).unwrap_or(WIDTH)
}
