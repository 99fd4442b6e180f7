//! Arguments as iproute2 reads them: words one after another, keywords by prefix, and its complaints.

use std::io::Write;

use super::{Failure, Outcome};

/// Whether `word` is `keyword` or the beginning of it. Every word abbreviates itself; the empty one nothing.
pub(crate) fn matches(word: &str, keyword: &str) -> bool {
    !word.is_empty() && keyword.starts_with(word)
}

/// Says that a value is wrong. `message` may hold a line break of its own, as some of iproute2's do.
pub(crate) fn invalid_argument(err: &mut dyn Write, message: &str, argument: &str) -> Failure {
    let _ = writeln!(err, "Error: argument \"{argument}\" is wrong: {message}");
    Failure::Exit(255)
}

/// The words still to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arguments<'a> {
    words: &'a [String],
}

impl<'a> Arguments<'a> {
    pub(crate) fn new(words: &'a [String]) -> Arguments<'a> {
        Arguments { words }
    }

    /// The next word, which stays.
    pub(crate) fn peek(&self) -> Option<&'a str> {
        self.words.first().map(String::as_str)
    }

    /// Whether no word is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The value that a keyword needs; says so where the line ends.
    pub(crate) fn value(&mut self, err: &mut dyn Write) -> Outcome<&'a str> {
        self.next().ok_or_else(|| incomplete(err))
    }
}

impl<'a> Iterator for Arguments<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }
}

/// Says that the command line ended too early.
fn incomplete(err: &mut dyn Write) -> Failure {
    let _ = writeln!(err, "Command line is not complete. Try option \"help\"");
    Failure::Exit(255)
}

/// Says that an option was given twice.
pub(crate) fn duplicate(err: &mut dyn Write, key: &str, argument: &str) -> Failure {
    let _ = writeln!(err, "Error: duplicate \"{key}\": \"{argument}\" is the second value.");
    Failure::Exit(255)
}

/// Says that a device was named twice, or that a word is no keyword.
pub(crate) fn duplicate_or_garbage(err: &mut dyn Write, key: &str, argument: &str) -> Failure {
    let _ = writeln!(err, "Error: either \"{key}\" is duplicate, or \"{argument}\" is a garbage.");
    Failure::Exit(255)
}

/// A number in C's notation: decimal, `0x` hexadecimal, `0` octal. A sign is refused.
pub(crate) fn number(text: &str) -> Option<u64> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
        None => (text, 10),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

/// A number in C's notation that may be negative.
pub(crate) fn signed_number(text: &str) -> Option<i64> {
    match text.strip_prefix('-') {
        Some(digits) => i64::try_from(number(digits)?).ok().map(|value| -value),
        None => i64::try_from(number(text)?).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_by_prefix() {
        assert!(matches("addr", "address"));
        assert!(matches("address", "address"));
        assert!(!matches("addresses", "address"));
        assert!(!matches("", "address"));
    }

    #[test]
    fn numbers_of_c() {
        assert_eq!(number("10"), Some(10));
        assert_eq!(number("0x10"), Some(16));
        assert_eq!(number("010"), Some(8));
        assert_eq!(number("0"), Some(0));
        assert_eq!(number("08"), None);
        assert_eq!(number("+1"), None);
        assert_eq!(number(""), None);
        assert_eq!(signed_number("-3"), Some(-3));
    }
}
