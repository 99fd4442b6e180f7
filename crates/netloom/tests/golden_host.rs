//! The transcripts of the real tools on the real kernel, replayed by our commands on this host's kernel: what they show is
//! that the commands are right, whatever the embedded kernel does. It takes root.
//!
//! `cargo test --test golden_host -- NAME…` runs those whose name contains one of NAME and prints every difference.

mod replay;

use std::os::unix::fs::MetadataExt;
use std::process::ExitCode;

fn main() -> ExitCode {
    let kernel = replay::Kernel {
        name: "golden_host",
        options: &["--host"],
        differences: "differences-host.txt",
        has_own_log: false,
        attempts: 5,
        runs_all: false,
    };
    if std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() != 0) {
        println!("skipped: {} scenarios on the host's kernel, which take root", replay::EQUAL.len());
        return ExitCode::SUCCESS;
    }
    replay::main(&kernel)
}
