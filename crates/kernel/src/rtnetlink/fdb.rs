//! Forwarding entries of bridges and devices' filters (`RTM_*NEIGH` with `AF_BRIDGE`).

use super::dispatch::{Answer, Request};
use crate::Kernel;
use crate::error::{Errno, Result};

/// `RTM NEWNEIGH`.
pub(crate) fn add(_kernel: &mut Kernel, _request: &Request<'_>) -> Result<Answer> {
    Err(Errno::EOPNOTSUPP.into())
}

/// `RTM DELNEIGH`.
pub(crate) fn delete(_kernel: &mut Kernel, _request: &Request<'_>) -> Result<Answer> {
    Err(Errno::EOPNOTSUPP.into())
}

/// `RTM GETNEIGH` for all.
pub(crate) fn dump(_kernel: &mut Kernel, _request: &Request<'_>) -> Result<Answer> {
    Err(Errno::EOPNOTSUPP.into())
}

/// `RTM GETNEIGH` for one.
pub(crate) fn get(_kernel: &mut Kernel, _request: &Request<'_>) -> Result<Answer> {
    Err(Errno::EOPNOTSUPP.into())
}
