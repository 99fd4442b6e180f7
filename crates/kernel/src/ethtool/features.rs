//! Offload features: what a kind of device can do, what was asked for, and what follows from both.

use super::bitset::{self, Bitset, Form};
use super::{A_HEADER, answer, reply, target};
use crate::Kernel;
use crate::drivers::DevKind;
use crate::error::{Errno, Error, Result};
use crate::genetlink::GenlRequest;
use crate::netdev::Device;
use crate::rtnetlink::attr::{Check, Policy, Rule};
use crate::rtnetlink::dispatch::Answer;
use crate::types::NsId;

const HW: u16 = 2;
const WANTED: u16 = 3;
const ACTIVE: u16 = 4;
const NOCHANGE: u16 = 5;

/// The names of Linux's features, by bit; bits without a name can't be asked for.
pub(super) const NAMES: [&str; 64] = [
    "tx-scatter-gather",
    "tx-checksum-ipv4",
    "",
    "tx-checksum-ip-generic",
    "tx-checksum-ipv6",
    "highdma",
    "tx-scatter-gather-fraglist",
    "tx-vlan-hw-insert",
    "rx-vlan-hw-parse",
    "rx-vlan-filter",
    "vlan-challenged",
    "tx-generic-segmentation",
    "",
    "",
    "rx-gro",
    "rx-lro",
    "tx-tcp-segmentation",
    "tx-gso-robust",
    "tx-tcp-ecn-segmentation",
    "tx-tcp-mangleid-segmentation",
    "tx-tcp6-segmentation",
    "tx-fcoe-segmentation",
    "tx-gre-segmentation",
    "tx-gre-csum-segmentation",
    "tx-ipxip4-segmentation",
    "tx-ipxip6-segmentation",
    "tx-udp_tnl-segmentation",
    "tx-udp_tnl-csum-segmentation",
    "tx-gso-partial",
    "tx-tunnel-remcsum-segmentation",
    "tx-sctp-segmentation",
    "tx-esp-segmentation",
    "",
    "tx-udp-segmentation",
    "tx-gso-list",
    "tx-tcp-accecn-segmentation",
    "tx-checksum-fcoe-crc",
    "tx-checksum-sctp",
    "rx-ntuple-filter",
    "rx-hashing",
    "rx-checksum",
    "tx-nocache-copy",
    "loopback",
    "rx-fcs",
    "rx-all",
    "tx-vlan-stag-hw-insert",
    "rx-vlan-stag-hw-parse",
    "rx-vlan-stag-filter",
    "l2-fwd-offload",
    "hw-tc-offload",
    "esp-hw-offload",
    "esp-tx-csum-hw-offload",
    "rx-udp_tunnel-port-offload",
    "tls-hw-tx-offload",
    "tls-hw-rx-offload",
    "rx-gro-hw",
    "tls-hw-record",
    "rx-gro-list",
    "macsec-hw-offload",
    "rx-udp-gro-forwarding",
    "hsr-tag-ins-offload",
    "hsr-tag-rm-offload",
    "hsr-fwd-offload",
    "hsr-dup-offload",
];

const SG: u64 = 1 << 0;
const IP_CSUM: u64 = 1 << 1;
const HW_CSUM: u64 = 1 << 3;
const IPV6_CSUM: u64 = 1 << 4;
const VLAN_CHALLENGED: u64 = 1 << 10;
const GSO: u64 = 1 << 11;
const GRO: u64 = 1 << 14;
const TSO: u64 = 1 << 16;
const TSO_ECN: u64 = 1 << 18;
const TSO_MANGLEID: u64 = 1 << 19;
const TSO6: u64 = 1 << 20;
const GSO_UDP_L4: u64 = 1 << 33;
/// What the program at the other end of a TUN has to allow.
const TUN_USER: u64 = HW_CSUM | TSO | TSO_ECN | TSO6 | 1 << 26 | 1 << 27 | GSO_UDP_L4;
const ALL_TSO: u64 = TSO | TSO_ECN | TSO_MANGLEID | TSO6;

/// The features that were switched by hand away from the kind's default.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Features {
    switched: u64,
}

/// What a kind of device starts with.
struct Profile {
    /// What can be switched.
    switchable: u64,
    wanted: u64,
    active: u64,
}

fn profile(device: &Device) -> Profile {
    let (switchable, wanted, active) = match device.kind {
        DevKind::Veth(_) => (0x0a00_632e_4fdd_49e9, 0x0000_612e_4fdd_09e9, 0x0000_612e_4fdd_09e9),
        DevKind::Bridge(_) => (0x0a00_220f_ffff_48e9, 0x0000_200f_ffff_48e9, 0x0000_200f_ffff_48e9),
        DevKind::Loopback => (0x0a00_000e_401d_4800, 0x0000_000e_401d_4800, 0x0000_052e_401d_4c69),
        DevKind::Dummy => (0x0a00_020e_5fdd_4869, 0x0000_000e_5fdd_4869, 0x0000_000e_5fdd_4869),
        // On a veth.
        DevKind::Macvlan(_) => (0x0a00_0200_0000_c800, 0x0000_010e_4fdf_4869, 0x0000_010e_4fdf_0869),
        DevKind::Tun(_) => (0x0a00_2202_0c1d_48c9, 0x0000_2002_0c15_48c9, 0x0000_2000_0000_48c1),
    };
    Profile { switchable, wanted, active }
}

