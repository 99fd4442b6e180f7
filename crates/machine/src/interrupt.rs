//! Ctrl-C as a question that a waiting command can ask, instead of sudden death.
//!
//! A caught signal is noted when it comes, which costs nothing until then, and from then on
//! [`Socket::wait`](crate::Socket::wait) doesn't wait: it can't slip between the question and the wait.

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

/// From now on `signals` (`SIGINT`, `SIGQUIT` …) only end a wait; [`take`] tells whether one has come.
pub fn catch(signals: &[i32]) -> io::Result<()> {
    // SAFETY: sigaction is plain data, whose set sigemptyset fills; the handler does nothing but an atomic or.
    unsafe {
        for &signal in signals {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = note as extern "C" fn(libc::c_int) as usize;
            action.sa_flags = libc::SA_RESTART;
            libc::sigemptyset(&mut action.sa_mask);
            if libc::sigaction(signal, &action, std::ptr::null_mut()) < 0 {
                return Err(io::Error::last_os_error());
            }
            CATCHING.fetch_or(bit(signal), Ordering::SeqCst);
        }
    }
    Ok(())
}

/// Whether a caught `signal` has come since the last question.
pub fn take(signal: i32) -> bool {
    COME.load(Ordering::SeqCst) & bit(signal) != 0 && COME.fetch_and(!bit(signal), Ordering::SeqCst) & bit(signal) != 0
}

/// Caught signals are held back for as long as this lives.
pub(crate) struct Held {
    before: libc::sigset_t,
}

impl Held {
    /// The signal mask for the wait itself, which lets them come.
    pub(crate) fn mask(&self) -> *const libc::sigset_t {
        &raw const self.before
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: a set that pthread_sigmask has filled.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.before, std::ptr::null_mut()) };
    }
}

/// Holds caught signals back, if any are caught; `EINTR` where one has come that nobody has asked for.
pub(crate) fn hold() -> io::Result<Option<Held>> {
    let catching = CATCHING.load(Ordering::SeqCst);
    if catching == 0 {
        return Ok(None);
    }
    // SAFETY: sigset_t is plain data; one set is filled by sigemptyset, the other by pthread_sigmask.
    let held = unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        for signal in (1..64).filter(|&signal| catching & bit(signal) != 0) {
            libc::sigaddset(&mut set, signal);
        }
        match libc::pthread_sigmask(libc::SIG_BLOCK, &set, &mut before) {
            0 => Held { before },
            error => return Err(io::Error::from_raw_os_error(error)),
        }
    };
    // Asked once they are held: one that comes now ends the wait.
    match COME.load(Ordering::SeqCst) {
        0 => Ok(Some(held)),
        _ => Err(io::Error::from_raw_os_error(libc::EINTR)),
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
        raise();
        assert!(super::take(libc::SIGUSR1));
        raise();
        let (quiet, _peer) = UnixDatagram::pair().expect("a pair of sockets");
        let waited = crate::host::socket::wait(quiet.as_fd(), Some(Duration::from_secs(60)));
        assert_eq!(waited.map_err(|error| error.kind()), Err(ErrorKind::Interrupted));
        assert!(super::take(libc::SIGUSR1));
        assert!(!super::take(libc::SIGUSR1));
    }
}
