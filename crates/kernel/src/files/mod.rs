//! The files that the kernel shows: `/sys/class/net`, `/proc/net`, `/proc/sys/net`.

use crate::error::{Errno, Result};
use crate::types::NsId;
use crate::{Kernel, Node};

#[allow(unused_variables)]
impl Kernel {
    /// What stands at an absolute path below `/sys/class/net`, `/sys/devices/virtual/net`, `/proc/net` or
    /// `/proc/sys/net`, as a process in `ns` sees it. Symbolic links in front of the last component are followed
    /// (`/sys/class/net/veth0/mtu` works); the last one is not.
    pub fn node(&self, ns: NsId, path: &str) -> Result<Node, Errno> {
        Err(Errno::ENOENT)
    }
    /// A file's content at this moment. `EINVAL` where Linux gives it (the carrier of a device that is down).
    pub fn read_file(&self, ns: NsId, path: &str) -> Result<Vec<u8>, Errno> {
        Err(Errno::ENOENT)
    }
    /// One write(2) to it.
    pub fn write_file(&mut self, ns: NsId, path: &str, data: &[u8]) -> Result<(), Errno> {
        Err(Errno::ENOENT)
    }
    /// A directory's entries, in Linux's order.
    pub fn read_dir(&self, ns: NsId, path: &str) -> Result<Vec<(String, Node)>, Errno> {
        Err(Errno::ENOENT)
    }
    /// A symbolic link's target.
    pub fn read_link(&self, ns: NsId, path: &str) -> Result<String, Errno> {
        Err(Errno::ENOENT)
    }
}
