//! `route`: shows the routing tables, adds routes and deletes them.

mod inet;
mod inet6;
mod usage;

use std::io;

use crate::Context;
use crate::getopt_long::{Found, Long, long, parse};
use crate::nettools::hardware::{Family, family_by_name};
use crate::nettools::routes::{self, Columns, View};
use crate::nettools::{about, strerror};

/// Exit status where arguments make no sense.
const USAGE: i32 = 3;
/// Exit status where a name has no address.
const LOOKUP: i32 = 6;
/// Exit status where the kernel refuses.
const SOCKET: i32 = 7;

const LONG: [Long; 19] = [
    long("extend", 'e'),
    long("verbose", 'v'),
    long("version", 'V'),
    long("numeric", 'n'),
    long("symbolic", 'N'),
    long("help", 'h'),
    long("cache", 'C'),
    long("fib", 'F'),
    long("inet", '4'),
    long("tcpip", '4'),
    long("inet6", '6'),
    long("ip6", '6'),
    long("ax25", 'a'),
    long("netrom", 'r'),
    long("rose", 'o'),
    long("ipx", 'i'),
    long("appletalk", 'd'),
    long("ddp", 'd'),
    long("x25", 'x'),
];

/// What to do to the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Add,
    Delete,
}

impl Action {
    fn request(self) -> (&'static str, u32) {
        match self {
            Action::Add => ("SIOCADDRT", crate::nettools::ifreq::request::ADD_ROUTE),
            Action::Delete => ("SIOCDELRT", crate::nettools::ifreq::request::DELETE_ROUTE),
        }
    }
}

pub(crate) fn run(context: &mut Context<'_>, arguments: &[String]) -> i32 {
    match main(context, arguments) {
        Ok(status) => status,
        Err(error) => {
            let _ = writeln!(context.err, "route: {}", strerror(&error));
            1
        }
    }
}

fn main(context: &mut Context<'_>, arguments: &[String]) -> io::Result<i32> {
    // `-net` and `-host` are words, not clusters of options.
    let arguments: Vec<String> = arguments
        .iter()
        .map(|word| match word.as_str() {
            "-net" => "#net".to_owned(),
            "-host" => "#host".to_owned(),
            _ => word.clone(),
        })
        .collect();
    let (found, operands) = parse(&arguments, "A:46eCFhnNVv?", &LONG);
    let mut families = Families(Vec::new());
    let mut view = View { columns: Columns::Metric, numeric: false, fib: false, cache: false };
    let mut extended = 0;
    let mut help = false;
    for option in found {
        match option {
            Found::Option('A', Some(names)) => {
                for name in names.split(',') {
                    if let Err(status) = families.add(context, name)? {
                        return Ok(status);
                    }
                }
            }
            Found::Option('4', _) => families.push("inet"),
            Found::Option('6', _) => families.push("inet6"),
            Found::Option('a', _) => families.push("ax25"),
            Found::Option('r', _) => families.push("netrom"),
            Found::Option('o', _) => families.push("rose"),
            Found::Option('i', _) => families.push("ipx"),
            Found::Option('d', _) => families.push("ddp"),
            Found::Option('x', _) => families.push("x25"),
            Found::Option('e', _) => extended += 1,
            Found::Option('n' | 'N', _) => view.numeric = true,
            Found::Option('C', _) => view.cache = true,
            Found::Option('F', _) => view.fib = true,
            Found::Option('v', _) => {}
            Found::Option('V', _) => {
                about::version(context.out, "+NEW_ADDRT +RTF_IRTT +RTF_REJECT +I18N +SELINUX", false)?;
                return Ok(0);
            }
            Found::Wrong(complaint) => {
                writeln!(context.err, "route: {complaint}")?;
                help = true;
            }
            Found::Option(..) => help = true,
        }
        if help {
            return show_help(context, &families);
        }
    }
    view.columns = match extended {
        0 => Columns::Metric,
        1 => Columns::Window,
        2 => Columns::Both,
        _ => Columns::Nothing,
    };
    view.fib |= !view.cache;
    match operands.split_first() {
        None => show(context, &families, view),
        Some((action, rest)) => change(context, &families, action, rest),
    }
}

/// The families that were named; none means IPv4.
struct Families(Vec<&'static Family>);

impl Families {
    fn add(&mut self, context: &mut Context<'_>, name: &str) -> io::Result<Result<(), i32>> {
        if family_by_name(name).is_none() {
            writeln!(context.err, "Unknown address family `{name}'.")?;
            return Ok(Err(1));
        }
        self.push(name);
        Ok(Ok(()))
    }

    fn push(&mut self, name: &str) {
        self.0.extend(family_by_name(name));
    }
}

fn show_help(context: &mut Context<'_>, families: &Families) -> io::Result<i32> {
    match families.0.as_slice() {
        [family] if family.name == "inet6" => context.out.write_all(usage::INET6.as_bytes())?,
        [family] if family.name == "inet" => context.out.write_all(usage::INET.as_bytes())?,
        _ => usage::help(context)?,
    }
    Ok(0)
}

fn show(context: &mut Context<'_>, families: &Families, view: View) -> io::Result<i32> {
    if families.0.is_empty() {
        return routes::show_inet(context, view);
    }
    let mut status = 0;
    for family in &families.0 {
        status |= match family.name {
            "inet" => routes::show_inet(context, view)?,
            "inet6" => routes::show_inet6(context, view)?,
            name if family.routes => {
                writeln!(context.err, "{} not configured in this system.", title(name))?;
                1
            }
            name => {
                writeln!(context.err, "No routing for address family `{name}'.")?;
                USAGE
            }
        };
    }
    Ok(status)
}

fn title(family: &str) -> &str {
    match family {
        "ax25" => "AX.25",
        "netrom" => "NET/ROM",
        "rose" => "ROSE",
        "ipx" => "IPX",
        "x25" => "X.25",
        _ => "DDP (AppleTalk)",
    }
}

fn change(context: &mut Context<'_>, families: &Families, action: &str, arguments: &[String]) -> io::Result<i32> {
    let family = match families.0.as_slice() {
        [] => "inet",
        [family] => family.name,
        several => {
            let names = several.iter().map(|family| family.name).collect::<Vec<_>>().join(",");
            writeln!(context.err, "Please don't supply more than one address family.")?;
            writeln!(context.err, "Address family `{names}' not supported.")?;
            return Ok(USAGE);
        }
    };
    let action = match action {
        "add" => Some(Action::Add),
        "del" | "delete" => Some(Action::Delete),
        "flush" => None,
        _ => {
            usage::complain(context.err)?;
            return Ok(USAGE);
        }
    };
    let inet6 = family == "inet6";
    let Some(action) = action else {
        writeln!(context.err, "Flushing `{family}' routing table not supported")?;
        return complain(context, inet6);
    };
    match family {
        "inet" if arguments.is_empty() => {
            context.out.write_all(usage::INET.as_bytes())?;
            Ok(0)
        }
        "inet" => inet::change(context, action, arguments),
        "inet6" => inet6::change(context, action, arguments),
        other => {
            writeln!(context.err, "No routing for address family `{other}'.")?;
            Ok(USAGE)
        }
    }
}

/// The complaint about the arguments of `add` or `del`.
fn complain(context: &mut Context<'_>, inet6: bool) -> io::Result<i32> {
    let text = if inet6 { usage::INET6 } else { usage::INET };
    context.err.write_all(text.as_bytes())?;
    Ok(USAGE)
}
