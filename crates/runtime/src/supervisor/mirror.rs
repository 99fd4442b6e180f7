//! Real files and directories behind the descriptors of virtual ones.
//!
//! A program that opens a virtual file or directory gets a descriptor of a real one in the machine's own directory, at a
//! path made of the namespace's number and the virtual path. So fstat(2), getdents(2) and lseek(2) work without anybody's
//! help, and a descriptor that comes back tells by its path what it stands for.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use netloom_kernel::{Node, NodeKind, NsId};

use super::Result;
use super::path::is_kernels;
use crate::sys::errno;
use crate::world::World;

/// Where `/run/netns` is mirrored, which is the same for every namespace.
const RUN_NETNS: &str = "run/netns";

/// The virtual path (and the namespace whose view it is) behind the real path of a descriptor.
pub(crate) fn behind(world: &World, link: &Path) -> Option<(Option<NsId>, String)> {
    // A file that was replaced since it was opened.
    let link = link.to_str().and_then(|link| link.strip_suffix(" (deleted)")).map_or(link, Path::new);
    if let Ok(rest) = link.strip_prefix(&world.mirror) {
        if rest.starts_with(RUN_NETNS) {
            return Some((None, format!("/{}", rest.to_str()?)));
        }
        let mut parts = rest.components();
        let ns = world.names.by_inode(parts.next()?.as_os_str().to_str()?.parse().ok()?)?;
        // The directories above the trees are nobody's.
        let path = format!("/{}", parts.as_path().to_str()?);
        return is_kernels(&path).then_some((Some(ns), path));
    }
    let rest = link.strip_prefix(&world.overlay).ok()?;
    Some((None, format!("/etc/netns/{}", rest.to_str()?).trim_end_matches('/').to_owned()))
}

/// The kernel's file behind the real path of a descriptor.
pub(crate) fn kernel_file(world: &World, link: &Path) -> Option<(NsId, String)> {
    match behind(world, link)? {
        (Some(ns), path) => Some((ns, path)),
        (None, _) => None,
    }
}

fn real_path(world: &mut World, ns: NsId, path: &str) -> PathBuf {
    let root = world.mirror.join(world.names.inode(ns).to_string());
    if !root.exists() {
        // As good a moment as any: who makes and deletes namespaces all day must not fill the memory.
        for gone in world.names.forget_gone(&world.kernel) {
            let _ = fs::remove_dir_all(world.mirror.join(gone.to_string()));
        }
    }
    root.join(path.trim_start_matches('/'))
}

/// Makes a directory with everything above it, in the place of whatever else was there.
fn make_directory(path: &Path) -> io::Result<()> {
    match fs::create_dir_all(path) {
        Ok(()) => Ok(()),
        Err(_) => {
            // A file of an earlier device stands where a directory is now.
            let in_the_way = path.ancestors().find(|at| at.symlink_metadata().is_ok_and(|found| !found.is_dir()));
            if let Some(at) = in_the_way {
                fs::remove_file(at)?;
            }
            fs::create_dir_all(path)
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    if path.symlink_metadata()?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

/// What an entry of a mirrored directory has to be.
enum Entry {
    File,
    Directory,
    Link(String),
}

fn synchronise(directory: &Path, mut wanted: BTreeMap<String, Entry>) -> io::Result<()> {
    make_directory(directory)?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let name = entry.file_name().into_string().unwrap_or_default();
        let right = match wanted.get(&name) {
            Some(Entry::File) => kind.is_file(),
            Some(Entry::Directory) => kind.is_dir(),
            Some(Entry::Link(target)) => {
                kind.is_symlink() && fs::read_link(entry.path()).is_ok_and(|found| found == Path::new(target))
            }
            None => false,
        };
        if right {
            wanted.remove(&name);
        } else {
            remove(&entry.path())?;
        }
    }
    for (name, entry) in wanted {
        let path = directory.join(name);
        match entry {
            Entry::File => drop(fs::File::create(path)?),
            Entry::Directory => fs::create_dir(path)?,
            Entry::Link(target) => symlink(target, path)?,
        }
    }
    Ok(())
}

/// The real directory that mirrors a directory of the kernel, with its entries as they are now.
pub(crate) fn directory(world: &mut World, ns: NsId, path: &str) -> Result<PathBuf> {
    let real = real_path(world, ns, path);
    let listed = world.kernel.read_dir(ns, path).map_err(|errno| errno.0)?;
    let wanted = listed.into_iter().map(|(name, node)| {
        let entry = match node.kind {
            NodeKind::File => Entry::File,
            NodeKind::Directory => Entry::Directory,
            NodeKind::Symlink => {
                Entry::Link(world.kernel.read_link(ns, &format!("{path}/{name}")).unwrap_or_else(|_| ".".to_owned()))
            }
        };
        (name, entry)
    });
    let wanted = wanted.filter(|(name, _)| !name.contains('/')).collect();
    synchronise(&real, wanted).map_err(|error| errno(&error))?;
    Ok(real)
}

/// The real directory that mirrors `/run/netns`.
pub(crate) fn netns_directory(world: &World) -> Result<PathBuf> {
    let real = world.mirror.join(RUN_NETNS);
    let wanted = world.names.list().map(|name| (name.to_owned(), Entry::File)).collect();
    synchronise(&real, wanted).map_err(|error| errno(&error))?;
    Ok(real)
}

/// The real file that mirrors one of the kernel, with its content as it is now, or none where it can't be read.
pub(crate) fn file(world: &mut World, ns: NsId, path: &str, node: Node) -> Result<PathBuf> {
    let real = real_path(world, ns, path);
    let readable = node.mode & 0o444 != 0;
    let content = if readable { world.kernel.read_file(ns, path).unwrap_or_default() } else { Vec::new() };
    replace(&real, &content).map_err(|error| errno(&error))?;
    Ok(real)
}

/// Puts content into a file. Those who have it open keep what they have seen: a new file takes its place. One with the
/// same content stays, so that it keeps its inode number.
fn replace(real: &Path, content: &[u8]) -> io::Result<()> {
    if real.symlink_metadata().is_ok_and(|found| found.is_file()) && fs::read(real)? == content {
        return Ok(());
    }
    if let Some(parent) = real.parent() {
        make_directory(parent)?;
    }
    if real.symlink_metadata().is_ok_and(|found| found.is_dir()) {
        fs::remove_dir_all(real)?;
    }
    let mut name = real.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = real.with_file_name(name);
    fs::write(&fresh, content)?;
    fs::rename(&fresh, real)
}

/// The real link that mirrors one of the kernel.
pub(crate) fn link(world: &mut World, ns: NsId, path: &str) -> Result<PathBuf> {
    let real = real_path(world, ns, path);
    if !real.symlink_metadata().is_ok_and(|found| found.is_symlink()) {
        let target = world.kernel.read_link(ns, path).map_err(|errno| errno.0)?;
        let made = real.parent().map_or(Ok(()), make_directory).and_then(|()| {
            let _ = remove(&real);
            symlink(target, &real)
        });
        made.map_err(|error| errno(&error))?;
    }
    Ok(real)
}
