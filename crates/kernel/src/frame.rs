//! Frames (Linux's `sk_buff`): an Ethernet frame in a pooled buffer that is moved from hand to hand and shared where
//! Linux clones.
//!
//! A frame always starts at its Ethernet header; on `lo` that is fourteen zero bytes and the EtherType. Buffers have
//! headroom in front for encapsulation. Cloning is [`Frame::share`]: the payload stays shared until somebody writes
//! to it through [`FramePool::bytes_mut`]. At the end of its way a frame goes back through [`FramePool::recycle`];
//! one that is merely dropped is freed, never leaked.

use std::rc::Rc;

/// Length of the Ethernet header.
pub(crate) const ETH_HLEN: usize = 14;

/// Room in front of a frame's first byte.
const HEADROOM: usize = 64;
/// The size of a pooled buffer: what 1,500 bytes of payload with tags and tunnels need. No power of two, so that the
/// headers of many frames don't compete for the same few sets of the processor's cache.
const BUFFER: usize = 2112;
/// How many idle buffers are kept at most (16 MiB).
const POOL: usize = 8192;

/// How a frame's destination relates to the device that received it (`PACKET_…` of packet(7)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum PacketType {
    /// To this device.
    #[default]
    Host = 0,
    /// To everybody.
    Broadcast = 1,
    /// To a group.
    Multicast = 2,
    /// To somebody else.
    OtherHost = 3,
    /// Seen on its way out.
    Outgoing = 4,
}

/// Where a frame's bytes are.
#[derive(Debug)]
struct Buffer {
    short: [u8; BUFFER],
    /// The bytes of a frame for which `short` is too short.
    long: Box<[u8]>,
}

/// One Ethernet frame: two machine words, which travel in registers.
#[derive(Debug)]
pub(crate) struct Frame {
    buffer: Rc<Buffer>,
    about: About,
}

/// What is known of a frame beside its bytes, in one word.
///
/// From the lowest bit on: length (32 bits), where it starts (15), [`About::LONG`], type (3), [`About::TRUSTED`].
#[derive(Clone, Copy, Debug)]
struct About(u64);

impl About {
    const START: u32 = 32;
    /// The bytes stand in [`Buffer::long`].
    const LONG: u64 = 1 << 47;
    const TYPE: u32 = 48;
    const TRUSTED: u64 = 1 << 51;

    #[inline]
    fn new(length: usize, long: bool) -> About {
        let long = if long { About::LONG } else { 0 };
        About(length as u64 & u64::from(u32::MAX) | (HEADROOM as u64) << About::START | long)
    }

    #[inline]
    fn length(self) -> usize {
        self.0 as u32 as usize
    }

    #[inline]
    fn start(self) -> usize {
        (self.0 >> About::START) as usize & 0x7fff
    }

    #[inline]
    fn is_long(self) -> bool {
        self.0 & About::LONG != 0
    }
}

impl Frame {
    /// The whole frame, Ethernet header first.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        let start = self.about.start();
        let room = if self.about.is_long() { &self.buffer.long } else { &self.buffer.short[..] };
        room.get(start..start + self.about.length()).unwrap_or_default()
    }

    /// Its length in bytes, Ethernet header included.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.about.length()
    }

    /// How its destination relates to the device that received it, which says so.
    #[inline]
    pub(crate) fn packet_type(&self) -> PacketType {
        const TYPES: [PacketType; 8] = {
            use PacketType::*;
            [Host, Broadcast, Multicast, OtherHost, Outgoing, Host, Host, Host]
        };
        TYPES[(self.about.0 >> About::TYPE) as usize & 7]
    }

    /// See [`Frame::packet_type`].
    #[inline]
    pub(crate) fn set_packet_type(&mut self, to: PacketType) {
        self.about.0 = self.about.0 & !(7 << About::TYPE) | (to as u64) << About::TYPE;
    }

    /// Whether the transport checksum is known to be good or still to be filled in (the frame came from a local socket and
    /// never left the machine): receivers need not verify it.
    #[inline]
    pub(crate) fn checksum_trusted(&self) -> bool {
        self.about.0 & About::TRUSTED != 0
    }

    /// See [`Frame::checksum_trusted`].
    #[inline]
    pub(crate) fn set_checksum_trusted(&mut self, trusted: bool) {
        self.about.0 = self.about.0 & !About::TRUSTED | if trusted { About::TRUSTED } else { 0 };
    }

    /// What follows the Ethernet header.
    #[inline]
    pub(crate) fn payload(&self) -> &[u8] {
        self.bytes().get(ETH_HLEN..).unwrap_or_default()
    }

    /// Destination and source address as the first twelve bytes; `None` in a frame too short for a header.
    #[inline]
    pub(crate) fn header(&self) -> Option<&[u8; ETH_HLEN]> {
        self.bytes().first_chunk()
    }

    /// The EtherType (or the length of an 802.3 frame); 0 where there is no header.
    #[inline]
    pub(crate) fn ethertype(&self) -> u16 {
        self.header().map_or(0, |header| u16::from_be_bytes([header[12], header[13]]))
    }

    /// Another frame with the same bytes, not copied.
    #[inline]
    pub(crate) fn share(&self) -> Frame {
        Frame { buffer: Rc::clone(&self.buffer), about: self.about }
    }

    /// Cuts it to `length` bytes (padding after an IP packet).
    #[inline]
    pub(crate) fn truncate(&mut self, length: usize) {
        let length = self.about.length().min(length) as u64;
        self.about.0 = self.about.0 & !u64::from(u32::MAX) | length;
    }
}

