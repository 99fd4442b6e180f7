//! Transcripts: what commands said on one kernel, and what it takes to hold another to it. For tests, and for `netloom diff`.
//!
//! A *scenario* is a list of commands; a *transcript* is what they printed, how they ended and what the kernel logged.
//! [`record`] runs a scenario wherever it is called and gives a transcript; [`compare`] sets two side by side, after
//! [`normalise`] has replaced what may differ from run to run.

pub mod accepted;
pub mod compare;
pub mod frames;
pub mod normalise;
pub mod record;
pub mod transcript;
