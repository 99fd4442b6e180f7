//! `sysctl`: kernel parameters, read and written below `/proc/sys`.

mod parameter;
mod setting;

use std::io;

use regex_lite::Regex;

use crate::Context;
use crate::getopt_long::{Found, Long, Takes, long, long_value, parse};
use parameter::Parameter;

const USAGE: &str = "
Usage:
 sysctl [options] [variable[=value] ...]

Options:
  -a, --all            display all variables
  -A                   alias of -a
  -X                   alias of -a
      --deprecated     include deprecated parameters to listing
      --dry-run        Print the key and values but do not write
  -b, --binary         print value without new line
  -e, --ignore         ignore unknown variables errors
  -N, --names          print variable names without values
  -n, --values         print only values of the given variable(s)
  -p, --load[=<file>]  read values from file
  -f                   alias of -p
      --system         read values from all system directories
  -r, --pattern <expression>
                       select setting that match expression
  -q, --quiet          do not echo variable set
  -w, --write          enable writing a value to variable
  -o                   does nothing
  -x                   does nothing
  -d                   alias of -h

 -h, --help     display this help and exit
 -V, --version  output version information and exit

For more details see sysctl(8).
";

/// Letters for options that have none.
const DEPRECATED: char = '\u{1}';
const DRY_RUN: char = '\u{2}';
const SYSTEM: char = '\u{3}';

const LONG: [Long; 15] = [
    long("all", 'a'),
    long("deprecated", DEPRECATED),
    long("dry-run", DRY_RUN),
    long("binary", 'b'),
    long("ignore", 'e'),
    long("names", 'N'),
    long("values", 'n'),
    Long { name: "load", takes: Takes::Optional, letter: 'p' },
    long("quiet", 'q'),
    long("write", 'w'),
    long("system", SYSTEM),
    long_value("pattern", 'r'),
    long("help", 'h'),
    long("version", 'V'),
    long("silent", 'q'),
];

#[derive(Default)]
pub(crate) struct Options {
    all: bool,
    deprecated: bool,
    dry_run: bool,
    /// The value alone, without an end of line.
    binary: bool,
    ignore_unknown: bool,
    names: bool,
    values: bool,
    quiet: bool,
    write: bool,
    load: bool,
    system: bool,
    pattern: Option<Regex>,
}

pub(crate) fn run(context: &mut Context<'_>, arguments: &[String]) -> i32 {
    match main(context, arguments) {
        Ok(status) => status,
        Err(error) => {
            let _ = writeln!(context.err, "sysctl: {error}");
            1
        }
    }
}

fn main(context: &mut Context<'_>, arguments: &[String]) -> io::Result<i32> {
    let (found, operands) = parse(arguments, "bneNwfp::qoxaAXr:Vdh", &LONG);
    let mut options = Options::default();
    let mut files = Vec::new();
    if arguments.is_empty() {
        context.err.write_all(USAGE.as_bytes())?;
        return Ok(1);
    }
    for option in found {
        match option {
            Found::Option('b', _) => options.binary = true,
            Found::Option('n', _) => options.values = true,
            Found::Option('N', _) => options.names = true,
            Found::Option('e', _) => options.ignore_unknown = true,
            Found::Option('w', _) => options.write = true,
            Found::Option('q', _) => options.quiet = true,
            Found::Option('a' | 'A' | 'X', _) => options.all = true,
            Found::Option('p' | 'f', file) => {
                options.load = true;
                files.extend(file);
            }
            Found::Option('r', Some(pattern)) => match Regex::new(&pattern) {
                Ok(pattern) => options.pattern = Some(pattern),
                Err(_) => {
                    writeln!(context.err, "sysctl: error compiling regex: {pattern}")?;
                    return Ok(1);
                }
            },
            Found::Option('o' | 'x', _) => {}
            Found::Option(DEPRECATED, _) => options.deprecated = true,
            Found::Option(DRY_RUN, _) => options.dry_run = true,
            Found::Option(SYSTEM, _) => options.system = true,
            Found::Option('V', _) => {
                writeln!(context.out, "sysctl from procps-ng 4.0.2")?;
                return Ok(0);
            }
            Found::Option(..) => {
                context.out.write_all(USAGE.as_bytes())?;
                return Ok(0);
            }
            Found::Wrong(complaint) => {
                writeln!(context.err, "sysctl: {complaint}")?;
                context.out.write_all(USAGE.as_bytes())?;
                return Ok(0);
            }
        }
    }
    if options.all {
        parameter::show_tree(context, &options, &Parameter::root())?;
        return Ok(0);
    }
    if options.system {
        return setting::load_system(context, &options);
    }
    if options.load {
        files.extend(operands);
        if files.is_empty() {
            files.push("/etc/sysctl.conf".to_owned());
        }
        let mut status = 0;
        for file in &files {
            status |= setting::load(context, &options, file)?;
        }
        return Ok(status);
    }
    if operands.is_empty() {
        writeln!(context.err, "sysctl: no variables specified\nTry `sysctl --help' for more information.")?;
        return Ok(1);
    }
    let mut status = 0;
    for operand in &operands {
        if options.write || operand.contains('=') {
            match setting::parse(operand) {
                Some(found) => status |= setting::write(context, &options, &found)?,
                None => {
                    if operand.len() > 1 {
                        writeln!(context.err, "sysctl: command line(0): invalid syntax, continuing...")?;
                    }
                    return Ok(1);
                }
            }
        } else {
            status |= parameter::show(context, &options, &Parameter::named(operand))?;
        }
    }
    Ok(status)
}
