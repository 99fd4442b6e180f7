//! What `arping` was asked for.

use std::net::Ipv4Addr;
use std::time::Duration;

use crate::getopt::{Word, Words, integer};

const USAGE: &str = include_str!("usage.txt");
const VERSION: &str = "arping from iputils 20221126
libcap: yes, IDN: yes, NLS: no, error.h: yes, getrandom(): yes, __fpending(): yes
";

/// Why there is nothing more to do: the exit status, and what to say.
#[derive(Debug, Default)]
pub(super) struct Stop {
    pub(super) status: i32,
    pub(super) out: String,
    pub(super) err: String,
}

impl Stop {
    pub(super) fn new(status: i32, message: impl std::fmt::Display) -> Stop {
        Stop { status, err: format!("arping: {message}\n"), ..Stop::default() }
    }

    fn usage(before: String) -> Stop {
        Stop { status: 2, err: before + USAGE, ..Stop::default() }
    }
}

/// What requests are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// Who has the address?
    #[default]
    Ask,
    /// Has anybody the address that we want (`-D`)?
    DetectDuplicate,
    /// Tell the neighbours of our own address, by a request (`-U`).
    Announce,
    /// The same by a reply (`-A`).
    Answer,
}

impl Mode {
    /// Nobody is expected to answer.
    pub(super) fn is_unsolicited(self) -> bool {
        matches!(self, Mode::Announce | Mode::Answer)
    }
}

/// The command line, checked.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) mode: Mode,
    pub(super) quit_on_first: bool,
    pub(super) quiet: bool,
    pub(super) only_broadcast: bool,
    pub(super) count: Option<u64>,
    pub(super) timeout: Option<Duration>,
    pub(super) interval: Duration,
    pub(super) device: Option<String>,
    pub(super) source: Option<Ipv4Addr>,
    pub(super) target: String,
}

impl Options {
    pub(super) fn parse(arguments: &[String]) -> Result<Options, Stop> {
        let mut options = Options {
            mode: Mode::Ask,
            quit_on_first: false,
            quiet: false,
            only_broadcast: false,
            count: None,
            timeout: None,
            interval: Duration::from_secs(1),
            device: None,
            source: None,
            target: String::new(),
        };
        let mut targets = Vec::new();
        let number = |value: &str, least| integer(value, least, i32::MAX.into()).map_err(|why| Stop::new(1, why));
        for word in Words::new(arguments, "h?bfDUAqc:w:i:s:I:V") {
            match word.map_err(|refused| Stop::usage(format!("arping: {refused}\n")))? {
                Word::Option('b', _) => options.only_broadcast = true,
                Word::Option('D', _) => options.mode = Mode::DetectDuplicate,
                Word::Option('U', _) => options.mode = Mode::Announce,
                Word::Option('A', _) => options.mode = Mode::Answer,
                Word::Option('q', _) => options.quiet = true,
                Word::Option('f', _) => options.quit_on_first = true,
                Word::Option('c', value) => options.count = Some(number(value, 1)? as u64),
                Word::Option('w', value) => options.timeout = Some(Duration::from_secs(number(value, 0)? as u64)),
                Word::Option('i', value) => options.interval = Duration::from_secs(number(value, 0)? as u64),
                Word::Option('I', value) => options.device = Some(value.to_owned()),
                Word::Option('s', value) => {
                    let source = value.parse().map_err(|_| Stop::new(2, format!("invalid source {value}")))?;
                    options.source = Some(source);
                }
                Word::Option('V', _) => return Err(Stop { out: VERSION.to_owned(), ..Stop::default() }),
                Word::Option(..) => return Err(Stop::usage(String::new())),
                Word::Operand(word) | Word::Long(word) => targets.push(word.to_owned()),
            }
        }
        options.timeout = options.timeout.filter(|timeout| !timeout.is_zero());
        match <[String; 1]>::try_from(targets) {
            Ok([target]) => Ok(Options { target, ..options }),
            Err(_) => Err(Stop::usage(String::new())),
        }
    }
}
