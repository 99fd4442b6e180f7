//! `netloom`: the one binary. Called by an applet's name it is that applet; otherwise its first argument says what to do.

use std::io::{self, Write};
use std::process::ExitCode;

use netloom_applets::{Applet, Context};
use netloom_machine::{Machine, Netns};

fn main() -> ExitCode {
    let mut arguments = std::env::args();
    let called = arguments.next().unwrap_or_default();
    let arguments: Vec<String> = arguments.collect();
    let name = called.rsplit('/').next().unwrap_or_default();
    if let Some(applet) = netloom_applets::find(name) {
        return run_applet(applet, &arguments);
    }
    match arguments.split_first() {
        Some((name, rest)) if netloom_applets::find(name).is_some() => {
            run_applet(netloom_applets::find(name).expect("just found"), rest)
        }
        _ => ExitCode::from(2),
    }
}

fn run_applet(applet: &Applet, arguments: &[String]) -> ExitCode {
    let machine = match Machine::from_env() {
        Ok(machine) => machine,
        Err(error) => {
            eprintln!("netloom: {error}");
            return ExitCode::from(1);
        }
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut err = io::stderr();
    let mut context = Context { machine: &machine, netns: Netns::Current, out: &mut out, err: &mut err };
    let status = (applet.run)(&mut context, arguments);
    let _ = out.flush();
    ExitCode::from(status as u8)
}
