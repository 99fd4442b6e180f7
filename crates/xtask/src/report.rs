//! The side-by-side comparison, and what `docs/PERFORMANCE.md` says of it.

use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::growth::{Curve, Growth};
use crate::host::{self, Host};
use crate::lab::control::{Machine, pair_requests};
use crate::plot::Upwards;
use crate::programs::{self, Netloom};
use crate::{growth, memory, peers, plot, scenario};

/// How often, and how much.
struct Sizes {
    rounds: usize,
    pairs: u32,
    namespaces: u32,
    routes: u32,
    pings: u32,
}

const WHOLE: Sizes = Sizes { rounds: 5, pairs: 10_000, namespaces: 1_000, routes: 100_000, pings: 3_000 };
const QUICK: Sizes = Sizes { rounds: 3, pairs: 1_000, namespaces: 200, routes: 10_000, pings: 500 };

/// One thing that is measured: nanoseconds, ours and the yardstick's, round by round.
struct Row {
    what: String,
    yardstick: &'static str,
    target: &'static str,
    ours: Vec<f64>,
    theirs: Vec<f64>,
}

/// Median, smallest and largest.
pub(crate) fn spread(values: &[f64]) -> (f64, f64, f64) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    (sorted[sorted.len() / 2], sorted[0], sorted[sorted.len() - 1])
}

/// Nanoseconds for each of `count` of what `work` does.
pub(crate) fn timed(count: usize, work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_nanos() as f64 / count as f64
}

/// 12345 as 12,345.
pub(crate) fn thousands(number: u64) -> String {
    match number {
        ..1_000 => number.to_string(),
        _ => format!("{},{:03}", thousands(number / 1_000), number % 1_000),
    }
}

pub(crate) fn duration(nanoseconds: f64) -> String {
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
            let decimals = if ratio < 10.0 { 2 } else { 0 };
            let theirs = duration(spread(&self.theirs).0);
            (theirs, format!("**{ratio:.decimals$}** [{low:.decimals$} .. {high:.decimals$}]"))
        };
        let ours = format!("{} [{} .. {}]", duration(ours), duration(least), duration(most));
        format!("| {} | {ours} | {}: {theirs} | {ratio} | {} |\n", self.what, self.yardstick, self.target)
    }
}

/// Rows in the order in which they were first heard of.
#[derive(Default)]
struct Rows(Vec<Row>);

impl Rows {
    fn add(&mut self, what: &str, target: &'static str, ours: f64, yardstick: &'static str, theirs: Option<f64>) {
        let at = self.0.iter().position(|row| row.what == what && row.yardstick == yardstick);
        let at = at.unwrap_or_else(|| {
            let (ours, theirs) = (Vec::new(), Vec::new());
            self.0.push(Row { what: what.to_owned(), yardstick, target, ours, theirs });
            self.0.len() - 1
        });
        self.0[at].ours.push(ours);
        self.0[at].theirs.extend(theirs);
    }

    fn table(&self) -> String {
        let head =
            "| what | netloom, median [min .. max] | yardstick | times as fast | target |\n|---|---|---|---|---|\n";
        self.0.iter().fold(head.to_owned(), |text, row| text + &row.line())
    }
}

/// Nanoseconds for copying 1,514 bytes from a pool that no cache holds.
fn copy(pool: &[u8], at: &mut usize) -> f64 {
    const FRAMES: usize = 20_000;
    let mut buffer = [0; 1514];
    timed(FRAMES, || {
        for _ in 0..FRAMES {
            // A stride that is no power of two, around the whole pool.
            *at = (*at + 1_000_003) % (pool.len() - buffer.len());
            buffer.copy_from_slice(&pool[*at..*at + 1514]);
            black_box(&buffer);
        }
    })
}

/// Fills the caches with something else.
fn cool(pool: &[u8]) {
    black_box(pool.iter().step_by(64).fold(0u8, |sum, byte| sum ^ byte));
}

