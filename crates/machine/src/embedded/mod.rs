//! An embedded kernel, reached through its Unix socket.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use crate::{DirEntry, LogRecord, Netns, NetnsHandle, Received};

/// A machine whose kernel runs in another process.
#[derive(Debug)]
pub struct EmbeddedMachine {}
#[derive(Debug)]
pub(crate) struct EmbeddedSocket(OwnedFd);
#[derive(Debug)]
pub(crate) struct EmbeddedLog {}

#[allow(unused_variables)]
impl EmbeddedMachine {
    pub(crate) fn connect(path: OsString) -> io::Result<EmbeddedMachine> {
        unimplemented!()
    }
    pub(crate) fn socket(&self, ns: &Netns, domain: i32, kind: i32, protocol: i32) -> io::Result<EmbeddedSocket> {
        unimplemented!()
    }
    pub(crate) fn read_file(&self, ns: &Netns, path: &str) -> io::Result<Vec<u8>> {
        unimplemented!()
    }
    pub(crate) fn write_file(&self, ns: &Netns, path: &str, data: &[u8]) -> io::Result<()> {
        unimplemented!()
    }
    pub(crate) fn read_dir(&self, ns: &Netns, path: &str) -> io::Result<Vec<DirEntry>> {
        unimplemented!()
    }
    pub(crate) fn read_link(&self, ns: &Netns, path: &str) -> io::Result<String> {
        unimplemented!()
    }
    pub(crate) fn netns_list(&self) -> io::Result<Vec<String>> {
        unimplemented!()
    }
    pub(crate) fn netns_add(&self, name: &str) -> io::Result<()> {
        unimplemented!()
    }
    pub(crate) fn netns_attach(&self, name: &str, pid: u32) -> io::Result<()> {
        unimplemented!()
    }
    pub(crate) fn netns_delete(&self, name: &str) -> io::Result<()> {
        unimplemented!()
    }
    pub(crate) fn netns_identify(&self, pid: Option<u32>) -> io::Result<Vec<String>> {
        unimplemented!()
    }
    pub(crate) fn netns_pids(&self, name: &str) -> io::Result<Vec<u32>> {
        unimplemented!()
    }
    pub(crate) fn netns_handle(&self, ns: &Netns) -> io::Result<NetnsHandle> {
        unimplemented!()
    }
    pub(crate) fn enter(&self, ns: &Netns) -> io::Result<()> {
        unimplemented!()
    }
    pub(crate) fn kernel_log(&self) -> io::Result<EmbeddedLog> {
        unimplemented!()
    }
}

#[allow(unused_variables)]
impl EmbeddedSocket {
    pub(crate) fn bind(&self, address: &[u8]) -> io::Result<()> {
        unimplemented!()
    }
    pub(crate) fn connect(&self, address: &[u8]) -> io::Result<()> {
        unimplemented!()
    }
    pub(crate) fn local_address(&self) -> io::Result<Vec<u8>> {
        unimplemented!()
    }
    pub(crate) fn set_option(&self, level: i32, name: i32, value: &[u8]) -> io::Result<()> {
        unimplemented!()
    }
    pub(crate) fn option(&self, level: i32, name: i32, length: usize) -> io::Result<Vec<u8>> {
        unimplemented!()
    }
    pub(crate) fn send(&self, data: &[u8], address: &[u8], flags: i32) -> io::Result<usize> {
        unimplemented!()
    }
    pub(crate) fn receive(&self, length: usize, flags: i32) -> io::Result<Received> {
        unimplemented!()
    }
    pub(crate) fn wait(&self, timeout: Option<Duration>) -> io::Result<bool> {
        unimplemented!()
    }
    pub(crate) fn ioctl(&self, request: u32, argument: &mut [u8], data: Option<&mut [u8]>) -> io::Result<i32> {
        unimplemented!()
    }
    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[allow(unused_variables)]
impl EmbeddedLog {
    pub(crate) fn next(&mut self) -> io::Result<Option<LogRecord>> {
        unimplemented!()
    }
    pub(crate) fn wait(&mut self, timeout: Option<Duration>) -> io::Result<bool> {
        unimplemented!()
    }
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        unimplemented!()
    }
}
