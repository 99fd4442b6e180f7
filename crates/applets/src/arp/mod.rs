//! `arp`: shows the IPv4 neighbour table, sets entries in it and deletes them.

mod change;
mod show;
mod usage;

use std::io;

use crate::Context;
use crate::getopt_long::{Found, Long, long, long_value, parse};
use crate::nettools::hardware::{self, Hardware, family_by_name};
use crate::nettools::{about, strerror};

/// Exit status where arguments make no sense.
const USAGE: i32 = 3;
/// Exit status of every other failure.
const FAILURE: i32 = 255;

/// `ATF_*`: the flags of an entry (linux/if_arp.h).
mod flag {
    pub(super) const COMPLETE: u32 = 0x2;
    pub(super) const PERMANENT: u32 = 0x4;
    pub(super) const PUBLIC: u32 = 0x8;
    pub(super) const TRAILERS: u32 = 0x10;
    pub(super) const NETMASK: u32 = 0x20;
    pub(super) const DONT_PUBLISH: u32 = 0x40;
    pub(super) const AUTOMATIC: u32 = 0x80;
}

const LONG: [Long; 12] = [
    long("verbose", 'v'),
    long("version", 'V'),
    long("all", 'a'),
    long("delete", 'd'),
    long("file", 'f'),
    long("numeric", 'n'),
    long("set", 's'),
    long_value("protocol", 'A'),
    long_value("hw-type", 'H'),
    long_value("device", 'i'),
    long("help", 'h'),
    long("use-device", 'D'),
];

/// What was asked for besides the operands.
struct Options {
    verbose: bool,
    numeric: bool,
    /// One line an entry, as BSD shows it.
    bsd: bool,
    device: Option<String>,
    hardware: &'static Hardware,
    /// Whether entries of other hardware are left out.
    hardware_given: bool,
    /// The hardware address is that of a device.
    use_device: bool,
}

#[derive(Clone, Copy)]
enum Action {
    Show,
    Set,
    Delete,
    File,
}

pub(crate) fn run(context: &mut Context<'_>, arguments: &[String]) -> i32 {
    match main(context, arguments) {
        Ok(status) => status,
        Err(error) => {
            let _ = writeln!(context.err, "arp: {}", strerror(&error));
            FAILURE
        }
    }
}

fn main(context: &mut Context<'_>, arguments: &[String]) -> io::Result<i32> {
    let (found, operands) = parse(arguments, "A:H:adfp:nsei:Dt:vh?DNV", &LONG);
    let mut options = Options {
        verbose: false,
        numeric: false,
        bsd: false,
        device: None,
        hardware: hardware::by_name("ether").unwrap_or(&hardware::HARDWARE[0]),
        hardware_given: false,
        use_device: false,
    };
    let mut action = Action::Show;
    for option in found {
        match option {
            Found::Option('v', _) => options.verbose = true,
            Found::Option('n', _) => options.numeric = true,
            Found::Option('N', _) => {}
            Found::Option('a', _) => options.bsd = true,
            Found::Option('e', _) => options.bsd = false,
            Found::Option('d', _) => action = Action::Delete,
            Found::Option('s', _) => action = Action::Set,
            Found::Option('f', _) => action = Action::File,
            Found::Option('D', _) => options.use_device = true,
            Found::Option('i', device) => options.device = device,
            Found::Option('A' | 'p', Some(family)) => {
                if family_by_name(&family).is_none() {
                    writeln!(context.err, "arp: {family}: unknown address family.")?;
                    return Ok(FAILURE);
                }
                if family != "inet" {
                    writeln!(context.err, "arp: {family}: kernel only supports 'inet'.")?;
                    return Ok(FAILURE);
                }
            }
            Found::Option('H' | 't', Some(name)) => {
                let Some(hardware) = hardware::by_name(&name) else {
                    writeln!(context.err, "arp: {name}: unknown hardware type.")?;
                    return Ok(FAILURE);
                };
                if hardware.length == 0 {
                    writeln!(context.err, "arp: {name}: hardware type without ARP support.")?;
                    return Ok(FAILURE);
                }
                options.hardware = hardware;
                options.hardware_given = true;
            }
            Found::Option('V', _) => {
                about::version(context.out, "+I18N +SELINUX", true)?;
                return Ok(0);
            }
            Found::Option('h', _) => {
                usage::help(context)?;
                return Ok(0);
            }
            Found::Wrong(complaint) => {
                writeln!(context.err, "arp: {complaint}")?;
                usage::complain(context.err)?;
                return Ok(USAGE);
            }
            Found::Option(..) => {
                usage::complain(context.err)?;
                return Ok(USAGE);
            }
        }
    }
    match action {
        Action::Show => show::run(context, &options, operands.first().map(String::as_str)),
        Action::Set => change::set(context, &options, &operands),
        Action::Delete => change::delete(context, &options, &operands),
        Action::File => change::file(context, &options, operands.first().map_or("/etc/ethers", String::as_str)),
    }
}
