//! `arping`: asks a link's neighbours for an address by ARP itself, or tells them of one, as iputils 20221126 does.

mod options;
mod packet;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::{Duration, Instant};

use dns_lookup::{AddrInfoHints, getaddrinfo};
use netloom_machine::netlink::{Netlink, Request};
use netloom_machine::{Received, Socket, interrupt};

use crate::sockaddr::{self, LinkLayer};
use crate::{Context, device};
use options::{Mode, Options, Stop};
use packet::{Arp, REPLY, REQUEST};

const ETHERTYPE_ARP: u16 = 0x0806;
const ARPHRD_ETHER: u16 = 1;
const ARPHRD_IEEE802: u16 = 6;
const ARPHRD_FDDI: u16 = 774;

pub(crate) fn run(context: &mut Context<'_>, arguments: &[String]) -> i32 {
    match arping(context, arguments) {
        Ok(status) => status,
        Err(stop) => {
            let _ = context.out.write_all(stop.out.as_bytes());
            let _ = context.out.flush();
            let _ = context.err.write_all(stop.err.as_bytes());
            stop.status
        }
    }
}

fn words(error: &io::Error) -> String {
    error.to_string().split(" (os error").next().unwrap_or_default().to_owned()
}

fn failed(what: &str) -> impl Fn(io::Error) -> Stop + '_ {
    move |error| Stop::new(2, format!("{what}: {}", words(&error)))
}

fn arping(context: &mut Context<'_>, arguments: &[String]) -> Result<i32, Stop> {
    let options = Options::parse(arguments)?;
    let socket =
        context.machine.socket(&context.netns, libc::AF_PACKET, libc::SOCK_DGRAM, 0).map_err(failed("socket"))?;
    let (device, index) = chosen_device(context, &socket, options.device.as_deref())?;
    let target = resolve(&options.target)?;
    let source = source(context, &options, &device, target)?;

    let link = LinkLayer { protocol: ETHERTYPE_ARP, ifindex: index as i32, ..LinkLayer::default() };
    socket.bind(&link.bytes()).map_err(failed("bind"))?;
    let me = socket.local_address().map_err(failed("getsockname"))?;
    let me = LinkLayer::parse(&me).unwrap_or_default();
    if me.address.is_empty() {
        let text = format!("Interface \"{device}\" is not ARPable (no ll address)\n");
        return Err(Stop { status: 2, out: text, ..Stop::default() });
    }
    if !options.quiet {
        let _ = writeln!(context.out, "ARPING {target} from {source} {device}");
    }
    if source.is_unspecified() && options.mode != Mode::DetectDuplicate {
        return Err(Stop::new(2, "no source address in not-DAD mode"));
    }
    interrupt::catch(&[libc::SIGINT]).map_err(failed("sigaction"))?;
    let everybody = LinkLayer { address: vec![0xff; me.address.len()], ..me.clone() };
    let mut session = Session {
        context,
        socket: &socket,
        options: &options,
        target,
        source,
        to: everybody,
        me,
        sent: 0,
        broadcasts: 0,
        received: 0,
        last: Instant::now(),
    };
    session.run()
}

/// The named device, or the first that speaks ARP.
fn chosen_device(context: &Context<'_>, socket: &Socket, name: Option<&str>) -> Result<(String, u32), Stop> {
    let refuse = |name: &str, why: &str| {
        Err(Stop { status: 2, out: format!("Interface \"{name}\" is {why}\n"), ..Stop::default() })
    };
    let Some(name) = name else {
        let index = first_device(context).and_then(|index| Some((device::name(socket, index).ok()?, index)));
        return index.ok_or_else(|| Stop::new(2, "no suitable device found, use option -I"));
    };
    let index = device::index(socket, name).map_err(|_| Stop::new(2, format!("Device {name} not available.")))?;
    let flags = device::flags(socket, name).map_err(failed("ioctl(SIOCGIFFLAGS) failed"))?;
    if flags & libc::IFF_UP as u32 == 0 {
        return refuse(name, "down");
    }
    if flags & (libc::IFF_NOARP | libc::IFF_LOOPBACK) as u32 != 0 {
        return refuse(name, "not ARPable");
    }
    Ok((name.to_owned(), index))
}

