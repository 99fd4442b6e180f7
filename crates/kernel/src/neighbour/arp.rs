//! ARP (RFC 826): the packets, and what they tell the neighbour table.

use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::frame::Frame;
use crate::types::DevId;

/// An ARP packet received on a device.
pub(crate) fn receive(kernel: &mut Kernel, _dev: DevId, frame: Frame) {
    kernel.drop_frame(frame, DropReason::ArpNotForUs);
}
