//! What an embedded machine and its clients say to each other.
//!
//! The machine listens on a Unix `SOCK_SEQPACKET` socket. A connection is one conversation, opened by its first
//! packet:
//!
//! - [`Hello::Socket`] makes the connection *be* a socket of the embedded kernel: from then on the client sends
//!   [`Call`]s in [`Said`], each answered by one [`Event::Return`], and the machine sends an [`Event::Datagram`] for
//!   whatever the socket receives. Closing the connection closes the socket. At most a window of datagrams is in flight; what comes
//!   beyond waits in the socket's own receive buffer, which drops as Linux's does.
//! - [`Hello::Tun`] makes it a descriptor of `/dev/net/tun`, of which a client asks as of a socket.
//! - [`Hello::Control`] makes it a control connection: [`Request`]s, each answered by one or more [`Reply`]s.
//!
//! A program that makes many calls on a socket asks for memory to share ([`Call::ShareMemory`]), through which the same
//! packets go from then on.
//!
//! Every packet is a postcard value of at most [`MAX_PACKET`] bytes, or several [`Event`]s one behind the other: a call's
//! return and what the socket has received by then come together. The machine knows the calling process by
//! `SO_PEERCRED` and so which namespace it is in. Only the machine's own user is served.

use serde::{Deserialize, Serialize};

use crate::{Control, FileKind, LogRecord, Netns};

/// The longest packet, in bytes: what fits a Unix socket's default send buffer.
pub const MAX_PACKET: usize = 160 * 1024;

/// The version that both sides must agree on.
pub const VERSION: u32 = 3;

/// Numbers from here on stand for namespaces in attributes that hold a descriptor; they can't be mistaken for one.
pub const NETNS_HANDLE_BASE: u32 = 0x4000_0000;

/// The first packet of a connection; answered by [`Event::Return`] or [`Reply::Done`]/[`Reply::Error`].
#[derive(Debug, Serialize, Deserialize)]
pub enum Hello {
    /// Be a socket.
    Socket {
        /// [`VERSION`].
        version: u32,
        /// Where.
        netns: Netns,
        /// `AF_…`.
        domain: i32,
        /// `SOCK_…`, without `SOCK_CLOEXEC`/`SOCK_NONBLOCK`.
        kind: i32,
        /// `NETLINK_ROUTE`, `ETH_P_ALL` in network order …
        protocol: i32,
    },
    /// Be a control connection.
    Control {
        /// [`VERSION`].
        version: u32,
    },
    /// Be a descriptor of `/dev/net/tun`, which is used as a socket is.
    Tun {
        /// [`VERSION`].
        version: u32,
        /// Where its devices are made and found.
        netns: Netns,
    },
}

