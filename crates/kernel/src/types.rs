//! The small words of the kernel: keys, addresses, instants.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

slotmap::new_key_type! {
    /// A device, for as long as it is registered; an ifindex is a separate thing, unique only within a namespace.
    pub struct DevId;
    /// A network namespace.
    pub struct NsId;
    /// An open socket.
    pub struct SocketId;
}

/// A point in time on the caller's clock: nanoseconds since the machine's boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub u64);

impl Instant {
    /// Time since boot.
    pub fn since_boot(self) -> Duration {
        Duration::from_nanos(self.0)
    }

    /// How long ago `earlier` was; nothing where it lies in the future.
    pub fn since(self, earlier: Instant) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;
    fn add(self, duration: Duration) -> Instant {
        Instant(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;
    fn sub(self, duration: Duration) -> Instant {
        Instant(self.0.saturating_sub(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// An Ethernet address.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddr(pub [u8; 6]);

impl MacAddr {
    /// ff:ff:ff:ff:ff:ff.
    pub const BROADCAST: MacAddr = MacAddr([0xff; 6]);
    /// 00:00:00:00:00:00.
    pub const ZERO: MacAddr = MacAddr([0; 6]);

    /// The first six bytes, or `None` where there are fewer.
    pub fn from_slice(bytes: &[u8]) -> Option<MacAddr> {
        bytes.first_chunk().copied().map(MacAddr)
    }

    /// Whether the group bit is set (true for broadcast too).
    pub fn is_multicast(self) -> bool {
        self.0[0] & 1 != 0
    }

    /// Whether it is all ones.
    pub fn is_broadcast(self) -> bool {
        self == Self::BROADCAST
    }

    /// Whether it is all zero.
    pub fn is_zero(self) -> bool {
        self == Self::ZERO
    }

    /// Whether a device may have it: neither a group nor all zero.
    pub fn is_valid_unicast(self) -> bool {
        !self.is_multicast() && !self.is_zero()
    }

    /// 01:80:c2:00:00:00 to …:0f, the addresses that a bridge does not forward (IEEE 802.1D, 7.12.6).
    pub fn is_link_local(self) -> bool {
        self.0[..5] == [0x01, 0x80, 0xc2, 0x00, 0x00] && self.0[5] & 0xf0 == 0
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A device's name: 1 to 15 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IfName {
    bytes: [u8; 15],
    length: u8,
}

impl IfName {
    /// No name yet: what a device that is still to be named has.
    pub(crate) const UNNAMED: IfName = IfName { bytes: [0; 15], length: 0 };

    /// `None` where Linux would not take it: empty, longer than 15 bytes, `.` or `..`, `all`, `default`, with a `/`, a `:` or white
    /// space.
    pub fn new(name: &str) -> Option<IfName> {
        let refused = |byte: u8| byte == b'/' || byte == b':' || byte.is_ascii_whitespace() || byte == 0x0b;
        if name.is_empty()
            || name.len() > 15
            || matches!(name, "." | ".." | "all" | "default")
            || name.bytes().any(refused)
        {
            return None;
        }
        let mut bytes = [0; 15];
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        Some(IfName { bytes, length: name.len() as u8 })
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length as usize]).unwrap_or_default()
    }
}

impl fmt::Display for IfName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for IfName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}
