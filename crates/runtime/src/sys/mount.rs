//! mount(2).

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::check;

fn mount(source: &Path, target: &Path, kind: &str, flags: libc::c_ulong, data: &str) -> io::Result<()> {
    let source = CString::new(source.as_os_str().as_bytes())?;
    let target = CString::new(target.as_os_str().as_bytes())?;
    let (kind, data) = (CString::new(kind)?, CString::new(data)?);
    // SAFETY: four strings that end in a zero and live through the call.
    check(unsafe { libc::mount(source.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, data.as_ptr().cast()) })?;
    Ok(())
}

/// From here on what is mounted in this mount namespace isn't seen outside, while what is unmounted outside goes here, too:
/// a private copy would keep alive what the host lets go.
pub(crate) fn leave_propagation() -> io::Result<()> {
    mount(Path::new("none"), Path::new("/"), "", libc::MS_REC | libc::MS_SLAVE, "")
}

/// An empty file system in memory.
pub(crate) fn tmpfs(target: &Path) -> io::Result<()> {
    mount(Path::new("none"), target, "tmpfs", libc::MS_NOSUID | libc::MS_NODEV, "mode=755")
}

/// A file or directory, with all that is mounted below, at a second place.
pub(crate) fn bind(source: &Path, target: &Path) -> io::Result<()> {
    mount(source, target, "", libc::MS_BIND | libc::MS_REC, "")
}

/// A kernel's own file system: `proc` or `sysfs`.
pub(crate) fn pseudo(kind: &str, target: &Path, read_only: bool) -> io::Result<()> {
    let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
    mount(Path::new(kind), target, kind, if read_only { flags | libc::MS_RDONLY } else { flags }, "")
}
