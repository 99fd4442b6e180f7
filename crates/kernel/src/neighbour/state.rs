//! What happens to a neighbour: it is used, asked for, heard of, given up (the state machine of RFC 4861, 7.3, which Linux uses
//! for ARP too).

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use slotmap::Key as _;

use super::table::{NeighId, Neighbour, Place, ntf, nud};
use super::{arp, gc};
use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::error::{Errno, Error, Result};
use crate::frame::Frame;
use crate::ipv4::kind;
use crate::netdev::DevFlags;
use crate::timer::Timer;
use crate::types::{DevId, Instant, MacAddr, NsId};

/// How often the time for which an answer is believed is drawn anew.
const REDRAW: Duration = Duration::from_secs(300);

/// News of a neighbour.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Update {
    /// Its address on the link, where the news has one.
    pub(crate) lladdr: Option<MacAddr>,
    /// The state that follows from it.
    pub(crate) state: u16,
    /// It may replace another address.
    pub(crate) replace: bool,
    /// Where it may not, the entry that was believed is no longer.
    pub(crate) doubt: bool,
    /// Whether the neighbour says that it is a router, if it says anything.
    pub(crate) router: Option<bool>,
    /// An administrator says so.
    pub(crate) admin: bool,
}

impl Update {
    /// Heard from the neighbour itself.
    pub(crate) fn heard(lladdr: Option<MacAddr>, state: u16, replace: bool) -> Update {
        Update { lladdr, state, replace, doubt: false, router: None, admin: false }
    }
}

impl Kernel {
    /// The entry for an address on a device.
    pub(crate) fn neighbour(&self, dev: DevId, address: IpAddr) -> Option<&Neighbour> {
        let tables = &self.namespaces.get(self.devices.get(dev)?.ns)?.neighbours;
        tables.get(tables.find(Place::of(dev, &address))?)
    }

    pub(super) fn neigh(&self, ns: NsId, id: NeighId) -> Option<&Neighbour> {
        self.namespaces.get(ns)?.neighbours.get(id)
    }

    pub(super) fn neigh_mut(&mut self, ns: NsId, id: NeighId) -> Option<&mut Neighbour> {
        self.namespaces.get_mut(ns)?.neighbours.get_mut(id)
    }

    /// How long an answer on a device is believed: a random time between half and one and a half of the setting.
    fn reachable_time(&mut self, ns: NsId, dev: DevId, ipv4: bool) -> Duration {
        let now = self.now;
        let Some(netns) = self.namespaces.get_mut(ns) else { return Duration::ZERO };
        let own = netns.neighbours.own(dev, ipv4);
        match own.reachable.as_deref() {
            Some((time, drawn)) if now.since(*drawn) < REDRAW => *time,
            _ => {
                let base = own.params.base_reachable_time_ms.max(0) as u64;
                let time = Duration::from_millis(base / 2 + if base > 0 { self.rng.u64(0..base) } else { 0 });
                own.reachable = Some(Box::new((time, now)));
                time
            }
        }
    }

    fn set_neigh_timer(&mut self, ns: NsId, id: NeighId, deadline: Option<Instant>) {
        let now = self.now;
        let timer = Timer::Neighbour { ns, entry: id.data().as_ffi() };
        let timer = deadline.map(|deadline| self.timers.set(on_wheel(now, deadline), timer));
        let old = match self.neigh_mut(ns, id) {
            Some(entry) => std::mem::replace(&mut entry.timer, timer),
            None => timer,
        };
        if let Some(old) = old {
            self.timers.cancel(old);
        }
    }
}

/// When Linux' timer wheel fires a timer: ticks of 4 ms, and the farther away the coarser. Probes are seen 1.024 s apart.
fn on_wheel(now: Instant, deadline: Instant) -> Instant {
    const TICK: u64 = 4_000_000;
    let delay = deadline.0.saturating_sub(now.0).div_ceil(TICK);
    let shift = match delay {
        0..63 => 0,
        63..504 => 3,
        504..4_032 => 6,
        _ => 9,
    };
    let tick = ((now.0 / TICK + delay) >> shift) + 1;
    Instant((tick << shift).saturating_mul(TICK))
}

