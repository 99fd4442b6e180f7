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

fn statement(code: u32, k: u32) -> sock_filter {
    sock_filter { code: code as u16, jt: 0, jf: 0, k }
}

/// A jump over so many instructions where the condition holds, and over so many where it doesn't.
fn jump(code: u32, k: u32, holds: u8, fails: u8) -> sock_filter {
    sock_filter { code: code as u16, jt: holds, jf: fails, k }
}

/// The program.
pub(crate) fn program() -> Vec<sock_filter> {
    let allow = statement(RETURN, libc::SECCOMP_RET_ALLOW);
    let wait = statement(RETURN, libc::SECCOMP_RET_USER_NOTIF);
    // Both architectures are little-endian: the lower half of an argument comes first.
    let length = (offset_of!(seccomp_data, args) + 2 * 8) as u32;
    let mut program = vec![
        statement(LOAD, offset_of!(seccomp_data, arch) as u32),
        jump(EQUAL, ARCHITECTURE, 1, 0),
        allow,
        statement(LOAD, offset_of!(seccomp_data, nr) as u32),
    ];
    for number in COMMON.iter().chain(LEGACY) {
        program.push(jump(EQUAL, *number as u32, 0, 1));
        program.push(wait);
    }
    for number in WRITES {
        program.extend([
            jump(EQUAL, *number as u32, 0, 6),
            statement(LOAD, length + 4),
            jump(EQUAL, 0, 0, 2),
            statement(LOAD, length),
            jump(GREATER, LONGEST_WRITE as u32, 0, 1),
            allow,
            wait,
        ]);
    }
    for number in STATS {
        program.extend([
            jump(EQUAL, *number as u32, 0, 4),
            statement(LOAD, (offset_of!(seccomp_data, args) + 3 * 8) as u32),
            jump(ANY_BIT, libc::AT_EMPTY_PATH as u32, 0, 1),
            allow,
            wait,
        ]);
    }
    program.push(allow);
    program
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
                RETURN => return instruction.k,
                other => panic!("unknown instruction {other}"),
            }
        }
    }

    #[test]
    fn calls_on_paths_wait_and_others_do_not() {
        for number in COMMON.iter().chain(LEGACY) {
            assert_eq!(verdict(ARCHITECTURE, *number, 0), libc::SECCOMP_RET_USER_NOTIF, "{number}");
        }
        for number in [libc::SYS_read, libc::SYS_execve, libc::SYS_mmap, libc::SYS_sendmsg] {
            assert_eq!(verdict(ARCHITECTURE, number, 0), libc::SECCOMP_RET_ALLOW);
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
