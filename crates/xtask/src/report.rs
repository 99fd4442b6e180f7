//! The side-by-side comparison, and what `docs/PERFORMANCE.md` says of it.

use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use crate::host::{self, Host};
use crate::lab::control::Machine;
use crate::{memory, scenario};

/// How often everything is measured in turn.
const ROUNDS: usize = 7;
/// How many pairs, and namespaces, are made at a time.
const PAIRS: u32 = 2_000;
const NAMESPACES: u32 = 500;

/// One thing that is measured: nanoseconds, ours and the yardstick's, round by round.
struct Row {
    what: &'static str,
    yardstick: &'static str,
    target: &'static str,
    ours: Vec<f64>,
    theirs: Vec<f64>,
}

/// Median, smallest and largest.
fn spread(values: &[f64]) -> (f64, f64, f64) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    (sorted[sorted.len() / 2], sorted[0], sorted[sorted.len() - 1])
}

fn duration(nanoseconds: f64) -> String {
    match nanoseconds {
        ..1e3 => format!("{nanoseconds:.1} ns"),
        ..1e6 => format!("{:.2} µs", nanoseconds / 1e3),
        _ => format!("{:.2} ms", nanoseconds / 1e6),
    }
}

impl Row {
    fn line(&self) -> String {
        let (ours, least, most) = spread(&self.ours);
        let (theirs, ratio) = if self.theirs.is_empty() {
            ("–".into(), "–".into())
        } else {
            let ratios: Vec<f64> = self.theirs.iter().zip(&self.ours).map(|(theirs, ours)| theirs / ours).collect();
            let (ratio, low, high) = spread(&ratios);
            (duration(spread(&self.theirs).0), format!("**{ratio:.1}** [{low:.1} .. {high:.1}]"))
        };
        let ours = format!("{} [{} .. {}]", duration(ours), duration(least), duration(most));
        format!("| {} | {ours} | {}: {theirs} | {ratio} | {} |\n", self.what, self.yardstick, self.target)
    }
}

/// Nanoseconds for copying 1,514 bytes from a pool that no cache holds.
fn copy(pool: &[u8], at: &mut usize) -> f64 {
    const FRAMES: usize = 20_000;
    let mut buffer = [0; 1514];
    let start = Instant::now();
    for _ in 0..FRAMES {
        // A stride that is no power of two, around the whole pool.
        *at = (*at + 1_000_003) % (pool.len() - buffer.len());
        buffer.copy_from_slice(&pool[*at..*at + 1514]);
        black_box(&buffer);
    }
    start.elapsed().as_nanos() as f64 / FRAMES as f64
}

/// Nanoseconds for each of `count` of what `work` does.
fn timed(count: usize, work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_nanos() as f64 / count as f64
}

fn rows() -> Vec<Row> {
    let row = |what, yardstick, target| Row { what, yardstick, target, ours: Vec::new(), theirs: Vec::new() };
    vec![
        row("64-byte frame: socket, veth, bridge, veth, socket", "the host's kernel", "≥ 80 ×"),
        row("1,514-byte frame, the same way", "a copy from memory", "≥ 25 M/s where nothing is copied"),
        row("64-byte frame: 1,023 ports, 65,536 addresses, random", "none", "≤ 66.7 ns"),
        row("copy of a 1,514-byte frame flooded to 1,000 ports", "none", "≤ 15 ns"),
        row("ICMP echo and reply through a bridge", "the host's kernel", "≤ 400 ns"),
        row("one of 2,000 veth pairs, by netlink", "the host's kernel", "≥ 75 ×"),
        row("one link in a list of 4,001", "the host's kernel", "≥ 4 ×"),
        row("one of 500 namespaces with a cable to a bridge", "the host's kernel", "≥ 75 ×"),
    ]
}

fn measure(host: Option<&Host>) -> Vec<Row> {
    let mut rows = rows();
    let counts = [("pair-64", 500_000), ("pair-1514", 200_000), ("random-1023-ports", 200_000)];
    let counts = counts.into_iter().chain([("flood-1000-ports", 500_000), ("icmp-echo", 50_000)]);
    let mut ready: Vec<_> = counts.map(|(name, count)| (scenario::setup(name), count)).collect();
    let pool = vec![1; 256 << 20];
    let mut at = 0;
    for round in 0..ROUNDS {
        eprintln!("round {} of {ROUNDS}", round + 1);
        for (number, (work, count)) in ready.iter_mut().enumerate() {
            let theirs = match (number, host) {
                (0, Some(host)) => Some(host.frames(64)),
                (1, _) => Some(copy(&pool, &mut at)),
                (4, Some(host)) => Some(host.echo()),
                _ => None,
            };
            rows[number].theirs.extend(theirs);
            rows[number].ours.push(timed(*count, || work(*count)));
        }
        let mut machine = Machine::new();
        rows[5].ours.push(timed(PAIRS as usize, || machine.make_pairs(PAIRS)));
        machine.dump_links();
        rows[6].ours.push(timed(2 * PAIRS as usize + 2, || assert!(black_box(machine.dump_links()) > 0)));
        let mut machine = Machine::new();
        rows[7].ours.push(timed(NAMESPACES as usize, || machine.make_namespaces(NAMESPACES)));
        if host.is_some() {
            rows[7].theirs.extend(host::namespaces(NAMESPACES));
            if let Ok((made, listed)) = host::pairs(PAIRS) {
                rows[5].theirs.push(made);
                rows[6].theirs.push(listed);
            }
        }
    }
    rows
}

pub(crate) fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).trim().to_owned()
}

fn machine() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("?", |(_, it)| it);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!(
        "{} × {model}; Linux {}; {}; netloom {}; {}; load before the run {}.",
        std::thread::available_parallelism().map_or(1, |count| count.get()),
        output("uname", &["-r"]),
        output("rustc", &["--version"]),
        output("git", &["rev-parse", "--short", "HEAD"]),
        output("date", &["-u", "+%Y-%m-%d"]),
        load.split_whitespace().next().unwrap_or("?"),
    )
}

/// Measures everything and writes the tables between the marks in `docs/PERFORMANCE.md`.
pub(crate) fn write() -> std::io::Result<()> {
    const PATH: &str = "docs/PERFORMANCE.md";
    const BEGIN: &str = "<!-- cargo xtask bench -->\n";
    const END: &str = "<!-- end -->\n";
    let machine = machine();
    let memory = memory::figures();
    let host = Host::new().inspect_err(|error| eprintln!("the host's kernel is skipped: {error}")).ok();
    let rows = measure(host.as_ref());

    let mut text = format!("{machine}\n\n");
    text.push_str(
        "| what | netloom, median [min .. max] | yardstick | times as fast | target |\n|---|---|---|---|---|\n",
    );
    rows.iter().for_each(|row| text.push_str(&row.line()));
    text.push_str("\n| idle | bytes | target |\n|---|---|---|\n");
    for ((what, bytes), target) in memory.iter().zip([2_048, 4_096, 32]) {
        let _ = writeln!(text, "| {what} | {bytes:.0} | ≤ {target} |");
    }
    let page = fs::read_to_string(PATH)?;
    let whole = page.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = whole.ok_or_else(|| std::io::Error::other(format!("{PATH} has no place for the tables")))?;
    fs::write(PATH, format!("{before}{BEGIN}{text}{END}{after}"))
}