/// How long an answer on a device is believed, and how long to wait for one, in milliseconds.
pub(crate) fn times(kernel: &Kernel, dev: DevId, ipv4: bool) -> (u32, u32) {
    let Some(netns) = kernel.devices.get(dev).and_then(|device| kernel.namespaces.get(device.ns)) else {
        return (0, 0);
    };
    let params = netns.neighbours.params(Some(dev), ipv4);
    let drawn = netns.neighbours.existing(dev, ipv4).and_then(|own| own.reachable.as_deref().copied());
    let reachable = drawn.map_or(params.base_reachable_time_ms.max(0) as u32, |(time, _)| time.as_millis() as u32);
    (reachable, params.retrans_time_ms.max(0) as u32)
}

/// Finds the entry for an address, or makes one. `ENOBUFS` where the table is full.
pub(crate) fn find_or_make(kernel: &mut Kernel, dev: DevId, address: IpAddr) -> Result<(NsId, NeighId), Errno> {
    let device = kernel.devices.get(dev).ok_or(Errno::ENODEV)?;
    let ns = device.ns;
    let address = key(device.flags, address);
    if let Some(id) = kernel.namespaces[ns].neighbours.find(Place::of(dev, &address)) {
        return Ok((ns, id));
    }
    let (kind, fixed) = fixed_address(kernel, dev, address);
    gc::make_room(kernel, ns, address.is_ipv4())?;
    let now = kernel.now;
    let reachable = kernel.reachable_time(ns, dev, address.is_ipv4());
    let tables = &mut kernel.namespaces[ns].neighbours;
    let id = tables.insert(dev, address, now);
    if let Some(entry) = tables.get_mut(id) {
        entry.kind = kind;
        entry.confirmed = now - reachable * 2;
        if let Some(lladdr) = fixed {
            (entry.state, entry.lladdr) = (nud::NOARP, lladdr);
        }
    }
    Ok((ns, id))
}

/// IPv4's neighbours on devices that have but one are all the same.
pub(super) fn key(flags: DevFlags, address: IpAddr) -> IpAddr {
    if address.is_ipv4() && flags.intersects(DevFlags::LOOPBACK | DevFlags::POINTOPOINT) {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED)
    } else {
        address
    }
}

/// What an address is, and its address on the link where nobody has to be asked for it: groups, broadcasts, devices without ARP.
fn fixed_address(kernel: &Kernel, dev: DevId, address: IpAddr) -> (u8, Option<MacAddr>) {
    let Some(device) = kernel.devices.get(dev) else { return (kind::UNICAST, None) };
    let silent = device.flags.intersects(DevFlags::NOARP | DevFlags::LOOPBACK);
    match address {
        IpAddr::V4(address) => match crate::ipv4::address_type(kernel, device.ns, address) {
            kind::MULTICAST => {
                let [_, b, c, d] = address.octets();
                (kind::MULTICAST, Some(MacAddr([0x01, 0x00, 0x5e, b & 0x7f, c, d])))
            }
            kind if silent => (kind, Some(device.address)),
            kind::BROADCAST => (kind::BROADCAST, Some(device.broadcast)),
            kind => (kind, None),
        },
        IpAddr::V6(address) if address.is_multicast() => {
            let [.., a, b, c, d] = address.octets();
            (kind::MULTICAST, Some(MacAddr([0x33, 0x33, a, b, c, d])))
        }
        IpAddr::V6(_) if silent => (kind::UNICAST, Some(device.address)),
        IpAddr::V6(_) => (kind::UNICAST, None),
    }
}

