//! Transcripts: commands, each followed by what it printed, what the kernel logged and its exit status.

/// One command, pause or comment, with the lines that belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The line that starts it: `$ CMD`, `& NAME CMD`, `@ NAME`, `~ SECONDS` or `# TEXT`.
    pub head: String,
    /// `>`, `2>`, `k>`, `=` and `\` lines, as they stand.
    pub lines: Vec<String>,
}

/// Splits a transcript into its steps; `#!` lines and empty ones are left out.
pub fn parse(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in text.lines() {
        if line.starts_with("#!") || line.trim().is_empty() {
            continue;
        }
        if line.starts_with(['$', '&', '@', '~', '#']) {
            steps.push(Step { head: line.to_owned(), lines: Vec::new() });
        } else if let Some(step) = steps.last_mut() {
            step.lines.push(line.to_owned());
        }
    }
    steps
}

/// The lines of some output, each behind `prefix`, and a `\` where the last has no newline.
pub fn quote(prefix: &str, output: &[u8]) -> Vec<String> {
    if output.is_empty() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(output);
    let mut lines: Vec<String> = text.lines().map(|line| format!("{prefix}{line}")).collect();
    if !text.ends_with('\n') {
        lines.push("\\".to_owned());
    }
    lines
}
