//! Neighbours made, changed and taken away by hand (`ip neigh`, `arp`).

use std::net::IpAddr;

use super::state::{self, Update};
use super::table::{Place, ntf, nud};
use crate::Kernel;
use crate::error::{Errno, Result};
use crate::types::{DevId, MacAddr, NsId};

/// What a request wants of an entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    pub(crate) lladdr: Option<MacAddr>,
    pub(crate) state: u16,
    /// `NTF_…`.
    pub(crate) flags: u8,
    pub(crate) protocol: Option<u8>,
    /// Make the entry where there is none.
    pub(crate) create: bool,
    /// Refuse where there is one.
    pub(crate) exclusive: bool,
    /// Replace another address.
    pub(crate) replace: bool,
}

/// Makes or changes an entry. `ENOENT`, `EEXIST` as the request says.
pub(crate) fn change(kernel: &mut Kernel, dev: DevId, address: IpAddr, wanted: &Change) -> Result<()> {
    let address = state::key(kernel.devices.get(dev).ok_or(Errno::ENODEV)?.flags, address);
    let existing = kernel.neighbour(dev, address).is_some();
    if !existing && !wanted.create {
        return Err(Errno::ENOENT.into());
    }
    if existing && wanted.exclusive {
        return Err(Errno::EEXIST.into());
    }
    let (ns, id) = state::find_or_make(kernel, dev, address)?;
    if let Some(entry) = kernel.neigh_mut(ns, id) {
        if let Some(protocol) = wanted.protocol {
            entry.protocol = protocol;
        }
        if wanted.flags & ntf::EXT_LEARNED != 0 {
            entry.flags |= ntf::EXT_LEARNED;
        }
    }
    let news = Update {
        lladdr: wanted.lladdr,
        state: wanted.state,
        replace: !existing || wanted.replace,
        doubt: existing && !wanted.replace,
        router: Some(wanted.flags & ntf::ROUTER != 0),
        admin: true,
    };
    // An entry that was made for it stays, whatever comes of the update.
    state::update(kernel, ns, id, news)
}

/// Takes an entry out: it fails, then it is gone, and both are told. `ENOENT` where there is none.
pub(crate) fn delete(kernel: &mut Kernel, dev: DevId, address: IpAddr) -> Result<()> {
    let device = kernel.devices.get(dev).ok_or(Errno::ENODEV)?;
    let (ns, address) = (device.ns, state::key(device.flags, address));
    let id = kernel.namespaces[ns].neighbours.find(Place::of(dev, &address)).ok_or(Errno::ENOENT)?;
    let news = Update { lladdr: None, state: nud::FAILED, replace: true, doubt: false, router: None, admin: true };
    state::update(kernel, ns, id, news)?;
    state::remove(kernel, ns, id);
    Ok(())
}

/// Answers for an address on a device.
pub(crate) fn add_proxy(kernel: &mut Kernel, ns: NsId, dev: DevId, address: IpAddr) -> Result<()> {
    kernel.namespaces.get_mut(ns).ok_or(Errno::ENODEV)?.neighbours.proxies.insert((address, dev));
    Ok(())
}

/// Answers for it no longer. `ENOENT` where it didn't.
pub(crate) fn delete_proxy(kernel: &mut Kernel, ns: NsId, dev: DevId, address: IpAddr) -> Result<()> {
    let proxies = &mut kernel.namespaces.get_mut(ns).ok_or(Errno::ENODEV)?.neighbours.proxies;
    if proxies.remove(&(address, dev)) { Ok(()) } else { Err(Errno::ENOENT.into()) }
}
