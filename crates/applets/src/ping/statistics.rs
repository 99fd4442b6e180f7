//! What `ping` counts and says at the end: requests, answers, losses and round-trip times.

use std::fmt::Write;
use std::time::Duration;

/// Counters of a session.
#[derive(Debug, Default)]
pub(super) struct Statistics {
    pub(super) transmitted: u64,
    pub(super) received: u64,
    pub(super) duplicates: u64,
    pub(super) corrupted: u64,
    pub(super) errors: u64,
    /// Which of the last 65,536 sequence numbers were answered, a bit each.
    answered: Vec<u64>,
    /// The newest sequence number that something came back for.
    acknowledged: u16,
    /// The largest number of requests that were under way at once.
    pipe: u16,
    /// Round-trip times in microseconds: extremes, sum, sum of squares, eightfold moving average.
    shortest: i64,
    longest: i64,
    sum: i64,
    squares: f64,
    average8: i64,
    timed: u64,
}

impl Statistics {
    pub(super) fn new() -> Statistics {
        Statistics { answered: vec![0; 1024], shortest: i64::MAX, ..Statistics::default() }
    }

    fn slot(&mut self, sequence: u16) -> (&mut u64, u64) {
        // 1024 words of 64 bits hold every u16.
        (&mut self.answered[usize::from(sequence / 64)], 1 << (sequence % 64))
    }

    /// A request with that number goes out.
    pub(super) fn sent(&mut self) {
        self.transmitted += 1;
        let (word, bit) = self.slot(self.transmitted as u16);
        *word &= !bit;
    }

    /// Whether the number was answered.
    pub(super) fn is_answered(&mut self, sequence: u16) -> bool {
        let (word, bit) = self.slot(sequence);
        *word & bit != 0
    }

    /// Something came back for that number, an answer or an error.
    pub(super) fn acknowledge(&mut self, sequence: u16) {
        let under_way = (self.transmitted as u16).wrapping_sub(sequence);
        if under_way > 0x7fff {
            return;
        }
        self.pipe = self.pipe.max(under_way + 1);
        if (sequence.wrapping_sub(self.acknowledged) as i16) > 0 {
            self.acknowledged = sequence;
        }
    }

    /// How many requests nothing has come back for, as far as the newest that something did.
    pub(super) fn in_flight(&self) -> u16 {
        let under_way = (self.transmitted as u16).wrapping_sub(self.acknowledged);
        if under_way > 0x7fff { 0 } else { under_way }
    }

    /// Counts an answer; whether it is a duplicate.
    pub(super) fn answer(&mut self, sequence: u16, bad_checksum: bool) -> bool {
        if bad_checksum {
            self.corrupted += 1;
            return false;
        }
        let duplicate = self.is_answered(sequence);
        if duplicate {
            self.duplicates += 1;
        } else {
            self.received += 1;
            let (word, bit) = self.slot(sequence);
            *word |= bit;
        }
        duplicate
    }

    /// Counts a round-trip time in microseconds.
    pub(super) fn time(&mut self, micros: i64) {
        self.timed += 1;
        self.shortest = self.shortest.min(micros);
        self.longest = self.longest.max(micros);
        self.sum = self.sum.saturating_add(micros);
        self.squares += micros as f64 * micros as f64;
        self.average8 = if self.average8 == 0 { micros * 8 } else { self.average8 + micros - self.average8 / 8 };
    }

