//! `netloom run`: a bash script in a machine.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::Path;

use clap::Args;
use miette::{Result, bail};
use netloom_runtime::Program;

use crate::program;

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Show each command before its output, as a terminal would.
    #[arg(long)]
    show: bool,
    /// On the host's own kernel, in namespaces apart from the host's: as root, or where users may have user namespaces.
    #[arg(long)]
    host: bool,
    /// The script; `-` reads it from standard input.
    script: OsString,
    /// Its arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
    arguments: Vec<OsString>,
}

/// Read by bash before the script: commands go where the output goes, and the scripts that this one starts stay quiet.
const SHOW: &str = r"unset BASH_ENV
exec {BASH_XTRACEFD}>&1
PS4='$ '
set -x
";

/// bash would say so, too, but only after the machine has started.
pub(crate) fn readable(script: &OsStr) -> Result<()> {
    let path = Path::new(script);
    match path.metadata() {
        Ok(found) if found.is_dir() => bail!("cannot run {}: it is a directory", path.display()),
        // A pipe would lose what is in it.
        Ok(found) if !found.is_file() => Ok(()),
        found => match found.and_then(|_| File::open(path)) {
            Ok(_) => Ok(()),
            Err(error) => bail!("cannot read the script {}: {error}", path.display()),
        },
    }
}

impl Run {
    pub(crate) fn run(self, machine: Option<&str>) -> Result<u8> {
        let mut arguments: Vec<OsString> = Vec::new();
        if self.script == "-" {
            arguments.extend(["-s".into(), "--".into()]);
        } else {
            readable(&self.script)?;
            arguments.extend(["--".into(), self.script]);
        }
        arguments.extend(self.arguments);
        let bash_environment = self.show.then_some(SHOW);
        let program = Program { name: "bash".into(), arguments, environment: Vec::new(), bash_environment };
        if self.host { program::start_on_host(machine, &program) } else { program::start(machine, None, &program) }
    }
}
