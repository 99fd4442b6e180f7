//! The files that the kernel shows: `/sys/class/net`, `/proc/net`, `/proc/sys/net`.
//!
//! A path is resolved to an [`Item`], freshly each time: nothing is kept, so a file always shows the present. Each tree
//! knows its own items: [`sysfs`], [`proc_net`], [`sysctl`].

mod proc_net;
mod sysctl;
mod sysfs;

use crate::error::{Errno, Result};
use crate::types::NsId;
use crate::{Kernel, Node, NodeKind};

/// What stands at a path.
enum Item {
    Sysfs(sysfs::Item),
    ProcNet(proc_net::Item),
    Sysctl(sysctl::Item),
}

/// How many links a path may go through.
const LINKS: usize = 8;

const FILE: NodeKind = NodeKind::File;

/// A regular file with these permissions.
const fn file(mode: u32) -> Node {
    Node { kind: FILE, mode }
}

/// A directory as sysfs and procfs show it.
const DIRECTORY: Node = Node { kind: NodeKind::Directory, mode: 0o755 };
/// The same where nothing can be made in it at all.
const READ_ONLY_DIRECTORY: Node = Node { kind: NodeKind::Directory, mode: 0o555 };
/// A symbolic link.
const SYMLINK: Node = Node { kind: NodeKind::Symlink, mode: 0o777 };

/// A path as its components, without `.`, `..` and empty ones.
fn components(path: &str) -> Result<Vec<&str>, Errno> {
    let rest = path.strip_prefix('/').ok_or(Errno::EINVAL)?;
    let mut components = Vec::new();
    for component in rest.split('/') {
        match component {
            "" | "." => {}
            ".." => {
                components.pop();
            }
            name => components.push(name),
        }
    }
    Ok(components)
}

impl Kernel {
    /// The item at a path; links in front of the last component are followed, the last one only on demand.
    fn resolve(&self, ns: NsId, path: &str, follow_last: bool) -> Result<Item, Errno> {
        let mut path = path.to_owned();
        'links: for _ in 0..LINKS {
            let parts = components(&path)?;
            let last = if follow_last { parts.len() } else { parts.len().saturating_sub(1) };
            for end in 1..=last {
                if let Ok(Item::Sysfs(item)) = self.item(ns, &parts[..end])
                    && let Some(target) = item.link(self)
                {
                    // Relative to the directory that holds the link.
                    let before = parts[..end - 1].join("/");
                    let after = parts[end..].join("/");
                    path = format!("/{before}/{target}/{after}");
                    continue 'links;
                }
            }
            return self.item(ns, &parts);
        }
        Err(Errno::ELOOP)
    }

    /// The item that these components name, without following anything.
    fn item(&self, ns: NsId, parts: &[&str]) -> Result<Item, Errno> {
        if !self.has_namespace(ns) {
            return Err(Errno::ENOENT);
        }
        match parts {
            ["sys", rest @ ..] => sysfs::find(self, ns, rest).map(Item::Sysfs),
            ["proc", "net", rest @ ..] => proc_net::find(rest).map(Item::ProcNet),
            ["proc", "sys", "net", rest @ ..] => sysctl::find(self, ns, rest).map(Item::Sysctl),
            _ => Err(Errno::ENOENT),
        }
    }

    /// What stands at an absolute path below `/sys/class/net`, `/sys/devices/virtual/net`, `/proc/net` or
    /// `/proc/sys/net`, as a process in `ns` sees it. Symbolic links in front of the last component are followed
    /// (`/sys/class/net/veth0/mtu` works); the last one is not.
    pub fn node(&self, ns: NsId, path: &str) -> Result<Node, Errno> {
        Ok(match self.resolve(ns, path, false)? {
            Item::Sysfs(item) => item.node(self),
            Item::ProcNet(item) => item.node(),
            Item::Sysctl(item) => item.node(),
        })
    }

    /// A file's content at this moment. `EINVAL` where Linux gives it (the carrier of a device that is down).
    pub fn read_file(&self, ns: NsId, path: &str) -> Result<Vec<u8>, Errno> {
        match self.resolve(ns, path, true)? {
            Item::Sysfs(item) => item.read(self),
            Item::ProcNet(item) => item.read(self, ns),
            Item::Sysctl(item) => item.read(self, ns),
        }
    }

    /// One write(2) to it.
    pub fn write_file(&mut self, ns: NsId, path: &str, data: &[u8]) -> Result<(), Errno> {
        let result = match self.resolve(ns, path, true)? {
            Item::Sysfs(item) => item.write(self, data),
            Item::ProcNet(_) => Err(Errno::EACCES),
            Item::Sysctl(item) => item.write(self, ns, data),
        };
        self.settle();
        result
    }

    /// A directory's entries, in Linux's order. `ENOTDIR` where it is none.
    pub fn read_dir(&self, ns: NsId, path: &str) -> Result<Vec<(String, Node)>, Errno> {
        match self.resolve(ns, path, true)? {
            Item::Sysfs(item) => item.entries(self, ns),
            Item::ProcNet(item) => item.entries(),
            Item::Sysctl(item) => item.entries(self, ns),
        }
    }

    /// A symbolic link's target. `EINVAL` where it is none.
    pub fn read_link(&self, ns: NsId, path: &str) -> Result<String, Errno> {
        match self.resolve(ns, path, false)? {
            Item::Sysfs(item) => item.link(self).ok_or(Errno::EINVAL),
            _ => Err(Errno::EINVAL),
        }
    }
}

/// The text of a write: without the newline that echo(1) adds.
fn written(data: &[u8]) -> Result<&str, Errno> {
    let text = std::str::from_utf8(data).map_err(|_| Errno::EINVAL)?;
    Ok(text.strip_suffix('\n').unwrap_or(text))
}

/// A number as the kernel's own parser takes it: decimal, `0x` hexadecimal, `0` octal.
fn number(text: &str) -> Result<i64, Errno> {
    let text = text.trim_ascii();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let value = if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        i64::from_str_radix(hex, 16)
    } else if digits.len() > 1 && digits.starts_with('0') {
        i64::from_str_radix(digits, 8)
    } else if digits.starts_with(['+', '-']) {
        return Err(Errno::EINVAL);
    } else {
        digits.parse()
    };
    value.map(|value| if negative { -value } else { value }).map_err(|_| Errno::EINVAL)
}

#[cfg(test)]
mod tests;
