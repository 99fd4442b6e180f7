//! `/proc/sys/net`: settings of a namespace, of its devices, and of its neighbour tables.

use super::{READ_ONLY_DIRECTORY, file};
use crate::error::{Errno, Result};
use crate::ipv4::sysctl::{Conf, ConfOf, Settings};
use crate::neighbour::Params;
use crate::types::{DevId, NsId};
use crate::{Kernel, Node, ipv4, ipv6};

/// A setting, or a directory of them.
#[derive(Debug)]
pub(super) enum Item {
    Root,
    Core,
    CoreSetting(&'static str, &'static str),
    Ipv4,
    Ipv4Setting(String),
    /// `ipv4/route`: of the routing cache that is no more, and what still counts.
    Ipv4Route,
    Ipv4RouteSetting(&'static str, &'static str, u32),
    PingGroupRange,
    Ipv4Confs,
    Ipv4Conf,
    Ipv4ConfSetting(Whose, Conf),
    Ipv6,
    Ipv6Setting(&'static str),
    Ipv6Icmp,
    Ipv6Confs,
    Ipv6Conf,
    Ipv6ConfSetting(Whose, String),
    /// `neigh` of IPv4 or not.
    Neighs(bool),
    Neigh,
    NeighSetting(bool, Whose, String),
}

/// `all`, `default`, or a device.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whose {
    All,
    Default,
    Device(DevId),
}

impl From<Whose> for ConfOf {
    fn from(whose: Whose) -> ConfOf {
        match whose {
            Whose::All => ConfOf::All,
            Whose::Default => ConfOf::Default,
            Whose::Device(dev) => ConfOf::Device(dev),
        }
    }
}

impl From<Whose> for ipv6::ConfOf {
    fn from(whose: Whose) -> ipv6::ConfOf {
        match whose {
            Whose::All => ipv6::ConfOf::All,
            Whose::Default => ipv6::ConfOf::Default,
            Whose::Device(dev) => ipv6::ConfOf::Device(dev),
        }
    }
}

/// `net/core` of a namespace that is not the first: limits of sockets that are shared, and those of its own.
const CORE: &[(&str, &str)] = &[
    ("optmem_max", "131072"),
    ("rmem_default", "212992"),
    ("rmem_max", "4194304"),
    ("rps_default_mask", "0"),
    ("somaxconn", "4096"),
    ("tstamp_allow_data", "1"),
    ("txrehash", "1"),
    ("wmem_default", "212992"),
    ("wmem_max", "4194304"),
    ("xfrm_acq_expires", "30"),
    ("xfrm_aevent_etime", "10"),
    ("xfrm_aevent_rseqth", "2"),
    ("xfrm_larval_drop", "1"),
];

/// Those that can only be read in a namespace.
const CORE_READ_ONLY: [&str; 4] = ["rmem_default", "rmem_max", "wmem_default", "wmem_max"];

/// `ipv4/route` of a namespace.
const ROUTE: &[(&str, &str, u32)] =
    &[("flush", "", 0o200), ("min_adv_mss", "256", 0o644), ("min_pmtu", "552", 0o644), ("mtu_expires", "600", 0o644)];

fn whose(kernel: &Kernel, ns: NsId, name: &str) -> Result<Whose, Errno> {
    match name {
        "all" => Ok(Whose::All),
        "default" => Ok(Whose::Default),
        name => {
            let dev = kernel.namespaces[ns].device_by_name(name).ok_or(Errno::ENOENT)?;
            let own = kernel.devices[dev].name.as_str() == name;
            if own { Ok(Whose::Device(dev)) } else { Err(Errno::ENOENT) }
        }
    }
}

fn has(kernel: &Kernel, of: Whose, ipv4: bool) -> Result<Whose, Errno> {
    match of {
        Whose::Device(dev) if ipv4 && kernel.devices[dev].ipv4.is_none() => Err(Errno::ENOENT),
        Whose::Device(dev) if !ipv4 && kernel.devices[dev].ipv6.is_none() => Err(Errno::ENOENT),
        of => Ok(of),
    }
}

