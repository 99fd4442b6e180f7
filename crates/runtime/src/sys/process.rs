//! Processes: forking, waiting, killing, and what /proc says of them.

use std::fs;
use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd};

use super::check;

/// fork(2): the child's process id, or `None` in the child. To be called only while the process has a single thread.
pub(crate) fn fork() -> io::Result<Option<u32>> {
    // SAFETY: the callers have one thread, so the child may go on with anything.
    let pid = check(unsafe { libc::fork() })?;
    Ok((pid != 0).then_some(pid as u32))
}

/// fork(2) into new namespaces (`CLONE_NEW…`), where the child of a new PID namespace is process 1. To be called only
/// while the process has a single thread.
pub(crate) fn fork_into(namespaces: libc::c_int) -> io::Result<Option<u32>> {
    let flags = libc::c_long::from(namespaces | libc::SIGCHLD);
    // SAFETY: without a stack and without shared memory clone(2) is fork(2); the callers have one thread, so the child
    // may go on with anything.
    let pid = check(unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) })?;
    Ok((pid != 0).then_some(pid as u32))
}

/// Room for what a child does before it is another program.
const CHILD_STACK: usize = 512 * 1024;

/// A child that becomes another program: its process id. This process sleeps until it has done so, or has ended; until
/// then they share one memory, so that nothing has to be copied that would be thrown away at once. To be called only
/// while the process has a single thread.
pub(crate) fn spawn(child: impl FnOnce()) -> io::Result<u32> {
    extern "C" fn begin<F: FnOnce()>(child: *mut libc::c_void) -> libc::c_int {
        // SAFETY: `spawn` passes the closure, and goes on only when this process uses its memory no more.
        if let Some(child) = unsafe { (*child.cast::<Option<F>>()).take() } {
            child();
        }
        exit_now(127)
    }
    fn run<F: FnOnce()>(child: F) -> io::Result<u32> {
        let mut child = Some(child);
        let mut stack: Vec<u128> = Vec::with_capacity(CHILD_STACK / size_of::<u128>());
        // SAFETY: the stack is used from its end downwards, which a u128 aligns, and lives until the child has another
        // memory. With CLONE_VFORK nothing else runs in this memory meanwhile; what the child leaves changed in it
        // (allocations, the environment) stays valid.
        let pid = check(unsafe {
            let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
            let top = stack.as_mut_ptr().add(stack.capacity());
            libc::clone(begin::<F>, top.cast(), flags, (&raw mut child).cast())
        })?;
        Ok(pid as u32)
    }
    run(child)
}

/// Ends the process at once, without running what Rust or C do at the end.
pub(crate) fn exit_now(status: i32) -> ! {
    // SAFETY: ends the process.
    unsafe { libc::_exit(status) }
}

/// How a process ended, in wait(2)'s encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) pid: u32,
    pub(crate) status: i32,
}

/// A child that has ended; `Ok(None)` where there is none yet, `ECHILD` where there are no children at all.
pub(crate) fn reap(block: bool) -> io::Result<Option<Ended>> {
    let mut status = 0;
    loop {
        // SAFETY: the kernel fills `status`.
        match check(unsafe { libc::waitpid(-1, &mut status, if block { 0 } else { libc::WNOHANG }) }) {
            Ok(0) => return Ok(None),
            Ok(pid) => return Ok(Some(Ended { pid: pid as u32, status })),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The exit status that a shell shows for wait(2)'s status: 128+n after a signal.
pub(crate) fn exit_status(status: i32) -> u8 {
    if libc::WIFSIGNALED(status) { (128 + libc::WTERMSIG(status)) as u8 } else { libc::WEXITSTATUS(status) as u8 }
}

/// kill(2). A process that has gone is no error.
pub(crate) fn kill(pid: u32, signal: i32) {
    // SAFETY: takes plain numbers.
    unsafe { libc::kill(pid as libc::pid_t, signal) };
}

/// From now on orphans among the descendants become children of this process.
pub(crate) fn become_subreaper() {
    // SAFETY: takes plain numbers.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) };
}

/// Leaves the process group, so that what is sent to the group doesn't reach this process.
pub(crate) fn leave_process_group() {
    // SAFETY: takes plain numbers.
    unsafe { libc::setpgid(0, 0) };
}

/// Leaves the session: no terminal any more.
pub(crate) fn leave_session() {
    // SAFETY: takes nothing.
    unsafe { libc::setsid() };
}

/// Kills every descendant: children first, whose own then become children. The caller is a subreaper.
pub(crate) fn kill_descendants() {
    loop {
        // Most often there are none, which wait(2) tells faster than /proc.
        match reap(false) {
            Ok(Some(_)) => continue,
            Ok(None) => {}
            Err(_) => return,
        }
        for child in children(std::process::id()) {
            kill(child, libc::SIGKILL);
        }
        let _ = reap(true);
    }
}

/// Kills a process and its descendants; nothing where the process has ended.
pub(crate) fn kill_tree(pid: u32, pidfd: BorrowedFd<'_>) {
    use std::os::fd::AsRawFd;
    let send = |signal: i32| {
        let (fd, none) = (pidfd.as_raw_fd(), std::ptr::null::<libc::siginfo_t>());
        // SAFETY: a descriptor that lives; no information goes along.
        unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, signal, none, 0) == 0 }
    };
    // Stopped, it has the children that it has.
    if send(libc::SIGSTOP) {
        let mut found = children(pid);
        let mut next = 0;
        while let Some(&child) = found.get(next) {
            kill(child, libc::SIGSTOP);
            found.extend(children(child));
            next += 1;
        }
        for child in found {
            kill(child, libc::SIGKILL);
        }
        send(libc::SIGKILL);
    }
}

/// The children of a process, of all its threads.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let mut listed = false;
    for thread in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
        if let Ok(list) = fs::read_to_string(thread.path().join("children")) {
            listed = true;
            found.extend(list.split_ascii_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        }
    }
    // Kernels without CONFIG_PROC_CHILDREN.
    if !listed {
        found.extend(all().into_iter().filter(|&other| parent(other) == Some(pid)));
    }
    found
}