fn first_device(context: &Context<'_>) -> Option<u32> {
    const RTM_GETLINK: u16 = 18;
    let mut netlink = Netlink::open(context.machine, &context.netns, libc::NETLINK_ROUTE).ok()?;
    let mut request = Request::new(RTM_GETLINK, 0);
    request.put(&[0; 16]);
    let mut found = None;
    let _ = netlink.dump(&mut request, |message| {
        // struct ifinfomsg: family, type, index, flags, change.
        let number = |at: usize| {
            let bytes = message.payload.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            bytes.map_or(0, u32::from_ne_bytes)
        };
        let (index, flags) = (number(4), number(8));
        let usable = flags & libc::IFF_UP as u32 != 0;
        if usable && flags & (libc::IFF_NOARP | libc::IFF_LOOPBACK) as u32 == 0 && found.is_none() {
            found = Some(index);
        }
    });
    found
}

fn resolve(target: &str) -> Result<Ipv4Addr, Stop> {
    let hints = AddrInfoHints { flags: 0, address: libc::AF_INET, socktype: libc::SOCK_RAW, protocol: 0 };
    let found = getaddrinfo(Some(target), None, Some(hints)).map_err(|error| {
        let text = io::Error::from(error).to_string();
        Stop::new(2, format!("{target}: {}", text.rsplit(": ").next().unwrap_or_default()))
    })?;
    let address = found.flatten().find_map(|info| match info.sockaddr {
        SocketAddr::V4(v4) => Some(*v4.ip()),
        SocketAddr::V6(_) => None,
    });
    address.ok_or_else(|| Stop::new(2, format!("{target}: Name or service not known")))
}

/// The address that requests come from: the target itself when telling of it, else what the kernel would take.
fn source(context: &Context<'_>, options: &Options, device: &str, target: Ipv4Addr) -> Result<Ipv4Addr, Stop> {
    let given = options.source.or(options.mode.is_unsolicited().then_some(target));
    if options.mode == Mode::DetectDuplicate && given.is_none() {
        return Ok(Ipv4Addr::UNSPECIFIED);
    }
    let probe = context.machine.socket(&context.netns, libc::AF_INET, libc::SOCK_DGRAM, 0).map_err(failed("socket"))?;
    let name: Vec<u8> = device.bytes().chain([0]).collect();
    if let Err(error) = probe.set_option(libc::SOL_SOCKET, libc::SO_BINDTODEVICE, &name) {
        return Err(failed("WARNING: interface is ignored")(error));
    }
    let to = |ip, port| sockaddr::bytes(&SocketAddrV4::new(ip, port).into());
    if let Some(source) = given {
        probe.bind(&to(source, 0)).map_err(failed("bind"))?;
        return Ok(source);
    }
    // The target may be one that only this link knows.
    let _ = probe.set_option_int(libc::SOL_SOCKET, libc::SO_DONTROUTE, 1);
    probe.connect(&to(target, 1025)).map_err(failed("connect"))?;
    match sockaddr::parse(&probe.local_address().map_err(failed("getsockname"))?) {
        Some(SocketAddr::V4(local)) => Ok(*local.ip()),
        _ => Ok(Ipv4Addr::UNSPECIFIED),
    }
}

struct Session<'a, 'b> {
    context: &'a mut Context<'b>,
    socket: &'a Socket,
    options: &'a Options,
    target: Ipv4Addr,
    source: Ipv4Addr,
    me: LinkLayer,
    /// Everybody, until somebody has answered.
    to: LinkLayer,
    sent: u64,
    broadcasts: u64,
    received: u64,
    last: Instant,
}

