//! `ping`: echo requests, answers and what went wrong on the way, as iputils 20221126 tells it.

mod options;
mod probe;
mod resolve;
mod route_options;
mod session;
mod statistics;
mod v4;
mod v6;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use netloom_machine::{Socket, interrupt};

use crate::{Context, device};
use options::{Options, Stamps, Stop};
use probe::{Probe, set};
use session::{Console, Session};

/// What setting a socket up needs of the caller's context.
struct Surroundings<'a, 'b> {
    context: &'a mut Context<'b>,
}

impl Surroundings<'_, '_> {
    fn socket(&self, domain: i32, kind: i32, protocol: i32) -> io::Result<Socket> {
        self.context.machine.socket(&self.context.netns, domain, kind, protocol)
    }

    /// Every address of a device.
    fn addresses(&self, index: u32) -> Vec<IpAddr> {
        device::addresses(self.context.machine, &self.context.netns, index)
    }

    fn complain(&mut self, text: &str) {
        let _ = self.context.err.write_all(text.as_bytes());
    }

    /// An ICMP socket, and whether it is a raw one: those need no privilege where `ping_group_range` allows it.
    fn icmp_socket(&self, domain: i32, protocol: i32) -> io::Result<(Socket, bool)> {
        match self.socket(domain, libc::SOCK_DGRAM, protocol) {
            Ok(socket) => Ok((socket, false)),
            Err(_) => self.socket(domain, libc::SOCK_RAW, protocol).map(|socket| (socket, true)),
        }
    }
}

pub(crate) fn run(context: &mut Context<'_>, arguments: &[String]) -> i32 {
    match ping(context, arguments) {
        Ok(status) => status,
        Err(stop) => {
            let _ = context.out.write_all(stop.out.as_bytes());
            let _ = context.out.flush();
            let _ = context.err.write_all(stop.err.as_bytes());
            stop.status
        }
    }
}

fn ping(context: &mut Context<'_>, arguments: &[String]) -> Result<i32, Stop> {
    let options = Options::parse(arguments)?;
    let mut surroundings = Surroundings { context };
    surroundings.complain(&options.warnings);
    let failed = |error: io::Error| Stop::new(2, format!("socket: {}", probe::words(&error)));

    let v4 = (!options.v6_only).then(|| surroundings.icmp_socket(libc::AF_INET, libc::IPPROTO_ICMP));
    let v6 = (!options.v4_only).then(|| surroundings.icmp_socket(libc::AF_INET6, libc::IPPROTO_ICMPV6));
    let (v4, v6) = match (v4, v6) {
        // A kernel without IPv6 still pings over IPv4.
        (Some(v4), v6) => (Some(v4.map_err(failed)?), v6.and_then(Result::ok)),
        (None, v6) => (None, v6.transpose().map_err(failed)?),
    };
    let family = match (options.v4_only, options.v6_only) {
        (true, _) => libc::AF_INET,
        (_, true) => libc::AF_INET6,
        _ => libc::AF_UNSPEC,
    };
    if options.verbose {
        let text = sockets_in_words(&v4, &v6, family);
        surroundings.complain(&text);
    }

    let Some((host, before)) = options.hosts.split_last() else {
        return Err(Stop::new(1, "usage error: Destination address required"));
    };
    let Some((any, _)) = v4.as_ref().or(v6.as_ref()) else { return Err(Stop::new(2, "socket: no family")) };
    let target = resolve::target(host, family, any)?;
    let hops = hops(before, any)?;
    if options.verbose {
        let family = if target.address.is_ipv4() { "AF_INET" } else { "AF_INET6" };
        let line = format!("ai->ai_family: {family}, ai->ai_canonname: '{}'\n", target.canonical);
        let _ = surroundings.context.out.write_all(line.as_bytes());
    }
    let pattern = pattern_in_words(&options);
    let _ = surroundings.context.out.write_all(pattern.as_bytes());

    let unsupported = || Stop::new(2, format!("{host}: Address family for hostname not supported"));
    let probe: Box<dyn Probe> = match target.address {
        SocketAddr::V4(address) => {
            let socket = v4.ok_or_else(unsupported)?;
            if !hops.is_empty() && options.stamps != Some(Stamps::Prespecified) {
                // A source route takes a privilege that `ping` gives up before it could ask for one.
                return Err(Stop::new(2, "record route: Operation not permitted"));
            }
            Box::new(v4::V4::open(&mut surroundings, socket, &options, *address.ip(), &hops)?)
        }
        SocketAddr::V6(address) => {
            let socket = v6.ok_or_else(unsupported)?;
            Box::new(v6::V6::open(&mut surroundings, socket, &options, address)?)
        }
    };
    for (wanted, name) in [(options.debug, libc::SO_DEBUG), (options.dont_route, libc::SO_DONTROUTE)] {
        if wanted {
            set(probe.socket(), libc::SOL_SOCKET, name, 1, "setsockopt")?;
        }
    }
    if let Some(mark) = options.mark {
        let marked = probe.socket().set_option_int(libc::SOL_SOCKET, libc::SO_MARK, mark as i32);
        if let Err(error) = marked {
            let text = format!("ping: Warning: Failed to set mark: {mark}: {}\n", probe::words(&error));
            surroundings.complain(&text);
        }
    }
    interrupt::catch(&[libc::SIGINT, libc::SIGQUIT]).map_err(|error| Stop::new(2, probe::words(&error)))?;

    let names = !options.numeric && !target.numeric;
    let console = Console { out: &mut *surroundings.context.out, err: &mut *surroundings.context.err };
    Ok(Session::new(&*probe, &options, console, names).run(host))
}

/// The addresses before the target: those of prespecified time stamps.
fn hops(hosts: &[String], socket: &Socket) -> Result<Vec<Ipv4Addr>, Stop> {
    let mut hops = Vec::new();
    for host in hosts {
        if let SocketAddr::V4(hop) = resolve::target(host, libc::AF_INET, socket)?.address {
            hops.push(*hop.ip());
        }
    }
    Ok(hops)
}

fn pattern_in_words(options: &Options) -> String {
    if options.pattern.is_empty() || options.quiet {
        return String::new();
    }
    let digits: String = options.pattern.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("PATTERN: 0x{digits}\n")
}

fn sockets_in_words(v4: &Option<(Socket, bool)>, v6: &Option<(Socket, bool)>, family: i32) -> String {
    // The numbers of a process that has no other descriptors: those that lead to a machine are not the reader's.
    let mut next = 3;
    let mut describe = |socket: &Option<(Socket, bool)>| match socket {
        Some((_, raw)) => {
            next += 1;
            format!("{} (socktype: {})", next - 1, if *raw { "SOCK_RAW" } else { "SOCK_DGRAM" })
        }
        None => "-1 (socktype: 0)".to_owned(),
    };
    let family = match family {
        libc::AF_INET => "AF_INET",
        libc::AF_INET6 => "AF_INET6",
        _ => "AF_UNSPEC",
    };
    let (v4, v6) = (describe(v4), describe(v6));
    format!("ping: sock4.fd: {v4}, sock6.fd: {v6}, hints.ai_family: {family}\n\n")
}
