//! A captured frame.

use std::time::Duration;

/// What a frame begins with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Link {
    /// An Ethernet header.
    #[default]
    Ethernet,
    /// The header of `-i any`: LINKTYPE_LINUX_SLL2.
    Cooked,
}

impl Link {
    /// Its number in a pcap file.
    pub(super) fn number(self) -> u32 {
        match self {
            Link::Ethernet => 1,
            Link::Cooked => 276,
        }
    }

    pub(super) fn from_number(number: u32) -> Option<Link> {
        [Link::Ethernet, Link::Cooked].into_iter().find(|link| link.number() == number)
    }

    pub(super) fn description(self) -> &'static str {
        match self {
            Link::Ethernet => "EN10MB (Ethernet)",
            Link::Cooked => "LINUX_SLL2 (Linux cooked v2)",
        }
    }
}

/// A frame, or as much of it as was kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Frame {
    /// Since 1970.
    pub(super) time: Duration,
    pub(super) data: Vec<u8>,
    /// On the wire.
    pub(super) length: usize,
    pub(super) link: Link,
}
