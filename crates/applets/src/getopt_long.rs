//! Options as getopt_long(3) takes them: permuted, clustered, long ones abbreviated, and its complaints.

/// Whether an option takes an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// None.
    Nothing,
    /// The rest of the word or the next word.
    Value,
    /// The rest of the word after `=`, if any.
    Optional,
}

/// A long option and the letter that stands for it.
pub(crate) struct Long {
    /// The name without dashes.
    pub(crate) name: &'static str,
    /// Whether it takes an argument.
    pub(crate) takes: Takes,
    /// What [`Found::Option`] gives for it.
    pub(crate) letter: char,
}

/// A long option without an argument.
pub(crate) const fn long(name: &'static str, letter: char) -> Long {
    Long { name, takes: Takes::Nothing, letter }
}

/// A long option with an argument.
pub(crate) const fn long_value(name: &'static str, letter: char) -> Long {
    Long { name, takes: Takes::Value, letter }
}

/// One option found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The option's letter and its argument.
    Option(char, Option<String>),
    /// The complaint, without the program's name.
    Wrong(String),
}

/// Splits arguments into options and operands. `short` is getopt(3)'s string: a colon after a letter that takes an
/// argument, two where it is optional.
pub(crate) fn parse(arguments: &[String], short: &str, longs: &[Long]) -> (Vec<Found>, Vec<String>) {
    let mut found = Vec::new();
    let mut operands = Vec::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            operands.extend(words.cloned());
            break;
        }
        if let Some(name) = word.strip_prefix("--") {
            found.push(long_option(name, longs, &mut words));
        } else if let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            short_options(letters, short, &mut words, &mut found);
        } else {
            operands.push(word.clone());
        }
    }
    (found, operands)
}

fn long_option<'a>(word: &str, longs: &[Long], words: &mut impl Iterator<Item = &'a String>) -> Found {
    let (name, value) = match word.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (word, None),
    };
    let exact = longs.iter().find(|long| long.name == name);
    let candidates: Vec<&Long> = longs.iter().filter(|long| long.name.starts_with(name)).collect();
    let option = match (exact, candidates.as_slice()) {
        (Some(option), _) => option,
        (None, []) => return Found::Wrong(format!("unrecognized option '--{name}'")),
        (None, [first, rest @ ..]) => {
            if rest.iter().any(|other| other.letter != first.letter || other.takes != first.takes) {
                let names: Vec<String> = candidates.iter().map(|long| format!("'--{}'", long.name)).collect();
                let names = names.join(" ");
                return Found::Wrong(format!("option '--{name}' is ambiguous; possibilities: {names}"));
            }
            first
        }
    };
    let value = match (option.takes, value) {
        (Takes::Nothing, Some(_)) => {
            return Found::Wrong(format!("option '--{}' doesn't allow an argument", option.name));
        }
        (Takes::Value, None) => match words.next() {
            Some(word) => Some(word.clone()),
            None => return Found::Wrong(format!("option '--{}' requires an argument", option.name)),
        },
        (_, value) => value,
    };
    Found::Option(option.letter, value)
}

fn short_options<'a>(letters: &str, short: &str, words: &mut impl Iterator<Item = &'a String>, found: &mut Vec<Found>) {
    let mut rest = letters.chars();
    while let Some(letter) = rest.next() {
        let definition = short.find(letter).filter(|_| letter != ':');
        let Some(after) = definition.and_then(|at| short.get(at + letter.len_utf8()..)) else {
            found.push(Found::Wrong(format!("invalid option -- '{letter}'")));
            continue;
        };
        if !after.starts_with(':') {
            found.push(Found::Option(letter, None));
            continue;
        }
        let value = Some(rest.as_str().to_owned()).filter(|value| !value.is_empty());
        let value = if after.starts_with("::") { value } else { value.or_else(|| words.next().cloned()) };
        if value.is_none() && !after.starts_with("::") {
            found.push(Found::Wrong(format!("option requires an argument -- '{letter}'")));
        } else {
            found.push(Found::Option(letter, value));
        }
        return;
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, long, long_value, parse};

    fn run(words: &[&str]) -> (Vec<Found>, Vec<String>) {
        let words: Vec<String> = words.iter().map(|word| word.to_string()).collect();
        let longs = [long("numeric", 'n'), long("numeric-hosts", 'H'), long_value("device", 'i')];
        parse(&words, "ni:o::", &longs)
    }

    #[test]
    fn options_and_operands_may_be_mixed() {
        let (found, operands) = run(&["a", "-ni", "eth0", "b", "--dev=eth1", "--", "-n"]);
        let device = |name: &str| Found::Option('i', Some(name.to_owned()));
        assert_eq!(found, [Found::Option('n', None), device("eth0"), device("eth1")]);
        assert_eq!(operands, ["a", "b", "-n"]);
    }

    #[test]
    fn complaints_are_the_c_library_s() {
        let complaint = |words: &[&str]| match run(words).0.as_slice() {
            [Found::Wrong(text)] => text.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(complaint(&["-x"]), "invalid option -- 'x'");
        assert_eq!(complaint(&["-i"]), "option requires an argument -- 'i'");
        assert_eq!(complaint(&["--foo"]), "unrecognized option '--foo'");
        assert_eq!(complaint(&["--num"]), "option '--num' is ambiguous; possibilities: '--numeric' '--numeric-hosts'");
        assert_eq!(complaint(&["--device"]), "option '--device' requires an argument");
        assert_eq!(complaint(&["--numeric=1"]), "option '--numeric' doesn't allow an argument");
    }

    #[test]
    fn an_optional_argument_is_in_the_same_word() {
        assert_eq!(run(&["-o", "x"]), (vec![Found::Option('o', None)], vec!["x".to_owned()]));
        assert_eq!(run(&["-ox"]), (vec![Found::Option('o', Some("x".to_owned()))], vec![]));
    }
}
