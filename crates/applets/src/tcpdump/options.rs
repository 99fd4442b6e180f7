//! What `tcpdump` was asked for.

use super::print::Style;
use crate::getopt::{Word, Words};

/// The default of `-s`, and its largest value.
pub(super) const SNAPSHOT: usize = 262_144;
const VERSION: &str = "tcpdump version 4.99.3\nlibpcap version 1.10.3 (with TPACKET_V3)\n";
const USAGE: &str = "\
Usage: tcpdump [-AbdDefhHIJKlLnNOpqStuUvxX#] [ -B size ] [ -c count ] [--count]
\t\t[ -C file_size ] [ -E algo:secret ] [ -F file ] [ -G seconds ]
\t\t[ -i interface ] [ --immediate-mode ] [ -j tstamptype ]
\t\t[ -M secret ] [ --number ] [ --print ] [ -Q in|out|inout ]
\t\t[ -r file ] [ -s snaplen ] [ -T type ] [ --version ]
\t\t[ -V file ] [ -w file ] [ -W filecount ] [ -y datalinktype ]
\t\t[ --time-stamp-precision precision ] [ --micro ] [ --nano ]
\t\t[ -z postrotate-command ] [ -Z user ] [ expression ]
";

/// How a frame's bytes are shown below its line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bytes {
    /// `-x` once, twice: without and with the link-level header.
    pub(super) hex: u8,
    /// `-X`, likewise: with characters.
    pub(super) both: u8,
    /// `-A`, likewise: characters alone.
    pub(super) ascii: u8,
}

/// Which way frames go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Way {
    #[default]
    Both,
    In,
    Out,
}

/// The command line, checked.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) device: Option<String>,
    pub(super) count: Option<u64>,
    pub(super) list_devices: bool,
    pub(super) not_promiscuous: bool,
    pub(super) way: Way,
    pub(super) read: Option<String>,
    pub(super) write: Option<String>,
    /// Prints although it writes (`--print`).
    pub(super) print: bool,
    pub(super) snapshot: usize,
    pub(super) bytes: Bytes,
    pub(super) style: Style,
    /// `-t`, counted.
    pub(super) times: u8,
    /// Frames are numbered (`-#`).
    pub(super) numbered: bool,
    /// Frames are only counted (`--count`).
    pub(super) only_count: bool,
    pub(super) expression: String,
}

/// Why there is nothing more to do: the exit status, and what to say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Stop {
    pub(super) status: i32,
    pub(super) out: String,
    pub(super) err: String,
}

impl Stop {
    pub(super) fn new(message: impl std::fmt::Display) -> Stop {
        Stop { status: 1, err: format!("tcpdump: {message}\n"), ..Stop::default() }
    }
}

impl Options {
    pub(super) fn parse(arguments: &[String]) -> Result<Options, Stop> {
        let mut options = Options { snapshot: SNAPSHOT, ..Options::default() };
        let mut expression: Vec<&str> = Vec::new();
        let letters = "aAbB:c:C:dDeE:fF:G:hHi:IjJ:KlLm:M:nNOpqQ:r:s:StT:uUvV:w:W:xXy:Yz:Z:#";
        let refuse = |why: &dyn std::fmt::Display| Stop {
            status: 1,
            err: format!("tcpdump: {why}\n{VERSION}{USAGE}"),
            ..Stop::default()
        };
        let mut words = Words::new(arguments, letters).with_long();
        while let Some(word) = words.next() {
            match word.map_err(|why| refuse(&why))? {
                Word::Option(letter, value) => options.take(letter, value)?,
                Word::Long(long) => {
                    let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
                    let mut value = || match value {
                        Some(value) => Ok(value.to_owned()),
                        None => match words.next() {
                            Some(Ok(Word::Operand(value))) => Ok(value.to_owned()),
                            _ => Err(refuse(&format!("option '--{name}' requires an argument"))),
                        },
                    };
                    match name {
                        "interface" => options.device = Some(value()?),
                        "direction" => options.take('Q', &value()?)?,
                        "snapshot-length" => options.take('s', &value()?)?,
                        "count" => options.only_count = true,
                        "print" => options.print = true,
                        "number" => options.numbered = true,
                        "no-promiscuous-mode" => options.not_promiscuous = true,
                        "absolute-tcp-sequence-numbers" => options.style.absolute = true,
                        "list-interfaces" => options.list_devices = true,
                        "immediate-mode" | "packet-buffered" | "micro" | "dont-verify-checksums" => {}
                        "version" => return Err(Stop { out: VERSION.to_owned(), ..Stop::default() }),
                        "help" => return Err(Stop { out: format!("{VERSION}{USAGE}"), ..Stop::default() }),
                        _ => return Err(refuse(&format!("unrecognized option '--{name}'"))),
                    }
                }
                // The expression begins with the first word that is no option and goes on to the end.
                Word::Operand(word) => expression.push(word),
            }
        }
        options.style.bytes_follow = options.bytes.hex > 0 || options.bytes.both > 0;
        options.expression = expression.join(" ");
        Ok(options)
    }

