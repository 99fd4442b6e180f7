//! A machine's directory: its socket, links to the applets and what its programs see of virtual trees.
//!
//! Machines live side by side in one directory that belongs to the user. Each holds a lock on its own one for as long as
//! it lives, so that whoever comes next can tell the leftovers of a dead machine, and sweep them.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};

use crate::error::{Doing, Error, Result};
use crate::sys;

/// The directory of a machine, while this process owns it.
#[derive(Debug)]
pub(crate) struct Session {
    base: PathBuf,
    dir: PathBuf,
    /// The machine's name.
    pub(crate) name: String,
    /// Holds the lock.
    lock: File,
}

/// Prefix of machines that live for one command; no name that a user gives may begin with it.
const ANONYMOUS: &str = "@";

/// A socket's path has at most 107 bytes; this leaves some for the machine's name.
const LONGEST_BASE: usize = 60;

/// Where this user's machines are.
fn base_path() -> PathBuf {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let own = |path: &PathBuf| {
        let found = fs::metadata(path);
        path.is_absolute() && found.is_ok_and(|found| found.is_dir() && found.uid() == sys::process::user())
    };
    if let Some(runtime) = runtime.filter(|path| path.as_os_str().len() < LONGEST_BASE).filter(own) {
        return runtime.join("netloom");
    }
    // In memory, where there is such a place: a machine makes and removes dozens of small files.
    let name = format!("netloom-{}", sys::process::user());
    let shared = Path::new("/dev/shm");
    let open_to_all = |found: fs::Metadata| found.is_dir() && found.mode() & 0o1007 == 0o1007;
    let usable = fs::metadata(shared).is_ok_and(open_to_all) && sys::is_writable(c"/dev/shm");
    if usable { shared.join(name) } else { Path::new("/tmp").join(name) }
}

/// Checks that nobody else can put anything into the directory.
fn check_owner(path: &Path, found: &fs::Metadata) -> Result<()> {
    let problem = |reason: &str| Err(Error::Directory { path: path.to_owned(), reason: reason.to_owned() });
    if !found.is_dir() {
        problem("it is not a directory")
    } else if found.uid() != sys::process::user() {
        problem("it belongs to somebody else")
    } else if found.mode() & 0o077 != 0 {
        problem("others have access to it")
    } else {
        Ok(())
    }
}

fn try_lock(path: &Path) -> io::Result<Option<File>> {
    let file = File::open(path)?;
    Ok(sys::lock(&file, false)?.then_some(file))
}

/// Makes the base directory where it isn't there, and locks it: machines are made and swept one at a time.
fn lock_base(base: &Path) -> Result<File> {
    loop {
        match DirBuilder::new().mode(0o700).create(base) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(Error::Directory {
                    path: base.to_owned(),
                    reason: format!("{error}; XDG_RUNTIME_DIR may name another place"),
                });
            }
            _ => {}
        }
        // The last machine removes it when it ends.
        let Ok(found) = fs::symlink_metadata(base) else { continue };
        check_owner(base, &found)?;
        let Ok(lock) = File::open(base) else { continue };
        sys::lock(&lock, true).doing("cannot lock the directory for machines")?;
        // The one who removed it may have held the lock until now.
        let same = |found: fs::Metadata| lock.metadata().is_ok_and(|held| held.ino() == found.ino());
        if fs::metadata(base).is_ok_and(same) {
            return Ok(lock);
        }
    }
}

fn sweep(base: &Path) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        if let Ok(Some(_lock)) = try_lock(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether a user may give that name to a machine.
fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=32).contains(&name.len()) && name.chars().all(allowed) && !name.starts_with(['.', '-'])
}

/// A free name for a machine that lives for one command. In another PID namespace the same process number is another's.
fn anonymous(base: &Path) -> String {
    let first = format!("{ANONYMOUS}{}", std::process::id());
    let others = (1..).map(|count| format!("{first}.{count}"));
    std::iter::once(first.clone()).chain(others).find(|name| !base.join(name).exists()).unwrap_or_default()
}

impl Session {
    /// Makes a directory for a machine: of that name, or for one command.
    pub(crate) fn create(name: Option<&str>) -> Result<Session> {
        let base = base_path();
        let base_lock = lock_base(&base)?;
        sweep(&base);
        let (file, name) = match name {
            Some(name) if !is_name(name) => return Err(Error::BadName(name.to_owned())),
            Some(name) => (name.to_owned(), name.to_owned()),
            None => (anonymous(&base), "netloom".to_owned()),
        };
        let dir = base.join(file);
        match DirBuilder::new().mode(0o700).create(&dir) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(Error::Exists(name)),
            result => result.doing("cannot make the machine's directory")?,
        }
        let lock = File::open(&dir).doing("cannot open the machine's directory")?;
        sys::lock(&lock, true).doing("cannot lock the machine's directory")?;
        drop(base_lock);
        Ok(Session { base, dir, name, lock })
    }

    /// Links to this program for every name in `applets`.
    pub(crate) fn link_applets(&self, applets: &[&str]) -> Result<()> {
        let program = std::env::current_exe().doing("cannot find this program's own file")?;
        fs::create_dir(self.bin()).doing("cannot fill the machine's directory")?;
        for applet in applets {
            symlink(&program, self.bin().join(applet)).doing("cannot link the applets")?;
        }
        Ok(())
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.join("socket")
    }

    /// Where the applets' links are.
    pub(crate) fn bin(&self) -> PathBuf {
        self.dir.join("bin")
    }

    /// Real files and directories behind the descriptors of virtual ones; made when there are any.
    pub(crate) fn mirror(&self) -> PathBuf {
        self.dir.join("mirror")
    }

    /// What stands at `/etc/netns` for the machine's programs, which make it.
    pub(crate) fn overlay(&self) -> PathBuf {
        self.dir.join("netns")
    }

    /// Removes the directory, and the one that it is in where no other machine is left.
    pub(crate) fn remove(&self) {
        // A later machine of the same name may have made it anew.
        let inode = |found: io::Result<fs::Metadata>| found.map(|found| found.ino()).ok();
        if inode(fs::symlink_metadata(&self.dir)) == inode(self.lock.metadata()) {
            let _ = fs::remove_dir_all(&self.dir);
        }
        // Not waited for: the one who holds it is about to make a machine here.
        if let Ok(Some(_lock)) = try_lock(&self.base) {
            let _ = fs::remove_dir(&self.base);
        }
    }

    /// Has the lock survive in a process that is forked off and outlives this one.
    pub(crate) fn lock_descriptor(&self) -> i32 {
        self.lock.as_raw_fd()
    }
}

/// The socket of a named machine, where it is running. A name with a slash is the socket itself.
pub fn find(name: &str) -> Result<PathBuf> {
    if name.contains('/') {
        return Ok(name.into());
    }
    if !is_name(name) {
        return Err(Error::BadName(name.to_owned()));
    }
    let socket = base_path().join(name).join("socket");
    if socket.exists() && list().iter().any(|found| found == name) {
        Ok(socket)
    } else {
        Err(Error::NotFound(name.to_owned()))
    }
}

/// The names of the machines that run, in order.
pub fn list() -> Vec<String> {
    let base = base_path();
    let entries = fs::read_dir(&base).into_iter().flatten().flatten();
    let running = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        (is_name(&name) && matches!(try_lock(&entry.path()), Ok(None))).then_some(name)
    };
    let mut names: Vec<String> = entries.filter_map(running).collect();
    names.sort();
    names
}
