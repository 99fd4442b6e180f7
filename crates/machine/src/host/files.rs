//! Files of `/sys`, `/proc` and `/run` as a process in a namespace sees them.

use std::io;

use super::HostMachine;
use crate::{DirEntry, FileKind, Netns};

impl HostMachine {
    pub(crate) fn read_file(&self, ns: &Netns, path: &str) -> io::Result<Vec<u8>> {
        super::netns::inside(ns, || std::fs::read(path))
    }

    pub(crate) fn write_file(&self, ns: &Netns, path: &str, data: &[u8]) -> io::Result<()> {
        super::netns::inside(ns, || {
            let mut file = std::fs::OpenOptions::new().write(true).truncate(true).open(path)?;
            io::Write::write_all(&mut file, data)
        })
    }

    pub(crate) fn read_dir(&self, ns: &Netns, path: &str) -> io::Result<Vec<DirEntry>> {
        super::netns::inside(ns, || {
            std::fs::read_dir(path)?
                .map(|entry| {
                    let entry = entry?;
                    let kind = entry.file_type()?;
                    let kind = match () {
                        () if kind.is_dir() => FileKind::Directory,
                        () if kind.is_symlink() => FileKind::Symlink,
                        () => FileKind::File,
                    };
                    Ok(DirEntry { name: entry.file_name().to_string_lossy().into_owned(), kind })
                })
                .collect()
        })
    }

    pub(crate) fn read_link(&self, ns: &Netns, path: &str) -> io::Result<String> {
        super::netns::inside(ns, || Ok(std::fs::read_link(path)?.to_string_lossy().into_owned()))
    }
}
