//! Port states (IEEE 802.1D, 8.4): who may learn and forward, and the way from blocking to forwarding.

use std::time::Duration;

use super::parameters::Stp;
use super::{Bridge, ageing, carrier, learning, timer_number};
use crate::Kernel;
use crate::error::{Errno, Result};
use crate::netdev::{DevFlags, Device, OperState, PortRef};
use crate::timer::Timer;
use crate::types::DevId;

/// `BR_STATE_…`, with Linux's numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum PortState {
    #[default]
    Disabled = 0,
    Listening = 1,
    Learning = 2,
    Forwarding = 3,
    Blocking = 4,
}

impl PortState {
    /// The state with that number.
    pub(crate) fn from_number(number: u8) -> Option<PortState> {
        use PortState::*;
        [Disabled, Listening, Learning, Forwarding, Blocking].get(usize::from(number)).copied()
    }

    fn name(self) -> &'static str {
        match self {
            PortState::Disabled => "disabled",
            PortState::Listening => "listening",
            PortState::Learning => "learning",
            PortState::Forwarding => "forwarding",
            PortState::Blocking => "blocking",
        }
    }

    /// Whether frames come in at all.
    #[inline]
    pub(super) fn receives(self) -> bool {
        matches!(self, PortState::Learning | PortState::Forwarding)
    }
}

/// Hundredths of a second as a duration.
pub(super) fn centiseconds(time: u32) -> Duration {
    Duration::from_millis(u64::from(time) * 10)
}

/// Whether a device could carry frames.
pub(super) fn has_link(device: &Device) -> bool {
    device.is_up_with_carrier() && matches!(device.info.operstate, OperState::Up | OperState::Unknown)
}

/// Whether the bridge's own device is up.
fn bridge_is_up(kernel: &Kernel, bridge: DevId) -> bool {
    kernel.devices.get(bridge).is_some_and(Device::is_up)
}

/// What the log calls a port.
pub(super) fn port_name(kernel: &Kernel, bridge: DevId, number: u16) -> String {
    let port = kernel.bridge(bridge).and_then(|it| it.port(number));
    match (kernel.devices.get(bridge), port.and_then(|port| kernel.devices.get(port.dev))) {
        (Some(device), Some(port)) => format!("{}: port {number}({})", device.name, port.name),
        _ => String::new(),
    }
}

/// Gives a port another state, and says so.
pub(super) fn set(kernel: &mut Kernel, bridge: DevId, number: u16, state: PortState) {
    let Some(it) = kernel.bridge_mut(bridge) else { return };
    let Some(port) = it.port_mut(number) else { return };
    let old = std::mem::replace(&mut port.state, state);
    if old != state && [old, state].contains(&PortState::Forwarding) {
        it.list_forwarding();
    }
    let name = port_name(kernel, bridge, number);
    kernel.info(format!("{name} entered {} state", state.name()));
}

impl Bridge {
    /// Brings the list of forwarding ports up to date.
    pub(super) fn list_forwarding(&mut self) {
        let mut forwarding = std::mem::take(&mut self.forwarding);
        forwarding.clear();
        forwarding
            .extend(self.members().filter(|(_, port)| port.state == PortState::Forwarding).map(|(number, _)| number));
        self.forwarding = forwarding;
    }
}

/// Decides what every port that isn't disabled should do, and whether the bridge has a carrier.
pub(super) fn select(kernel: &mut Kernel, bridge: DevId) {
    let Some(it) = kernel.bridge(bridge) else { return };
    let blocking: Vec<u16> =
        it.members().filter(|(_, port)| port.state == PortState::Blocking).map(|(number, _)| number).collect();
    for number in blocking {
        start_forwarding(kernel, bridge, number);
    }
    carrier::follow(kernel, bridge);
}

/// A blocking port sets out for forwarding: at once without a spanning tree, else by way of listening and learning.
fn start_forwarding(kernel: &mut Kernel, bridge: DevId, number: u16) {
    let Some(it) = kernel.bridge(bridge) else { return };
    let (stp, delay) = (it.parameters.stp, it.parameters.forward_delay);
    if stp == Stp::Off || delay == 0 {
        set(kernel, bridge, number, PortState::Forwarding);
        topology_changed(kernel, bridge);
    } else {
        set(kernel, bridge, number, PortState::Listening);
    }
    notify(kernel, bridge, number);
    if delay != 0 {
        arm_forward_delay(kernel, bridge, number);
    }
}

/// Tells the listeners of a port's new state.
pub(super) fn notify(kernel: &mut Kernel, bridge: DevId, number: u16) {
    if let Some(dev) = kernel.bridge(bridge).and_then(|it| it.port(number)).map(|port| port.dev) {
        kernel.notify_bridge_port(dev);
    }
}

