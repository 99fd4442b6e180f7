//! The settings of a neighbour table: how long an address is believed, how often and how it is asked for.

use std::time::Duration;

/// `/proc/sys/net/ipv4/neigh/DEV` and its like in IPv6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Params {
    /// How long an answer is believed is a random time around this, in milliseconds.
    pub(crate) base_reachable_time_ms: i32,
    /// Between two probes, in milliseconds.
    pub(crate) retrans_time_ms: i32,
    /// Seconds to wait for upper layers to confirm before asking.
    pub(crate) delay_first_probe_time: i32,
    /// Seconds after which an unused entry may be collected.
    pub(crate) gc_stale_time: i32,
    pub(crate) ucast_solicit: i32,
    pub(crate) mcast_solicit: i32,
    pub(crate) mcast_resolicit: i32,
    pub(crate) app_solicit: i32,
    /// How many bytes of packets may wait for an answer.
    pub(crate) unres_qlen_bytes: i32,
    pub(crate) proxy_qlen: i32,
    /// In hundredths of a second, as `locktime` and `anycast_delay`.
    pub(crate) proxy_delay: i32,
    pub(crate) locktime: i32,
    pub(crate) anycast_delay: i32,
    pub(crate) interval_probe_time_ms: i32,
}

impl Params {
    /// What ARP's table starts with.
    pub(crate) const ARP: Params = Params {
        base_reachable_time_ms: 30_000,
        retrans_time_ms: 1_000,
        delay_first_probe_time: 5,
        gc_stale_time: 60,
        ucast_solicit: 3,
        mcast_solicit: 3,
        mcast_resolicit: 0,
        app_solicit: 0,
        unres_qlen_bytes: 212_992,
        proxy_qlen: 64,
        proxy_delay: 80,
        locktime: 100,
        anycast_delay: 100,
        interval_probe_time_ms: 5_000,
    };

    /// What neighbour discovery's table starts with.
    pub(crate) const NDISC: Params = Params { locktime: 0, ..Params::ARP };

    fn fields(&self) -> [(&'static str, i32); 15] {
        [
            ("anycast_delay", self.anycast_delay),
            ("app_solicit", self.app_solicit),
            ("base_reachable_time_ms", self.base_reachable_time_ms),
            ("delay_first_probe_time", self.delay_first_probe_time),
            ("gc_stale_time", self.gc_stale_time),
            ("interval_probe_time_ms", self.interval_probe_time_ms),
            ("locktime", self.locktime),
            ("mcast_resolicit", self.mcast_resolicit),
            ("mcast_solicit", self.mcast_solicit),
            ("proxy_delay", self.proxy_delay),
            ("proxy_qlen", self.proxy_qlen),
            ("retrans_time_ms", self.retrans_time_ms),
            ("ucast_solicit", self.ucast_solicit),
            ("unres_qlen", self.unres_qlen_bytes / 2_096),
            ("unres_qlen_bytes", self.unres_qlen_bytes),
        ]
    }

    /// The files' names, in order.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        Params::ARP.fields().into_iter().map(|(name, _)| name)
    }

    /// A setting by its file's name; `base_reachable_time` and `retrans_time` in their old units too.
    pub(crate) fn get(&self, name: &str) -> Option<i32> {
        match name {
            "base_reachable_time" => Some(self.base_reachable_time_ms / 1_000),
            "retrans_time" => Some(self.retrans_time_ms / 10),
            _ => self.fields().into_iter().find(|(field, _)| *field == name).map(|(_, value)| value),
        }
    }

    /// Whether a setting may have that value.
    pub(crate) fn allows(name: &str, value: i32) -> bool {
        match name {
            // In seconds, and kept in ticks.
            "base_reachable_time" | "delay_first_probe_time" | "gc_stale_time" => {
                (-8_589_934..=8_589_934).contains(&value)
            }
            "interval_probe_time_ms" => value > 0,
            "anycast_delay" | "locktime" | "proxy_delay" | "retrans_time" => true,
            // In packets, and kept in bytes.
            "unres_qlen" => (0..=i32::MAX / 2_096).contains(&value),
            _ => value >= 0,
        }
    }

    /// Changes a setting; whether there is one of that name.
    pub(crate) fn set(&mut self, name: &str, value: i32) -> bool {
        let (field, value) = match name {
            "base_reachable_time" => (&mut self.base_reachable_time_ms, value.saturating_mul(1_000)),
            "base_reachable_time_ms" => (&mut self.base_reachable_time_ms, value),
            "retrans_time" => (&mut self.retrans_time_ms, value.saturating_mul(10)),
            "retrans_time_ms" => (&mut self.retrans_time_ms, value),
            "delay_first_probe_time" => (&mut self.delay_first_probe_time, value),
            "gc_stale_time" => (&mut self.gc_stale_time, value),
            "ucast_solicit" => (&mut self.ucast_solicit, value),
            "mcast_solicit" => (&mut self.mcast_solicit, value),
            "mcast_resolicit" => (&mut self.mcast_resolicit, value),
            "app_solicit" => (&mut self.app_solicit, value),
            "unres_qlen" => (&mut self.unres_qlen_bytes, value.saturating_mul(2_096)),
            "unres_qlen_bytes" => (&mut self.unres_qlen_bytes, value),
            "proxy_qlen" => (&mut self.proxy_qlen, value),
            "proxy_delay" => (&mut self.proxy_delay, value),
            "locktime" => (&mut self.locktime, value),
            "anycast_delay" => (&mut self.anycast_delay, value),
            "interval_probe_time_ms" => (&mut self.interval_probe_time_ms, value),
            _ => return false,
        };
        *field = value;
        true
    }

    /// See `delay_first_probe_time`.
    pub(super) fn delay(&self) -> Duration {
        Duration::from_secs(self.delay_first_probe_time.max(0) as u64)
    }

    /// See `retrans_time_ms`; never less than a tick.
    pub(super) fn retransmit(&self) -> Duration {
        Duration::from_millis(self.retrans_time_ms.max(10) as u64)
    }

    /// See `locktime`.
    pub(super) fn lock(&self) -> Duration {
        Duration::from_millis(self.locktime.max(0) as u64 * 10)
    }

    /// How many probes an entry gets before it has failed.
    pub(super) fn probes(&self, known_before: bool) -> u32 {
        let last = if known_before { self.mcast_resolicit } else { self.mcast_solicit };
        let total = self.ucast_solicit.max(0).saturating_add(self.app_solicit.max(0)).saturating_add(last.max(0));
        total as u32
    }
}
