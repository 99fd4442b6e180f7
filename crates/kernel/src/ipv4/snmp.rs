//! The counters of `/proc/net/snmp` and `/proc/net/netstat` that IPv4 and ICMP raise.

/// Counters with their names in the files of `/proc/net`.
macro_rules! counters {
    ($(#[$doc:meta])* $struct:ident { $($field:ident = $name:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub(crate) struct $struct { $(pub(crate) $field: u64),* }

        impl $struct {
            /// Every counter with its name, in the order of the file.
            pub(crate) fn entries(&self) -> Vec<(&'static str, u64)> {
                vec![$(($name, self.$field)),*]
            }
        }
    };
}
pub(crate) use counters;

counters! {
    /// `Ip:` of `/proc/net/snmp`, after `Forwarding` and `DefaultTTL`.
    Ip {
        in_receives = "InReceives",
        in_hdr_errors = "InHdrErrors",
        in_addr_errors = "InAddrErrors",
        forw_datagrams = "ForwDatagrams",
        in_unknown_protos = "InUnknownProtos",
        in_discards = "InDiscards",
        in_delivers = "InDelivers",
        out_requests = "OutRequests",
        out_discards = "OutDiscards",
        out_no_routes = "OutNoRoutes",
        reasm_timeout = "ReasmTimeout",
        reasm_reqds = "ReasmReqds",
        reasm_oks = "ReasmOKs",
        reasm_fails = "ReasmFails",
        frag_oks = "FragOKs",
        frag_fails = "FragFails",
        frag_creates = "FragCreates",
        out_transmits = "OutTransmits",
    }
}

counters! {
    /// `IpExt:` of `/proc/net/netstat`.
    IpExt {
        in_no_routes = "InNoRoutes",
        in_truncated_pkts = "InTruncatedPkts",
        in_mcast_pkts = "InMcastPkts",
        out_mcast_pkts = "OutMcastPkts",
        in_bcast_pkts = "InBcastPkts",
        out_bcast_pkts = "OutBcastPkts",
        in_octets = "InOctets",
        out_octets = "OutOctets",
        in_mcast_octets = "InMcastOctets",
        out_mcast_octets = "OutMcastOctets",
        in_bcast_octets = "InBcastOctets",
        out_bcast_octets = "OutBcastOctets",
        in_csum_errors = "InCsumErrors",
        in_no_ect_pkts = "InNoECTPkts",
        in_ect1_pkts = "InECT1Pkts",
        in_ect0_pkts = "InECT0Pkts",
        in_ce_pkts = "InCEPkts",
        reasm_overlaps = "ReasmOverlaps",
    }
}

impl IpExt {
    /// The counter of packets received with what a type of service says of congestion.
    #[inline(always)]
    pub(crate) fn in_pkts(&mut self, tos: u8) -> &mut u64 {
        match tos & 3 {
            0 => &mut self.in_no_ect_pkts,
            1 => &mut self.in_ect1_pkts,
            2 => &mut self.in_ect0_pkts,
            _ => &mut self.in_ce_pkts,
        }
    }
}

/// Names of ICMP's counters by type, as they follow `In` and `Out`.
const ICMP_NAMES: [(&str, u8); 11] = [
    ("DestUnreachs", 3),
    ("TimeExcds", 11),
    ("ParmProbs", 12),
    ("SrcQuenchs", 4),
    ("Redirects", 5),
    ("Echos", 8),
    ("EchoReps", 0),
    ("Timestamps", 13),
    ("TimestampReps", 14),
    ("AddrMasks", 17),
    ("AddrMaskReps", 18),
];

/// A count for each of 256 types; those beyond the highest that was ever counted take no room.
#[derive(Clone, Debug, Default)]
pub(crate) struct ByType(Vec<u64>);

impl ByType {
    /// One more of a type.
    #[inline(always)]
    pub(crate) fn count(&mut self, kind: u8) {
        match self.0.get_mut(usize::from(kind)) {
            Some(count) => *count += 1,
            None => self.count_first(kind),
        }
    }

    #[cold]
    #[inline(never)]
    fn count_first(&mut self, kind: u8) {
        self.0.resize(usize::from(kind), 0);
        self.0.push(1);
    }

    /// How many there were of a type.
    pub(crate) fn get(&self, kind: u8) -> u64 {
        self.0.get(usize::from(kind)).copied().unwrap_or_default()
    }
}

/// `Icmp:` and `IcmpMsg:` of `/proc/net/snmp`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Icmp {
    pub(crate) in_msgs: u64,
    pub(crate) in_errors: u64,
    pub(crate) in_csum_errors: u64,
    pub(crate) out_msgs: u64,
    pub(crate) out_errors: u64,
    pub(crate) out_rate_limit_global: u64,
    pub(crate) out_rate_limit_host: u64,
    /// Received and sent by type.
    pub(crate) in_types: ByType,
    pub(crate) out_types: ByType,
}

impl Icmp {
    /// Every counter of the `Icmp:` lines.
    pub(crate) fn entries(&self) -> Vec<(String, u64)> {
        let mut entries = vec![
            ("InMsgs".into(), self.in_msgs),
            ("InErrors".into(), self.in_errors),
            ("InCsumErrors".into(), self.in_csum_errors),
        ];
        let by_type = |prefix: &str, counts: &ByType| {
            ICMP_NAMES.map(|(name, kind)| (format!("{prefix}{name}"), counts.get(kind)))
        };
        entries.extend(by_type("In", &self.in_types));
        entries.extend([
            ("OutMsgs".into(), self.out_msgs),
            ("OutErrors".into(), self.out_errors),
            ("OutRateLimitGlobal".into(), self.out_rate_limit_global),
            ("OutRateLimitHost".into(), self.out_rate_limit_host),
        ]);
        entries.extend(by_type("Out", &self.out_types));
        entries
    }

    /// Every counter of the `IcmpMsg:` lines, which name only what was ever counted.
    pub(crate) fn message_entries(&self) -> Vec<(String, u64)> {
        let counted = |prefix: &'static str, counts: &ByType| {
            let counted: Vec<(String, u64)> = counts
                .0
                .iter()
                .enumerate()
                .filter(|(_, count)| **count > 0)
                .map(|(kind, count)| (format!("{prefix}{kind}"), *count))
                .collect();
            counted
        };
        let mut entries = counted("InType", &self.in_types);
        entries.extend(counted("OutType", &self.out_types));
        entries
    }
}

/// A namespace's counters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snmp {
    pub(crate) ip: Ip,
    pub(crate) ip_ext: IpExt,
    pub(crate) icmp: Icmp,
    /// `TcpExt: IPReversePathFilter`.
    pub(crate) reverse_path_filter: u64,
    /// `TcpExt: ArpFilter`.
    pub(crate) arp_filter: u64,
    /// `Udp: NoPorts`.
    pub(crate) udp_no_ports: u64,
}
