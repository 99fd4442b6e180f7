//! Options as getopt(3) reads them: letters that may be joined, arguments that may be joined to their letter, and
//! operands that may stand between.

/// Why an option can't be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// There is no such letter.
    Unknown(char),
    /// The letter's argument is missing.
    WithoutArgument(char),
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refused::Unknown(letter) => write!(f, "invalid option -- '{letter}'"),
            Refused::WithoutArgument(letter) => write!(f, "option requires an argument -- '{letter}'"),
        }
    }
}

/// One thing on a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word<'a> {
    /// A letter and its argument; empty where it takes none.
    Option(char, &'a str),
    /// `--name` or `--name=value`, where long options are asked for.
    Long(&'a str),
    /// Anything else.
    Operand(&'a str),
}

/// Reads a command line word by word.
pub(crate) struct Words<'a> {
    rest: std::slice::Iter<'a, String>,
    /// What is left of a word with joined letters.
    joined: &'a str,
    /// The letters, `:` behind those with an argument.
    letters: &'a str,
    long: bool,
    only_operands: bool,
}

impl<'a> Words<'a> {
    pub(crate) fn new(arguments: &'a [String], letters: &'a str) -> Words<'a> {
        Words { rest: arguments.iter(), joined: "", letters, long: false, only_operands: false }
    }

    /// Also gives `--words`.
    pub(crate) fn with_long(self) -> Words<'a> {
        Words { long: true, ..self }
    }

    fn letter(&mut self) -> Option<Result<Word<'a>, Refused>> {
        let letter = self.joined.chars().next()?;
        self.joined = &self.joined[letter.len_utf8()..];
        let Some((_, after)) = self.letters.split_once(letter).filter(|_| letter != ':') else {
            return Some(Err(Refused::Unknown(letter)));
        };
        if !after.starts_with(':') {
            return Some(Ok(Word::Option(letter, "")));
        }
        if !self.joined.is_empty() {
            return Some(Ok(Word::Option(letter, std::mem::take(&mut self.joined))));
        }
        Some(self.rest.next().map(|argument| Word::Option(letter, argument)).ok_or(Refused::WithoutArgument(letter)))
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = Result<Word<'a>, Refused>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(word) = self.letter() {
            return Some(word);
        }
        let word = self.rest.next()?.as_str();
        if self.only_operands {
            return Some(Ok(Word::Operand(word)));
        }
        match word.strip_prefix('-') {
            Some("-") => {
                self.only_operands = true;
                self.next()
            }
            Some(name) if self.long && name.starts_with('-') => Some(Ok(Word::Long(&name[1..]))),
            Some(letters) if !letters.is_empty() => {
                self.joined = letters;
                self.letter()
            }
            _ => Some(Ok(Word::Operand(word))),
        }
    }
}

/// A decimal number as the iputils take it, or their words against it.
pub(crate) fn integer(value: &str, least: i64, most: i64) -> Result<i64, String> {
    use std::num::IntErrorKind;
    let number: i64 = value.parse().map_err(|error: std::num::ParseIntError| {
        let why = match error.kind() {
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => ": Numerical result out of range",
            _ => "",
        };
        format!("invalid argument: '{value}'{why}")
    })?;
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err(format!("invalid argument: '{value}': out of range: {least} <= value <= {most}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Refused, Word, Words};

    fn words(line: &str, letters: &str) -> Vec<Result<String, Refused>> {
        let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
        Words::new(&arguments, letters).map(|word| word.map(|word| format!("{word:?}"))).collect()
    }

    #[test]
    fn letters_join_and_operands_mix() {
        assert_eq!(
            words("-qc1 host -I veth0 -- -c", "qc:I:").into_iter().collect::<Result<Vec<_>, _>>().unwrap(),
            [
                r#"Option('q', "")"#,
                r#"Option('c', "1")"#,
                r#"Operand("host")"#,
                r#"Option('I', "veth0")"#,
                r#"Operand("-c")"#
            ]
        );
    }

    #[test]
    fn unknown_letters_and_missing_arguments_are_refused() {
        assert_eq!(words("-Z", "qc:"), [Err(Refused::Unknown('Z'))]);
        assert_eq!(words("-:", "qc:"), [Err(Refused::Unknown(':'))]);
        assert_eq!(words("-c", "qc:"), [Err(Refused::WithoutArgument('c'))]);
    }

    #[test]
    fn long_words_only_where_asked_for() {
        let arguments = ["--immediate-mode".to_owned()];
        assert_eq!(Words::new(&arguments, "i:").with_long().next(), Some(Ok(Word::Long("immediate-mode"))));
        assert_eq!(Words::new(&arguments, "i:").next(), Some(Err(Refused::Unknown('-'))));
    }
}
