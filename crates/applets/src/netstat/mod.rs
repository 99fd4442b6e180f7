//! `netstat`: interfaces, routes, sockets, multicast groups and counters.

mod groups;
mod inet;
mod names;
mod statistics;
mod unix;
mod usage;
mod words;

use std::io;
use std::time::Duration;

use netloom_machine::Machine;

use crate::Context;
use crate::getopt_long::{Found, Long, long, long_value, parse};
use crate::nettools::hardware::family_by_name;
use crate::nettools::interface::{self, Interface, Sockets};
use crate::nettools::routes::{self, Columns, View};
use crate::nettools::{about, strerror};
use inet::Protocol;
use names::Processes;

/// Exit status where arguments make no sense.
const USAGE: i32 = 3;

/// What `-V` prints below the version.
const FEATURES: &str = "Fred Baumgarten, Alan Cox, Bernd Eckenfels, Phil Blundell, Tuan Hoang, Brian Micek and others
+NEW_ADDRT +RTF_IRTT +RTF_REJECT +FW_MASQUERADE +I18N +SELINUX";

/// Letters for options that have none.
const NUMERIC_HOSTS: char = '\u{1}';
const NUMERIC_PORTS: char = '\u{2}';
const NUMERIC_USERS: char = '\u{3}';

const LONG: [Long; 36] = [
    long("version", 'V'),
    long("interfaces", 'i'),
    long("help", 'h'),
    long("route", 'r'),
    long("masquerade", 'M'),
    long("statistics", 's'),
    long("groups", 'g'),
    long("verbose", 'v'),
    long("wide", 'W'),
    long("numeric", 'n'),
    long("numeric-hosts", NUMERIC_HOSTS),
    long("numeric-ports", NUMERIC_PORTS),
    long("numeric-users", NUMERIC_USERS),
    long("symbolic", 'N'),
    long("extend", 'e'),
    long("programs", 'p'),
    long("timers", 'o'),
    long("continuous", 'c'),
    long("listening", 'l'),
    long("all", 'a'),
    long("fib", 'F'),
    long("cache", 'C'),
    long("context", 'Z'),
    long("tcp", 't'),
    long("udp", 'u'),
    long("udplite", 'U'),
    long("sctp", 'S'),
    long("raw", 'w'),
    long("unix", 'x'),
    long("inet", '4'),
    long("ip", '4'),
    long("tcpip", '4'),
    long("inet6", '6'),
    long("ip6", '6'),
    long_value("protocol", 'A'),
    long_value("family", 'A'),
];

/// Which sockets are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    All,
    Servers,
    Connected,
}

impl Which {
    fn title(self) -> &'static str {
        match self {
            Which::All => "(servers and established)",
            Which::Servers => "(only servers)",
            Which::Connected => "(w/o servers)",
        }
    }
}

struct Options {
    which: Which,
    inet: bool,
    inet6: bool,
    protocols: Vec<Protocol>,
    unix: bool,
    wide: bool,
    numeric_hosts: bool,
    numeric_ports: bool,
    numeric_users: bool,
    extended: u32,
    programs: bool,
    timers: bool,
}

/// What is shown instead of sockets.
#[derive(Clone, Copy, Default)]
struct Tables {
    interfaces: bool,
    routes: bool,
    groups: bool,
    statistics: bool,
    masquerade: bool,
}

pub(crate) fn run(context: &mut Context<'_>, arguments: &[String]) -> i32 {
    match main(context, arguments) {
        Ok(status) => status,
        // The reader went away.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => 1,
        Err(error) => {
            let _ = writeln!(context.err, "netstat: {}", strerror(&error));
            1
        }
    }
}

