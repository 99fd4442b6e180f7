//! What `ip address show`, `ip address flush` and `ip link show` can be narrowed to.

use super::super::link;
use super::super::link::print::Device;
use super::glob;
use super::print::{ADDRESS_FLAGS, Address, IFA_F_PERMANENT, IFA_F_SECONDARY};
use crate::rtnl::address::{self, Prefix};
use crate::rtnl::{Arguments, Outcome, Session, duplicate_or_garbage, invalid_argument, matches, names};

/// What must be so of a device or an address to be listed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// `AF_UNSPEC` is every family; `AF_PACKET` devices alone.
    pub(crate) family: u8,
    /// The name of the only device.
    pub(crate) device: Option<String>,
    /// The index of the only device, where it is known.
    pub(crate) index: Option<u32>,
    /// Devices that are up.
    pub(crate) up: bool,
    /// Ports of this device; of none where it is 0.
    pub(crate) master: Option<u32>,
    /// Devices of this kind.
    pub(crate) kind: Option<String>,
    /// The kind is one of ports.
    pub(crate) slave_kind: bool,
    /// Devices of this group.
    pub(crate) group: Option<u32>,
    /// Addresses of this scope.
    pub(crate) scope: Option<u8>,
    /// Addresses whose label matches this pattern.
    pub(crate) label: Option<String>,
    /// Addresses in this prefix.
    pub(crate) prefix: Option<Prefix>,
    /// The bits of an address's flags that must be as in `flags`.
    flags_mask: u32,
    flags: u32,
}

impl Filter {
    /// Reads the words of a `show` or `flush`.
    pub(crate) fn parse(session: &mut Session<'_>, words: &[String], family: u8) -> Outcome<Filter> {
        let mut filter = Filter { family, ..Filter::default() };
        let mut arguments = Arguments::new(words);
        while let Some(word) = arguments.next() {
            match word {
                "to" => {
                    let value = arguments.value(session.err)?;
                    let prefix = address::prefix(session.err, value, filter.family)?;
                    if filter.family == libc::AF_UNSPEC as u8 {
                        filter.family = prefix.address.family;
                    }
                    filter.prefix = Some(prefix);
                }
                "scope" => {
                    let value = arguments.value(session.err)?;
                    filter.scope = match names::find_scope(value) {
                        Some(scope) => Some(scope),
                        None if value == "all" => None,
                        None => return Err(invalid_argument(session.err, "invalid \"scope\"\n", value)),
                    };
                }
                "up" => filter.up = true,
                "dynamic" => filter.flag(IFA_F_PERMANENT, false),
                "primary" => filter.flag(IFA_F_SECONDARY, false),
                "label" => filter.label = Some(arguments.value(session.err)?.to_owned()),
                "group" => {
                    let value = arguments.value(session.err)?;
                    let group = link::group_number(value);
                    filter.group =
                        Some(group.ok_or_else(|| invalid_argument(session.err, "Invalid \"group\" value\n", value))?);
                }
                "master" => {
                    let value = arguments.value(session.err)?;
                    let master = session.links.index(value);
                    filter.master =
                        Some(master.ok_or_else(|| invalid_argument(session.err, "Device does not exist\n", value))?);
                }
                "vrf" => {
                    let value = arguments.value(session.err)?;
                    return Err(invalid_argument(session.err, "Not a valid VRF name\n", value));
                }
                "nomaster" => filter.master = Some(0),
                "type" => {
                    let value = arguments.value(session.err)?;
                    let port = value.strip_suffix("_slave");
                    filter.slave_kind = port.is_some();
                    filter.kind = Some(port.unwrap_or(value).to_owned());
                }
                _ => match address_flag(word) {
                    Some((flag, on)) => filter.flag(flag, on),
                    None => filter.device(session, word, &mut arguments, family)?,
                },
            }
        }
        Ok(filter)
    }

    /// Reads `[dev] NAME`.
    fn device(&mut self, session: &mut Session<'_>, word: &str, rest: &mut Arguments<'_>, family: u8) -> Outcome {
        let name = if word == "dev" { rest.value(session.err)? } else { word };
        if matches(name, "help") {
            let usage = match family == libc::AF_PACKET as u8 {
                true => include_str!("../usage/link.txt"),
                false => include_str!("../usage/address.txt"),
            };
            return super::super::usage(session.err, usage);
        }
        if self.device.is_some() {
            return Err(duplicate_or_garbage(session.err, "dev", name));
        }
        self.device = Some(name.to_owned());
        Ok(())
    }

    fn flag(&mut self, flag: u32, on: bool) {
        self.flags_mask |= flag;
        self.flags = if on { self.flags | flag } else { self.flags & !flag };
    }

    /// Whether a device is listed.
    pub(crate) fn admits(&self, device: &Device<'_>) -> bool {
        let attributes = &device.attributes;
        let master = attributes.u32(libc::IFLA_MASTER).unwrap_or(0);
        let kind = if self.slave_kind { device.slave_kind() } else { device.info_kind() };
        self.index.is_none_or(|index| index == device.index)
            && (!self.up || device.flags & libc::IFF_UP as u32 != 0)
            && self.master.is_none_or(|wanted| wanted == master)
            && self.kind.as_deref().is_none_or(|wanted| kind == Some(wanted))
            && self.group.is_none_or(|group| attributes.u32(libc::IFLA_GROUP).is_none_or(|own| own == group))
    }

    /// Whether an address is listed; `device` is the name of the one it is on, which is its label where it has none.
    pub(crate) fn admits_address(&self, address: &Address<'_>, device: &str) -> bool {
        (self.family == libc::AF_UNSPEC as u8 || self.family == address.family)
            && self.index.is_none_or(|index| index == address.index)
            && self.scope.is_none_or(|scope| scope == address.scope)
            && (self.flags ^ address.flags) & self.flags_mask == 0
            && self.prefix.as_ref().is_none_or(|prefix| address.ip().is_some_and(|own| prefix.contains(&own)))
            && self.label.as_deref().is_none_or(|pattern| glob::matches(pattern, address.label.unwrap_or(device)))
    }
}

/// The flag that a word names, and whether it must be set: `tentative`, `-tentative`.
fn address_flag(word: &str) -> Option<(u32, bool)> {
    let (name, on) = match word.strip_prefix('-') {
        Some(name) => (name, false),
        None => (word, true),
    };
    ADDRESS_FLAGS.iter().find(|(_, known)| *known == name).map(|(flag, _)| (*flag, on))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_by_name() {
        assert_eq!(address_flag("tentative"), Some((0x40, true)));
        assert_eq!(address_flag("-deprecated"), Some((0x20, false)));
        assert_eq!(address_flag("dev"), None);
    }
}
