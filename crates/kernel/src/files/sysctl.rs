//! `/proc/sys/net`: settings.

use super::{READ_ONLY_DIRECTORY, file};
use crate::error::{Errno, Result};
use crate::types::NsId;
use crate::{Kernel, Node};

/// A setting, or a directory of them.
#[derive(Debug)]
pub(super) enum Item {
    Directory(Vec<(String, Node)>),
    Setting(Vec<String>),
}

pub(super) fn find(_kernel: &Kernel, _ns: NsId, _parts: &[&str]) -> Result<Item, Errno> {
    Err(Errno::ENOENT)
}

impl Item {
    pub(super) fn node(&self) -> Node {
        match self {
            Item::Directory(_) => READ_ONLY_DIRECTORY,
            Item::Setting(_) => file(0o644),
        }
    }

    pub(super) fn read(&self, _kernel: &Kernel, _ns: NsId) -> Result<Vec<u8>, Errno> {
        Err(Errno::EISDIR)
    }

    pub(super) fn write(&self, _kernel: &mut Kernel, _ns: NsId, _data: &[u8]) -> Result<(), Errno> {
        Err(Errno::EISDIR)
    }

    pub(super) fn entries(&self, _kernel: &Kernel, _ns: NsId) -> Result<Vec<(String, Node)>, Errno> {
        match self {
            Item::Directory(entries) => Ok(entries.clone()),
            Item::Setting(_) => Err(Errno::ENOTDIR),
        }
    }
}
