//! Connections that are sockets of the embedded kernel.

use std::io;

use netloom_kernel::{Datagram, Errno, NsId, SocketId};
use netloom_machine::packet;
use netloom_machine::protocol::{Call, Event, Hello, Reply, Said, VERSION, WINDOW};
use netloom_machine::{Control, Netns, Received};

use super::connection::Role;
use super::control::ControlSide;
use super::{Server, Source};
use crate::world::calling;

/// The machine's side of a socket.
#[derive(Debug)]
pub(super) struct SocketSide {
    pub(super) id: SocketId,
    /// Datagrams that the client hasn't said it took.
    in_flight: u32,
    /// The client has been told that the error queue holds something.
    told_of_errors: bool,
}

fn returned(result: Result<i32, Errno>) -> Event {
    match result {
        Ok(result) => Event::Return { errno: 0, result, value: Vec::new() },
        Err(Errno(errno)) => Event::Return { errno, result: -1, value: Vec::new() },
    }
}

fn returned_bytes(result: Result<Vec<u8>, Errno>) -> Event {
    match result {
        Ok(value) => Event::Return { errno: 0, result: 0, value },
        Err(Errno(errno)) => Event::Return { errno, result: -1, value: Vec::new() },
    }
}

fn controls(control: Vec<netloom_kernel::Control>) -> Vec<Control> {
    control.into_iter().map(|c| Control { level: c.level, kind: c.kind, data: c.data }).collect()
}

fn received(datagram: Datagram) -> Received {
    let Datagram { data, address, control, flags } = datagram;
    Received { data, address, control: controls(control), flags }
}

/// A client that says what cannot be.
pub(super) fn malformed() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

/// How many clients may share memory with the machine at a time. It looks at all of them, again and again.
const MAX_SHARING: usize = 64;

/// The most that one option or one ioctl may ask for.
const MAX_ARGUMENT: usize = 64 * 1024;

impl Server {
    /// A connection's first packet.
    pub(super) fn greet(&mut self, index: u32, bytes: &[u8]) -> io::Result<()> {
        let hello: Hello = packet::decode(bytes)?;
        let Some(connection) = self.connections.get_mut(&index) else { return Ok(()) };
        match hello {
            Hello::Control { version } if version == VERSION => {
                connection.role = Role::Control(ControlSide::default());
                connection.send(&Reply::Done)
            }
            Hello::Control { .. } => connection.send(&Reply::Error(libc::EPROTO)),
            Hello::Socket { version, netns, domain, kind, protocol } => {
                let pid = connection.pid;
                let opened = self.namespace(version, &netns, pid);
                let opened = opened.and_then(|ns| self.world.kernel.socket(ns, domain, kind, protocol));
                self.become_socket(index, opened)
            }
            Hello::Tun { version, netns } => {
                let pid = connection.pid;
                let opened = self.namespace(version, &netns, pid).and_then(|ns| self.world.kernel.open_tun(ns));
                self.become_socket(index, opened)
            }
        }
    }

    /// The connection is that socket from now on, if it could be opened.
    fn become_socket(&mut self, index: u32, opened: Result<SocketId, Errno>) -> io::Result<()> {
        let Some(connection) = self.connections.get_mut(&index) else { return Ok(()) };
        if let Ok(id) = opened {
            connection.role = Role::Socket(SocketSide { id, in_flight: 0, told_of_errors: false });
            self.sockets.insert(id, index);
        }
        connection.send(&returned(opened.map(|_| 0)))
    }

    fn namespace(&self, version: u32, netns: &Netns, pid: u32) -> Result<NsId, Errno> {
        if version == VERSION { self.world.namespace(netns, pid).map_err(Errno) } else { Err(Errno(libc::EPROTO)) }
    }

