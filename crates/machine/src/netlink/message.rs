//! Netlink messages as bytes: a request being built, and borrowed views of what the kernel sent.
//!
//! The views never fail: whatever is malformed ends the iteration, and an attribute nobody knows is just not asked for.
//! So a dump survives a kernel that is newer than the command.

use netlink_packet_core::{NLA_TYPE_MASK, NLM_F_REQUEST};

/// The length of `struct nlmsghdr`.
pub(super) const HEADER: usize = 16;

/// A request on its way to the kernel: header, family header and attributes, in the order in which they are added.
#[derive(Clone, Debug)]
pub struct Request {
    bytes: Vec<u8>,
}

/// An open nested attribute; see [`Request::begin`].
#[derive(Debug)]
#[must_use = "a nest that is never ended has no length"]
pub struct Nest(usize);

impl Request {
    /// A message of that type (`RTM_NEWLINK` …). `NLM_F_REQUEST` is added to `flags`.
    pub fn new(kind: u16, flags: u16) -> Request {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(&(HEADER as u32).to_ne_bytes());
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(&(flags | NLM_F_REQUEST).to_ne_bytes());
        bytes.extend_from_slice(&[0; 8]);
        Request { bytes }
    }

    /// Appends raw bytes (a family header such as `ifinfomsg`), padded to four.
    pub fn put(&mut self, bytes: &[u8]) -> &mut Request {
        self.bytes.extend_from_slice(bytes);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self
    }

    /// Appends an attribute. A value longer than an attribute can be (65,531 bytes) is cut there.
    pub fn attribute(&mut self, kind: u16, value: &[u8]) -> &mut Request {
        let value = &value[..value.len().min(usize::from(u16::MAX) - 4)];
        self.bytes.extend_from_slice(&(value.len() as u16 + 4).to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.put(value)
    }

    /// Appends an 8-bit attribute.
    pub fn u8(&mut self, kind: u16, value: u8) -> &mut Request {
        self.attribute(kind, &[value])
    }

    /// Appends a 16-bit attribute in the host's byte order.
    pub fn u16(&mut self, kind: u16, value: u16) -> &mut Request {
        self.attribute(kind, &value.to_ne_bytes())
    }

    /// Appends a 32-bit attribute in the host's byte order.
    pub fn u32(&mut self, kind: u16, value: u32) -> &mut Request {
        self.attribute(kind, &value.to_ne_bytes())
    }

    /// Appends a 64-bit attribute in the host's byte order.
    pub fn u64(&mut self, kind: u16, value: u64) -> &mut Request {
        self.attribute(kind, &value.to_ne_bytes())
    }

    /// Appends a string with its terminating zero.
    pub fn string(&mut self, kind: u16, value: &str) -> &mut Request {
        let mut bytes = Vec::with_capacity(value.len() + 1);
        bytes.extend_from_slice(value.as_bytes());
        bytes.push(0);
        self.attribute(kind, &bytes)
    }

    /// Opens a nested attribute: what is added until [`Request::end`] stands inside it. `NLA_F_NESTED` is the caller's
    /// to add, since rtnetlink's older attributes go without.
    pub fn begin(&mut self, kind: u16) -> Nest {
        let start = self.bytes.len();
        self.attribute(kind, &[]);
        Nest(start)
    }

    /// Closes a nested attribute.
    pub fn end(&mut self, nest: Nest) -> &mut Request {
        let length = (self.bytes.len() - nest.0) as u16;
        self.bytes[nest.0..nest.0 + 2].copy_from_slice(&length.to_ne_bytes());
        self
    }

    /// Overwrites bytes of the body (counted from the end of the netlink header) that were added before: a family
    /// header whose ifindex or flags become known while options are parsed.
    pub fn patch(&mut self, at: usize, bytes: &[u8]) -> &mut Request {
        if let Some(target) = self.bytes.get_mut(HEADER + at..HEADER + at + bytes.len()) {
            target.copy_from_slice(bytes);
        }
        self
    }

    /// The message's type.
    pub fn kind(&self) -> u16 {
        u16_at(&self.bytes, 4)
    }

    /// The message's flags.
    pub fn flags(&self) -> u16 {
        u16_at(&self.bytes, 6)
    }

    /// Adds message flags (`NLM_F_CREATE` …).
    pub fn add_flags(&mut self, flags: u16) -> &mut Request {
        let flags = self.flags() | flags;
        self.bytes[6..8].copy_from_slice(&flags.to_ne_bytes());
        self
    }

    /// What follows the netlink header, so far.
    pub fn body(&self) -> &[u8] {
        &self.bytes[HEADER..]
    }

    /// The finished message.
    pub(super) fn finish(&mut self, sequence: u32) -> &[u8] {
        let length = self.bytes.len() as u32;
        self.bytes[0..4].copy_from_slice(&length.to_ne_bytes());
        self.bytes[8..12].copy_from_slice(&sequence.to_ne_bytes());
        &self.bytes
    }
}

/// One message from the kernel.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// `RTM_NEWLINK` …
    pub kind: u16,
    /// `NLM_F_*`.
    pub flags: u16,
    /// The sequence number of the request it answers; 0 of a notification.
    pub sequence: u32,
    /// The port of the socket it answers.
    pub port: u32,
    /// What follows the netlink header.
    pub payload: &'a [u8],
}

