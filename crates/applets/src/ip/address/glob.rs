//! Shell patterns, as fnmatch(3) matches them: what `label` takes.

/// Whether a text matches a pattern: `*`, `?`, `[a-z]`, `[!a-z]`, `\c`.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where to go on after the last star: the pattern behind it, with one more character given to the star.
    let mut retry = None;
    loop {
        let step = match pattern.get(p) {
            None if t == text.len() => return true,
            None => None,
            Some('*') => {
                retry = Some((p + 1, t));
                p += 1;
                continue;
            }
            Some(_) => text.get(t).and_then(|&character| element(&pattern, p, character)),
        };
        match (step, retry) {
            (Some(next), _) => (p, t) = (next, t + 1),
            (None, Some((after, given))) if given < text.len() => {
                retry = Some((after, given + 1));
                (p, t) = (after, given + 1);
            }
            (None, _) => return false,
        }
    }
}

/// Matches one character with the element of a pattern at `at`; where the next element begins.
fn element(pattern: &[char], at: usize, character: char) -> Option<usize> {
    match pattern.get(at)? {
        '?' => Some(at + 1),
        '\\' if at + 1 < pattern.len() => (pattern.get(at + 1) == Some(&character)).then_some(at + 2),
        '[' => {
            let negated = matches!(pattern.get(at + 1), Some('!' | '^'));
            let first = at + 1 + usize::from(negated);
            let Some(end) = (first + 1..pattern.len()).find(|&end| pattern[end] == ']') else {
                return (character == '[').then_some(at + 1);
            };
            let mut found = false;
            let mut rest = &pattern[first..end];
            while let Some((&low, after)) = rest.split_first() {
                rest = match after {
                    ['-', high, after @ ..] => {
                        found |= (low..=*high).contains(&character);
                        after
                    }
                    _ => {
                        found |= low == character;
                        after
                    }
                };
            }
            (found != negated).then_some(end + 1)
        }
        own => (*own == character).then_some(at + 1),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("h2*", "h2a", true),
            ("h2*", "lo", false),
            ("*:1", "h2a:1", true),
            ("h?a", "h2a", true),
            ("h[0-9]a", "h2a", true),
            ("h[!0-9]a", "h2a", false),
            ("*a*b", "xaxbxb", true),
            ("*a*b", "xaxbxc", false),
            ("[", "[", true),
            ("", "", true),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
        ] {
            assert_eq!(super::matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
