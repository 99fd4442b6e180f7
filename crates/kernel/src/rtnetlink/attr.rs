//! Netlink attributes: reading them under a policy as strict as Linux's, and writing them into a message.

use crate::error::{Errno, Error, Result};
use crate::types::MacAddr;

/// Marks an attribute that holds attributes.
pub(crate) const NLA_F_NESTED: u16 = 0x8000;

const NLA_TYPE_MASK: u16 = 0x3fff;

/// Bytes of an attribute's own header.
const NLA_HDRLEN: usize = 4;

/// What a request says about a policy that it broke.
const FAILED: &str = "Attribute failed policy validation";

/// What an attribute must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// No payload.
    Flag,
    U8,
    U16,
    U32,
    U64,
    /// A number within bounds.
    Range(u32, u32),
    /// Text of at most so many bytes, with or without a final NUL.
    Text(usize),
    /// At most so many bytes.
    Binary(usize),
    /// Exactly so many bytes (at least, where checks are lenient).
    Exact(usize),
    /// At least so many bytes.
    AtLeast(usize),
    /// Attributes.
    Nested,
    /// Nobody may send it.
    Reject,
}

/// The attributes that a message may have, by type.
pub(crate) type Policy = &'static [(u16, Rule)];

/// How strictly a request is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// Old message types: unknown attributes, trailing bytes and numbers that are too long pass.
    Lenient,
    /// Their "get" requests from a socket with `NETLINK_GET_STRICT_CHK`: unknown attributes and trailing bytes don't.
    Known,
    /// New message types: nor do numbers that are too long, and nests must be marked as such.
    Strict,
}

/// One attribute of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attr<'a> {
    /// Its type, without flags.
    pub(crate) kind: u16,
    /// What it holds.
    pub(crate) payload: &'a [u8],
    /// Where in the request it starts.
    pub(crate) offset: u32,
    nested: bool,
}

impl<'a> Attr<'a> {
    /// The payload as a number; bytes that are missing count as 0.
    pub(crate) fn u8(&self) -> u8 {
        self.payload.first().copied().unwrap_or(0)
    }

    /// See [`Attr::u8`].
    pub(crate) fn u16(&self) -> u16 {
        self.payload.first_chunk().map_or(0, |bytes| u16::from_ne_bytes(*bytes))
    }

    /// See [`Attr::u8`].
    pub(crate) fn u32(&self) -> u32 {
        self.payload.first_chunk().map_or(0, |bytes| u32::from_ne_bytes(*bytes))
    }

    /// See [`Attr::u8`].
    pub(crate) fn i32(&self) -> i32 {
        self.u32() as i32
    }

    /// See [`Attr::u8`].
    pub(crate) fn u64(&self) -> u64 {
        self.payload.first_chunk().map_or(0, |bytes| u64::from_ne_bytes(*bytes))
    }

    /// The first so many bytes.
    pub(crate) fn bytes<const N: usize>(&self) -> Option<[u8; N]> {
        self.payload.first_chunk().copied()
    }

    /// An Ethernet address.
    pub(crate) fn mac(&self) -> Option<MacAddr> {
        MacAddr::from_slice(self.payload)
    }

