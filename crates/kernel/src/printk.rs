//! The kernel log.

use std::collections::VecDeque;
use std::time::Duration;

use crate::Kernel;
use crate::types::Instant;

/// syslog priorities that the network code uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "syslog(2) documents them")]
pub enum Level {
    Error = 3,
    Warning = 4,
    Notice = 5,
    Info = 6,
    Debug = 7,
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its priority.
    pub level: Level,
    /// Ever growing; the first is 0.
    pub sequence: u64,
    /// When.
    pub time: Instant,
    /// The text without a newline.
    pub text: String,
}

/// How many bytes of text the log keeps before it forgets the oldest lines, as a Linux ring of 128 KiB does.
const CAPACITY: usize = 128 * 1024;

/// The ring of log lines.
#[derive(Debug, Default)]
pub struct KernelLog {
    records: VecDeque<Record>,
    bytes: usize,
    next: u64,
    cleared: u64,
}

impl KernelLog {
    pub(crate) fn push(&mut self, time: Instant, level: Level, text: String) {
        self.bytes += text.len();
        self.records.push_back(Record { level, sequence: self.next, time, text });
        self.next += 1;
        while self.bytes > CAPACITY {
            let Some(oldest) = self.records.pop_front() else { break };
            self.bytes -= oldest.text.len();
        }
    }

    /// The records from `sequence` on that are still there and were not cleared.
    pub fn from(&self, sequence: u64) -> impl Iterator<Item = &Record> {
        let first = sequence.max(self.cleared);
        self.records.iter().skip_while(move |record| record.sequence < first)
    }

    /// The sequence number that the next record will have.
    pub fn next_sequence(&self) -> u64 {
        self.next
    }

    /// Forgets everything so far.
    pub fn clear(&mut self) {
        self.cleared = self.next;
    }
}

/// How often messages that frames cause may appear: ten in five seconds, and then how many there would have been.
#[derive(Debug, Default)]
pub(crate) struct RateLimit {
    begin: Option<Instant>,
    printed: u32,
    missed: u32,
}

impl Kernel {
    /// Whether a message that a frame causes may be logged now.
    pub(crate) fn may_log(&mut self) -> bool {
        const INTERVAL: Duration = Duration::from_secs(5);
        const BURST: u32 = 10;
        let now = self.now;
        let limit = &mut self.rate_limit;
        if limit.begin.is_none_or(|begin| now.since(begin) > INTERVAL) {
            let missed = std::mem::take(limit).missed;
            limit.begin = Some(now);
            if missed > 0 {
                self.warning(format!("net_ratelimit: {missed} callbacks suppressed"));
            }
        }
        let limit = &mut self.rate_limit;
        let allowed = limit.printed < BURST;
        if allowed {
            limit.printed += 1
        } else {
            limit.missed += 1
        }
        allowed
    }
}
