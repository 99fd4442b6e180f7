//! Running an applet on the machine that the environment names.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use netloom_applets::{Applet, Context};
use netloom_machine::{Machine, Netns};

pub(crate) fn run(applet: &Applet, arguments: &[OsString]) -> ExitCode {
    netloom_runtime::default_broken_pipe();
    let machine = match Machine::from_env() {
        Ok(machine) => machine,
        Err(error) => {
            eprintln!("{}: {error}", applet.name);
            return ExitCode::from(1);
        }
    };
    let arguments: Vec<String> = arguments.iter().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut err = io::stderr();
    let mut context = Context { machine: &machine, netns: Netns::Current, out: &mut out, err: &mut err };
    let status = (applet.run)(&mut context, &arguments);
    let _ = out.flush();
    ExitCode::from(status as u8)
}
