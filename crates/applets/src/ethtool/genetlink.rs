//! Conversations with the kernel's `ethtool` family of generic netlink.

use std::io;

use netloom_machine::netlink::{Attributes, Error, Nest, Netlink, Reply, Request};

use crate::Context;

const GENL_ID_CTRL: u16 = 16;
const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;
/// The length of `struct genlmsghdr`.
pub(super) const GENL_HEADER: usize = 4;
const NLA_F_NESTED: u16 = 0x8000;

const HEADER_NAME: u16 = 2;
const HEADER_FLAGS: u16 = 3;
/// Asks for bitsets as words instead of named bits.
pub(super) const COMPACT_BITSETS: u32 = 1;

/// `ETHTOOL_MSG_*`: what is asked.
pub(super) mod command {
    pub(crate) const STRINGS: u8 = 1;
    pub(crate) const LINK_INFO: u8 = 2;
    pub(crate) const SET_LINK_INFO: u8 = 3;
    pub(crate) const LINK_MODES: u8 = 4;
    pub(crate) const SET_LINK_MODES: u8 = 5;
    pub(crate) const LINK_STATE: u8 = 6;
    pub(crate) const DEBUG: u8 = 7;
    pub(crate) const SET_DEBUG: u8 = 8;
    pub(crate) const WAKE_ON_LAN: u8 = 9;
    pub(crate) const SET_WAKE_ON_LAN: u8 = 10;
    pub(crate) const FEATURES: u8 = 11;
    pub(crate) const SET_FEATURES: u8 = 12;
    pub(crate) const PRIVATE_FLAGS: u8 = 13;
    pub(crate) const RINGS: u8 = 15;
    pub(crate) const SET_RINGS: u8 = 16;
    pub(crate) const CHANNELS: u8 = 17;
    pub(crate) const SET_CHANNELS: u8 = 18;
    pub(crate) const COALESCE: u8 = 19;
    pub(crate) const SET_COALESCE: u8 = 20;
    pub(crate) const PAUSE: u8 = 21;
    pub(crate) const SET_PAUSE: u8 = 22;
    pub(crate) const EEE: u8 = 23;
    pub(crate) const TIMESTAMPING: u8 = 25;
    pub(crate) const TUNNELS: u8 = 28;
    pub(crate) const FEC: u8 = 29;
    pub(crate) const MODULE_EEPROM: u8 = 31;
    pub(crate) const STATISTICS: u8 = 32;
    pub(crate) const MODULE: u8 = 34;
}

/// An open conversation about one device.
pub(super) struct Session {
    netlink: Netlink,
    family: u16,
    device: String,
}

impl Session {
    pub(super) fn open(context: &Context<'_>, device: &str) -> io::Result<Session> {
        let mut netlink = Netlink::open(context.machine, &context.netns, libc::NETLINK_GENERIC)?;
        let mut request = Request::new(GENL_ID_CTRL, 0);
        request.put(&[CTRL_CMD_GETFAMILY, 1, 0, 0]).string(CTRL_ATTR_FAMILY_NAME, "ethtool");
        let reply = netlink.get(&mut request)?;
        let attributes = reply.message().attributes(GENL_HEADER);
        let family = attributes.find(CTRL_ATTR_FAMILY_ID).and_then(|attribute| attribute.u16());
        let family = family.ok_or_else(|| io::Error::from_raw_os_error(libc::EOPNOTSUPP))?;
        Ok(Session { netlink, family, device: device.to_owned() })
    }

    /// A request about the device; its header is attribute 1.
    pub(super) fn request(&self, command: u8, flags: u32) -> Request {
        let mut request = self.bare(command);
        let header = begin(&mut request, 1);
        request.string(HEADER_NAME, &self.device);
        if flags != 0 {
            request.u32(HEADER_FLAGS, flags);
        }
        request.end(header);
        request
    }

    /// The same where the header is another attribute.
    pub(super) fn request_with_header(&self, command: u8, attribute: u16) -> Request {
        let mut request = self.bare(command);
        let header = begin(&mut request, attribute);
        request.string(HEADER_NAME, &self.device);
        request.end(header);
        request
    }

    fn bare(&self, command: u8) -> Request {
        let mut request = Request::new(self.family, 0);
        request.put(&[command, 1, 0, 0]);
        request
    }

    pub(super) fn get(&mut self, request: &mut Request) -> Result<Reply, Error> {
        self.netlink.get(request)
    }

