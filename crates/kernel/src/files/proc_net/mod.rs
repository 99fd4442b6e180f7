//! `/proc/net`: tables as text.

mod device;
mod ipv4;
mod ipv6;
mod sockets;

use super::{READ_ONLY_DIRECTORY, file};
use crate::error::{Errno, Result};
use crate::types::NsId;
use crate::{Kernel, Node};

type Table = fn(&Kernel, NsId) -> String;

/// One file, or a directory of files.
#[derive(Debug)]
pub(super) enum Item {
    Root,
    Directory(&'static [(&'static str, Table)]),
    File(Table, u32),
}

/// A table that has nothing but its heading here: what it lists does not exist in this kernel.
macro_rules! heading {
    ($text:literal) => {
        |_, _| $text.to_owned()
    };
}

/// Linux's list, in its order. Tables of subsystems that are not there are empty, as they are on a Linux that has no use for them.
const FILES: &[(&str, u32, Table)] = &[
    ("anycast6", 0o444, ipv6::anycast6),
    ("arp", 0o444, ipv4::arp),
    ("arp_tables_matches", 0o440, heading!("")),
    ("arp_tables_names", 0o440, heading!("")),
    ("arp_tables_targets", 0o440, heading!("")),
    ("dev", 0o444, device::dev),
    ("dev_mcast", 0o444, device::dev_mcast),
    ("fib_trie", 0o444, heading!("")),
    ("fib_triestat", 0o444, heading!("")),
    ("icmp", 0o444, sockets::icmp),
    ("icmp6", 0o444, sockets::icmp6),
    ("if_inet6", 0o444, ipv6::if_inet6),
    ("igmp", 0o444, ipv4::igmp),
    ("igmp6", 0o444, ipv6::igmp6),
    ("ip6_flowlabel", 0o444, heading!("Label S Owner  Users  Linger Expires  Dst                              Opt\n")),
    (
        "ip6_mr_cache",
        0o444,
        heading!(
            "Group                            Origin                           Iif      Pkts  Bytes     Wrong  Oifs\n"
        ),
    ),
    ("ip6_mr_vif", 0o444, heading!("Interface      BytesIn  PktsIn  BytesOut PktsOut Flags\n")),
    ("ip6_tables_matches", 0o440, heading!("")),
    ("ip6_tables_names", 0o440, heading!("")),
    ("ip6_tables_targets", 0o440, heading!("")),
    ("ip_mr_cache", 0o444, heading!("Group    Origin   Iif     Pkts    Bytes    Wrong Oifs\n")),
    ("ip_mr_vif", 0o444, heading!("Interface      BytesIn  PktsIn  BytesOut PktsOut Flags Local    Remote\n")),
    ("ip_tables_matches", 0o440, heading!("")),
    ("ip_tables_names", 0o440, heading!("")),
    ("ip_tables_targets", 0o440, heading!("")),
    ("ipv6_route", 0o444, ipv6::route),
    ("mcfilter", 0o444, heading!("Idx Device        MCA        SRC    INC    EXC\n")),
    (
        "mcfilter6",
        0o444,
        heading!("Idx Device                Multicast Address                   Source Address    INC    EXC\n"),
    ),
    ("netlink", 0o444, sockets::netlink),
    ("netstat", 0o444, ipv4::netstat),
    ("nf_conntrack", 0o440, heading!("")),
    ("nf_conntrack_expect", 0o440, heading!("")),
    ("packet", 0o444, sockets::packet),
    ("protocols", 0o444, heading!("")),
    ("psched", 0o444, heading!("000003e8 00000040 000f4240 3b9aca00\n")),
    ("ptype", 0o444, device::ptype),
    ("raw", 0o444, sockets::raw),
    ("raw6", 0o444, sockets::raw6),
    ("route", 0o444, ipv4::route),
    ("rt6_stats", 0o444, heading!("")),
    ("rt_acct", 0o444, heading!("")),
    (
        "rt_cache",
        0o444,
        heading!(
            "Iface\tDestination\tGateway \tFlags\t\tRefCnt\tUse\tMetric\tSource\t\tMTU\tWindow\tIRTT\tTOS\tHHRef\tHHUptod\tSpecDst                          \n"
        ),
    ),
    ("snmp", 0o444, ipv4::snmp),
    ("snmp6", 0o444, ipv6::snmp6),
    ("sockstat", 0o444, sockets::sockstat),
    ("sockstat6", 0o444, sockets::sockstat6),
    ("softnet_stat", 0o444, heading!("")),
    ("tcp", 0o444, sockets::tcp),
    ("tcp6", 0o444, sockets::tcp6),
    ("udp", 0o444, sockets::udp),
    ("udp6", 0o444, sockets::udp6),
    ("udplite", 0o444, sockets::udp),
    ("udplite6", 0o444, sockets::udp6),
    ("unix", 0o444, heading!("Num       RefCount Protocol Flags    Type St Inode Path\n")),
    ("xfrm_stat", 0o444, heading!("")),
];

/// The directories among them.
const DIRECTORIES: &[(&str, &[(&str, Table)])] = &[
    ("dev_snmp6", &[]),
    ("ip6t_hashlimit", &[]),
    ("ipt_hashlimit", &[]),
    ("netfilter", &[]),
    ("stat", &[]),
    ("xt_recent", &[]),
];

/// The item at these components below `/proc/net`.
pub(super) fn find(parts: &[&str]) -> Result<Item, Errno> {
    match parts {
        [] => Ok(Item::Root),
        [name] => {
            if let Some((_, mode, table)) = FILES.iter().find(|(known, ..)| known == name) {
                return Ok(Item::File(*table, *mode));
            }
            DIRECTORIES
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, files)| Item::Directory(files))
                .ok_or(Errno::ENOENT)
        }
        _ => Err(Errno::ENOENT),
    }
}

impl Item {
    pub(super) fn node(&self) -> Node {
        match self {
            Item::Root | Item::Directory(_) => READ_ONLY_DIRECTORY,
            Item::File(_, mode) => file(*mode),
        }
    }

    pub(super) fn read(&self, kernel: &Kernel, ns: NsId) -> Result<Vec<u8>, Errno> {
        match self {
            Item::File(table, _) => Ok(table(kernel, ns).into_bytes()),
            _ => Err(Errno::EISDIR),
        }
    }

    pub(super) fn entries(&self) -> Result<Vec<(String, Node)>, Errno> {
        match self {
            Item::Root => {
                let files = FILES.iter().map(|(name, mode, _)| ((*name).to_owned(), file(*mode)));
                let directories = DIRECTORIES.iter().map(|(name, _)| ((*name).to_owned(), READ_ONLY_DIRECTORY));
                let mut entries: Vec<_> = files.chain(directories).collect();
                entries.sort_by(|a, b| a.0.cmp(&b.0));
                Ok(entries)
            }
            Item::Directory(files) => Ok(files.iter().map(|(name, _)| ((*name).to_owned(), file(0o444))).collect()),
            Item::File(..) => Err(Errno::ENOTDIR),
        }
    }
}

/// Text built line by line.
fn text(build: impl FnOnce(&mut String) -> std::fmt::Result) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = build(&mut text);
    text
}
