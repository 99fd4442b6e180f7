//! The filter that says which system calls of a supervised program wait for the supervisor.
//!
//! Everything else goes straight to the kernel, and so do programs of another architecture than the machine's own.

use std::mem::offset_of;

use libc::{c_long, seccomp_data, sock_filter};

/// Longer writes don't wait: the files of the virtual trees take one page at most.
pub(crate) const LONGEST_WRITE: usize = 4096;

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;

/// Calls that every Linux architecture has.
const COMMON: &[c_long] = &[
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_statx,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlinkat,
    libc::SYS_chdir,
    libc::SYS_fchdir,
    libc::SYS_getcwd,
    libc::SYS_unlinkat,
    libc::SYS_mkdirat,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_symlinkat,
    libc::SYS_linkat,
    libc::SYS_mknodat,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_truncate,
    libc::SYS_umount2,
    libc::SYS_fchmodat,
    libc::SYS_statfs,
    libc::SYS_fstatfs,
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_writev,
    libc::SYS_getxattr,
    libc::SYS_lgetxattr,
    libc::SYS_listxattr,
    libc::SYS_llistxattr,
    libc::SYS_exit_group,
];

/// Calls that only older architectures have.
#[cfg(target_arch = "x86_64")]
const LEGACY: &[c_long] = &[
    libc::SYS_open,
    libc::SYS_creat,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_unlink,
    libc::SYS_rmdir,
    libc::SYS_mkdir,
    libc::SYS_rename,
    libc::SYS_symlink,
    libc::SYS_link,
    libc::SYS_mknod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_chmod,
];
#[cfg(not(target_arch = "x86_64"))]
const LEGACY: &[c_long] = &[];

/// Calls whose third argument is a length that decides.
const WRITES: &[c_long] = &[libc::SYS_write, libc::SYS_pwrite64];

/// Calls that say with a flag in their fourth argument that they mean the descriptor itself, as fstat(2) does in the C
/// library. There is nothing to answer, and it is the most frequent of all.
const STATS: &[c_long] = &[libc::SYS_newfstatat];

const LOAD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
const RETURN: u32 = libc::BPF_RET | libc::BPF_K;
const EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
const ANY_BIT: u32 = libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K;
const GREATER: u32 = libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K;
const AT_LEAST: u32 = libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K;

/// A program as it grows, from its end: all jumps go forward, to what is there already.
struct Backwards(Vec<sock_filter>);

/// An instruction, counted from the program's end.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Label(usize);

impl Backwards {
    fn statement(&mut self, code: u32, k: u32) -> Label {
        self.0.push(sock_filter { code: code as u16, jt: 0, jf: 0, k });
        Label(self.0.len())
    }

    /// Goes on at the one label where the condition holds, and at the other where it doesn't.
    fn jump(&mut self, code: u32, k: u32, holds: Label, fails: Label) -> Label {
        let over = |label: Label| (self.0.len() - label.0) as u8;
        self.0.push(sock_filter { code: code as u16, jt: over(holds), jf: over(fails), k });
        Label(self.0.len())
    }

    /// Looks for the call's number, which is loaded, in ranges of numbers. By halves: on installing a filter the kernel
    /// runs it for every number there is, to know the calls that never wait.
    fn search(&mut self, ranges: &[(u32, u32, Label)], not_found: Label) -> Label {
        match *ranges {
            [] => not_found,
            [(first, last, found)] if first == last => self.jump(EQUAL, first, found, not_found),
            [(first, last, found)] => {
                let not_above = self.jump(AT_LEAST, first, found, not_found);
                self.jump(GREATER, last, not_found, not_above)
            }
            _ => {
                let (lower, upper) = ranges.split_at(ranges.len() / 2);
                let in_upper = self.search(upper, not_found);
                let in_lower = self.search(lower, not_found);
                self.jump(AT_LEAST, upper[0].0, in_upper, in_lower)
            }
        }
    }
}

/// Numbers with what follows for each, as ranges.
fn ranges(mut numbers: Vec<(u32, Label)>) -> Vec<(u32, u32, Label)> {
    numbers.sort_unstable_by_key(|(number, _)| *number);
    let mut ranges: Vec<(u32, u32, Label)> = Vec::new();
    for (number, label) in numbers {
        match ranges.last_mut() {
            Some((_, last, same)) if *last + 1 == number && *same == label => *last = number,
            _ => ranges.push((number, number, label)),
        }
    }
    ranges
}

