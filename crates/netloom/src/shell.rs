//! `netloom shell`: an interactive shell whose prompt shows machine and namespace.

use std::ffi::OsString;

use miette::{IntoDiagnostic, Result, miette};
use netloom_machine::{EmbeddedMachine, Machine};
use netloom_runtime::Program;

use crate::program;

/// Sets the prompt before each of them is shown, so that neither start-up files nor `ip netns exec` lose it.
const PROMPT_COMMAND: &str = "PS1=\"$(netloom prompt)# \"";

pub(crate) fn shell(machine: Option<&str>) -> Result<u8> {
    let program = Program {
        name: "bash".into(),
        arguments: vec!["-i".into()],
        environment: vec![("PROMPT_COMMAND".into(), OsString::from(PROMPT_COMMAND))],
        bash_environment: None,
    };
    program::start(machine, None, &program)
}

/// What stands in front of the `#`: the machine's name and, in a named namespace, that one's.
pub(crate) fn prompt() -> Result<u8> {
    let socket = program::inherited().ok_or_else(|| miette!("not inside a machine"))?;
    let machine = EmbeddedMachine::connect(&socket).into_diagnostic()?;
    let (name, _) = machine.identify().into_diagnostic()?;
    match Machine::Embedded(machine).netns_identify(None).into_diagnostic()?.first() {
        Some(netns) => print!("{name}:{netns}"),
        None => print!("{name}"),
    }
    Ok(0)
}
