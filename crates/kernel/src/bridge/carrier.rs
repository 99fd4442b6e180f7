//! The bridge's carrier: on while at least one port forwards. A bridge that never had a port keeps the one it was made with.

use crate::Kernel;
use crate::types::DevId;

/// Brings the carrier into line with the ports.
pub(super) fn follow(kernel: &mut Kernel, bridge: DevId) {
    let Some(it) = kernel.bridge(bridge) else { return };
    let carrier = !it.forwarding.is_empty();
    kernel.set_carrier(bridge, carrier);
}
