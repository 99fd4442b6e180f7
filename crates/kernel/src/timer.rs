//! Deadlines, on the caller's clock.

use std::collections::BTreeMap;

use crate::types::{DevId, Instant, NsId};

/// What is to be done at a deadline: one variant for each thing that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// The bridge's garbage collection of aged FDB entries.
    BridgeAgeing(DevId),
    /// A bridge timer of the spanning tree or of multicast; `what` is the bridge's own number for it.
    Bridge { bridge: DevId, what: u32 },
    /// A neighbour entry's next step; `entry` is the table's own number for it.
    Neighbour { ns: NsId, entry: u64 },
    /// An IPv4 address' lifetimes, a reassembly queue, a route exception …; `what` is IPv4's own number for it.
    Ipv4 { ns: NsId, what: u64 },
    /// Duplicate address detection, router solicitations, MLD reports …; `what` is IPv6's own number for it.
    Ipv6 { ns: NsId, what: u64 },
}

/// Names a timer that was set, to cancel it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TimerId(Instant, u64);

impl TimerId {
    /// When it fires.
    pub(crate) fn deadline(self) -> Instant {
        self.0
    }
}

/// Every timer that is set, by deadline and then in the order in which they were set.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    queue: BTreeMap<TimerId, Timer>,
    next: u64,
}

impl Timers {
    /// Sets a timer; it fires once.
    pub(crate) fn set(&mut self, deadline: Instant, timer: Timer) -> TimerId {
        let id = TimerId(deadline, self.next);
        self.next += 1;
        self.queue.insert(id, timer);
        id
    }

    /// Takes a timer back; whether it had not fired yet.
    pub(crate) fn cancel(&mut self, id: TimerId) -> bool {
        self.queue.remove(&id).is_some()
    }

    /// The first deadline.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.queue.first_key_value().map(|(id, _)| id.0)
    }

    /// The first timer that is due, with its deadline.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<(Instant, Timer)> {
        let first = self.queue.first_entry()?;
        if first.key().0 > now {
            return None;
        }
        let (id, timer) = first.remove_entry();
        Some((id.0, timer))
    }
}
