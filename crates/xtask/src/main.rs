//! Measurements of the embedded kernel: beside the host's (`cargo xtask bench`), and for profilers.

mod applets;
mod growth;
mod host;
mod instructions;
#[allow(dead_code, reason = "the benches use the rest")]
#[path = "../../kernel/benches/lab/mod.rs"]
mod lab;
mod memory;
mod peers;
mod plot;
mod programs;
mod report;
mod scenario;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["once", name, count] => scenario::once(name, count.parse().expect("a count")),
        ["bench"] => report::write(false).expect("docs/PERFORMANCE.md is written"),
        ["bench", "--quick"] => report::write(true).expect("the measurements end"),
        ["instructions"] => return instructions::run(false).expect("instructions are counted"),
        ["instructions", "--update"] => return instructions::run(true).expect("instructions are counted"),
        ["applets"] => applets::write().expect("docs/PERFORMANCE.md is written"),
        ["memory"] => memory::figures().iter().for_each(|(what, bytes)| println!("{what}: {bytes:.0} B")),
        _ => {
            eprintln!(
                "usage: cargo xtask bench [--quick] | applets | memory | instructions [--update] | once SCENARIO COUNT"
            );
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
