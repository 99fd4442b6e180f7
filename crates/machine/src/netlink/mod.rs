//! A small synchronous netlink client on a [`Socket`]: ask the kernel, acknowledge, dump, listen.

mod message;

use std::fmt;
use std::io;

use netlink_packet_core::{NLM_F_ACK, NLM_F_MULTIPART};

pub use message::{Attribute, Attributes, Message, Messages, Nest, Request, Table};

use crate::{Machine, Netns, Socket};

/// `NLM_F_DUMP`: ask for every object.
pub const DUMP: u16 = 0x300;

const NLMSG_NOOP: u16 = 1;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_DUMP_INTR: u16 = 0x10;
const NLM_F_CAPPED: u16 = 0x100;
const NLM_F_ACK_TLVS: u16 = 0x200;
const NLMSGERR_ATTR_MSG: u16 = 1;
const NLMSGERR_ATTR_OFFS: u16 = 2;

/// Longer than any datagram the kernel makes; untouched pages of it cost nothing.
const LONGEST_DATAGRAM: usize = 1 << 18;

/// What the kernel said instead of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The errno; positive.
    pub errno: i32,
    /// The kernel's own words (extended acknowledgement).
    pub message: Option<String>,
    /// Where in the request the offending attribute stands, from the start of the netlink header.
    pub offset: Option<u32>,
    /// What failed.
    pub stage: Stage,
}

/// Where a conversation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Sending or receiving: the socket's own error.
    Transport,
    /// The kernel refused a request.
    Request,
    /// The kernel refused or broke off a dump.
    Dump,
}

impl Error {
    fn transport(error: &io::Error) -> Error {
        Error { errno: error.raw_os_error().unwrap_or(libc::EIO), message: None, offset: None, stage: Stage::Transport }
    }

    /// An error acknowledgement: `errno`, then the attributes of an extended one.
    fn kernel(errno: i32, extension: Attributes<'_>, stage: Stage) -> Error {
        let table = extension.table::<8>();
        Error {
            errno,
            message: table.string(NLMSGERR_ATTR_MSG).map(str::to_owned),
            offset: table.u32(NLMSGERR_ATTR_OFFS),
            stage,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) => f.write_str(message),
            None => fmt::Display::fmt(&io::Error::from_raw_os_error(self.errno), f),
        }
    }
}

impl std::error::Error for Error {}

impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        io::Error::from_raw_os_error(error.errno)
    }
}

/// How a dump ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "an interrupted dump may be inconsistent"]
pub struct Dump {
    /// The objects changed meanwhile (`NLM_F_DUMP_INTR`): what came may be inconsistent.
    pub interrupted: bool,
}

/// A message that outlives its datagram.
#[derive(Clone, Debug)]
pub struct Reply {
    kind: u16,
    flags: u16,
    payload: Vec<u8>,
}

impl Reply {
    /// The message.
    pub fn message(&self) -> Message<'_> {
        Message { kind: self.kind, flags: self.flags, sequence: 0, port: 0, payload: &self.payload }
    }
}

/// A netlink socket in a namespace.
#[derive(Debug)]
pub struct Netlink {
    socket: Socket,
    sequence: u32,
}

impl Netlink {
    /// Opens a socket of that protocol (`NETLINK_ROUTE`, `NETLINK_GENERIC`) with extended acknowledgements and strict
    /// checking of dump requests, both where the kernel has them.
    pub fn open(machine: &Machine, ns: &Netns, protocol: i32) -> io::Result<Netlink> {
        let socket = machine.socket(ns, libc::AF_NETLINK, libc::SOCK_RAW, protocol)?;
        let _ = socket.set_option_int(libc::SOL_SOCKET, libc::SO_SNDBUF, 32 * 1024);
        let _ = socket.set_option_int(libc::SOL_SOCKET, libc::SO_RCVBUF, 1024 * 1024);
        let _ = socket.set_option_int(libc::SOL_NETLINK, libc::NETLINK_EXT_ACK, 1);
        socket.bind(&address(0))?;
        let netlink = Netlink { socket, sequence: 0 };
        netlink.set_strict(true);
        Ok(netlink)
    }

    /// Whether the kernel checks (and filters by) the header and attributes of dump requests.
    pub fn set_strict(&self, strict: bool) {
        let _ = self.socket.set_option_int(libc::SOL_NETLINK, libc::NETLINK_GET_STRICT_CHK, strict.into());
    }

    /// Listens to a multicast group (`RTNLGRP_*`).
    pub fn join(&self, group: u32) -> io::Result<()> {
        self.socket.set_option(libc::SOL_NETLINK, libc::NETLINK_ADD_MEMBERSHIP, &group.to_ne_bytes())
    }

    /// The socket below: for options, and to wait on.
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Sends a request without waiting for what comes; its sequence number.
    pub fn send(&mut self, request: &mut Request) -> Result<u32, Error> {
        self.sequence = self.sequence.wrapping_add(1).max(1);
        let bytes = request.finish(self.sequence);
        self.socket.send(bytes, &[], 0).map_err(|error| Error::transport(&error))?;
        Ok(self.sequence)
    }

