//! What the two families of `ping` have in common: a socket that echo requests leave through, and what comes back.

use std::io;
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use netloom_machine::{Control, Received, Socket};

use super::options::{Options, Stop};

/// Length of the ICMP echo header before the data.
pub(super) const HEADER: usize = 8;
/// How many bytes of data hold the time of sending.
pub(super) const STAMP: usize = 16;

/// What an arrived datagram turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// An answer to a request of ours.
    Answer {
        from: SocketAddr,
        sequence: u16,
        /// ICMP header and data.
        message: Vec<u8>,
        ttl: Option<u8>,
        bad_checksum: bool,
        /// The IP options, raw.
        options: Vec<u8>,
    },
    /// News about a request that is no error (a redirect).
    Notice { from: SocketAddr, sequence: u16, text: String },
    /// Somebody else's.
    Foreign,
}

/// What the error queue held.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// This kernel refused: errno, and the MTU where that is the reason.
    Local { errno: i32, mtu: u32 },
    /// An ICMP error for a request of ours.
    Icmp { from: SocketAddr, sequence: u16, text: String },
    /// An ICMP error for somebody else's.
    Foreign,
}

/// A socket that requests leave through, and its family's ways.
pub(super) trait Probe {
    fn socket(&self) -> &Socket;
    fn target(&self) -> SocketAddr;
    fn ident(&self) -> Option<u16>;
    /// The first line, for a target of that name.
    fn heading(&self, host: &str, options: &Options) -> String;
    /// A whole ICMP message.
    fn request(&self, sequence: u16, data: &[u8]) -> Vec<u8>;
    fn arrival(&self, received: Received) -> Arrival;
    fn failure(&self, received: &Received) -> Failure;
    /// A message that is longer than the MTU allows.
    fn too_long(&self, mtu: u32) -> String;
    /// Whether an answer from there is no surprise.
    fn expects(&self, from: &SocketAddr) -> bool;
    /// Called once, when the first ICMP error of a request was read from the error queue.
    fn errors_come_queued(&self) {}
}

/// Seconds and microseconds of the wall clock as `struct timeval` has them.
pub(super) fn stamp() -> [u8; STAMP] {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut bytes = [0; STAMP];
    let (seconds, micros) = bytes.split_at_mut(8);
    seconds.copy_from_slice(&(now.as_secs() as i64).to_ne_bytes());
    micros.copy_from_slice(&i64::from(now.subsec_micros()).to_ne_bytes());
    bytes
}

/// A `struct timeval` in microseconds.
pub(super) fn micros(bytes: &[u8]) -> Option<i64> {
    let (seconds, rest) = bytes.split_first_chunk()?;
    let micros = rest.first_chunk()?;
    i64::from_ne_bytes(*seconds).checked_mul(1_000_000)?.checked_add(i64::from_ne_bytes(*micros))
}

/// The data of the first ancillary message of that kind.
pub(super) fn control(messages: &[Control], level: i32, kind: i32) -> Option<&[u8]> {
    messages.iter().find(|message| message.level == level && message.kind == kind).map(|message| &*message.data)
}

/// `sock_extended_err` and the offender's `sockaddr` behind it.
pub(super) struct ExtendedError {
    pub(super) errno: i32,
    pub(super) origin: u8,
    pub(super) kind: u8,
    pub(super) code: u8,
    pub(super) info: u32,
    pub(super) offender: Option<SocketAddr>,
}

impl ExtendedError {
    pub(super) fn parse(bytes: &[u8]) -> Option<ExtendedError> {
        let (errno, rest) = bytes.split_first_chunk()?;
        let (&[origin, kind, code, _], rest) = rest.split_first_chunk()?;
        let (info, rest) = rest.split_first_chunk()?;
        Some(ExtendedError {
            errno: u32::from_ne_bytes(*errno) as i32,
            origin,
            kind,
            code,
            info: u32::from_ne_bytes(*info),
            offender: rest.get(4..).and_then(crate::sockaddr::parse),
        })
    }
}

/// setsockopt(2), or the end with its reason.
pub(super) fn set(socket: &Socket, level: i32, name: i32, value: i32, what: &str) -> Result<(), Stop> {
    socket.set_option_int(level, name, value).map_err(|error| Stop::new(2, format!("{what}: {}", words(&error))))
}

/// strerror(3) without Rust's `(os error N)`.
pub(super) fn words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

/// Buffers big enough for what is under way: the kernel counts its own overhead too.
pub(super) fn set_buffers(socket: &Socket, options: &Options, overhead: usize) {
    let length = options.size.saturating_add(HEADER);
    let hold = length.saturating_add(length.saturating_add(511) / 512 * overhead);
    let send = options.send_buffer.unwrap_or(i32::try_from(hold).unwrap_or(i32::MAX));
    let receive = hold.saturating_mul(options.preload as usize).max(65536);
    // Smaller buffers only lose more.
    let _ = socket.set_option_int(libc::SOL_SOCKET, libc::SO_SNDBUF, send);
    let _ = socket.set_option_int(libc::SOL_SOCKET, libc::SO_RCVBUF, i32::try_from(receive).unwrap_or(i32::MAX));
}
