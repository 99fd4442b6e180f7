//! Replays the transcripts of the real tools with our commands, on either kernel: one body, two machines.
//!
//! For each scenario the test starts itself inside `netloom run` as the recorder, and compares what it recorded with the
//! transcript. Scenarios of [`EQUAL`] must be equal line for line, but for those in the kernel's list of differences;
//! the others report how many of their lines are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use netloom_testkit::{accepted, compare, normalise, record};

/// What must be equal to Linux.
pub(crate) const EQUAL: &[&str] = &[
    "01", "02", "03", "04", "05", "07", "08", "10", "11", "15", "17", "19", "21", "24", "25", "27", "28", "29", "30",
    "31", "32", "33",
];

/// Set where this program is the recorder: the scenario's path.
const SCENARIO: &str = "NETLOOM_GOLDEN_SCENARIO";
/// Where the recorder puts the transcript.
const OUTPUT: &str = "NETLOOM_GOLDEN_OUTPUT";

/// Seeds whose random addresses order devices as the transcripts' did: in 01 four ports, elsewhere two.
fn seed(number: &str) -> &'static str {
    if number == "01" { "53" } else { "7" }
}

/// How many scenarios run at a time: they mostly wait.
const AT_ONCE: usize = 6;

/// A kernel to replay on.
pub(crate) struct Kernel {
    /// What its tests are called.
    pub(crate) name: &'static str,
    /// What `netloom run` is told.
    pub(crate) options: &'static [&'static str],
    /// The list of differences, in `tests/golden`.
    pub(crate) differences: &'static str,
    /// Whether its log is nobody else's, and compared.
    pub(crate) has_own_log: bool,
    /// How often a scenario is tried: what depends on a real clock may come otherwise.
    pub(crate) attempts: usize,
    /// Whether scenarios that need not be equal run, too.
    pub(crate) runs_all: bool,
}

/// A scenario's name, whether it passed, and what there is to say.
type Outcome = (String, bool, String);

/// The whole test program.
pub(crate) fn main(kernel: &Kernel) -> ExitCode {
    if let Some(scenario) = std::env::var_os(SCENARIO) {
        let text = fs::read_to_string(&scenario).expect("a scenario");
        let transcript = record::record(&text).expect("a transcript");
        fs::write(std::env::var_os(OUTPUT).expect("a place for it"), transcript).expect("room for it");
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
    let mut scenarios: Vec<PathBuf> =
        fs::read_dir(golden.join("src")).expect("scenarios").map(|entry| entry.expect("an entry").path()).collect();
    scenarios.sort();
    scenarios.retain(|path| kernel.runs_all || EQUAL.contains(&number(path).as_str()));
    scenarios.retain(|path| wanted.is_empty() || wanted.iter().any(|name| path.to_string_lossy().contains(name)));
    let known = accepted::parse(&fs::read_to_string(golden.join(kernel.differences)).expect("the list of differences"));

    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(&PathBuf, Outcome)>> = Mutex::new(Vec::new());
    let run = |path: &Path| replay(kernel, &golden, path, &known, !wanted.is_empty());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(path) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = run(path);
                    results.lock().expect("no panic").push((path, outcome));
                }
            });
        }
    });

    let mut results = results.into_inner().expect("no panic");
    results.sort();
    // Again, one at a time: on a processor that others use, too, more time passes between two commands.
    for (path, outcome) in &mut results {
        for _ in 1..kernel.attempts {
            if !outcome.1 {
                *outcome = run(path);
            }
        }
    }
    let results: Vec<Outcome> = results.into_iter().map(|(_, outcome)| outcome).collect();
    println!("\nrunning {} tests", results.len());
    for (name, passed, report) in &results {
        println!("test {}::{name} ... {} {report}", kernel.name, if *passed { "ok" } else { "FAILED" });
    }
    let failed = results.iter().filter(|(_, passed, _)| !passed).count();
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {verdict}. {} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out",
        results.len() - failed
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn name(scenario: &Path) -> String {
    scenario.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn number(scenario: &Path) -> String {
    name(scenario).split('-').next().unwrap_or_default().to_owned()
}

fn replay(kernel: &Kernel, golden: &Path, scenario: &Path, known: &[accepted::Accepted], verbose: bool) -> Outcome {
    let (name, number) = (name(scenario), number(scenario));
    let folder = std::env::temp_dir().join(format!("netloom-golden-{}-{name}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder");
    let (script, output) = (folder.join("record.sh"), folder.join("transcript"));
    let recorder = std::env::current_exe().expect("this program");
    fs::write(&script, "exec \"$RECORDER\"\n").expect("room for a script");
    let ran = Command::new(env!("CARGO_BIN_EXE_netloom"))
        .arg("run")
        .args(kernel.options)
        .arg(&script)
        .env("RECORDER", recorder)
        // What the transcripts' machine had: two processors, and random addresses in this order.
        .env("NETLOOM_CPUS", "2")
        .env("NETLOOM_SEED", seed(&number))
        .env(SCENARIO, scenario)
        .env(OUTPUT, &output)
        .output()
        .expect("netloom runs");
    let expected = fs::read_to_string(golden.join(format!("{name}.txt"))).expect("a transcript");
    let actual = fs::read_to_string(&output).unwrap_or_default();
    let _ = fs::remove_dir_all(&folder);

    let tidy = |transcript: &str| {
        let normalised = normalise::normalise(transcript);
        let lines = normalised.lines().filter(|line| kernel.has_own_log || !line.starts_with("k>"));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    let comparison = compare::compare(&tidy(&expected), &tidy(&actual));
    let open: Vec<_> = comparison
        .differences
        .iter()
        .filter(|difference| !known.iter().any(|accepted| accepted.covers(&number, difference)))
        .collect();
    let required = EQUAL.contains(&number.as_str());
    let mut report = format!("({} of {} lines equal", comparison.equal, comparison.lines);
    match open.len() {
        0 if comparison.differences.is_empty() => report.push(')'),
        0 => report.push_str(", the others known to differ)"),
        _ if required => report.push_str(", MUST BE EQUAL)"),
        _ => report.push(')'),
    }
    if !ran.status.success() {
        report.push_str(&format!("\n    the recorder: {}\n{}", ran.status, String::from_utf8_lossy(&ran.stderr)));
    }
    if verbose || (required && !open.is_empty()) {
        let mut head = "";
        for difference in &open {
            if difference.head != head {
                head = &difference.head;
                report.push_str(&format!("\n    {head}"));
            }
            report.push_str(&format!("\n        {}", difference.line));
        }
    }
    (name, ran.status.success() && !actual.is_empty() && (!required || open.is_empty()), report)
}