    /// Text up to a NUL; `None` where it is no UTF-8.
    pub(crate) fn text(&self) -> Option<&'a str> {
        let end = self.payload.iter().position(|byte| *byte == 0).unwrap_or(self.payload.len());
        std::str::from_utf8(self.payload.get(..end)?).ok()
    }

    /// The attributes in it.
    pub(crate) fn nested(&self, policy: Policy, check: Check) -> Result<Attributes<'a>> {
        if check == Check::Strict && !self.nested {
            return Err(self.refuse(Errno::EINVAL, "NLA_F_NESTED is missing"));
        }
        Attributes::parse(self.payload, self.offset as usize + NLA_HDRLEN, policy, check)
    }

    /// The attributes that follow a header of `header` bytes in it.
    pub(crate) fn attributes_after(&self, header: usize, policy: Policy) -> Result<Attributes<'a>> {
        let rest = self.payload.get(header..).unwrap_or_default();
        Attributes::parse(rest, self.offset as usize + NLA_HDRLEN + header, policy, Check::Lenient)
    }

    /// The attributes in it as they come, for lists; what can't be read ends them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Attr<'a>> + use<'a> {
        Walk { rest: self.payload, offset: self.offset as usize + NLA_HDRLEN }
    }

    /// A refusal that points at this attribute.
    pub(crate) fn refuse(&self, errno: Errno, message: &'static str) -> Error {
        Error::new(errno, message).at(self.offset)
    }

    fn validate(&self, rule: Rule, check: Check) -> Result<()> {
        let length = self.payload.len();
        let number = |size: usize| if check == Check::Strict { length == size } else { length >= size };
        let text = |max: usize| {
            let end = self.payload.iter().position(|byte| *byte == 0).unwrap_or(length);
            length > 0 && end <= max && length <= max + 1
        };
        let passes = match rule {
            Rule::Flag => length == 0,
            Rule::U8 => number(1),
            Rule::U16 => number(2),
            Rule::U32 | Rule::Range(..) => number(4),
            Rule::U64 => number(8),
            Rule::Text(max) => text(max),
            Rule::Binary(max) => length <= max,
            Rule::Exact(size) => number(size),
            Rule::AtLeast(size) => length >= size,
            Rule::Nested => length == 0 || length >= NLA_HDRLEN,
            Rule::Reject => return Err(self.refuse(Errno::EINVAL, "Unsupported attribute")),
        };
        if !passes {
            return Err(self.refuse(Errno::ERANGE, FAILED));
        }
        if let Rule::Range(low, high) = rule
            && !(low..=high).contains(&self.u32())
        {
            return Err(self.refuse(Errno::ERANGE, "integer out of range"));
        }
        if rule == Rule::Nested && check == Check::Strict && !self.nested {
            return Err(self.refuse(Errno::EINVAL, "NLA_F_NESTED is missing"));
        }
        Ok(())
    }
}

/// Attributes one after the other, as far as they make sense.
struct Walk<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Iterator for Walk<'a> {
    type Item = Attr<'a>;

    fn next(&mut self) -> Option<Attr<'a>> {
        let [l0, l1, k0, k1] = *self.rest.first_chunk()?;
        let length = usize::from(u16::from_ne_bytes([l0, l1]));
        let kind = u16::from_ne_bytes([k0, k1]);
        let payload = self.rest.get(NLA_HDRLEN..length)?;
        let attr = Attr {
            kind: kind & NLA_TYPE_MASK,
            payload,
            offset: u32::try_from(self.offset).unwrap_or(u32::MAX),
            nested: kind & NLA_F_NESTED != 0,
        };
        let step = length.next_multiple_of(4).min(self.rest.len());
        self.rest = self.rest.get(step..)?;
        self.offset += step;
        Some(attr)
    }
}

/// The attributes of a message, or of a nest, after they were checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attributes<'a>(Vec<Attr<'a>>);

impl<'a> Attributes<'a> {
    /// Reads attributes that start `offset` bytes into the request.
    pub(crate) fn parse(bytes: &'a [u8], offset: usize, policy: Policy, check: Check) -> Result<Attributes<'a>> {
        let mut walk = Walk { rest: bytes, offset };
        let mut found = Vec::new();
        for attr in walk.by_ref() {
            match policy.iter().find(|(kind, _)| *kind == attr.kind) {
                Some((_, rule)) => attr.validate(*rule, check)?,
                None if check != Check::Lenient => return Err(attr.refuse(Errno::EINVAL, "Unknown attribute type")),
                None => continue,
            }
            found.push(attr);
        }
        if check != Check::Lenient && !walk.rest.is_empty() {
            return Err(Error::new(Errno::EINVAL, "bytes leftover after parsing attributes"));
        }
        Ok(Attributes(found))
    }

    /// The attribute of that type; the last one where there are several.
    pub(crate) fn get(&self, kind: u16) -> Option<Attr<'a>> {
        self.0.iter().rev().find(|attr| attr.kind == kind).copied()
    }

