//! For tests alone: an embedded kernel to try things on, and transcripts to hold it to.
//!
//! [`lab`] is an embedded kernel in the test's own process, spoken to by [`netlink`] and [`frames`]; [`hostile`] does to it
//! whatever some bytes say. [`grammar`] makes scripts and [`shrink`] makes them short.

pub mod frames;
pub mod grammar;
pub mod hostile;
pub mod lab;
pub mod netlink;
pub mod shrink;

pub use netloom_transcript::{accepted, compare, normalise, record, transcript};