fn arm_forward_delay(kernel: &mut Kernel, bridge: DevId, number: u16) {
    let Some(it) = kernel.bridge(bridge) else { return };
    let deadline = kernel.now + centiseconds(it.parameters.forward_delay);
    let what = timer_number::of_port(number, timer_number::FORWARD_DELAY);
    let id = kernel.timers.set(deadline, Timer::Bridge { bridge, what });
    let old = kernel.bridge_mut(bridge).and_then(|it| it.port_mut(number)?.info.forward_delay_timer.replace(id));
    if let Some(old) = old {
        kernel.timers.cancel(old);
    }
}

/// One of the timers of the bridge or of a port is due.
pub(super) fn timer(kernel: &mut Kernel, bridge: DevId, what: u32) {
    let Some(it) = kernel.bridge_mut(bridge) else { return };
    match (what >> 2, what & 3) {
        (0, timer_number::HELLO) => {
            it.timers.hello = None;
            arm_hello(kernel, bridge);
        }
        (0, timer_number::TOPOLOGY_CHANGE) => {
            it.timers.topology_change = None;
            set_topology_change(kernel, bridge, false);
        }
        (0, _) => {}
        (number, _) => forward_delay_over(kernel, bridge, number as u16),
    }
}

fn forward_delay_over(kernel: &mut Kernel, bridge: DevId, number: u16) {
    let Some(port) = kernel.bridge_mut(bridge).and_then(|it| it.port_mut(number)) else { return };
    port.info.forward_delay_timer = None;
    match port.state {
        PortState::Listening => {
            set(kernel, bridge, number, PortState::Learning);
            arm_forward_delay(kernel, bridge, number);
            notify(kernel, bridge, number);
        }
        PortState::Learning => {
            set(kernel, bridge, number, PortState::Forwarding);
            topology_changed(kernel, bridge);
            kernel.set_carrier(bridge, true);
            notify(kernel, bridge, number);
        }
        _ => {}
    }
}

/// The tree has changed: addresses age faster until it has settled (IEEE 802.1D, 8.6.14).
fn topology_changed(kernel: &mut Kernel, bridge: DevId) {
    let Some(it) = kernel.bridge(bridge) else { return };
    if it.parameters.stp != Stp::Kernel {
        return;
    }
    let parameters = &it.parameters;
    let deadline = kernel.now + centiseconds(parameters.bridge_forward_delay + parameters.bridge_max_age);
    let name = kernel.log_name(bridge);
    kernel.info(format!("{name}: topology change detected, propagating"));
    let id = kernel.timers.set(deadline, Timer::Bridge { bridge, what: timer_number::TOPOLOGY_CHANGE });
    if let Some(old) = kernel.bridge_mut(bridge).and_then(|it| it.timers.topology_change.replace(id)) {
        kernel.timers.cancel(old);
    }
    set_topology_change(kernel, bridge, true);
}

fn set_topology_change(kernel: &mut Kernel, bridge: DevId, on: bool) {
    let Some(it) = kernel.bridge_mut(bridge) else { return };
    let parameters = &mut it.parameters;
    parameters.topology_change = on;
    parameters.topology_change_detected = on;
    parameters.ageing_time =
        if on { parameters.forward_delay.saturating_mul(2) } else { parameters.bridge_ageing_time };
    it.update_room();
}

fn arm_hello(kernel: &mut Kernel, bridge: DevId) {
    let Some(it) = kernel.bridge(bridge) else { return };
    if it.parameters.stp != Stp::Kernel || !bridge_is_up(kernel, bridge) {
        return;
    }
    let deadline = kernel.now + centiseconds(it.parameters.hello_time);
    let id = kernel.timers.set(deadline, Timer::Bridge { bridge, what: timer_number::HELLO });
    if let Some(old) = kernel.bridge_mut(bridge).and_then(|it| it.timers.hello.replace(id)) {
        kernel.timers.cancel(old);
    }
}

/// The bridge goes up, and with it the ports that have a link.
pub(super) fn enable_bridge(kernel: &mut Kernel, bridge: DevId) {
    arm_hello(kernel, bridge);
    ageing::start(kernel, bridge);
    for (number, dev) in ports(kernel, bridge) {
        if kernel.devices.get(dev).is_some_and(has_link) {
            enable_port(kernel, bridge, number);
        }
    }
}

/// The bridge goes down, and with it its ports.
pub(super) fn disable_bridge(kernel: &mut Kernel, bridge: DevId) {
    for (number, _) in ports(kernel, bridge) {
        if kernel.bridge(bridge).and_then(|it| it.port(number)).is_some_and(|port| port.state != PortState::Disabled) {
            disable_port(kernel, bridge, number);
        }
    }
    ageing::stop(kernel, bridge);
    let Some(it) = kernel.bridge_mut(bridge) else { return };
    let timers = &mut it.timers;
    let stopped = [timers.hello.take(), timers.topology_change.take(), timers.topology_change_notification.take()];
    for id in stopped.into_iter().flatten() {
        kernel.timers.cancel(id);
    }
    set_topology_change(kernel, bridge, false);
}

