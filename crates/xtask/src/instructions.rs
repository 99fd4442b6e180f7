//! The regression guard: how many instructions the key paths take, beside the figures that are kept in the tree.
//!
//! Time is no measure on a machine that others use too; instructions repeat, on any processor of the same architecture: only our own
//! code is counted, as the C library has a variant of its own for each processor. What it is asked to do, copies and allocations, is
//! counted in calls. They depend on the compiler, so the kept figures name theirs, and are compared with no other's.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs};

/// What is counted: a scenario, and the two counts whose difference tells what one more takes.
const PATHS: &[(&str, usize, usize)] = &[
    ("pair-64", 6_400, 19_200),
    ("mixed-64", 6_400, 19_200),
    ("pair-1514", 6_400, 19_200),
    ("chain-1514", 6_400, 19_200),
    ("guarded-64", 6_400, 19_200),
    ("random-1023-ports", 6_400, 19_200),
    ("flood-1000-ports", 10_000, 30_000),
    ("routed-64", 6_400, 19_200),
    ("icmp-echo", 1_000, 3_000),
    ("route-get", 1_000, 3_000),
    ("veth-pairs", 1_024, 2_048),
    ("namespaces", 200, 400),
    ("dump-links", 2_002, 6_006),
];

const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.txt");
/// By how much a figure may grow.
const TOLERANCE: f64 = 0.03;

/// Instructions of our own, and calls of the libraries.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cost {
    instructions: f64,
    calls: f64,
}

impl Cost {
    fn exceeds(self, kept: Cost) -> bool {
        // Less than a tenth of a call is a buffer that grew at another moment.
        self.instructions > kept.instructions * (1.0 + TOLERANCE) || self.calls > kept.calls * (1.0 + TOLERANCE) + 0.1
    }
}

/// The id in callgrind's `(id) name`; the name is only there the first time.
fn id(text: &str) -> (&str, Option<&str>) {
    let (id, name) = text.split_once(')').unwrap_or((text, ""));
    (id, Some(name.trim()).filter(|name| !name.is_empty()))
}

/// What of callgrind's output belongs to the program itself.
fn own_cost(profile: &str, program: &str) -> Cost {
    let mut names: HashMap<&str, bool> = HashMap::new();
    let mut is_own = |text| {
        let (id, name) = id(text);
        if let Some(name) = name {
            names.insert(id, name == program);
        }
        names.get(id).copied().unwrap_or(false)
    };
    let (mut own, mut callee_own) = (false, None);
    let mut of_call = false;
    let mut cost = Cost { instructions: 0.0, calls: 0.0 };
    for line in profile.lines() {
        if let Some(object) = line.strip_prefix("ob=") {
            own = is_own(object);
        } else if let Some(object) = line.strip_prefix("cob=") {
            callee_own = Some(is_own(object));
        } else if let Some(calls) = line.strip_prefix("calls=") {
            if own && callee_own == Some(false) {
                cost.calls += calls.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0.0);
            }
            callee_own = None;
            of_call = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            // After a call stands what was spent in it, which is told where it was spent.
            if own && !of_call {
                cost.instructions += line.split(' ').nth(1).and_then(|number| number.parse().ok()).unwrap_or(0.0);
            }
            of_call = false;
        }
    }
    cost
}

fn measure(directory: &Path, name: &str, count: usize) -> io::Result<Cost> {
    let program = env::current_exe()?;
    let profile = directory.join("profile");
    let status = Command::new("valgrind")
        .args(["--quiet", "--tool=callgrind"])
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(&program)
        .args(["once", name, &count.to_string()])
        .stdout(Stdio::null())
        .status()?;
    if !status.success() {
        return Err(io::Error::other(format!("{name} under valgrind: {status}")));
    }
    Ok(own_cost(&fs::read_to_string(profile)?, &program.to_string_lossy()))
}

