//! What a device *is*: one enum, one file for each kind.

mod dummy;
mod loopback;
pub(crate) mod macvlan;
#[cfg(test)]
mod tests;
pub(crate) mod tun;
pub(crate) mod veth;

pub(crate) use tun::Tun;
pub(crate) use veth::Veth;

use crate::Kernel;
use crate::bridge::Bridge;
use crate::drop_reason::DropReason;
use crate::error::Result;
use crate::frame::Frame;
use crate::netdev::DevFlags;
use crate::types::DevId;

/// The kinds of device, each with what only it has.
#[derive(Debug)]
pub(crate) enum DevKind {
    /// `lo`: what is sent is received.
    Loopback,
    /// One end of a cable between two devices.
    Veth(Veth),
    /// A learning switch whose own device is the host's port on it.
    Bridge(Box<Bridge>),
    /// What is sent is counted and gone.
    Dummy,
    /// An address of its own on another device.
    Macvlan(macvlan::Macvlan),
    /// A cable that ends at a program: TUN or TAP.
    Tun(Box<Tun>),
}

/// What most devices are.
pub(crate) const ARPHRD_ETHER: u16 = 1;
const ARPHRD_LOOPBACK: u16 = 772;
/// No header, no address.
const ARPHRD_NONE: u16 = 65_534;

/// What a kind starts with.
pub(crate) struct Profile {
    pub(crate) flags: DevFlags,
    pub(crate) mtu: u32,
    pub(crate) min_mtu: u32,
    pub(crate) max_mtu: u32,
    pub(crate) queues: u32,
    pub(crate) tso_max_size: u32,
    pub(crate) tx_queue_len: u32,
}

impl DevKind {
    /// `IFLA_INFO_KIND`; `lo` has none.
    pub(crate) fn name(&self) -> Option<&'static str> {
        match self {
            DevKind::Loopback => None,
            DevKind::Veth(_) => Some("veth"),
            DevKind::Bridge(_) => Some("bridge"),
            DevKind::Dummy => Some("dummy"),
            DevKind::Macvlan(_) => Some("macvlan"),
            DevKind::Tun(_) => Some("tun"),
        }
    }

    /// What a device of this kind starts with.
    pub(crate) fn profile(&self, cpus: u32) -> Profile {
        match self {
            DevKind::Loopback => loopback::profile(),
            DevKind::Veth(_) => veth::profile(cpus),
            DevKind::Bridge(_) => crate::bridge::profile(),
            DevKind::Dummy => dummy::profile(),
            DevKind::Macvlan(_) => macvlan::profile(),
            DevKind::Tun(tun) => tun.profile(),
        }
    }

    /// `ARPHRD_…`.
    pub(crate) fn hardware_type(&self) -> u16 {
        match self {
            DevKind::Loopback => ARPHRD_LOOPBACK,
            DevKind::Tun(tun) if !tun.is_tap() => ARPHRD_NONE,
            _ => ARPHRD_ETHER,
        }
    }

    /// Whether its devices have addresses: those that carry bare packets have none.
    pub(crate) fn has_address(&self) -> bool {
        self.hardware_type() != ARPHRD_NONE
    }

    /// Whether frames wait in a queue to be sent, which takes none while there is no carrier.
    pub(crate) fn has_queue(&self) -> bool {
        matches!(self, DevKind::Tun(_))
    }
}

impl Kernel {
    /// The driver's part of going up.
    pub(crate) fn driver_open(&mut self, dev: DevId) -> Result<()> {
        match self.devices[dev].kind {
            DevKind::Veth(_) => veth::open(self, dev)?,
            DevKind::Bridge(_) => crate::bridge::open(self, dev),
            DevKind::Macvlan(_) => macvlan::open(self, dev)?,
            DevKind::Loopback | DevKind::Dummy | DevKind::Tun(_) => {}
        }
        Ok(())
    }

    /// The driver's part of going down.
    pub(crate) fn driver_close(&mut self, dev: DevId) {
        match self.devices[dev].kind {
            DevKind::Veth(_) => veth::close(self, dev),
            DevKind::Bridge(_) => crate::bridge::close(self, dev),
            DevKind::Macvlan(_) => macvlan::close(self, dev),
            DevKind::Loopback | DevKind::Dummy | DevKind::Tun(_) => {}
        }
    }

    /// Before a device goes away or leaves its namespace: out of the bridge it is a port of.
    pub(crate) fn driver_leave(&mut self, dev: DevId) {
        if self.devices[dev].port.is_some() {
            crate::bridge::remove_port(self, dev);
        }
    }

    /// Hands a frame to the driver. The device is up.
    #[inline(always)]
    pub(crate) fn driver_transmit(&mut self, dev: DevId, frame: Frame) -> Result<(), DropReason> {
        match self.devices[dev].kind {
            DevKind::Veth(_) => veth::transmit(self, dev, frame),
            _ => self.other_driver_transmit(dev, frame),
        }
    }

    #[inline(never)]
    fn other_driver_transmit(&mut self, dev: DevId, frame: Frame) -> Result<(), DropReason> {
        match self.devices[dev].kind {
            DevKind::Veth(_) => veth::transmit(self, dev, frame),
            DevKind::Bridge(_) => crate::bridge::transmit(self, dev, frame),
            DevKind::Loopback => loopback::transmit(self, dev, frame),
            DevKind::Dummy => dummy::transmit(self, dev, frame),
            DevKind::Macvlan(_) => macvlan::transmit(self, dev, frame),
            DevKind::Tun(_) => tun::transmit(self, dev, frame),
        }
    }
}