/// The program.
pub(crate) fn program() -> Vec<sock_filter> {
    // Both architectures are little-endian: the lower half of an argument comes first.
    let argument = |index: usize| (offset_of!(seccomp_data, args) + index * 8) as u32;
    let mut program = Backwards(Vec::new());
    let allow = program.statement(RETURN, libc::SECCOMP_RET_ALLOW);
    let wait = program.statement(RETURN, libc::SECCOMP_RET_USER_NOTIF);
    program.jump(GREATER, LONGEST_WRITE as u32, allow, wait);
    let short = program.statement(LOAD, argument(2));
    program.jump(EQUAL, 0, short, allow);
    let write = program.statement(LOAD, argument(2) + 4);
    program.jump(ANY_BIT, libc::AT_EMPTY_PATH as u32, allow, wait);
    let stat = program.statement(LOAD, argument(3));
    let tables = [(COMMON, wait), (LEGACY, wait), (WRITES, write), (STATS, stat)];
    let numbers = tables.iter().flat_map(|(table, label)| table.iter().map(|number| (*number as u32, *label)));
    let search = program.search(&ranges(numbers.collect()), allow);
    debug_assert_eq!(search.0, program.0.len(), "it is what comes next");
    program.statement(LOAD, offset_of!(seccomp_data, nr) as u32);
    let native = Label(program.0.len());
    program.jump(EQUAL, ARCHITECTURE, native, allow);
    program.statement(LOAD, offset_of!(seccomp_data, arch) as u32);
    program.0.reverse();
    program.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the program as the kernel would.
    fn verdict(architecture: u32, number: c_long, argument: u64) -> u32 {
        let program = program();
        let mut accumulator = 0;
        let mut at = 0;
        loop {
            let instruction = program[at];
            at += 1;
            match u32::from(instruction.code) {
                LOAD => {
                    accumulator = match instruction.k {
                        0 => number as u32,
                        4 => architecture,
                        32 | 40 => argument as u32,
                        36 => (argument >> 32) as u32,
                        other => panic!("loads from {other}"),
                    }
                }
                EQUAL => at += usize::from(if accumulator == instruction.k { instruction.jt } else { instruction.jf }),
                ANY_BIT => {
                    let set = accumulator & instruction.k != 0;
                    at += usize::from(if set { instruction.jt } else { instruction.jf });
                }
                GREATER => {
                    at += usize::from(if accumulator > instruction.k { instruction.jt } else { instruction.jf });
                }
                AT_LEAST => {
                    at += usize::from(if accumulator >= instruction.k { instruction.jt } else { instruction.jf });
                }
                RETURN => return instruction.k,
                other => panic!("unknown instruction {other}"),
            }
        }
    }

    #[test]
    fn calls_on_paths_wait_and_others_do_not() {
        for number in 0..1000 {
            let waits = [COMMON, LEGACY, WRITES, STATS].iter().any(|table| table.contains(&number));
            let expected = if waits { libc::SECCOMP_RET_USER_NOTIF } else { libc::SECCOMP_RET_ALLOW };
            assert_eq!(verdict(ARCHITECTURE, number, 0), expected, "{number}");
        }
    }

    #[test]
    fn only_short_writes_wait() {
        for number in WRITES {
            assert_eq!(verdict(ARCHITECTURE, *number, 0), libc::SECCOMP_RET_USER_NOTIF);
            assert_eq!(verdict(ARCHITECTURE, *number, 4096), libc::SECCOMP_RET_USER_NOTIF);
            assert_eq!(verdict(ARCHITECTURE, *number, 4097), libc::SECCOMP_RET_ALLOW);
            assert_eq!(verdict(ARCHITECTURE, *number, 1 << 32), libc::SECCOMP_RET_ALLOW);
        }
    }

    #[test]
    fn stat_of_a_descriptor_does_not_wait() {
        let flag = libc::AT_EMPTY_PATH as u64;
        assert_eq!(verdict(ARCHITECTURE, libc::SYS_newfstatat, 0), libc::SECCOMP_RET_USER_NOTIF);
        assert_eq!(verdict(ARCHITECTURE, libc::SYS_newfstatat, flag), libc::SECCOMP_RET_ALLOW);
    }

    #[test]
    fn other_architectures_are_left_alone() {
        assert_eq!(verdict(0x4000_0003, libc::SYS_openat, 0), libc::SECCOMP_RET_ALLOW);
    }
}