/// A system call on a socket.
#[derive(Debug, Serialize, Deserialize)]
pub enum Call {
    /// bind(2).
    Bind(#[serde(with = "serde_bytes")] Vec<u8>),
    /// connect(2).
    Connect(#[serde(with = "serde_bytes")] Vec<u8>),
    /// getsockname(2).
    LocalAddress,
    /// setsockopt(2).
    SetOption {
        /// `SOL_…`.
        level: i32,
        /// The option.
        name: i32,
        /// Its bytes.
        #[serde(with = "serde_bytes")]
        value: Vec<u8>,
    },
    /// getsockopt(2).
    Option {
        /// `SOL_…`.
        level: i32,
        /// The option.
        name: i32,
        /// How many bytes the caller has room for.
        length: u32,
    },
    /// sendto(2).
    Send {
        /// The datagram.
        #[serde(with = "serde_bytes")]
        data: Vec<u8>,
        /// `sockaddr` of the receiver, or empty.
        #[serde(with = "serde_bytes")]
        address: Vec<u8>,
        /// `MSG_…`.
        flags: i32,
    },
    /// recvmsg(2) with `MSG_ERRQUEUE`, without waiting: the answer is a [`Event::Return`] whose `value` holds a
    /// postcard [`crate::Received`].
    ReceiveError,
    /// ioctl(2); the return's `value` is the changed structure, followed by the changed data.
    Ioctl {
        /// `SIOC…`.
        request: u32,
        /// The structure.
        #[serde(with = "serde_bytes")]
        argument: Vec<u8>,
        /// What a pointer in it points to.
        #[serde(with = "serde_bytes")]
        data: Option<Vec<u8>>,
    },
    /// No system call: memory to share, whose descriptor comes along with the return. Whatever either side says from
    /// then on goes [through it](crate::channel). An errno where there is none to be had.
    ShareMemory,
}

/// What the owner of a socket says: a call, how many datagrams it has taken since, which opens the window again, or both.
#[derive(Debug, Serialize, Deserialize)]
pub struct Said<C> {
    /// Datagrams.
    pub taken: u32,
    /// A [`Call`].
    pub call: Option<C>,
}

/// From the machine to a socket's owner.
#[derive(Debug, Serialize, Deserialize)]
pub enum Event {
    /// A call's result.
    Return {
        /// 0, or the errno.
        errno: i32,
        /// The system call's own non-negative value.
        result: i32,
        /// Bytes that it gave.
        #[serde(with = "serde_bytes")]
        value: Vec<u8>,
    },
    /// The socket received something. Sent in order, at most [`WINDOW`] before they are [taken](Said).
    Datagram {
        /// The datagram.
        #[serde(with = "serde_bytes")]
        data: Vec<u8>,
        /// Its sender.
        #[serde(with = "serde_bytes")]
        address: Vec<u8>,
        /// Ancillary messages.
        control: Vec<Control>,
        /// `MSG_…`.
        flags: i32,
    },
    /// The next receive fails once with this errno (ENOBUFS, EHOSTUNREACH, ENETDOWN …).
    Error(i32),
    /// The error queue holds something (`POLLERR`).
    ErrorQueue,
}

/// How many datagrams may be on their way to a client that hasn't taken them yet.
pub const WINDOW: u32 = 16;

/// Asked of the machine itself.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// [`crate::Machine::read_file`]: answered by [`Reply::Bytes`] parts.
    ReadFile(Netns, String),
    /// [`crate::Machine::write_file`].
    WriteFile(Netns, String, #[serde(with = "serde_bytes")] Vec<u8>),
    /// [`crate::Machine::read_dir`]: answered by [`Reply::Entries`] parts.
    ReadDir(Netns, String),
    /// [`crate::Machine::read_link`].
    ReadLink(Netns, String),
    /// [`crate::Machine::netns_list`].
    NetnsList,
    /// [`crate::Machine::netns_add`].
    NetnsAdd(String),
    /// [`crate::Machine::netns_attach`].
    NetnsAttach(String, u32),
    /// [`crate::Machine::netns_delete`].
    NetnsDelete(String),
    /// [`crate::Machine::netns_identify`].
    NetnsIdentify(Option<u32>),
    /// [`crate::Machine::netns_pids`].
    NetnsPids(String),
    /// [`crate::Machine::netns_handle`]: the number; it stays valid while this connection is open.
    NetnsHandle(Netns),
    /// [`crate::Machine::enter`]: the calling process is in that namespace from now on.
    Enter(Netns),
    /// Kernel log records from this sequence number on, at least one or none yet: answered by [`Reply::Log`].
    Log(u64),
    /// From now on a [`Reply::LogGrew`] is sent whenever the log has grown.
    LogFollow,
    /// [`crate::KernelLog::clear`].
    LogClear,
    /// Supervise the processes whose seccomp listener comes along as a descriptor (SCM_RIGHTS).
    Supervise,
    /// Who is there: answered by [`Reply::Names`] with the machine's name and the process id of its owner.
    Identify,
    /// End the machine.
    Shutdown,
    /// [`crate::Machine::netns_inode`]: answered by [`Reply::Inode`].
    NetnsInode(Netns),
}

/// From the machine to a control connection. A part with `more` is followed by another.
#[derive(Debug, Serialize, Deserialize)]
pub enum Reply {
    /// Done; nothing to say.
    Done,
    /// Refused with this errno.
    Error(i32),
    /// A part of a file, or a link's target.
    Bytes {
        /// The part.
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
        /// Whether another follows.
        more: bool,
    },
    /// A part of a directory.
    Entries {
        /// Name and kind.
        entries: Vec<(String, FileKind)>,
        /// Whether another part follows.
        more: bool,
    },
    /// Names.
    Names(Vec<String>),
    /// Numbers: process ids, or one namespace handle.
    Numbers(Vec<u32>),
    /// An inode number.
    Inode(u64),
    /// Log records, in order.
    Log(Vec<LogRecord>),
    /// There is more in the log.
    LogGrew,
}
