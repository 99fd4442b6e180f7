//! Frames (Linux's `sk_buff`): an Ethernet frame in a pooled buffer that is moved from hand to hand and shared where
//! Linux clones.
//!
//! A frame always starts at its Ethernet header; on `lo` that is fourteen zero bytes and the EtherType. Cloning is
//! [`Frame::share`]: the payload stays shared until somebody writes to it through [`FramePool::bytes_mut`]. At the end of
//! its way a frame goes back through [`FramePool::recycle`]; one that is merely dropped is freed, never leaked.

use std::rc::Rc;

/// Length of the Ethernet header.
pub(crate) const ETH_HLEN: usize = 14;

/// How many bytes of a frame a pooled buffer holds: what 1,500 bytes of payload with tags and tunnels need. With what else is in the
/// buffer no power of two, so that the headers of many frames don't compete for the same few sets of the processor's cache.
const SHORT: usize = 2080;
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

/// One Ethernet frame. Its bytes are the first of the buffer; what is left where a frame was taken has none.
///
/// Frames are moved a lot, and so are kept small: 16 bytes.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    buffer: Option<Rc<Buffer>>,
    length: u32,
    marks: Marks,
}

/// Where a frame's bytes are. The short ones, which nearly all are, lie beside the count of those who share them.
#[derive(Debug)]
#[repr(C)]
struct Buffer {
    short: [u8; SHORT],
    /// The bytes of a frame that is marked as long.
    long: Box<[u8]>,
}

impl Buffer {
    /// The bytes of a long frame.
    #[cold]
    fn long(&self, length: u32) -> &[u8] {
        self.long.get(..length as usize).unwrap_or_default()
    }

    #[cold]
    fn long_mut(&mut self, length: u32) -> &mut [u8] {
        self.long.get_mut(..length as usize).unwrap_or_default()
    }
}

/// No bytes. Frames have some, and what is done with them need not wait for a choice between two places.
#[cold]
fn nothing<'a>() -> &'a [u8] {
    &[]
}

#[cold]
fn nothing_mut<'a>() -> &'a mut [u8] {
    &mut []
}

/// What is known of a frame beside its bytes: its type in the lowest bits, whether its checksum is trusted, whether it is long, and on
/// how many devices it was received.
#[derive(Clone, Copy, Debug, Default)]
struct Marks(u32);

impl Marks {
    const TYPE: u32 = 7;
    const TRUSTED: u32 = 8;
    const LONG: u32 = 16;
    const HOP: u32 = 1 << 8;

    #[inline(always)]
    fn with_type(self, packet_type: PacketType) -> Marks {
        Marks(self.0 & !Marks::TYPE | packet_type as u32)
    }
}

impl Frame {
    /// The whole frame, Ethernet header first.
    #[inline(always)]
    pub(crate) fn bytes(&self) -> &[u8] {
        let Some(buffer) = &self.buffer else { return nothing() };
        if self.marks.0 & Marks::LONG != 0 {
            return buffer.long(self.length);
        }
        buffer.short.get(..self.length as usize).unwrap_or_else(nothing)
    }

    /// Its length in bytes, Ethernet header included.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.length as usize
    }

    /// How its destination relates to the device that received it, which says so.
    #[inline]
    pub(crate) fn packet_type(&self) -> PacketType {
        const TYPES: [PacketType; 8] = {
            use PacketType::*;
            [Host, Broadcast, Multicast, OtherHost, Outgoing, Host, Host, Host]
        };
        TYPES[(self.marks.0 & Marks::TYPE) as usize]
    }

    /// See [`Frame::packet_type`].
    #[inline]
    pub(crate) fn set_packet_type(&mut self, to: PacketType) {
        self.marks = self.marks.with_type(to);
    }

    /// Whether the transport checksum is known to be good or still to be filled in (the frame came from a local socket and
    /// never left the machine): receivers need not verify it.
    #[inline]
    pub(crate) fn checksum_trusted(&self) -> bool {
        self.marks.0 & Marks::TRUSTED != 0
    }

    /// See [`Frame::checksum_trusted`].
    #[inline]
    pub(crate) fn set_checksum_trusted(&mut self, trusted: bool) {
        self.marks.0 = self.marks.0 & !Marks::TRUSTED | if trusted { Marks::TRUSTED } else { 0 };
    }

    /// On how many devices it was received, it or what it is a share of.
    #[inline(always)]
    pub(crate) fn hops(&self) -> u32 {
        self.marks.0 / Marks::HOP
    }

    /// Moves to another, empty place, on the way to one more device.
    #[inline(always)]
    pub(crate) fn hop_to(&mut self, place: &mut Frame) {
        place.buffer = self.buffer.take();
        place.length = self.length;
        place.marks.0 = self.marks.0.wrapping_add(Marks::HOP);
    }

    /// Another frame with the same bytes takes an empty place, on the way to one more device.
    #[inline(always)]
    pub(crate) fn share_to(&self, place: &mut Frame) {
        place.buffer = self.buffer.clone();
        place.length = self.length;
        place.marks.0 = self.marks.0.wrapping_add(Marks::HOP);
    }

    /// Moves to another, empty place.
    #[inline(always)]
    pub(crate) fn move_to(&mut self, place: &mut Frame) {
        place.buffer = self.buffer.take();
        place.length = self.length;
        place.marks = self.marks;
    }

    /// Counts one more device.
    #[inline(always)]
    pub(crate) fn count_hop(&mut self) {
        self.marks.0 = self.marks.0.wrapping_add(Marks::HOP);
    }

    /// What follows the Ethernet header.
    #[inline(always)]
    pub(crate) fn payload(&self) -> &[u8] {
        self.bytes().get(ETH_HLEN..).unwrap_or_else(nothing)
    }

    /// Destination and source address as the first twelve bytes; `None` in a frame too short for a header.
    #[inline]
    pub(crate) fn header(&self) -> Option<&[u8; ETH_HLEN]> {
        self.bytes().first_chunk()
    }

    /// The EtherType (or the length of an 802.3 frame); 0 where there is no header.
    #[inline]
    pub(crate) fn ethertype(&self) -> u16 {
        self.header().map_or(0, crate::path::ethertype::of)
    }

    /// Another frame with the same bytes, not copied.
    #[inline]
    pub(crate) fn share(&self) -> Frame {
        Frame { buffer: self.buffer.clone(), length: self.length, marks: self.marks }
    }

    /// Becomes a share of another frame, seen from where it has another type.
    #[inline(always)]
    pub(crate) fn set_share(&mut self, other: &Frame, packet_type: PacketType) {
        self.buffer = other.buffer.clone();
        self.length = other.length;
        self.marks = other.marks.with_type(packet_type);
    }

    /// Cuts it to `length` bytes (padding after an IP packet).
    #[inline]
    pub(crate) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(u32::try_from(length).unwrap_or(u32::MAX));
    }
}