/// Drops what depends on something that is off.
fn fixed(mut features: u64) -> u64 {
    if features & SG == 0 {
        features &= !(ALL_TSO | GSO);
    }
    if features & (HW_CSUM | IP_CSUM) == 0 {
        features &= !(TSO | TSO_ECN);
    }
    if features & (HW_CSUM | IPV6_CSUM) == 0 {
        features &= !TSO6;
    }
    if features & TSO == 0 {
        features &= !TSO_MANGLEID;
    }
    if features & ALL_TSO == TSO_ECN {
        features &= !TSO_ECN;
    }
    if features & HW_CSUM == 0 && features & (IP_CSUM | IPV6_CSUM) != IP_CSUM | IPV6_CSUM {
        features &= !GSO_UDP_L4;
    }
    features
}

impl Device {
    fn wanted_features(&self) -> u64 {
        profile(self).wanted ^ self.info.features.switched
    }

    /// The features that are on.
    pub(super) fn active_features(&self) -> u64 {
        let profile = profile(self);
        let unable = match self.kind {
            // What its reader has not said it can deal with.
            DevKind::Tun(_) => TUN_USER,
            // What the device below doesn't do.
            DevKind::Macvlan(_) => GRO,
            _ => 0,
        };
        !unable & fixed((profile.active & !profile.switchable) | (self.wanted_features() & profile.switchable))
    }
}

pub(super) fn get(kernel: &mut Kernel, ns: NsId, request: &GenlRequest<'_>) -> Result<Answer> {
    let attrs = request.attributes(super::HEADER_ONLY, Check::Lenient)?;
    let target = target(kernel, ns, &attrs)?;
    let device = &kernel.devices[target.dev];
    let profile = profile(device);
    let form = Form { size: 64, names: &NAMES, compact: target.compact };
    let list = |value| Bitset { value, mask: None };
    Ok(answer(request, device, reply::FEATURES_GET, |out| {
        bitset::put(out, HW, Bitset { value: profile.switchable, mask: Some(u64::MAX) }, form);
        bitset::put(out, WANTED, list(device.wanted_features()), form);
        bitset::put(out, ACTIVE, list(device.active_features()), form);
        bitset::put(out, NOCHANGE, list(VLAN_CHALLENGED), form);
    }))
}

const SET: Policy = &[(A_HEADER, Rule::Nested), (WANTED, Rule::Nested)];

pub(super) fn set(kernel: &mut Kernel, ns: NsId, request: &GenlRequest<'_>) -> Result<Answer> {
    let attrs = request.attributes(SET, Check::Strict)?;
    let target = target(kernel, ns, &attrs)?;
    let wanted = attrs.get(WANTED).ok_or(Errno::EINVAL)?;
    let asked = bitset::read(wanted, &NAMES)?;
    let device = &mut kernel.devices[target.dev];
    let profile = profile(device);
    let mask = asked.mask.unwrap_or(u64::MAX);
    if asked.mask.is_none() && (asked.value ^ device.wanted_features()) & !profile.switchable != 0 {
        return Err(Error::from(Errno::EINVAL));
    }
    let before = device.active_features();
    let new_wanted = (device.wanted_features() & !mask) | (asked.value & mask);
    device.info.features.switched = (profile.wanted ^ new_wanted) & profile.switchable;
    let after = device.active_features();
    if target.omit_reply {
        return Ok(Answer::Done);
    }
    let form = Form { size: 64, names: &NAMES, compact: target.compact };
    // What was asked for and did not come about, and what is different now.
    let refused = Bitset { value: asked.value & mask, mask: Some((asked.value ^ after) & mask) };
    let changed = Bitset { value: after, mask: Some(before ^ after) };
    Ok(answer(request, &kernel.devices[target.dev], reply::FEATURES_SET, |out| {
        bitset::put(out, WANTED, refused, form);
        bitset::put(out, ACTIVE, changed, form);
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TSO_ACCECN: u64 = 1 << 35;

    #[test]
    fn segmentation_goes_with_the_checksum_it_needs() {
        let without = fixed(0x0000_612e_4fdd_09e9 & !HW_CSUM);
        assert_eq!(without & (TSO | TSO_ECN | TSO_MANGLEID | TSO6 | GSO_UDP_L4), 0);
        assert_ne!(without & TSO_ACCECN, 0);
        assert_ne!(without & SG, 0);
    }
}
