//! The ioctls of sockets: netdevice(7), addresses, routes, arp(7), bridges, `SIOCETHTOOL`.

mod arp;
mod bridge;
mod device;
mod ifreq;
mod inet;
mod interfaces;
mod netlink;

use crate::error::{Errno, Result};
use crate::socket::family;
use crate::types::NsId;
use crate::{Caller, Kernel};

/// Request numbers, with Linux's names.
pub(crate) mod request {
    pub(crate) const SIOCADDRT: u32 = 0x890b;
    pub(crate) const SIOCDELRT: u32 = 0x890c;
    pub(crate) const SIOCGIFNAME: u32 = 0x8910;
    pub(crate) const SIOCGIFCONF: u32 = 0x8912;
    pub(crate) const SIOCGIFFLAGS: u32 = 0x8913;
    pub(crate) const SIOCSIFFLAGS: u32 = 0x8914;
    pub(crate) const SIOCGIFADDR: u32 = 0x8915;
    pub(crate) const SIOCSIFADDR: u32 = 0x8916;
    pub(crate) const SIOCGIFDSTADDR: u32 = 0x8917;
    pub(crate) const SIOCSIFDSTADDR: u32 = 0x8918;
    pub(crate) const SIOCGIFBRDADDR: u32 = 0x8919;
    pub(crate) const SIOCSIFBRDADDR: u32 = 0x891a;
    pub(crate) const SIOCGIFNETMASK: u32 = 0x891b;
    pub(crate) const SIOCSIFNETMASK: u32 = 0x891c;
    pub(crate) const SIOCGIFMETRIC: u32 = 0x891d;
    pub(crate) const SIOCSIFMETRIC: u32 = 0x891e;
    pub(crate) const SIOCGIFMTU: u32 = 0x8921;
    pub(crate) const SIOCSIFMTU: u32 = 0x8922;
    pub(crate) const SIOCSIFNAME: u32 = 0x8923;
    pub(crate) const SIOCSIFHWADDR: u32 = 0x8924;
    pub(crate) const SIOCGIFHWADDR: u32 = 0x8927;
    pub(crate) const SIOCADDMULTI: u32 = 0x8931;
    pub(crate) const SIOCDELMULTI: u32 = 0x8932;
    pub(crate) const SIOCGIFINDEX: u32 = 0x8933;
    pub(crate) const SIOCDIFADDR: u32 = 0x8936;
    pub(crate) const SIOCGIFBR: u32 = 0x8940;
    pub(crate) const SIOCGIFTXQLEN: u32 = 0x8942;
    pub(crate) const SIOCSIFTXQLEN: u32 = 0x8943;
    pub(crate) const SIOCETHTOOL: u32 = 0x8946;
    pub(crate) const SIOCDARP: u32 = 0x8953;
    pub(crate) const SIOCGARP: u32 = 0x8954;
    pub(crate) const SIOCSARP: u32 = 0x8955;
    pub(crate) const SIOCGIFMAP: u32 = 0x8970;
    pub(crate) const SIOCSIFMAP: u32 = 0x8971;
    pub(crate) const SIOCBRADDBR: u32 = 0x89a0;
    pub(crate) const SIOCBRDELBR: u32 = 0x89a1;
    pub(crate) const SIOCBRADDIF: u32 = 0x89a2;
    pub(crate) const SIOCBRDELIF: u32 = 0x89a3;
    pub(crate) const SIOCDEVPRIVATE: u32 = 0x89f0;
}

/// Answers an ioctl on a socket of that domain. `argument` is the structure, `data` what a pointer in it points to.
/// `ENOTTY` where nobody knows the request.
pub(crate) fn handle(
    kernel: &mut Kernel,
    ns: NsId,
    domain: i32,
    request: u32,
    argument: &mut [u8],
    data: Option<&mut Vec<u8>>,
    caller: &dyn Caller,
) -> Result<i32, Errno> {
    use request::*;
    match request {
        SIOCGIFCONF => interfaces::list(kernel, ns, argument, data),
        SIOCGIFNAME => device::name_of_index(kernel, ns, argument),
        SIOCADDRT | SIOCDELRT => match domain {
            family::INET => netlink::route4(kernel, ns, request, argument, data.map(|data| data.as_slice()), caller),
            family::INET6 => netlink::route6(kernel, ns, request, argument, caller),
            _ => Err(Errno::ENOTTY),
        },
        SIOCGIFADDR..=SIOCSIFNETMASK | SIOCDIFADDR => match domain {
            family::INET => inet::address(kernel, ns, request, argument),
            family::INET6 => netlink::address6(kernel, ns, request, argument, caller),
            _ => Err(Errno::ENOTTY),
        },
        SIOCDARP..=SIOCSARP if domain == family::INET => arp::handle(kernel, ns, request, argument),
        SIOCSIFFLAGS if domain == family::INET && argument.iter().take(ifreq::NAME).any(|byte| *byte == b':') => {
            inet::address(kernel, ns, request, argument)
        }
        SIOCETHTOOL => {
            let dev = ifreq::device(kernel, ns, argument)?;
            crate::ethtool::ioctl(kernel, dev, data.ok_or(Errno::EFAULT)?)
        }
        SIOCBRADDBR | SIOCBRDELBR | SIOCBRADDIF | SIOCBRDELIF | SIOCGIFBR | SIOCDEVPRIVATE => {
            bridge::handle(kernel, ns, request, argument, data)
        }
        _ => device::handle(kernel, ns, request, argument),
    }
}
