//! Internet sockets, from `/proc/net/tcp` and its kin.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::names::{Processes, protocol, service, user};
use super::{Options, Which};
use crate::Context;
use crate::nettools::resolve;

/// A protocol with sockets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Tcp,
    Udp,
    UdpLite,
    Raw,
}

impl Protocol {
    fn name(self) -> &'static str {
        match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::UdpLite => "udplite",
            Protocol::Raw => "raw",
        }
    }
}

/// Columns of an address with its port.
const ADDRESS: usize = 23;

const TCP_STATES: [&str; 12] = [
    "",
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECV",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "TIME_WAIT",
    "CLOSE",
    "CLOSE_WAIT",
    "LAST_ACK",
    "LISTEN",
    "CLOSING",
];

/// One line of a socket table.
struct Socket {
    local: (IpAddr, u16),
    remote: (IpAddr, u16),
    state: u8,
    sending: u64,
    receiving: u64,
    timer: u32,
    expires: u64,
    retransmits: u64,
    user: u32,
    timeout: i64,
    inode: u64,
}

impl Socket {
    fn parse(line: &str) -> Option<Socket> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let &[_slot, local, remote, state, queues, timer, retransmits, user, timeout, inode] =
            fields.first_chunk::<10>()?;
        let (sending, receiving) = queues.split_once(':')?;
        let (timer, expires) = timer.split_once(':')?;
        let hex = |text: &str| u64::from_str_radix(text, 16).ok();
        Some(Socket {
            local: end(local)?,
            remote: end(remote)?,
            state: hex(state)? as u8,
            sending: hex(sending)?,
            receiving: hex(receiving)?,
            timer: hex(timer)? as u32,
            expires: hex(expires)?,
            retransmits: hex(retransmits)?,
            user: user.parse().ok()?,
            timeout: timeout.parse().ok()?,
            inode: inode.parse().ok()?,
        })
    }

    /// A server's socket has no other end.
    fn is_server(&self) -> bool {
        self.remote.1 == 0
    }
}

/// `ADDRESS:PORT` in hexadecimal, the address as words in the machine's byte order.
fn end(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let word = |at: usize| u32::from_str_radix(address.get(at..at + 8)?, 16).ok().map(u32::to_ne_bytes);
    let address = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let mut octets = [0; 16];
            for (at, chunk) in octets.chunks_exact_mut(4).enumerate() {
                chunk.copy_from_slice(&word(at * 8)?);
            }
            IpAddr::V6(Ipv6Addr::from(octets))
        }
        _ => return None,
    };
    Some((address, u16::from_str_radix(port, 16).ok()?))
}

pub(super) fn show(context: &mut Context<'_>, options: &Options, processes: &Processes) -> io::Result<()> {
    heading(context, options)?;
    for protocol in [Protocol::Tcp, Protocol::Udp, Protocol::UdpLite, Protocol::Raw] {
        if !options.protocols.contains(&protocol) {
            continue;
        }
        for (wanted, suffix) in [(options.inet, ""), (options.inet6, "6")] {
            if !wanted {
                continue;
            }
            let name = format!("{}{suffix}", protocol.name());
            let bytes = context.machine.read_file(&context.netns, &format!("/proc/net/{name}")).unwrap_or_default();
            for socket in String::from_utf8_lossy(&bytes).lines().skip(1).filter_map(Socket::parse) {
                let wanted = match options.which {
                    Which::All => true,
                    Which::Servers => socket.is_server(),
                    Which::Connected => !socket.is_server(),
                };
                if wanted {
                    row(context, options, processes, protocol, &name, &socket)?;
                }
            }
        }
    }
    Ok(())
}

fn heading(context: &mut Context<'_>, options: &Options) -> io::Result<()> {
    let out = &mut *context.out;
    writeln!(out, "Active Internet connections {}", options.which.title())?;
    write!(out, "Proto Recv-Q Send-Q Local Address           Foreign Address         State      ")?;
    if options.extended > 0 {
        write!(out, " User       Inode     ")?;
    }
    if options.programs {
        write!(out, " PID/Program name    ")?;
    }
    if options.timers {
        write!(out, " Timer")?;
    }
    writeln!(out)
}

fn row(
    context: &mut Context<'_>,
    options: &Options,
    processes: &Processes,
    kind: Protocol,
    name: &str,
    socket: &Socket,
) -> io::Result<()> {
    let state = match kind {
        Protocol::Tcp => TCP_STATES.get(usize::from(socket.state)).copied().unwrap_or("UNKNOWN").to_owned(),
        Protocol::Raw => socket.state.to_string(),
        _ if socket.state == 1 => "ESTABLISHED".to_owned(),
        _ => String::new(),
    };
    let (local, remote) = (address(options, kind, socket.local), address(options, kind, socket.remote));
    let out = &mut *context.out;
    write!(out, "{name:<4}  {:>6} {:>6} ", socket.receiving, socket.sending)?;
    write!(out, "{local:<ADDRESS$} {remote:<ADDRESS$} {state:<11}")?;
    if options.extended > 0 {
        write!(out, " {:<10} {:<10}", user(socket.user, options.numeric_users), socket.inode)?;
    }
    if options.programs {
        write!(out, " {:<20}", processes.name(socket.inode))?;
    }
    if options.timers {
        let timer = ["off", "on", "keepalive", "timewait", "probe"];
        let timer = timer.get(socket.timer as usize).copied().unwrap_or("unkn");
        let expires = socket.expires as f64 / 100.0;
        write!(out, " {timer} ({expires:.2}/{}/{})", socket.retransmits, socket.timeout)?;
    }
    writeln!(out)
}

/// An address with its port, the address cut where both don't fit.
fn address(options: &Options, kind: Protocol, (host, port): (IpAddr, u16)) -> String {
    let host = match host {
        IpAddr::V4(host) => resolve::show_host(host, options.numeric_hosts),
        IpAddr::V6(host) if options.numeric_hosts => resolve::show_inet6(host),
        IpAddr::V6(host) if host.is_unspecified() => "[::]".to_owned(),
        IpAddr::V6(host) => resolve::host_name(host.into()).unwrap_or_else(|| resolve::show_inet6(host)),
    };
    let port = match (kind, port) {
        (_, 0) => "*".to_owned(),
        (_, port) if options.numeric_ports => port.to_string(),
        (Protocol::Raw, port) => protocol(port),
        (kind, port) => service(port, if kind == Protocol::Tcp { "tcp" } else { "udp" }),
    };
    let room = ADDRESS.saturating_sub(port.len() + 1);
    if options.wide { format!("{host}:{port}") } else { format!("{host:.room$}:{port}") }
}
