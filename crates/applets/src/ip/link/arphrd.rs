//! The names of link types (`ARPHRD_*`), as in `link/ether`.

const NAMES: &[(u16, &str)] = &[
    (libc::ARPHRD_NETROM, "netrom"),
    (libc::ARPHRD_ETHER, "ether"),
    (libc::ARPHRD_EETHER, "eether"),
    (libc::ARPHRD_AX25, "ax25"),
    (libc::ARPHRD_IEEE802, "ieee802"),
    (libc::ARPHRD_ARCNET, "arcnet"),
    (libc::ARPHRD_ATM, "atm"),
    (libc::ARPHRD_IEEE1394, "ieee1394"),
    (libc::ARPHRD_INFINIBAND, "infiniband"),
    (libc::ARPHRD_SLIP, "slip"),
    (libc::ARPHRD_PPP, "ppp"),
    (libc::ARPHRD_TUNNEL, "ipip"),
    (libc::ARPHRD_TUNNEL6, "tunnel6"),
    (libc::ARPHRD_LOOPBACK, "loopback"),
    (libc::ARPHRD_SIT, "sit"),
    (libc::ARPHRD_IPGRE, "gre"),
    (libc::ARPHRD_IEEE80211, "ieee802.11"),
    (libc::ARPHRD_IEEE80211_PRISM, "ieee802.11/prism"),
    (libc::ARPHRD_IEEE80211_RADIOTAP, "ieee802.11/radiotap"),
    (823, "gre6"),
    (824, "netlink"),
    (280, "can"),
    (519, "rawip"),
    (libc::ARPHRD_NONE, "none"),
    (libc::ARPHRD_VOID, "void"),
];

/// A link type's name; `[N]` where it has none, or names are not wanted.
pub(crate) fn name(kind: u16, numeric: bool) -> String {
    match NAMES.iter().find(|(number, _)| *number == kind) {
        Some((_, name)) if !numeric => (*name).to_owned(),
        _ => format!("[{kind}]"),
    }
}
