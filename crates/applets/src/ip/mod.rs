//! `ip`: devices, addresses, routes, neighbours and namespaces, by rtnetlink.

mod address;
mod link;
mod maddr;
mod monitor;
mod neigh;
mod netconf;
mod netns;
mod options;
mod route;
mod rule;
mod tuntap;

use std::io::Write;

use crate::Context;
use crate::rtnl::options::{Action, exit_status};
use crate::rtnl::{Failure, Outcome, Session, batch, matches};

/// What follows the object.
type Command = fn(&mut Session<'_>, &[String]) -> Outcome;

/// Every object in the order in which an abbreviation finds it. Those without a command are iproute2's alone.
const OBJECTS: &[(&str, Option<Command>)] = &[
    ("address", Some(address::run)),
    ("addrlabel", None),
    ("maddress", Some(maddr::run)),
    ("route", Some(route::run)),
    ("rule", Some(rule::run)),
    ("neighbor", Some(neigh::run)),
    ("neighbour", Some(neigh::run)),
    ("ntable", None),
    ("ntbl", None),
    ("link", Some(link::run)),
    ("l2tp", None),
    ("fou", None),
    ("ila", None),
    ("macsec", None),
    ("tunnel", None),
    ("tunl", None),
    ("tuntap", Some(tuntap::run)),
    ("tap", Some(tuntap::run)),
    ("token", None),
    ("tcpmetrics", None),
    ("tcp_metrics", None),
    ("monitor", Some(monitor::run)),
    ("xfrm", None),
    ("mroute", None),
    ("mrule", None),
    ("netns", Some(netns::run)),
    ("netconf", Some(netconf::run)),
    ("vrf", None),
    ("sr", None),
    ("nexthop", None),
    ("mptcp", None),
    ("ioam", None),
    ("help", Some(help)),
    ("stats", None),
];

/// Runs `ip`.
pub(crate) fn run(context: &mut Context<'_>, arguments: &[String]) -> i32 {
    exit_status(start(context, arguments))
}

fn start(context: &mut Context<'_>, arguments: &[String]) -> Outcome {
    let (action, words) = options::parse(arguments, context.err)?;
    let options = match action {
        Action::Run(options) => options,
        Action::Help => return usage(context.err, include_str!("usage/ip.txt")),
        Action::Version => {
            let _ = writeln!(context.out, "ip utility, iproute2-6.1.0, libbpf 1.1.2");
            return Ok(());
        }
    };
    let netns = options.netns.clone().unwrap_or_else(|| context.netns.clone());
    let mut session = Session::open(context.machine, netns, context.out, context.err, options.format, options.family)?;
    session.all = options.all;
    session.loops = options.loops;
    match &options.batch {
        Some(file) => batch::run(&mut session, file, options.force, dispatch),
        None if words.is_empty() => help(&mut session, &[]),
        None => dispatch(&mut session, words),
    }
}

/// Runs the command of an object.
fn dispatch(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let Some((object, rest)) = words.split_first() else { return help(session, &[]) };
    match OBJECTS.iter().find(|(name, _)| matches(object, name)) {
        Some((_, Some(command))) => command(session, rest),
        Some((name, None)) => {
            session.complain(&format!("Object \"{name}\" is not one that netloom's ip has."));
            Err(Failure::Command(1))
        }
        None => {
            session.complain(&format!("Object \"{object}\" is unknown, try \"ip help\"."));
            Err(Failure::Command(1))
        }
    }
}

fn help(session: &mut Session<'_>, _arguments: &[String]) -> Outcome {
    usage(session.err, include_str!("usage/ip.txt"))
}

/// Prints a usage text, which is a failure even where it was asked for.
fn usage(err: &mut dyn Write, text: &str) -> Outcome {
    let _ = err.write_all(text.as_bytes());
    Err(Failure::Exit(255))
}