    pub(super) fn socket_call(&mut self, index: u32, bytes: &[u8]) -> io::Result<()> {
        let Said { taken, call } = packet::decode::<Said<Call>>(bytes)?;
        let Some(connection) = self.connections.get_mut(&index) else { return Ok(()) };
        let Role::Socket(side) = &mut connection.role else { return Ok(()) };
        side.in_flight = side.in_flight.checked_sub(taken).ok_or_else(malformed)?;
        let Some(call) = call else {
            self.pump(index);
            return Ok(());
        };
        let (id, pid) = (side.id, connection.pid);
        let (kernel, caller) = calling!(&mut self.world, pid);
        let event = match call {
            Call::ShareMemory => return self.share_memory(index),
            Call::Bind(address) => returned(kernel.bind(id, &address, &caller).map(|()| 0)),
            Call::Connect(address) => returned(kernel.connect(id, &address).map(|()| 0)),
            Call::LocalAddress => returned_bytes(kernel.local_address(id)),
            Call::SetOption { level, name, value } => returned(kernel.set_option(id, level, name, &value).map(|()| 0)),
            Call::Option { level, name, length } => {
                returned_bytes(kernel.option(id, level, name, (length as usize).min(MAX_ARGUMENT)))
            }
            Call::Send { data, address, flags } => {
                returned(kernel.send(id, &data, &address, flags, &caller).map(|count| count as i32))
            }
            Call::ReceiveError => {
                side.told_of_errors = false;
                match kernel.receive(id, libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT) {
                    Ok(datagram) => returned_bytes(Ok(packet::encode(&received(datagram))?)),
                    Err(errno) => returned(Err(errno)),
                }
            }
            Call::Ioctl { request, mut argument, mut data } => {
                match kernel.ioctl(id, request, &mut argument, data.as_mut(), &caller) {
                    Ok(result) => {
                        let mut value = argument;
                        value.extend(data.unwrap_or_default());
                        Event::Return { errno: 0, result, value }
                    }
                    Err(errno) => returned(Err(errno)),
                }
            }
        };
        connection.join(&event)?;
        // What has arrived goes along; an error that is left in the queue is told of again.
        self.pump(index);
        Ok(())
    }

    /// Shares memory with a client, if there is enough for one more.
    fn share_memory(&mut self, index: u32) -> io::Result<()> {
        let Some(connection) = self.connections.get_mut(&index) else { return Ok(()) };
        let may = self.sharing.len() < MAX_SHARING && !self.sharing.contains(&index);
        if may && connection.share_memory(&returned(Ok(0))).is_ok() {
            self.sharing.push(index);
        } else {
            connection.join(&returned(Err(Errno(libc::ENOMEM))))?;
        }
        self.pump(index);
        Ok(())
    }

    /// Gives sockets' owners what has arrived for them.
    pub(super) fn deliver(&mut self) {
        while let Some(id) = self.world.kernel.next_ready() {
            if let Some(&index) = self.sockets.get(&id) {
                self.pump(index);
            }
        }
    }

    /// Sends what waits to be sent and what the socket has received, as far as the window allows.
    pub(super) fn pump(&mut self, index: u32) {
        let Some(connection) = self.connections.get_mut(&index) else { return };
        let kernel = &mut self.world.kernel;
        let mut errors = 0;
        let result = loop {
            if connection.has_packet()
                && let Err(error) = connection.flush()
            {
                break Err(error);
            }
            let full = connection.has_packet();
            let Role::Socket(side) = &mut connection.role else { return };
            let readiness = kernel.readiness(side.id);
            if side.in_flight >= WINDOW || full || !(readiness.readable || readiness.error) {
                break connection.flush();
            }
            let event = match kernel.receive(side.id, libc::MSG_DONTWAIT) {
                Ok(Datagram { data, address, control, flags }) => {
                    side.in_flight += 1;
                    Event::Datagram { data, address, control: controls(control), flags }
                }
                Err(Errno::EAGAIN) if readiness.error && !side.told_of_errors => {
                    side.told_of_errors = true;
                    Event::ErrorQueue
                }
                Err(Errno::EAGAIN) => break connection.flush(),
                // A socket that fails again and again must not keep the loop.
                Err(_) if errors > 8 => break connection.flush(),
                Err(Errno(errno)) => {
                    errors += 1;
                    Event::Error(errno)
                }
            };
            if let Err(error) = connection.join(&event) {
                break Err(error);
            }
        };
        if result.is_err() {
            return self.close(index);
        }
        connection.rearm(&self.epoll, Source::Connection(index).token());
    }
}