    /// A change; nothing but an acknowledgement comes back.
    pub(super) fn set(&mut self, request: &mut Request) -> Result<(), Error> {
        self.netlink.request(request).map(drop)
    }

    /// The names of a string set (`ETH_SS_*`), by index.
    pub(super) fn strings(&mut self, set: u32) -> Result<Vec<String>, Error> {
        let mut request = self.bare(command::STRINGS);
        let header = begin(&mut request, 1);
        request.end(header);
        let sets = begin(&mut request, 2);
        let one = begin(&mut request, 1);
        request.u32(1, set);
        request.end(one);
        request.end(sets);
        let reply = self.netlink.get(&mut request)?;
        let mut names = Vec::new();
        let sets = reply.message().attributes(GENL_HEADER).find(2).map(|sets| sets.attributes()).unwrap_or_default();
        let sets = sets.filter(|attribute| attribute.kind == 1).map(|one| one.attributes());
        for strings in sets.filter_map(|set| set.find(3)) {
            for string in strings.attributes().filter(|attribute| attribute.kind == 1) {
                let table = string.attributes().table::<3>();
                let index = table.u32(1).unwrap_or(0) as usize;
                // More names than any set has would come from a broken kernel.
                if index < 4096 && names.len() <= index {
                    names.resize(index + 1, String::new());
                }
                if let (Some(place), Some(name)) = (names.get_mut(index), table.string(2)) {
                    *place = name.to_owned();
                }
            }
        }
        Ok(names)
    }
}

/// Opens a nested attribute with its flag.
pub(super) fn begin(request: &mut Request, kind: u16) -> Nest {
    request.begin(kind | NLA_F_NESTED)
}

/// Tells what the kernel said.
pub(super) fn complain(context: &mut Context<'_>, error: &Error) -> io::Result<()> {
    context.out.flush()?;
    if let Some(message) = &error.message {
        write!(context.err, "netlink error: {message}")?;
        if let Some(offset) = error.offset.filter(|offset| *offset > 0) {
            write!(context.err, " (offset {offset})")?;
        }
        writeln!(context.err)?;
    }
    let text = crate::nettools::strerror(&io::Error::from_raw_os_error(error.errno));
    writeln!(context.err, "netlink error: {text}")
}

/// A set of numbered, named bits; of a bitset with a mask, which bits are meant at all.
#[derive(Clone, Debug, Default)]
pub(super) struct Bitset {
    bits: Vec<Bit>,
}

/// One bit of a verbose bitset.
#[derive(Clone, Debug)]
pub(super) struct Bit {
    pub(super) index: u32,
    pub(super) name: String,
    pub(super) value: bool,
}

impl Bitset {
    /// Reads a bitset that names its bits.
    pub(super) fn verbose(attributes: Attributes<'_>) -> Bitset {
        let list_only = attributes.find(1).is_some();
        let bits = attributes.find(3).map(|bits| bits.attributes()).unwrap_or_default();
        let bits = bits.filter(|attribute| attribute.kind == 1).map(|bit| {
            let table = bit.attributes().table::<4>();
            Bit {
                index: table.u32(1).unwrap_or(0),
                name: table.string(2).unwrap_or_default().to_owned(),
                value: list_only || table.has(3),
            }
        });
        Bitset { bits: bits.collect() }
    }

    pub(super) fn bits(&self) -> &[Bit] {
        &self.bits
    }

    /// The names of the bits that are set.
    pub(super) fn set_names(&self) -> Vec<&str> {
        self.bits.iter().filter(|bit| bit.value).map(|bit| bit.name.as_str()).collect()
    }
}

/// A bitset as words.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    value: Vec<u32>,
    mask: Vec<u32>,
}

impl Words {
    /// Reads a compact bitset.
    pub(super) fn compact(attributes: Attributes<'_>) -> Words {
        let table = attributes.table::<6>();
        let words = |kind: u16| {
            let bytes = table.bytes(kind).unwrap_or_default();
            bytes.chunks_exact(4).map(|word| u32::from_ne_bytes([word[0], word[1], word[2], word[3]])).collect()
        };
        Words { value: words(4), mask: words(5) }
    }

    pub(super) fn has(&self, bit: usize) -> bool {
        self.value.get(bit / 32).is_some_and(|word| word & (1 << (bit % 32)) != 0)
    }

    pub(super) fn masks(&self, bit: usize) -> bool {
        self.mask.get(bit / 32).is_some_and(|word| word & (1 << (bit % 32)) != 0)
    }
}