fn ports(kernel: &Kernel, bridge: DevId) -> Vec<(u16, DevId)> {
    let Some(it) = kernel.bridge(bridge) else { return Vec::new() };
    it.members().map(|(number, port)| (number, port.dev)).collect()
}

/// A port that has a link takes part.
pub(super) fn enable_port(kernel: &mut Kernel, bridge: DevId, number: u16) {
    set(kernel, bridge, number, PortState::Blocking);
    select(kernel, bridge);
    notify(kernel, bridge, number);
}

/// A port no longer takes part; what was learned on it is forgotten.
pub(super) fn disable_port(kernel: &mut Kernel, bridge: DevId, number: u16) {
    set(kernel, bridge, number, PortState::Disabled);
    notify(kernel, bridge, number);
    let timer = kernel.bridge_mut(bridge).and_then(|it| it.port_mut(number)?.info.forward_delay_timer.take());
    if let Some(id) = timer {
        kernel.timers.cancel(id);
    }
    learning::flush(kernel, bridge, Some(number));
    select(kernel, bridge);
}

/// A device has become a port.
pub(super) fn port_joined(kernel: &mut Kernel, bridge: DevId, number: u16) {
    let dev = kernel.bridge(bridge).and_then(|it| it.port(number)).map(|port| port.dev);
    let linked = dev.and_then(|dev| kernel.devices.get(dev)).is_some_and(has_link);
    if linked && bridge_is_up(kernel, bridge) {
        enable_port(kernel, bridge, number);
    }
    notify(kernel, bridge, number);
}

/// A port's device went up. Whether that changed the port.
pub(super) fn port_up(kernel: &mut Kernel, dev: DevId, member: PortRef) -> bool {
    if bridge_is_up(kernel, member.bridge)
        && kernel.devices.get(dev).is_some_and(has_link)
        && kernel.bridge_port(dev).is_some_and(|port| port.state == PortState::Disabled)
    {
        enable_port(kernel, member.bridge, member.number);
        return true;
    }
    false
}

/// A port's device went down. Whether that changed the port.
pub(super) fn port_down(kernel: &mut Kernel, member: PortRef) -> bool {
    let up = bridge_is_up(kernel, member.bridge);
    if up {
        disable_port(kernel, member.bridge, member.number);
    }
    up
}

/// A port's link may have come or gone. Whether that changed the port.
pub(super) fn check_link(kernel: &mut Kernel, dev: DevId, member: PortRef) -> bool {
    if !bridge_is_up(kernel, member.bridge) {
        return false;
    }
    let Some(port) = kernel.bridge_port(dev) else { return false };
    match (kernel.devices.get(dev).is_some_and(has_link), port.state) {
        (true, PortState::Disabled) => enable_port(kernel, member.bridge, member.number),
        (true, _) | (false, PortState::Disabled) => return false,
        (false, _) => disable_port(kernel, member.bridge, member.number),
    }
    true
}

/// Sets a port's state by hand. `EBUSY` while the kernel's spanning tree decides, `ENETDOWN` without a link.
pub(super) fn set_by_hand(kernel: &mut Kernel, dev: DevId, state: u8) -> Result<()> {
    let state = PortState::from_number(state).ok_or(Errno::EINVAL)?;
    let device = kernel.devices.get(dev).ok_or(Errno::ENODEV)?;
    let member = device.port.ok_or(Errno::EOPNOTSUPP)?;
    let it = kernel.bridge(member.bridge).ok_or(Errno::EOPNOTSUPP)?;
    if it.parameters.stp == Stp::Kernel {
        return Err(Errno::EBUSY.into());
    }
    if !device.is_up() || (!has_link(device) && state != PortState::Disabled) {
        return Err(Errno::ENETDOWN.into());
    }
    set(kernel, member.bridge, member.number, state);
    select(kernel, member.bridge);
    Ok(())
}

/// Turns the spanning tree on or off. Forwarding ports go on forwarding.
pub(super) fn set_stp(kernel: &mut Kernel, bridge: DevId, on: bool) {
    let Some(it) = kernel.bridge_mut(bridge) else { return };
    let parameters = &mut it.parameters;
    if on == (parameters.stp == Stp::Kernel) {
        return;
    }
    if !on {
        parameters.stp = Stp::Off;
        return;
    }
    parameters.stp = Stp::Kernel;
    parameters.bridge_forward_delay = parameters.bridge_forward_delay.clamp(200, 3000);
    if parameters.is_root() {
        parameters.forward_delay = parameters.bridge_forward_delay;
    }
    if kernel.devices.get(bridge).is_some_and(|device| device.flags.contains(DevFlags::UP)) {
        arm_hello(kernel, bridge);
        select(kernel, bridge);
    }
}
