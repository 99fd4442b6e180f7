//! `ping` over IPv6: socket options, echo requests, answers, and ICMPv6 errors in words.

use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};

use netloom_machine::{Received, Socket};

use super::Surroundings;
use super::options::{Options, Stop};
use super::probe::{Arrival, ExtendedError, Failure, Probe, control, set, set_buffers, words};
use super::resolve;
use crate::{device, sockaddr};

const SOL_RAW: i32 = 255;
const SOL_ICMPV6: i32 = 58;
const ICMP6_FILTER: i32 = 1;
/// Where the kernel puts the checksum of a raw socket's messages.
const IPV6_CHECKSUM: i32 = 7;
const IPV6_FLOWLABEL_MGR: i32 = 32;
const IPV6_FLOWINFO_SEND: i32 = 33;
const ECHO_REQUEST: u8 = 128;
const ECHO_REPLY: u8 = 129;
const ORIGIN_LOCAL: u8 = 1;
const ORIGIN_ICMP6: u8 = 3;

/// An IPv6 socket, ready to send.
pub(super) struct V6 {
    socket: Socket,
    raw: bool,
    target: SocketAddrV6,
    source: Ipv6Addr,
    show_source: bool,
    ident: u16,
}

fn address(ip: Ipv6Addr, port: u16, scope: u32) -> Vec<u8> {
    sockaddr::bytes(&SocketAddrV6::new(ip, port, 0, scope).into())
}

fn is_link_local(ip: Ipv6Addr) -> bool {
    let [first, ..] = ip.segments();
    first & 0xffc0 == 0xfe80 || first & 0xff0f == 0xff02
}

fn failed(what: &str, error: &std::io::Error) -> Stop {
    Stop::new(2, format!("{what}: {}", words(error)))
}

impl V6 {
    /// Finds out the source address, then sets the socket up.
    pub(super) fn open(
        surroundings: &mut Surroundings<'_, '_>,
        (socket, raw): (Socket, bool),
        options: &Options,
        target: SocketAddrV6,
    ) -> Result<V6, Stop> {
        if let Some(class) = options.tos {
            set(&socket, libc::SOL_IPV6, libc::IPV6_TCLASS, class.into(), "setsockopt")?;
        }
        let source = match options.source6 {
            Some(source) => source,
            None => route(surroundings, &socket, options, &target)?,
        };
        if options.source6.is_some()
            && let Some(device) = &options.device
        {
            bind_to_device(&socket, &socket, device)?;
        }
        let discovery = options.mtu_discovery.or(target.ip().is_multicast().then_some(libc::IPV6_PMTUDISC_DO));
        if let Some(discovery) = discovery {
            set(&socket, libc::SOL_IPV6, libc::IPV6_MTU_DISCOVER, discovery, "IPV6_MTU_DISCOVER")?;
        }
        if options.source6.is_some() || options.sticky_source {
            let scope = if is_link_local(source) { target.scope_id() } else { 0 };
            socket.bind(&address(source, 0, scope)).map_err(|error| failed("bind icmp socket", &error))?;
        }
        let flow = options.flow_label.unwrap_or(0);
        let v6 = V6 {
            target: SocketAddrV6::new(*target.ip(), 58, flow, target.scope_id()),
            raw,
            source,
            show_source: options.source6.is_some()
                || options.source4.is_some()
                || options.sticky_source
                || options.device.is_some(),
            ident: options.ident.unwrap_or(std::process::id() as u16),
            socket,
        };
        v6.set_up(options)?;
        Ok(v6)
    }