/// What one more of everything takes.
fn measure_all() -> io::Result<Vec<(&'static str, Cost)>> {
    let directory = tempfile::tempdir()?;
    let each = |(name, few, many): &(&'static str, usize, usize)| {
        let (few_cost, many_cost) = (measure(directory.path(), name, *few)?, measure(directory.path(), name, *many)?);
        let more = (*many - *few) as f64;
        let instructions = (many_cost.instructions - few_cost.instructions) / more;
        Ok((*name, Cost { instructions, calls: (many_cost.calls - few_cost.calls) / more }))
    };
    PATHS.iter().map(each).collect()
}

fn compiler() -> String {
    format!("{} {}", super::report::output("rustc", &["--version"]), env::consts::ARCH)
}

/// The compiler that the kept figures belong to, and the figures.
fn kept() -> io::Result<(String, HashMap<String, Cost>)> {
    let text = fs::read_to_string(KEPT)?;
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let compiler = lines.next().unwrap_or_default().to_owned();
    let figure = |line: &str| {
        let [name, instructions, calls] = *line.split_whitespace().collect::<Vec<_>>() else { return None };
        Some((name.to_owned(), Cost { instructions: instructions.parse().ok()?, calls: calls.parse().ok()? }))
    };
    Ok((compiler, lines.filter_map(figure).collect()))
}

fn keep(figures: &[(&str, Cost)]) -> io::Result<()> {
    let mut text = "# What one more of each takes: instructions of our own code, calls of the C library.\n\
                    # Kept by `cargo xtask instructions --update`, compared by `cargo xtask instructions`.\n"
        .to_owned();
    let _ = writeln!(text, "{}", compiler());
    for (name, cost) in figures {
        let _ = writeln!(text, "{name:<20} {:>9.1} {:>7.2}", cost.instructions, cost.calls);
    }
    fs::write(KEPT, text)
}

/// Compares with the kept figures, or keeps new ones. Whoever can't count says so and passes.
pub(crate) fn run(update: bool) -> io::Result<ExitCode> {
    if Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_err() {
        println!("skipped: instructions are counted by valgrind, which is not installed");
        return Ok(ExitCode::SUCCESS);
    }
    if update {
        keep(&measure_all()?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (made_with, kept) = kept()?;
    if made_with != compiler() {
        println!("skipped: the kept instruction counts are those of {made_with}, this is {}", compiler());
        return Ok(ExitCode::SUCCESS);
    }
    let mut failed = 0;
    let figures = measure_all()?;
    for (name, cost) in &figures {
        let Some(before) = kept.get(*name) else {
            println!("{name:<20} {:>9.1} {:>7.2}  has no kept figure", cost.instructions, cost.calls);
            failed += 1;
            continue;
        };
        let change = (cost.instructions / before.instructions - 1.0) * 100.0;
        let verdict = if cost.exceeds(*before) { "  TOO MANY" } else { "" };
        failed += usize::from(!verdict.is_empty());
        println!(
            "{name:<20} {:>9.1} ({change:+.1} %) {:>7.2} calls (kept: {:.2}){verdict}",
            cost.instructions, cost.calls, before.calls
        );
    }
    println!("{} passed, {failed} failed", figures.len() - failed);
    if failed > 0 {
        println!("If that is meant: cargo xtask instructions --update");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_programs_own_instructions_are_counted_and_its_calls_of_others() {
        let profile = "\
ob=(1) /lib/libc.so.6
fn=(1) memcpy
10 500
ob=(2) /bin/ours
fn=(2) main
5 7
cob=(1)
cfn=(1)
calls=3 0
+1 500
* 2
cfn=(3) helper
calls=9 0
-2 11

fn=(3)
20 11
";
        let cost = own_cost(profile, "/bin/ours");
        assert_eq!(cost, Cost { instructions: 7.0 + 2.0 + 11.0, calls: 3.0 });
    }

    #[test]
    fn three_in_a_hundred_are_tolerated() {
        let kept = Cost { instructions: 1000.0, calls: 2.0 };
        assert!(!Cost { instructions: 1030.0, calls: 2.1 }.exceeds(kept));
        assert!(Cost { instructions: 1031.0, calls: 2.0 }.exceeds(kept));
        assert!(Cost { instructions: 900.0, calls: 3.0 }.exceeds(kept));
    }
}
