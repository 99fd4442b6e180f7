//! IPv6 on a device: it comes with the device, and follows what happens to it.

use std::net::Ipv6Addr;

use super::addr::{self, Address, flag};
use super::conf::{Conf, DevConf};
use super::fib::table;
use super::{addrconf, dad, groups, mld, route, router};
use crate::Kernel;
use crate::error::{Errno, Error, Result};
use crate::ipv4::scope;
use crate::netdev::{DevFlags, NetdevEvent};
use crate::rtnetlink::attr::{Attr, Writer};
use crate::rtnetlink::netconf::{self, Scope};
use crate::rtnetlink::uapi::AF_INET6;
use crate::types::{DevId, Instant};

/// A device with a smaller MTU has no IPv6.
pub(crate) const MIN_MTU: u32 = 1280;

const IFLA_INET6_FLAGS: u16 = 1;
const IFLA_INET6_CONF: u16 = 2;
const IFLA_INET6_CACHEINFO: u16 = 5;
const IFLA_INET6_TOKEN: u16 = 7;
const IFLA_INET6_ADDR_GEN_MODE: u16 = 8;

/// `IN6_ADDR_GEN_MODE_STABLE_PRIVACY`.
const STABLE_SECRET: u8 = 2;

/// `IF_RS_SENT`, `IF_READY`.
const RS_SENT: u32 = 0x10;
const READY: u32 = 0x8000_0000;
/// The longest packet that is put together again.
const MAX_REASSEMBLED: u32 = 65_535;

/// A device's IPv6: addresses, groups and settings.
#[derive(Debug)]
pub(crate) struct Interface {
    /// In Linux's order.
    pub(crate) addresses: Vec<Address>,
    /// The newest first.
    pub(crate) groups: Vec<groups::Group>,
    pub(crate) anycasts: Vec<(Ipv6Addr, u32)>,
    pub(crate) conf: DevConf,
    /// The longest packet that IPv6 sends here: `conf/DEV/mtu`.
    pub(crate) mtu: u32,
    /// It has been up with a carrier since it last went up.
    pub(super) ready: bool,
    pub(super) changes: Vec<mld::Change>,
    pub(super) solicitations: Option<router::Solicitations>,
    /// The interface identifier that autoconfigured addresses are to have.
    token: Ipv6Addr,
    updated: Instant,
}

impl Interface {
    /// A setting's value.
    #[inline]
    pub(crate) fn setting(&self, conf: Conf) -> i32 {
        if conf == Conf::Mtu { self.mtu as i32 } else { self.conf.get(conf) }
    }
}

/// What `IFLA_AF_SPEC` says about a device: flags, cacheinfo, settings, token and address generation mode. Nothing where the
/// device has no IPv6.
pub(crate) fn fill_af_spec(kernel: &Kernel, dev: DevId, out: &mut Writer) {
    let Some(device) = kernel.devices.get(dev) else { return };
    let Some(interface) = &device.ipv6 else { return };
    let bytes = |numbers: &[u32]| -> Vec<u8> { numbers.iter().flat_map(|number| number.to_ne_bytes()).collect() };
    let ready = if interface.ready { READY } else { 0 };
    let asked = if interface.solicitations.is_some() { RS_SENT } else { 0 };
    out.u32(IFLA_INET6_FLAGS, ready | asked);
    let updated = (interface.updated.since_boot().as_millis() / 10) as u32;
    let (reachable, retransmit) = crate::neighbour::times(kernel, dev, false);
    out.put(IFLA_INET6_CACHEINFO, &bytes(&[MAX_REASSEMBLED, updated, reachable, retransmit]));
    let values: Vec<u32> = Conf::ALL.iter().map(|conf| conf.in_netlink(interface.setting(*conf)) as u32).collect();
    out.put(IFLA_INET6_CONF, &bytes(&values));
    out.put(IFLA_INET6_TOKEN, &interface.token.octets());
    out.u8(IFLA_INET6_ADDR_GEN_MODE, interface.conf.get(Conf::AddrGenMode) as u8);
}

