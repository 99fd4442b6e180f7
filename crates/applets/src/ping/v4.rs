//! `ping` over IPv4: socket options, echo requests, answers, and ICMP errors in words.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use netloom_machine::{Received, Socket};

use super::Surroundings;
use super::options::{Options, Stamps, Stop};
use super::probe::{Arrival, ExtendedError, Failure, HEADER, Probe, control, set, set_buffers, words};
use crate::{device, sockaddr};

const SOL_RAW: i32 = 255;
const ICMP_FILTER: i32 = 1;
const ECHO_REPLY: u8 = 0;
const UNREACHABLE: u8 = 3;
const SOURCE_QUENCH: u8 = 4;
const REDIRECT: u8 = 5;
const ECHO: u8 = 8;
const TIME_EXCEEDED: u8 = 11;
const PARAMETER_PROBLEM: u8 = 12;
const ORIGIN_LOCAL: u8 = 1;
const ORIGIN_ICMP: u8 = 2;
const NO_ROUTE_OPTION: usize = 40;

/// An IPv4 socket, ready to send.
pub(super) struct V4 {
    socket: Socket,
    raw: bool,
    target: Ipv4Addr,
    source: Ipv4Addr,
    show_source: bool,
    ident: u16,
    option_length: usize,
    /// Answers come from whoever listens.
    many: bool,
}

fn address(ip: Ipv4Addr, port: u16) -> Vec<u8> {
    sockaddr::bytes(&SocketAddrV4::new(ip, port).into())
}

impl V4 {
    /// Finds out the source address, then sets the socket up. `hops` are the addresses of prespecified time stamps.
    pub(super) fn open(
        surroundings: &mut Surroundings<'_, '_>,
        (socket, raw): (Socket, bool),
        options: &Options,
        mut target: Ipv4Addr,
        hops: &[Ipv4Addr],
    ) -> Result<V4, Stop> {
        if let Some(tos) = options.tos {
            set(&socket, libc::SOL_IP, libc::IP_TOS, tos.into(), "setsockopt")?;
        }
        if let Some(device) = &options.device {
            bind_to_device(&socket, device)?;
        }
        let mut broadcast = false;
        let source = match options.source4 {
            Some(source) => source,
            None => {
                let (source, broadcasts) = route(surroundings, options, target)?;
                broadcast = broadcasts;
                source
            }
        };
        if target.is_unspecified() {
            target = source;
        }
        let many = broadcast || target.is_multicast();
        let discovery = options.mtu_discovery.or(many.then_some(libc::IP_PMTUDISC_DO));
        if let Some(discovery) = discovery {
            set(&socket, libc::SOL_IP, libc::IP_MTU_DISCOVER, discovery, "IP_MTU_DISCOVER")?;
        }
        if options.source4.is_some() || options.sticky_source {
            socket.bind(&address(source, 0)).map_err(|error| Stop::new(2, format!("bind: {}", words(&error))))?;
        }
        let ip_options = ip_options(options, hops);
        let v4 = V4 {
            socket,
            raw,
            target,
            source,
            show_source: options.source4.is_some()
                || options.source6.is_some()
                || options.sticky_source
                || options.device.is_some(),
            ident: options.ident.unwrap_or(std::process::id() as u16),
            option_length: if ip_options.is_empty() { 0 } else { NO_ROUTE_OPTION },
            many,
        };
        v4.set_up(options, broadcast, &ip_options)?;
        Ok(v4)
    }

    fn set_up(&self, options: &Options, broadcast: bool, ip_options: &[u8]) -> Result<(), Stop> {
        let socket = &self.socket;
        if self.raw {
            self.pass(&[ECHO_REPLY, UNREACHABLE, SOURCE_QUENCH, REDIRECT, TIME_EXCEEDED, PARAMETER_PROBLEM]);
        }
        // Without it errors are less telling, no more.
        let _ = socket.set_option_int(libc::SOL_IP, libc::IP_RECVERR, 1);
        if !self.raw {
            set(socket, libc::SOL_IP, libc::IP_RECVTTL, 1, "setsockopt")?;
            set(socket, libc::SOL_IP, libc::IP_RETOPTS, 1, "setsockopt")?;
        }
        if !ip_options.is_empty() {
            socket
                .set_option(libc::SOL_IP, libc::IP_OPTIONS, ip_options)
                .map_err(|error| Stop::new(2, format!("record route: {}", words(&error))))?;
        }
        set_buffers(socket, options, self.option_length + 20 + 240);
        if broadcast {
            set(socket, libc::SOL_SOCKET, libc::SO_BROADCAST, 1, "broadcasting")?;
        }
        if options.no_loop {
            set(socket, libc::SOL_IP, libc::IP_MULTICAST_LOOP, 0, "can't disable multicast loopback")?;
        }
        if let Some(ttl) = options.ttl {
            set(socket, libc::SOL_IP, libc::IP_MULTICAST_TTL, ttl.into(), "cannot set multicast time-to-live")?;
            set(socket, libc::SOL_IP, libc::IP_TTL, ttl.into(), "cannot set unicast time-to-live")?;
        }
        if options.connect {
            socket
                .connect(&address(self.target, 0))
                .map_err(|error| Stop::new(2, format!("connect: {}", words(&error))))?;
        }
        Ok(())
    }

