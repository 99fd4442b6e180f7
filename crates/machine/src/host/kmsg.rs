//! `/dev/kmsg`, one record a read.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use super::HostMachine;
use crate::{LOG_VARIABLE, LogRecord};

#[derive(Debug)]
pub(crate) struct HostLog {
    file: File,
    /// The number of the first record that is shown.
    from: u64,
}

impl HostMachine {
    pub(crate) fn kernel_log(&self) -> io::Result<HostLog> {
        let file = std::fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open("/dev/kmsg")?;
        // The first record that no `dmesg -C` has cleared.
        // SAFETY: the descriptor is open; lseek touches no memory.
        unsafe { libc::lseek(file.as_raw_fd(), 0, libc::SEEK_DATA) };
        let from = std::env::var(LOG_VARIABLE).ok().and_then(|from| from.parse().ok()).unwrap_or(0);
        Ok(HostLog { file, from })
    }

    /// The number that the log's next record will have.
    pub fn log_end(&self) -> io::Result<u64> {
        let mut log = self.kernel_log()?;
        let mut end = 0;
        while let Some(record) = log.next()? {
            end = record.sequence + 1;
        }
        Ok(end)
    }
}

impl HostLog {
    pub(crate) fn next(&mut self) -> io::Result<Option<LogRecord>> {
        let mut buffer = [0u8; 8192];
        loop {
            match self.file.read(&mut buffer) {
                Ok(length) => {
                    let record = parse(&String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()));
                    if let Some(record) = record.filter(|record| record.sequence >= self.from) {
                        return Ok(Some(record));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                // The oldest records were overwritten while we read: go on with what is left.
                Err(error) if error.raw_os_error() == Some(libc::EPIPE) => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn wait(&mut self, timeout: Option<Duration>) -> io::Result<bool> {
        super::socket::wait(self.file.as_fd(), timeout)
    }

    pub(crate) fn clear(&mut self) -> io::Result<()> {
        const SYSLOG_ACTION_CLEAR: libc::c_int = 5;
        // SAFETY: the action takes no buffer.
        let result = unsafe { libc::klogctl(SYSLOG_ACTION_CLEAR, std::ptr::null_mut(), 0) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

/// `PRIORITY,SEQUENCE,MICROSECONDS,FLAGS[,…];TEXT`, continued by lines of properties.
fn parse(record: &str) -> Option<LogRecord> {
    let (head, rest) = record.split_once(';')?;
    let mut fields = head.split(',');
    let priority: u32 = fields.next()?.parse().ok()?;
    let sequence = fields.next()?.parse().ok()?;
    let time = Duration::from_micros(fields.next()?.parse().ok()?);
    let text = rest.split('\n').next()?.to_owned();
    Some(LogRecord { level: (priority & 7) as u8, facility: (priority >> 3) as u8, sequence, time, text })
}
