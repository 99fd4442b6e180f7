//! The settings that decide whether packets pass, as `RTM_GETNETCONF` shows them.

use super::sysctl::{self, Conf, ConfOf};
use crate::Kernel;
use crate::rtnetlink::netconf::{Scope, Settings};
use crate::types::NsId;

/// The settings of a scope; `None` where the device has no IPv4.
pub(crate) fn netconf(kernel: &Kernel, ns: NsId, scope: Scope) -> Option<Settings> {
    let of = match scope {
        Scope::Device(dev) => ConfOf::Device(dev),
        Scope::All => ConfOf::All,
        Scope::Default => ConfOf::Default,
    };
    let value = |conf| sysctl::conf(kernel, ns, of, conf).ok();
    Some(Settings {
        forwarding: value(Conf::Forwarding)?,
        rp_filter: value(Conf::RpFilter),
        mc_forwarding: value(Conf::McForwarding)?,
        bc_forwarding: value(Conf::BcForwarding),
        proxy_neigh: value(Conf::ProxyArp)?,
        ignore_routes_with_linkdown: value(Conf::IgnoreRoutesWithLinkdown)?,
    })
}
