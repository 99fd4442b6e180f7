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
    let mut out = io::BufWriter::new(Output { out: io::stdout().lock(), failed: None });
    let mut err = io::stderr();
    let mut context = Context { machine: &machine, netns: Netns::Current, out: &mut out, err: &mut err };
    let status = (applet.run)(&mut context, &arguments);
    let _ = out.flush();
    let failed = out.get_ref().failed.as_ref();
    if let Some(complaint) = failed.and_then(|error| applet.write_error(error)) {
        eprintln!("{complaint}");
        return ExitCode::from(1);
    }
    ExitCode::from(status as u8)
}

/// Standard output: a full disk is no reason to stop, and is told of at the end.
struct Output<'a> {
    out: io::StdoutLock<'a>,
    failed: Option<io::Error>,
}

impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.out.write_all(bytes).and_then(|()| self.out.flush()) {
            Err(error) if self.failed.is_none() => self.failed = Some(error),
            _ => {}
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
