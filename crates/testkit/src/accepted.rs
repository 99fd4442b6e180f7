//! The list of lines that are known to differ, each with its reason.
//!
//! One a line: `SCENARIO | LINE | REASON`, where LINE is a [`Difference`]'s line. `*` at its end stands for anything.

use crate::compare::Difference;

/// A line that may differ.
#[derive(Clone, Debug)]
pub struct Accepted {
    scenario: String,
    line: String,
    /// Why.
    pub reason: String,
}

/// Parses the list; comments start with `#`.
pub fn parse(text: &str) -> Vec<Accepted> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| {
            let (scenario, rest) = line.split_once(" | ")?;
            let (line, reason) = rest.rsplit_once(" | ")?;
            Some(Accepted { scenario: scenario.trim().to_owned(), line: line.to_owned(), reason: reason.to_owned() })
        })
        .collect()
}

impl Accepted {
    /// Whether it speaks of this difference.
    pub fn covers(&self, scenario: &str, difference: &Difference) -> bool {
        self.scenario == scenario
            && match self.line.strip_suffix('*') {
                Some(front) => difference.line.starts_with(front),
                None => difference.line == self.line,
            }
    }
}
