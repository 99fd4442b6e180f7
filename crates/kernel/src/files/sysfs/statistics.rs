//! `statistics/`: a device's counters, one a file.

use crate::netdev::Stats;

/// In alphabetical order.
pub(super) const NAMES: &[&str] = &[
    "collisions",
    "multicast",
    "rx_bytes",
    "rx_compressed",
    "rx_crc_errors",
    "rx_dropped",
    "rx_errors",
    "rx_fifo_errors",
    "rx_frame_errors",
    "rx_length_errors",
    "rx_missed_errors",
    "rx_nohandler",
    "rx_over_errors",
    "rx_packets",
    "tx_aborted_errors",
    "tx_bytes",
    "tx_carrier_errors",
    "tx_compressed",
    "tx_dropped",
    "tx_errors",
    "tx_fifo_errors",
    "tx_heartbeat_errors",
    "tx_packets",
    "tx_window_errors",
];

/// The file of that name.
pub(super) fn name(name: &str) -> Option<&'static str> {
    NAMES.iter().copied().find(|known| *known == name)
}

/// Its number. Those that no virtual device can raise are 0.
pub(super) fn value(stats: &Stats, name: &str) -> u64 {
    match name {
        "multicast" => stats.multicast,
        "rx_bytes" => stats.rx_bytes,
        "rx_dropped" => stats.rx_dropped,
        "rx_errors" => stats.rx_errors,
        "rx_nohandler" => stats.rx_nohandler,
        "rx_packets" => stats.rx_packets,
        "tx_bytes" => stats.tx_bytes,
        "tx_dropped" => stats.tx_dropped,
        "tx_errors" => stats.tx_errors,
        "tx_packets" => stats.tx_packets,
        _ => 0,
    }
}
