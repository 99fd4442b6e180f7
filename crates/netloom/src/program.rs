//! Programs in a machine: a named one, the one that the environment names, or a fresh one.

use std::ffi::OsString;
use std::path::PathBuf;

use miette::{IntoDiagnostic, Result, bail, miette};
use netloom_machine::{EmbeddedMachine, MACHINE_VARIABLE, Machine};
use netloom_runtime::{Error, Program};

/// What stands in a machine's directory of commands.
pub(crate) fn names() -> Vec<&'static str> {
    let applets = netloom_applets::APPLETS.iter().map(|applet| applet.name);
    applets.chain(std::iter::once("netloom")).collect()
}

/// Runs a program in a named machine, or in a fresh one.
pub(crate) fn start(machine: Option<&str>, netns: Option<&str>, program: &Program) -> Result<u8> {
    match machine {
        Some(name) => {
            let socket = netloom_runtime::find(name).into_diagnostic()?;
            Err(netloom_runtime::execute(&socket, netns, program)).into_diagnostic()
        }
        None => netloom_runtime::run(program, &names()).into_diagnostic(),
    }
}

/// Runs a program in a machine of the host's own kernel, apart from the host.
pub(crate) fn start_on_host(machine: Option<&str>, program: &Program) -> Result<u8> {
    if machine.is_some() {
        bail!("--host means the host's kernel and --machine an embedded one: one of them only");
    }
    if inherited().is_some() {
        bail!("this is inside an embedded machine, where the host's kernel can't be reached");
    }
    netloom_runtime::run_on_host(program, &names()).map_err(|error| match error {
        Error::Refused { ref advice, .. } => {
            let help = advice.clone();
            miette!(help = help, "{error}")
        }
        error => miette!("{error}"),
    })
}

/// The socket of the machine that the environment names.
pub(crate) fn inherited() -> Option<PathBuf> {
    std::env::var_os(MACHINE_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// The machine that is meant: a named one, the one that the environment names, or the host.
pub(crate) fn machine(name: Option<&str>) -> Result<Machine> {
    match name {
        Some(name) => {
            let socket = netloom_runtime::find(name).into_diagnostic()?;
            Ok(Machine::Embedded(EmbeddedMachine::connect(socket).into_diagnostic()?))
        }
        None => Machine::from_env().into_diagnostic(),
    }
}

/// `netloom exec`.
pub(crate) fn exec(machine: Option<&str>, netns: Option<&str>, command: Vec<OsString>) -> Result<u8> {
    let mut command = command.into_iter();
    let name = command.next().unwrap_or_default();
    let program = Program { name, arguments: command.collect(), environment: Vec::new(), bash_environment: None };
    let inherited = inherited();
    let machine = machine.or_else(|| inherited.as_deref()?.to_str());
    start(machine, netns, &program)
}
