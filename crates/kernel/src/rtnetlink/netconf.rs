//! `RTM_GETNETCONF`: the settings of IPv4 and IPv6, by device.

use super::dispatch::{Answer, Request};
use crate::Kernel;
use crate::error::{Errno, Result};

/// One device's settings, or those for all or for new ones.
pub(crate) fn get(_kernel: &mut Kernel, _request: &Request<'_>) -> Result<Answer> {
    Err(Errno::EOPNOTSUPP.into())
}

/// Every device's, then those for all and for new ones.
pub(crate) fn dump(_kernel: &mut Kernel, _request: &Request<'_>) -> Result<Answer> {
    Err(Errno::EOPNOTSUPP.into())
}
