//! Whole programs: how long `netloom run` takes to start, and what `ping` in a machine says.

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use std::{env, fs};

/// Two namespaces behind a bridge; the near one asks the far one, each request as soon as the reply to the last one is there.
const QUIET_PAIR: &str = "
set -e
ip netns add far
ip netns add near
ip link add br0 type bridge
ip link set br0 up
for end in near far; do
    ip link add p-$end type veth peer name eth0 netns $end
    ip link set p-$end master br0 up
    ip -n $end link set eth0 up
done
ip -n near address add 10.0.0.1/24 dev eth0
ip -n far address add 10.0.0.2/24 dev eth0
ip netns exec near ping -q -c 3 -i 0.01 10.0.0.2 > /dev/null
echo memory
ip netns exec near ping -q -A -w 20 -c COUNT 10.0.0.2
echo memory
";

/// Both ends of a cable in one bridge, and a broadcast that circles in it from then on.
const STORM: &str = "
ip link add storm type bridge
ip link add loop0 type veth peer name loop1
ip link set loop0 master storm up
ip link set loop1 master storm up
ip link set storm up
ip address add 10.9.9.1/24 dev storm
ping -q -c 1 -W 1 10.9.9.9 > /dev/null
";

/// The binary beside ours, as it is built now.
pub(crate) struct Netloom(PathBuf);

/// What a pair of namespaces has measured.
pub(crate) struct Pinged {
    /// Nanoseconds from one echo request to the next.
    pub(crate) each: f64,
    /// The machine's resident memory before and after, in bytes.
    pub(crate) memory: Vec<u64>,
}

fn script(text: &str) -> io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}

/// Milliseconds in `ping`'s summary between one request and the next, as nanoseconds.
fn interval(line: &str) -> Option<f64> {
    let milliseconds: f64 = line.split_once("ipg/ewma ")?.1.split('/').next()?.parse().ok()?;
    Some(milliseconds * 1e6)
}

fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or_default() * 1024
}

/// Nanoseconds for each of a few runs of a program; the median.
fn start(command: &mut Command) -> io::Result<f64> {
    // Cargo's list of directories, in each of which a program would look for each of its libraries.
    command.env_remove("LD_LIBRARY_PATH");
    let mut times = Vec::new();
    for _ in 0..9 {
        let start = Instant::now();
        let status = command.stdin(Stdio::null()).status()?;
        times.push(start.elapsed().as_nanos() as f64);
        if !status.success() {
            return Err(io::Error::other(format!("{command:?}: {status}")));
        }
    }
    Ok(crate::report::spread(&times).0)
}

impl Netloom {
    /// Has it built.
    pub(crate) fn build() -> io::Result<Netloom> {
        let status =
            Command::new(env!("CARGO")).args(["build", "--quiet", "--release", "--package", "netloom"]).status()?;
        let path = env::current_exe()?.with_file_name("netloom");
        if status.success() && path.exists() { Ok(Netloom(path)) } else { Err(io::Error::other("netloom isn't built")) }
    }

    /// Nanoseconds for an empty script in a fresh machine.
    pub(crate) fn empty_script(&self) -> io::Result<f64> {
        let script = script("")?;
        start(Command::new(&self.0).arg("run").arg(script.path()))
    }

    fn ping(&self, text: &str) -> io::Result<Pinged> {
        let script = script(text)?;
        let mut child = Command::new(&self.0).arg("run").arg(script.path()).stdout(Stdio::piped()).spawn()?;
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (mut each, mut memory) = (None, Vec::new());
        for line in output.lines() {
            match line? {
                line if line == "memory" => memory.push(resident(child.id())),
                line => each = each.or(interval(&line)),
            }
        }
        child.wait()?;
        let each = each.ok_or_else(|| io::Error::other("ping has no summary"))?;
        Ok(Pinged { each, memory })
    }

    /// Our ping through a bridge, alone.
    pub(crate) fn quiet_pair(&self, count: u32) -> io::Result<Pinged> {
        self.ping(&QUIET_PAIR.replace("COUNT", &count.to_string()))
    }

    /// The same beside a storm.
    pub(crate) fn pair_beside_storm(&self, count: u32) -> io::Result<Pinged> {
        self.ping(&format!("{STORM}{}", QUIET_PAIR.replace("COUNT", &count.to_string())))
    }
}

/// Nanoseconds for an empty script: bash's own.
pub(crate) fn bash() -> io::Result<f64> {
    let script = script("")?;
    start(Command::new("bash").arg(script.path()))
}

/// The same in a network namespace.
pub(crate) fn unshared_bash() -> io::Result<f64> {
    fn run(path: &Path) -> io::Result<f64> {
        start(Command::new("unshare").args(["-n", "bash"]).arg(path))
    }
    run(script("")?.path())
}

/// The real ping on the real kernel, in this process' namespace.
pub(crate) fn real_ping(address: &str, count: u32) -> io::Result<f64> {
    let output = Command::new("ping").args(["-q", "-A", "-c", &count.to_string(), address]).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().find_map(interval).ok_or_else(|| io::Error::other("ping has no summary"))
}
