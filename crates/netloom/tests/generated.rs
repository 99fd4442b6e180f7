//! `netloom diff` over the scripts of `tests/scripts` and over random ones made from its grammar: the embedded kernel must do
//! what the host's does. What differs is shrunk to the shortest script that still does.
//!
//! `cargo test --test generated -- 1..500` tries the scripts of those seeds, `-- 17` that of one, `-- NAME` a script of the folder;
//! with `--whole` scripts stay as long as they are, and all that differs is shown.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Place, host_network, text};
use netloom_testkit::accepted::{self, Accepted};
use netloom_testkit::compare::Difference;
use netloom_testkit::grammar::Grammar;
use netloom_testkit::shrink::shrink;

/// The seeds of every run.
const SEEDS: std::ops::Range<u64> = 1..41;
/// How many scripts run at a time: they wait, too.
const AT_ONCE: usize = 4;
/// How often a script must differ: what depends on a real clock may come otherwise once.
const ATTEMPTS: usize = 3;
/// How many runs making a script shorter may take.
const SHRINKING: usize = 80;

/// A script that is tried.
struct Case {
    name: String,
    lines: Vec<String>,
}

/// The places and lists that all share.
struct Bench {
    place: Place,
    known: Vec<Accepted>,
    runs: AtomicUsize,
}

/// What came of one run.
enum Outcome {
    Skipped,
    /// What differs and isn't known to.
    Ran(Vec<Difference>),
}

impl Outcome {
    fn open(self) -> Vec<Difference> {
        match self {
            Outcome::Skipped => Vec::new(),
            Outcome::Ran(open) => open,
        }
    }
}

impl Bench {
    /// Runs lines on both kernels. Devices have names that no other run has: `@` stands for what makes them so.
    fn run(&self, lines: &[String]) -> Outcome {
        let number = self.runs.fetch_add(1, Ordering::Relaxed);
        let tag = format!("q{:x}x{number:x}", std::process::id() & 0xfff);
        let script = self.place.file(&tag, &(lines.join("\n").replace('@', &tag) + "\n"));
        let output = self.place.netloom().arg("diff").arg(&script).output().expect("the binary starts");
        let _ = fs::remove_file(&script);
        let (said, errors) = (text(&output.stdout).replace(&tag, ""), text(&output.stderr));
        match output.status.code() {
            Some(0) => Outcome::Ran(Vec::new()),
            Some(1) => Outcome::Ran(self.open(&said)),
            Some(2) if errors.contains("leave out --host") => Outcome::Skipped,
            other => {
                let line = format!("{other:?}: {errors}");
                Outcome::Ran(vec![Difference { head: "netloom diff".to_owned(), line }])
            }
        }
    }

    /// The differences in what `netloom diff` printed that aren't known.
    fn open(&self, said: &str) -> Vec<Difference> {
        let mut head = String::new();
        let mut open = Vec::new();
        for line in said.lines().skip(2) {
            if line.starts_with("$ ") {
                head = line.to_owned();
            } else if line.starts_with(['-', '+']) {
                if line[1..].starts_with("$ ") {
                    head = line[1..].to_owned();
                }
                let difference = Difference { head: head.clone(), line: line.to_owned() };
                if !self.known.iter().any(|accepted| accepted.covers(&head, &difference)) {
                    open.push(difference);
                }
            }
        }
        open
    }

    /// What differs each time.
    fn differs(&self, lines: &[String]) -> Option<Vec<Difference>> {
        let mut last = Vec::new();
        for _ in 0..ATTEMPTS {
            match self.run(lines) {
                Outcome::Ran(open) if !open.is_empty() => last = open,
                _ => return None,
            }
        }
        Some(last)
    }

    /// The fewest lines in which something still differs.
    fn shortest(&self, lines: &[String], differences: &[Difference]) -> Vec<String> {
        let mut runs = 0;
        let mut differ = |lines: &[String]| {
            runs += 1;
            let open = if runs > SHRINKING { Vec::new() } else { self.run(lines).open() };
            open.iter().any(|open| open.head == differences[0].head)
        };
        let at = lines.iter().position(|line| differences[0].head[2..] == line.replace('@', ""));
        let mut lines = lines[..at.map_or(lines.len(), |at| at + 1)].to_vec();
        // What waits least is tried soonest.
        let hasty: Vec<String> = lines.iter().filter(|line| !line.starts_with("sleep")).cloned().collect();
        if differ(&hasty) {
            lines = hasty;
        }
        shrink(lines, differ)
    }

