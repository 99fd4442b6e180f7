//! How fast `ip` is beside iproute2's: both on the host's kernel, in the same namespace, in turn.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::host;
use crate::report::{self, spread};

/// How often each command runs with either.
const ROUNDS: usize = 15;
/// How many links there are when they are listed.
const LINKS: [usize; 3] = [1, 1_000, 10_000];
/// How many lines a batch has.
const LINES: usize = 10_000;

/// One comparison: nanoseconds, round by round.
struct Row {
    what: String,
    target: &'static str,
    ours: Vec<f64>,
    theirs: Vec<f64>,
}

impl Row {
    fn line(&self) -> String {
        let ratios: Vec<f64> = self.ours.iter().zip(&self.theirs).map(|(ours, theirs)| ours / theirs).collect();
        let (ratio, low, high) = spread(&ratios);
        let (ours, theirs) = (report::duration(spread(&self.ours).0), report::duration(spread(&self.theirs).0));
        format!("| {} | {ours} | {theirs} | **{ratio:.2}** [{low:.2} .. {high:.2}] | {} |\n", self.what, self.target)
    }
}

fn time(program: &Path, arguments: &[&str]) -> io::Result<f64> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    // Neither a machine, nor cargo's list of directories to look for libraries in.
    command.env_remove("NETLOOM_MACHINE").env_remove("LD_LIBRARY_PATH");
    let start = Instant::now();
    let status = command.status()?;
    let elapsed = start.elapsed();
    if !status.success() {
        return Err(io::Error::other(format!("{} {arguments:?}: {status}", program.display())));
    }
    Ok(elapsed.as_nanos() as f64)
}

fn compare(ours: &Path, what: String, target: &'static str, arguments: &[&str]) -> io::Result<Row> {
    let mut row = Row { what, target, ours: Vec::new(), theirs: Vec::new() };
    let theirs = Path::new("ip");
    // The first run of each warms the caches.
    for round in 0..=ROUNDS {
        // Whoever comes second profits from the first.
        let (mine, real) = if round % 2 == 0 {
            let mine = time(ours, arguments)?;
            (mine, time(theirs, arguments)?)
        } else {
            let real = time(theirs, arguments)?;
            (time(ours, arguments)?, real)
        };
        if round > 0 {
            row.ours.push(mine);
            row.theirs.push(real);
        }
    }
    Ok(row)
}

fn batch(folder: &Path, name: &str, lines: impl Iterator<Item = String>) -> io::Result<PathBuf> {
    let path = folder.join(name);
    let text: String = lines.fold(String::new(), |text, line| text + &line + "\n");
    fs::write(&path, text)?;
    Ok(path)
}

fn measure(folder: &Path) -> io::Result<Vec<Row>> {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET | nix::sched::CloneFlags::CLONE_NEWNS)?;
    host::run("mount", "--make-rprivate /")?;
    fs::create_dir_all("/run/netns")?;
    host::run("mount", "-t tmpfs none /run/netns")?;
    let ours = folder.join("ip");
    let netloom = fs::canonicalize(std::env::current_exe()?.with_file_name("netloom"))?;
    std::os::unix::fs::symlink(netloom, &ours)?;
    host::run("ip", "netns add n")?;

    let mut rows = vec![compare(&ours, "`ip netns exec n true`".into(), "–", &["netns", "exec", "n", "true"])?];
    let mut there = 1;
    for links in LINKS {
        if links > there {
            let add = (there..links).map(|number| format!("link add br{number} type bridge"));
            let path = batch(folder, "links", add)?;
            time(Path::new("ip"), &["-batch", &path.to_string_lossy()])?;
            there = links;
        }
        let what = format!("`ip link show`, {links} {}", if links == 1 { "link" } else { "links" });
        rows.push(compare(&ours, what, "≤ 1.0", &["link", "show"])?);
        if links == 1_000 {
            rows.push(compare(
                &ours,
                "`ip -d -s link show`, 1000 links".into(),
                "≤ 1.0",
                &["-d", "-s", "link", "show"],
            )?);
            rows.push(compare(&ours, "`ip -j addr show`, 1000 links".into(), "≤ 1.0", &["-j", "addr", "show"])?);
            let up = batch(folder, "batch", (0..LINES).map(|line| format!("link set br{} up", line % 999 + 1)))?;
            let arguments = ["-batch", &up.to_string_lossy()];
            rows.push(compare(&ours, format!("`ip -batch`, {LINES} × `link set … up`"), "≤ 1.0", &arguments)?);
            let route = |line: usize| format!("route replace blackhole 10.{}.{}.0/24", line / 250, line % 250);
            let routes = batch(folder, "batch", (0..LINES).map(route))?;
            let arguments = ["-batch", &routes.to_string_lossy()];
            rows.push(compare(&ours, format!("`ip -batch`, {LINES} × `route replace`"), "≤ 1.0", &arguments)?);
            rows.push(compare(&ours, format!("`ip route show`, {LINES} routes"), "≤ 1.0", &["route", "show"])?);
        }
    }
    Ok(rows)
}

/// Measures, and writes the table between its marks in `docs/PERFORMANCE.md`. It takes root and iproute2.
pub(crate) fn write() -> io::Result<()> {
    let machine = report::machine();
    let folder = std::env::temp_dir().join(format!("netloom-applets-{}", std::process::id()));
    fs::create_dir(&folder)?;
    // What is in the namespaces goes with this process.
    let rows = measure(&folder);
    fs::remove_dir_all(&folder)?;
    let mut text =
        format!("{machine}\n\n| command | netloom | iproute2 | times as long | target |\n|---|---|---|---|---|\n");
    rows?.iter().for_each(|row| text.push_str(&row.line()));
    report::put("<!-- cargo xtask applets -->\n", "<!-- end of applets -->\n", &text)
}
