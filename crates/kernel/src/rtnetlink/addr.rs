//! IPv4 addresses of devices (`RTM_*ADDR`).

use super::dispatch::{Answer, Request};
use crate::Kernel;
use crate::error::{Errno, Result};

/// `RTM NEWADDR`.
pub(crate) fn add(_kernel: &mut Kernel, _request: &Request<'_>) -> Result<Answer> {
    Err(Errno::EOPNOTSUPP.into())
}

/// `RTM DELADDR`.
pub(crate) fn delete(_kernel: &mut Kernel, _request: &Request<'_>) -> Result<Answer> {
    Err(Errno::EOPNOTSUPP.into())
}

/// `RTM GETADDR` for all.
pub(crate) fn dump(_kernel: &mut Kernel, _request: &Request<'_>) -> Result<Answer> {
    Err(Errno::EOPNOTSUPP.into())
}
