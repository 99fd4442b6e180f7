//! `nstat`: the kernel's SNMP counters, and how much they grew since it was last asked.

use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;

use crate::getopt_long::{Found, Long, long, long_value, parse};
use crate::{Context, wildcard};

const USAGE: &str = "Usage: nstat [OPTION] [ PATTERN [ PATTERN ] ]
   -h, --help          this message
   -a, --ignore        ignore history
   -d, --scan=SECS     sample every statistics every SECS
   -j, --json          format output in JSON
   -n, --nooutput      do history only
   -p, --pretty        pretty print
   -r, --reset         reset history
   -s, --noupdate      don't update history
   -t, --interval=SECS report average over the last SECS
   -V, --version       output version information
   -z, --zeros         show entries with zero activity
";

const LONG: [Long; 11] = [
    long("help", 'h'),
    long("ignore", 'a'),
    long_value("scan", 'd'),
    long("nooutput", 'n'),
    long("json", 'j'),
    long("reset", 'r'),
    long("noupdate", 's'),
    long("pretty", 'p'),
    long_value("interval", 't'),
    long("version", 'V'),
    long("zeros", 'z'),
];

/// What a counter is not: settings and gauges among the counters.
const NO_COUNTERS: [&str; 7] =
    ["IpForwarding", "IpDefaultTTL", "TcpRtoAlgorithm", "TcpRtoMin", "TcpRtoMax", "TcpMaxConn", "TcpCurrEstab"];

#[derive(Default)]
struct Options {
    ignore_history: bool,
    no_output: bool,
    no_update: bool,
    reset: bool,
    zeros: bool,
    json: bool,
    pretty: bool,
}

struct Counter {
    name: String,
    value: u64,
}

pub(crate) fn run(context: &mut Context<'_>, arguments: &[String]) -> i32 {
    match main(context, arguments) {
        Ok(status) => status,
        Err(error) => {
            let _ = writeln!(context.err, "nstat: {error}");
            1
        }
    }
}

fn main(context: &mut Context<'_>, arguments: &[String]) -> io::Result<i32> {
    let (found, patterns) = parse(arguments, "h?vVzrnasd:t:jp", &LONG);
    let mut options = Options::default();
    for option in found {
        match option {
            Found::Option('a', _) => options.ignore_history = true,
            Found::Option('n', _) => options.no_output = true,
            Found::Option('s', _) => options.no_update = true,
            Found::Option('r', _) => options.reset = true,
            Found::Option('z', _) => options.zeros = true,
            Found::Option('j', _) => options.json = true,
            Found::Option('p', _) => options.pretty = true,
            Found::Option('t', _) => {}
            Found::Option('v' | 'V', _) => {
                writeln!(context.out, "nstat utility, iproute2-6.1.0")?;
                return Ok(0);
            }
            Found::Option('d', _) => {
                writeln!(context.err, "nstat: there is no background sampling")?;
                return Ok(1);
            }
            other => {
                if let Found::Wrong(complaint) = other {
                    writeln!(context.err, "nstat: {complaint}")?;
                }
                context.err.write_all(USAGE.as_bytes())?;
                return Ok(255);
            }
        }
    }
    let counters = read(context);
    let mut history = History::open();
    let before = if options.ignore_history || options.reset { Vec::new() } else { history.read() };
    if !options.no_output {
        let shown: Vec<Counter> = counters
            .iter()
            .filter(|counter| matches_any(&patterns, &counter.name))
            .map(|counter| {
                let old = before.iter().find(|old| old.name == counter.name).map_or(0, |old| old.value);
                Counter { name: counter.name.clone(), value: counter.value.saturating_sub(old) }
            })
            .filter(|counter| options.zeros || counter.value != 0)
            .collect();
        show(context.out, &options, &shown)?;
    }
    if !options.no_update {
        history.write(&counters);
    }
    Ok(0)
}

fn matches_any(patterns: &[String], name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    patterns.is_empty() || patterns.iter().any(|pattern| wildcard::matches(&pattern.to_ascii_lowercase(), &name))
}

