//! Measurements of the embedded kernel, for profilers: `cargo xtask once SCENARIO COUNT`.

#[allow(dead_code, reason = "the benches use the rest")]
#[path = "../../kernel/benches/lab/mod.rs"]
mod lab;
mod scenario;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["once", name, count] => scenario::once(name, count.parse().expect("a count")),
        _ => {
            eprintln!("usage: cargo xtask once SCENARIO COUNT");
            std::process::exit(2);
        }
    }
}
