//! Every network namespace that can be found on the host, once each: by its names and by the processes in it.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use netloom_machine::Netns;

/// What tells two namespaces apart: device and inode of their files.
pub(crate) type Id = (u64, u64);

/// A network namespace of the host.
#[derive(Debug)]
pub(crate) struct Namespace {
    /// Device and inode.
    pub(crate) id: Id,
    /// Keeps it there, and leads to it.
    file: File,
    /// Its names: those in `/run/netns` without a folder, others with it.
    pub(crate) names: Vec<String>,
    /// The processes in it, in order.
    pub(crate) pids: Vec<u32>,
    /// It is the one that this process is in.
    pub(crate) own: bool,
}

impl Namespace {
    /// How a machine finds it.
    pub(crate) fn netns(&self) -> Netns {
        // Nobody needs privileges where they are already.
        if self.own {
            return Netns::Current;
        }
        Netns::Path(PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd())))
    }
}

/// All of them, this process's own first.
#[derive(Debug)]
pub(crate) struct Namespaces {
    /// In the order in which they were found.
    pub(crate) all: Vec<Namespace>,
    /// Processes whose namespace can't be looked at.
    pub(crate) hidden: usize,
}

impl Namespaces {
    pub(crate) fn find() -> io::Result<Namespaces> {
        let own = File::open("/proc/self/ns/net")?;
        let device = own.metadata()?.dev();
        let mut found = Namespaces { all: Vec::new(), hidden: 0 };
        found.add(own)?.own = true;
        for (folder, prefix) in folders() {
            for name in names(&folder) {
                // A name whose namespace isn't mounted here is an ordinary file; nothing else is opened, since it might wait.
                let path = folder.join(&name);
                if !fs::metadata(&path).is_ok_and(|found| found.dev() == device) {
                    continue;
                }
                if let Ok(file) = File::open(path) {
                    found.add(file)?.names.push(format!("{prefix}{name}"));
                }
            }
        }
        for pid in processes() {
            match File::open(format!("/proc/{pid}/ns/net")) {
                Ok(file) => found.add(file)?.pids.push(pid),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => found.hidden += 1,
                // It has ended meanwhile.
                Err(_) => {}
            }
        }
        Ok(found)
    }

    /// The namespace of this file, known from now on.
    fn add(&mut self, file: File) -> io::Result<&mut Namespace> {
        let metadata = file.metadata()?;
        let id = (metadata.dev(), metadata.ino());
        let at = self.all.iter().position(|namespace| namespace.id == id).unwrap_or(self.all.len());
        if at == self.all.len() {
            self.all.push(Namespace { id, file, names: Vec::new(), pids: Vec::new(), own: false });
        }
        Ok(&mut self.all[at])
    }
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
    names.sort();
    names
}

fn processes() -> Vec<u32> {
    let mut pids: Vec<u32> = names(Path::new("/proc")).iter().filter_map(|name| name.parse().ok()).collect();
    pids.sort_unstable();
    pids
}