    /// The case's report, if its kernels part. `None` where nothing can be said.
    fn report(&self, case: &Case, whole: bool) -> Option<Result<(), String>> {
        if let Outcome::Skipped = self.run(&[]) {
            return None;
        }
        let Some(mut differences) = self.differs(&case.lines) else { return Some(Ok(())) };
        let mut report = String::new();
        if !whole {
            let shortest = self.shortest(&case.lines, &differences);
            shortest.iter().for_each(|line| report.push_str(&format!("    {}\n", line.replace('@', ""))));
            differences = self.differs(&shortest).unwrap_or(differences);
        }
        let mut head = "";
        for difference in &differences {
            if difference.head != head {
                head = &difference.head;
                report.push_str(&format!("      {head}\n"));
            }
            report.push_str(&format!("        {}\n", difference.line));
        }
        Some(Err(report))
    }
}

/// Those that the arguments name, or all of the folder and the seeds of every run.
fn cases(folder: &Path, wanted: &[String]) -> Vec<Case> {
    let grammar = fs::read_to_string(folder.join("grammar.txt")).expect("a grammar");
    let grammar = Grammar::parse(&grammar).unwrap_or_else(|error| panic!("tests/scripts/grammar.txt: {error}"));
    let seeds = |text: &str| match text.split_once("..") {
        Some((from, to)) => Some(from.parse::<u64>().ok()?..to.parse().ok()?),
        None => text.parse().ok().map(|seed| seed..seed + 1),
    };
    let ranges: Vec<_> = wanted.iter().filter_map(|text| seeds(text)).collect();
    let names: Vec<&String> = wanted.iter().filter(|text| seeds(text).is_none()).collect();
    let mut scripts: Vec<PathBuf> =
        fs::read_dir(folder).expect("scripts").map(|entry| entry.expect("an entry").path()).collect();
    scripts.retain(|path| path.extension().is_some_and(|extension| extension == "sh"));
    scripts.sort();
    let name = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    scripts.retain(|path| wanted.is_empty() || names.iter().any(|part| name(path).contains(part.as_str())));
    let mut cases: Vec<Case> = Vec::new();
    for path in scripts {
        let script = fs::read_to_string(&path).expect("a script");
        cases.push(Case { name: name(&path), lines: script.lines().map(str::to_owned).collect() });
    }
    let ranges = if wanted.is_empty() { vec![SEEDS] } else { ranges };
    let generated = ranges.into_iter().flatten();
    cases.extend(generated.map(|seed| Case { name: format!("seed {seed}"), lines: grammar.script(seed) }));
    cases
}

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let whole = std::env::args().any(|argument| argument == "--whole");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scripts");
    let known = fs::read_to_string(folder.join("differences.txt")).expect("the list of differences");
    let bench = Bench { place: Place::new(), known: accepted::parse(&known), runs: AtomicUsize::new(0) };
    let cases = cases(&folder, &wanted);
    let before = host_network();
    let (next, failed, skipped) = (AtomicUsize::new(0), Mutex::new(0), AtomicUsize::new(0));
    println!("\nrunning {} tests", cases.len());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match bench.report(case, whole) {
                        None => drop(skipped.fetch_add(1, Ordering::Relaxed)),
                        Some(Ok(())) => {}
                        Some(Err(report)) => {
                            *failed.lock().expect("no panic") += 1;
                            println!("generated::{} ... FAILED\n{report}", case.name);
                        }
                    }
                }
            });
        }
    });
    let (failed, skipped) = (failed.into_inner().expect("no panic"), skipped.into_inner());
    if skipped > 0 {
        println!("skipped: {skipped} scripts: no namespaces here");
    }
    let unchanged = host_network() == before;
    if !unchanged {
        println!("the host's own network has changed");
    }
    let verdict = if failed == 0 && unchanged { "ok" } else { "FAILED" };
    let passed = cases.len() - failed - skipped;
    println!(
        "\ntest result: {verdict}. {passed} passed; {failed} failed; {skipped} ignored; 0 measured; 0 filtered out"
    );
    if failed == 0 && unchanged { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
