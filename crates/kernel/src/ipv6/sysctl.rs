//! IPv6's settings under their names in `/proc/sys/net/ipv6`, and what follows from changing one.

use super::conf::Conf;
use super::{addr, addrconf, groups, interface};
use crate::Kernel;
use crate::error::Errno;
use crate::rtnetlink::netconf::{self, Scope, Settings as NetConf};
use crate::rtnetlink::uapi::AF_INET6;
use crate::types::{DevId, NsId};

/// Whose settings: those of `/proc/sys/net/ipv6/conf/…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConfOf {
    /// `all`.
    All,
    /// `default`: what a new device starts with.
    Default,
    /// A device's own.
    Device(DevId),
}

macro_rules! settings {
    ($($table:ident: $($field:ident = $default:literal),*;)*) => {
        /// A namespace's settings that belong to no device.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub(crate) struct Settings { $($(pub(crate) $field: i64),*),* }

        impl Default for Settings {
            fn default() -> Settings {
                Settings { $($($field: $default),*),* }
            }
        }

        $(
            /// The names of such settings, in Linux's order (alphabetical).
            pub(crate) const $table: &[&str] = &[$(stringify!($field)),*];
        )*

        impl Settings {
            fn get(&self, name: &str) -> Option<i64> {
                match name { $($(stringify!($field) => Some(self.$field),)*)* _ => None }
            }

            fn get_mut(&mut self, name: &str) -> Option<&mut i64> {
                match name { $($(stringify!($field) => Some(&mut self.$field),)*)* _ => None }
            }
        }
    };
}

settings! {
    SETTINGS:
    anycast_src_echo_reply = 0,
    auto_flowlabels = 1,
    bindv6only = 0,
    fib_multipath_hash_fields = 7,
    fib_multipath_hash_policy = 0,
    fib_notify_on_flag_change = 0,
    flowlabel_consistency = 1,
    flowlabel_reflect = 0,
    flowlabel_state_ranges = 0,
    fwmark_reflect = 0,
    idgen_delay = 1,
    idgen_retries = 3,
    ioam6_id = 16_777_215,
    ioam6_id_wide = 72_057_594_037_927_935,
    ip6frag_high_thresh = 4_194_304,
    ip6frag_low_thresh = 3_145_728,
    ip6frag_time = 60,
    ip_nonlocal_bind = 0,
    max_dst_opts_length = 2_147_483_647,
    max_dst_opts_number = 8,
    max_hbh_length = 2_147_483_647,
    max_hbh_opts_number = 8,
    seg6_flowlabel = 0,
    xfrm6_gc_thresh = 32_768;
    ICMP_SETTINGS:
    echo_ignore_all = 0,
    echo_ignore_anycast = 0,
    echo_ignore_multicast = 0,
    error_anycast_as_unicast = 0,
    ratelimit = 100;
}

/// A setting of `/proc/sys/net/ipv6` or its `icmp`. `ENOENT` where there is none.
pub(crate) fn setting(kernel: &Kernel, ns: NsId, name: &str) -> Result<i64, Errno> {
    kernel.namespaces.get(ns).and_then(|netns| netns.ipv6.settings.get(name)).ok_or(Errno::ENOENT)
}

/// Changes one.
pub(crate) fn set_setting(kernel: &mut Kernel, ns: NsId, name: &str, value: i32) -> Result<(), Errno> {
    let netns = kernel.namespaces.get_mut(ns).ok_or(Errno::ENOENT)?;
    *netns.ipv6.settings.get_mut(name).ok_or(Errno::ENOENT)? = value.into();
    Ok(())
}

/// A setting of `conf/all`, `conf/default` or `conf/DEV`. `EIO`: it has no value yet.
pub(crate) fn conf(kernel: &Kernel, ns: NsId, of: ConfOf, name: &str) -> Result<i64, Errno> {
    let which = Conf::named(name).ok_or(Errno::ENOENT)?;
    let value = get(kernel, ns, of, which)?;
    match which {
        Conf::StableSecret => Err(Errno::EIO),
        Conf::Ioam6IdWide => Ok(i64::from(value as u32)),
        _ => Ok(value.into()),
    }
}

fn get(kernel: &Kernel, ns: NsId, of: ConfOf, which: Conf) -> Result<i32, Errno> {
    let ipv6 = &kernel.namespaces.get(ns).ok_or(Errno::ENOENT)?.ipv6;
    Ok(match of {
        ConfOf::All => ipv6.conf_all.get(which),
        ConfOf::Default => ipv6.conf_default.get(which),
        ConfOf::Device(dev) => {
            let device = kernel.devices.get(dev).ok_or(Errno::ENOENT)?;
            device.ipv6.as_ref().ok_or(Errno::ENOENT)?.setting(which)
        }
    })
}