    /// Lets only these ICMP types through to a raw socket.
    fn pass(&self, types: &[u8]) {
        let mask = types.iter().fold(!0u32, |mask, kind| mask & !(1 << kind));
        // Whatever else comes through is recognised as foreign.
        let _ = self.socket.set_option(SOL_RAW, ICMP_FILTER, &mask.to_ne_bytes());
    }

    /// The sequence number, where the quoted packet is a request of ours.
    fn quoted(&self, message: &[u8], to: Option<Ipv4Addr>) -> Option<u16> {
        let &[kind, _, _, _, ident_high, ident_low, sequence_high, sequence_low, ..] = message else { return None };
        let ours = !self.raw || u16::from_be_bytes([ident_high, ident_low]) == self.ident;
        (kind == ECHO && ours && to == Some(self.target)).then_some(u16::from_be_bytes([sequence_high, sequence_low]))
    }

    fn icmp(&self, from: SocketAddr, message: Vec<u8>, ttl: Option<u8>, options: Vec<u8>) -> Arrival {
        let &[kind, code, _, _, b4, b5, b6, b7, ..] = &*message else { return Arrival::Foreign };
        match kind {
            ECHO_REPLY => {
                if self.raw && u16::from_be_bytes([b4, b5]) != self.ident {
                    return Arrival::Foreign;
                }
                let bad_checksum = self.raw && checksum(&message) != 0;
                Arrival::Answer { from, sequence: u16::from_be_bytes([b6, b7]), message, ttl, bad_checksum, options }
            }
            REDIRECT | SOURCE_QUENCH => {
                let quoted = message.get(HEADER..).and_then(split_header);
                let Some(sequence) = quoted.and_then(|(header, rest)| self.quoted(rest, destination(header))) else {
                    return Arrival::Foreign;
                };
                Arrival::Notice { from, sequence, text: describe(kind, code, u32::from_be_bytes([b4, b5, b6, b7])) }
            }
            _ => Arrival::Foreign,
        }
    }
}

impl Probe for V4 {
    fn socket(&self) -> &Socket {
        &self.socket
    }

    fn target(&self) -> SocketAddr {
        SocketAddrV4::new(self.target, 0).into()
    }

    fn ident(&self) -> Option<u16> {
        self.raw.then_some(self.ident)
    }

    fn heading(&self, host: &str, options: &Options) -> String {
        let from = if self.show_source {
            format!("from {} {}: ", self.source, options.device.as_deref().unwrap_or_default())
        } else {
            String::new()
        };
        let whole = options.size + HEADER + 20 + self.option_length;
        format!("PING {host} ({}) {from}{}({whole}) bytes of data.\n", self.target, options.size)
    }

    fn request(&self, sequence: u16, data: &[u8]) -> Vec<u8> {
        let mut message = vec![ECHO, 0, 0, 0];
        message.extend(self.ident.to_be_bytes());
        message.extend(sequence.to_be_bytes());
        message.extend(data);
        let sum = checksum(&message).to_be_bytes();
        message[2..4].copy_from_slice(&sum);
        message
    }

    fn arrival(&self, received: Received) -> Arrival {
        let Some(from) = sockaddr::parse(&received.address) else { return Arrival::Foreign };
        if !self.raw {
            let ttl = control(&received.control, libc::SOL_IP, libc::IP_TTL)
                .and_then(|bytes| bytes.first_chunk())
                .map(|ttl| i32::from_ne_bytes(*ttl) as u8);
            let options = control(&received.control, libc::SOL_IP, libc::IP_RETOPTS).unwrap_or_default().to_vec();
            return self.icmp(from, received.data, ttl, options);
        }
        let Some((header, rest)) = split_header(&received.data) else { return Arrival::Foreign };
        let ttl = header.get(8).copied();
        self.icmp(from, rest.to_vec(), ttl, header.get(20..).unwrap_or_default().to_vec())
    }

