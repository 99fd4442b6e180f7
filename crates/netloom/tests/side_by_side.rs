//! Our commands beside the real ones, on the host's kernel: the same scenario, once with each, must give the same transcript.
//!
//! Scenarios are `side_by_side/*.sc`, written as in `tests/golden/src`. Each runs in a network and mount namespace of its
//! own. `cargo test --test side_by_side -- NAME…` runs those whose name contains one of NAME.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use netloom_testkit::{compare, normalise, record};

/// The commands that are compared, each where its real counterpart is installed.
const APPLETS: &[&str] = &["arp", "brctl", "bridge", "ethtool", "ifconfig", "ip", "netstat", "route"];

/// Set where this program is the recorder: the scenario's path.
const SCENARIO: &str = "NETLOOM_SIDE_BY_SIDE_SCENARIO";

fn main() -> ExitCode {
    if let Some(scenario) = std::env::var_os(SCENARIO) {
        let text = std::fs::read_to_string(&scenario).expect("a scenario");
        print!("{}", record::record(&text).expect("a transcript"));
        return ExitCode::SUCCESS;
    }
    if let Some(absent) = APPLETS.iter().find(|name| !installed(name)) {
        println!("skipped: {absent} is not installed");
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/side_by_side");
    let mut scenarios: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("scenarios").map(|entry| entry.expect("an entry").path()).collect();
    scenarios.retain(|path| path.extension().is_some_and(|extension| extension == "sc"));
    scenarios.sort();
    scenarios.retain(|path| wanted.is_empty() || wanted.iter().any(|name| path.to_string_lossy().contains(name)));
    let ours = applets();
    let mut status = ExitCode::SUCCESS;
    for scenario in scenarios {
        let name = scenario.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if name == "requests" && !installed("strace") {
            println!("skipped: {name}: strace is not installed");
            continue;
        }
        let (Some(expected), Some(actual)) = (run(&scenario, None), run(&scenario, Some(&ours))) else {
            println!("skipped: no namespace without root");
            return ExitCode::SUCCESS;
        };
        let comparison = compare::compare(&tidy(&expected), &tidy(&actual));
        println!("{name}: {} lines equal, {} different", comparison.equal, comparison.differences.len());
        for difference in comparison.differences.iter().take(40) {
            status = ExitCode::FAILURE;
            println!("  {}\n    {}", difference.head, difference.line);
        }
    }
    status
}

fn installed(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).exists())
}

/// A folder in which our binary has the commands' names.
fn applets() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("side_by_side");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder for the applets");
    for name in APPLETS {
        symlink(env!("CARGO_BIN_EXE_netloom"), folder.join(name)).expect("a link to the binary");
    }
    folder
}

/// Records a scenario in fresh namespaces, with the commands in `first` before those of PATH. `None` where the machine
/// allows no namespace.
fn run(scenario: &Path, first: Option<&Path>) -> Option<String> {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(first) = first {
        path = std::env::join_paths([first.to_owned()].into_iter().chain(std::env::split_paths(&path))).ok()?;
    }
    // Where `asks` is.
    let scenarios = scenario.parent()?.to_owned();
    path = std::env::join_paths(std::env::split_paths(&path).chain([scenarios])).ok()?;
    let myself = std::env::current_exe().expect("a program has a path");
    let prepare = "mkdir -p /run/netns && mount -t tmpfs none /run/netns && mount -t sysfs none /sys && exec \"$0\"";
    let output = Command::new("unshare")
        .args(["--net", "--mount", "--propagation", "private", "bash", "-c", prepare])
        .arg(myself)
        .env(SCENARIO, scenario)
        .env("PATH", path)
        .env("LC_ALL", "C")
        .env_remove("NETLOOM_MACHINE")
        .output()
        .ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Normalises a transcript. What the kernel logs is its own affair.
fn tidy(transcript: &str) -> String {
    let normalised = normalise::normalise(transcript);
    normalised.lines().filter(|line| !line.starts_with("k>")).map(|line| format!("{line}\n")).collect()
}
