//! What ioctls ask of bridges: `SIOCBR…` of brctl(8), and the numbered requests that stood in their place before.

use super::{Bridge, add_port, remove_port, settings, state};
use crate::Kernel;
use crate::drivers::DevKind;
use crate::error::{Errno, Result};
use crate::netdev::{DevFlags, NameAssign, NewDevice};
use crate::types::{DevId, NsId};

/// `SIOCBRADDBR`. `EINVAL`: not a name; `EEXIST`: taken.
pub(crate) fn add_bridge(kernel: &mut Kernel, ns: NsId, name: &str) -> Result<()> {
    let name = kernel.resolve_name(ns, name)?;
    let new = NewDevice { name_assign: NameAssign::Unknown, ..NewDevice::named(name) };
    let dev = kernel.register_device(ns, new, DevKind::Bridge(Box::<Bridge>::default()))?;
    kernel.notify_link(dev, DevFlags::all());
    Ok(())
}

/// `SIOCBRDELBR`. `ENXIO`: there is none; `EPERM`: not a bridge; `EBUSY`: it is up.
pub(crate) fn delete_bridge(kernel: &mut Kernel, ns: NsId, name: &str) -> Result<()> {
    let dev = kernel.namespaces[ns].device_by_name(name).ok_or(Errno::ENXIO)?;
    let device = kernel.devices.get(dev).ok_or(Errno::ENXIO)?;
    if device.bridge().is_none() {
        return Err(Errno::EPERM.into());
    }
    if device.is_up() {
        return Err(Errno::EBUSY.into());
    }
    kernel.unregister_device(dev);
    Ok(())
}

/// `SIOCBRADDIF`. `EOPNOTSUPP`: not a bridge; `EINVAL`: no such device, or one that can't be a port; `EBUSY`: a port already.
pub(crate) fn add_interface(kernel: &mut Kernel, bridge: DevId, ifindex: u32) -> Result<()> {
    let dev = interface(kernel, bridge, ifindex)?;
    add_port(kernel, bridge, dev)
}

/// `SIOCBRDELIF`. `EINVAL`: not a port of this bridge.
pub(crate) fn delete_interface(kernel: &mut Kernel, bridge: DevId, ifindex: u32) -> Result<()> {
    let dev = interface(kernel, bridge, ifindex)?;
    if kernel.devices.get(dev).and_then(|device| device.port).map(|member| member.bridge) != Some(bridge) {
        return Err(Errno::EINVAL.into());
    }
    remove_port(kernel, dev);
    Ok(())
}

fn interface(kernel: &Kernel, bridge: DevId, ifindex: u32) -> Result<DevId, Errno> {
    let device = kernel.devices.get(bridge).ok_or(Errno::ENODEV)?;
    if device.bridge().is_none() {
        return Err(Errno::EOPNOTSUPP);
    }
    kernel.namespaces[device.ns].device_by_index(ifindex).ok_or(Errno::EINVAL)
}

/// The requests of `SIOCDEVPRIVATE` that change something: `arguments` are a `BRCTL_…` number and what belongs to it. Those that ask
/// (`EOPNOTSUPP` here) are answered by files since Linux 2.6.
pub(crate) fn numbered_request(kernel: &mut Kernel, bridge: DevId, arguments: [u64; 4]) -> Result<()> {
    let [request, first, second, _] = arguments;
    let it = kernel.bridge(bridge).ok_or(Errno::EOPNOTSUPP)?;
    let port = u16::try_from(first).ok().and_then(|number| it.port(number)).map(|port| port.dev);
    let time = u32::try_from(first).unwrap_or(u32::MAX);
    match request {
        4 => add_interface(kernel, bridge, first as u32),
        5 => delete_interface(kernel, bridge, first as u32),
        8 => settings::set_forward_delay(kernel, bridge, time),
        9 => settings::set_hello_time(kernel, bridge, time),
        10 => settings::set_max_age(kernel, bridge, time),
        11 => settings::set_ageing_time(kernel, bridge, time),
        14 => {
            state::set_stp(kernel, bridge, first != 0);
            Ok(())
        }
        15 => settings::set_priority(kernel, bridge, first as u16),
        16 => settings::set_port_priority(kernel, port.ok_or(Errno::EINVAL)?, second),
        17 => settings::set_port_cost(kernel, port.ok_or(Errno::EINVAL)?, second),
        _ => Err(Errno::EOPNOTSUPP.into()),
    }
}