    /// The moving average of round-trip times.
    pub(super) fn moving_average(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.average8 / 8).unwrap_or(0))
    }

    /// The longest round-trip time.
    pub(super) fn longest(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.longest).unwrap_or(0))
    }

    fn loss(&self) -> f64 {
        (self.transmitted as f64 - self.received as f64) * 100.0 / self.transmitted.max(1) as f64
    }

    /// The closing lines. `elapsed` is from the first request to the last; `spacing` adds the mean gap.
    pub(super) fn summary(&self, host: &str, elapsed: Duration, timing: bool, spacing: bool) -> String {
        let mut text = format!(
            "--- {host} ping statistics ---\n{} packets transmitted, {} received",
            self.transmitted, self.received
        );
        for (number, name) in [(self.duplicates, "duplicates"), (self.corrupted, "corrupted"), (self.errors, "errors")]
        {
            if number > 0 {
                let _ = write!(text, ", +{number} {name}");
            }
        }
        if self.transmitted > 0 {
            let _ = write!(text, ", {}% packet loss, time {}ms", significant(self.loss()), elapsed.as_millis());
        }
        text.push('\n');
        let mut parts = Vec::new();
        if self.received > 0 && timing {
            let number = self.timed.max(1);
            let mean = self.sum / number as i64;
            let deviation = (self.squares / number as f64 - (self.sum as f64 / number as f64).powi(2)).max(0.0).sqrt();
            let shortest = self.shortest.min(self.longest);
            parts.push(format!(
                "rtt min/avg/max/mdev = {}/{}/{}/{} ms",
                thousandths(shortest),
                thousandths(mean),
                thousandths(self.longest),
                thousandths(deviation as i64)
            ));
        }
        if self.pipe > 1 {
            parts.push(format!("pipe {}", self.pipe));
        }
        if self.received > 0 && spacing && self.transmitted > 1 {
            let gap = elapsed.as_micros() as i64 / (self.transmitted as i64 - 1);
            parts.push(format!("ipg/ewma {}/{} ms", thousandths(gap), thousandths(self.average8 / 8)));
        }
        text.push_str(&parts.join(", "));
        text.push('\n');
        text
    }

    /// The line that SIGQUIT asks for.
    pub(super) fn status(&self, timing: bool) -> String {
        let mut text = format!("\r{}/{} packets, {}% loss", self.received, self.transmitted, self.loss() as i64);
        if self.received > 0 && timing {
            let _ = write!(
                text,
                ", min/avg/ewma/max = {}/{}/{}/{} ms",
                thousandths(self.shortest),
                thousandths(self.sum / self.timed.max(1) as i64),
                thousandths(self.average8 / 8),
                thousandths(self.longest)
            );
        }
        text.push('\n');
        text
    }
}

fn thousandths(micros: i64) -> String {
    format!("{}.{:03}", micros / 1000, micros % 1000)
}

/// A round-trip time in microseconds, as milliseconds with three digits that count.
pub(super) fn milliseconds(micros: i64) -> String {
    match micros {
        100_000.. => format!("{}", (micros + 500) / 1000),
        10_000.. => format!("{}.{:01}", (micros + 50) / 1000, ((micros + 50) % 1000) / 100),
        1000.. => format!("{}.{:02}", (micros + 5) / 1000, ((micros + 5) % 1000) / 10),
        _ => thousandths(micros),
    }
}

/// printf's `%g` for 0 to 100: six significant digits, no zeros behind.
fn significant(value: f64) -> String {
    let scientific = format!("{value:.5e}");
    let exponent: i32 = scientific.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or_default();
    let places = usize::try_from(5 - exponent).unwrap_or_default();
    let text = format!("{value:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Statistics, milliseconds, significant};

    #[test]
    fn loss_is_printed_with_six_digits_that_count() {
        for (value, text) in [
            (0.0, "0"),
            (100.0, "100"),
            (50.0, "50"),
            (200.0 / 3.0, "66.6667"),
            (100.0 / 3.0, "33.3333"),
            (0.00254, "0.00254"),
        ] {
            assert_eq!(significant(value), text);
        }
        assert_eq!(significant((634217.0 - 158.0) * 100.0 / 634217.0), "99.9751");
    }

    #[test]
    fn times_keep_three_digits_that_count() {
        for (micros, text) in [(4, "0.004"), (999, "0.999"), (1234, "1.23"), (12261, "12.3"), (123_456, "123")] {
            assert_eq!(milliseconds(micros), text);
        }
    }

    #[test]
    fn errors_for_three_requests_under_way_are_a_pipe_of_three() {
        let mut statistics = Statistics::new();
        (0..3).for_each(|_| statistics.sent());
        (1..4).for_each(|sequence| statistics.acknowledge(sequence));
        statistics.errors = 3;
        assert_eq!(
            statistics.summary("10.1.0.99", Duration::from_millis(2031), true, false),
            "--- 10.1.0.99 ping statistics ---\n\
             3 packets transmitted, 0 received, +3 errors, 100% packet loss, time 2031ms\npipe 3\n"
        );
    }

    #[test]
    fn an_answer_counts_once() {
        let mut statistics = Statistics::new();
        statistics.sent();
        assert!(!statistics.answer(1, false));
        statistics.time(39);
        assert!(statistics.answer(1, false));
        statistics.time(41);
        assert_eq!(
            statistics.summary("h", Duration::ZERO, true, false),
            "--- h ping statistics ---\n1 packets transmitted, 1 received, +1 duplicates, 0% packet loss, time 0ms\n\
             rtt min/avg/max/mdev = 0.039/0.040/0.041/0.001 ms\n"
        );
    }
}
