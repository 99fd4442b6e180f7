//! Running the `netloom` binary with a directory for machines that no other test sees.
#![allow(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod networks;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

pub(crate) const NETLOOM: &str = env!("CARGO_BIN_EXE_netloom");

/// A place for machines and files; gone at the end.
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn new() -> Place {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = PathBuf::from(format!("/tmp/netloom-test-{}-{count}", std::process::id()));
        fs::create_dir(&path).expect("a fresh directory");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("our own directory");
        Place(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// A file with that content.
    pub(crate) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).expect("our own directory");
        path
    }

    /// The binary, ready to run.
    pub(crate) fn netloom(&self) -> Command {
        let mut command = Command::new(NETLOOM);
        command.env("XDG_RUNTIME_DIR", &self.0).env_remove("NETLOOM_MACHINE").stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.netloom().args(arguments).output().expect("the binary starts")
    }

    /// Runs a script and gives its output, standard error included.
    pub(crate) fn script(&self, text: &str) -> (String, Option<i32>) {
        let path = self.file("script.sh", &format!("exec 2>&1\n{text}"));
        let output = self.netloom().arg("run").arg(path).output().expect("the binary starts");
        let mut all = String::from_utf8_lossy(&output.stdout).into_owned();
        all.push_str(&String::from_utf8_lossy(&output.stderr));
        (all, output.status.code())
    }

    /// What is left of machines.
    pub(crate) fn leftovers(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.0.join("netloom")).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for name in ["m", "a", "b"] {
            let _ = self.netloom().args(["down", name]).stderr(Stdio::null()).status();
        }
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Waits for something that comes soon; fails the test where it doesn't.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub(crate) fn alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with('Z'))
}

pub(crate) fn parent(pid: u32) -> u32 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it lives");
    stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)?.parse().ok()).expect("stat has a parent")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a script's root says before a command that is to run without any rights.
pub(crate) const AS_NOBODY: &str =
    "setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all";

pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

/// Links, addresses and routes of the namespace that the tests run in: they must stay as they are.
pub(crate) fn host_network() -> String {
    let show = |arguments: &[&str]| {
        let mut ip = Command::new(NETLOOM);
        ip.arg("ip").args(arguments).env_remove("NETLOOM_MACHINE");
        text(&ip.output().expect("the binary starts").stdout)
    };
    show(&["-br", "link"]) + &show(&["-br", "addr"]) + &show(&["route", "show", "table", "all"])
}