impl Session<'_, '_> {
    fn run(&mut self) -> Result<i32, Stop> {
        let started = Instant::now();
        let mut turn = started;
        let deadline = self.options.timeout.map(|timeout| started + timeout);
        loop {
            if interrupt::take(libc::SIGINT) {
                break;
            }
            let now = Instant::now();
            if turn <= now {
                if self.options.count.is_some_and(|count| self.sent >= count) {
                    break;
                }
                self.send()?;
                // Without an interval there is one request.
                turn +=
                    if self.options.interval.is_zero() { Duration::from_secs(1 << 30) } else { self.options.interval };
                continue;
            }
            if deadline.is_some_and(|deadline| deadline <= now) {
                break;
            }
            let _ = self.context.out.flush();
            let until = deadline.map_or(turn, |deadline| deadline.min(turn));
            if let Ok(true) = self.socket.wait(Some(until.saturating_duration_since(now)))
                && let Ok(received) = self.socket.receive(4096, libc::MSG_DONTWAIT)
                && self.take(&received)
                && (self.options.quit_on_first || self.options.mode == Mode::DetectDuplicate)
            {
                break;
            }
        }
        Ok(self.finish())
    }

    fn send(&mut self) -> Result<(), Stop> {
        let answer = self.options.mode == Mode::Answer;
        let arp = Arp {
            // FDDI speaks of itself as Ethernet.
            hardware: if self.me.hardware == ARPHRD_FDDI { ARPHRD_ETHER } else { self.me.hardware },
            operation: if answer { REPLY } else { REQUEST },
            sender: self.me.address.clone(),
            sender_ip: self.source,
            target: if answer { self.me.address.clone() } else { self.to.address.clone() },
            target_ip: self.target,
        };
        self.last = Instant::now();
        match self.socket.send(&arp.bytes(), &self.to.bytes(), 0) {
            Ok(_) => {
                self.sent += 1;
                self.broadcasts += u64::from(self.to.address.iter().all(|&byte| byte == 0xff));
                Ok(())
            }
            Err(error) => Err(failed("sendto")(error)),
        }
    }

    /// Whether it was an answer for us.
    fn take(&mut self, received: &Received) -> bool {
        let passed = self.last.elapsed();
        let Some(from) = LinkLayer::parse(&received.address) else { return false };
        let to_us = matches!(from.packet_type, libc::PACKET_HOST | libc::PACKET_BROADCAST | libc::PACKET_MULTICAST);
        let Some(arp) = Arp::parse(&received.data).filter(|_| to_us) else { return false };
        let same_link = arp.hardware == from.hardware
            || (arp.hardware == ARPHRD_ETHER && matches!(from.hardware, ARPHRD_FDDI | ARPHRD_IEEE802));
        if !matches!(arp.operation, REQUEST | REPLY) || !same_link || arp.sender.len() != self.me.address.len() {
            return false;
        }
        let counts = arp.sender_ip == self.target
            && if self.options.mode == Mode::DetectDuplicate {
                // Our own request that comes back is no duplicate; a second claimant's probe is one.
                arp.sender != self.me.address && (self.source.is_unspecified() || arp.target_ip == self.source)
            } else {
                arp.target_ip == self.source && arp.target == self.me.address
            };
        if !counts {
            return false;
        }
        if !self.options.quiet {
            let how = if from.packet_type == libc::PACKET_HOST { "Unicast" } else { "Broadcast" };
            let what = if arp.operation == REPLY { "reply" } else { "request" };
            let mut line = format!("{how} {what} from {} [{}] ", arp.sender_ip, colons(&arp.sender));
            if arp.target_ip != self.source {
                line.push_str(&format!("for {} ", arp.target_ip));
            }
            if arp.target != self.me.address {
                line.push_str(&format!("[{}] ", colons(&arp.target)));
            }
            line.push_str(&format!(" {}.{:03}ms\n", passed.as_millis(), passed.subsec_micros() % 1000));
            let _ = self.context.out.write_all(line.as_bytes());
        }
        self.received += 1;
        if !self.options.only_broadcast {
            self.to.address = arp.sender;
        }
        true
    }

    fn finish(&mut self) -> i32 {
        if !self.options.quiet {
            let (sent, broadcasts, received) = (self.sent, self.broadcasts, self.received);
            let _ = writeln!(self.context.out, "Sent {sent} probes ({broadcasts} broadcast(s))");
            let _ = writeln!(self.context.out, "Received {received} response(s)");
        }
        match self.options.mode {
            Mode::DetectDuplicate => i32::from(self.received > 0),
            Mode::Announce | Mode::Answer => 0,
            Mode::Ask => i32::from(self.received == 0),
        }
    }
}

fn colons(address: &[u8]) -> String {
    address.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}
