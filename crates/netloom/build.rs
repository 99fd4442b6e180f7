//! How the binary is linked: a script starts it for every command, so that what happens before `main` counts.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |variable: &str, value: &str| std::env::var(variable).is_ok_and(|found| found == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        // The unwinder inside, so that the C library is the only one to be loaded.
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}
