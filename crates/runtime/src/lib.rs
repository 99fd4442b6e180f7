//! An embedded kernel as a process: its event loop, the programs it supervises, and how both begin and end.
//!
//! [`run`] starts a machine for one program. [`up`] starts one that stays, for [`execute`] to run programs in. A machine
//! is a directory with a Unix socket in it, where [`netloom_machine::EmbeddedMachine`] finds it.
//!
//! [`run_on_host`] gives a program the host's own kernel instead, in namespaces apart from the host's.

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!("programs are supervised on x86_64 and aarch64");

mod error;
mod guard;
mod host;
mod launch;
mod names;
mod processes;
mod server;
mod session;
mod supervisor;
mod sys;
mod world;

pub use error::{Error, Result};
pub use host::run_on_host;
pub use launch::{Program, down, execute, run, search_path, up};
pub use session::{find, list};
pub use sys::signals::default_broken_pipe;