/// Idle buffers, the warmest on top.
#[derive(Debug, Default)]
pub(crate) struct FramePool {
    idle: Vec<Rc<Buffer>>,
}

// Making and recycling stand in the way of every frame, and whoever else calls them must not push them out of it.
impl FramePool {
    /// An unshared buffer with room for `length` bytes, which hold anything.
    #[inline(always)]
    fn fresh(&mut self, length: usize) -> Rc<Buffer> {
        if length > BUFFER - HEADROOM {
            return FramePool::long(length);
        }
        self.idle.pop().unwrap_or_else(FramePool::short)
    }

    #[cold]
    fn short() -> Rc<Buffer> {
        Rc::new(Buffer { short: [0; BUFFER], long: Box::default() })
    }

    #[cold]
    fn long(length: usize) -> Rc<Buffer> {
        Rc::new(Buffer { short: [0; BUFFER], long: vec![0; HEADROOM + length].into() })
    }

    /// A frame of `length` bytes that `fill` has written.
    #[inline(always)]
    fn filled(&mut self, length: usize, fill: impl FnOnce(&mut [u8])) -> Frame {
        let mut buffer = self.fresh(length);
        let unshared = Rc::get_mut(&mut buffer).expect("idle buffers are unshared");
        let about = About::new(length, length > BUFFER - HEADROOM);
        let room = if about.is_long() { &mut unshared.long } else { &mut unshared.short[..] };
        fill(&mut room[HEADROOM..HEADROOM + length]);
        Frame { buffer, about }
    }

    /// A frame with these bytes.
    #[inline(always)]
    pub(crate) fn copy_from(&mut self, bytes: &[u8]) -> Frame {
        self.filled(bytes.len(), |room| room.copy_from_slice(bytes))
    }

    /// A frame of `length` zero bytes, filled in by `build`.
    pub(crate) fn build(&mut self, length: usize, build: impl FnOnce(&mut [u8])) -> Frame {
        self.filled(length, |room| {
            room.fill(0);
            build(room);
        })
    }

    /// The frame's bytes to write to; a shared payload is copied first.
    #[inline]
    pub(crate) fn bytes_mut<'a>(&mut self, frame: &'a mut Frame) -> &'a mut [u8] {
        if Rc::get_mut(&mut frame.buffer).is_none() {
            self.unshare(frame);
        }
        let (start, length) = (frame.about.start(), frame.about.length());
        let long = frame.about.is_long();
        let buffer = Rc::get_mut(&mut frame.buffer).expect("just unshared");
        let room = if long { &mut buffer.long } else { &mut buffer.short[..] };
        room.get_mut(start..start + length).unwrap_or_default()
    }

    fn unshare(&mut self, frame: &mut Frame) {
        let mut copy = self.copy_from(frame.bytes());
        copy.set_packet_type(frame.packet_type());
        copy.set_checksum_trusted(frame.checksum_trusted());
        *frame = copy;
    }

    /// Takes a frame at the end of its way; its buffer is used again once nobody shares it.
    #[inline(always)]
    pub(crate) fn recycle(&mut self, frame: Frame) {
        let mut buffer = frame.buffer;
        if !frame.about.is_long() && self.idle.len() < POOL && Rc::get_mut(&mut buffer).is_some() {
            self.idle.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_payload_is_copied_when_written_to() {
        let mut pool = FramePool::default();
        let mut first = pool.copy_from(&[1; 60]);
        let second = first.share();
        pool.bytes_mut(&mut first)[0] = 9;
        assert_eq!((first.bytes()[0], second.bytes()[0]), (9, 1));
    }

    #[test]
    fn buffers_are_used_again_only_when_nobody_shares_them() {
        let mut pool = FramePool::default();
        let first = pool.copy_from(&[1; 60]);
        let second = first.share();
        pool.recycle(first);
        assert!(pool.idle.is_empty());
        pool.recycle(second);
        assert_eq!(pool.idle.len(), 1);
    }

    #[test]
    fn long_frames_have_buffers_of_their_own() {
        let mut pool = FramePool::default();
        let frame = pool.copy_from(&[7; 65_549]);
        assert_eq!(frame.len(), 65_549);
        pool.recycle(frame);
        assert!(pool.idle.is_empty());
    }
}
