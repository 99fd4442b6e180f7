//! A netlink conversation with an embedded kernel, in bytes.

use netloom_kernel::{Caller, Config, Errno, Instant, Kernel, NsId, SocketId};

/// A caller with process id 4242; descriptor and process `n` stand for the n-th namespace given.
#[derive(Default)]
pub struct Process(
    /// The namespaces.
    pub Vec<NsId>,
);

impl Caller for Process {
    fn pid(&self) -> u32 {
        4242
    }
    fn netns_by_fd(&self, fd: u32) -> Option<NsId> {
        self.0.get(fd as usize).copied()
    }
    fn netns_by_pid(&self, pid: u32) -> Option<NsId> {
        self.0.get(pid as usize).copied()
    }
}

/// A kernel that has just booted.
pub fn kernel() -> Kernel {
    let config = Config { seed: 1, cpus: 2, wall_clock: Default::default(), hostname: "test".into() };
    Kernel::new(config, Instant(0))
}

/// An attribute.
pub fn attr(kind: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = ((payload.len() + 4) as u16).to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(payload);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// An attribute with a number.
pub fn u32_attr(kind: u16, value: u32) -> Vec<u8> {
    attr(kind, &value.to_ne_bytes())
}

/// An attribute with text.
pub fn text_attr(kind: u16, text: &str) -> Vec<u8> {
    attr(kind, &[text.as_bytes(), &[0]].concat())
}

/// A `struct ifinfomsg`.
pub fn ifinfo(index: i32, flags: u32, change: u32) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    bytes.extend(index.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(change.to_ne_bytes());
    bytes
}

/// A message.
pub fn message(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = ((body.len() + 16) as u32).to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(7u32.to_ne_bytes());
    bytes.extend(0u32.to_ne_bytes());
    bytes.extend(body);
    bytes
}

/// A reply: type, flags, body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Its type.
    pub kind: u16,
    /// `NLM_F_…`.
    pub flags: u16,
    /// The whole message.
    pub bytes: Vec<u8>,
}

impl Reply {
    /// What follows the header.
    pub fn body(&self) -> &[u8] {
        &self.bytes[16..]
    }

    /// The errno of an `NLMSG_ERROR` or `NLMSG_DONE`.
    pub fn errno(&self) -> i32 {
        -i32::from_ne_bytes(self.body()[..4].try_into().unwrap())
    }

    /// The attributes after a header of that many bytes.
    pub fn attrs(&self, header: usize) -> Vec<(u16, Vec<u8>)> {
        attrs(&self.body()[header..])
    }

    /// The extended ack's message of an `NLMSG_ERROR` that echoes a request, or of an `NLMSG_DONE`.
    pub fn explanation(&self) -> Option<String> {
        if self.flags & 0x200 == 0 {
            return None;
        }
        let at = match self.kind {
            3 => 4,
            _ if self.flags & 0x100 != 0 => 20,
            _ => 4 + u32::from_ne_bytes(self.body()[4..8].try_into().unwrap()).next_multiple_of(4) as usize,
        };
        let (_, text) = self.attrs(at).into_iter().find(|(kind, _)| *kind == 1)?;
        Some(String::from_utf8(text).unwrap().trim_end_matches('\0').to_owned())
    }
}

/// Attributes of a payload.
pub fn attrs(mut bytes: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut found = Vec::new();
    while bytes.len() >= 4 {
        let length = usize::from(u16::from_ne_bytes([bytes[0], bytes[1]]));
        found.push((u16::from_ne_bytes([bytes[2], bytes[3]]) & 0x3fff, bytes[4..length].to_vec()));
        bytes = &bytes[length.next_multiple_of(4).min(bytes.len())..];
    }
    found
}

/// A netlink socket.
pub struct Netlink {
    /// The socket itself.
    pub socket: SocketId,
    /// Who speaks.
    pub process: Process,
}

impl Netlink {
    /// A bound socket that listens to the groups of the mask, with extended acks.
    pub fn open(kernel: &mut Kernel, ns: NsId, groups: u32) -> Netlink {
        Netlink::of_protocol(kernel, ns, 0, groups)
    }

    /// The same for another protocol than rtnetlink.
    pub fn of_protocol(kernel: &mut Kernel, ns: NsId, protocol: i32, groups: u32) -> Netlink {
        let process = Process::default();
        let socket = kernel.socket(ns, 16, 3, protocol).unwrap();
        let mut address = vec![16, 0, 0, 0, 0, 0, 0, 0];
        address.extend(groups.to_ne_bytes());
        kernel.bind(socket, &address, &process).unwrap();
        kernel.set_option(socket, 270, 11, &1i32.to_ne_bytes()).unwrap();
        Netlink { socket, process }
    }

    /// Asks for strict checks.
    pub fn strict(self, kernel: &mut Kernel) -> Netlink {
        kernel.set_option(self.socket, 270, 12, &1i32.to_ne_bytes()).unwrap();
        self
    }

    /// Sends a request with `flags` beside `NLM_F_REQUEST`.
    pub fn request(&self, kernel: &mut Kernel, kind: u16, flags: u16, body: &[u8]) -> Vec<Reply> {
        self.send(kernel, &message(kind, flags | 1, body));
        self.replies(kernel)
    }

    /// Sends bytes.
    pub fn send(&self, kernel: &mut Kernel, bytes: &[u8]) {
        kernel.send(self.socket, bytes, &[], 0, &self.process).unwrap();
    }

    /// A request that is acknowledged; its errno and explanation.
    pub fn ask(&self, kernel: &mut Kernel, kind: u16, flags: u16, body: &[u8]) -> (i32, Option<String>) {
        let replies = self.request(kernel, kind, flags | 4, body);
        let last = replies.last().expect("an acknowledgement");
        (last.errno(), last.explanation())
    }

    /// Everything that can be received, message by message.
    pub fn replies(&self, kernel: &mut Kernel) -> Vec<Reply> {
        self.datagrams(kernel).iter().flat_map(|datagram| split(datagram)).collect()
    }

    /// Everything that can be received, datagram by datagram.
    pub fn datagrams(&self, kernel: &mut Kernel) -> Vec<Vec<u8>> {
        let mut datagrams = Vec::new();
        loop {
            match kernel.receive(self.socket, 0) {
                Ok(datagram) => datagrams.push(datagram.data),
                Err(Errno::EAGAIN) => return datagrams,
                Err(error) => panic!("{error:?}"),
            }
        }
    }
}

/// The messages of a datagram.
pub fn split(mut bytes: &[u8]) -> Vec<Reply> {
    let mut replies = Vec::new();
    while bytes.len() >= 16 {
        let length = u32::from_ne_bytes(bytes[..4].try_into().unwrap()) as usize;
        replies.push(Reply {
            kind: u16::from_ne_bytes([bytes[4], bytes[5]]),
            flags: u16::from_ne_bytes([bytes[6], bytes[7]]),
            bytes: bytes[..length].to_vec(),
        });
        bytes = &bytes[length.next_multiple_of(4).min(bytes.len())..];
    }
    replies
}