    fn set_up(&self, options: &Options) -> Result<(), Stop> {
        let socket = &self.socket;
        // Without it errors are less telling, no more.
        let _ = socket.set_option_int(libc::SOL_IPV6, libc::IPV6_RECVERR, 1);
        set_buffers(socket, options, 40 + 240);
        if self.raw {
            set(socket, SOL_RAW, IPV6_CHECKSUM, 2, "setsockopt(RAW_CHECKSUM)")?;
            // A set bit blocks its type.
            let mut filter = [0xffu8; 32];
            filter[usize::from(ECHO_REPLY / 8)] &= !(1 << (ECHO_REPLY % 8));
            let _ = socket.set_option(SOL_ICMPV6, ICMP6_FILTER, &filter);
        }
        if options.no_loop {
            set(socket, libc::SOL_IPV6, libc::IPV6_MULTICAST_LOOP, 0, "can't disable multicast loopback")?;
        }
        if let Some(ttl) = options.ttl {
            set(socket, libc::SOL_IPV6, libc::IPV6_MULTICAST_HOPS, ttl.into(), "can't set multicast hop limit")?;
            set(socket, libc::SOL_IPV6, libc::IPV6_UNICAST_HOPS, ttl.into(), "can't set unicast hop limit")?;
        }
        set(socket, libc::SOL_IPV6, libc::IPV6_RECVHOPLIMIT, 1, "can't receive hop limit")?;
        if options.flow_label.is_some() {
            self.lease_flow_label()?;
        }
        if options.connect {
            socket.connect(&sockaddr::bytes(&self.target.into())).map_err(|error| failed("connect", &error))?;
        }
        Ok(())
    }

    /// A flow label must be leased before it may be sent (`struct in6_flowlabel_req`).
    fn lease_flow_label(&self) -> Result<(), Stop> {
        const GET: u8 = 0;
        const SHARE_EXCLUSIVE: u8 = 1;
        const CREATE: u16 = 1;
        let mut request = self.target.ip().octets().to_vec();
        request.extend(self.target.flowinfo().to_be_bytes());
        request.extend([GET, SHARE_EXCLUSIVE]);
        request.extend(CREATE.to_ne_bytes());
        request.resize(32, 0);
        self.socket
            .set_option(libc::SOL_IPV6, IPV6_FLOWLABEL_MGR, &request)
            .map_err(|error| failed("can't set flowlabel", &error))?;
        set(&self.socket, libc::SOL_IPV6, IPV6_FLOWINFO_SEND, 1, "can't send flowinfo")
    }

    fn sequence(&self, message: &[u8], kind: u8) -> Option<u16> {
        let &[found, _, _, _, ident_high, ident_low, sequence_high, sequence_low, ..] = message else { return None };
        let ours = !self.raw || u16::from_be_bytes([ident_high, ident_low]) == self.ident;
        (found == kind && ours).then_some(u16::from_be_bytes([sequence_high, sequence_low]))
    }
}

impl Probe for V6 {
    fn socket(&self) -> &Socket {
        &self.socket
    }

    fn target(&self) -> SocketAddr {
        self.target.into()
    }

    fn ident(&self) -> Option<u16> {
        self.raw.then_some(self.ident)
    }

    fn heading(&self, host: &str, options: &Options) -> String {
        let address = resolve::text(&self.target.into(), &self.socket);
        let flow = options.flow_label.map_or(String::new(), |label| format!(", flow 0x{label:05x}, "));
        let from = if self.show_source {
            format!("from {} {}: ", self.source, options.device.as_deref().unwrap_or_default())
        } else {
            String::new()
        };
        format!("PING {host}({address}) {flow}{from}{} data bytes\n", options.size)
    }

    fn request(&self, sequence: u16, data: &[u8]) -> Vec<u8> {
        // The kernel fills in the checksum.
        let mut message = vec![ECHO_REQUEST, 0, 0, 0];
        message.extend(self.ident.to_be_bytes());
        message.extend(sequence.to_be_bytes());
        message.extend(data);
        message
    }

    fn arrival(&self, received: Received) -> Arrival {
        let (Some(from), Some(sequence)) =
            (sockaddr::parse(&received.address), self.sequence(&received.data, ECHO_REPLY))
        else {
            return Arrival::Foreign;
        };
        let ttl = control(&received.control, libc::SOL_IPV6, libc::IPV6_HOPLIMIT)
            .and_then(|bytes| bytes.first_chunk())
            .map(|hops| i32::from_ne_bytes(*hops) as u8);
        Arrival::Answer { from, sequence, message: received.data, ttl, bad_checksum: false, options: Vec::new() }
    }

