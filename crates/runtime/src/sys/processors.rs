//! Which processors a process runs on.

use std::mem::{size_of, zeroed};

use super::check;

/// Keeps processes on one processor until each is released: a new process is put on another one, which may have to be
/// woken up first and has nothing of its parent's memory in its caches.
#[derive(Debug)]
pub(crate) struct OneProcessor {
    /// Where they ran before; `None` where that can't be known, and nothing has been changed.
    before: Option<libc::cpu_set_t>,
}

impl OneProcessor {
    /// Keeps this process, and those that it starts, on the processor that it is on.
    pub(crate) fn keep() -> OneProcessor {
        // SAFETY: a set of processors is an array of bits; the kernel fills one, and reads another, that live through the
        // calls; `CPU_SET` ignores a number beyond the array.
        let before = unsafe {
            let mut before: libc::cpu_set_t = zeroed();
            let mut here: libc::cpu_set_t = zeroed();
            let known = check(libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &mut before));
            known.and_then(|_| check(libc::sched_getcpu())).ok().map(|number| {
                libc::CPU_SET(number as usize, &mut here);
                libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &here);
                before
            })
        };
        OneProcessor { before }
    }

    /// Lets this process run where it could before, and with it those that it starts from then on.
    pub(crate) fn release(&self) {
        if let Some(before) = &self.before {
            // SAFETY: the kernel reads the set, which lives through the call.
            unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), before) };
        }
    }
}
