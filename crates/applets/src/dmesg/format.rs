//! How a record of the kernel log is written.

use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use netloom_machine::LogRecord;

use super::{FACILITIES, LEVELS};

/// How a record's time is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Time {
    /// Since the machine started.
    Seconds,
    /// The day and minute when it changes, otherwise what has passed since the last record.
    Relative,
    /// Day and time (UTC).
    Calendar,
    /// ISO 8601 (UTC).
    Iso,
    Nothing,
}

/// Prints one record after another.
pub(super) struct Printer {
    time: Time,
    delta: bool,
    raw: bool,
    decode: bool,
    boot: SystemTime,
    last: Option<Duration>,
}

/// A moment as people write it.
struct Calendar {
    year: i64,
    month: usize,
    day: u64,
    weekday: usize,
    hour: u64,
    minute: u64,
    second: u64,
    microsecond: u32,
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

impl Calendar {
    fn new(moment: SystemTime) -> Calendar {
        let since = moment.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let (days, rest) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
        // Years are counted from March, so that a leap day is a year's last.
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = ((month_from_march + 2) % 12) as usize;
        let year = (year_of_era + era * 400) as i64 + i64::from(month < 2);
        Calendar {
            year,
            month,
            day,
            weekday: (days % 7) as usize,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
            microsecond: since.subsec_micros(),
        }
    }

    fn day(&self) -> String {
        format!("{}{:>2}", MONTHS[self.month], self.day)
    }
}

impl Printer {
    pub(super) fn new(time: Time, delta: bool, raw: bool, decode: bool, boot: SystemTime) -> Printer {
        Printer { time, delta, raw, decode, boot, last: None }
    }

    pub(super) fn print(&mut self, out: &mut dyn Write, record: &LogRecord) -> io::Result<()> {
        if self.raw {
            write!(out, "<{}>", u32::from(record.facility) << 3 | u32::from(record.level))?;
        }
        if self.decode {
            let name = |table: &[(&'static str, &str)], number: u8| {
                table.get(usize::from(number)).map_or("", |(name, _)| *name)
            };
            write!(out, "{:<6}:{:<6}: ", name(&FACILITIES, record.facility), name(&LEVELS, record.level))?;
        }
        let prefix = self.prefix(record.time);
        self.last = Some(record.time);
        writeln!(out, "{prefix}{}", unescape(&record.text))
    }

    fn prefix(&self, time: Duration) -> String {
        let passed = self.last.map(|last| time.saturating_sub(last));
        let delta = passed.unwrap_or_default();
        let delta = format!("{:>5}.{:06}", delta.as_secs(), delta.subsec_micros());
        let seconds = || format!("{:>5}.{:06}", time.as_secs(), time.subsec_micros());
        let moment = Calendar::new(self.boot.checked_add(time).unwrap_or(self.boot));
        let text = match self.time {
            Time::Seconds => seconds(),
            Time::Nothing if self.delta => return format!("[<{delta}>] "),
            Time::Nothing => return String::new(),
            Time::Calendar => format!(
                "{} {} {} {:02}:{:02}:{:02} {}",
                WEEKDAYS[moment.weekday],
                MONTHS[moment.month],
                format_args!("{:>2}", moment.day),
                moment.hour,
                moment.minute,
                moment.second,
                moment.year
            ),
            Time::Iso => {
                return format!(
                    "{:04}-{:02}-{:02}T{:02}:{:02}:{:02},{:06}+00:00 ",
                    moment.year,
                    moment.month + 1,
                    moment.day,
                    moment.hour,
                    moment.minute,
                    moment.second,
                    moment.microsecond
                );
            }
            Time::Relative => return self.relative(time, passed, &moment),
        };
        if self.delta { format!("[{text} <{delta}>] ") } else { format!("[{text}] ") }
    }

    fn relative(&self, time: Duration, passed: Option<Duration>, moment: &Calendar) -> String {
        let before = self.last.and_then(|last| self.boot.checked_add(last)).map(Calendar::new);
        let same_minute = before
            .is_some_and(|before| (before.day, before.hour, before.minute) == (moment.day, moment.hour, moment.minute));
        match passed {
            Some(passed) if same_minute && passed <= time => {
                let number = format!("+{}.{:06}", passed.as_secs(), passed.subsec_micros());
                format!("[{number:>11}] ")
            }
            _ => format!("[{} {:02}:{:02}] ", moment.day(), moment.hour, moment.minute),
        }
    }
}

/// The kernel escapes backslashes and what can't be printed; what can be is shown.
fn unescape(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\\x") {
        let code = rest.get(at + 2..at + 4).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        shown.push_str(&rest[..at]);
        match code {
            Some(byte) if byte == b'\t' || (b' '..=b'~').contains(&byte) => {
                shown.push(byte as char);
                rest = &rest[at + 4..];
            }
            _ => {
                shown.push_str("\\x");
                rest = &rest[at + 2..];
            }
        }
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::{Printer, Time, unescape};
    use netloom_machine::LogRecord;
    use std::time::{Duration, SystemTime};

    fn printed(time: Time, delta: bool, raw: bool, decode: bool) -> String {
        // 2026-02-28 23:59:58.
        let boot = SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_323_198);
        let mut printer = Printer::new(time, delta, raw, decode, boot);
        let mut out = Vec::new();
        for (micros, text) in [(500_000, "one"), (600_000, "two"), (2_600_000, "three")] {
            let record = LogRecord {
                level: 6,
                facility: 0,
                sequence: 0,
                time: Duration::from_micros(micros),
                text: text.to_owned(),
            };
            printer.print(&mut out, &record).expect("a vector takes all");
        }
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn times_have_many_forms() {
        assert!(printed(Time::Seconds, false, false, false).starts_with("[    0.500000] one\n[    0.600000] two\n"));
        assert!(printed(Time::Seconds, true, false, false).contains("[    0.600000 <    0.100000>] two\n"));
        assert!(printed(Time::Nothing, true, false, true).contains("kern  :info  : [<    0.100000>] two\n"));
        assert!(printed(Time::Seconds, false, true, false).contains("<6>[    0.600000] two\n"));
        assert_eq!(
            printed(Time::Relative, false, false, false),
            "[Feb28 23:59] one\n[  +0.100000] two\n[Mar 1 00:00] three\n"
        );
        assert!(printed(Time::Calendar, false, false, false).contains("[Sun Mar  1 00:00:00 2026] three\n"));
        assert!(printed(Time::Iso, false, false, false).ends_with("2026-03-01T00:00:00,600000+00:00 three\n"));
    }

    #[test]
    fn what_cannot_be_printed_stays_escaped() {
        assert_eq!(unescape("a\\x5cb\\x1b\\x09c\\xzz"), "a\\b\\x1b\tc\\xzz");
    }
}
