//! Why a frame died: one counted enum, in the names of Linux's `skb_drop_reason`.

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Why a frame died.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum DropReason { $($(#[$doc])* $name),* }

        impl DropReason {
            /// Every reason, in order.
            pub const ALL: &'static [DropReason] = &[$(DropReason::$name),*];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self { $(DropReason::$name => stringify!($name)),* }
            }
        }
    };
}

reasons! {
    /// The device is down.
    DevReady,
    /// The peer of a veth is down or gone.
    PeerDown,
    /// A queue without a carrier takes nothing.
    QdiscDrop,
    /// Longer than the receiving device takes.
    PacketTooBig,
    /// Shorter than its headers say.
    PacketTooSmall,
    /// Nobody handles this EtherType or protocol.
    UnhandledProto,
    /// Meant for another host.
    OtherHost,
    /// The queue of frames to be received is full.
    CpuBacklog,
    /// A bridge port that neither learns nor forwards.
    BridgePortDisabled,
    /// A bridge may not take this source address.
    BridgeInvalidSource,
    /// Every port a bridge could send it to is the one it came from, or refuses it.
    BridgeNoEgress,
    /// An address in the range that bridges don't forward (IEEE 802.1D, 7.12.6).
    BridgeLinkLocal,
    /// The source is not known on a locked port.
    BridgeLocked,
    /// No route to its destination.
    IpNoRoute,
    /// The source address can't have come this way.
    IpRpFilter,
    /// A header field that can't be.
    IpInvalidHeader,
    /// The checksum is wrong.
    IpChecksum,
    /// Time to live used up.
    IpTtlExceeded,
    /// A destination or source address that may not be here.
    IpInvalidAddress,
    /// Fragments that never became a packet.
    FragReasmTimeout,
    /// The neighbour didn't answer.
    NeighFailed,
    /// The neighbour's queue is full.
    NeighQueueFull,
    /// An ARP or neighbour-discovery packet that asks nothing of us.
    ArpNotForUs,
    /// The socket's receive buffer is full.
    SocketRcvbuff,
    /// No socket wants it.
    NoSocket,
    /// Taken in: the end of every frame that reached its receiver.
    Consumed,
}

/// How many frames died of each reason.
#[derive(Clone, Debug)]
pub struct DropCounts([u64; DropReason::ALL.len()]);

impl Default for DropCounts {
    fn default() -> DropCounts {
        DropCounts([0; DropReason::ALL.len()])
    }
}

impl DropCounts {
    #[inline]
    pub(crate) fn count(&mut self, reason: DropReason) {
        self.count_many(reason, 1);
    }

    #[inline]
    pub(crate) fn count_many(&mut self, reason: DropReason, frames: usize) {
        self.0[reason as usize] += frames as u64;
    }

    /// How many died of it.
    pub fn get(&self, reason: DropReason) -> u64 {
        self.0[reason as usize]
    }
}
