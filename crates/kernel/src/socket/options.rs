//! Options at `SOL_SOCKET`, the same for every kind of socket.

use super::{Filter, SocketKind};
use crate::Control;
use crate::Kernel;
use crate::error::{Errno, Result};
use crate::types::{Instant, SocketId};

pub(super) const SOL_SOCKET: i32 = 1;

const SO_TYPE: i32 = 3;
const SO_ERROR: i32 = 4;
const SO_DONTROUTE: i32 = 5;
const SO_BROADCAST: i32 = 6;
const SO_SNDBUF: i32 = 7;
const SO_RCVBUF: i32 = 8;
const SO_PRIORITY: i32 = 12;
const SO_PASSCRED: i32 = 16;
const SO_RCVTIMEO: i32 = 20;
const SO_SNDTIMEO: i32 = 21;
const SO_BINDTODEVICE: i32 = 25;
const SO_ATTACH_FILTER: i32 = 26;
const SO_DETACH_FILTER: i32 = 27;
const SO_TIMESTAMP: i32 = 29;
const SO_SNDBUFFORCE: i32 = 32;
const SO_RCVBUFFORCE: i32 = 33;
const SO_TIMESTAMPNS: i32 = 35;
const SO_MARK: i32 = 36;
const SO_PROTOCOL: i32 = 38;
const SO_DOMAIN: i32 = 39;

/// `net.core.{r,w}mem_default` and their maximum without privilege.
const BUFFER_DEFAULT: usize = 212_992;
const BUFFER_MAX: usize = 4 << 20;

/// Their values.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) receive_buffer: usize,
    send_buffer: usize,
    pub(crate) broadcast: bool,
    /// 0, or `SO_TIMESTAMP`, or `SO_TIMESTAMPNS`.
    timestamp: i32,
    mark: u32,
    priority: i32,
    pub(crate) filter: Option<Filter>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            receive_buffer: BUFFER_DEFAULT,
            send_buffer: BUFFER_DEFAULT,
            broadcast: false,
            timestamp: 0,
            mark: 0,
            priority: 0,
            filter: None,
        }
    }
}

/// The `int` at the front of an option's value; `EINVAL` where it is shorter.
pub(super) fn int(value: &[u8]) -> Result<i32, Errno> {
    value.first_chunk().map(|bytes| i32::from_ne_bytes(*bytes)).ok_or(Errno::EINVAL)
}

pub(super) fn set(kernel: &mut Kernel, socket: SocketId, name: i32, value: &[u8]) -> Result<(), Errno> {
    if name == SO_BINDTODEVICE {
        return bind_to_device(kernel, socket, value);
    }
    let options = &mut kernel.open_socket(socket)?.options;
    match name {
        SO_SNDBUF | SO_SNDBUFFORCE => options.send_buffer = doubled(int(value)?),
        SO_RCVBUF | SO_RCVBUFFORCE => options.receive_buffer = doubled(int(value)?),
        SO_BROADCAST => options.broadcast = int(value)? != 0,
        SO_TIMESTAMP | SO_TIMESTAMPNS => options.timestamp = if int(value)? != 0 { name } else { 0 },
        SO_MARK => options.mark = int(value)? as u32,
        SO_PRIORITY => options.priority = int(value)?,
        SO_ATTACH_FILTER => options.filter = Some(Filter::parse(value)?),
        SO_DETACH_FILTER => options.filter = None,
        // Waiting is the business of whoever holds the descriptor.
        SO_RCVTIMEO | SO_SNDTIMEO | SO_PASSCRED | SO_DONTROUTE => {}
        _ => return Err(Errno::ENOPROTOOPT),
    }
    Ok(())
}

/// Linux doubles what is asked for, to have room for its own structures.
fn doubled(wanted: i32) -> usize {
    (usize::try_from(wanted).unwrap_or(0).saturating_mul(2)).clamp(2304, BUFFER_MAX)
}

pub(super) fn get(kernel: &mut Kernel, socket: SocketId, name: i32) -> Result<Vec<u8>, Errno> {
    let open = kernel.open_socket(socket)?;
    let options = &open.options;
    let value = match name {
        SO_SNDBUF => options.send_buffer as i32,
        SO_RCVBUF => options.receive_buffer as i32,
        SO_BROADCAST => options.broadcast.into(),
        SO_TIMESTAMP => (options.timestamp == SO_TIMESTAMP).into(),
        SO_TIMESTAMPNS => (options.timestamp == SO_TIMESTAMPNS).into(),
        SO_MARK => options.mark as i32,
        SO_PRIORITY => options.priority,
        SO_ERROR => open.pending_error.take().map_or(0, |error| error.0),
        SO_TYPE => match &open.kind {
            SocketKind::Inet(inet) => inet.kind,
            SocketKind::Packet(packet) => packet.kind,
            SocketKind::Netlink(netlink) => netlink.kind(),
            SocketKind::Unix => super::SOCK_DGRAM,
            SocketKind::Tun(_) => return Err(Errno::ENOTSOCK),
        },
        SO_DOMAIN => match &open.kind {
            SocketKind::Inet(inet) => inet.domain,
            SocketKind::Packet(_) => super::family::PACKET,
            SocketKind::Netlink(_) => super::family::NETLINK,
            SocketKind::Unix => super::family::UNIX,
            SocketKind::Tun(_) => return Err(Errno::ENOTSOCK),
        },
        SO_PROTOCOL => match &open.kind {
            SocketKind::Inet(inet) => inet.protocol.into(),
            SocketKind::Netlink(netlink) => netlink.protocol(),
            _ => 0,
        },
        _ => return Err(Errno::ENOPROTOOPT),
    };
    Ok(value.to_ne_bytes().to_vec())
}

fn bind_to_device(kernel: &mut Kernel, socket: SocketId, value: &[u8]) -> Result<(), Errno> {
    let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
    let name = std::str::from_utf8(&value[..end]).map_err(|_| Errno::ENODEV)?;
    let ns = kernel.open_socket(socket)?.ns;
    let device =
        if name.is_empty() { None } else { Some(kernel.namespaces[ns].device_by_name(name).ok_or(Errno::ENODEV)?) };
    kernel.open_socket(socket)?.bound_device = device;
    Ok(())
}

impl Kernel {
    /// The ancillary message with the time something was received, where the socket asked for it.
    pub(super) fn timestamp(&self, options: &Options, received: Instant) -> Option<Control> {
        let time = self.config.wall_clock + received.since_boot();
        let fraction = match options.timestamp {
            SO_TIMESTAMP => u64::from(time.subsec_micros()),
            SO_TIMESTAMPNS => u64::from(time.subsec_nanos()),
            _ => return None,
        };
        let mut data = time.as_secs().to_ne_bytes().to_vec();
        data.extend(fraction.to_ne_bytes());
        Some(Control { level: SOL_SOCKET, kind: options.timestamp, data })
    }
}
