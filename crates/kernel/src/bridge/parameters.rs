//! What can be set on a bridge, with Linux's defaults and limits.

use crate::types::MacAddr;

/// Who runs the spanning tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stp {
    /// Nobody.
    #[default]
    Off = 0,
    /// The kernel.
    Kernel = 1,
}

/// A bridge's identity in the spanning tree: its priority, then its address (IEEE 802.1D, 9.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BridgeId {
    pub(crate) priority: u16,
    pub(crate) address: MacAddr,
}

impl BridgeId {
    /// The eight bytes that stand in BPDUs and in attributes.
    pub(crate) fn to_bytes(self) -> [u8; 8] {
        let [p, q] = self.priority.to_be_bytes();
        let [a, b, c, d, e, f] = self.address.0;
        [p, q, a, b, c, d, e, f]
    }
}

/// What can be set on a bridge. Times are in hundredths of a second.
#[derive(Debug)]
pub(crate) struct Parameters {
    pub(crate) stp: Stp,
    pub(crate) id: BridgeId,
    pub(crate) designated_root: BridgeId,
    pub(crate) root_path_cost: u32,
    pub(crate) root_port: u16,
    pub(crate) topology_change: bool,
    pub(crate) topology_change_detected: bool,
    /// What was set.
    pub(crate) bridge_forward_delay: u32,
    pub(crate) bridge_hello_time: u32,
    pub(crate) bridge_max_age: u32,
    pub(crate) bridge_ageing_time: u32,
    /// What is in force: the root bridge's times, and a shorter ageing time while the topology changes.
    pub(crate) forward_delay: u32,
    pub(crate) hello_time: u32,
    pub(crate) max_age: u32,
    pub(crate) ageing_time: u32,
    pub(crate) fdb_max_learned: u32,
    pub(crate) group_address: MacAddr,
    /// An MTU that somebody set stays.
    pub(crate) mtu_by_hand: bool,
    pub(crate) vlan_filtering: bool,
    pub(crate) nf_call_iptables: bool,
    pub(crate) nf_call_ip6tables: bool,
    pub(crate) nf_call_arptables: bool,
    pub(crate) multicast: Multicast,
}

/// What can be set about multicast snooping.
#[derive(Debug)]
pub(crate) struct Multicast {
    pub(crate) snooping: bool,
    pub(crate) router: u8,
    pub(crate) query_use_ifaddr: bool,
    pub(crate) querier: bool,
    pub(crate) stats_enabled: bool,
    pub(crate) vlan_snooping: bool,
    pub(crate) hash_max: u32,
    pub(crate) last_member_count: u32,
    pub(crate) startup_query_count: u32,
    pub(crate) igmp_version: u8,
    pub(crate) mld_version: u8,
    pub(crate) last_member_interval: u64,
    pub(crate) membership_interval: u64,
    pub(crate) querier_interval: u64,
    pub(crate) query_interval: u64,
    pub(crate) query_response_interval: u64,
    pub(crate) startup_query_interval: u64,
}

impl Default for Parameters {
    fn default() -> Parameters {
        let id = BridgeId { priority: 0x8000, address: MacAddr::ZERO };
        Parameters {
            stp: Stp::Off,
            id,
            designated_root: id,
            root_path_cost: 0,
            root_port: 0,
            topology_change: false,
            topology_change_detected: false,
            bridge_forward_delay: 1500,
            bridge_hello_time: 200,
            bridge_max_age: 2000,
            bridge_ageing_time: 30_000,
            forward_delay: 1500,
            hello_time: 200,
            max_age: 2000,
            ageing_time: 30_000,
            fdb_max_learned: 0,
            group_address: MacAddr([0x01, 0x80, 0xc2, 0, 0, 0]),
            mtu_by_hand: false,
            vlan_filtering: false,
            nf_call_iptables: false,
            nf_call_ip6tables: false,
            nf_call_arptables: false,
            multicast: Multicast {
                snooping: true,
                router: 1,
                query_use_ifaddr: false,
                querier: false,
                stats_enabled: false,
                vlan_snooping: false,
                hash_max: 4096,
                last_member_count: 2,
                startup_query_count: 2,
                igmp_version: 2,
                mld_version: 1,
                last_member_interval: 100,
                membership_interval: 26_000,
                querier_interval: 25_500,
                query_interval: 12_500,
                query_response_interval: 1000,
                startup_query_interval: 3124,
            },
        }
    }
}

impl Parameters {
    /// Whether this bridge is the root of its tree.
    pub(crate) fn is_root(&self) -> bool {
        self.id == self.designated_root
    }

    /// How long a silent address is kept.
    pub(crate) fn hold_time(&self) -> u32 {
        if self.topology_change { self.forward_delay } else { self.ageing_time }
    }
}
