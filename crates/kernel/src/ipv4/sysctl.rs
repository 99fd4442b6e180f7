//! IPv4's settings: those of each device (`conf/DEV`), and those of the namespace, under their names in
//! `/proc/sys/net/ipv4`.

use std::ops::RangeInclusive;

use crate::Kernel;
use crate::error::Errno;
use crate::shared::Shared;
use crate::types::{DevId, NsId};

macro_rules! confs {
    ($($name:ident = $file:literal),* $(,)?) => {
        /// A device's setting; the number is Linux's `IPV4_DEVCONF_…` less one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Conf { $($name),* }

        impl Conf {
            /// Every setting with its file's name, in Linux's order.
            pub(crate) const ALL: &'static [(Conf, &'static str)] = &[$((Conf::$name, $file)),*];
        }
    };
}

confs! {
    Forwarding = "forwarding",
    McForwarding = "mc_forwarding",
    ProxyArp = "proxy_arp",
    AcceptRedirects = "accept_redirects",
    SecureRedirects = "secure_redirects",
    SendRedirects = "send_redirects",
    SharedMedia = "shared_media",
    RpFilter = "rp_filter",
    AcceptSourceRoute = "accept_source_route",
    BootpRelay = "bootp_relay",
    LogMartians = "log_martians",
    Tag = "tag",
    ArpFilter = "arp_filter",
    MediumId = "medium_id",
    DisableXfrm = "disable_xfrm",
    DisablePolicy = "disable_policy",
    ForceIgmpVersion = "force_igmp_version",
    ArpAnnounce = "arp_announce",
    ArpIgnore = "arp_ignore",
    PromoteSecondaries = "promote_secondaries",
    ArpAccept = "arp_accept",
    ArpNotify = "arp_notify",
    AcceptLocal = "accept_local",
    SrcValidMark = "src_valid_mark",
    ProxyArpPvlan = "proxy_arp_pvlan",
    RouteLocalnet = "route_localnet",
    Igmpv2UnsolicitedReportInterval = "igmpv2_unsolicited_report_interval",
    Igmpv3UnsolicitedReportInterval = "igmpv3_unsolicited_report_interval",
    IgnoreRoutesWithLinkdown = "ignore_routes_with_linkdown",
    DropUnicastInL2Multicast = "drop_unicast_in_l2_multicast",
    DropGratuitousArp = "drop_gratuitous_arp",
    BcForwarding = "bc_forwarding",
    ArpEvictNocarrier = "arp_evict_nocarrier",
}

impl Conf {
    /// The setting behind a file's name.
    pub(crate) fn named(name: &str) -> Option<Conf> {
        Conf::ALL.iter().find(|(_, file)| *file == name).map(|(conf, _)| *conf)
    }
}

type Values = [i32; Conf::ALL.len()];

/// A namespace's `conf/all` at the start.
const ALL: Values = {
    let mut values = [0; Conf::ALL.len()];
    values[Conf::AcceptRedirects as usize] = 1;
    values[Conf::SecureRedirects as usize] = 1;
    values[Conf::SendRedirects as usize] = 1;
    values[Conf::SharedMedia as usize] = 1;
    values[Conf::ArpEvictNocarrier as usize] = 1;
    values[Conf::Igmpv2UnsolicitedReportInterval as usize] = 10_000;
    values[Conf::Igmpv3UnsolicitedReportInterval as usize] = 1_000;
    values
};

/// Its `conf/default`.
const DEFAULT: Values = {
    let mut values = ALL;
    values[Conf::AcceptSourceRoute as usize] = 1;
    values
};

/// What that makes of `lo`.
const LOOPBACK: Values = {
    let mut values = DEFAULT;
    values[Conf::DisableXfrm as usize] = 1;
    values[Conf::DisablePolicy as usize] = 1;
    values
};

/// The settings of a device, of `all` or of `default`, in the order of `IFLA_INET_CONF`. Shared until one of them is changed: a
/// device that nobody configures has those it started with.
#[derive(Clone, Debug)]
pub(crate) struct DevConf(Shared<Values>);

impl DevConf {
    /// A namespace's `conf/all` at the start.
    pub(crate) fn all() -> DevConf {
        DevConf(Shared::Initial(&ALL))
    }

    /// A namespace's `conf/default` at the start.
    pub(crate) fn initial() -> DevConf {
        DevConf(Shared::Initial(&DEFAULT))
    }

    /// What `lo` starts with where these are those of new devices.
    pub(crate) fn of_loopback(&self) -> DevConf {
        if *self.0 == DEFAULT {
            return DevConf(Shared::Initial(&LOOPBACK));
        }
        let mut conf = self.clone();
        conf.set(Conf::DisableXfrm, 1);
        conf.set(Conf::DisablePolicy, 1);
        conf
    }

