//! What can go wrong between a user and a machine.

use std::io;
use std::path::PathBuf;

/// Why a machine could not be started, found or used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory for machines can't be used.
    #[error("cannot use {path} for machines: {reason}")]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The name can't be a machine's.
    #[error("{0:?} is no name for a machine: use letters, digits, '.', '_' and '-'")]
    BadName(String),
    /// There is a machine of that name.
    #[error("a machine named {0} is running already")]
    Exists(String),
    /// There is none.
    #[error("no machine named {0} is running")]
    NotFound(String),
    /// The machine has no such namespace.
    #[error("cannot enter the namespace {name}: {error}")]
    Namespace {
        /// Which.
        name: String,
        /// Why.
        error: io::Error,
    },
    /// The process between the machine and its programs was killed.
    #[error("the process that watches over the program was killed")]
    GuardDied,
    /// The host doesn't let this user have a machine of its kernel.
    #[error("cannot {what}: {error}")]
    Refused {
        /// What it refused.
        what: String,
        /// With which error.
        error: io::Error,
        /// What forbids it, and what to do.
        advice: String,
    },
    /// The machine or its program did not start, or is not there.
    #[error("{0}")]
    Start(String),
    /// A system call failed.
    #[error("{what}: {error}")]
    System {
        /// What was being done.
        what: &'static str,
        /// Why it failed.
        error: io::Error,
    },
}

/// What most functions of this crate give.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Says what was being done when a system call failed.
pub(crate) trait Doing<T> {
    fn doing(self, what: &'static str) -> Result<T>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, what: &'static str) -> Result<T> {
        self.map_err(|error| Error::System { what, error })
    }
}
