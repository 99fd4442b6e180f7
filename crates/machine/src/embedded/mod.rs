//! An embedded kernel, reached through its Unix socket.

pub mod channel;
mod connection;

mod log;
mod memory;
pub mod packet;
mod ring;
mod socket;

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) use log::EmbeddedLog;
pub(crate) use socket::EmbeddedSocket;

use crate::protocol::{Hello, Reply, Request, VERSION};
use crate::{DirEntry, FileKind, Netns, NetnsHandle};
use connection::Connection;

/// A machine whose kernel runs in another process.
#[derive(Debug)]
pub struct EmbeddedMachine {
    path: OsString,
    control: Mutex<ControlConnection>,
}

/// The conversation with the machine itself. The machine knows a process by who connected, so a process that was
/// forked off needs one of its own.
#[derive(Debug)]
struct ControlConnection {
    connection: Connection,
    owner: u32,
}

/// Opens a control connection.
fn hello(path: &OsStr) -> io::Result<Connection> {
    let mut connection = Connection::open(path)?;
    connection.send(&Hello::Control { version: VERSION })?;
    match connection.receive()? {
        Reply::Error(libc::EPROTO) => Err(io::Error::other("the machine was started by another version of netloom")),
        reply => done(reply).map(|()| connection),
    }
}

fn done(reply: Reply) -> io::Result<()> {
    match reply {
        Reply::Done => Ok(()),
        reply => Err(unexpected(reply)),
    }
}

fn unexpected(reply: Reply) -> io::Error {
    match reply {
        Reply::Error(errno) => io::Error::from_raw_os_error(errno),
        _ => io::ErrorKind::InvalidData.into(),
    }
}

impl EmbeddedMachine {
    /// The machine that listens at `path`.
    pub fn connect(path: impl Into<OsString>) -> io::Result<EmbeddedMachine> {
        let path = path.into();
        let control = ControlConnection { connection: hello(&path)?, owner: std::process::id() };
        Ok(EmbeddedMachine { path, control: Mutex::new(control) })
    }