impl<'a> Message<'a> {
    /// The attributes after a family header of `header` bytes.
    pub fn attributes(&self, header: usize) -> Attributes<'a> {
        Attributes(self.payload.get(header.next_multiple_of(4)..).unwrap_or_default())
    }
}

/// The messages of one datagram. A malformed one ends the iteration.
#[derive(Clone, Copy, Debug)]
pub struct Messages<'a>(pub(super) &'a [u8]);

impl<'a> Messages<'a> {
    /// The messages in `datagram`.
    pub fn new(datagram: &'a [u8]) -> Messages<'a> {
        Messages(datagram)
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let header = self.0.get(..HEADER)?;
        let length = u32_at(header, 0) as usize;
        let payload = self.0.get(HEADER..length)?;
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Message {
            kind: u16_at(header, 4),
            flags: u16_at(header, 6),
            sequence: u32_at(header, 8),
            port: u32_at(header, 12),
            payload,
        })
    }
}

/// A run of attributes, in the kernel's order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attributes<'a>(&'a [u8]);

impl<'a> Attributes<'a> {
    /// The attributes in `bytes` (the value of a nested attribute, say).
    pub fn new(bytes: &'a [u8]) -> Attributes<'a> {
        Attributes(bytes)
    }

    /// The last attribute of each type below `N`, by type: what rtnetlink calls a table.
    pub fn table<const N: usize>(self) -> Table<'a, N> {
        let mut table = Table([None; N]);
        for attribute in self {
            if let Some(place) = table.0.get_mut(usize::from(attribute.kind)) {
                *place = Some(attribute);
            }
        }
        table
    }

    /// The value of the first attribute of that type.
    pub fn find(self, kind: u16) -> Option<Attribute<'a>> {
        Iterator::find(&mut { self }, |attribute| attribute.kind == kind)
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let header = self.0.get(..4)?;
        let length = usize::from(u16_at(header, 0));
        let value = self.0.get(4..length)?;
        let kind = u16_at(header, 2);
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Attribute { kind: kind & NLA_TYPE_MASK, nested: kind & !NLA_TYPE_MASK != 0, value })
    }
}

/// Attributes by type; what is absent is `None`.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a, const N: usize>([Option<Attribute<'a>>; N]);

