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
/// The bit of [`Frame::start`] that says that the frame stands in a buffer of its own.
const LONG: u16 = 1 << 15;
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
    length: u32,
    start: u16,
    /// Set by the device that receives it.
    pub(crate) packet_type: PacketType,
    /// The transport checksum is known to be good or still to be filled in (it came from a local socket and never
    /// left the machine): receivers need not verify it.
    pub(crate) checksum_trusted: bool,
}

impl Frame {
    /// The whole frame, Ethernet header first.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        let start = usize::from(self.start & !LONG);
        let room = if self.start & LONG == 0 { &self.buffer.short[..] } else { &self.buffer.long };
        room.get(start..start + self.length as usize).unwrap_or_default()
    }

    /// Its length in bytes, Ethernet header included.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.length as usize
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
        Frame { buffer: Rc::clone(&self.buffer), ..*self }
    }

    /// Cuts it to `length` bytes (padding after an IP packet).
    pub(crate) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(u32::try_from(length).unwrap_or(u32::MAX));
    }
}

/// Idle buffers, the warmest on top.
#[derive(Debug, Default)]
pub(crate) struct FramePool {
    idle: Vec<Rc<Buffer>>,
}

impl FramePool {
    /// An unshared buffer with room for `length` bytes, which hold anything, and where they start.
    #[inline]
    fn fresh(&mut self, length: usize) -> (Rc<Buffer>, u16) {
        if length > BUFFER - HEADROOM {
            return FramePool::long(length);
        }
        match self.idle.pop() {
            Some(buffer) => (buffer, HEADROOM as u16),
            None => FramePool::short(),
        }
    }

    #[cold]
    fn short() -> (Rc<Buffer>, u16) {
        (Rc::new(Buffer { short: [0; BUFFER], long: Box::default() }), HEADROOM as u16)
    }

    #[cold]
    fn long(length: usize) -> (Rc<Buffer>, u16) {
        let long = vec![0; HEADROOM + length].into();
        (Rc::new(Buffer { short: [0; BUFFER], long }), HEADROOM as u16 | LONG)
    }

    /// A frame of `length` bytes that `fill` has written.
    #[inline]
    fn filled(&mut self, length: usize, fill: impl FnOnce(&mut [u8])) -> Frame {
        let (mut buffer, start) = self.fresh(length);
        let unshared = Rc::get_mut(&mut buffer).expect("idle buffers are unshared");
        let room = if start & LONG == 0 { &mut unshared.short[..] } else { &mut unshared.long };
        fill(&mut room[HEADROOM..HEADROOM + length]);
        let length = length as u32;
        Frame { buffer, length, start, packet_type: PacketType::Host, checksum_trusted: false }
    }

    /// A frame with these bytes.
    #[inline]
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
        let (start, length) = (usize::from(frame.start & !LONG), frame.length as usize);
        let buffer = Rc::get_mut(&mut frame.buffer).expect("just unshared");
        let room = if frame.start & LONG == 0 { &mut buffer.short[..] } else { &mut buffer.long };
        room.get_mut(start..start + length).unwrap_or_default()
    }

    fn unshare(&mut self, frame: &mut Frame) {
        let (packet_type, checksum_trusted) = (frame.packet_type, frame.checksum_trusted);
        *frame = Frame { packet_type, checksum_trusted, ..self.copy_from(frame.bytes()) };
    }

    /// Takes a frame at the end of its way; its buffer is used again once nobody shares it.
    #[inline]
    pub(crate) fn recycle(&mut self, frame: Frame) {
        let mut buffer = frame.buffer;
        if frame.start & LONG == 0 && self.idle.len() < POOL && Rc::get_mut(&mut buffer).is_some() {
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