    fn control(&self) -> io::Result<MutexGuard<'_, ControlConnection>> {
        let mut control = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        let owner = std::process::id();
        if control.owner != owner {
            *control = ControlConnection { connection: hello(&self.path)?, owner };
        }
        Ok(control)
    }

    fn ask(&self, request: &Request) -> io::Result<Reply> {
        let mut control = self.control()?;
        control.connection.send(request)?;
        control.connection.receive()
    }

    fn order(&self, request: &Request) -> io::Result<()> {
        done(self.ask(request)?)
    }

    fn bytes(&self, request: &Request) -> io::Result<Vec<u8>> {
        let mut control = self.control()?;
        control.connection.send(request)?;
        let mut whole = Vec::new();
        loop {
            match control.connection.receive()? {
                Reply::Bytes { bytes, more } => {
                    whole.extend(bytes);
                    if !more {
                        return Ok(whole);
                    }
                }
                reply => return Err(unexpected(reply)),
            }
        }
    }

    fn names(&self, request: &Request) -> io::Result<Vec<String>> {
        match self.ask(request)? {
            Reply::Names(names) => Ok(names),
            reply => Err(unexpected(reply)),
        }
    }

    fn numbers(&self, request: &Request) -> io::Result<Vec<u32>> {
        match self.ask(request)? {
            Reply::Numbers(numbers) => Ok(numbers),
            reply => Err(unexpected(reply)),
        }
    }

    pub(crate) fn socket(&self, ns: &Netns, domain: i32, kind: i32, protocol: i32) -> io::Result<EmbeddedSocket> {
        EmbeddedSocket::open(&self.path, ns, domain, kind, protocol)
    }

    pub(crate) fn open_tun(&self, ns: &Netns) -> io::Result<EmbeddedSocket> {
        EmbeddedSocket::open_tun(&self.path, ns)
    }

    pub(crate) fn read_file(&self, ns: &Netns, path: &str) -> io::Result<Vec<u8>> {
        self.bytes(&Request::ReadFile(ns.clone(), path.to_owned()))
    }

    pub(crate) fn write_file(&self, ns: &Netns, path: &str, data: &[u8]) -> io::Result<()> {
        self.order(&Request::WriteFile(ns.clone(), path.to_owned(), data.to_vec()))
    }

    pub(crate) fn read_dir(&self, ns: &Netns, path: &str) -> io::Result<Vec<DirEntry>> {
        let mut control = self.control()?;
        control.connection.send(&Request::ReadDir(ns.clone(), path.to_owned()))?;
        let mut whole = Vec::new();
        loop {
            match control.connection.receive()? {
                Reply::Entries { entries, more } => {
                    whole.extend(entries.into_iter().map(|(name, kind): (String, FileKind)| DirEntry { name, kind }));
                    if !more {
                        return Ok(whole);
                    }
                }
                reply => return Err(unexpected(reply)),
            }
        }
    }

    pub(crate) fn read_link(&self, ns: &Netns, path: &str) -> io::Result<String> {
        let bytes = self.bytes(&Request::ReadLink(ns.clone(), path.to_owned()))?;
        String::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData.into())
    }

    pub(crate) fn netns_list(&self) -> io::Result<Vec<String>> {
        self.names(&Request::NetnsList)
    }

    pub(crate) fn netns_add(&self, name: &str) -> io::Result<()> {
        self.order(&Request::NetnsAdd(name.to_owned()))
    }

    pub(crate) fn netns_attach(&self, name: &str, pid: u32) -> io::Result<()> {
        self.order(&Request::NetnsAttach(name.to_owned(), pid))
    }

    pub(crate) fn netns_delete(&self, name: &str) -> io::Result<()> {
        self.order(&Request::NetnsDelete(name.to_owned()))
    }

    pub(crate) fn netns_identify(&self, pid: Option<u32>) -> io::Result<Vec<String>> {
        self.names(&Request::NetnsIdentify(pid))
    }

    pub(crate) fn netns_pids(&self, name: &str) -> io::Result<Vec<u32>> {
        self.numbers(&Request::NetnsPids(name.to_owned()))
    }

    pub(crate) fn netns_handle(&self, ns: &Netns) -> io::Result<NetnsHandle> {
        match self.numbers(&Request::NetnsHandle(ns.clone()))?.first() {
            Some(&number) => Ok(NetnsHandle { number, fd: None }),
            None => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    pub(crate) fn netns_inode(&self, ns: &Netns) -> io::Result<u64> {
        match self.ask(&Request::NetnsInode(ns.clone()))? {
            Reply::Inode(inode) => Ok(inode),
            reply => Err(unexpected(reply)),
        }
    }

    pub(crate) fn enter(&self, ns: &Netns) -> io::Result<()> {
        self.order(&Request::Enter(ns.clone()))
    }

    pub(crate) fn kernel_log(&self) -> io::Result<EmbeddedLog> {
        EmbeddedLog::open(&self.path)
    }

    /// Has the machine supervise the processes behind a seccomp listener.
    pub fn supervise(&self, listener: BorrowedFd<'_>) -> io::Result<()> {
        let mut control = self.control()?;
        control.connection.send_with(&Request::Supervise, &[listener])?;
        done(control.connection.receive()?)
    }

    /// The machine's name, and the process that it is.
    pub fn identify(&self) -> io::Result<(String, u32)> {
        let mut names = self.names(&Request::Identify)?.into_iter();
        match (names.next(), names.next().and_then(|pid| pid.parse().ok())) {
            (Some(name), Some(pid)) => Ok((name, pid)),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// Ends the machine, and returns once it has gone.
    pub fn shut_down(&self) -> io::Result<()> {
        let mut control = self.control()?;
        control.connection.send(&Request::Shutdown)?;
        loop {
            match control.connection.receive::<Reply>() {
                Ok(Reply::Error(errno)) => return Err(io::Error::from_raw_os_error(errno)),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}