impl<'a, const N: usize> Table<'a, N> {
    /// The attribute of that type.
    pub fn get(&self, kind: u16) -> Option<Attribute<'a>> {
        self.0.get(usize::from(kind)).copied().flatten()
    }

    /// Whether there is one.
    pub fn has(&self, kind: u16) -> bool {
        self.get(kind).is_some()
    }

    /// Its value.
    pub fn bytes(&self, kind: u16) -> Option<&'a [u8]> {
        self.get(kind).map(|attribute| attribute.value)
    }

    /// Its value as a number of 8 bits.
    pub fn u8(&self, kind: u16) -> Option<u8> {
        self.get(kind)?.u8()
    }

    /// Its value as a number of 16 bits.
    pub fn u16(&self, kind: u16) -> Option<u16> {
        self.get(kind)?.u16()
    }

    /// Its value as a number of 32 bits.
    pub fn u32(&self, kind: u16) -> Option<u32> {
        self.get(kind)?.u32()
    }

    /// Its value as a signed number of 32 bits.
    pub fn i32(&self, kind: u16) -> Option<i32> {
        self.get(kind)?.i32()
    }

    /// Its value as a number of 64 bits.
    pub fn u64(&self, kind: u16) -> Option<u64> {
        self.get(kind)?.u64()
    }

    /// Its value as text.
    pub fn string(&self, kind: u16) -> Option<&'a str> {
        self.get(kind).map(|attribute| attribute.string())
    }

    /// The attributes nested in it; none where it is absent.
    pub fn nested(&self, kind: u16) -> Attributes<'a> {
        self.get(kind).map(|attribute| attribute.attributes()).unwrap_or_default()
    }
}

/// One attribute.
#[derive(Clone, Copy, Debug)]
pub struct Attribute<'a> {
    /// Its type, without the flags.
    pub kind: u16,
    /// Whether a flag (`NLA_F_NESTED`) came with the type.
    pub nested: bool,
    /// Its value, without padding.
    pub value: &'a [u8],
}

impl<'a> Attribute<'a> {
    /// The first `N` bytes of the value.
    pub fn array<const N: usize>(&self) -> Option<[u8; N]> {
        self.value.first_chunk().copied()
    }

    /// A number of 8 bits.
    pub fn u8(&self) -> Option<u8> {
        self.value.first().copied()
    }

    /// A number of 16 bits in the host's byte order.
    pub fn u16(&self) -> Option<u16> {
        self.array().map(u16::from_ne_bytes)
    }

    /// A number of 32 bits in the host's byte order.
    pub fn u32(&self) -> Option<u32> {
        self.array().map(u32::from_ne_bytes)
    }

    /// A signed number of 32 bits in the host's byte order.
    pub fn i32(&self) -> Option<i32> {
        self.array().map(i32::from_ne_bytes)
    }

    /// A number of 64 bits in the host's byte order.
    pub fn u64(&self) -> Option<u64> {
        self.array().map(u64::from_ne_bytes)
    }

    /// Text up to its zero. Where it is not UTF-8, the part before the first wrong byte.
    pub fn string(&self) -> &'a str {
        let bytes = self.value.split(|&byte| byte == 0).next().unwrap_or_default();
        match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
        }
    }

    /// The attributes inside.
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes(self.value)
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().map_or(0, u16::from_ne_bytes)
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().map_or(0, u32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_reads_back() {
        let mut request = Request::new(16, 5);
        request.put(&[0; 16]).string(3, "veth0").u32(4, 1500);
        let nest = request.begin(18);
        request.attribute(1, b"veth").end(nest);
        request.patch(4, &7i32.to_ne_bytes());
        let bytes = request.finish(9).to_vec();
        let mut messages = Messages::new(&bytes);
        let message = messages.next().expect("one message");
        assert!(messages.next().is_none());
        assert_eq!((message.kind, message.flags, message.sequence), (16, 5, 9));
        let table = message.attributes(16).table::<32>();
        assert_eq!(table.string(3), Some("veth0"));
        assert_eq!(table.u32(4), Some(1500));
        assert_eq!(table.nested(18).find(1).map(|a| a.value), Some(&b"veth"[..]));
        assert_eq!(u32_at(message.payload, 4), 7);
    }

    #[test]
    fn malformed_bytes_end_the_iteration() {
        for length in 0..24u8 {
            let bytes = vec![length; usize::from(length)];
            assert!(Messages::new(&bytes).count() <= 1);
            assert!(Attributes::new(&bytes).count() <= 8);
        }
        // A length that is shorter than the header must not stand still.
        assert_eq!(Attributes::new(&[0, 0, 1, 0, 0, 0, 1, 0]).count(), 0);
        assert_eq!(Messages::new(&[0; 64]).count(), 0);
    }

    #[test]
    fn text_that_is_not_utf8_is_cut() {
        let attribute = Attribute { kind: 1, nested: false, value: b"ab\xff\0" };
        assert_eq!(attribute.string(), "ab");
    }
}
