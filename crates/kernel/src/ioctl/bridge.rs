//! Bridges by ioctl, as brctl makes them.

use super::{ifreq, request::*};
use crate::error::{Errno, Result};
use crate::types::NsId;
use crate::{Kernel, bridge};

pub(super) fn handle(
    kernel: &mut Kernel,
    ns: NsId,
    request: u32,
    argument: &mut [u8],
    data: Option<&mut Vec<u8>>,
) -> Result<i32, Errno> {
    match request {
        SIOCBRADDBR | SIOCBRDELBR => {
            let name = ifreq::name(argument)?.to_owned();
            if request == SIOCBRADDBR {
                bridge::ioctl::add_bridge(kernel, ns, &name)?;
            } else {
                bridge::ioctl::delete_bridge(kernel, ns, &name)?;
            }
        }
        SIOCBRADDIF | SIOCBRDELIF => {
            let dev = ifreq::device(kernel, ns, argument)?;
            let ifindex = ifreq::int(argument)? as u32;
            if request == SIOCBRADDIF {
                bridge::ioctl::add_interface(kernel, dev, ifindex)?;
            } else {
                bridge::ioctl::delete_interface(kernel, dev, ifindex)?;
            }
        }
        SIOCDEVPRIVATE => {
            let dev = ifreq::device(kernel, ns, argument)?;
            let (words, _) = data.ok_or(Errno::EFAULT)?.as_chunks::<8>();
            let mut arguments = [0; 4];
            for (to, from) in arguments.iter_mut().zip(words) {
                *to = u64::from_ne_bytes(*from);
            }
            bridge::ioctl::numbered_request(kernel, dev, arguments)?;
        }
        _ => return Err(Errno::ENOTTY),
    }
    Ok(0)
}