/// Changes one, with all that follows. `EINVAL` where the value is out of bounds.
pub(crate) fn set_conf(kernel: &mut Kernel, ns: NsId, of: ConfOf, name: &str, value: i32) -> Result<(), Errno> {
    let which = Conf::named(name).ok_or(Errno::ENOENT)?;
    let old = get(kernel, ns, of, which)?;
    match which {
        Conf::AddrGenMode if !(0..=3).contains(&value) => return Err(Errno::EINVAL),
        Conf::Mtu if value < interface::MIN_MTU as i32 => return Err(Errno::EINVAL),
        Conf::StableSecret => return Err(Errno::EIO),
        Conf::McForwarding => return Err(Errno::EACCES),
        _ => {}
    }
    if let (Conf::Mtu, ConfOf::Device(dev)) = (which, of) {
        let device = kernel.devices.get_mut(dev).ok_or(Errno::ENOENT)?;
        if value as u32 > device.mtu {
            return Err(Errno::EINVAL);
        }
        if let Some(interface) = device.ipv6.as_mut() {
            interface.mtu = value as u32;
        }
        return Ok(());
    }
    put(kernel, ns, of, which, value);
    let everywhere = [Conf::Forwarding, Conf::DisableIpv6, Conf::DisablePolicy, Conf::AddrGenMode];
    let mut changed: Vec<(DevId, i32)> = match of {
        ConfOf::Device(dev) => vec![(dev, old)],
        _ => Vec::new(),
    };
    if of == ConfOf::All && everywhere.contains(&which) {
        put(kernel, ns, ConfOf::Default, which, value);
        let devices: Vec<DevId> = kernel.namespaces[ns].devices().collect();
        for dev in devices {
            let Ok(old) = get(kernel, ns, ConfOf::Device(dev), which) else { continue };
            put(kernel, ns, ConfOf::Device(dev), which, value);
            changed.push((dev, old));
        }
    }
    tell(kernel, ns, of, which, old != value);
    for (dev, old) in changed {
        if of == ConfOf::All && (old != 0) != (value != 0) {
            tell(kernel, ns, ConfOf::Device(dev), which, true);
        }
        follow(kernel, dev, which, old, value);
    }
    Ok(())
}

fn put(kernel: &mut Kernel, ns: NsId, of: ConfOf, which: Conf, value: i32) {
    let ipv6 = &mut kernel.namespaces[ns].ipv6;
    match of {
        ConfOf::All => ipv6.conf_all.set(which, value),
        ConfOf::Default => ipv6.conf_default.set(which, value),
        ConfOf::Device(dev) => {
            if let Some(interface) = kernel.devices.get_mut(dev).and_then(|device| device.ipv6.as_mut()) {
                interface.conf.set(which, value);
            }
        }
    }
}

/// Those who listen to settings are told of the few that `RTM_GETNETCONF` shows.
fn tell(kernel: &mut Kernel, ns: NsId, of: ConfOf, which: Conf, changed: bool) {
    if changed && matches!(which, Conf::Forwarding | Conf::ProxyNdp | Conf::IgnoreRoutesWithLinkdown) {
        let scope = match of {
            ConfOf::All => Scope::All,
            ConfOf::Default => Scope::Default,
            ConfOf::Device(dev) => Scope::Device(dev),
        };
        netconf::tell(kernel, ns, AF_INET6, scope);
    }
}

/// What a device's new setting leads to.
fn follow(kernel: &mut Kernel, dev: DevId, which: Conf, old: i32, value: i32) {
    if (old != 0) == (value != 0) && which != Conf::AddrGenMode {
        return;
    }
    match which {
        Conf::Forwarding => groups::routers(kernel, dev, value != 0),
        Conf::DisableIpv6 if value != 0 => interface::down(kernel, dev, true),
        Conf::DisableIpv6 => interface::up(kernel, dev),
        Conf::AddrGenMode if old != value => {
            let is_up = kernel.devices.get(dev).is_some_and(|device| device.is_up());
            if is_up && addr::link_local(kernel, dev, true).is_none() {
                addrconf::configure(kernel, dev);
            }
        }
        _ => {}
    }
}

/// The settings of a scope as `RTM_GETNETCONF` shows them; `None` where the device has no IPv6.
pub(crate) fn netconf(kernel: &Kernel, ns: NsId, scope: Scope) -> Option<NetConf> {
    let of = match scope {
        Scope::Device(dev) => ConfOf::Device(dev),
        Scope::All => ConfOf::All,
        Scope::Default => ConfOf::Default,
    };
    let value = |which| get(kernel, ns, of, which).ok();
    Some(NetConf {
        forwarding: value(Conf::Forwarding)?,
        rp_filter: None,
        mc_forwarding: value(Conf::McForwarding)?,
        bc_forwarding: None,
        proxy_neigh: value(Conf::ProxyNdp)?,
        ignore_routes_with_linkdown: value(Conf::IgnoreRoutesWithLinkdown)?,
    })
}

impl Kernel {
    /// A device's setting; 0 where it has no IPv6.
    #[inline]
    pub(crate) fn conf6(&self, dev: DevId, which: Conf) -> i32 {
        let interface = self.devices.get(dev).and_then(|device| device.ipv6.as_ref());
        interface.map_or(0, |interface| interface.setting(which))
    }

    /// The same setting of `all`.
    pub(crate) fn conf6_all(&self, dev: DevId, which: Conf) -> i32 {
        let netns = self.devices.get(dev).and_then(|device| self.namespaces.get(device.ns));
        netns.map_or(0, |netns| netns.ipv6.conf_all.get(which))
    }
}