/// Sets what a request's `IFLA_AF_SPEC` says about this family: how addresses are made.
pub(crate) fn set_af_spec(kernel: &mut Kernel, dev: DevId, spec: &Attr<'_>) -> Result<()> {
    let device = kernel.devices.get_mut(dev).ok_or(Errno::ENODEV)?;
    let silent = device.flags.intersects(DevFlags::LOOPBACK | DevFlags::NOARP);
    let interface = device.ipv6.as_mut().ok_or(Errno::EAFNOSUPPORT)?;
    for attr in spec.iter() {
        match attr.kind {
            IFLA_INET6_TOKEN => {
                let token = Ipv6Addr::from(attr.bytes::<16>().ok_or(Errno::EINVAL)?);
                if silent {
                    return Err(Error::new(Errno::EINVAL, "ipv6: Device does not support autoconfiguration"));
                }
                if interface.conf.get(Conf::AcceptRa) == 0 {
                    return Err(Error::new(Errno::EINVAL, "ipv6: Router advertisement is disabled on device"));
                }
                if interface.conf.get(Conf::RouterSolicitations) == 0 {
                    return Err(Error::new(Errno::EINVAL, "ipv6: Router solicitation is disabled on device"));
                }
                let identifier = token.to_bits() & u128::from(u64::MAX);
                interface.token = Ipv6Addr::from_bits(identifier);
            }
            IFLA_INET6_ADDR_GEN_MODE => {
                let mode = attr.u8();
                // There is no secret that stable addresses could be made from.
                if mode > 3 || mode == STABLE_SECRET {
                    return Err(Errno::EINVAL.into());
                }
                interface.conf.set(Conf::AddrGenMode, mode.into());
            }
            _ => return Err(Errno::EINVAL.into()),
        }
    }
    Ok(())
}

/// Something happened to a device.
pub(crate) fn netdev_event(kernel: &mut Kernel, dev: DevId, event: NetdevEvent) {
    match event {
        NetdevEvent::Register => start(kernel, dev),
        NetdevEvent::Up => up(kernel, dev),
        NetdevEvent::Change => changed(kernel, dev),
        NetdevEvent::Down => down(kernel, dev, false),
        NetdevEvent::Unregister => stop(kernel, dev),
        NetdevEvent::ChangeMtu => mtu_changed(kernel, dev),
        NetdevEvent::ChangeName => {
            let Some(device) = kernel.devices.get(dev).filter(|device| device.ipv6.is_some()) else { return };
            let ns = device.ns;
            netconf::tell_gone(kernel, ns, AF_INET6, dev);
            netconf::tell(kernel, ns, AF_INET6, Scope::Device(dev));
        }
        NetdevEvent::GoingDown | NetdevEvent::ChangeAddress => {}
    }
}

fn start(kernel: &mut Kernel, dev: DevId) {
    let now = kernel.now;
    let Some(device) = kernel.devices.get_mut(dev) else { return };
    let ns = device.ns;
    if device.mtu < MIN_MTU {
        return;
    }
    let mut conf = kernel.namespaces[ns].ipv6.conf_default.clone();
    if device.flags.contains(DevFlags::LOOPBACK) {
        conf.set(Conf::AcceptDad, -1);
        conf.set(Conf::UseTempaddr, -1);
    }
    let routes = conf.get(Conf::Forwarding) != 0;
    device.ipv6 = Some(Box::new(Interface {
        addresses: Vec::new(),
        groups: Vec::new(),
        anycasts: Vec::new(),
        conf,
        mtu: device.mtu,
        ready: false,
        changes: Vec::new(),
        solicitations: None,
        token: Ipv6Addr::UNSPECIFIED,
        updated: now,
    }));
    groups::join_first(kernel, dev);
    if routes {
        groups::routers(kernel, dev, true);
    }
    netconf::tell(kernel, ns, AF_INET6, Scope::Device(dev));
}

fn stop(kernel: &mut Kernel, dev: DevId) {
    let Some(device) = kernel.devices.get(dev).filter(|device| device.ipv6.is_some()) else { return };
    let ns = device.ns;
    down(kernel, dev, true);
    groups::leave_all(kernel, dev);
    if let Some(device) = kernel.devices.get_mut(dev) {
        device.ipv6 = None;
    }
    super::cancel(kernel, ns, |job| job.dev() == Some(dev));
    netconf::tell_gone(kernel, ns, AF_INET6, dev);
}

