//! Measurements of the embedded kernel: beside the host's (`cargo xtask bench`), and for profilers.

mod host;
#[allow(dead_code, reason = "the benches use the rest")]
#[path = "../../kernel/benches/lab/mod.rs"]
mod lab;
mod memory;
mod report;
mod scenario;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["once", name, count] => scenario::once(name, count.parse().expect("a count")),
        ["bench"] => report::write().expect("docs/PERFORMANCE.md is written"),
        ["memory"] => memory::figures().iter().for_each(|(what, bytes)| println!("{what}: {bytes:.0} B")),
        _ => {
            eprintln!("usage: cargo xtask bench | memory | once SCENARIO COUNT");
            std::process::exit(2);
        }
    }
}
