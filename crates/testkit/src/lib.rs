//! For tests alone: transcripts of the real tools on the real kernel, and what it takes to hold Netloom to them.
//!
//! A *scenario* is a list of commands; a *transcript* is what they printed, how they ended and what the kernel logged.
//! [`record`] runs a scenario wherever it is called and gives a transcript; [`compare`] sets two side by side, after
//! [`normalise`] has replaced what may differ from run to run.
//!
//! [`lab`] is an embedded kernel in the test's own process, spoken to by [`netlink`] and [`frames`]; [`hostile`] does to it
//! whatever some bytes say.

pub mod accepted;
pub mod compare;
pub mod frames;
pub mod hostile;
pub mod lab;
pub mod netlink;
pub mod normalise;
pub mod record;
pub mod transcript;
