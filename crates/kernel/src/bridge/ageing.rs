//! Ageing: addresses that have been silent for long enough are forgotten (IEEE 802.1D, 7.9.2).
//!
//! A run removes what is due and plans the next for when the first of the others will be; without any it comes back after the whole
//! ageing time, as Linux's does.

use std::time::Duration;

use super::state::centiseconds;
use super::{Bridge, fdb, learning, ticks};
use crate::Kernel;
use crate::timer::Timer;
use crate::types::DevId;

impl Bridge {
    /// Brings the number of addresses that may be learned into line with the parameters.
    pub(super) fn update_room(&mut self) {
        let wanted = match self.parameters.fdb_max_learned {
            0 => fdb::LEARNED_LIMIT,
            limit => (limit as usize).min(fdb::LEARNED_LIMIT),
        };
        self.room = if self.parameters.hold_time() == 0 { 0 } else { wanted };
    }
}

/// The bridge is up: the first run comes soon.
pub(super) fn start(kernel: &mut Kernel, bridge: DevId) {
    arm(kernel, bridge, Duration::from_millis(100));
}

/// The ageing time has changed: what is due now goes now.
pub(super) fn hurry(kernel: &mut Kernel, bridge: DevId) {
    if kernel.bridge(bridge).is_some_and(|it| it.timers.ageing.is_some()) {
        arm(kernel, bridge, Duration::ZERO);
    }
}

fn arm(kernel: &mut Kernel, bridge: DevId, delay: Duration) {
    let id = kernel.timers.set(kernel.now + delay, Timer::BridgeAgeing(bridge));
    if let Some(old) = kernel.bridge_mut(bridge).and_then(|it| it.timers.ageing.replace(id)) {
        kernel.timers.cancel(old);
    }
}

/// The bridge is down.
pub(super) fn stop(kernel: &mut Kernel, bridge: DevId) {
    if let Some(id) = kernel.bridge_mut(bridge).and_then(|it| it.timers.ageing.take()) {
        kernel.timers.cancel(id);
    }
}

/// One run.
pub(super) fn collect(kernel: &mut Kernel, bridge: DevId) {
    let now = ticks(kernel.now);
    let Some(it) = kernel.bridge_mut(bridge) else { return };
    it.timers.ageing = None;
    let hold = it.parameters.hold_time();
    let due = it.fdb.newest_first(|_, entry| entry.ages() && now.wrapping_sub(entry.updated) >= hold);
    for (key, _) in due {
        learning::forget(kernel, bridge, key);
    }
    let Some(it) = kernel.bridge(bridge) else { return };
    let next = it.fdb.next_expiry(now, hold).unwrap_or(hold).min(hold);
    if next > 0 {
        arm(kernel, bridge, centiseconds(next));
    }
}