/// The item at these components below `/proc/sys/net`.
pub(super) fn find(kernel: &Kernel, ns: NsId, parts: &[&str]) -> Result<Item, Errno> {
    let whose = |name: &str, ipv4: bool| whose(kernel, ns, name).and_then(|of| has(kernel, of, ipv4));
    let neigh = |name: &str, ipv4| match whose(name, ipv4)? {
        Whose::All => Err(Errno::ENOENT),
        of => Ok(of),
    };
    Ok(match parts {
        [] => Item::Root,
        ["core"] => Item::Core,
        ["core", name] => {
            let (name, value) = CORE.iter().find(|(known, _)| known == name).ok_or(Errno::ENOENT)?;
            Item::CoreSetting(name, value)
        }
        ["ipv4"] => Item::Ipv4,
        ["ipv4", "conf"] => Item::Ipv4Confs,
        ["ipv4", "conf", of] => whose(of, true).map(|_| Item::Ipv4Conf)?,
        ["ipv4", "conf", of, name] => Item::Ipv4ConfSetting(whose(of, true)?, Conf::named(name).ok_or(Errno::ENOENT)?),
        ["ipv6"] => Item::Ipv6,
        ["ipv6", "icmp"] => Item::Ipv6Icmp,
        ["ipv6", "conf"] => Item::Ipv6Confs,
        ["ipv6", "conf", of] => whose(of, false).map(|_| Item::Ipv6Conf)?,
        ["ipv6", "conf", of, name] => {
            let of = whose(of, false)?;
            if !ipv6::CONF_NAMES.contains(name) {
                return Err(Errno::ENOENT);
            }
            Item::Ipv6ConfSetting(of, (*name).to_owned())
        }
        [family @ ("ipv4" | "ipv6"), "neigh"] => Item::Neighs(*family == "ipv4"),
        [family @ ("ipv4" | "ipv6"), "neigh", of] => neigh(of, *family == "ipv4").map(|_| Item::Neigh)?,
        [family @ ("ipv4" | "ipv6"), "neigh", of, name] => {
            let ipv4 = *family == "ipv4";
            let of = neigh(of, ipv4)?;
            params(kernel, ns, of, ipv4).get(name).ok_or(Errno::ENOENT)?;
            Item::NeighSetting(ipv4, of, (*name).to_owned())
        }
        ["ipv4", "route"] => Item::Ipv4Route,
        ["ipv4", "route", name] => {
            let (name, value, mode) = ROUTE.iter().find(|(known, ..)| known == name).ok_or(Errno::ENOENT)?;
            Item::Ipv4RouteSetting(name, value, *mode)
        }
        ["ipv4", "ping_group_range"] => Item::PingGroupRange,
        ["ipv4", name] => {
            ipv4::sysctl::setting(kernel, ns, name)?;
            Item::Ipv4Setting((*name).to_owned())
        }
        ["ipv6", name] => Item::Ipv6Setting(ipv6::SETTINGS.iter().find(|known| *known == name).ok_or(Errno::ENOENT)?),
        ["ipv6", "icmp", name] => {
            Item::Ipv6Setting(ipv6::ICMP_SETTINGS.iter().find(|known| *known == name).ok_or(Errno::ENOENT)?)
        }
        _ => return Err(Errno::ENOENT),
    })
}

fn params(kernel: &Kernel, ns: NsId, of: Whose, ipv4: bool) -> &Params {
    let dev = match of {
        Whose::Device(dev) => Some(dev),
        _ => None,
    };
    kernel.namespaces[ns].neighbours.params(dev, ipv4)
}

impl Item {
    pub(super) fn node(&self) -> Node {
        match self {
            Item::CoreSetting(name, _) if CORE_READ_ONLY.contains(name) => file(0o444),
            Item::Ipv4RouteSetting(_, _, mode) => file(*mode),
            Item::CoreSetting(..)
            | Item::PingGroupRange
            | Item::Ipv4Setting(_)
            | Item::Ipv4ConfSetting(..)
            | Item::Ipv6Setting(_)
            | Item::Ipv6ConfSetting(..)
            | Item::NeighSetting(..) => file(0o644),
            _ => READ_ONLY_DIRECTORY,
        }
    }

    pub(super) fn read(&self, kernel: &Kernel, ns: NsId) -> Result<Vec<u8>, Errno> {
        let value: i64 = match self {
            Item::CoreSetting(_, value) => return Ok(format!("{value}\n").into_bytes()),
            Item::Ipv4RouteSetting("flush", ..) => return Err(Errno::EACCES),
            Item::Ipv4RouteSetting(_, value, _) => return Ok(format!("{value}\n").into_bytes()),
            Item::PingGroupRange => {
                let range = if kernel.namespaces[ns].ping_sockets { "0\t2147483647" } else { "1\t0" };
                return Ok(format!("{range}\n").into_bytes());
            }
            Item::Ipv4Setting(name) => ipv4::sysctl::setting(kernel, ns, name)?.into(),
            Item::Ipv4ConfSetting(of, conf) => ipv4::sysctl::conf(kernel, ns, (*of).into(), *conf)?.into(),
            Item::Ipv6Setting(name) => ipv6::setting(kernel, ns, name)?,
            Item::Ipv6ConfSetting(of, name) => ipv6::conf(kernel, ns, (*of).into(), name)?,
            Item::NeighSetting(ipv4, of, name) => params(kernel, ns, *of, *ipv4).get(name).ok_or(Errno::ENOENT)?.into(),
            _ => return Err(Errno::EISDIR),
        };
        Ok(format!("{value}\n").into_bytes())
    }

