//! The time before a line: of day, since 1970, since the line before.

use std::time::Duration;

use netloom_machine::local_time;

/// What `-t` to `-ttttt` ask for.
#[derive(Debug, Default)]
pub(super) struct Clock {
    kind: u8,
    /// The frame that times are told since.
    reference: Option<Duration>,
}

fn of_day(seconds: u64, micros: u32) -> String {
    format!("{:02}:{:02}:{:02}.{micros:06}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
}

/// Year, month and day of a number of days since 1970 (H. Hinnant's calendar algorithm).
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

impl Clock {
    pub(super) fn new(kind: u8) -> Clock {
        Clock { kind, reference: None }
    }

    /// The text before a frame of that time, with the blank behind it.
    pub(super) fn text(&mut self, time: Duration) -> String {
        let seconds = time.as_secs() as i64;
        let local = seconds + local_time::offset(seconds);
        let micros = time.subsec_micros();
        let day_time = of_day(local.rem_euclid(86_400) as u64, micros);
        match self.kind {
            0 => format!("{day_time} "),
            1 => String::new(),
            2 => format!("{seconds}.{micros:06} "),
            4 => {
                let (year, month, day) = date(local.div_euclid(86_400));
                format!("{year:04}-{month:02}-{day:02} {day_time} ")
            }
            _ => {
                let reference = *self.reference.get_or_insert(time);
                if self.kind == 3 {
                    self.reference = Some(time);
                }
                let (sign, passed) = match time.checked_sub(reference) {
                    Some(passed) => (' ', passed),
                    None => ('-', reference - time),
                };
                let hours = passed.as_secs() / 3600;
                let rest = of_day(passed.as_secs() % 3600, passed.subsec_micros());
                format!("{sign}{hours:02}{} ", rest.get(2..).unwrap_or_default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Clock, date};

    #[test]
    fn days_become_dates() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(19_675), (2023, 11, 14));
        assert_eq!(date(11_016), (2000, 2, 29));
    }

    #[test]
    fn times_since_the_line_before() {
        let mut clock = Clock::new(3);
        assert_eq!(clock.text(Duration::from_secs(10)), " 00:00:00.000000 ");
        assert_eq!(clock.text(Duration::from_millis(11_500)), " 00:00:01.500000 ");
        assert_eq!(clock.text(Duration::from_millis(11_600)), " 00:00:00.100000 ");
    }
}
