//! What `ping` was asked for.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use crate::getopt::{self, Word, Words};

const LETTERS: &str = "h?4bRT:6F:N:aABc:CdDe:fi:I:l:Lm:M:nOp:qQ:rs:S:t:UvVw:W:";
/// What `-h` and a wrong option print.
const USAGE: &str = include_str!("usage.txt");
const VERSION: &str = "ping from iputils 20221126
libcap: yes, IDN: yes, NLS: no, error.h: yes, getrandom(): yes, __fpending(): yes
";

/// The IP timestamp option's kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stamps {
    Only = 0,
    AndAddresses = 1,
    Prespecified = 3,
}

/// The command line, checked.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) v4_only: bool,
    pub(super) v6_only: bool,
    pub(super) audible: bool,
    pub(super) adaptive: bool,
    pub(super) sticky_source: bool,
    pub(super) broadcast: bool,
    pub(super) count: Option<u64>,
    pub(super) connect: bool,
    pub(super) debug: bool,
    pub(super) timestamps: bool,
    pub(super) ident: Option<u16>,
    pub(super) flood: bool,
    pub(super) flow_label: Option<u32>,
    pub(super) interval: Duration,
    pub(super) device: Option<String>,
    pub(super) source4: Option<Ipv4Addr>,
    pub(super) source6: Option<Ipv6Addr>,
    pub(super) preload: u32,
    pub(super) no_loop: bool,
    pub(super) mark: Option<u32>,
    pub(super) mtu_discovery: Option<i32>,
    pub(super) numeric: bool,
    pub(super) outstanding: bool,
    pub(super) pattern: Vec<u8>,
    pub(super) quiet: bool,
    pub(super) tos: Option<u8>,
    pub(super) record_route: bool,
    pub(super) stamps: Option<Stamps>,
    pub(super) dont_route: bool,
    pub(super) size: usize,
    pub(super) send_buffer: Option<i32>,
    pub(super) ttl: Option<u8>,
    pub(super) user_latency: bool,
    pub(super) verbose: bool,
    pub(super) deadline: Option<Duration>,
    /// How long to wait for an answer to the last request while there was none at all.
    pub(super) linger: Duration,
    /// The addresses on the way, and the target last.
    pub(super) hosts: Vec<String>,
    /// Said before anything else.
    pub(super) warnings: String,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            v4_only: false,
            v6_only: false,
            audible: false,
            adaptive: false,
            sticky_source: false,
            broadcast: false,
            count: None,
            connect: false,
            debug: false,
            timestamps: false,
            ident: None,
            flood: false,
            flow_label: None,
            interval: Duration::from_secs(1),
            device: None,
            source4: None,
            source6: None,
            preload: 1,
            no_loop: false,
            mark: None,
            mtu_discovery: None,
            numeric: false,
            outstanding: false,
            pattern: Vec::new(),
            quiet: false,
            tos: None,
            record_route: false,
            stamps: None,
            dont_route: false,
            size: 56,
            send_buffer: None,
            ttl: None,
            user_latency: false,
            verbose: false,
            deadline: None,
            linger: Duration::from_secs(10),
            hosts: Vec::new(),
            warnings: String::new(),
        }
    }
}

/// Why there is nothing more to do: the exit status, and what to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stop {
    pub(super) status: i32,
    pub(super) out: String,
    pub(super) err: String,
}

impl Stop {
    pub(super) fn new(status: i32, message: impl std::fmt::Display) -> Stop {
        Stop { status, out: String::new(), err: format!("ping: {message}\n") }
    }
}

impl Options {
    pub(super) fn parse(arguments: &[String]) -> Result<Options, Stop> {
        let mut options = Options::default();
        let mut interval_given = false;
        for word in Words::new(arguments, LETTERS) {
            match word.map_err(|refused| Stop {
                status: 2,
                err: format!("ping: {refused}\n{USAGE}"),
                ..Stop::default()
            })? {
                Word::Option('i', value) => {
                    options.interval = options.seconds(value, "bad timing interval: ")?;
                    interval_given = true;
                }
                Word::Option(letter, value) => options.take(letter, value)?,
                Word::Operand(word) | Word::Long(word) => options.hosts.push(word.to_owned()),
            }
        }
        if options.hosts.is_empty() {
            return Err(Stop::new(1, "usage error: Destination address required"));
        }
        if options.flood && !interval_given {
            options.interval = Duration::ZERO;
        }
        Ok(options)
    }