/// Every process there is.
pub(crate) fn all() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The parent of a process or thread.
pub(crate) fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The second field, the name, may hold anything, and ends with the last parenthesis.
    let after = stat.iter().rposition(|&byte| byte == b')')? + 2;
    let rest = std::str::from_utf8(stat.get(after..)?).ok()?;
    rest.split(' ').nth(1)?.parse().ok().filter(|&parent| parent != 0)
}

fn status_field(pid: u32, field: &str, radix: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    u32::from_str_radix(line.trim(), radix).ok()
}

/// The process that a thread belongs to.
pub(crate) fn of_thread(tid: u32) -> Option<u32> {
    status_field(tid, "Tgid:", 10)
}

/// A process's umask.
pub(crate) fn umask(pid: u32) -> u32 {
    status_field(pid, "Umask:", 8).unwrap_or(0o022)
}

/// Whether there is such a process.
pub(crate) fn exists(pid: u32) -> bool {
    fs::exists(format!("/proc/{pid}")).unwrap_or(false)
}

/// A descriptor that becomes readable when the process ends.
pub(crate) fn pidfd(pid: u32) -> io::Result<OwnedFd> {
    // SAFETY: takes plain numbers; the new descriptor is owned by nobody else.
    unsafe { Ok(OwnedFd::from_raw_fd(check(libc::syscall(libc::SYS_pidfd_open, pid, 0))? as i32)) }
}

/// The effective user.
pub(crate) fn user() -> u32 {
    // SAFETY: takes nothing.
    unsafe { libc::geteuid() }
}

/// The effective group.
pub(crate) fn group() -> u32 {
    // SAFETY: takes nothing.
    unsafe { libc::getegid() }
}

/// Whether standard input is a terminal whose foreground process group this process is in.
pub(crate) fn foreground_terminal() -> bool {
    // SAFETY: take plain numbers.
    unsafe { libc::tcgetpgrp(0) == libc::getpgrp() }
}

/// Puts this process's group into the foreground of the terminal at standard input.
pub(crate) fn take_terminal() {
    // Whoever isn't in the foreground is stopped for taking it, unless it ignores that.
    super::signals::ignore(&[libc::SIGTTOU]);
    // SAFETY: take plain numbers.
    unsafe { libc::tcsetpgrp(0, libc::getpgrp()) };
}

/// Allows as many descriptors as the hard limit does: a machine has one for every socket of its programs.
pub(crate) fn raise_descriptor_limit() {
    // SAFETY: the kernel fills and reads a structure that lives through both calls.
    unsafe {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}

/// A descriptor's peer process and user (SO_PEERCRED).
pub(crate) fn peer(fd: BorrowedFd<'_>) -> io::Result<(u32, u32)> {
    use std::os::fd::AsRawFd;
    let mut credentials = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: the kernel fills at most `length` bytes, the size of the structure.
    check(unsafe {
        let value = (&raw mut credentials).cast();
        libc::getsockopt(fd.as_raw_fd(), libc::SOL_SOCKET, libc::SO_PEERCRED, value, &mut length)
    })?;
    Ok((credentials.pid as u32, credentials.uid))
}

/// Closes every descriptor but the standard ones and `kept`.
pub(crate) fn close_all_but(kept: &[std::os::fd::RawFd]) {
    let mut kept: Vec<u32> = kept.iter().filter_map(|fd| u32::try_from(*fd).ok()).filter(|fd| *fd > 2).collect();
    kept.sort_unstable();
    kept.push(u32::MAX);
    let mut from = 3u32;
    for fd in kept {
        if from < fd {
            // SAFETY: the callers go on in a process of their own with `kept` alone.
            unsafe { libc::syscall(libc::SYS_close_range, from, fd - 1, 0) };
        }
        from = fd.saturating_add(1);
    }
}

/// Files are made with the mode that is asked for.
pub(crate) fn clear_umask() {
    // SAFETY: takes a plain number.
    unsafe { libc::umask(0) };
}

/// Lets another process look into this one's memory, where Yama would not.
pub(crate) fn let_trace(pid: u32) {
    // SAFETY: takes plain numbers; a kernel without Yama refuses it.
    unsafe { libc::prctl(libc::PR_SET_PTRACER, pid as libc::c_ulong, 0, 0, 0) };
}

/// Whether Yama lets processes look into the memory of their descendants alone; leave that is given by [`let_trace`] is
/// not inherited.
pub(crate) fn only_ancestors_trace() -> bool {
    fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").is_ok_and(|scope| scope.trim() != "0")
}

/// Detaches the standard descriptors from whatever they were.
pub(crate) fn forget_standard_descriptors() -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let null = fs::File::options().read(true).write(true).open("/dev/null")?;
    for fd in 0..3 {
        // SAFETY: takes plain numbers; nobody holds the standard descriptors.
        check(unsafe { libc::dup2(null.as_raw_fd(), fd) })?;
    }
    Ok(())
}