    /// All of them, in the request's order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Attr<'a>> + '_ {
        self.0.iter().copied()
    }

    /// Refuses attributes other than these.
    pub(crate) fn only(&self, allowed: &[u16], message: &'static str) -> Result<()> {
        match self.iter().find(|attr| !allowed.contains(&attr.kind)) {
            Some(attr) => Err(attr.refuse(Errno::EINVAL, message)),
            None => Ok(()),
        }
    }
}

/// What stands before a message: `struct nlmsghdr` without the length.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Header {
    pub(crate) kind: u16,
    pub(crate) flags: u16,
    pub(crate) sequence: u32,
    pub(crate) port: u32,
}

impl Header {
    /// The same for another type of message.
    pub(crate) fn with_kind(self, kind: u16) -> Header {
        Header { kind, ..self }
    }

    /// The same with these flags set as well.
    pub(crate) fn with_flags(self, flags: u16) -> Header {
        Header { flags: self.flags | flags, ..self }
    }
}

/// Writes messages.
#[derive(Clone, Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn new() -> Writer {
        Writer::default()
    }

    /// What was written.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// How many bytes that is.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Forgets everything after the first so many bytes, and gives it.
    pub(crate) fn split_off(&mut self, at: usize) -> Vec<u8> {
        self.bytes.split_off(at.min(self.bytes.len()))
    }

    /// One whole message.
    pub(crate) fn message(&mut self, header: Header, body: impl FnOnce(&mut Writer)) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(&header.kind.to_ne_bytes());
        self.bytes.extend_from_slice(&header.flags.to_ne_bytes());
        self.bytes.extend_from_slice(&header.sequence.to_ne_bytes());
        self.bytes.extend_from_slice(&header.port.to_ne_bytes());
        body(self);
        let length = u32::try_from(self.bytes.len() - start).unwrap_or(u32::MAX);
        self.patch(start, &length.to_ne_bytes());
        self.pad();
    }

    /// Bytes as they are, filled up to a multiple of 4: a family's own header.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.pad();
    }

    /// An attribute.
    pub(crate) fn put(&mut self, kind: u16, payload: &[u8]) {
        let length = u16::try_from(NLA_HDRLEN + payload.len()).unwrap_or(u16::MAX);
        self.bytes.extend_from_slice(&length.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(payload);
        self.pad();
    }

    /// An attribute without payload.
    pub(crate) fn flag(&mut self, kind: u16) {
        self.put(kind, &[]);
    }

    /// A number.
    pub(crate) fn u8(&mut self, kind: u16, value: u8) {
        self.put(kind, &[value]);
    }

    /// A number.
    pub(crate) fn u16(&mut self, kind: u16, value: u16) {
        self.put(kind, &value.to_ne_bytes());
    }

    /// A number.
    pub(crate) fn u32(&mut self, kind: u16, value: u32) {
        self.put(kind, &value.to_ne_bytes());
    }

    /// A number.
    pub(crate) fn u64(&mut self, kind: u16, value: u64) {
        self.put(kind, &value.to_ne_bytes());
    }

    /// Text with a final NUL.
    pub(crate) fn text(&mut self, kind: u16, text: &str) {
        let mut bytes = Vec::with_capacity(text.len() + 1);
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(0);
        self.put(kind, &bytes);
    }

    /// Attributes in an attribute; add [`NLA_F_NESTED`] to `kind` where Linux marks it.
    pub(crate) fn nest(&mut self, kind: u16, content: impl FnOnce(&mut Writer)) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 2]);
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        content(self);
        let length = u16::try_from(self.bytes.len() - start).unwrap_or(u16::MAX);
        self.patch(start, &length.to_ne_bytes());
    }

    /// The same, but nothing at all where there would be nothing in it.
    pub(crate) fn nest_unless_empty(&mut self, kind: u16, content: impl FnOnce(&mut Writer)) {
        let start = self.bytes.len();
        self.nest(kind, content);
        if self.bytes.len() == start + NLA_HDRLEN {
            self.bytes.truncate(start);
        }
    }

    fn patch(&mut self, at: usize, bytes: &[u8]) {
        if let Some(place) = self.bytes.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}