    fn failure(&self, received: &Received) -> Failure {
        let error = control(&received.control, libc::SOL_IP, libc::IP_RECVERR).and_then(ExtendedError::parse);
        let Some(error) = error else { return Failure::Foreign };
        match error.origin {
            ORIGIN_LOCAL => Failure::Local { errno: error.errno, mtu: error.info },
            ORIGIN_ICMP => {
                let to = match sockaddr::parse(&received.address) {
                    Some(SocketAddr::V4(to)) => Some(*to.ip()),
                    _ => None,
                };
                match (error.offender, self.quoted(&received.data, to)) {
                    (Some(from), Some(sequence)) => {
                        Failure::Icmp { from, sequence, text: describe(error.kind, error.code, error.info) }
                    }
                    _ => Failure::Foreign,
                }
            }
            _ => Failure::Foreign,
        }
    }

    fn too_long(&self, mtu: u32) -> String {
        format!("message too long, mtu={mtu}")
    }

    fn expects(&self, from: &SocketAddr) -> bool {
        self.many || from.ip() == self.target
    }

    fn errors_come_queued(&self) {
        if self.raw {
            self.pass(&[ECHO_REPLY, SOURCE_QUENCH, REDIRECT]);
        }
    }
}

fn bind_to_device(socket: &Socket, device: &str) -> Result<(), Stop> {
    let name: Vec<u8> = device.bytes().chain([0]).collect();
    socket
        .set_option(libc::SOL_SOCKET, libc::SO_BINDTODEVICE, &name)
        .map_err(|error| Stop::new(2, format!("SO_BINDTODEVICE {device}: {}", words(&error))))
}

/// The source address that the kernel would take, and whether the destination is a broadcast address.
fn route(surroundings: &mut Surroundings<'_, '_>, options: &Options, to: Ipv4Addr) -> Result<(Ipv4Addr, bool), Stop> {
    let failed = |what: &str, error: std::io::Error| Stop::new(2, format!("{what}: {}", words(&error)));
    let socket = surroundings.socket(libc::AF_INET, libc::SOCK_DGRAM, 0).map_err(|error| failed("socket", error))?;
    if let Some(device) = &options.device {
        bind_to_device(&socket, device)?;
    }
    if let Some(tos) = options.tos {
        set(&socket, libc::SOL_IP, libc::IP_TOS, tos.into(), "setsockopt")?;
    }
    if let Some(mark) = options.mark {
        let _ = socket.set_option_int(libc::SOL_SOCKET, libc::SO_MARK, mark as i32);
    }
    let to = address(to, 1025);
    let mut broadcast = false;
    match socket.connect(&to) {
        Err(error) if error.raw_os_error() == Some(libc::EACCES) => {
            if !options.broadcast {
                let hint = "Do you want to ping broadcast? Then -b. If not, check your local firewall rules";
                return Err(Stop::new(2, hint));
            }
            surroundings.complain("WARNING: pinging broadcast address\n");
            set(&socket, libc::SOL_SOCKET, libc::SO_BROADCAST, 1, "broadcasting")?;
            socket.connect(&to).map_err(|error| failed("connect", error))?;
            broadcast = true;
        }
        outcome => outcome.map_err(|error| failed("connect", error))?,
    }
    let local = socket.local_address().map_err(|error| failed("getsockname", error))?;
    let source = match sockaddr::parse(&local) {
        Some(SocketAddr::V4(local)) => *local.ip(),
        _ => Ipv4Addr::UNSPECIFIED,
    };
    if let Some(device) = &options.device {
        let index = device::index(&socket, device).unwrap_or(0);
        if !surroundings.addresses(index).contains(&source.into()) {
            surroundings
                .complain(&format!("ping: Warning: source address might be selected on device other than: {device}\n"));
        }
    }
    Ok((source, broadcast))
}

/// The value of `IP_OPTIONS`: record route or time stamps.
fn ip_options(options: &Options, hops: &[Ipv4Addr]) -> Vec<u8> {
    const NOP: u8 = 1;
    const RECORD_ROUTE: u8 = 7;
    const TIMESTAMP: u8 = 68;
    if options.record_route {
        let mut value = vec![NOP, RECORD_ROUTE, 39, 4];
        value.resize(40, 0);
        return value;
    }
    match options.stamps {
        Some(Stamps::Prespecified) => {
            let slots = hops.len().clamp(1, 4);
            let mut value = vec![TIMESTAMP, 4 + 8 * slots as u8, 5, Stamps::Prespecified as u8];
            for hop in hops.iter().take(slots) {
                value.extend(hop.octets());
                value.extend([0; 4]);
            }
            value.resize(4 + 8 * slots, 0);
            value
        }
        Some(kind) => {
            let mut value = vec![TIMESTAMP, if kind == Stamps::Only { 40 } else { 36 }, 5, kind as u8];
            value.resize(usize::from(value[1]), 0);
            value
        }
        None => Vec::new(),
    }
}

