//! Records a script command by command, inside of a machine: what each printed, how it ended, what the kernel logged.
//!
//! bash itself runs the script. Before each command its DEBUG trap says which one comes and how the last one ended, and
//! waits until this process has looked at what has been printed and logged up to then.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use clap::Args;
use miette::{IntoDiagnostic, Result};
use netloom_machine::{KernelLog, Machine};
use netloom_transcript::transcript::quote;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::captures::Captures;

/// The transcript's file, in the recorder's folder.
pub(crate) const TRANSCRIPT: &str = "transcript";
/// Stands in a transcript that has nothing of the kernel log.
pub(crate) const NO_LOG: &str = "#! without the kernel log\n";

/// How often the end of the script is looked for.
const PAUSE: Duration = Duration::from_millis(5);

/// Read by bash before the script.
const TRAP: &str = r#"unset BASH_ENV
exec {NETLOOM_STEP}>"$NETLOOM_RECORDER/step" {NETLOOM_GO}<"$NETLOOM_RECORDER/go"
unset NETLOOM_RECORDER
netloom_step() { local REPLY; printf '%s %s\0' "$1" "$2" >&"$NETLOOM_STEP"; read -r -u "$NETLOOM_GO"; }
trap 'netloom_step "$?" "$BASH_COMMAND"' DEBUG
"#;

#[derive(Debug, Args)]
pub(crate) struct Record {
    /// Frames are captured, too.
    #[arg(long)]
    capture: bool,
    /// Where the transcript goes.
    folder: PathBuf,
    /// The script and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    script: Vec<OsString>,
}

impl Record {
    pub(crate) fn record(&self) -> Result<u8> {
        let transcript = self.transcript().into_diagnostic()?;
        fs::write(self.folder.join(TRANSCRIPT), transcript).into_diagnostic()?;
        Ok(0)
    }

    fn transcript(&self) -> io::Result<String> {
        let (out, err) = (Captured::new(&self.folder.join("out"))?, Captured::new(&self.folder.join("err"))?);
        let (steps, mut go) = (fifo(&self.folder.join("step"))?, fifo(&self.folder.join("go"))?);
        let trap = self.folder.join("trap");
        fs::write(&trap, TRAP)?;
        let mut bash = Command::new("bash");
        bash.arg("--")
            .args(&self.script)
            .stdin(Stdio::null())
            .stdout(out.file.try_clone()?)
            .stderr(err.file.try_clone()?);
        bash.env("BASH_ENV", trap).env("NETLOOM_RECORDER", &self.folder);
        bash.env("LC_ALL", "C").env("COLUMNS", "200").env_remove("COLORTERM");
        let captures = self.capture.then(|| Captures::start(&self.folder)).transpose()?;
        let mut recorder = Recorder { lines: Vec::new(), begun: false, out, err, captures, log: log() };
        if recorder.log.is_none() {
            recorder.lines.push(NO_LOG.trim_end().to_owned());
        }
        recorder.log_lines()?;
        let mut child = bash.spawn()?;
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || read_steps(steps, &sender));
        loop {
            match receiver.recv_timeout(PAUSE) {
                Ok((status, command)) => {
                    recorder.step(status, &command)?;
                    go.write_all(b"\n")?;
                }
                Err(RecvTimeoutError::Timeout) => {
                    recorder.follow()?;
                    if let Some(status) = child.try_wait()? {
                        let signal = || status.signal().map_or(-1, |signal| 128 + signal);
                        recorder.end_step(status.code().unwrap_or_else(signal))?;
                        break;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return Err(io::ErrorKind::BrokenPipe.into()),
            }
        }
        if let Some(captures) = recorder.captures.take() {
            recorder.lines.extend(captures.finish()?);
        }
        recorder.lines.push(String::new());
        Ok(recorder.lines.join("\n"))
    }
}

/// A named pipe, open at both ends, so that neither opening nor reading depends on the other side.
fn fifo(path: &Path) -> io::Result<File> {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
    OpenOptions::new().read(true).write(true).open(path)
}

/// `STATUS COMMAND`, each with a zero at its end.
fn read_steps(steps: File, sender: &mpsc::Sender<(i32, String)>) {
    let mut steps = BufReader::new(steps);
    loop {
        let mut step = Vec::new();
        if steps.read_until(0, &mut step).is_err() {
            return;
        }
        step.pop();
        let step = String::from_utf8_lossy(&step).into_owned();
        let (status, command) = step.split_once(' ').unwrap_or(("", &step));
        if sender.send((status.parse().unwrap_or(-1), command.to_owned())).is_err() {
            return;
        }
    }
}

/// What a program prints, in a file.
struct Captured {
    file: File,
    read: u64,
}

impl Captured {
    fn new(path: &Path) -> io::Result<Captured> {
        Ok(Captured { file: OpenOptions::new().create_new(true).read(true).append(true).open(path)?, read: 0 })
    }

    /// What has come since the last time.
    fn new_bytes(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(self.read))?;
        self.file.read_to_end(&mut bytes)?;
        self.read += bytes.len() as u64;
        Ok(bytes)
    }
}

fn log() -> Option<KernelLog> {
    Machine::from_env().and_then(|machine| machine.kernel_log()).ok()
}

struct Recorder {
    lines: Vec<String>,
    begun: bool,
    out: Captured,
    err: Captured,
    captures: Option<Captures>,
    log: Option<KernelLog>,
}

impl Recorder {
    /// The next command comes, after the last one ended.
    fn step(&mut self, status: i32, command: &str) -> io::Result<()> {
        self.end_step(status)?;
        self.begun = true;
        self.lines.push(format!("$ {}", command.replace('\n', " ")));
        Ok(())
    }

    fn follow(&mut self) -> io::Result<()> {
        self.captures.as_mut().map_or(Ok(0), Captures::follow).map(|_| ())
    }

    fn end_step(&mut self, status: i32) -> io::Result<()> {
        self.follow()?;
        let (out, err, log) = (self.out.new_bytes()?, self.err.new_bytes()?, self.log_lines()?);
        if !self.begun {
            // bash itself says what is wrong with the script.
            self.lines.push("$ (the script)".to_owned());
        }
        self.lines.extend(quote(">", &out));
        self.lines.extend(quote("2>", &err));
        self.lines.extend(log);
        self.lines.push(format!("={status}"));
        Ok(())
    }

    fn log_lines(&mut self) -> io::Result<Vec<String>> {
        let mut lines = Vec::new();
        while let Some(record) = self.log.as_mut().map_or(Ok(None), KernelLog::read)? {
            if record.facility == 0 {
                lines.push(format!("k>{}", record.text));
            }
        }
        Ok(lines)
    }
}