/// What can't be measured here is said, once a run.
fn or_say<T>(what: &str, result: io::Result<T>) -> Option<T> {
    result.inspect_err(|error| eprintln!("left out: {what}: {error}")).ok()
}

fn measure(sizes: &Sizes) -> (Rows, Rows) {
    const HOST: &str = "the host's kernel";
    let netloom = or_say("programs", Netloom::build());
    let host = or_say("the host's kernel", Host::new());
    let router = host.as_ref().and_then(|_| or_say("the host as a router", host::router::Router::new(sizes.routes)));
    let switches = if host.is_some() { peers::all() } else { Vec::new() };

    let frames = |name: &str| scenario::setup(name);
    let [mut short, mut mixed, mut long, mut chain, mut guarded, mut random, mut flood, mut echo] = [
        "pair-64",
        "mixed-64",
        "pair-1514",
        "chain-1514",
        "guarded-64",
        "random-1023-ports",
        "flood-1000-ports",
        "icmp-echo",
    ]
    .map(frames);
    let mut routed = scenario::routed(sizes.routes);
    let pool = vec![1; 256 << 20];
    let mut at = 0;
    let (mut rows, mut others) = (Rows::default(), Rows::default());
    for round in 0..sizes.rounds {
        eprintln!("round {} of {}", round + 1, sizes.rounds);
        let theirs = host.as_ref().map(|host| host.frames(64));
        let one_flow = theirs;
        let frame = timed(500_000, || short(500_000));
        rows.add("64-byte frame: socket, veth, bridge, veth, socket", "≥ 80 ×", frame, HOST, theirs);
        let what = "64-byte frame, no two in a row of one flow";
        rows.add(what, "–", timed(500_000, || mixed(500_000)), HOST, theirs);
        for peer in &switches {
            others.add(peer.name, "", peer.frames(), "netloom", Some(frame));
        }
        if let Some(Some(peer)) = host.as_ref().and_then(|_| or_say("dpdk-testpmd", peers::testpmd_on_veths())) {
            others.add(peer.name, "", peer.frames(), "netloom", Some(frame));
        }
        if let Some(Some(swapped)) = host.as_ref().and_then(|_| or_say("dpdk-testpmd", peers::testpmd())) {
            others.add("DPDK testpmd, macswap, null devices", "", swapped, "netloom", Some(frame));
        }
        let ours = timed(200_000, || long(200_000));
        let theirs = Some(copy(&pool, &mut at));
        rows.add("1,514-byte frame, the same way", "one copy", ours, "a copy from memory", theirs);
        let another = (timed(200_000, || chain(200_000)) - ours) / f64::from(scenario::BRIDGES - 1);
        rows.add("1,514-byte frame: another bridge on its way, not copied", "≤ 40 ns", another, "none", None);
        let ours = timed(500_000, || guarded(500_000));
        rows.add("64-byte frame: another port listened at, every flag turned over", "≤ 40 ns", ours, "none", None);
        cool(&pool);
        let ours = timed(500_000, || random(500_000));
        let what = "64-byte frame: 1,023 ports, 65,536 addresses, random";
        rows.add(what, "≤ 66.7 ns", ours, "the host's kernel, one flow", one_flow);
        let ours = timed(2_000_000, || flood(2_000_000));
        rows.add("copy of a 1,514-byte frame flooded to 1,000 ports", "≤ 15 ns", ours, "none", None);
        let theirs = router.as_ref().and_then(|router| or_say("the host as a router", router.packets()));
        let what = format!("64-byte frame routed, {} prefixes", thousands(sizes.routes.into()));
        rows.add(&what, "≥ 40 ×", timed(200_000, || routed(200_000)), HOST, theirs);
        let theirs = host.as_ref().map(Host::echo);
        let ours = timed(50_000, || echo(50_000));
        rows.add("ICMP echo and reply through a bridge", "≤ 400 ns", ours, HOST, theirs);

        control(sizes, host.is_some(), &mut rows);
        if let Some(netloom) = &netloom {
            or_say("programs", processes(sizes, netloom, host.is_some(), &mut rows));
        }
    }
    (rows, others)
}

