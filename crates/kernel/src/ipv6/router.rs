//! Asking for routers (RFC 4861, 6.3.7), again and again at growing intervals (RFC 7559).

use std::time::Duration;

use super::output::{Link, send_on_link};
use super::{Conf, Job, addr, groups};
use crate::Kernel;
use crate::types::DevId;

/// Router solicitation.
const SOLICITATION: u8 = 133;
/// The option with the sender's address on the link.
const SOURCE_ADDRESS: u8 = 1;

/// How far asking has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Solicitations {
    sent: i32,
    interval: Duration,
}

/// Begins, if the device listens to routers at all.
pub(super) fn start(kernel: &mut Kernel, dev: DevId) {
    let accepts = kernel.conf6(dev, Conf::AcceptRa);
    let listens = if kernel.conf6(dev, Conf::Forwarding) != 0 { accepts == 2 } else { accepts != 0 };
    if !listens || kernel.conf6(dev, Conf::RouterSolicitations) == 0 {
        return;
    }
    let first = Duration::from_secs(kernel.conf6(dev, Conf::RouterSolicitationInterval).max(1) as u64);
    let interval = jitter(kernel, first);
    if let Some(interface) = kernel.devices.get_mut(dev).and_then(|device| device.ipv6.as_mut()) {
        interface.solicitations = Some(Solicitations { sent: 1, interval });
    }
    send(kernel, dev);
    wait(kernel, dev, interval);
}

/// Ten per cent less or more.
fn jitter(kernel: &mut Kernel, time: Duration) -> Duration {
    let tenth = (time.as_millis() as u64 / 10).max(1);
    Duration::from_millis(time.as_millis() as u64 - tenth + kernel.rng.u64(0..2 * tenth))
}

fn wait(kernel: &mut Kernel, dev: DevId, interval: Duration) {
    let Some(ns) = kernel.devices.get(dev).map(|device| device.ns) else { return };
    let then = kernel.now + interval;
    super::schedule(kernel, ns, then, Job::Solicit(dev));
}

/// Asks once more, unless often enough.
pub(super) fn solicit(kernel: &mut Kernel, dev: DevId) {
    let most = kernel.conf6(dev, Conf::RouterSolicitations);
    let longest = Duration::from_secs(kernel.conf6(dev, Conf::RouterSolicitationMaxInterval).max(1) as u64);
    let interface = kernel.devices.get_mut(dev).and_then(|device| device.ipv6.as_mut());
    let Some(state) = interface.and_then(|interface| interface.solicitations.as_mut()) else { return };
    if most >= 0 && state.sent >= most {
        return;
    }
    state.sent = state.sent.saturating_add(1);
    let doubled = (state.interval * 2).min(longest);
    let interval = jitter(kernel, doubled);
    let interface = kernel.devices.get_mut(dev).and_then(|device| device.ipv6.as_mut());
    if let Some(state) = interface.and_then(|interface| interface.solicitations.as_mut()) {
        state.interval = interval;
    }
    send(kernel, dev);
    wait(kernel, dev, interval);
}

fn send(kernel: &mut Kernel, dev: DevId) {
    let Some(source) = addr::link_local(kernel, dev, false) else { return };
    let Some(mac) = kernel.devices.get(dev).map(|device| device.address) else { return };
    let mut message = vec![SOLICITATION, 0, 0, 0, 0, 0, 0, 0, SOURCE_ADDRESS, 1];
    message.extend(mac.0);
    let to = Link { dev, source, destination: groups::ALL_ROUTERS, hop_limit: 255, router_alert: false };
    send_on_link(kernel, &to, &message);
}