fn show(out: &mut dyn Write, options: &Options, counters: &[Counter]) -> io::Result<()> {
    if options.json {
        let values: serde_json::Map<_, _> =
            counters.iter().map(|counter| (counter.name.clone(), counter.value.into())).collect();
        let document = serde_json::json!({ "kernel": values });
        if options.pretty {
            let mut text = Vec::new();
            let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
            let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
            serde::Serialize::serialize(&document, &mut serializer)?;
            out.write_all(&text)?;
            return writeln!(out);
        }
        return writeln!(out, "{document}");
    }
    text(out, counters)
}

/// The listing, which is also the history file's format. Averages are those of a sampling process: none.
fn text(out: &mut dyn Write, counters: &[Counter]) -> io::Result<()> {
    writeln!(out, "#kernel")?;
    for counter in counters {
        writeln!(out, "{:<32}{:<16}{:>6.1}", counter.name, counter.value, 0.0)?;
    }
    Ok(())
}

/// Every counter of `/proc/net`, in the kernel's order.
fn read(context: &Context<'_>) -> Vec<Counter> {
    let file = |name: &str| {
        let bytes = context.machine.read_file(&context.netns, &format!("/proc/net/{name}")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let mut counters = columns(&file("snmp"));
    counters.extend(rows(&file("snmp6")));
    counters.extend(columns(&file("netstat")));
    counters.extend(rows(&file("sctp/snmp")));
    counters.retain(|counter| !NO_COUNTERS.contains(&counter.name.as_str()));
    counters
}

/// Pairs of lines: `Ip: NAME NAME…`, `Ip: NUMBER NUMBER…`.
fn columns(text: &str) -> Vec<Counter> {
    let lines: Vec<&str> = text.lines().collect();
    let mut counters = Vec::new();
    for pair in lines.chunks_exact(2) {
        let mut names = pair[0].split_whitespace();
        let mut values = pair[1].split_whitespace();
        let prefix = names.next().unwrap_or_default();
        if values.next() != Some(prefix) {
            continue;
        }
        let prefix = prefix.trim_end_matches(':');
        counters.extend(names.zip(values).map(|(name, value)| Counter {
            name: format!("{prefix}{name}"),
            // Some are negative: -1 for no limit.
            value: value.parse::<u64>().or_else(|_| value.parse::<i64>().map(|value| value as u64)).unwrap_or(0),
        }));
    }
    counters
}

/// A name and a number a line.
fn rows(text: &str) -> Vec<Counter> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some(Counter { name: words.next()?.to_owned(), value: words.next()?.parse().ok()? })
        })
        .collect()
}

/// The counters of the last time, in a file of the user's own.
struct History(Option<std::fs::File>);

impl History {
    fn open() -> History {
        let path = std::env::var_os("NSTAT_HISTORY").unwrap_or_else(|| {
            use std::os::unix::fs::MetadataExt;
            let user = std::fs::metadata("/proc/self").map_or(0, |metadata| metadata.uid());
            format!("/tmp/.nstat.u{user}").into()
        });
        let mut options = std::fs::OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(libc::O_NOFOLLOW);
        History(options.open(path).ok())
    }

    fn read(&mut self) -> Vec<Counter> {
        let mut text = String::new();
        let Some(file) = &mut self.0 else { return Vec::new() };
        if file.read_to_string(&mut text).is_err() {
            return Vec::new();
        }
        rows(&text)
    }

    /// A history that can't be kept is none: that is no failure.
    fn write(&mut self, counters: &[Counter]) {
        let Some(file) = &mut self.0 else { return };
        let kept: Vec<Counter> = counters
            .iter()
            .filter(|counter| counter.value != 0)
            .map(|counter| Counter { name: counter.name.clone(), value: counter.value })
            .collect();
        let mut bytes = Vec::new();
        let _ = text(&mut bytes, &kept);
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(&bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::{columns, rows};

    #[test]
    fn counters_are_named_after_their_protocol() {
        let counters = columns("Ip: Forwarding InReceives\nIp: 1 22\nTcp: MaxConn\nTcp: -1\nodd\n");
        let names: Vec<&str> = counters.iter().map(|counter| counter.name.as_str()).collect();
        assert_eq!(names, ["IpForwarding", "IpInReceives", "TcpMaxConn"]);
        assert_eq!(counters[1].value, 22);
        assert_eq!(rows("Ip6InReceives \t 7\nbad\n")[0].value, 7);
    }
}