    fn failure(&self, received: &Received) -> Failure {
        let error = control(&received.control, libc::SOL_IPV6, libc::IPV6_RECVERR).and_then(ExtendedError::parse);
        let Some(error) = error else { return Failure::Foreign };
        match error.origin {
            ORIGIN_LOCAL => Failure::Local { errno: error.errno, mtu: error.info },
            ORIGIN_ICMP6 => {
                let ours = sockaddr::parse(&received.address).is_some_and(|to| to.ip() == *self.target.ip());
                match (error.offender, self.sequence(&received.data, ECHO_REQUEST).filter(|_| ours)) {
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
        format!("message too long, mtu: {mtu}")
    }

    fn expects(&self, from: &SocketAddr) -> bool {
        self.target.ip().is_multicast() || from.ip() == *self.target.ip()
    }
}

/// Both by name and, for addresses that are local to a link, by index.
fn bind_to_device(probe: &Socket, socket: &Socket, device: &str) -> Result<u32, Stop> {
    let index = device::index(socket, device).map_err(|_| Stop::new(2, format!("unknown iface: {device}")))?;
    let mut information = [0; 20];
    information[16..].copy_from_slice(&index.to_ne_bytes());
    let name: Vec<u8> = device.bytes().chain([0]).collect();
    for socket in [probe, socket] {
        socket
            .set_option(libc::SOL_IPV6, libc::IPV6_PKTINFO, &information)
            .map_err(|error| failed("setsockopt(IPV6_PKTINFO)", &error))?;
    }
    for socket in [probe, socket] {
        socket
            .set_option(libc::SOL_SOCKET, libc::SO_BINDTODEVICE, &name)
            .map_err(|error| failed(&format!("setsockopt(SO_BINDTODEVICE) {device}"), &error))?;
    }
    Ok(index)
}

/// The source address that the kernel would take; unspecified for targets that are local to a link.
fn route(
    surroundings: &mut Surroundings<'_, '_>,
    socket: &Socket,
    options: &Options,
    target: &SocketAddrV6,
) -> Result<Ipv6Addr, Stop> {
    let probe = surroundings.socket(libc::AF_INET6, libc::SOCK_DGRAM, 0).map_err(|error| failed("socket", &error))?;
    let device = options.device.as_deref().map(|device| Ok((device, bind_to_device(&probe, socket, device)?)));
    let device = device.transpose()?;
    let mut source = Ipv6Addr::UNSPECIFIED;
    if !is_link_local(*target.ip()) {
        probe.connect(&address(*target.ip(), 1025, target.scope_id())).map_err(|error| failed("connect", &error))?;
        let local = probe.local_address().map_err(|error| failed("getsockname", &error))?;
        if let Some(SocketAddr::V6(local)) = sockaddr::parse(&local) {
            source = *local.ip();
        }
    }
    if let Some((device, index)) = device
        && !surroundings.addresses(index).contains(&source.into())
    {
        surroundings
            .complain(&format!("ping: Warning: source address might be selected on device other than: {device}\n"));
    }
    Ok(source)
}

/// An ICMPv6 error in words. `info` is its MTU or pointer.
fn describe(kind: u8, code: u8, info: u32) -> String {
    match kind {
        1 => {
            let why = match code {
                0 => "No route",
                1 => "Administratively prohibited",
                2 => "Beyond scope of source address",
                3 => "Address unreachable",
                4 => "Port unreachable",
                _ => return format!("Destination unreachable: Unknown code {code}"),
            };
            format!("Destination unreachable: {why}")
        }
        2 if code == 0 => format!("Packet too big: mtu={info}"),
        2 => format!("Packet too big: mtu={info}, code={code}"),
        3 => match code {
            0 => "Time exceeded: Hop limit".to_owned(),
            1 => "Time exceeded: Defragmentation failure".to_owned(),
            _ => format!("Time exceeded: code {code}"),
        },
        4 => {
            let what = match code {
                0 => "Wrong header field ".to_owned(),
                1 => "Unknown header ".to_owned(),
                2 => "Unknown option ".to_owned(),
                _ => format!("code {code} "),
            };
            format!("Parameter problem: {what}at {info}")
        }
        _ => format!("unknown icmp type: {kind}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{describe, is_link_local};

    #[test]
    fn errors_are_told_in_its_words() {
        assert_eq!(describe(1, 3, 0), "Destination unreachable: Address unreachable");
        assert_eq!(describe(2, 0, 1400), "Packet too big: mtu=1400");
        assert_eq!(describe(3, 0, 0), "Time exceeded: Hop limit");
    }

    #[test]
    fn multicast_can_be_local_to_a_link_too() {
        for (address, local) in [("fe80::1", true), ("ff02::1", true), ("ff05::2", false), ("fd00::1", false)] {
            assert_eq!(is_link_local(address.parse().unwrap()), local);
        }
    }
}
