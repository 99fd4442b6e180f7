//! Options before the object, as `ip` and `bridge` read them.

use netloom_machine::Netns;

use super::Outcome;
use crate::print::Format;

/// What the options say.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) format: Format,
    pub(crate) family: u8,
    pub(crate) netns: Option<Netns>,
    pub(crate) batch: Option<String>,
    pub(crate) force: bool,
    pub(crate) all: bool,
    pub(crate) loops: u32,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            format: Format::default(),
            family: libc::AF_UNSPEC as u8,
            netns: None,
            batch: None,
            force: false,
            all: false,
            loops: 10,
        }
    }
}

/// What to do once the options are read.
pub(crate) enum Action {
    /// The object and its command follow.
    Run(Options),
    /// `-V`
    Version,
    /// `-help`
    Help,
}

/// Takes the next option off the words, with one dash where it has two; none is left after `--` or before the object.
pub(crate) fn next_option<'w>(words: &mut &'w [String]) -> Option<&'w str> {
    let (word, rest) = words.split_first().filter(|(word, _)| word.starts_with('-'))?;
    *words = rest;
    (word != "--").then(|| if word.starts_with("--") { &word[1..] } else { word.as_str() })
}

/// The first of `names` that a word abbreviates.
pub(crate) fn full_name(names: &[&'static str], word: &str) -> Option<&'static str> {
    names.iter().find(|name| word.len() > 1 && name.starts_with(word)).copied()
}

/// The exit status of the whole program.
pub(crate) fn exit_status(outcome: Outcome) -> i32 {
    match outcome {
        Ok(()) => 0,
        Err(super::Failure::Command(status) | super::Failure::Exit(status)) => status,
    }
}
