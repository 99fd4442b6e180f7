//! Random scripts from a grammar: the same seed gives the same script.

use std::collections::HashMap;

use fastrand::Rng;

/// How many commands come between two looks at what they made.
const CHANGES: usize = 12;
const LOOKS: usize = 6;
/// Linux passes on that a carrier came or went within a second.
const PAUSE: &str = "sleep 1.3";

/// A rule's alternatives, each with its weight.
type Alternatives = Vec<(u32, String)>;

/// Rules by name, as `tests/scripts/grammar.txt` describes them.
#[derive(Debug)]
pub struct Grammar(HashMap<String, Alternatives>);

impl Grammar {
    /// Reads a grammar; what is wrong with it is said with the number of the line.
    pub fn parse(text: &str) -> Result<Grammar, String> {
        let mut rules: HashMap<String, Alternatives> = HashMap::new();
        let mut current = String::new();
        for (number, line) in text.lines().enumerate() {
            let wrong = |what: &str| format!("line {}: {what}", number + 1);
            if let Some(alternative) = line.strip_prefix('\t') {
                let rule = rules.get_mut(&current).ok_or_else(|| wrong("an alternative without a rule"))?;
                let weighted =
                    alternative.split_once(" * ").and_then(|(weight, text)| Some((weight.parse().ok()?, text)));
                let (weight, text) = weighted.unwrap_or((1, alternative));
                rule.push((weight, text.to_owned()));
            } else if let Some(name) = line.strip_suffix(':').filter(|name| !name.starts_with('#')) {
                current = name.to_owned();
                if rules.insert(current.clone(), Vec::new()).is_some() {
                    return Err(wrong("a rule of that name is there already"));
                }
            } else if !line.is_empty() && !line.starts_with('#') {
                return Err(wrong("neither a rule nor an alternative nor a comment"));
            }
        }
        let grammar = Grammar(rules);
        grammar.check()?;
        Ok(grammar)
    }

    /// Every name that an alternative refers to is a rule's, and no rule is without alternatives.
    fn check(&self) -> Result<(), String> {
        for (name, alternatives) in &self.0 {
            if alternatives.is_empty() {
                return Err(format!("{name} has no alternative"));
            }
            for (_, text) in alternatives {
                let names = text.split('<').skip(1).filter_map(|rest| Some(rest.split_once('>')?.0));
                let mut unknown = names.filter(|name| !name.starts_with(' ') && !self.0.contains_key(*name));
                if let Some(unknown) = unknown.next() {
                    return Err(format!("{name}: there is no rule {unknown}"));
                }
            }
        }
        ["begin", "change", "look", "end"].into_iter().try_for_each(|name| match self.0.get(name) {
            Some(_) => Ok(()),
            None => Err(format!("there is no rule {name}")),
        })
    }

    /// The script of that seed, command by command.
    pub fn script(&self, seed: u64) -> Vec<String> {
        let mut rng = Rng::with_seed(seed);
        let mut script: Vec<String> = self.0["begin"].iter().map(|(_, text)| self.expand(text, &mut rng)).collect();
        script.extend((0..CHANGES).map(|_| self.one("change", &mut rng)));
        script.push(PAUSE.to_owned());
        script.extend((0..LOOKS).map(|_| self.one("look", &mut rng)));
        script.extend((0..CHANGES).map(|_| self.one("change", &mut rng)));
        script.push(PAUSE.to_owned());
        script.extend(self.0["end"].iter().map(|(_, text)| self.expand(text, &mut rng)));
        script
    }

    /// One alternative of a rule.
    fn one(&self, rule: &str, rng: &mut Rng) -> String {
        let alternatives = &self.0[rule];
        let mut at = rng.u32(0..alternatives.iter().map(|(weight, _)| weight).sum());
        let chosen = alternatives.iter().find(|(weight, _)| match at.checked_sub(*weight) {
            Some(rest) => {
                at = rest;
                false
            }
            None => true,
        });
        self.expand(&chosen.expect("the weights' sum is greater").1, rng)
    }

    fn expand(&self, mut text: &str, rng: &mut Rng) -> String {
        let mut expanded = String::new();
        while let Some(at) = text.find(['<', '[']) {
            let (before, rest) = text.split_at(at);
            expanded.push_str(before);
            let end = if rest.starts_with('<') { rest.find('>') } else { rest.find(']') };
            let inside = end.map_or("", |end| &rest[1..end]);
            text = &rest[end.map_or(1, |end| end + 1)..];
            if rest.starts_with('[') {
                if rng.bool() {
                    expanded.push_str(&self.expand(inside, rng));
                }
            } else if self.0.contains_key(inside) {
                expanded.push_str(&self.one(inside, rng));
            } else {
                // A redirection.
                expanded.push('<');
                text = &rest[1..];
            }
        }
        expanded + text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "# a comment\nbegin:\n\ta\nchange:\n\t3 * x <n>[ y]\nlook:\n\tl\nend:\n\tz\nn:\n\t1\n\t2\n";

    #[test]
    fn a_seed_is_a_script() {
        let grammar = Grammar::parse(SMALL).expect("a grammar");
        let script = grammar.script(7);
        assert_eq!(script, grammar.script(7));
        assert_ne!(script, grammar.script(8));
        assert_eq!(script.len(), 1 + CHANGES + 1 + LOOKS + CHANGES + 1 + 1);
        assert!(script[1..=CHANGES].iter().all(|line| ["x 1", "x 2", "x 1 y", "x 2 y"].contains(&line.as_str())));
    }

    #[test]
    fn what_is_wrong_with_a_grammar_is_said() {
        let error = |text: &str| Grammar::parse(text).expect_err("no grammar");
        assert_eq!(error("\tx"), "line 1: an alternative without a rule");
        assert_eq!(error("a:\n\t<b>"), "a: there is no rule b");
        assert_eq!(error("a:"), "a has no alternative");
        assert_eq!(error("word"), "line 1: neither a rule nor an alternative nor a comment");
    }
}
