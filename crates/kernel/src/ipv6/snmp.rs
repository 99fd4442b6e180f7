//! The counters of `/proc/net/snmp6` that IPv6 and ICMPv6 raise.

use std::collections::BTreeMap;

use crate::ipv4::snmp::counters;

counters! {
    /// `Ip6…`.
    Ip {
        in_receives = "Ip6InReceives",
        in_hdr_errors = "Ip6InHdrErrors",
        in_too_big_errors = "Ip6InTooBigErrors",
        in_no_routes = "Ip6InNoRoutes",
        in_addr_errors = "Ip6InAddrErrors",
        in_unknown_protos = "Ip6InUnknownProtos",
        in_truncated_pkts = "Ip6InTruncatedPkts",
        in_discards = "Ip6InDiscards",
        in_delivers = "Ip6InDelivers",
        out_forw_datagrams = "Ip6OutForwDatagrams",
        out_requests = "Ip6OutRequests",
        out_discards = "Ip6OutDiscards",
        out_no_routes = "Ip6OutNoRoutes",
        reasm_timeout = "Ip6ReasmTimeout",
        reasm_reqds = "Ip6ReasmReqds",
        reasm_oks = "Ip6ReasmOKs",
        reasm_fails = "Ip6ReasmFails",
        frag_oks = "Ip6FragOKs",
        frag_fails = "Ip6FragFails",
        frag_creates = "Ip6FragCreates",
        in_mcast_pkts = "Ip6InMcastPkts",
        out_mcast_pkts = "Ip6OutMcastPkts",
        in_octets = "Ip6InOctets",
        out_octets = "Ip6OutOctets",
        in_mcast_octets = "Ip6InMcastOctets",
        out_mcast_octets = "Ip6OutMcastOctets",
        in_bcast_octets = "Ip6InBcastOctets",
        out_bcast_octets = "Ip6OutBcastOctets",
        in_no_ect_pkts = "Ip6InNoECTPkts",
        in_ect1_pkts = "Ip6InECT1Pkts",
        in_ect0_pkts = "Ip6InECT0Pkts",
        in_ce_pkts = "Ip6InCEPkts",
        out_transmits = "Ip6OutTransmits",
    }
}

/// Names of ICMPv6's counters by type, as they follow `Icmp6In` and `Icmp6Out`.
const ICMP_NAMES: [(&str, u8); 15] = [
    ("DestUnreachs", 1),
    ("PktTooBigs", 2),
    ("TimeExcds", 3),
    ("ParmProblems", 4),
    ("Echos", 128),
    ("EchoReplies", 129),
    ("GroupMembQueries", 130),
    ("GroupMembResponses", 131),
    ("GroupMembReductions", 132),
    ("RouterSolicits", 133),
    ("RouterAdvertisements", 134),
    ("NeighborSolicits", 135),
    ("NeighborAdvertisements", 136),
    ("Redirects", 137),
    ("MLDv2Reports", 143),
];

/// `Icmp6…`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Icmp {
    pub(crate) in_msgs: u64,
    pub(crate) in_errors: u64,
    pub(crate) in_csum_errors: u64,
    pub(crate) out_msgs: u64,
    pub(crate) out_errors: u64,
    pub(crate) out_rate_limit_host: u64,
    /// Received and sent by type; only those that ever were.
    pub(crate) in_types: BTreeMap<u8, u64>,
    pub(crate) out_types: BTreeMap<u8, u64>,
}

/// Protocols that are counted and not there yet.
const UDP: [&str; 9] = [
    "InDatagrams",
    "NoPorts",
    "InErrors",
    "OutDatagrams",
    "RcvbufErrors",
    "SndbufErrors",
    "InCsumErrors",
    "IgnoredMulti",
    "MemErrors",
];

/// A namespace's counters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snmp {
    pub(crate) ip: Ip,
    pub(crate) icmp: Icmp,
    pub(crate) udp_no_ports: u64,
}

impl Snmp {
    /// A message that leaves.
    pub(super) fn icmp_sent(&mut self, kind: u8) {
        self.icmp.out_msgs += 1;
        *self.icmp.out_types.entry(kind).or_default() += 1;
    }

    /// Every line of the file.
    pub(crate) fn entries(&self) -> Vec<(String, u64)> {
        let mut entries: Vec<(String, u64)> =
            self.ip.entries().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let icmp = &self.icmp;
        for (name, value) in [
            ("InMsgs", icmp.in_msgs),
            ("InErrors", icmp.in_errors),
            ("OutMsgs", icmp.out_msgs),
            ("OutErrors", icmp.out_errors),
            ("InCsumErrors", icmp.in_csum_errors),
            ("OutRateLimitHost", icmp.out_rate_limit_host),
        ] {
            entries.push((format!("Icmp6{name}"), value));
        }
        for (direction, counts) in [("In", &icmp.in_types), ("Out", &icmp.out_types)] {
            for (name, kind) in ICMP_NAMES {
                entries.push((format!("Icmp6{direction}{name}"), counts.get(&kind).copied().unwrap_or(0)));
            }
        }
        for (direction, counts) in [("In", &icmp.in_types), ("Out", &icmp.out_types)] {
            entries.extend(counts.iter().map(|(kind, count)| (format!("Icmp6{direction}Type{kind}"), *count)));
        }
        for protocol in ["Udp6", "UdpLite6"] {
            for name in UDP.iter().filter(|name| protocol == "Udp6" || **name != "IgnoredMulti") {
                let counted = protocol == "Udp6" && *name == "NoPorts";
                entries.push((format!("{protocol}{name}"), if counted { self.udp_no_ports } else { 0 }));
            }
        }
        entries
    }
}