    /// Does something and waits for the acknowledgement; a warning that came with it.
    pub fn request(&mut self, request: &mut Request) -> Result<Option<String>, Error> {
        request.add_flags(NLM_F_ACK);
        let mut warning = None;
        self.converse(request, Stage::Request, |message| {
            if let Ack::Of(0, extension) = Ack::parse(message) {
                warning = extension.find(NLMSGERR_ATTR_MSG).map(|attribute| attribute.string().to_owned());
            }
        })?;
        Ok(warning)
    }

    /// Asks for one object. The first message of the kernel's answer is it.
    pub fn get(&mut self, request: &mut Request) -> Result<Reply, Error> {
        let sequence = self.send(request)?;
        loop {
            let datagram = self.datagram()?;
            for message in Messages::new(&datagram).filter(|message| message.sequence == sequence) {
                match Ack::parse(&message) {
                    Ack::Of(0, _) | Ack::None if message.kind == NLMSG_NOOP => {}
                    Ack::None => {
                        let Message { kind, flags, payload, .. } = message;
                        return Ok(Reply { kind, flags, payload: payload.to_vec() });
                    }
                    Ack::Of(0, _) => return Err(Error::kernel(libc::ENODATA, Attributes::default(), Stage::Request)),
                    Ack::Of(errno, extension) => return Err(Error::kernel(errno, extension, Stage::Request)),
                }
            }
        }
    }

