//! Telling the routers which groups this host is in (MLDv2, RFC 3810).

use std::net::Ipv6Addr;
use std::time::Duration;

use super::output::{Link, send_on_link};
use super::{Conf, Job, addr, groups};
use crate::Kernel;
use crate::netdev::DevFlags;
use crate::types::DevId;

/// Where reports go.
const ALL_MLDV2_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x16);
/// Version 2 multicast listener report.
const REPORT: u8 = 143;
/// Records: a group is listened to from now on, or no longer.
const TO_INCLUDE: u8 = 3;
const TO_EXCLUDE: u8 = 4;
/// How often a change is reported: the robustness variable.
const ROBUSTNESS: u8 = 2;
/// How long changes are gathered: those of commands that follow each other go into one report.
const GATHERING: Duration = Duration::from_millis(40);
/// How many records one report has at most; what is more waits for the next.
const RECORDS: usize = 64;

/// A change that is still to be told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    group: Ipv6Addr,
    record: u8,
    left: u8,
}

/// A device has joined a group, or left it.
pub(super) fn changed(kernel: &mut Kernel, dev: DevId, group: Ipv6Addr, joined: bool) {
    let Some(device) = kernel.devices.get_mut(dev) else { return };
    if device.flags.contains(DevFlags::LOOPBACK) || !device.is_up() {
        return;
    }
    let ns = device.ns;
    let Some(interface) = device.ipv6.as_mut() else { return };
    interface.changes.retain(|change| change.group != group);
    let record = if joined { TO_EXCLUDE } else { TO_INCLUDE };
    interface.changes.push(Change { group, record, left: ROBUSTNESS });
    let soon = kernel.now + GATHERING;
    super::schedule(kernel, ns, soon, Job::Report(dev));
}

/// Somewhere within the time in which unasked reports are spread.
fn spread(kernel: &mut Kernel, dev: DevId) -> Duration {
    let most = kernel.conf6(dev, Conf::Mldv2UnsolicitedReportInterval).max(1) as u64;
    Duration::from_millis(kernel.rng.u64(0..most) + 10)
}

/// Reports what has changed; once more after a while.
pub(super) fn report(kernel: &mut Kernel, dev: DevId) {
    let Some(device) = kernel.devices.get_mut(dev) else { return };
    let ns = device.ns;
    let Some(interface) = device.ipv6.as_mut() else { return };
    let mut records = Vec::new();
    for change in interface.changes.iter_mut().take(RECORDS) {
        records.push((change.record, change.group));
        change.left -= 1;
    }
    let unfinished = interface.changes.len() > RECORDS;
    interface.changes.retain(|change| change.left > 0);
    if unfinished {
        let seen = records.len().min(interface.changes.len());
        interface.changes.rotate_left(seen);
    }
    let again = !interface.changes.is_empty();
    send(kernel, dev, &records);
    if again {
        let then = kernel.now + spread(kernel, dev);
        super::schedule(kernel, ns, then, Job::Report(dev));
    }
}

/// The device has got an address to report from: all its groups are told, twice.
pub(super) fn address_ready(kernel: &mut Kernel, dev: DevId) {
    report_all(kernel, dev);
    let Some(ns) = kernel.devices.get(dev).map(|device| device.ns) else { return };
    let then = kernel.now + spread(kernel, dev);
    super::schedule(kernel, ns, then, Job::ReportAll(dev));
}

/// Reports every group.
pub(super) fn report_all(kernel: &mut Kernel, dev: DevId) {
    let reported = groups::groups(kernel, dev).iter().filter(|group| group.is_reported());
    let records: Vec<(u8, Ipv6Addr)> = reported.map(|group| (TO_EXCLUDE, group.address)).collect();
    for records in records.chunks(RECORDS) {
        send(kernel, dev, records);
    }
}

fn send(kernel: &mut Kernel, dev: DevId, records: &[(u8, Ipv6Addr)]) {
    if records.is_empty() {
        return;
    }
    let mut message = vec![REPORT, 0, 0, 0, 0, 0];
    message.extend((records.len() as u16).to_be_bytes());
    for (record, group) in records {
        message.extend([*record, 0, 0, 0]);
        message.extend(group.octets());
    }
    let source = addr::link_local(kernel, dev, false).unwrap_or(Ipv6Addr::UNSPECIFIED);
    let to = Link { dev, source, destination: ALL_MLDV2_ROUTERS, hop_limit: 1, router_alert: true };
    send_on_link(kernel, &to, &message);
}
