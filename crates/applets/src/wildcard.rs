//! Shell wildcards: `*` for any run, `?` for any one character.

/// Whether all of `text` matches `pattern`.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where the last star stands, and how much of the text it has taken.
    let mut star: Option<(usize, usize)> = None;
    while let Some(&character) = text.get(t) {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&wanted) if wanted == '?' || wanted == character => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                p = at + 1;
                t = taken + 1;
            }
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|&rest| rest == '*')
}

/// Whether there is anything but literal characters in a pattern.
pub(crate) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_take_as_much_as_is_needed() {
        assert!(matches("Ip*", "IpInReceives"));
        assert!(matches("*In*s", "IpInReceives"));
        assert!(matches("", ""));
        assert!(matches("*", ""));
        assert!(matches("a?c*", "abc"));
        assert!(!matches("Ip", "IpIn"));
        assert!(!matches("*x", "IpIn"));
        assert!(!matches("a?c", "ac"));
    }
}