    fn take(&mut self, letter: char, value: &str) -> Result<(), Stop> {
        match letter {
            '4' | '6' => {
                self.v4_only |= letter == '4';
                self.v6_only |= letter == '6';
                if self.v4_only && self.v6_only {
                    return Err(Stop::new(2, "only one -4 or -6 option may be specified"));
                }
            }
            'a' => self.audible = true,
            'A' => self.adaptive = true,
            'B' => self.sticky_source = true,
            'b' => self.broadcast = true,
            'c' => self.count = Some(integer(value, 1, i64::MAX)? as u64),
            'C' => self.connect = true,
            'd' => self.debug = true,
            'D' => self.timestamps = true,
            'e' => self.ident = Some(integer(value, 0, 65535)? as u16),
            'f' => self.flood = true,
            'F' => self.flow_label = Some(flow_label(value)?),
            'I' => self.interface(value),
            'l' => self.preload = integer(value, 1, 65536)? as u32,
            'L' => self.no_loop = true,
            'm' => self.mark = Some(integer(value, 0, u32::MAX.into())? as u32),
            'M' => {
                self.mtu_discovery = Some(match value {
                    "do" => libc::IP_PMTUDISC_DO,
                    "dont" => libc::IP_PMTUDISC_DONT,
                    "want" => libc::IP_PMTUDISC_WANT,
                    _ => return Err(Stop::new(2, format!("invalid -M argument: {value}"))),
                });
            }
            'n' => self.numeric = true,
            'O' => self.outstanding = true,
            'p' => self.pattern = pattern(value)?,
            'q' => self.quiet = true,
            'Q' => self.tos = Some(traffic_class(value)?),
            'R' | 'T' => self.ip_option(letter, value)?,
            'r' => self.dont_route = true,
            's' => self.size = integer(value, 0, i32::MAX.into())? as usize,
            'S' => self.send_buffer = Some(integer(value, 1, i32::MAX.into())? as i32),
            't' => self.ttl = Some(integer(value, 0, 255)? as u8),
            'U' => self.user_latency = true,
            'v' => self.verbose = true,
            'w' => {
                let seconds = integer(value, 0, i32::MAX.into())?;
                self.deadline = (seconds > 0).then(|| Duration::from_secs(seconds as u64));
            }
            'W' => {
                let linger = self.seconds(value, "bad linger time: ")?;
                self.linger = if linger.is_zero() { Duration::from_secs(10) } else { linger };
            }
            'V' => return Err(Stop { out: VERSION.to_owned(), ..Stop::default() }),
            'N' => return Err(Stop::new(2, format!("node information queries are not supported: {value}"))),
            _ => return Err(Stop { status: 2, err: USAGE.to_owned(), ..Stop::default() }),
        }
        Ok(())
    }

    fn interface(&mut self, value: &str) {
        if let Ok(address) = value.parse() {
            self.source4 = Some(address);
        } else if let Ok(address) = value.parse() {
            self.source6 = Some(address);
        } else {
            self.device = Some(value.to_owned());
        }
    }

    fn ip_option(&mut self, letter: char, value: &str) -> Result<(), Stop> {
        if letter == 'R' {
            self.record_route = true;
        } else {
            self.stamps = Some(match value {
                "tsonly" => Stamps::Only,
                "tsandaddr" => Stamps::AndAddresses,
                "tsprespec" => Stamps::Prespecified,
                _ => return Err(Stop::new(2, format!("invalid timestamp type: {value}"))),
            });
        }
        if self.record_route && self.stamps.is_some() {
            return Err(Stop::new(2, "only one of -T or -R may be used"));
        }
        Ok(())
    }

