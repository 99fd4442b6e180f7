//! How an address looks: the two lines (or the JSON object) of one `RTM_NEWADDR` message.

use netloom_machine::netlink::Message;

use super::IFADDRMSG;
use crate::print::{Colour, Printer, hex_colons, ip_address};
use crate::rtnl::{Links, names};

pub(super) const IFA_F_SECONDARY: u32 = 0x01;
pub(super) const IFA_F_PERMANENT: u32 = 0x80;
const IFA_RT_PRIORITY: u16 = 9;
const IFA_COUNT: usize = 16;

/// The names of an address's flags, in the order in which they are listed.
pub(super) const ADDRESS_FLAGS: &[(u32, &str)] = &[
    (IFA_F_SECONDARY, "secondary"),
    (IFA_F_SECONDARY, "temporary"),
    (0x02, "nodad"),
    (0x04, "optimistic"),
    (0x08, "dadfailed"),
    (0x10, "home"),
    (0x20, "deprecated"),
    (0x40, "tentative"),
    (IFA_F_PERMANENT, "permanent"),
    (0x100, "mngtmpaddr"),
    (0x200, "noprefixroute"),
    (0x400, "autojoin"),
    (0x800, "stable-privacy"),
];

/// `struct ifaddrmsg` and the attributes after it.
#[derive(Clone, Copy)]
pub(crate) struct Address<'m> {
    pub(crate) family: u8,
    pub(crate) length: u8,
    pub(crate) flags: u32,
    pub(crate) scope: u8,
    pub(crate) index: u32,
    /// The address itself; on a point-to-point link the near end.
    pub(crate) local: &'m [u8],
    /// The far end of a point-to-point link.
    peer: Option<&'m [u8]>,
    broadcast: Option<&'m [u8]>,
    anycast: Option<&'m [u8]>,
    pub(crate) label: Option<&'m str>,
    metric: Option<u32>,
    /// Preferred and valid lifetime in seconds.
    lifetimes: Option<(u32, u32)>,
}

impl<'m> Address<'m> {
    /// Reads a message; `None` where it is too short to be one.
    pub(crate) fn parse(message: &Message<'m>) -> Option<Address<'m>> {
        let header = message.payload.first_chunk::<IFADDRMSG>()?;
        let attributes = message.attributes(IFADDRMSG).table::<IFA_COUNT>();
        let (address, local) = (attributes.bytes(libc::IFA_ADDRESS), attributes.bytes(libc::IFA_LOCAL));
        let own = local.or(address).unwrap_or_default();
        let word = |bytes: &[u8], at: usize| {
            bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().map_or(0, u32::from_ne_bytes)
        };
        Some(Address {
            family: header[0],
            length: header[1],
            flags: attributes.u32(libc::IFA_FLAGS).unwrap_or(header[2].into()),
            scope: header[3],
            index: u32::from_ne_bytes([header[4], header[5], header[6], header[7]]),
            local: own,
            peer: address.filter(|address| *address != own),
            broadcast: attributes.bytes(libc::IFA_BROADCAST),
            anycast: attributes.bytes(libc::IFA_ANYCAST),
            label: attributes.string(libc::IFA_LABEL),
            metric: attributes.u32(IFA_RT_PRIORITY),
            lifetimes: attributes.bytes(libc::IFA_CACHEINFO).map(|bytes| (word(bytes, 0), word(bytes, 4))),
        })
    }

    /// The address itself.
    pub(crate) fn ip(&self) -> Option<crate::rtnl::address::Address> {
        crate::rtnl::address::Address::new(self.family, self.local)
    }

    fn text(&self, bytes: &[u8]) -> String {
        ip_address(self.family, bytes).map_or_else(|| hex_colons(bytes), |address| address.to_string())
    }
}

/// How an address is set.
#[derive(Clone, Copy, Default)]
pub(crate) struct Layout {
    /// Its device's index and name before it: where no line of the device's own stands above.
    pub(crate) named: bool,
    /// `-br`: nothing but the address.
    pub(crate) brief: bool,
    /// `-N`: numbers in place of names.
    pub(crate) numeric: bool,
}

/// Prints an address, without the end of its last line.
pub(crate) fn address(printer: &mut Printer<'_>, links: &mut Links<'_>, address: &Address<'_>, layout: Layout) {
    if layout.named && !printer.is_json() {
        let name = links.name(address.index);
        printer.text(format_args!("{}: {name}", address.index));
    }
    if !layout.brief {
        match i32::from(address.family) {
            libc::AF_INET => printer.field("family", "inet", format_args!("    inet ")),
            libc::AF_INET6 => printer.field("family", "inet6", format_args!("    inet6 ")),
            family => printer.field("family_index", family, format_args!("    family {family} ")),
        }
    }
    let colour = Colour::of_family(address.family);
    if !address.local.is_empty() {
        let local = address.text(address.local);
        printer.coloured(colour, "local", &local, format_args!("{local}"));
        if let Some(peer) = address.peer {
            let peer = address.text(peer);
            printer.text(format_args!(" peer "));
            printer.coloured(colour, "address", &peer, format_args!("{peer}"));
        }
        printer.field("prefixlen", address.length, format_args!("/{} ", address.length));
    }
    if let Some(metric) = address.metric {
        printer.field("metric", metric, format_args!("metric {metric} "));
    }
    if layout.brief {
        return;
    }
    for (bytes, key, name) in [(address.broadcast, "broadcast", "brd"), (address.anycast, "anycast", "any")] {
        if let Some(bytes) = bytes {
            let text = address.text(bytes);
            printer.text(format_args!("{name} "));
            printer.coloured(colour, key, &text, format_args!("{text} "));
        }
    }
    let scope = if layout.numeric { address.scope.to_string() } else { names::scope(address.scope) };
    printer.field("scope", &scope, format_args!("scope {scope} "));
    flags(printer, address);
    if let Some(label) = address.label {
        printer.field("label", label, format_args!("{label}"));
    }
    if let Some((preferred, valid)) = address.lifetimes {
        printer.line_break();
        let text = |seconds| if seconds == u32::MAX { "forever".to_owned() } else { format!("{seconds}sec") };
        printer.field("valid_life_time", valid, format_args!("       valid_lft {}", text(valid)));
        printer.field("preferred_life_time", preferred, format_args!(" preferred_lft {}", text(preferred)));
    }
}

fn flags(printer: &mut Printer<'_>, address: &Address<'_>) {
    let mut rest = address.flags;
    for &(flag, name) in ADDRESS_FLAGS {
        if flag == IFA_F_PERMANENT {
            if rest & flag == 0 {
                printer.field("dynamic", true, format_args!("dynamic "));
            }
        } else if rest & flag != 0 {
            let name = match name {
                "secondary" if i32::from(address.family) == libc::AF_INET6 => "temporary",
                name => name,
            };
            printer.field(name, true, format_args!("{name} "));
        }
        rest &= !flag;
    }
    if rest != 0 {
        let text = format!("{rest:02x}");
        printer.field("ifa_flags", &text, format_args!("flags {text} "));
    }
}
