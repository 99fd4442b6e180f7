//! Control conversations: files, namespaces, the log, and the machine itself.

use std::io;
use std::os::fd::OwnedFd;

use netloom_kernel::{Errno, NodeKind};
use netloom_machine::protocol::{Reply, Request};
use netloom_machine::{FileKind, LogRecord, Netns, packet};

use super::connection::Role;
use super::socket::malformed;
use super::{Outcome, Server};

/// The machine's side of a control connection.
#[derive(Debug, Default)]
pub(super) struct ControlSide {
    /// It wants to know when the log grows.
    pub(super) follows_log: bool,
    /// Namespace handles that it holds.
    pub(super) handles: Vec<u32>,
}

/// Bytes in one part of a long answer.
const PART: usize = 64 * 1024;

/// Records or directory entries in one part of a long answer; neither has more than some hundred bytes.
const ITEMS: usize = 256;

/// The most handles that one connection may hold.
const MAX_HANDLES: usize = 4096;

fn parts(bytes: &[u8]) -> Vec<Reply> {
    let mut parts: Vec<Reply> =
        bytes.chunks(PART).map(|part| Reply::Bytes { bytes: part.to_vec(), more: true }).collect();
    match parts.last_mut() {
        Some(Reply::Bytes { more, .. }) => *more = false,
        _ => parts.push(Reply::Bytes { bytes: Vec::new(), more: false }),
    }
    parts
}

fn entries(entries: &[(String, FileKind)]) -> Vec<Reply> {
    let mut parts: Vec<Reply> =
        entries.chunks(ITEMS).map(|part| Reply::Entries { entries: part.to_vec(), more: true }).collect();
    match parts.last_mut() {
        Some(Reply::Entries { more, .. }) => *more = false,
        _ => parts.push(Reply::Entries { entries: Vec::new(), more: false }),
    }
    parts
}

fn kind(kind: NodeKind) -> FileKind {
    match kind {
        NodeKind::File => FileKind::File,
        NodeKind::Directory => FileKind::Directory,
        NodeKind::Symlink => FileKind::Symlink,
    }
}

fn one(reply: Reply) -> Result<Vec<Reply>, i32> {
    Ok(vec![reply])
}

fn errno(errno: Errno) -> i32 {
    errno.0
}

impl Server {
    pub(super) fn control_request(&mut self, index: u32, bytes: &[u8], descriptors: Vec<OwnedFd>) -> io::Result<()> {
        let request: Request = packet::decode(bytes)?;
        let Some(connection) = self.connections.get_mut(&index) else { return Ok(()) };
        let pid = connection.pid;
        let replies = if let Request::Supervise = request {
            let listener = descriptors.into_iter().next().ok_or_else(malformed)?;
            self.add_supervised(listener, Some(pid))
                .map(|()| vec![Reply::Done])
                .map_err(|error| crate::sys::errno(&error))
        } else {
            self.answer(index, pid, request)
        };
        let Some(connection) = self.connections.get_mut(&index) else { return Ok(()) };
        match replies {
            Ok(replies) => replies.iter().try_for_each(|reply| connection.send(reply)),
            Err(errno) => connection.send(&Reply::Error(errno)),
        }
    }

