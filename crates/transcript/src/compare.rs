//! Two transcripts side by side.

use crate::transcript::{Step, parse};

/// A line that only one side has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The command it belongs to.
    pub head: String,
    /// `-` and a line that is expected and missing, or `+` and one that is not expected.
    pub line: String,
}

/// What a comparison found.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// How many lines the expected transcript has.
    pub lines: usize,
    /// How many of them the other has in the same place.
    pub equal: usize,
    /// The others, and what stands there instead.
    pub differences: Vec<Difference>,
}

/// Compares two normalised transcripts of one scenario.
pub fn compare(expected: &str, actual: &str) -> Comparison {
    let (expected, actual) = (parse(expected), parse(actual));
    let mut comparison = Comparison::default();
    let mut at = 0;
    for step in &expected {
        comparison.lines += step.lines.len() + 1;
        match actual[at.min(actual.len())..].iter().position(|other| other.head == step.head) {
            Some(found) => {
                unexpected(&actual[at..at + found], &mut comparison);
                comparison.equal += 1;
                lines(step, &actual[at + found], &mut comparison);
                at += found + 1;
            }
            None => {
                let missing = std::iter::once(&step.head).chain(&step.lines);
                comparison
                    .differences
                    .extend(missing.map(|line| Difference { head: step.head.clone(), line: format!("-{line}") }));
            }
        }
    }
    unexpected(&actual[at..], &mut comparison);
    comparison
}

/// Commands that only the other side ran.
fn unexpected(steps: &[Step], comparison: &mut Comparison) {
    for step in steps {
        let lines = std::iter::once(&step.head).chain(&step.lines);
        let differences = lines.map(|line| Difference { head: step.head.clone(), line: format!("+{line}") });
        comparison.differences.extend(differences);
    }
}

/// The longest common subsequence of a step's lines is what is equal.
fn lines(expected: &Step, actual: &Step, comparison: &mut Comparison) {
    let (a, b) = (&expected.lines, &actual.lines);
    let mut common = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            common[i][j] = if a[i] == b[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    comparison.equal += common[0][0];
    let mut differ = |sign: char, line: &str| {
        comparison.differences.push(Difference { head: expected.head.clone(), line: format!("{sign}{line}") });
    };
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == b.len() || (i < a.len() && common[i + 1][j] >= common[i][j + 1]) {
            differ('-', &a[i]);
            i += 1;
        } else {
            differ('+', &b[j]);
            j += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_line_is_missing_and_unexpected() {
        let comparison = compare("$ a\n>1\n>2\n=0\n$ b\n=0\n", "$ a\n>1\n>3\n=0\n$ b\n=0\n");
        assert_eq!((comparison.lines, comparison.equal), (6, 5));
        let lines: Vec<&str> = comparison.differences.iter().map(|difference| difference.line.as_str()).collect();
        assert_eq!(lines, ["->2", "+>3"]);
    }

    #[test]
    fn a_command_that_only_the_other_ran_is_unexpected_whole() {
        let comparison = compare("$ a\n=0\n$ b\n=0\n", "$ a\n=0\n$ x\n=1\n$ b\n=0\n$ y\n=0\n");
        assert_eq!((comparison.lines, comparison.equal), (4, 4));
        let lines: Vec<&str> = comparison.differences.iter().map(|difference| difference.line.as_str()).collect();
        assert_eq!(lines, ["+$ x", "+=1", "+$ y", "+=0"]);
    }

    #[test]
    fn a_command_that_never_ran_is_missing_whole() {
        let comparison = compare("$ a\n=0\n$ b\n>x\n=0\n", "$ a\n=0\n");
        assert_eq!((comparison.lines, comparison.equal, comparison.differences.len()), (5, 2, 3));
    }
}