/// Pairs, lists, namespaces.
fn control(sizes: &Sizes, with_host: bool, rows: &mut Rows) {
    const HOST: &str = "the host's kernel";
    let theirs = with_host.then(|| or_say("pairs", host::control::pairs(sizes.pairs))).flatten();
    let mut machine = Machine::new();
    // Prepared beforehand, as they are for the host.
    let requests = pair_requests(0, sizes.pairs);
    let ours = timed(sizes.pairs as usize, || machine.send(&requests));
    let what = format!("one of {} veth pairs, by netlink", thousands(sizes.pairs.into()));
    rows.add(&what, "≥ 75 ×", ours, HOST, theirs.map(|theirs| theirs.0));
    machine.dump_links();
    let links = 2 * u64::from(sizes.pairs) + 2;
    let ours = timed(links as usize, || assert!(black_box(machine.dump_links()) > 0));
    rows.add(
        &format!("one link in a list of {}", thousands(links)),
        "≥ 4 ×",
        ours,
        HOST,
        theirs.map(|theirs| theirs.1),
    );
    drop(machine);
    let theirs = with_host.then(|| or_say("namespaces", host::control::namespaces(sizes.namespaces))).flatten();
    let mut machine = Machine::new();
    let ours = timed(sizes.namespaces as usize, || machine.make_namespaces(sizes.namespaces));
    let what = format!("one of {} namespaces with a cable to a bridge", thousands(sizes.namespaces.into()));
    rows.add(&what, "≥ 75 ×", ours, HOST, theirs);
}

/// Whole programs.
fn processes(sizes: &Sizes, netloom: &Netloom, with_host: bool, rows: &mut Rows) -> io::Result<()> {
    const EMPTY: &str = "netloom run, an empty script";
    let ours = netloom.empty_script()?;
    rows.add(EMPTY, "≤ 5 ms more", ours, "bash", Some(programs::bash()?));
    if with_host {
        rows.add(EMPTY, "≤ 5 ms more", ours, "unshare -n bash", Some(programs::unshared_bash()?));
    }
    let alone = netloom.quiet_pair(sizes.pings)?;
    let theirs = with_host.then(|| or_say("ping", programs::real_ping("10.0.0.2", sizes.pings))).flatten();
    rows.add("ping -A, one process, through a bridge", "≥ 1 ×", alone.each, "ping, the host's kernel", theirs);
    let beside = netloom.pair_beside_storm(sizes.pings)?;
    rows.add("the same beside a storm", "≥ 0.5 ×", beside.each, "without the storm", Some(alone.each));
    let memory = |pinged: &programs::Pinged| pinged.memory.iter().map(|bytes| bytes / 1024).collect::<Vec<_>>();
    eprintln!("memory of the machine, KiB: {:?}, beside a storm {:?}", memory(&alone), memory(&beside));
    Ok(())
}

/// What a program prints, without the white space around it.
pub(crate) fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).trim().to_owned()
}

