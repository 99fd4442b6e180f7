//! Where a path leads: outside, or to one of the virtual trees.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};

use netloom_kernel::{NodeKind, NsId};

use super::{Result, Tracee, mirror};
use crate::names::Named;
use crate::world::World;

/// What a path means to a supervised program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A file of the host, by its absolute path.
    Host(PathBuf),
    /// A file of the host that stands for a path below `/etc/netns`, or for one below `/etc` in a namespace that has
    /// such a file.
    Overlay(PathBuf),
    /// A file of the embedded kernel, as seen from a namespace. There are no links in front of the last component.
    Kernel { ns: NsId, path: String },
    /// `/run/netns`.
    NetnsDirectory,
    /// A name in `/run/netns`, which may not exist.
    Netns(String),
    /// `/proc/PID/ns/net`.
    NamespaceOf(u32),
    /// `/dev/kmsg`.
    Log,
}

/// A place, and whether the kernel would find the same file of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) place: Place,
    pub(crate) native: bool,
    /// The path that was found, as getcwd(2) would give it.
    pub(crate) path: String,
}

/// Where the embedded kernel has files.
const TREES: [&str; 4] = ["/sys/class/net", "/sys/devices/virtual/net", "/proc/net", "/proc/sys/net"];

/// As many links as Linux follows.
const MAX_LINKS: u32 = 40;

/// Whether a path is in a virtual tree, or may lead there.
fn may_be_virtual(path: &str) -> bool {
    let first = path.split('/').find(|part| !matches!(*part, "" | "."));
    matches!(first, Some("sys" | "proc" | "run" | "var" | "dev" | "etc")) || path.contains("..")
}

fn is_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether the embedded kernel answers for a path.
pub(super) fn is_kernels(path: &str) -> bool {
    TREES.iter().any(|tree| is_below(path, tree))
}

struct Base {
    path: String,
    /// Whose view, where that is not the process's own.
    ns: Option<NsId>,
    native: bool,
}

/// Which namespaces a path is looked at from: `/sys` shows the one it was mounted in, `/proc` the process's own.
#[derive(Clone, Copy, Debug)]
struct View {
    sys: NsId,
    proc: NsId,
}

impl View {
    fn of(self, path: &str) -> NsId {
        if is_below(path, "/sys") { self.sys } else { self.proc }
    }

    fn set(&mut self, path: &str, ns: NsId) {
        *(if is_below(path, "/sys") { &mut self.sys } else { &mut self.proc }) = ns;
    }
}

/// What relative paths start from; `None` where it is nothing that this module knows.
fn base(world: &World, tracee: &Tracee<'_>, directory: i32) -> Option<Base> {
    let link = if directory == libc::AT_FDCWD {
        if let Some(cwd) = world.processes.state(tracee.tid).cwd {
            return Some(Base { path: cwd.path, ns: Some(cwd.ns), native: false });
        }
        fs::read_link(format!("/proc/{}/cwd", tracee.tid)).ok()?
    } else {
        fs::read_link(format!("/proc/{}/fd/{directory}", tracee.tid)).ok()?
    };
    if let Some((ns, path)) = mirror::behind(world, &link) {
        return Some(Base { path, ns, native: false });
    }
    let path = link.into_os_string().into_string().ok()?;
    path.starts_with('/').then_some(Base { path, ns: None, native: true })
}

/// Where the path argument at `index` leads, from a directory descriptor. `None` where the kernel may deal with the call.
pub(crate) fn find(
    world: &World,
    tracee: &Tracee<'_>,
    (directory, index): (i32, usize),
    follow: bool,
) -> Result<Option<Found>> {
    let Some(path) = tracee.path(index).filter(|path| !path.is_empty()) else { return Ok(None) };
    let base = if path.starts_with('/') {
        if !may_be_virtual(&path) {
            return Ok(None);
        }
        Base { path: String::new(), ns: None, native: true }
    } else {
        match base(world, tracee, directory) {
            Some(base) => base,
            None => return Ok(None),
        }
    };
    let joined = format!("{}/{path}", base.path);
    if base.native && !may_be_virtual(&joined) {
        return Ok(None);
    }
    tracee.check()?;
    let found = walk(world, tracee, &joined, &base, follow || path.ends_with('/'))?;
    if found.native && matches!(found.place, Place::Host(_)) { Ok(None) } else { Ok(Some(found)) }
}

