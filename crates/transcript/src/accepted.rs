//! The list of lines that are known to differ, each with its reason.
//!
//! One a line: `SCENARIO | LINE | REASON`, where LINE is a [`Difference`]'s line. `*` stands for anything, and ± at the beginning of LINE
//! for both signs.

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
            Some(Accepted {
                scenario: scenario.trim().to_owned(),
                line: line.trim_start().to_owned(),
                reason: reason.to_owned(),
            })
        })
        .collect()
}

impl Accepted {
    /// Whether it speaks of this difference.
    pub fn covers(&self, scenario: &str, difference: &Difference) -> bool {
        matches(&self.scenario, scenario)
            && match self.line.strip_prefix('±') {
                Some(line) => difference.line.strip_prefix(['-', '+']).is_some_and(|other| matches(line, other)),
                None => matches(&self.line, &difference.line),
            }
    }
}

/// Whether a text is as the pattern says, in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((front, rest)) => text
            .strip_prefix(front)
            .is_some_and(|text| rest.is_empty() || text.char_indices().any(|(at, _)| matches(rest, &text[at..]))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything_and_both_signs_can_be_meant() {
        let list = parse("# a comment\n01 | ±>TX * bytes * B) | counters\n01 | ->a | gone\n");
        let covers = |scenario: &str, line: &str| {
            let difference = Difference { head: String::new(), line: line.to_owned() };
            list.iter().any(|accepted| accepted.covers(scenario, &difference))
        };
        assert!(covers("01", "->TX packets 5 bytes 390 (390.0 B)") && covers("01", "+>TX 1 bytes 2 B)"));
        assert!(covers("01", "->a") && !covers("01", "+>a") && !covers("01", "->a b") && !covers("02", "->a"));
        assert!(!covers("01", "+>TX 1 bytes 2 B) more"));
    }
}