    /// A setting's value.
    #[inline]
    pub(crate) fn get(&self, conf: Conf) -> i32 {
        self.0[conf as usize]
    }

    /// Sets it, and nothing else.
    pub(crate) fn set(&mut self, conf: Conf, value: i32) {
        if self.get(conf) != value {
            self.0.make_mut()[conf as usize] = value;
        }
    }

    /// Every setting, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = i32> + '_ {
        self.0.iter().copied()
    }
}

impl Settings {
    /// What a setting may be.
    fn bounds(&self, name: &str) -> RangeInclusive<i32> {
        match name {
            "fib_multipath_hash_policy" => 0..=3,
            "fib_multipath_use_neigh"
            | "icmp_echo_enable_probe"
            | "icmp_echo_ignore_all"
            | "icmp_echo_ignore_broadcasts"
            | "icmp_errors_use_inbound_ifaddr"
            | "icmp_ignore_bogus_error_responses"
            | "ip_autobind_reuse"
            | "ip_forward_update_priority" => 0..=1,
            "fwmark_reflect"
            | "igmp_link_local_mcast_reports"
            | "ip_dynaddr"
            | "ip_early_demux"
            | "ip_forward_use_pmtu"
            | "ip_no_pmtu_disc"
            | "ip_nonlocal_bind" => 0..=255,
            "icmp_msgs_burst" | "icmp_msgs_per_sec" | "icmp_ratelimit" | "ipfrag_max_dist" => 0..=i32::MAX,
            "igmp_qrv" => 1..=i32::MAX,
            "ip_default_ttl" => 1..=255,
            // Not above the first of the ports that are given out.
            "ip_unprivileged_port_start" => 0..=32_768,
            "ipfrag_high_thresh" => self.ipfrag_low_thresh..=i32::MAX,
            "ipfrag_low_thresh" => 0..=self.ipfrag_high_thresh,
            // A second is some number of ticks.
            "ipfrag_time" => -8_589_934..=8_589_934,
            _ => i32::MIN..=i32::MAX,
        }
    }
}

macro_rules! settings {
    ($($field:ident = $default:literal),* $(,)?) => {
        /// A namespace's settings that belong to no device; each stands in `/proc/sys/net/ipv4` under its name.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub(crate) struct Settings { $(pub(crate) $field: i32),* }

        impl Default for Settings {
            fn default() -> Settings {
                Settings { $($field: $default),* }
            }
        }

        impl Settings {
            /// The names, in Linux's order (alphabetical).
            pub(crate) const NAMES: &'static [&'static str] = &[$(stringify!($field)),*];

            /// A setting by name.
            pub(crate) fn get(&self, name: &str) -> Option<i32> {
                match name { $(stringify!($field) => Some(self.$field),)* _ => None }
            }

            fn get_mut(&mut self, name: &str) -> Option<&mut i32> {
                match name { $(stringify!($field) => Some(&mut self.$field),)* _ => None }
            }
        }
    };
}

settings! {
    fib_multipath_hash_policy = 0,
    fib_multipath_use_neigh = 0,
    fwmark_reflect = 0,
    icmp_echo_enable_probe = 0,
    icmp_echo_ignore_all = 0,
    icmp_echo_ignore_broadcasts = 1,
    icmp_errors_use_inbound_ifaddr = 0,
    icmp_ignore_bogus_error_responses = 1,
    icmp_msgs_burst = 50,
    icmp_msgs_per_sec = 1000,
    icmp_ratelimit = 1000,
    icmp_ratemask = 6168,
    igmp_link_local_mcast_reports = 1,
    igmp_max_memberships = 20,
    igmp_max_msf = 10,
    igmp_qrv = 2,
    ip_autobind_reuse = 0,
    ip_default_ttl = 64,
    ip_dynaddr = 0,
    ip_early_demux = 1,
    ip_forward_update_priority = 1,
    ip_forward_use_pmtu = 0,
    ip_no_pmtu_disc = 0,
    ip_nonlocal_bind = 0,
    ip_unprivileged_port_start = 1024,
    ipfrag_high_thresh = 4_194_304,
    ipfrag_low_thresh = 3_145_728,
    ipfrag_max_dist = 64,
    ipfrag_time = 30,
}

/// Whose settings: those of `/proc/sys/net/ipv4/conf/…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConfOf {
    /// `all`: in force together with the device's own.
    All,
    /// `default`: what a new device starts with.
    Default,
    /// A device's own.
    Device(DevId),
}