/// Sends a packet to a neighbour whose address isn't known.
pub(super) fn output(kernel: &mut Kernel, dev: DevId, address: IpAddr, frame: Frame) -> Result<(), DropReason> {
    let Ok((ns, id)) = find_or_make(kernel, dev, address) else {
        kernel.drop_frame(frame, DropReason::NeighQueueFull);
        return Err(DropReason::NeighQueueFull);
    };
    let now = kernel.now;
    let Some(entry) = kernel.neigh_mut(ns, id) else { return Err(DropReason::NeighFailed) };
    entry.used = now;
    if entry.state & nud::VALID != 0 {
        let lladdr = entry.lladdr;
        use_now(kernel, ns, id);
        return super::transmit_to(kernel, dev, lladdr, frame);
    }
    let starting = entry.state & nud::INCOMPLETE == 0;
    let limit = kernel.namespaces[ns].neighbours.params(Some(dev), address.is_ipv4()).unres_qlen_bytes.max(0) as usize;
    queue(kernel, ns, id, frame, limit);
    if starting {
        ask(kernel, ns, id);
    }
    Ok(())
}

/// What an entry takes of memory while it waits, as Linux counts it: the buffer and its description.
fn weight(frame: &Frame) -> usize {
    frame.len() + 512
}

fn queue(kernel: &mut Kernel, ns: NsId, id: NeighId, frame: Frame, limit: usize) {
    let mut dropped = Vec::new();
    if let Some(entry) = kernel.neigh_mut(ns, id) {
        // The oldest has to go.
        while entry.waiting_bytes + weight(&frame) > limit {
            let Some(oldest) = entry.waiting.pop_front() else { break };
            entry.waiting_bytes -= weight(&oldest);
            dropped.push(oldest);
        }
        entry.waiting_bytes += weight(&frame);
        entry.waiting.push_back(frame);
    } else {
        dropped.push(frame);
    }
    for frame in dropped {
        kernel.drop_frame(frame, DropReason::NeighQueueFull);
    }
}

/// An entry is used: one that is no longer sure gets its time for a confirmation.
#[cold]
#[inline(never)]
pub(super) fn use_now(kernel: &mut Kernel, ns: NsId, id: NeighId) {
    let now = kernel.now;
    let Some(entry) = kernel.neigh_mut(ns, id) else { return };
    if entry.state != nud::STALE {
        return;
    }
    (entry.state, entry.updated) = (nud::DELAY, now);
    let (dev, ipv4) = (entry.dev, entry.is_ipv4());
    let delay = kernel.namespaces[ns].neighbours.params(Some(dev), ipv4).delay();
    kernel.set_neigh_timer(ns, id, Some(now + delay));
}

/// Starts to ask for an address.
fn ask(kernel: &mut Kernel, ns: NsId, id: NeighId) {
    let now = kernel.now;
    let Some(entry) = kernel.neigh(ns, id) else { return };
    let (dev, ipv4) = (entry.dev, entry.is_ipv4());
    let params = kernel.namespaces[ns].neighbours.params(Some(dev), ipv4);
    let (first, retransmit) = (params.ucast_solicit.max(0) as u32, params.retransmit());
    let hopeless = params.mcast_solicit.max(0) == 0 && params.app_solicit.max(0) == 0;
    let Some(entry) = kernel.neigh_mut(ns, id) else { return };
    entry.updated = now;
    if hopeless {
        entry.state = nud::FAILED;
        give_up(kernel, ns, id);
        return;
    }
    entry.state = nud::INCOMPLETE;
    entry.probes = first;
    kernel.set_neigh_timer(ns, id, Some(now + retransmit));
    probe(kernel, ns, id);
}

/// Asks an entry's address to be resolved, as if a packet were to be sent there (`NTF_USE`).
pub(crate) fn touch(kernel: &mut Kernel, dev: DevId, address: IpAddr) -> Result<(), Errno> {
    let (ns, id) = find_or_make(kernel, dev, address)?;
    match kernel.neigh(ns, id).map(|entry| entry.state) {
        Some(nud::STALE) => use_now(kernel, ns, id),
        Some(nud::NONE | nud::FAILED) => ask(kernel, ns, id),
        _ => {}
    }
    Ok(())
}

