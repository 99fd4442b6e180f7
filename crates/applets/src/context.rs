//! What an applet works with: a machine, the namespace it is called in, and its output.

use std::io::Write;

use netloom_machine::{Machine, Netns};

/// An applet's surroundings.
pub struct Context<'a> {
    /// The kernel that answers.
    pub machine: &'a Machine,
    /// Where sockets are opened: the caller's namespace unless an option such as `ip -n` names another.
    pub netns: Netns,
    /// Standard output, buffered; flushed when the applet ends, before it waits and before it executes another program.
    pub out: &'a mut dyn Write,
    /// Standard error.
    pub err: &'a mut dyn Write,
}
