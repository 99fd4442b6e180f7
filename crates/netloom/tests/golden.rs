//! Every transcript of the real tools on the real kernel, replayed by our commands on the embedded kernel.
//!
//! `cargo test --test golden -- NAME…` runs those whose name contains one of NAME and prints every difference.

mod replay;

use std::process::ExitCode;

fn main() -> ExitCode {
    replay::main(&replay::Kernel {
        name: "golden",
        options: &[],
        differences: "differences.txt",
        has_own_log: true,
        attempts: 5,
        runs_all: true,
    })
}