    pub(super) fn write(&self, kernel: &mut Kernel, ns: NsId, data: &[u8]) -> Result<(), Errno> {
        let text = std::str::from_utf8(data).map_err(|_| Errno::EINVAL)?;
        let mut words = text.split_ascii_whitespace();
        let word = words.next().ok_or(Errno::EINVAL)?;
        let value = i32::try_from(super::number(word)?).map_err(|_| Errno::EINVAL)?;
        match self {
            Item::CoreSetting(..) => Err(Errno::EACCES),
            Item::Ipv4RouteSetting("flush", ..) => {
                ipv4::exception::forget(kernel, ns);
                Ok(())
            }
            Item::Ipv4RouteSetting(..) => Err(Errno::EACCES),
            Item::PingGroupRange => {
                // Everybody in the machine is root: whether group 0 is in the range is all that counts.
                let last = words.next().map_or(Ok(i64::from(value)), super::number)?;
                kernel.namespaces[ns].ping_sockets = value <= 0 && last >= 0;
                Ok(())
            }
            Item::Ipv4Setting(name) => ipv4::sysctl::set_setting(kernel, ns, name, value),
            Item::Ipv4ConfSetting(of, conf) => ipv4::sysctl::set_conf(kernel, ns, (*of).into(), *conf, value),
            Item::Ipv6Setting(name) => ipv6::set_setting(kernel, ns, name, value),
            Item::Ipv6ConfSetting(of, name) => ipv6::set_conf(kernel, ns, (*of).into(), name, value),
            Item::NeighSetting(ipv4, of, name) => {
                let dev = match of {
                    Whose::Device(dev) => Some(*dev),
                    _ => None,
                };
                if !Params::allows(name, value) {
                    return Err(Errno::EINVAL);
                }
                let known = kernel.namespaces[ns].neighbour_params_mut(dev, *ipv4).set(name, value);
                if known { Ok(()) } else { Err(Errno::ENOENT) }
            }
            _ => Err(Errno::EISDIR),
        }
    }

    pub(super) fn entries(&self, kernel: &Kernel, ns: NsId) -> Result<Vec<(String, Node)>, Errno> {
        let directories = |names: &[&str]| -> Vec<(String, Node)> {
            names.iter().map(|name| ((*name).to_owned(), READ_ONLY_DIRECTORY)).collect()
        };
        let files = |names: &mut dyn Iterator<Item = &'static str>| -> Vec<(String, Node)> {
            names.map(|name| (name.to_owned(), file(0o644))).collect()
        };
        let mut entries = match self {
            Item::Root => directories(&["core", "ipv4", "ipv6"]),
            Item::Core => {
                CORE.iter().map(|(name, value)| ((*name).to_owned(), Item::CoreSetting(name, value).node())).collect()
            }
            Item::Ipv4 => {
                let mut entries = files(&mut Settings::NAMES.iter().copied());
                entries.extend(files(&mut ["ip_forward", "ping_group_range"].into_iter()));
                entries.extend(directories(&["conf", "neigh", "route"]));
                entries.sort_by(|a, b| a.0.cmp(&b.0));
                entries.dedup_by(|a, b| a.0 == b.0);
                entries
            }
            Item::Ipv6 => {
                let mut entries = files(&mut ipv6::SETTINGS.iter().copied());
                entries.extend(directories(&["conf", "icmp", "neigh"]));
                entries
            }
            Item::Ipv4Route => ROUTE.iter().map(|(name, _, mode)| ((*name).to_owned(), file(*mode))).collect(),
            Item::Ipv6Icmp => files(&mut ipv6::ICMP_SETTINGS.iter().copied()),
            Item::Ipv4Confs => devices(kernel, ns, true, &["all", "default"]),
            Item::Ipv6Confs => devices(kernel, ns, false, &["all", "default"]),
            // What a new device starts with is shown in the first namespace alone.
            Item::Neighs(ipv4) => devices(kernel, ns, *ipv4, &[]),
            Item::Ipv4Conf => files(&mut Conf::ALL.iter().map(|(_, name)| *name)),
            Item::Ipv6Conf => files(&mut ipv6::CONF_NAMES.iter().copied()),
            Item::Neigh => files(&mut Params::names().chain(["base_reachable_time", "retrans_time"])),
            _ => return Err(Errno::ENOTDIR),
        };
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(entries)
    }
}

/// The devices that have a family's settings, behind what is no device.
fn devices(kernel: &Kernel, ns: NsId, ipv4: bool, before: &[&str]) -> Vec<(String, Node)> {
    let has = |dev: &DevId| {
        kernel.devices.get(*dev).is_some_and(|device| if ipv4 { device.ipv4.is_some() } else { device.ipv6.is_some() })
    };
    let names = kernel.namespaces[ns].devices().filter(has).map(|dev| kernel.devices[dev].name.to_string());
    before.iter().map(|name| (*name).to_owned()).chain(names).map(|name| (name, READ_ONLY_DIRECTORY)).collect()
}