/// Idle buffers, the warmest on top.
#[derive(Debug, Default)]
pub(crate) struct FramePool {
    idle: Vec<Rc<Buffer>>,
}

// Making and recycling stand in the way of every frame, and whoever else calls them must not push them out of it.
impl FramePool {
    #[cold]
    #[inline(never)]
    fn new_buffer() -> Rc<Buffer> {
        Rc::new(Buffer { short: [0; SHORT], long: Box::default() })
    }

    /// Makes `frame` one of `length` bytes, over all of which is to be written.
    #[inline(always)]
    pub(crate) fn room<'a>(&mut self, frame: &'a mut Frame, length: usize) -> &'a mut [u8] {
        let buffer = self.idle.pop().unwrap_or_else(FramePool::new_buffer);
        frame.length = length as u32;
        frame.marks = Marks::default();
        // Idle buffers are unshared.
        let Some(room) = Rc::get_mut(frame.buffer.insert(buffer)) else { return &mut [] };
        if length <= SHORT {
            return &mut room.short[..length];
        }
        room.long = vec![0; length].into();
        frame.marks.0 |= Marks::LONG;
        &mut room.long
    }

    /// A frame with these bytes.
    #[inline(always)]
    pub(crate) fn copy_from(&mut self, bytes: &[u8]) -> Frame {
        let mut frame = Frame::default();
        self.copy_to(&mut frame, bytes);
        frame
    }

    /// Makes `frame` one with these bytes.
    #[inline(always)]
    pub(crate) fn copy_to(&mut self, frame: &mut Frame, bytes: &[u8]) {
        self.room(frame, bytes.len()).copy_from_slice(bytes);
    }

    /// A frame of `length` zero bytes, filled in by `build`.
    pub(crate) fn build(&mut self, length: usize, build: impl FnOnce(&mut [u8])) -> Frame {
        let mut frame = Frame::default();
        self.build_to(&mut frame, length, build);
        frame
    }

    /// Makes `frame` one of `length` zero bytes, filled in by `build`.
    pub(crate) fn build_to(&mut self, frame: &mut Frame, length: usize, build: impl FnOnce(&mut [u8])) {
        let room = self.room(frame, length);
        room.fill(0);
        build(room);
    }

    /// The frame's bytes to write to; a shared payload is copied first.
    #[inline(always)]
    pub(crate) fn bytes_mut<'a>(&mut self, frame: &'a mut Frame) -> &'a mut [u8] {
        if frame.buffer.as_mut().is_some_and(|buffer| Rc::get_mut(buffer).is_none()) {
            self.unshare(frame);
        }
        let Some(buffer) = frame.buffer.as_mut().and_then(Rc::get_mut) else { return nothing_mut() };
        if frame.marks.0 & Marks::LONG != 0 {
            return buffer.long_mut(frame.length);
        }
        buffer.short.get_mut(..frame.length as usize).unwrap_or_else(nothing_mut)
    }

    #[cold]
    #[inline(never)]
    fn unshare(&mut self, frame: &mut Frame) {
        let mut copy = self.copy_from(frame.bytes());
        copy.set_packet_type(frame.packet_type());
        copy.set_checksum_trusted(frame.checksum_trusted());
        *frame = copy;
    }

    /// Takes a frame at the end of its way; its buffer is used again once nobody shares it.
    #[inline(always)]
    pub(crate) fn recycle(&mut self, mut frame: Frame) {
        self.recycle_from(&mut frame);
    }

    /// The same, where the frame is.
    #[inline(always)]
    pub(crate) fn recycle_from(&mut self, frame: &mut Frame) {
        let Some(mut buffer) = frame.buffer.take() else { return };
        if Rc::strong_count(&buffer) == 1
            && self.idle.len() < POOL
            && let Some(unshared) = Rc::get_mut(&mut buffer)
        {
            if frame.marks.0 & Marks::LONG != 0 {
                unshared.long = Box::default();
            }
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
    fn long_frames_are_not_kept() {
        let mut pool = FramePool::default();
        let mut frame = pool.copy_from(&[7; 65_549]);
        assert_eq!((frame.len(), frame.bytes()), (65_549, &[7; 65_549][..]));
        pool.bytes_mut(&mut frame)[65_548] = 8;
        frame.truncate(60);
        assert_eq!(frame.share().bytes(), [7; 60]);
        pool.recycle(frame);
        assert!(pool.idle.iter().all(|buffer| buffer.long.is_empty()));
        assert_eq!(pool.copy_from(&[1; 60]).bytes(), [1; 60]);
    }
}
