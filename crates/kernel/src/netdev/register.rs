//! How devices come and go.

use super::{AddrAssign, DevFlags, DevInfo, Device, Incidents, NameAssign, NetdevEvent, OperState, Traffic};
use crate::Kernel;
use crate::drivers::DevKind;
use crate::error::{Errno, Result};
use crate::types::{DevId, IfName, MacAddr, NsId};

/// What a new device is to be like; whatever is `None` is the driver's choice.
#[derive(Clone, Debug)]
pub(crate) struct NewDevice {
    /// Already resolved in the namespace that it goes to.
    pub(crate) name: IfName,
    pub(crate) name_assign: NameAssign,
    pub(crate) ifindex: Option<u32>,
    pub(crate) address: Option<MacAddr>,
    pub(crate) broadcast: Option<MacAddr>,
    pub(crate) mtu: Option<u32>,
    pub(crate) tx_queue_len: Option<u32>,
    pub(crate) tx_queues: Option<u32>,
    pub(crate) rx_queues: Option<u32>,
    pub(crate) group: u32,
}

impl NewDevice {
    /// A device of that name with everything else by default.
    pub(crate) fn named(name: IfName) -> NewDevice {
        NewDevice {
            name,
            name_assign: NameAssign::User,
            ifindex: None,
            address: None,
            broadcast: None,
            mtu: None,
            tx_queue_len: None,
            tx_queues: None,
            rx_queues: None,
            group: 0,
        }
    }
}

impl Kernel {
    /// Puts a device into a namespace.
    ///
    /// `EEXIST`: name or ifindex are taken. `EADDRNOTAVAIL`: not an address that a device may have. `EINVAL`: an MTU out
    /// of bounds. Nobody is told over netlink: that is done by who asked for the device, once it is complete.
    pub(crate) fn register_device(&mut self, ns: NsId, new: NewDevice, kind: DevKind) -> Result<DevId> {
        let netns = self.namespaces.get_mut(ns).ok_or(Errno::EINVAL)?;
        if netns.by_name.contains_key(new.name.as_str()) {
            return Err(Errno::EEXIST.into());
        }
        if new.ifindex.is_some_and(|index| netns.by_index.get(index).is_some()) {
            return Err(Errno::EEXIST.into());
        }
        let profile = kind.profile(self.config.cpus);
        if new.address.is_some_and(|address| !address.is_valid_unicast()) {
            return Err(Errno::EADDRNOTAVAIL.into());
        }
        if let Some(mtu) = new.mtu
            && (mtu < profile.min_mtu || (profile.max_mtu > 0 && mtu > profile.max_mtu))
        {
            return Err(Errno::EINVAL.into());
        }
        let netns = &mut self.namespaces[ns];
        let ifindex = new.ifindex.unwrap_or_else(|| netns.new_ifindex());
        let loopback = matches!(kind, DevKind::Loopback);
        let fixed = loopback || !kind.has_address();
        let address = match new.address {
            Some(address) => address,
            None if fixed => MacAddr::ZERO,
            None => self.random_mac(),
        };
        let addr_assign = match new.address {
            Some(_) => AddrAssign::Set,
            None if fixed => AddrAssign::Permanent,
            None => AddrAssign::Random,
        };
        let device = Device {
            flags: profile.flags,
            carrier: true,
            mtu: new.mtu.unwrap_or(profile.mtu),
            address,
            broadcast: new.broadcast.unwrap_or(if fixed { MacAddr::ZERO } else { MacAddr::BROADCAST }),
            port: None,
            macvlans: None,
            traffic: Traffic::default(),
            taps: Default::default(),
            ns,
            ifindex,
            name: new.name,
            ipv4: None,
            ipv6: None,
            info: Box::new(DevInfo {
                incidents: Incidents::default(),
                addr_assign,
                name_assign: if loopback { NameAssign::Predictable } else { new.name_assign },
                requested_flags: DevFlags::empty(),
                promiscuity: 0,
                filter_promiscuity: false,
                allmulti: 0,
                unicast_filter: Vec::new(),
                multicast_filter: Vec::new(),
                operstate: OperState::Unknown,
                link_mode: 0,
                carrier_up_count: 0,
                carrier_down_count: 0,
                activated: false,
                tx_queue_len: new.tx_queue_len.unwrap_or(profile.tx_queue_len),
                group: new.group,
                alias: None,
                altnames: Vec::new(),
                tx_queues: new.tx_queues.unwrap_or(profile.queues),
                rx_queues: new.rx_queues.unwrap_or(profile.queues),
                min_mtu: profile.min_mtu,
                max_mtu: profile.max_mtu,
                gso_max_size: 65_536,
                gso_max_segs: 65_535,
                gso_ipv4_max_size: 65_536,
                gro_max_size: 65_536,
                gro_ipv4_max_size: 65_536,
                tso_max_size: profile.tso_max_size,
                tso_max_segs: 65_535,
                features: Default::default(),
            }),
            kind,
        };
        let name = device.name;
        let dev = self.devices.insert(device);
        let netns = &mut self.namespaces[ns];
        netns.by_index.insert(ifindex, dev);
        netns.by_name.insert(name.as_str().into(), dev);
        self.netdev_event(dev, NetdevEvent::Register);
        Ok(dev)
    }

    /// Takes a device away, and with a veth its peer: down, out of its bridge, its addresses and routes gone.
    pub(crate) fn unregister_device(&mut self, dev: DevId) {
        let peer = self.devices.get(dev).and_then(Device::peer);
        // A bridge lets go of its ports while it is still up.
        if matches!(self.devices.get(dev), Some(Device { kind: DevKind::Bridge(_), .. })) {
            crate::bridge::uninit(self, dev);
        }
        crate::drivers::macvlan::unlink(self, dev);
        // Both ends are down before either goes.
        for end in [Some(dev), peer].into_iter().flatten() {
            self.unregistering.push(end);
            self.close_device(end);
            self.unregistering.pop();
        }
        for end in [Some(dev), peer].into_iter().flatten() {
            self.unregistering.push(end);
            self.take_device_away(end);
            self.unregistering.pop();
        }
    }

    /// Whether a device is just being taken away, and not merely moved.
    pub(crate) fn is_unregistering(&self, dev: DevId) -> bool {
        self.unregistering.contains(&dev)
    }

    fn take_device_away(&mut self, dev: DevId) {
        if !self.devices.contains_key(dev) {
            return;
        }
        self.driver_leave(dev);
        self.netdev_event(dev, NetdevEvent::Unregister);
        self.notify_link_gone(dev);
        let Some(device) = self.devices.remove(dev) else { return };
        let netns = &mut self.namespaces[device.ns];
        netns.by_index.remove(device.ifindex);
        netns.forget_name(device.name.as_str());
        for name in &device.info.altnames {
            netns.forget_name(name);
        }
        if let Some(macvlan) = device.macvlan() {
            crate::drivers::macvlan::forget(self, macvlan.lower, dev);
        }
        if let Some(other) = device.peer().and_then(|peer| self.devices.get_mut(peer))
            && let DevKind::Veth(veth) = &mut other.kind
        {
            veth.peer = None;
        }
    }
}
