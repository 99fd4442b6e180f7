//! Recording: runs a scenario's commands by `bash -c`, one after the other, where the caller is.
//!
//! The same recorder serves both kernels: which machine answers is in the environment
//! ([`netloom_machine::MACHINE_VARIABLE`]), as it is for the commands themselves.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use netloom_machine::{KernelLog, Machine};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::transcript::quote;

/// How long one command may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a command in the background is given to start.
const START: Duration = Duration::from_millis(400);

struct Background {
    child: Child,
    out: File,
    err: File,
}

/// Runs the scenario and gives its transcript.
pub fn record(scenario: &str) -> io::Result<String> {
    let machine = Machine::from_env()?;
    let mut log = machine.kernel_log()?;
    drain(&mut log)?;
    let mut recorded: Vec<String> = Vec::new();
    let mut background: HashMap<String, Background> = HashMap::new();
    for line in scenario.lines() {
        if line.trim().is_empty() {
            continue;
        }
        if line.starts_with('#') {
            recorded.push(line.to_owned());
        } else if let Some(seconds) = line.strip_prefix('~') {
            recorded.push(line.to_owned());
            sleep(seconds_of(seconds));
            recorded.extend(drain(&mut log)?);
        } else if let Some(command) = line.strip_prefix('!') {
            run(command.trim())?;
            drain(&mut log)?;
        } else if let Some(rest) = line.strip_prefix('&') {
            let (name, command) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            background.insert(name.to_owned(), start(command)?);
            recorded.push(format!("& {name} {command}"));
            sleep(START);
            recorded.extend(drain(&mut log)?);
        } else if let Some(rest) = line.strip_prefix('@') {
            let by_itself = rest.starts_with('@');
            let mut words = rest.trim_start_matches('@').split_whitespace();
            let name = words.next().unwrap_or_default();
            let Some(running) = background.remove(name) else { continue };
            if !by_itself {
                sleep(seconds_of(words.next().unwrap_or("0")));
                kill_group(&running.child, Signal::INT);
            }
            recorded.push(format!("@ {name}"));
            recorded.extend(end(running)?);
            let status = recorded.pop();
            recorded.extend(drain(&mut log)?);
            recorded.extend(status);
        } else {
            recorded.push(format!("$ {line}"));
            let (out, err, status) = run(line)?;
            recorded.extend(quote(">", &out));
            recorded.extend(quote("2>", &err));
            recorded.extend(drain(&mut log)?);
            recorded.push(format!("={}", code(status)));
        }
    }
    for (_, mut running) in background {
        kill_group(&running.child, Signal::KILL);
        running.child.wait()?;
    }
    recorded.push(String::new());
    Ok(recorded.join("\n"))
}

fn seconds_of(text: &str) -> Duration {
    Duration::try_from_secs_f64(text.trim().parse().unwrap_or(0.0)).unwrap_or_default()
}

/// A negative signal number, or the exit status.
fn code(status: ExitStatus) -> i32 {
    status.signal().map_or_else(|| status.code().unwrap_or(-1), |signal| -signal)
}

fn bash(command: &str) -> Command {
    let mut bash = Command::new("bash");
    bash.args(["-c", command]).stdin(Stdio::null());
    bash.env("LC_ALL", "C").env("LANG", "C").env("COLUMNS", "200").env_remove("COLORTERM");
    bash
}

/// Output goes to files: a command that leaves something running behind does not hold the recorder up.
fn capture() -> io::Result<File> {
    tempfile::tempfile()
}

fn content(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn start(command: &str) -> io::Result<Background> {
    let compound = command.contains(['|', ';', '&']);
    let command = if compound { command.to_owned() } else { format!("exec {command}") };
    let (out, err) = (capture()?, capture()?);
    let child = bash(&command).stdout(out.try_clone()?).stderr(err.try_clone()?).process_group(0).spawn()?;
    Ok(Background { child, out, err })
}

fn end(mut running: Background) -> io::Result<Vec<String>> {
    let status = wait(&mut running.child, Duration::from_secs(30))?;
    let mut lines = quote(">", &content(&mut running.out)?);
    lines.extend(quote("2>", &content(&mut running.err)?));
    lines.push(format!("={}", code(status)));
    Ok(lines)
}

fn run(command: &str) -> io::Result<(Vec<u8>, Vec<u8>, ExitStatus)> {
    let (mut out, mut err) = (capture()?, capture()?);
    let mut child = bash(command).stdout(out.try_clone()?).stderr(err.try_clone()?).spawn()?;
    let status = wait(&mut child, PATIENCE)?;
    Ok((content(&mut out)?, content(&mut err)?, status))
}

fn wait(child: &mut Child, patience: Duration) -> io::Result<ExitStatus> {
    let started = Instant::now();
    let mut pause = Duration::from_micros(200);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if started.elapsed() > patience {
            child.kill()?;
            return child.wait();
        }
        sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

/// The child leads a group of its own.
fn kill_group(child: &Child, signal: Signal) {
    let _ = kill_process_group(Pid::from_child(child), signal);
}

fn drain(log: &mut KernelLog) -> io::Result<Vec<String>> {
    let mut lines = Vec::new();
    while let Some(record) = log.read()? {
        lines.push(format!("k>{}", record.text));
    }
    Ok(lines)
}
