//! The kernel log: `/dev/kmsg` records, one at a time.

use std::io;
use std::time::Duration;

use crate::embedded::EmbeddedLog;
use crate::host::HostLog;

/// One line of the kernel log.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LogRecord {
    /// syslog priority 0 (emergency) to 7 (debug).
    pub level: u8,
    /// syslog facility; 0 is the kernel's.
    pub facility: u8,
    /// Ever growing number of the record.
    pub sequence: u64,
    /// Time since boot.
    pub time: Duration,
    /// The text without its newline.
    pub text: String,
}

/// A reader of the kernel log, at its oldest record first.
#[derive(Debug)]
pub struct KernelLog(Inner);

#[derive(Debug)]
enum Inner {
    Host(HostLog),
    Embedded(EmbeddedLog),
}

impl KernelLog {
    pub(crate) fn host(log: HostLog) -> KernelLog {
        KernelLog(Inner::Host(log))
    }

    pub(crate) fn embedded(log: EmbeddedLog) -> KernelLog {
        KernelLog(Inner::Embedded(log))
    }

    /// The next record; `None` when there is none yet.
    pub fn read(&mut self) -> io::Result<Option<LogRecord>> {
        match &mut self.0 {
            Inner::Host(log) => log.next(),
            Inner::Embedded(log) => log.next(),
        }
    }

    /// Waits until there is a record to read, at most `timeout` (for ever where `None`); whether there is one.
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<bool> {
        match &mut self.0 {
            Inner::Host(log) => log.wait(timeout),
            Inner::Embedded(log) => log.wait(timeout),
        }
    }

    /// Forgets every record so far, for later readers too (`dmesg -C`).
    pub fn clear(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Inner::Host(log) => log.clear(),
            Inner::Embedded(log) => log.clear(),
        }
    }
}