/// An IPv4 header with its options, and what it carries.
fn split_header(packet: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::from(packet.first()? & 0x0f) * 4;
    if length < 20 { None } else { packet.split_at_checked(length) }
}

fn destination(header: &[u8]) -> Option<Ipv4Addr> {
    header.get(16..)?.first_chunk::<4>().map(|octets| Ipv4Addr::from(*octets))
}

/// The Internet checksum (RFC 1071); 0 over a message that holds its own.
fn checksum(message: &[u8]) -> u16 {
    let pairs = message.chunks(2).map(|pair| u64::from(pair[0]) << 8 | pair.get(1).copied().map_or(0, u64::from));
    let mut sum: u64 = pairs.sum();
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    !(sum as u16)
}

/// An ICMP message in words. `info` is what follows its checksum: an MTU, a gateway.
fn describe(kind: u8, code: u8, info: u32) -> String {
    let text = match (kind, code) {
        (UNREACHABLE, 0) => "Destination Net Unreachable",
        (UNREACHABLE, 1) => "Destination Host Unreachable",
        (UNREACHABLE, 2) => "Destination Protocol Unreachable",
        (UNREACHABLE, 3) => "Destination Port Unreachable",
        (UNREACHABLE, 4) => return format!("Frag needed and DF set (mtu = {info})"),
        (UNREACHABLE, 5) => "Source Route Failed",
        (UNREACHABLE, 6) => "Destination Net Unknown",
        (UNREACHABLE, 7) => "Destination Host Unknown",
        (UNREACHABLE, 8) => "Source Host Isolated",
        (UNREACHABLE, 9) => "Destination Net Prohibited",
        (UNREACHABLE, 10) => "Destination Host Prohibited",
        (UNREACHABLE, 11) => "Destination Net Unreachable for Type of Service",
        (UNREACHABLE, 12) => "Destination Host Unreachable for Type of Service",
        (UNREACHABLE, 13) => "Packet filtered",
        (UNREACHABLE, 14) => "Precedence Violation",
        (UNREACHABLE, 15) => "Precedence Cutoff",
        (UNREACHABLE, _) => return format!("Dest Unreachable, Bad Code: {code}"),
        (SOURCE_QUENCH, _) => "Source Quench",
        (REDIRECT, _) => {
            let what = match code {
                0 => "Redirect Network",
                1 => "Redirect Host",
                2 => "Redirect Type of Service and Network",
                3 => "Redirect Type of Service and Host",
                _ => return format!("Redirect, Bad Code: {code}(New nexthop: {})", Ipv4Addr::from(info)),
            };
            return format!("{what}(New nexthop: {})", Ipv4Addr::from(info));
        }
        (TIME_EXCEEDED, 0) => "Time to live exceeded",
        (TIME_EXCEEDED, 1) => "Frag reassembly time exceeded",
        (TIME_EXCEEDED, _) => return format!("Time exceeded, Bad Code: {code}"),
        (PARAMETER_PROBLEM, _) => return format!("Parameter problem: pointer = {}", info >> 24),
        _ => return format!("Bad ICMP type: {kind}"),
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::{checksum, describe, split_header};

    #[test]
    fn a_message_with_its_checksum_sums_to_zero() {
        let mut message = vec![8, 0, 0, 0, 0x2e, 0x5d, 0, 1, 7];
        let sum = checksum(&message).to_be_bytes();
        message[2..4].copy_from_slice(&sum);
        assert_eq!(checksum(&message), 0);
    }

    #[test]
    fn errors_are_told_in_its_words() {
        assert_eq!(describe(3, 4, 1400), "Frag needed and DF set (mtu = 1400)");
        assert_eq!(describe(5, 1, 0x0a01_0003), "Redirect Host(New nexthop: 10.1.0.3)");
    }

    #[test]
    fn short_headers_are_no_headers() {
        assert_eq!(split_header(&[]), None);
        assert_eq!(split_header(&[0x44; 60]), None);
        assert_eq!(split_header(&[0x4f; 59]), None);
        assert_eq!(split_header(&[0x46; 25]).map(|(header, rest)| (header.len(), rest.len())), Some((24, 1)));
    }
}
