//! The host's own kernel.

mod files;
mod kmsg;
mod netns;
pub(crate) mod socket;

pub(crate) use kmsg::HostLog;

/// The real Linux below: every method is its own system calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct HostMachine;
