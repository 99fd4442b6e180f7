//! Options at `SOL_NETLINK`.

use super::{SOL_NETLINK, get, multicast};
use crate::Kernel;
use crate::error::Errno;
use crate::types::SocketId;

const NETLINK_ADD_MEMBERSHIP: i32 = 1;
const NETLINK_DROP_MEMBERSHIP: i32 = 2;
pub(super) const NETLINK_PKTINFO: i32 = 3;
const NETLINK_BROADCAST_ERROR: i32 = 4;
const NETLINK_NO_ENOBUFS: i32 = 5;
pub(super) const NETLINK_LISTEN_ALL_NSID: i32 = 8;
const NETLINK_LIST_MEMBERSHIPS: i32 = 9;
const NETLINK_CAP_ACK: i32 = 10;
const NETLINK_EXT_ACK: i32 = 11;
const NETLINK_GET_STRICT_CHK: i32 = 12;

/// setsockopt(2).
pub(crate) fn set_option(kernel: &mut Kernel, id: SocketId, level: i32, name: i32, value: &[u8]) -> Result<(), Errno> {
    if level != SOL_NETLINK {
        return Err(Errno::ENOPROTOOPT);
    }
    let number = u32::from_ne_bytes(*value.first_chunk().ok_or(Errno::EINVAL)?);
    let on = number != 0;
    let (ns, netlink) = get(kernel, id)?;
    let protocol = netlink.protocol;
    let switches = &mut netlink.switches;
    match name {
        NETLINK_ADD_MEMBERSHIP => return multicast::join(kernel, ns, protocol, number, id),
        NETLINK_DROP_MEMBERSHIP => {
            if number == 0 {
                return Err(Errno::EINVAL);
            }
            multicast::leave(kernel, ns, protocol, number, id);
        }
        NETLINK_PKTINFO => switches.packet_info = on,
        NETLINK_BROADCAST_ERROR => switches.broadcast_error = on,
        NETLINK_NO_ENOBUFS => switches.no_enobufs = on,
        NETLINK_LISTEN_ALL_NSID => {
            switches.everywhere = on;
            multicast::listen_everywhere(kernel, id, on);
        }
        NETLINK_CAP_ACK => switches.capped_ack = on,
        NETLINK_EXT_ACK => switches.extended_ack = on,
        NETLINK_GET_STRICT_CHK => switches.strict = on,
        _ => return Err(Errno::ENOPROTOOPT),
    }
    Ok(())
}

/// getsockopt(2).
pub(crate) fn option(kernel: &mut Kernel, id: SocketId, level: i32, name: i32) -> Result<Vec<u8>, Errno> {
    if level != SOL_NETLINK {
        return Err(Errno::ENOPROTOOPT);
    }
    let (_, netlink) = get(kernel, id)?;
    let switches = netlink.switches;
    let on = match name {
        NETLINK_PKTINFO => switches.packet_info,
        NETLINK_BROADCAST_ERROR => switches.broadcast_error,
        NETLINK_NO_ENOBUFS => switches.no_enobufs,
        NETLINK_LISTEN_ALL_NSID => switches.everywhere,
        NETLINK_LIST_MEMBERSHIPS => {
            let mut mask = [0u8; 8];
            for group in &netlink.groups {
                let bit = (group - 1) as usize;
                if let Some(byte) = mask.get_mut(bit / 8) {
                    *byte |= 1 << (bit % 8);
                }
            }
            return Ok(mask.to_vec());
        }
        NETLINK_CAP_ACK => switches.capped_ack,
        NETLINK_EXT_ACK => switches.extended_ack,
        NETLINK_GET_STRICT_CHK => switches.strict,
        _ => return Err(Errno::ENOPROTOOPT),
    };
    Ok(i32::from(on).to_ne_bytes().to_vec())
}
