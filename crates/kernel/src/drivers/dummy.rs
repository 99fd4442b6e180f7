//! A dummy: what is sent is counted and gone.

use super::Profile;
use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::frame::Frame;
use crate::netdev::DevFlags;
use crate::types::DevId;

pub(super) fn profile() -> Profile {
    Profile {
        flags: DevFlags::BROADCAST | DevFlags::NOARP,
        mtu: 1500,
        min_mtu: 0,
        max_mtu: 0,
        queues: 1,
        tso_max_size: 65_536,
        tx_queue_len: 1000,
    }
}

pub(super) fn transmit(kernel: &mut Kernel, dev: DevId, frame: Frame) -> Result<(), DropReason> {
    kernel.devices[dev].traffic.sent(1, frame.len());
    kernel.frames.recycle(frame);
    Ok(())
}