/// A setting of `conf/all`, `conf/default` or `conf/DEV`.
pub(crate) fn conf(kernel: &Kernel, ns: NsId, of: ConfOf, conf: Conf) -> Result<i32, Errno> {
    let ipv4 = &kernel.namespaces.get(ns).ok_or(Errno::ENOENT)?.ipv4;
    let settings = match of {
        ConfOf::All => &ipv4.conf_all,
        ConfOf::Default => &ipv4.conf_default,
        ConfOf::Device(dev) => {
            let device = kernel.devices.get(dev).ok_or(Errno::ENOENT)?;
            &device.ipv4.as_ref().ok_or(Errno::ENOENT)?.conf
        }
    };
    Ok(settings.get(conf))
}

/// Changes one, with all that follows: forwarding for `all` is forwarding for every device.
pub(crate) fn set_conf(kernel: &mut Kernel, ns: NsId, of: ConfOf, which: Conf, value: i32) -> Result<(), Errno> {
    let ipv4 = &mut kernel.namespaces.get_mut(ns).ok_or(Errno::ENOENT)?.ipv4;
    ipv4.fib.forget();
    match of {
        ConfOf::All => {
            ipv4.conf_all.set(which, value);
            if which == Conf::Forwarding {
                ipv4.conf_all.set(Conf::AcceptRedirects, i32::from(value == 0));
                ipv4.conf_default.set(Conf::Forwarding, value);
                let devices: Vec<DevId> = kernel.namespaces[ns].devices().collect();
                for dev in devices {
                    if let Some(interface) = kernel.devices.get_mut(dev).and_then(|device| device.ipv4.as_mut()) {
                        interface.conf.set(Conf::Forwarding, value);
                    }
                }
            }
        }
        ConfOf::Default => ipv4.conf_default.set(which, value),
        ConfOf::Device(dev) => {
            let device = kernel.devices.get_mut(dev).ok_or(Errno::ENOENT)?;
            device.ipv4.as_mut().ok_or(Errno::ENOENT)?.conf.set(which, value);
        }
    }
    Ok(())
}

/// A setting of `/proc/sys/net/ipv4` itself.
pub(crate) fn setting(kernel: &Kernel, ns: NsId, name: &str) -> Result<i32, Errno> {
    let ipv4 = &kernel.namespaces.get(ns).ok_or(Errno::ENOENT)?.ipv4;
    match name {
        "ip_forward" => Ok(ipv4.conf_all.get(Conf::Forwarding)),
        _ => ipv4.settings.get(name).ok_or(Errno::ENOENT),
    }
}

/// Changes one. `EINVAL` where the value is out of bounds.
pub(crate) fn set_setting(kernel: &mut Kernel, ns: NsId, name: &str, value: i32) -> Result<(), Errno> {
    if name == "ip_forward" {
        return set_conf(kernel, ns, ConfOf::All, Conf::Forwarding, value);
    }
    let settings = &mut kernel.namespaces.get_mut(ns).ok_or(Errno::ENOENT)?.ipv4.settings;
    if !settings.bounds(name).contains(&value) {
        return Err(Errno::EINVAL);
    }
    *settings.get_mut(name).ok_or(Errno::ENOENT)? = value;
    Ok(())
}

impl Kernel {
    /// A device's setting, and the same of `all`.
    #[inline]
    fn conf_pair(&self, dev: DevId, conf: Conf) -> (i32, i32) {
        let Some(device) = self.devices.get(dev) else { return (0, 0) };
        let all = self.namespaces.get(device.ns).map_or(0, |netns| netns.ipv4.conf_all.get(conf));
        (device.ipv4.as_ref().map_or(0, |interface| interface.conf.get(conf)), all)
    }

    /// The device's own setting alone.
    #[inline]
    pub(crate) fn conf_own(&self, dev: DevId, conf: Conf) -> i32 {
        self.conf_pair(dev, conf).0
    }

    /// On where it is on for the device or for all.
    #[inline]
    pub(crate) fn conf_either(&self, dev: DevId, conf: Conf) -> bool {
        let (own, all) = self.conf_pair(dev, conf);
        own != 0 || all != 0
    }

    /// On where it is on for the device and for all.
    pub(crate) fn conf_both(&self, dev: DevId, conf: Conf) -> bool {
        let (own, all) = self.conf_pair(dev, conf);
        own != 0 && all != 0
    }

    /// The larger of the device's and of `all`'s.
    #[inline]
    pub(crate) fn conf_max(&self, dev: DevId, conf: Conf) -> i32 {
        let (own, all) = self.conf_pair(dev, conf);
        own.max(all)
    }
}
