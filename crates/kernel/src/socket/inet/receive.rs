//! What waits in the queue of a raw or ping socket, and what its owner is told about it.
//!
//! A packet waits as it came in; addresses and ancillary messages are made for whoever asks for them.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::options::{IP_PKTINFO, IP_RETOPTS, IP_TTL, IPV6_HOPLIMIT, IPV6_PKTINFO, IPV6_TCLASS};
use super::options::{InetOptions, SOL_IP, SOL_IPV6};
use super::{control_int, get};
use crate::error::{Errno, Result};
use crate::frame::Frame;
use crate::socket::{Queued, Socket, SocketAddress, SocketKind, family};
use crate::types::{Instant, SocketId};
use crate::{Control, Datagram, Kernel};

const IP_TOS: i32 = 1;

/// A packet in a queue.
#[derive(Debug, Default)]
pub(in crate::socket) struct Received {
    pub(super) frame: Frame,
    /// Where in the frame what the socket is given begins.
    pub(super) start: u32,
    /// The device that it came in by.
    pub(super) ifindex: u32,
    pub(super) time: Instant,
}

impl Queued for Received {
    #[inline]
    fn length(&self) -> usize {
        self.frame.len().saturating_sub(self.start as usize)
    }
}

impl Received {
    #[inline]
    fn data(&self) -> &[u8] {
        self.frame.bytes().get(self.start as usize..).unwrap_or_default()
    }

    fn datagram(&self, domain: i32, options: &InetOptions) -> Datagram {
        let (address, control) = if domain == family::INET { self.about_v4(options) } else { self.about_v6(options) };
        Datagram { data: self.data().to_vec(), address: address.to_bytes(), control, flags: 0 }
    }

    fn about_v4(&self, options: &InetOptions) -> (SocketAddress, Vec<Control>) {
        let packet = self.frame.payload();
        let mut control = Vec::new();
        let Some(header) = packet.first_chunk::<20>() else { return (SocketAddress::Unspecified, control) };
        let address = Ipv4Addr::new(header[12], header[13], header[14], header[15]);
        if options.packet_info {
            let destination = &header[16..20];
            let data = [&self.ifindex.to_ne_bytes()[..], destination, destination].concat();
            control.push(Control { level: SOL_IP, kind: IP_PKTINFO, data });
        }
        if options.receive_ttl {
            control.push(control_int(SOL_IP, IP_TTL, header[8].into()));
        }
        if options.receive_tos {
            control.push(Control { level: SOL_IP, kind: IP_TOS, data: vec![header[1]] });
        }
        let ip_options = packet.get(20..usize::from(header[0] & 15) * 4).unwrap_or_default();
        if options.receive_options && !ip_options.is_empty() {
            control.push(Control { level: SOL_IP, kind: IP_RETOPTS, data: ip_options.to_vec() });
        }
        (SocketAddress::V4 { address, port: 0 }, control)
    }

    fn about_v6(&self, options: &InetOptions) -> (SocketAddress, Vec<Control>) {
        let mut control = Vec::new();
        let Some(header) = self.frame.payload().first_chunk::<40>() else {
            return (SocketAddress::Unspecified, control);
        };
        let (mut source, mut destination) = ([0; 16], [0; 16]);
        source.copy_from_slice(&header[8..24]);
        destination.copy_from_slice(&header[24..40]);
        let address = Ipv6Addr::from(source);
        if options.packet_info {
            let data = [&destination[..], &self.ifindex.to_ne_bytes()].concat();
            control.push(Control { level: SOL_IPV6, kind: IPV6_PKTINFO, data });
        }
        if options.receive_ttl {
            control.push(control_int(SOL_IPV6, IPV6_HOPLIMIT, header[7].into()));
        }
        if options.receive_tos {
            let class = (header[0] << 4) | (header[1] >> 4);
            control.push(control_int(SOL_IPV6, IPV6_TCLASS, class.into()));
        }
        let scope = if address.is_unicast_link_local() { self.ifindex } else { 0 };
        (SocketAddress::V6 { address, port: 0, scope }, control)
    }
}

pub(in crate::socket) fn receive(kernel: &mut Kernel, socket: SocketId, peek: bool) -> Result<Datagram, Errno> {
    let inet = get(kernel, socket)?;
    let (mut datagram, time) = if peek {
        let received = inet.queue.peek().ok_or(Errno::EAGAIN)?;
        (received.datagram(inet.domain, &inet.options), received.time)
    } else {
        let received = inet.queue.pop().ok_or(Errno::EAGAIN)?;
        let told = (received.datagram(inet.domain, &inet.options), received.time);
        kernel.frames.recycle(received.frame);
        told
    };
    // The time comes first, as on Linux.
    let time = kernel.timestamp(&kernel.sockets[socket].options, time);
    datagram.control.splice(0..0, time);
    Ok(datagram)
}

impl Kernel {
    /// Shows up to `limit` packets in the queue of a raw or ping socket to `show` and is done with them; how many there were.
    #[inline]
    pub(in crate::socket) fn drain_inet(
        &mut self,
        socket: SocketId,
        limit: usize,
        mut show: impl FnMut(&[u8]),
    ) -> usize {
        let Some(Socket { kind: SocketKind::Inet(inet), .. }) = self.sockets.get_mut(socket) else { return 0 };
        let pool = &mut self.frames;
        inet.queue.drain(limit, |received| {
            show(received.data());
            pool.recycle_from(&mut received.frame);
        })
    }
}