fn walk(world: &World, tracee: &Tracee<'_>, path: &str, base: &Base, follow: bool) -> Result<Found> {
    let state = world.processes.state(tracee.tid);
    let mut view = View { sys: state.sys, proc: state.ns };
    if let Some(ns) = base.ns {
        view.set(&base.path, ns);
    }
    let mut native = base.native;
    let mut todo: VecDeque<String> = path.split('/').map(str::to_owned).collect();
    let mut stack: Vec<String> = Vec::new();
    let mut links = 0;
    while let Some(part) = todo.pop_front() {
        match part.as_str() {
            "" | "." => continue,
            ".." => {
                stack.pop();
                continue;
            }
            _ => stack.push(part),
        }
        let last = !todo.iter().any(|part| !matches!(part.as_str(), "" | "."));
        let parts: Vec<&str> = stack.iter().map(String::as_str).collect();
        match parts.as_slice() {
            ["var", "run"] => stack = vec!["run".to_owned()],
            ["proc", "self" | "thread-self"] if !last => stack = vec!["proc".to_owned(), tracee.pid().to_string()],
            ["proc", pid, "net"] => {
                if let Ok(pid) = pid.parse() {
                    view.proc = world.processes.state(pid).ns;
                    stack = vec!["proc".to_owned(), "net".to_owned()];
                }
            }
            ["proc", pid, "cwd"] if !last || follow => {
                let cwd = pid.parse().ok().and_then(|pid| world.processes.state(pid).cwd);
                if let Some(cwd) = cwd {
                    native = false;
                    view.set(&cwd.path, cwd.ns);
                    stack = cwd.path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
                }
            }
            // The link itself is the host's; what it leads to is not.
            ["proc", "net"] if last && !follow => {
                return Ok(Found { place: Place::Host("/proc/net".into()), native, path: "/proc/net".to_owned() });
            }
            _ => {}
        }
        let here = absolute(&stack);
        let kernels = is_kernels(&here);
        if kernels || is_below(&here, "/run/netns") {
            // The host's kernel would go another way from here.
            native &= last;
        }
        if !kernels || (last && !follow) {
            continue;
        }
        let ns = view.of(&here);
        match world.kernel.node(ns, &here) {
            Ok(node) if node.kind == NodeKind::Symlink => {
                links += 1;
                if links > MAX_LINKS {
                    return Err(libc::ELOOP);
                }
                native = false;
                let target = world.kernel.read_link(ns, &here).map_err(|errno| errno.0)?;
                if target.starts_with('/') {
                    stack.clear();
                } else {
                    stack.pop();
                }
                for part in target.split('/').rev() {
                    todo.push_front(part.to_owned());
                }
            }
            Ok(node) if node.kind == NodeKind::File && !last => return Err(libc::ENOTDIR),
            Ok(_) => {}
            Err(_) if last => {}
            Err(errno) => return Err(errno.0),
        }
    }
    let path = absolute(&stack);
    let place = classify(world, state.name.as_deref(), view.of(&path), &path)?;
    Ok(Found { place, native, path })
}

fn absolute(stack: &[String]) -> String {
    if stack.is_empty() { "/".to_owned() } else { stack.iter().flat_map(|part| ["/", part.as_str()]).collect() }
}

fn classify(world: &World, name: Option<&str>, ns: NsId, path: &str) -> Result<Place> {
    if is_kernels(path) {
        return Ok(Place::Kernel { ns, path: path.to_owned() });
    }
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    Ok(match parts.as_slice() {
        ["run", "netns"] => Place::NetnsDirectory,
        ["run", "netns", name] => Place::Netns((*name).to_owned()),
        ["run", "netns", name, ..] if world.names.get(name).is_some() => return Err(libc::ENOTDIR),
        ["run", "netns", ..] => return Err(libc::ENOENT),
        ["proc", pid, "ns", "net"] if pid.parse::<u32>().is_ok() => Place::NamespaceOf(pid.parse().unwrap_or_default()),
        ["dev", "kmsg"] => Place::Log,
        ["etc", "netns", rest @ ..] => {
            let mut real = world.overlay.clone();
            real.extend(rest);
            Place::Overlay(real)
        }
        ["etc", rest @ ..] if !rest.is_empty() => match name.and_then(|name| overlaid(world, name, rest)) {
            Some(real) => Place::Overlay(real),
            None => Place::Host(path.into()),
        },
        _ => Place::Host(path.into()),
    })
}

/// What `ip netns exec NAME` mounted over a file of `/etc`.
fn overlaid(world: &World, name: &str, rest: &[&str]) -> Option<PathBuf> {
    let directory = world.overlay.join(name);
    let first = directory.join(rest.first()?);
    let real = rest.iter().fold(directory, |path, part| path.join(part));
    // Whole directories are mounted, too: what isn't in one isn't there.
    first.symlink_metadata().is_ok().then_some(real)
}

/// Whether a name in `/run/netns` stands for a namespace.
pub(crate) fn namespace_named(world: &World, name: &str) -> Result<Option<NsId>> {
    match world.names.get(name) {
        Some(Named::Namespace(ns)) => Ok(Some(ns)),
        Some(Named::PlainFile) => Ok(None),
        None => Err(libc::ENOENT),
    }
}

/// A host's path as text.
pub(crate) fn text(path: &Path) -> Result<&str> {
    path.to_str().ok_or(libc::EINVAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_paths_are_told_from_virtual_ones_at_a_glance() {
        for outside in ["/usr/lib/x", "/home/me/sys/class/net", "/", "//tmp//x"] {
            assert!(!may_be_virtual(outside), "{outside}");
        }
        for inside in ["/sys/class/net/lo", "//proc/net/dev", "/./run/netns", "/tmp/../sys/class/net", "/etc/hosts"] {
            assert!(may_be_virtual(inside), "{inside}");
        }
    }

    #[test]
    fn trees_end_at_component_boundaries() {
        assert!(is_kernels("/sys/class/net"));
        assert!(is_kernels("/proc/net/dev"));
        assert!(!is_kernels("/sys/class/network"));
        assert!(!is_kernels("/proc/netfilter"));
    }
}
