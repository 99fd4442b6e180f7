//! The settings of IPv6 on a device, those of `all`, and those that a new device starts with.

use crate::shared::Shared;

macro_rules! confs {
    ($($name:ident = $file:literal: $default:literal),* $(,)?) => {
        /// A device's setting; the number is Linux's `DEVCONF_…`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Conf { $($name),* }

        impl Conf {
            /// Every setting, in Linux's order.
            pub(crate) const ALL: &'static [Conf] = &[$(Conf::$name),*];
            /// Their files' names, in the same order.
            pub(crate) const NAMES: &'static [&'static str] = &[$($file),*];
            const DEFAULTS: Values = [$($default),*];
        }
    };
}

confs! {
    Forwarding = "forwarding": 0,
    HopLimit = "hop_limit": 64,
    Mtu = "mtu": 1280,
    AcceptRa = "accept_ra": 1,
    AcceptRedirects = "accept_redirects": 1,
    Autoconf = "autoconf": 1,
    DadTransmits = "dad_transmits": 1,
    RouterSolicitations = "router_solicitations": -1,
    RouterSolicitationInterval = "router_solicitation_interval": 4,
    RouterSolicitationDelay = "router_solicitation_delay": 1,
    UseTempaddr = "use_tempaddr": 0,
    TempValidLft = "temp_valid_lft": 604800,
    TempPreferedLft = "temp_prefered_lft": 86400,
    RegenMaxRetry = "regen_max_retry": 3,
    MaxDesyncFactor = "max_desync_factor": 600,
    MaxAddresses = "max_addresses": 16,
    ForceMldVersion = "force_mld_version": 0,
    AcceptRaDefrtr = "accept_ra_defrtr": 1,
    AcceptRaPinfo = "accept_ra_pinfo": 1,
    AcceptRaRtrPref = "accept_ra_rtr_pref": 1,
    RouterProbeInterval = "router_probe_interval": 60,
    AcceptRaRtInfoMaxPlen = "accept_ra_rt_info_max_plen": 0,
    ProxyNdp = "proxy_ndp": 0,
    OptimisticDad = "optimistic_dad": 0,
    AcceptSourceRoute = "accept_source_route": 0,
    McForwarding = "mc_forwarding": 0,
    DisableIpv6 = "disable_ipv6": 0,
    AcceptDad = "accept_dad": 1,
    ForceTllao = "force_tllao": 0,
    NdiscNotify = "ndisc_notify": 0,
    Mldv1UnsolicitedReportInterval = "mldv1_unsolicited_report_interval": 10000,
    Mldv2UnsolicitedReportInterval = "mldv2_unsolicited_report_interval": 1000,
    SuppressFragNdisc = "suppress_frag_ndisc": 1,
    AcceptRaFromLocal = "accept_ra_from_local": 0,
    UseOptimistic = "use_optimistic": 0,
    AcceptRaMtu = "accept_ra_mtu": 1,
    StableSecret = "stable_secret": 0,
    UseOifAddrsOnly = "use_oif_addrs_only": 0,
    AcceptRaMinHopLimit = "accept_ra_min_hop_limit": 1,
    IgnoreRoutesWithLinkdown = "ignore_routes_with_linkdown": 0,
    DropUnicastInL2Multicast = "drop_unicast_in_l2_multicast": 0,
    DropUnsolicitedNa = "drop_unsolicited_na": 0,
    KeepAddrOnDown = "keep_addr_on_down": 0,
    RouterSolicitationMaxInterval = "router_solicitation_max_interval": 3600,
    Seg6Enabled = "seg6_enabled": 0,
    Seg6RequireHmac = "seg6_require_hmac": 0,
    EnhancedDad = "enhanced_dad": 1,
    AddrGenMode = "addr_gen_mode": 0,
    DisablePolicy = "disable_policy": 0,
    AcceptRaRtInfoMinPlen = "accept_ra_rt_info_min_plen": 0,
    NdiscTclass = "ndisc_tclass": 0,
    RplSegEnabled = "rpl_seg_enabled": 0,
    RaDefrtrMetric = "ra_defrtr_metric": 1024,
    Ioam6Enabled = "ioam6_enabled": 0,
    Ioam6Id = "ioam6_id": 65535,
    Ioam6IdWide = "ioam6_id_wide": -1,
    NdiscEvictNocarrier = "ndisc_evict_nocarrier": 1,
    AcceptUntrackedNa = "accept_untracked_na": 0,
    AcceptRaMinLft = "accept_ra_min_lft": 0,
    ForceForwarding = "force_forwarding": 0,
}

impl Conf {
    /// The setting behind a file's name.
    pub(crate) fn named(name: &str) -> Option<Conf> {
        let at = Conf::NAMES.iter().position(|known| *known == name)?;
        Conf::ALL.get(at).copied()
    }

    /// A value as netlink gives it: times in milliseconds.
    pub(super) fn in_netlink(self, value: i32) -> i32 {
        match self {
            Conf::RouterSolicitationInterval
            | Conf::RouterSolicitationDelay
            | Conf::RouterSolicitationMaxInterval
            | Conf::RouterProbeInterval => value.saturating_mul(1_000),
            _ => value,
        }
    }
}

type Values = [i32; Conf::ALL.len()];

/// Settings, shared until one of them is changed: a device that nobody configures has those it started with.
#[derive(Clone, Debug)]
pub(crate) struct DevConf(Shared<Values>);

impl DevConf {
    /// A namespace's `conf/default` at the start.
    pub(crate) fn initial() -> DevConf {
        DevConf(Shared::Initial(&Conf::DEFAULTS))
    }

    /// A namespace's `conf/all` at the start.
    pub(crate) fn all() -> DevConf {
        const ALL: Values = {
            let mut values = Conf::DEFAULTS;
            values[Conf::AcceptDad as usize] = 0;
            values
        };
        DevConf(Shared::Initial(&ALL))
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
}
