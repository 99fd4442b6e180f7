//! `netloom shell`: an interactive shell whose prompt shows machine and namespace.

use std::ffi::OsString;

use miette::{IntoDiagnostic, Result};
use netloom_machine::{EmbeddedMachine, HostMachine, Machine};
use netloom_runtime::Program;

use crate::program;

/// Sets the prompt before each of them is shown, so that neither start-up files nor `ip netns exec` lose it.
const PROMPT_COMMAND: &str = "PS1=\"$(netloom prompt)# \"";

pub(crate) fn shell(machine: Option<&str>, host: bool) -> Result<u8> {
    let program = Program {
        name: "bash".into(),
        arguments: vec!["-i".into()],
        environment: vec![("PROMPT_COMMAND".into(), OsString::from(PROMPT_COMMAND))],
        bash_environment: None,
    };
    if host { program::start_on_host(machine, &program) } else { program::start(machine, None, &program) }
}

/// What stands in front of the `#`: the machine's name and, in a named namespace, that one's.
pub(crate) fn prompt() -> Result<u8> {
    let (name, machine) = match program::inherited() {
        Some(socket) => {
            let machine = EmbeddedMachine::connect(&socket).into_diagnostic()?;
            (machine.identify().into_diagnostic()?.0, Machine::Embedded(machine))
        }
        None => ("host".to_owned(), Machine::Host(HostMachine)),
    };
    match machine.netns_identify(None).into_diagnostic()?.first() {
        Some(netns) => print!("{name}:{netns}"),
        None => print!("{name}"),
    }
    Ok(0)
}
