//! The host's own kernel.

mod files;
mod kmsg;
mod netns;
mod netns_watch;
pub(crate) mod socket;

pub(crate) use kmsg::HostLog;
pub(crate) use netns_watch::HostNetnsWatch;

/// The real Linux below: every method is its own system calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct HostMachine;