    fn take(&mut self, letter: char, value: &str) -> Result<(), Stop> {
        match letter {
            'A' => self.bytes.ascii += 1,
            'c' => {
                let count = value.parse().ok().filter(|&count: &u64| count > 0);
                self.count = Some(count.ok_or_else(|| Stop::new(format!("invalid packet count {value}")))?);
            }
            'D' => self.list_devices = true,
            'e' => self.style.link_level = true,
            'h' => return Err(Stop { out: format!("{VERSION}{USAGE}"), ..Stop::default() }),
            'i' => self.device = Some(value.to_owned()),
            'n' => self.style.numeric = true,
            'p' => self.not_promiscuous = true,
            'q' => self.style.quiet = true,
            'Q' => {
                self.way = match value {
                    "in" => Way::In,
                    "out" => Way::Out,
                    "inout" => Way::Both,
                    _ => return Err(Stop::new(format!("unknown capture direction `{value}'"))),
                };
            }
            'r' => self.read = Some(value.to_owned()),
            's' => {
                let length = value.parse().ok().filter(|&length: &usize| length <= SNAPSHOT);
                let length = length
                    .ok_or_else(|| Stop::new(format!("invalid snaplen {value} (must be >= 0 and <= {SNAPSHOT})")))?;
                self.snapshot = if length == 0 { SNAPSHOT } else { length };
            }
            'S' => self.style.absolute = true,
            't' => self.times = self.times.saturating_add(1),
            'v' => self.style.verbose = self.style.verbose.saturating_add(1),
            'w' => self.write = Some(value.to_owned()),
            'x' => self.bytes.hex += 1,
            'X' => self.bytes.both += 1,
            '#' => self.numbered = true,
            // How output is buffered, and what only costs less: nothing changes.
            'l' | 'U' | 'B' | 'K' | 'N' | 'O' | 'f' | 'u' | 'b' | 'Z' => {}
            _ => return Err(Stop::new(format!("option -{letter} is not supported"))),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Options, Stop, Way};

    fn parse(line: &str) -> Result<Options, Stop> {
        Options::parse(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn letters_join_and_the_rest_is_the_expression() {
        let options = parse("--immediate-mode -tnle -p -i veth0 -Q in icmp or arp").unwrap();
        assert_eq!((options.times, options.style.numeric, options.style.link_level), (1, true, true));
        assert_eq!((options.device.as_deref(), options.way), (Some("veth0"), Way::In));
        assert_eq!(options.expression, "icmp or arp");
    }

    #[test]
    fn bad_numbers_are_refused_in_its_words() {
        assert_eq!(parse("-c 0").unwrap_err().err, "tcpdump: invalid packet count 0\n");
        assert_eq!(parse("-s x").unwrap_err().err, "tcpdump: invalid snaplen x (must be >= 0 and <= 262144)\n");
    }
}
