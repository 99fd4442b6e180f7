//! A device's counters (`struct rtnl_link_stats64`).

use super::Device;

/// What every frame counts in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    rx_packets: u64,
    rx_bytes: u64,
    tx_packets: u64,
    tx_bytes: u64,
}

impl Traffic {
    /// Frames came in.
    #[inline(always)]
    pub(crate) fn received(&mut self, packets: usize, bytes: usize) {
        self.rx_packets += packets as u64;
        self.rx_bytes += bytes as u64;
    }

    /// Frames went out.
    #[inline(always)]
    pub(crate) fn sent(&mut self, packets: usize, bytes: usize) {
        self.tx_packets += packets as u64;
        self.tx_bytes += bytes as u64;
    }
}

/// What few frames count in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Incidents {
    pub(crate) rx_dropped: u64,
    pub(crate) tx_dropped: u64,
    pub(crate) rx_errors: u64,
    pub(crate) tx_errors: u64,
    pub(crate) multicast: u64,
    /// Received for somebody else and dropped by the IP layer.
    pub(crate) rx_otherhost_dropped: u64,
    pub(crate) rx_nohandler: u64,
}

/// All of a device's counters. Those that no driver here can ever raise are shown as 0 and not kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stats {
    pub(crate) rx_packets: u64,
    pub(crate) rx_bytes: u64,
    pub(crate) tx_packets: u64,
    pub(crate) tx_bytes: u64,
    pub(crate) rx_dropped: u64,
    pub(crate) tx_dropped: u64,
    pub(crate) rx_errors: u64,
    pub(crate) tx_errors: u64,
    pub(crate) multicast: u64,
    pub(crate) rx_otherhost_dropped: u64,
    pub(crate) rx_nohandler: u64,
}

impl Device {
    /// Its counters.
    pub(crate) fn stats(&self) -> Stats {
        let Traffic { rx_packets, rx_bytes, tx_packets, tx_bytes } = self.traffic;
        let Incidents { rx_dropped, tx_dropped, rx_errors, tx_errors, multicast, rx_otherhost_dropped, rx_nohandler } =
            self.info.incidents;
        Stats {
            rx_packets,
            rx_bytes,
            tx_packets,
            tx_bytes,
            rx_dropped,
            tx_dropped,
            rx_errors,
            tx_errors,
            multicast,
            rx_otherhost_dropped,
            rx_nohandler,
        }
    }
}

impl Stats {
    /// The 25 fields of `struct rtnl_link_stats64`, in its order.
    pub(crate) fn as_stats64(&self) -> [u64; 25] {
        let mut fields = [0; 25];
        fields[..9].copy_from_slice(&[
            self.rx_packets,
            self.tx_packets,
            self.rx_bytes,
            self.tx_bytes,
            self.rx_errors,
            self.tx_errors,
            self.rx_dropped,
            self.tx_dropped,
            self.multicast,
        ]);
        fields[23] = self.rx_nohandler;
        fields[24] = self.rx_otherhost_dropped;
        fields
    }
}
