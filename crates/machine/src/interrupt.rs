//! Ctrl-C as a question that a waiting command can ask, instead of sudden death.
//!
//! A caught signal stays blocked except while [`Socket::wait`](crate::Socket::wait) waits: it can't slip between the
//! question and the wait.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

/// The signals that are caught, and those that have come and weren't asked for yet; a bit each.
static CATCHING: AtomicU64 = AtomicU64::new(0);
static COME: AtomicU64 = AtomicU64::new(0);

extern "C" fn note(signal: libc::c_int) {
    COME.fetch_or(bit(signal), Ordering::SeqCst);
}

fn bit(signal: i32) -> u64 {
    1u64.checked_shl(signal as u32).unwrap_or(0)
}

fn caught() -> impl Iterator<Item = i32> {
    let catching = CATCHING.load(Ordering::SeqCst);
    (1..64).filter(move |&signal| catching & bit(signal) != 0)
}

/// From now on `signals` (`SIGINT`, `SIGQUIT` …) only end a wait; [`take`] tells whether one has come.
pub fn catch(signals: &[i32]) -> io::Result<()> {
    // SAFETY: sigaction and sigset_t are plain data which sigemptyset fills; the handler does nothing but an atomic or.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        for &signal in signals {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = note as extern "C" fn(libc::c_int) as usize;
            libc::sigemptyset(&mut action.sa_mask);
            if libc::sigaction(signal, &action, std::ptr::null_mut()) < 0 || libc::sigaddset(&mut set, signal) < 0 {
                return Err(io::Error::last_os_error());
            }
            CATCHING.fetch_or(bit(signal), Ordering::SeqCst);
        }
        match libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut()) {
            0 => Ok(()),
            error => Err(io::Error::from_raw_os_error(error)),
        }
    }
}

/// Whether any caught signal has come that [`take`] wasn't asked for.
pub fn any() -> bool {
    // SAFETY: the kernel fills the set, which is plain data, and which sigismember reads.
    let pending = unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigpending(&mut set) == 0 && caught().any(|signal| libc::sigismember(&set, signal) == 1)
    };
    COME.load(Ordering::SeqCst) != 0 || pending
}

/// Whether a caught `signal` has come since the last question.
pub fn take(signal: i32) -> bool {
    let noted = COME.fetch_and(!bit(signal), Ordering::SeqCst) & bit(signal) != 0;
    // SAFETY: the set is filled by sigemptyset; no information is asked for, and a zero timeout does not wait.
    let pending = unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, signal);
        let none = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        libc::sigtimedwait(&set, std::ptr::null_mut(), &none) == signal
    };
    noted || pending
}

/// The signal mask during a wait, where it is not the thread's own.
pub(crate) fn mask_of_waiting() -> Option<libc::sigset_t> {
    if CATCHING.load(Ordering::SeqCst) == 0 {
        return None;
    }
    // SAFETY: the set is filled by pthread_sigmask, which changes nothing without a new set.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        if libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), &mut set) != 0 {
            return None;
        }
        for signal in caught() {
            libc::sigdelset(&mut set, signal);
        }
        Some(set)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;
    use std::{io::ErrorKind, os::fd::AsFd, time::Duration};

    #[test]
    fn a_signal_waits_for_the_question_and_ends_a_wait() {
        super::catch(&[libc::SIGUSR1]).expect("SIGUSR1 can be caught");
        assert!(!super::take(libc::SIGUSR1));
        let raise = || {
            // SAFETY: a signal to this thread, whose handler is `note`.
            unsafe { libc::pthread_kill(libc::pthread_self(), libc::SIGUSR1) }
        };
        assert!(!super::any());
        raise();
        assert!(super::any());
        assert!(super::take(libc::SIGUSR1));
        raise();
        let (quiet, _peer) = UnixDatagram::pair().expect("a pair of sockets");
        let waited = crate::host::socket::wait(quiet.as_fd(), Some(Duration::from_secs(60)));
        assert_eq!(waited.map_err(|error| error.kind()), Err(ErrorKind::Interrupted));
        assert!(super::take(libc::SIGUSR1));
        assert!(!super::take(libc::SIGUSR1));
    }
}