pub(crate) fn machine() -> String {
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

fn curve(text: &mut String, what: &str, each: &str, curve: &Curve, show: impl Fn(f64) -> String) {
    let counts: Vec<String> = curve.iter().map(|(count, _)| thousands(u64::from(*count))).collect();
    let values: Vec<String> = curve.iter().map(|(_, value)| show(*value)).collect();
    let _ = writeln!(text, "\n| {what} | {} |", counts.join(" | "));
    let _ = writeln!(text, "|---{}|", "|---".repeat(curve.len()));
    let _ = writeln!(text, "| {each} | {} |", values.join(" | "));
}

fn growth_tables(growth: &Growth) -> String {
    let mut text = String::new();
    curve(&mut text, "ports (1,024 flows, 2,048 addresses)", "64-byte frame", &growth.ports, duration);
    curve(&mut text, "flows (64 ports, as many addresses)", "64-byte frame", &growth.flows, duration);
    curve(&mut text, "veth pairs", "one of them", &growth.pairs, duration);
    curve(&mut text, "veth pairs, both ends up", "one of them", &growth.live_pairs, duration);
    curve(&mut text, "ports of a bridge, a namespace behind each", "one of them", &growth.members, duration);
    curve(&mut text, "veth pairs in a list of links", "one link", &growth.links, duration);
    let bytes = |bytes: f64| format!("{} B", thousands(bytes as u64));
    curve(&mut text, "namespaces", "one of them, idle", &growth.namespaces, bytes);
    text
}

fn plots(growth: &Growth) -> Result<(), String> {
    let rate = |curve: &Curve| curve.iter().map(|(count, each)| (*count, 1e3 / each)).collect::<Curve>();
    plot::write(
        Path::new("docs/performance-frames.svg"),
        "64-byte frames through a bridge, socket to socket, one processor",
        ("ports, or flows", "million frames a second"),
        &[("against ports: 1,024 flows", rate(&growth.ports)), ("against flows: 64 ports", rate(&growth.flows))],
        Upwards::Evenly,
    )?;
    let total = |(count, each): &(u32, f64)| (*count, each * f64::from(*count) / 1024.0);
    plot::write(
        Path::new("docs/performance-memory.svg"),
        "Memory of idle namespaces, each with its lo",
        ("namespaces", "KiB"),
        &[("netloom", growth.namespaces.iter().map(total).collect())],
        Upwards::ByPowers,
    )
}

/// Measures everything; prints it if `quick`, else writes it between the marks in `docs/PERFORMANCE.md`, and the plots beside it.
pub(crate) fn write(quick: bool) -> io::Result<()> {
    const BEGIN: &str = "<!-- cargo xtask bench -->\n";
    const END: &str = "<!-- end -->\n";
    let machine = machine();
    let memory = memory::figures();
    eprintln!("growth");
    let growth = growth::measure(quick);
    if !quick {
        plots(&growth).map_err(io::Error::other)?;
    }
    let (rows, peers) = measure(if quick { &QUICK } else { &WHOLE });

    let mut text = format!("{machine}\n\n{}", rows.table());
    text.push_str("\n| idle | bytes | target |\n|---|---|---|\n");
    for ((what, bytes), target) in memory.iter().zip([2_048, 4_096, 32]) {
        let _ = writeln!(text, "| {what} | {bytes:.0} | ≤ {target} |");
    }
    if !peers.0.is_empty() {
        text.push_str(
            "\n| 64-byte frame through another switch | median | netloom is so many times as fast |\n|---|---|---|\n",
        );
        for peer in &peers.0 {
            let ratios: Vec<f64> = peer.ours.iter().zip(&peer.theirs).map(|(theirs, ours)| theirs / ours).collect();
            let (ratio, low, high) = spread(&ratios);
            let median = duration(spread(&peer.ours).0);
            let _ = writeln!(text, "| {} | {median} | **{ratio:.2}** [{low:.2} .. {high:.2}] |", peer.what);
        }
    }
    text.push_str(&growth_tables(&growth));
    if quick {
        println!("{text}");
        return Ok(());
    }
    put(BEGIN, END, &text)
}

/// Puts tables between two marks of `docs/PERFORMANCE.md`.
pub(crate) fn put(begin: &str, end: &str, text: &str) -> io::Result<()> {
    const PATH: &str = "docs/PERFORMANCE.md";
    let page = fs::read_to_string(PATH)?;
    let whole = page.split_once(begin).and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
    let (before, after) = whole.ok_or_else(|| io::Error::other(format!("{PATH} has no place for the tables")))?;
    fs::write(PATH, format!("{before}{begin}{text}{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([7, 1_000, 65_536, 1_002_003].map(thousands), ["7", "1,000", "65,536", "1,002,003"]);
    }

    #[test]
    fn a_spread_is_median_least_and_most() {
        assert_eq!(spread(&[3.0, 9.0, 1.0]), (3.0, 1.0, 9.0));
    }
}
