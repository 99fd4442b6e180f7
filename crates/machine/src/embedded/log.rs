//! The kernel log of an embedded machine.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io;
use std::time::Duration;

use super::connection::{Connection, deadline, wait_until};
use super::{done, hello};
use crate::LogRecord;
use crate::protocol::{Reply, Request};

#[derive(Debug)]
pub(crate) struct EmbeddedLog {
    connection: Connection,
    records: VecDeque<LogRecord>,
    next: u64,
    /// The machine has been asked to tell when there is more.
    follows: bool,
}

impl EmbeddedLog {
    pub(super) fn open(path: &OsStr) -> io::Result<EmbeddedLog> {
        Ok(EmbeddedLog { connection: hello(path)?, records: VecDeque::new(), next: 0, follows: false })
    }

    fn ask(&mut self, request: &Request) -> io::Result<Reply> {
        self.connection.send(request)?;
        loop {
            match self.connection.receive()? {
                Reply::LogGrew => {}
                Reply::Error(errno) => return Err(io::Error::from_raw_os_error(errno)),
                reply => return Ok(reply),
            }
        }
    }

    pub(crate) fn next(&mut self) -> io::Result<Option<LogRecord>> {
        if self.records.is_empty() {
            match self.ask(&Request::Log(self.next))? {
                Reply::Log(records) => self.records.extend(records),
                _ => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
        let record = self.records.pop_front();
        if let Some(record) = &record {
            self.next = record.sequence + 1;
        }
        Ok(record)
    }

    pub(crate) fn wait(&mut self, timeout: Option<Duration>) -> io::Result<bool> {
        let deadline = deadline(timeout);
        if !self.follows {
            done(self.ask(&Request::LogFollow)?)?;
            self.follows = true;
        }
        loop {
            if let Some(record) = self.next()? {
                self.next = record.sequence;
                self.records.push_front(record);
                return Ok(true);
            }
            if !wait_until(self.connection.as_fd(), deadline)? {
                return Ok(false);
            }
            let _: Option<Reply> = self.connection.try_receive()?;
        }
    }

    pub(crate) fn clear(&mut self) -> io::Result<()> {
        self.records.clear();
        done(self.ask(&Request::LogClear)?)
    }
}