    fn answer(&mut self, index: u32, pid: u32, request: Request) -> Result<Vec<Reply>, i32> {
        let world = &mut self.world;
        match request {
            Request::ReadFile(netns, path) => {
                let ns = world.namespace(&netns, pid)?;
                Ok(parts(&world.kernel.read_file(ns, &path).map_err(errno)?))
            }
            Request::WriteFile(netns, path, data) => {
                let ns = world.namespace(&netns, pid)?;
                world.kernel.write_file(ns, &path, &data).map_err(errno)?;
                one(Reply::Done)
            }
            Request::ReadDir(netns, path) => {
                let ns = world.namespace(&netns, pid)?;
                let listed = world.kernel.read_dir(ns, &path).map_err(errno)?;
                let listed: Vec<_> = listed.into_iter().map(|(name, node)| (name, kind(node.kind))).collect();
                Ok(entries(&listed))
            }
            Request::ReadLink(netns, path) => {
                let ns = world.namespace(&netns, pid)?;
                Ok(parts(world.kernel.read_link(ns, &path).map_err(errno)?.as_bytes()))
            }
            Request::NetnsList => one(Reply::Names(world.names.list().map(str::to_owned).collect())),
            Request::NetnsAdd(name) => {
                let ns = world.kernel.create_namespace();
                if let Err(errno) = world.names.bind(&name, ns) {
                    world.kernel.release_namespace(ns);
                    return Err(errno);
                }
                one(Reply::Done)
            }
            Request::NetnsAttach(name, other) => {
                if world.names.get(&name).is_some() {
                    return Err(libc::EEXIST);
                }
                let ns = world.namespace(&Netns::Pid(other), pid)?;
                world.names.bind(&name, ns)?;
                world.kernel.hold_namespace(ns);
                one(Reply::Done)
            }
            Request::NetnsDelete(name) => {
                world.names.delete(&name, &mut world.kernel)?;
                one(Reply::Done)
            }
            Request::NetnsIdentify(other) => {
                let ns = world.namespace(&other.map_or(Netns::Current, Netns::Pid), pid)?;
                one(Reply::Names(world.names.of(ns)))
            }
            Request::NetnsPids(name) => {
                let ns = world.namespace(&Netns::Named(name), pid)?;
                one(Reply::Numbers(world.processes.within(ns)))
            }
            Request::NetnsHandle(netns) => {
                let ns = match world.namespace(&netns, pid) {
                    Ok(ns) => Some(ns),
                    // An ordinary file can be opened; what it is good for turns out later.
                    Err(libc::EINVAL) => None,
                    Err(errno) => return Err(errno),
                };
                let Some(Role::Control(side)) = self.connections.get_mut(&index).map(|found| &mut found.role) else {
                    return Err(libc::EIO);
                };
                if side.handles.len() >= MAX_HANDLES {
                    return Err(libc::EMFILE);
                }
                if let Some(ns) = ns {
                    world.kernel.hold_namespace(ns);
                }
                let handle = world.handles.add(ns);
                side.handles.push(handle);
                one(Reply::Numbers(vec![handle]))
            }
            Request::NetnsInode(netns) => {
                let ns = world.namespace(&netns, pid)?;
                one(Reply::Inode(world.names.inode(ns)))
            }
            Request::Enter(netns) => {
                let ns = world.namespace(&netns, pid)?;
                let name = match netns {
                    Netns::Named(name) => Some(name),
                    _ => None,
                };
                world.enter(pid, ns, name);
                one(Reply::Done)
            }
            Request::Log(from) => {
                let records = world.kernel.log().from(from).take(ITEMS).map(|record| LogRecord {
                    level: record.level as u8,
                    facility: 0,
                    sequence: record.sequence,
                    time: record.time.since_boot(),
                    text: record.text.clone(),
                });
                one(Reply::Log(records.collect()))
            }
            Request::LogFollow => {
                if let Some(Role::Control(side)) = self.connections.get_mut(&index).map(|found| &mut found.role) {
                    side.follows_log = true;
                }
                one(Reply::Done)
            }
            Request::LogClear => {
                world.kernel.clear_log();
                one(Reply::Done)
            }
            Request::Identify => one(Reply::Names(vec![world.name.clone(), std::process::id().to_string()])),
            // A machine that lives for one command ends with it.
            Request::Shutdown if self.guard.is_some() => Err(libc::EPERM),
            Request::Shutdown => {
                self.outcome = Some(Outcome::ShutDown);
                one(Reply::Done)
            }
            Request::Supervise => Err(libc::EINVAL),
        }
    }

    /// Tells those who follow the log that there is more.
    pub(super) fn tell_of_log(&mut self) {
        let next = self.world.kernel.log().next_sequence();
        if next == self.log_told {
            return;
        }
        self.log_told = next;
        for connection in self.connections.values_mut() {
            // One who hasn't taken what was said before will ask for the rest anyway.
            if matches!(&connection.role, Role::Control(side) if side.follows_log) && connection.is_idle() {
                let _ = connection.send(&Reply::LogGrew);
            }
        }
        self.serve_log_readers();
    }
}
