//! Every network namespace of a machine that can be found, once each: by its names and by the processes in it.

use std::cmp::Ordering;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use netloom_machine::{Machine, Netns};
use rustix::process::{Resource, getrlimit, setrlimit};

use super::Namespace;
use super::owner::Owner;

/// This process's own first, then those with names in the order of these, then the others by their lowest process.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) all: Vec<Namespace>,
    /// Processes whose namespace can't be looked at.
    pub(crate) hidden: usize,
}

impl Found {
    pub(crate) fn of(machine: &Machine) -> io::Result<Found> {
        match machine {
            Machine::Host(_) => Found::on_host(),
            Machine::Embedded(_) => Found::embedded(machine),
        }
    }

    fn on_host() -> io::Result<Found> {
        raise_limit();
        let own = File::open("/proc/self/ns/net")?;
        let device = own.metadata()?.dev();
        let mut found = Found::default();
        found.add_file(own)?.own = true;
        for (folder, prefix) in folders() {
            for name in names(&folder) {
                // A name whose namespace isn't mounted here is an ordinary file; nothing else is opened, since it might wait.
                let path = folder.join(&name);
                if !fs::metadata(&path).is_ok_and(|found| found.dev() == device) {
                    continue;
                }
                if let Ok(file) = File::open(path) {
                    found.add_file(file)?.names.push(format!("{prefix}{name}"));
                }
            }
        }
        for pid in processes() {
            match File::open(format!("/proc/{pid}/ns/net")) {
                Ok(file) => found.add_file(file)?.add_process(pid),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => found.hidden += 1,
                // It has ended meanwhile.
                Err(_) => {}
            }
        }
        for namespace in &mut found.all {
            namespace.owner = Owner::of(&namespace.pids);
        }
        Ok(found)
    }

    fn embedded(machine: &Machine) -> io::Result<Found> {
        let mut found = Found::default();
        found.add(machine.netns_inode(&Netns::Current)?, Netns::Current).own = true;
        let mut names = machine.netns_list()?;
        names.sort_by(|a, b| natural(a, b));
        for name in names {
            let netns = Netns::Named(name.clone());
            // An ordinary file, or one that went meanwhile.
            let Ok(inode) = machine.netns_inode(&netns) else { continue };
            found.add(inode, netns).names.push(name);
        }
        // Every process of the host that the machine doesn't know counts as one of its root namespace.
        for pid in processes() {
            let Ok(inode) = machine.netns_inode(&Netns::Pid(pid)) else { continue };
            found.add(inode, Netns::Pid(pid)).add_process(pid);
        }
        for namespace in found.all.iter_mut().filter(|namespace| !namespace.root) {
            namespace.owner = Owner::process(&namespace.pids);
        }
        Ok(found)
    }

    /// The namespace of this file, known from now on.
    fn add_file(&mut self, file: File) -> io::Result<&mut Namespace> {
        let inode = file.metadata()?.ino();
        let netns = Netns::Path(PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd())));
        let namespace = self.add(inode, netns.clone());
        if namespace.netns == netns {
            namespace.file = Some(file);
        }
        Ok(namespace)
    }

    fn add(&mut self, inode: u64, netns: Netns) -> &mut Namespace {
        let at = self.all.iter().position(|namespace| namespace.inode == inode).unwrap_or(self.all.len());
        if at == self.all.len() {
            self.all.push(Namespace::new(inode, netns));
        }
        &mut self.all[at]
    }
}

impl Namespace {
    fn add_process(&mut self, pid: u32) {
        self.pids.push(pid);
        self.root |= pid == 1;
    }
}

/// Every namespace is an open file: as many as this process may have.
fn raise_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}

/// Where namespaces have names, and what stands before a name of each.
fn folders() -> Vec<(PathBuf, String)> {
    let with_path = |path: PathBuf| {
        let prefix = format!("{}/", path.display());
        (path, prefix)
    };
    let users =
        names(Path::new("/run/user")).into_iter().map(|user| with_path(format!("/run/user/{user}/netns").into()));
    let mut folders = vec![("/run/netns".into(), String::new()), with_path("/var/run/docker/netns".into())];
    folders.extend(users);
    folders
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_by(|a, b| natural(a, b));
    names
}

fn processes() -> Vec<u32> {
    let mut pids: Vec<u32> = names(Path::new("/proc")).iter().filter_map(|name| name.parse().ok()).collect();
    pids.sort_unstable();
    pids
}

/// Names in the order in which people count: `c2` comes before `c10`.
fn natural(a: &str, b: &str) -> Ordering {
    /// The number or character that a text begins with, a number with its digits but for leading zeros.
    fn first(text: &str) -> (&str, &str) {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let length = if digits > 0 { digits } else { text.chars().next().map_or(0, char::len_utf8) };
        text.split_at(length)
    }
    let (mut left, mut right) = (a, b);
    while !left.is_empty() && !right.is_empty() {
        let ((x, after_x), (y, after_y)) = (first(left), first(right));
        let number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let order = if number(x) && number(y) {
            let (x, y) = (x.trim_start_matches('0'), y.trim_start_matches('0'));
            x.len().cmp(&y.len()).then_with(|| x.cmp(y))
        } else {
            x.cmp(y)
        };
        if order.is_ne() {
            return order;
        }
        (left, right) = (after_x, after_y);
    }
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_in_which_people_count() {
        let mut names = ["c10", "c2", "b", "c02x", "c", "ä", "c2x", "c002", ""];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["", "b", "c", "c002", "c2", "c02x", "c2x", "c10", "ä"]);
    }
}
