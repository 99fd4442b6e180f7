//! IPv4 on a device: it comes with the device, and follows what happens to it.

use std::net::Ipv4Addr;

use super::addr::{self, Address};
use super::fib::{hop_flags, scope};
use super::igmp;
use super::sysctl::{self, Conf, DevConf};
use crate::Kernel;
use crate::drivers::DevKind;
use crate::error::{Errno, Result};
use crate::netdev::{DevFlags, NetdevEvent};
use crate::rtnetlink::attr::{Attr, Writer};
use crate::rtnetlink::netconf::{self, Scope};
use crate::rtnetlink::uapi::AF_INET;
use crate::types::DevId;

/// `IFLA_INET_CONF`.
const IFLA_INET_CONF: u16 = 1;

/// A device with a smaller MTU has no IPv4.
const MIN_MTU: u32 = 68;

/// A device's IPv4: addresses and settings.
#[derive(Debug)]
pub(crate) struct Interface {
    /// In Linux's order.
    pub(crate) addresses: Vec<Address>,
    pub(crate) conf: DevConf,
    pub(crate) groups: igmp::Groups,
}

/// What `IFLA_AF_SPEC` says about a device: every setting, in order. Nothing where the device has no IPv4.
pub(crate) fn fill_af_spec(kernel: &Kernel, dev: DevId, out: &mut Writer) {
    if let Some(interface) = kernel.devices.get(dev).and_then(|device| device.ipv4.as_ref()) {
        let values: Vec<u8> = interface.conf.iter().flat_map(|value| value.to_ne_bytes()).collect();
        out.put(IFLA_INET_CONF, &values);
    }
}

/// Sets what a request's `IFLA_AF_SPEC` says about this family: settings by number.
pub(crate) fn set_af_spec(kernel: &mut Kernel, dev: DevId, spec: &Attr<'_>) -> Result<()> {
    let ns = kernel.devices.get(dev).filter(|device| device.ipv4.is_some()).ok_or(Errno::EAFNOSUPPORT)?.ns;
    for setting in spec.iter().filter(|attr| attr.kind == IFLA_INET_CONF).flat_map(|attr| attr.iter()) {
        let at = usize::from(setting.kind).checked_sub(1);
        let (conf, _) = at.and_then(|at| Conf::ALL.get(at)).ok_or(Errno::EINVAL)?;
        sysctl::set_conf(kernel, ns, sysctl::ConfOf::Device(dev), *conf, setting.i32())?;
    }
    Ok(())
}

/// Something happened to a device.
pub(crate) fn netdev_event(kernel: &mut Kernel, dev: DevId, event: NetdevEvent) {
    match event {
        NetdevEvent::Register => start(kernel, dev),
        NetdevEvent::Up => up(kernel, dev),
        NetdevEvent::Down => {
            igmp::leave_all(kernel, dev);
            device_down(kernel, dev, false);
        }
        NetdevEvent::Unregister => stop(kernel, dev),
        NetdevEvent::Change => {
            let Some(device) = kernel.devices.get(dev) else { return };
            let (ns, carrier) = (device.ns, device.carrier);
            let fib = &mut kernel.namespaces[ns].ipv4.fib;
            if carrier {
                fib.clear_hop_flags(dev, hop_flags::LINKDOWN);
            } else {
                fib.set_hop_flags(dev, hop_flags::LINKDOWN, false);
            }
        }
        NetdevEvent::ChangeMtu => {
            let Some(device) = kernel.devices.get(dev) else { return };
            match (device.mtu < MIN_MTU, device.ipv4.is_some()) {
                (true, true) => stop(kernel, dev),
                (false, false) => start(kernel, dev),
                _ => {}
            }
        }
        NetdevEvent::ChangeName => relabel(kernel, dev),
        NetdevEvent::GoingDown | NetdevEvent::ChangeAddress => {}
    }
}

fn start(kernel: &mut Kernel, dev: DevId) {
    let Some(device) = kernel.devices.get_mut(dev) else { return };
    let ns = device.ns;
    let ipv4 = &mut kernel.namespaces[ns].ipv4;
    ipv4.fib.forget();
    let mut conf = ipv4.conf_default.clone();
    if matches!(device.kind, DevKind::Loopback) {
        conf = conf.of_loopback();
        ipv4.loopback = Some(dev);
    }
    if device.mtu >= MIN_MTU {
        device.ipv4 = Some(Box::new(Interface { addresses: Vec::new(), conf, groups: igmp::Groups::default() }));
        netconf::tell(kernel, ns, AF_INET, Scope::Device(dev));
    }
}

fn stop(kernel: &mut Kernel, dev: DevId) {
    igmp::leave_all(kernel, dev);
    addr::remove_all(kernel, dev);
    device_down(kernel, dev, true);
    let Some(device) = kernel.devices.get_mut(dev) else { return };
    let ns = device.ns;
    if device.ipv4.take().is_some() {
        netconf::tell_gone(kernel, ns, AF_INET, dev);
    }
}

fn up(kernel: &mut Kernel, dev: DevId) {
    let Some(device) = kernel.devices.get(dev) else { return };
    let (ns, name) = (device.ns, device.name);
    let loopback = device.flags.contains(DevFlags::LOOPBACK);
    if device.ipv4.is_none() {
        return;
    }
    let addresses = kernel.addresses(dev).to_vec();
    for address in &addresses {
        addr::add_routes(kernel, dev, address);
    }
    if loopback {
        let address = Address { scope: scope::HOST, ..Address::new(Ipv4Addr::LOCALHOST, 8, name.as_str()) };
        // It may have it already.
        let _ = addr::add(kernel, dev, address);
    }
    kernel.namespaces[ns].ipv4.fib.clear_hop_flags(dev, hop_flags::DEAD);
    igmp::join_all_hosts(kernel, dev);
    crate::neighbour::arp::announce(kernel, dev);
}

/// The routes through a device end, and its neighbours; with `forced` even its local routes.
pub(crate) fn device_down(kernel: &mut Kernel, dev: DevId, forced: bool) {
    let Some(ns) = kernel.devices.get(dev).map(|device| device.ns) else { return };
    let fib = &mut kernel.namespaces[ns].ipv4.fib;
    fib.set_hop_flags(dev, hop_flags::DEAD, forced);
    fib.remove_dead();
    super::exception::forget(kernel, ns);
    crate::neighbour::flush_device(kernel, dev, true, false);
}

/// Labels follow the device's name; what stands behind a colon stays.
fn relabel(kernel: &mut Kernel, dev: DevId) {
    let Some(device) = kernel.devices.get_mut(dev) else { return };
    let (ns, name) = (device.ns, device.name);
    let Some(interface) = device.ipv4.as_mut() else { return };
    for address in &mut interface.addresses {
        let suffix = address.label.split_once(':').map(|(_, suffix)| format!(":{suffix}")).unwrap_or_default();
        let kept = 15usize.saturating_sub(suffix.len());
        let stem: String = name.as_str().chars().take(kept).collect();
        address.label = format!("{stem}{suffix}").into();
    }
    // Its settings stand under another name now.
    netconf::tell_gone(kernel, ns, AF_INET, dev);
    netconf::tell(kernel, ns, AF_INET, Scope::Device(dev));
}