fn probe(kernel: &mut Kernel, ns: NsId, id: NeighId) {
    let Some(entry) = kernel.neigh_mut(ns, id) else { return };
    let asked_before = entry.probes;
    entry.probes += 1;
    let (dev, address, lladdr) = (entry.dev, entry.address, entry.lladdr);
    let known = entry.state & nud::VALID != 0;
    let waiting = entry.waiting.front().map(Frame::share);
    let unicasts = kernel.namespaces[ns].neighbours.params(Some(dev), address.is_ipv4()).ucast_solicit.max(0) as u32;
    let to = (asked_before < unicasts && known).then_some(lladdr);
    match address {
        IpAddr::V4(address) => arp::solicit(kernel, dev, address, to, waiting.as_ref()),
        IpAddr::V6(address) => crate::ipv6::solicit(kernel, dev, address, to, waiting.as_ref()),
    }
    if let Some(waiting) = waiting {
        kernel.frames.recycle(waiting);
    }
}

/// An entry's next step is due.
pub(super) fn timer(kernel: &mut Kernel, ns: NsId, id: NeighId) {
    let now = kernel.now;
    let Some(entry) = kernel.neigh_mut(ns, id) else { return };
    entry.timer = None;
    let (dev, ipv4) = (entry.dev, entry.is_ipv4());
    let reachable = kernel.reachable_time(ns, dev, ipv4);
    let params = kernel.namespaces[ns].neighbours.params(Some(dev), ipv4);
    let (delay, retransmit) = (params.delay(), params.retransmit());
    let (most_known, most_unknown) = (params.probes(true), params.probes(false));
    let Some(entry) = kernel.neigh_mut(ns, id) else { return };
    let mut notify = false;
    let next = match entry.state {
        nud::REACHABLE if now < entry.confirmed + reachable => Some(entry.confirmed + reachable),
        nud::REACHABLE if now < entry.used + delay => {
            (entry.state, entry.updated) = (nud::DELAY, now);
            Some(now + delay)
        }
        nud::REACHABLE => {
            (entry.state, entry.updated) = (nud::STALE, now);
            notify = true;
            None
        }
        nud::DELAY if now < entry.confirmed + delay => {
            (entry.state, entry.updated) = (nud::REACHABLE, now);
            notify = true;
            Some(entry.confirmed + reachable)
        }
        nud::DELAY => {
            (entry.state, entry.updated, entry.probes) = (nud::PROBE, now, 0);
            notify = true;
            Some(now + retransmit)
        }
        nud::PROBE | nud::INCOMPLETE => Some(now + retransmit),
        _ => return,
    };
    let most = if entry.state == nud::PROBE { most_known } else { most_unknown };
    let asking = matches!(entry.state, nud::PROBE | nud::INCOMPLETE);
    if asking && entry.probes >= most {
        (entry.state, entry.updated) = (nud::FAILED, now);
        give_up(kernel, ns, id);
        return;
    }
    kernel.set_neigh_timer(ns, id, next);
    if asking {
        probe(kernel, ns, id);
    }
    if notify {
        kernel.notify_neighbour(ns, id, true);
    }
}

/// Nobody answers: the packets that waited are answered instead.
fn give_up(kernel: &mut Kernel, ns: NsId, id: NeighId) {
    kernel.set_neigh_timer(ns, id, None);
    let Some(entry) = kernel.neigh_mut(ns, id) else { return };
    let (dev, ipv4) = (entry.dev, entry.is_ipv4());
    let waiting = std::mem::take(&mut entry.waiting);
    entry.waiting_bytes = 0;
    for frame in waiting {
        if ipv4 {
            crate::ipv4::link_failure(kernel, dev, &frame);
        } else {
            crate::ipv6::link_failure(kernel, dev, &frame);
        }
        kernel.drop_frame(frame, DropReason::NeighFailed);
    }
    kernel.notify_neighbour(ns, id, true);
}

