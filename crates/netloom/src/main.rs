//! `netloom`: the one binary. Called by an applet's name it is that applet; otherwise its first argument says what to do.

mod applet;
mod cli;
mod diff;
mod graph;
mod machines;
mod peers;
mod program;
mod run;
mod shell;
mod show;
mod topology;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use netloom_applets::Applet;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let called = arguments.next().unwrap_or_default();
    let arguments: Vec<OsString> = arguments.collect();
    if let Some(applet) = Path::new(&called).file_name().and_then(named) {
        return applet::run(applet, &arguments);
    }
    match arguments.split_first() {
        Some((name, rest)) => match named(name) {
            Some(applet) => applet::run(applet, rest),
            None => cli::run(),
        },
        None => cli::run(),
    }
}

fn named(name: &OsStr) -> Option<&'static Applet> {
    netloom_applets::find(name.to_str()?)
}
