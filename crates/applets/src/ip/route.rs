//! `ip route`.

use crate::rtnl::{Failure, Outcome, Session};

/// Runs `ip route` with the words after it.
pub(crate) fn run(session: &mut Session<'_>, _arguments: &[String]) -> Outcome {
    session.complain("Not implemented.");
    Err(Failure::Command(1))
}