    /// Seconds with a fraction; what stands behind the number is only warned about.
    fn seconds(&mut self, value: &str, refusal: &str) -> Result<Duration, Stop> {
        let number_end = value
            .char_indices()
            .find(|&(at, c)| !(c.is_ascii_digit() || c == '.' || (at == 0 && (c == '-' || c == '+'))))
            .map_or(value.len(), |(at, _)| at);
        let (number, garbage) = value.split_at(number_end);
        let seconds: f64 = number.parse().unwrap_or(0.0);
        if !garbage.is_empty() || number.is_empty() {
            self.warnings.push_str(&format!(
                "ping: option argument contains garbage: {garbage}\nping: this will become fatal error in the future\n"
            ));
        }
        if seconds >= f64::from(i32::MAX / 1000) {
            return Err(Stop::new(2, format!("{refusal}{value}")));
        }
        Ok(Duration::from_millis((seconds.max(0.0) * 1000.0) as u64))
    }
}

fn integer(value: &str, least: i64, most: i64) -> Result<i64, Stop> {
    getopt::integer(value, least, most).map_err(|why| Stop::new(1, why))
}

fn number_with_base(value: &str) -> Option<i64> {
    match value.strip_prefix("0x").or_else(|| value.strip_prefix("0X")) {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => value.parse().ok(),
    }
}

fn traffic_class(value: &str) -> Result<u8, Stop> {
    let number = number_with_base(value).ok_or_else(|| Stop::new(2, format!("bad TOS value: {value}")))?;
    u8::try_from(number)
        .map_err(|_| Stop::new(2, format!("the decimal value of TOS bits must be in range 0-255: {number}")))
}

fn flow_label(value: &str) -> Result<u32, Stop> {
    let number = number_with_base(value).ok_or_else(|| Stop::new(2, format!("bad value for flowinfo: {value}")))?;
    u32::try_from(number)
        .ok()
        .filter(|&label| label < 1 << 20)
        .ok_or_else(|| Stop::new(2, format!("flow value is greater than 20 bits: {value}")))
}

/// Two hex digits a byte; a lone last digit is a byte too.
fn pattern(value: &str) -> Result<Vec<u8>, Stop> {
    if value.is_empty() || !value.bytes().all(|c| c.is_ascii_hexdigit()) {
        return Err(Stop::new(2, format!("patterns must be specified as hex digits: {value}")));
    }
    let digits: Vec<u8> = value.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    Ok(digits.chunks(2).take(16).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

#[cfg(test)]
mod tests {
    use super::{Options, Stop};

    fn parse(line: &str) -> Result<Options, Stop> {
        Options::parse(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    fn refusal(line: &str) -> (i32, String) {
        let stop = parse(line).expect_err(line);
        (stop.status, stop.err.trim_start_matches("ping: ").trim_end().to_owned())
    }

    #[test]
    fn numbers_are_refused_in_its_words() {
        let invalid = |text: &str| (1, format!("invalid argument: {text}"));
        assert_eq!(refusal("-c0 h"), invalid("'0': out of range: 1 <= value <= 9223372036854775807"));
        assert_eq!(refusal("-c x h"), invalid("'x'"));
        assert_eq!(
            refusal("-c99999999999999999999 h"),
            invalid("'99999999999999999999': Numerical result out of range")
        );
        assert_eq!(refusal("-t 256 h"), invalid("'256': out of range: 0 <= value <= 255"));
        assert_eq!(refusal("-i 3000000 h"), (2, "bad timing interval: 3000000".into()));
        assert_eq!(refusal("-c1"), (1, "usage error: Destination address required".into()));
        assert_eq!(refusal("-R -T tsonly h").1, "only one of -T or -R may be used");
    }

    #[test]
    fn a_pattern_may_end_in_half_a_byte() {
        assert_eq!(parse("-p abc h").unwrap().pattern, [0xab, 0x0c]);
        assert_eq!(refusal("-p zz h"), (2, "patterns must be specified as hex digits: zz".into()));
    }

    #[test]
    fn garbage_behind_seconds_is_warned_about() {
        let options = parse("-i 1,5 h").unwrap();
        assert_eq!(options.interval.as_millis(), 1000);
        assert!(options.warnings.starts_with("ping: option argument contains garbage: ,5\n"));
    }
}
