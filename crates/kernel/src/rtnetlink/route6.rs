//! IPv6 routes (`RTM_*ROUTE`).

use super::dispatch::{Answer, Request};
use crate::Kernel;
use crate::error::{Errno, Result};

/// `RTM NEWROUTE`.
pub(crate) fn add(_kernel: &mut Kernel, _request: &Request<'_>) -> Result<Answer> {
    Err(Errno::EOPNOTSUPP.into())
}

/// `RTM DELROUTE`.
pub(crate) fn delete(_kernel: &mut Kernel, _request: &Request<'_>) -> Result<Answer> {
    Err(Errno::EOPNOTSUPP.into())
}

/// `RTM GETROUTE` for all.
pub(crate) fn dump(_kernel: &mut Kernel, _request: &Request<'_>) -> Result<Answer> {
    Err(Errno::EOPNOTSUPP.into())
}

/// `RTM GETROUTE`: a lookup.
pub(crate) fn get(_kernel: &mut Kernel, _request: &Request<'_>) -> Result<Answer> {
    Err(Errno::EOPNOTSUPP.into())
}
