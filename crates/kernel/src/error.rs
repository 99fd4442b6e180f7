//! Why the kernel refused: an errno, and with netlink a message in Linux's words and the offending attribute.

use std::borrow::Cow;
use std::fmt;

/// A Linux errno.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Errno(pub i32);

macro_rules! errnos {
    ($($name:ident = $number:literal),* $(,)?) => {
        #[allow(missing_docs, reason = "errno(3) documents them")]
        impl Errno { $(pub const $name: Errno = Errno($number);)* }
        impl fmt::Debug for Errno {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match *self { $(Errno::$name => f.write_str(stringify!($name)),)* Errno(n) => write!(f, "Errno({n})") }
            }
        }
    };
}

errnos! {
    EPERM = 1, ENOENT = 2, ESRCH = 3, EINTR = 4, EIO = 5, ENXIO = 6, E2BIG = 7, EBADF = 9, EAGAIN = 11, ENOMEM = 12,
    EACCES = 13, EFAULT = 14, EBUSY = 16, EEXIST = 17, EXDEV = 18, ENODEV = 19, ENOTDIR = 20, EISDIR = 21, EINVAL = 22,
    ENFILE = 23, ENOTTY = 25, EFBIG = 27, ENOSPC = 28, EROFS = 30, EMLINK = 31, ERANGE = 34, ENAMETOOLONG = 36, ENOSYS = 38,
    ELOOP = 40, EXFULL = 54, ENODATA = 61, ENOTUNIQ = 76, EBADFD = 77, ENOTSOCK = 88, EDESTADDRREQ = 89, EMSGSIZE = 90, EPROTOTYPE = 91,
    ENOPROTOOPT = 92,
    EPROTONOSUPPORT = 93, ESOCKTNOSUPPORT = 94, EOPNOTSUPP = 95, EPFNOSUPPORT = 96, EAFNOSUPPORT = 97,
    EADDRINUSE = 98, EADDRNOTAVAIL = 99, ENETDOWN = 100, ENETUNREACH = 101, ECONNABORTED = 103, ECONNRESET = 104,
    ENOBUFS = 105, EISCONN = 106, ENOTCONN = 107, ETIMEDOUT = 110, ECONNREFUSED = 111, EHOSTDOWN = 112,
    EHOSTUNREACH = 113, EALREADY = 114, EINPROGRESS = 115,
}

/// A refusal: the errno, and what an extended ack adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What the system call fails with.
    pub errno: Errno,
    /// Linux's extended-ack message.
    pub message: Option<Cow<'static, str>>,
    /// Offset of the offending attribute within the netlink request, in bytes.
    pub offset: Option<u32>,
}

/// What most of the kernel's operations give.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An errno with an extended-ack message.
    pub fn new(errno: Errno, message: impl Into<Cow<'static, str>>) -> Error {
        Error { errno, message: Some(message.into()), offset: None }
    }

    /// The same, pointing at the attribute that starts `offset` bytes into the request.
    pub fn at(mut self, offset: u32) -> Error {
        self.offset = Some(offset);
        self
    }
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Error {
        Error { errno, message: None, offset: None }
    }
}

impl From<Error> for Errno {
    fn from(error: Error) -> Errno {
        error.errno
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) => write!(f, "{message} ({:?})", self.errno),
            None => write!(f, "{:?}", self.errno),
        }
    }
}

impl std::error::Error for Error {}