/// Takes news of a neighbour in. `EPERM`: only an administrator changes this entry. `EINVAL`: no address is known or given.
pub(crate) fn update(kernel: &mut Kernel, ns: NsId, id: NeighId, news: Update) -> Result<()> {
    let now = kernel.now;
    let Some(entry) = kernel.neigh(ns, id) else { return Err(Errno::ENOENT.into()) };
    let (old, known, dev, ipv4) = (entry.state, entry.lladdr, entry.dev, entry.is_ipv4());
    let mut new = news.state;
    if !news.admin && old & (nud::NOARP | nud::PERMANENT) != 0 {
        return Err(Errno::EPERM.into());
    }
    if new & nud::VALID == 0 {
        kernel.set_neigh_timer(ns, id, None);
        let Some(entry) = kernel.neigh_mut(ns, id) else { return Ok(()) };
        (entry.state, entry.updated) = (new, now);
        if old & (nud::INCOMPLETE | nud::PROBE) != 0 && new & nud::FAILED != 0 {
            give_up(kernel, ns, id);
        } else if old & nud::VALID != 0 {
            kernel.notify_neighbour(ns, id, true);
        }
        return Ok(());
    }
    let mut lladdr = match news.lladdr {
        Some(lladdr) => lladdr,
        None if old & nud::VALID != 0 => known,
        None => return Err(Error::new(Errno::EINVAL, "No link layer address given")),
    };
    let reachable = kernel.reachable_time(ns, dev, ipv4);
    let Some(entry) = kernel.neigh_mut(ns, id) else { return Ok(()) };
    if new & nud::CONNECTED != 0 {
        entry.confirmed = now;
    }
    let mut router = news.router;
    if old & nud::VALID != 0 {
        if lladdr != known && !news.replace {
            router = None;
            if !(news.doubt && old & nud::CONNECTED != 0) {
                return Ok(());
            }
            (lladdr, new) = (known, nud::STALE);
        } else if lladdr == known && new == nud::STALE && !news.admin {
            new = old;
        }
    }
    let mut notify = false;
    if new != old || lladdr != known {
        entry.updated = now;
    }
    if lladdr != known || old & nud::VALID == 0 {
        entry.lladdr = lladdr;
        if new & nud::CONNECTED == 0 {
            entry.confirmed = now - reachable * 2;
        }
        notify = true;
    }
    if let Some(router) = router {
        let flags = if router { entry.flags | ntf::ROUTER } else { entry.flags & !ntf::ROUTER };
        notify |= flags != entry.flags;
        entry.flags = flags;
    }
    if new != old {
        entry.state = new;
        if new & nud::PROBE != 0 {
            entry.probes = 0;
        }
        let deadline = match new {
            nud::REACHABLE => Some(now + reachable),
            state if state & nud::IN_TIMER != 0 => Some(now),
            _ => None,
        };
        kernel.set_neigh_timer(ns, id, deadline);
        notify = true;
    }
    if old & nud::VALID == 0 {
        let waiting = kernel.neigh_mut(ns, id).map(|entry| {
            entry.waiting_bytes = 0;
            std::mem::take(&mut entry.waiting)
        });
        for frame in waiting.into_iter().flatten() {
            let _ = super::transmit_to(kernel, dev, lladdr, frame);
        }
        if new == nud::STALE && kernel.neigh(ns, id).is_some_and(|entry| entry.used > entry.updated) {
            use_now(kernel, ns, id);
        }
    }
    if notify {
        kernel.notify_neighbour(ns, id, true);
    }
    Ok(())
}

/// Takes an entry out; what waited for it is dropped.
pub(super) fn remove(kernel: &mut Kernel, ns: NsId, id: NeighId) {
    kernel.set_neigh_timer(ns, id, None);
    kernel.notify_neighbour(ns, id, false);
    let Some(entry) = kernel.namespaces.get_mut(ns).and_then(|netns| netns.neighbours.remove(id)) else { return };
    for frame in entry.waiting {
        kernel.drop_frame(frame, DropReason::NeighFailed);
    }
}
