//! `-batch FILE`: one command a line, on one socket.

use std::fs::File;
use std::io::{self, BufRead, BufReader};

use super::{Failure, Outcome, Session};
use crate::print::strerror;

/// What runs the words of a line.
type Command = fn(&mut Session<'_>, &[String]) -> Outcome;

/// Runs every line of a file (`-` is standard input). A failing one ends it, unless `force`.
pub(crate) fn run(session: &mut Session<'_>, file: &str, force: bool, dispatch: Command) -> Outcome {
    let reader: Box<dyn BufRead> = if file.is_empty() || file == "-" {
        Box::new(io::stdin().lock())
    } else {
        match File::open(file) {
            Ok(file) => Box::new(BufReader::new(file)),
            Err(error) => {
                let text = strerror(error.raw_os_error().unwrap_or(libc::EIO));
                session.complain(&format!("Cannot open file \"{file}\" for reading: {text}"));
                return Err(Failure::Command(1));
            }
        }
    };
    let family = session.family;
    let mut status = Ok(());
    for (at, line) in Lines(reader).enumerate_lines() {
        let words = split(&line);
        if words.is_empty() {
            continue;
        }
        session.family = family;
        match dispatch(session, &words) {
            Ok(()) => {}
            Err(Failure::Exit(status)) => return Err(Failure::Exit(status)),
            Err(Failure::Command(_)) => {
                session.complain(&format!("Command failed {}:{at}", if file.is_empty() { "-" } else { file }));
                status = Err(Failure::Command(1));
                if !force {
                    break;
                }
            }
        }
    }
    status
}

/// Logical lines: comments removed, lines that end in a backslash joined with the next.
struct Lines(Box<dyn BufRead>);

impl Lines {
    /// Each logical line with the number of its last physical one.
    fn enumerate_lines(mut self) -> impl Iterator<Item = (usize, String)> {
        let mut number = 0;
        std::iter::from_fn(move || {
            let mut logical = String::new();
            loop {
                let mut line = Vec::new();
                match self.0.read_until(b'\n', &mut line) {
                    Ok(0) | Err(_) => return (!logical.is_empty()).then_some((number, logical)),
                    Ok(_) => number += 1,
                }
                let line = String::from_utf8_lossy(&line);
                let line = line.strip_suffix('\n').unwrap_or(&line);
                match line.strip_suffix('\\') {
                    Some(line) => logical.push_str(line),
                    None => {
                        logical.push_str(line);
                        return Some((number, logical));
                    }
                }
            }
        })
    }
}

/// The words of a line: quotes (of either kind) keep blanks together, `#` begins a comment.
fn split(line: &str) -> Vec<String> {
    let line = line.split('#').next().unwrap_or_default();
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = match first {
            '\'' | '"' => rest[1..].split_once(first).unwrap_or((&rest[1..], "")),
            _ => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_line() {
        assert_eq!(
            split("link set h2a alias 'hello world' up # why"),
            ["link", "set", "h2a", "alias", "hello world", "up"]
        );
        assert!(split("  # nothing").is_empty());
    }

    #[test]
    fn lines_are_joined_and_counted() {
        let text = "one \\\ntwo\nthree";
        let lines: Vec<_> = Lines(Box::new(text.as_bytes())).enumerate_lines().collect();
        assert_eq!(lines, [(2, "one two".to_owned()), (3, "three".to_owned())]);
    }
}
