//! Routing rules of both families (`RTM_*RULE`).

use super::dispatch::{Answer, Request};
use crate::Kernel;
use crate::error::{Errno, Result};

/// `RTM NEWRULE`.
pub(crate) fn add(_kernel: &mut Kernel, _request: &Request<'_>) -> Result<Answer> {
    Err(Errno::EOPNOTSUPP.into())
}

/// `RTM DELRULE`.
pub(crate) fn delete(_kernel: &mut Kernel, _request: &Request<'_>) -> Result<Answer> {
    Err(Errno::EOPNOTSUPP.into())
}

/// `RTM GETRULE` for all.
pub(crate) fn dump(_kernel: &mut Kernel, _request: &Request<'_>) -> Result<Answer> {
    Err(Errno::EOPNOTSUPP.into())
}
