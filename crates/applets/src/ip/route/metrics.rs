//! A route's metrics: path MTU, round-trip time and what else TCP may take from it.

use netloom_machine::netlink::{Attributes, Request};

use super::rta;
use crate::print::{Printer, Value};
use crate::rtnl::{Arguments, Outcome, Session, invalid_argument};

const LOCK: u16 = 1;
const RTT: u16 = 4;
const RTTVAR: u16 = 5;
const HOPLIMIT: u16 = 10;
const FEATURES: u16 = 12;
const RTO_MIN: u16 = 13;
const QUICKACK: u16 = 15;
const CC_ALGO: u16 = 16;
const FASTOPEN_NO_COOKIE: u16 = 17;
const FEATURE_ECN: u32 = 1;

/// Names by `RTAX_*`.
const NAMES: &[&str] = &[
    "",
    "lock",
    "mtu",
    "window",
    "rtt",
    "rttvar",
    "ssthresh",
    "cwnd",
    "advmss",
    "reordering",
    "hoplimit",
    "initcwnd",
    "features",
    "rto_min",
    "initrwnd",
    "quickack",
    "congctl",
    "fastopen_no_cookie",
];

/// Prints the metrics nested in a route; nothing where there are none.
pub(super) fn print(printer: &mut Printer<'_>, metrics: Attributes<'_>) {
    let table = metrics.table::<32>();
    let locks = table.u32(LOCK).unwrap_or(0);
    let mut begun = false;
    for kind in 2..32u16 {
        let Some(metric) = table.get(kind) else { continue };
        let value = metric.u32().unwrap_or(0);
        if kind == CC_ALGO && metric.string().is_empty() || kind == HOPLIMIT && value == u32::MAX {
            continue;
        }
        if !begun {
            printer.open_array("metrics");
            printer.open_object(None);
            begun = true;
        }
        let name = NAMES.get(usize::from(kind)).map_or_else(|| format!("metric {kind}"), |name| (*name).to_owned());
        let lock = if locks & 1u32.checked_shl(kind.into()).unwrap_or(0) != 0 { "lock " } else { "" };
        match kind {
            FEATURES => print_features(printer, lock, value),
            RTT => print_time(printer, &name, lock, value / 8),
            RTTVAR => print_time(printer, &name, lock, value / 4),
            RTO_MIN => print_time(printer, &name, lock, value),
            CC_ALGO => {
                let algorithm = metric.string();
                printer.field("congestion", algorithm, format_args!("{name} {lock}{algorithm} "));
            }
            _ => printer.field(&name, value, format_args!("{name} {lock}{value} ")),
        }
    }
    if begun {
        printer.close_object();
        printer.close_array();
    }
}

fn print_features(printer: &mut Printer<'_>, lock: &str, features: u32) {
    printer.text(format_args!("features {lock}"));
    if features & FEATURE_ECN != 0 {
        printer.field("ecn", Value::Null, format_args!("ecn "));
    }
    let rest = features & !FEATURE_ECN;
    if rest != 0 {
        let rest = format!("{rest:#x}");
        printer.field("features", &rest, format_args!("{rest} "));
    }
}

fn print_time(printer: &mut Printer<'_>, name: &str, lock: &str, milliseconds: u32) {
    if milliseconds >= 1000 {
        let seconds = f64::from(milliseconds) / 1e3;
        printer.field(name, milliseconds, format_args!("{name} {lock}{seconds}s "));
    } else {
        printer.field(name, milliseconds, format_args!("{name} {lock}{milliseconds}ms "));
    }
}

/// Metrics that were given.
#[derive(Clone, Debug, Default)]
pub(super) struct Metrics {
    values: Vec<(u16, u32)>,
    congestion_control: Option<String>,
    locks: u32,
}

impl Metrics {
    /// Reads the value of the metric `word`; `false` where the word is none.
    pub(super) fn parse(
        &mut self,
        session: &mut Session<'_>,
        word: &str,
        arguments: &mut Arguments<'_>,
    ) -> Outcome<bool> {
        // `cwnd` and the like may be abbreviated, but a word of one letter would hide other keywords.
        let found = NAMES.iter().skip(2).position(|name| *name == word);
        let Some(kind) = found.and_then(|at| u16::try_from(at + 2).ok()) else { return Ok(false) };
        let mut value = arguments.value(session.err)?;
        let lockable = !matches!(kind, FEATURES | QUICKACK | FASTOPEN_NO_COOKIE);
        if value == "lock" && lockable {
            self.locks |= 1 << kind;
            value = arguments.value(session.err)?;
        }
        let number = crate::rtnl::number(value).and_then(|number| u32::try_from(number).ok());
        let number = match kind {
            CC_ALGO => {
                self.congestion_control = Some(value.to_owned());
                return Ok(true);
            }
            FEATURES => match value {
                "ecn" => Some(FEATURE_ECN),
                _ => return Err(invalid_argument(session.err, "\"features\" value not valid\n", value)),
            },
            RTT => time(value, 8),
            RTTVAR => time(value, 4),
            RTO_MIN => {
                self.locks |= 1 << RTO_MIN;
                time(value, 1)
            }
            HOPLIMIT => number.filter(|number| *number <= 255),
            QUICKACK | FASTOPEN_NO_COOKIE => number.filter(|number| *number <= 1),
            _ => number,
        };
        match number {
            Some(number) => self.values.push((kind, number)),
            None => return Err(invalid_argument(session.err, &format!("\"{word}\" value is invalid\n"), value)),
        }
        Ok(true)
    }

    /// Adds them to a request.
    pub(super) fn put(&self, request: &mut Request) {
        if self.values.is_empty() && self.congestion_control.is_none() {
            return;
        }
        let nest = request.begin(rta::METRICS);
        if self.locks != 0 {
            request.u32(LOCK, self.locks);
        }
        for (kind, value) in &self.values {
            request.u32(*kind, *value);
        }
        if let Some(name) = &self.congestion_control {
            request.attribute(CC_ALGO, name.as_bytes());
        }
        request.end(nest);
    }
}

/// A time in milliseconds, kept in such parts of one; a number without a unit is such parts already.
fn time(text: &str, parts: u32) -> Option<u32> {
    let end = text.find(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().ok().filter(|number: &f64| *number >= 0.0)?;
    let value = match unit {
        "" => number,
        "s" | "sec" | "secs" => number * 1000.0 * f64::from(parts),
        "ms" | "msec" | "msecs" => number * f64::from(parts),
        _ => return None,
    };
    (value < f64::from(u32::MAX)).then_some(value.ceil() as u32)
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn times_with_and_without_unit() {
        assert_eq!(time("5", 8), Some(5));
        assert_eq!(time("100ms", 8), Some(800));
        assert_eq!(time("1s", 4), Some(4000));
        assert_eq!(time("1.5s", 1), Some(1500));
        assert_eq!(time("1h", 1), None);
        assert_eq!(time("x", 1), None);
    }
}