fn main(context: &mut Context<'_>, arguments: &[String]) -> io::Result<i32> {
    let (found, _operands) = parse(arguments, "A:CFMacdeghilnNoprsStuUvVWwx64?Z", &LONG);
    let mut options = Options {
        which: Which::Connected,
        inet: false,
        inet6: false,
        protocols: Vec::new(),
        unix: false,
        wide: false,
        numeric_hosts: false,
        numeric_ports: false,
        numeric_users: false,
        extended: 0,
        programs: false,
        timers: false,
    };
    let mut tables = Tables::default();
    let (mut continuous, mut fib, mut cache, mut sctp) = (false, false, false, false);
    let mut families = Vec::new();
    for option in found {
        match option {
            Found::Option('A', Some(names)) => {
                for name in names.split(',') {
                    match family_by_name(name) {
                        Some(family) => families.push(family.name),
                        None => {
                            writeln!(context.err, "Unknown address family `{name}'.")?;
                            return Ok(1);
                        }
                    }
                }
            }
            Found::Option('4', _) => families.push("inet"),
            Found::Option('6', _) => families.push("inet6"),
            Found::Option('i', _) => tables.interfaces = true,
            Found::Option('r', _) => tables.routes = true,
            Found::Option('g', _) => tables.groups = true,
            Found::Option('s', _) => tables.statistics = true,
            Found::Option('M', _) => tables.masquerade = true,
            Found::Option('a', _) => options.which = Which::All,
            Found::Option('l', _) if options.which != Which::All => options.which = Which::Servers,
            Found::Option('n', _) => {
                (options.numeric_hosts, options.numeric_ports, options.numeric_users) = (true, true, true);
            }
            Found::Option(NUMERIC_HOSTS, _) => options.numeric_hosts = true,
            Found::Option(NUMERIC_PORTS, _) => options.numeric_ports = true,
            Found::Option(NUMERIC_USERS, _) => options.numeric_users = true,
            Found::Option('W', _) => options.wide = true,
            Found::Option('e', _) => options.extended += 1,
            Found::Option('p', _) => options.programs = true,
            Found::Option('o', _) => options.timers = true,
            Found::Option('c', _) => continuous = true,
            Found::Option('F', _) => fib = true,
            Found::Option('C', _) => cache = true,
            Found::Option('t', _) => options.protocols.push(Protocol::Tcp),
            Found::Option('u', _) => options.protocols.push(Protocol::Udp),
            Found::Option('U', _) => options.protocols.push(Protocol::UdpLite),
            Found::Option('S', _) => sctp = true,
            Found::Option('w', _) => options.protocols.push(Protocol::Raw),
            Found::Option('x', _) => options.unix = true,
            Found::Option('Z', _) => {
                writeln!(context.err, "SELinux is not enabled on this machine.")?;
                return Ok(1);
            }
            Found::Option('V', _) => {
                about::version(context.out, FEATURES, false)?;
                return Ok(0);
            }
            Found::Option('h', _) => {
                usage::help(context)?;
                return Ok(0);
            }
            Found::Option('v' | 'N' | 'l' | 'd', _) => {}
            Found::Wrong(complaint) => {
                writeln!(context.err, "netstat: {complaint}")?;
                usage::complain(context.err)?;
                return Ok(USAGE);
            }
            Found::Option(..) => {
                usage::complain(context.err)?;
                return Ok(USAGE);
            }
        }
    }
    if [tables.interfaces, tables.routes, tables.statistics, tables.masquerade].iter().filter(|wanted| **wanted).count()
        > 1
    {
        usage::complain(context.err)?;
        return Ok(USAGE);
    }
    options.inet = families.contains(&"inet");
    options.inet6 = families.contains(&"inet6");
    if tables.masquerade {
        writeln!(context.err, "netstat: no support for `ip_masquerade' on this system.")?;
        return Ok(1);
    }
    if tables.statistics {
        return show_statistics(context, &options);
    }
    let mut first = true;
    loop {
        let status = if tables.routes {
            let columns = match options.extended {
                0 => Columns::Window,
                1 => Columns::Metric,
                2 => Columns::Both,
                _ => Columns::Nothing,
            };
            let view = View { columns, numeric: options.numeric_hosts, fib: fib || !cache, cache };
            show_routes(context, &families, view)?
        } else if tables.interfaces {
            show_interfaces(context, &options, first)?
        } else {
            show_sockets(context, &options, &tables, sctp)?
        };
        if !continuous {
            return Ok(status);
        }
        first = false;
        context.out.flush()?;
        std::thread::sleep(Duration::from_secs(1));
    }
}

fn show_statistics(context: &mut Context<'_>, options: &Options) -> io::Result<i32> {
    if options.unix {
        writeln!(context.out, "netstat: No statistics support for specified address family: unix")?;
        return Ok(1);
    }
    let has = |protocol| options.protocols.is_empty() || options.protocols.contains(&protocol);
    let wanted = statistics::Wanted { tcp: has(Protocol::Tcp), udp: has(Protocol::Udp), raw: has(Protocol::Raw) };
    statistics::show(context, wanted, options.inet6)
}

fn show_routes(context: &mut Context<'_>, families: &[&str], view: View) -> io::Result<i32> {
    if families.is_empty() {
        return routes::show_inet(context, view);
    }
    let mut status = 0;
    for family in families {
        status |= match *family {
            "inet" => routes::show_inet(context, view)?,
            "inet6" => routes::show_inet6(context, view)?,
            other => {
                writeln!(context.err, "No routing for address family `{other}'.")?;
                USAGE
            }
        };
    }
    Ok(status)
}

fn show_interfaces(context: &mut Context<'_>, options: &Options, first: bool) -> io::Result<i32> {
    let sockets = Sockets::open(context)?;
    if first {
        writeln!(context.out, "Kernel Interface table")?;
    }
    if options.extended == 0 {
        writeln!(context.out, "Iface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg")?;
    }
    for (name, statistics) in interface::list(context, &sockets) {
        let Ok(interface) = Interface::read(&sockets, &name, statistics) else { continue };
        if options.which == Which::All || interface.is_up() {
            if options.extended == 0 {
                interface.show_short(context.out)?;
            } else {
                interface.show(context)?;
            }
        }
    }
    Ok(0)
}

fn show_sockets(context: &mut Context<'_>, options: &Options, tables: &Tables, sctp: bool) -> io::Result<i32> {
    let no_family = !options.inet && !options.inet6;
    let no_protocol = options.protocols.is_empty() && !sctp;
    let processes = match context.machine {
        Machine::Host(_) if options.programs => Processes::read(),
        _ => Processes::default(),
    };
    let shown = Options {
        inet: options.inet || no_family,
        inet6: options.inet6 || no_family,
        protocols: if no_protocol {
            vec![Protocol::Tcp, Protocol::Udp, Protocol::UdpLite, Protocol::Raw]
        } else {
            options.protocols.clone()
        },
        ..*options
    };
    let everything = no_protocol && no_family && !options.unix && !tables.groups;
    if everything || !no_protocol || !no_family {
        inet::show(context, &shown, &processes)?;
    }
    if sctp {
        context.out.flush()?;
        writeln!(context.err, "netstat: no support for `AF INET (sctp)' on this system.")?;
        return Ok(1);
    }
    if everything || options.unix {
        unix::show(context, &shown, &processes)?;
    }
    if tables.groups {
        return groups::show(context, shown.inet, shown.inet6, options.numeric_hosts);
    }
    Ok(0)
}
