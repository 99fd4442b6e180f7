//! Shrinking: the fewest lines of a script that still do what the whole does.

/// Leaves out ever smaller runs of lines for as long as `holds` says that the rest will do.
pub fn shrink(mut lines: Vec<String>, mut holds: impl FnMut(&[String]) -> bool) -> Vec<String> {
    let mut run = lines.len().div_ceil(2);
    while run > 0 {
        let mut end = lines.len();
        let mut shorter = false;
        // From behind: what comes later can't be needed by what comes before.
        while end > 0 {
            let start = end.saturating_sub(run);
            let rest = [&lines[..start], &lines[end..]].concat();
            if holds(&rest) {
                lines = rest;
                shorter = true;
            }
            end = start;
        }
        // Single lines, until none can go.
        if run > 1 || !shorter {
            run /= 2;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::shrink;

    #[test]
    fn what_is_needed_stays() {
        let lines: Vec<String> = (0..50).map(|number| number.to_string()).collect();
        let needed = ["3".to_owned(), "31".to_owned(), "32".to_owned()];
        let mut calls = 0;
        let shortest = shrink(lines, |lines| {
            calls += 1;
            needed.iter().all(|line| lines.contains(line))
        });
        assert_eq!(shortest, needed);
        assert!(calls < 60, "{calls}");
    }
}