fn mtu_changed(kernel: &mut Kernel, dev: DevId) {
    let Some(device) = kernel.devices.get_mut(dev) else { return };
    let mtu = device.mtu;
    match device.ipv6.as_mut() {
        Some(_) if mtu < MIN_MTU => stop(kernel, dev),
        Some(interface) => interface.mtu = mtu,
        None if mtu >= MIN_MTU => {
            start(kernel, dev);
            up(kernel, dev);
        }
        None => {}
    }
}

/// A device that is up, and ready once it has a carrier.
pub(super) fn up(kernel: &mut Kernel, dev: DevId) {
    let Some(device) = kernel.devices.get(dev).filter(|device| device.is_up()) else { return };
    let (ns, carrier) = (device.ns, device.carrier);
    if device.ipv6.is_none() || kernel.conf6(dev, Conf::DisableIpv6) != 0 {
        return;
    }
    for own in kernel.addresses6(dev).to_vec() {
        if own.flags & flag::PERMANENT == 0 || own.dad.is_some() {
            continue;
        }
        if own.flags & flag::NOPREFIXROUTE == 0 {
            addr::add_prefix_route(kernel, dev, own.address);
        }
        let local = kernel.namespaces[ns].ipv6.fib.table(table::LOCAL);
        let routes = local.map(|local| local.at(own.address, 128)).unwrap_or_default();
        if !routes.iter().flat_map(|entry| &entry.hops).any(|hop| hop.dev == dev) {
            dad::start(kernel, dev, own.address);
        }
    }
    if carrier {
        get_ready(kernel, dev);
    }
}

fn get_ready(kernel: &mut Kernel, dev: DevId) {
    let Some(device) = kernel.devices.get_mut(dev) else { return };
    let Some(interface) = device.ipv6.as_mut() else { return };
    interface.ready = true;
    addrconf::configure(kernel, dev);
    dad::run(kernel, dev);
}

/// Carrier or flags are other ones.
fn changed(kernel: &mut Kernel, dev: DevId) {
    let Some(device) = kernel.devices.get(dev).filter(|device| device.is_up_with_carrier()) else { return };
    let Some(interface) = &device.ipv6 else { return };
    if interface.conf.get(Conf::DisableIpv6) != 0 {
        return;
    }
    if interface.ready {
        // The link may be another one now.
        groups::tell_all(kernel, dev);
    } else {
        get_ready(kernel, dev);
    }
}

/// The device is down, or does without IPv6 from now on (`for_good`): routes, neighbours and addresses go. Addresses given by an
/// administrator stay while it is merely down, if `keep_addr_on_down` says so.
pub(super) fn down(kernel: &mut Kernel, dev: DevId, for_good: bool) {
    let Some(device) = kernel.devices.get(dev).filter(|device| device.ipv6.is_some()) else { return };
    let ns = device.ns;
    let keeps = kernel.conf6_all(dev, Conf::KeepAddrOnDown) > 0 || kernel.conf6(dev, Conf::KeepAddrOnDown) > 0;
    route::remove_through(kernel, ns, dev);
    crate::neighbour::flush_device(kernel, dev, false, false);
    super::cancel(kernel, ns, |job| job.dev() == Some(dev));
    if let Some(interface) = kernel.devices.get_mut(dev).and_then(|device| device.ipv6.as_mut()) {
        interface.ready = false;
        interface.solicitations = None;
    }
    for own in kernel.addresses6(dev).to_vec() {
        let stays = keeps && !for_good && own.flags & flag::PERMANENT != 0 && own.scope != scope::LINK;
        if !stays {
            addr::remove(kernel, dev, own.address);
            continue;
        }
        dad::forget(kernel, dev, own.address);
    }
    super::cancel(kernel, ns, |job| matches!(job, super::Job::Report(of) if of == dev));
    if let Some(interface) = kernel.devices.get_mut(dev).and_then(|device| device.ipv6.as_mut()) {
        interface.changes.clear();
    }
}