    /// Asks for every object; `each` is given them in the kernel's order. [`DUMP`] is added to the flags.
    pub fn dump(&mut self, request: &mut Request, mut each: impl FnMut(Message<'_>)) -> Result<Dump, Error> {
        request.add_flags(DUMP);
        let mut dump = Dump::default();
        self.converse(request, Stage::Dump, |message| {
            dump.interrupted |= message.flags & NLM_F_DUMP_INTR != 0;
            if message.kind > NLMSG_DONE {
                each(*message);
            }
        })?;
        Ok(dump)
    }

    /// Waits for one datagram of notifications and hands its messages over.
    pub fn receive(&mut self, mut each: impl FnMut(Message<'_>)) -> Result<(), Error> {
        let datagram = self.datagram()?;
        Messages::new(&datagram).for_each(&mut each);
        Ok(())
    }

    /// Sends a request and hands over every message that answers it, until an acknowledgement, an error, the end of a
    /// multi-part answer, or a single message where neither was asked for.
    fn converse(
        &mut self,
        request: &mut Request,
        stage: Stage,
        mut each: impl FnMut(&Message<'_>),
    ) -> Result<(), Error> {
        let sequence = self.send(request)?;
        let single = request.flags() & (NLM_F_ACK | DUMP) == 0;
        loop {
            let datagram = self.datagram()?;
            for message in Messages::new(&datagram).filter(|message| message.sequence == sequence) {
                each(&message);
                match Ack::parse(&message) {
                    Ack::Of(0, _) => return Ok(()),
                    Ack::Of(errno, extension) => return Err(Error::kernel(errno, extension, stage)),
                    Ack::None if single && message.flags & NLM_F_MULTIPART == 0 => return Ok(()),
                    Ack::None => {}
                }
            }
        }
    }

    fn datagram(&mut self) -> Result<Vec<u8>, Error> {
        loop {
            match self.socket.receive(LONGEST_DATAGRAM, 0) {
                Ok(received) if received.data.is_empty() => {
                    return Err(Error::transport(&io::Error::from_raw_os_error(libc::ENODATA)));
                }
                Ok(received) => return Ok(received.data),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::transport(&error)),
            }
        }
    }
}

/// Whether a message ends a conversation.
enum Ack<'a> {
    /// It does not.
    None,
    /// It does, with an errno (0: success) and the attributes of an extended acknowledgement.
    Of(i32, Attributes<'a>),
}

impl<'a> Ack<'a> {
    fn parse(message: &Message<'a>) -> Ack<'a> {
        let payload = message.payload;
        let Some(code) = payload.first_chunk().copied().map(i32::from_ne_bytes) else {
            // An acknowledgement without its number says nothing but that it is one.
            return match message.kind {
                NLMSG_ERROR => Ack::Of(libc::EPROTO, Attributes::default()),
                NLMSG_DONE => Ack::Of(0, Attributes::default()),
                _ => Ack::None,
            };
        };
        let quoted = match message.kind {
            NLMSG_DONE => 0,
            NLMSG_ERROR if message.flags & NLM_F_CAPPED != 0 => message::HEADER,
            NLMSG_ERROR => message::u32_at(payload, 4) as usize,
            _ => return Ack::None,
        };
        let extended = message.flags & NLM_F_ACK_TLVS != 0;
        let extension = payload.get(4usize.saturating_add(quoted.next_multiple_of(4))..).filter(|_| extended);
        Ack::Of(code.checked_neg().unwrap_or(libc::EPROTO), Attributes::new(extension.unwrap_or_default()))
    }
}

/// A `sockaddr_nl` of the kernel (or of a port still to be chosen), in no group.
fn address(port: u32) -> [u8; 12] {
    let mut address = [0; 12];
    address[..2].copy_from_slice(&(libc::AF_NETLINK as u16).to_ne_bytes());
    address[4..8].copy_from_slice(&port.to_ne_bytes());
    address
}

#[cfg(test)]
mod tests {
    use std::os::fd::{AsFd, OwnedFd};

    use super::*;

    #[test]
    fn an_extended_acknowledgement_has_errno_message_and_offset() {
        let mut payload = (-libc::EEXIST).to_ne_bytes().to_vec();
        payload.extend_from_slice(&16u32.to_ne_bytes());
        payload.extend_from_slice(&[0; 12]);
        payload.extend_from_slice(&[9, 0, 1, 0, b'b', b'u', b's', b'y', 0, 0, 0, 0, 8, 0, 2, 0, 36, 0, 0, 0]);
        let message = Message {
            kind: NLMSG_ERROR,
            flags: NLM_F_CAPPED | NLM_F_ACK_TLVS,
            sequence: 1,
            port: 1,
            payload: &payload,
        };
        let Ack::Of(errno, extension) = Ack::parse(&message) else { panic!("an acknowledgement") };
        let error = Error::kernel(errno, extension, Stage::Request);
        assert_eq!((error.errno, error.message.as_deref(), error.offset), (libc::EEXIST, Some("busy"), Some(36)));
    }

    #[test]
    fn malformed_acknowledgements_are_errors_or_ends() {
        for (kind, payload, errno) in [
            (NLMSG_ERROR, &[][..], libc::EPROTO),
            (NLMSG_DONE, &[], 0),
            (NLMSG_ERROR, &i32::MIN.to_ne_bytes(), libc::EPROTO),
            (NLMSG_ERROR, &[0xff; 8], 1),
        ] {
            let message = Message { kind, flags: NLM_F_ACK_TLVS, sequence: 0, port: 0, payload };
            let Ack::Of(found, extension) = Ack::parse(&message) else { panic!("an acknowledgement") };
            assert_eq!((found, extension.count()), (errno, 0));
        }
    }

    /// A kernel that answers the first request with these datagrams.
    fn answering(datagrams: &[Vec<u8>]) -> (Netlink, OwnedFd) {
        let (kernel, socket) = crate::packet::pair().unwrap();
        for datagram in datagrams {
            crate::packet::send(kernel.as_fd(), datagram, &[], 0).unwrap();
        }
        (Netlink { socket: Socket::host(socket), sequence: 0 }, kernel)
    }

    fn message(kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
        let mut bytes = (16 + payload.len() as u32).to_ne_bytes().to_vec();
        bytes.extend([kind.to_ne_bytes(), flags.to_ne_bytes()].concat());
        bytes.extend([1u32.to_ne_bytes(), 0u32.to_ne_bytes()].concat());
        bytes.extend(payload);
        bytes
    }

    #[test]
    fn a_dump_that_was_interrupted_anywhere_is_whole_but_marked() {
        const RTM_NEWLINK: u16 = 16;
        let done = message(NLMSG_DONE, NLM_F_MULTIPART, &[0; 4]);
        let link = |number: u8, flags| message(RTM_NEWLINK, NLM_F_MULTIPART | flags, &[number; 4]);
        for (marked, interrupted) in [(None, false), (Some(0), true), (Some(2), true)] {
            let flag = |number: u8| if marked == Some(number) { NLM_F_DUMP_INTR } else { 0 };
            let link = |number| link(number, flag(number));
            let (mut netlink, _kernel) = answering(&[[link(0), link(1)].concat(), link(2), done.clone()]);
            let mut seen = Vec::new();
            let dump = netlink.dump(&mut Request::new(18, 0), |message| seen.push(message.payload[0])).unwrap();
            assert_eq!((dump.interrupted, seen), (interrupted, vec![0, 1, 2]));
        }
        let end = message(NLMSG_DONE, NLM_F_MULTIPART | NLM_F_DUMP_INTR, &[0; 4]);
        let (mut netlink, _kernel) = answering(&[end]);
        assert!(netlink.dump(&mut Request::new(18, 0), |_| {}).unwrap().interrupted);
    }

    #[test]
    fn a_dump_that_breaks_off_is_an_error_of_the_dump() {
        let link = message(16, NLM_F_MULTIPART, &[0; 4]);
        let broken = message(NLMSG_DONE, NLM_F_MULTIPART, &(-libc::ENOBUFS).to_ne_bytes());
        let (mut netlink, _kernel) = answering(&[link, broken]);
        let error = netlink.dump(&mut Request::new(18, 0), |_| {}).unwrap_err();
        assert_eq!((error.errno, error.stage), (libc::ENOBUFS, Stage::Dump));
    }
}
