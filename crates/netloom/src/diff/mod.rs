//! `netloom diff`: the same script on both kernels, and where they part.

mod captures;
pub(crate) mod recorder;

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use clap::Args;
use miette::{IntoDiagnostic, Result, WrapErr, bail, miette};
use netloom_machine::MACHINE_VARIABLE;
use netloom_transcript::compare::{Comparison, compare};
use netloom_transcript::normalise::normalise;

use crate::{program, run};

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Diff {
    /// Compare the frames on every device, too; with DIR, keep them there: KERNEL.pcap and KERNEL.NAMESPACE.pcap.
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    capture: Option<Option<PathBuf>>,
    /// The bash script.
    script: OsString,
    /// Its arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
    arguments: Vec<OsString>,
}

const AFTER_HELP: &str = "\
Each command that parts the kernels is shown with the lines that only the host's kernel gave (-) or only the embedded \
one (+): > output, 2> errors, k> kernel log, = exit status, and behind the last command f> frames, as \
tcpdump -n -e -v -i any shows them. What differs from run to run anyway, as times and random MAC addresses \
do, is not compared; of the host's kernel log, which takes root, only lines that name a device of the script are.

With --capture, frames are compared device by device, in order, in the machine's own namespace and in those with a name, from \
the end of the command that names it on. Left out is what a kernel sends by itself at moments of its own: duplicate address \
detection, router solicitations, MLD and IGMP reports, BPDUs. Of ARP and neighbour discovery counts who asked and who \
answered, not when and how often. What is random (MAC addresses, ids, flow labels) is not compared, nor are payloads.

The exit status is 0 where the kernels agree, 1 where they differ and 2 where the script could not be run on both.";

/// Exit statuses, as diff(1) has them.
const SAME: u8 = 0;
const DIFFERENT: u8 = 1;
const TROUBLE: u8 = 2;

impl Diff {
    pub(crate) fn diff(self, machine: Option<&str>) -> u8 {
        match self.compare(machine) {
            Ok(comparison) if comparison.differences.is_empty() => {
                println!("The kernels agree: {} lines of commands and what came of them are equal.", comparison.lines);
                SAME
            }
            Ok(comparison) => {
                print(&comparison);
                DIFFERENT
            }
            Err(report) => {
                eprintln!("{report:?}");
                TROUBLE
            }
        }
    }

    fn compare(&self, machine: Option<&str>) -> Result<Comparison> {
        if machine.is_some() || program::inherited().is_some() {
            bail!("both kernels are compared in fresh machines: outside of one, and without --machine");
        }
        run::readable(&self.script)?;
        let keep = self.capture.iter().flatten().next();
        if let Some(keep) = keep {
            writable(keep).wrap_err_with(|| format!("cannot keep captures in {}", keep.display()))?;
        }
        let folder = tempfile::tempdir().into_diagnostic().wrap_err("cannot make a temporary folder")?;
        let start = |name: &'static str, options: &'static [&'static str]| {
            Recording::start(name, options, &folder.path().join(name), self)
        };
        let (host, embedded) = (start("host", &["--host"])?, start("embedded", &[])?);
        let (host, embedded) = (host.finish(), embedded.finish());
        let (mut host, mut embedded) = (host?, embedded?);
        for (name, transcript) in [("host", &host), ("embedded", &embedded)] {
            for lost in transcript.lines().filter_map(|line| line.strip_prefix(captures::LOST)) {
                eprintln!("The {name} kernel had no room for {lost}.");
            }
            if let Some(keep) = keep {
                keep_captures(name, &folder.path().join(name).join(captures::FOLDER), keep)
                    .wrap_err_with(|| format!("cannot keep captures in {}", keep.display()))?;
            }
        }
        if host.contains(recorder::NO_LOG) {
            eprintln!("The kernel log is not compared: reading the host's takes root.");
            host = without_log(&host, |_| false);
            embedded = without_log(&embedded, |_| false);
        } else {
            let script = fs::read_to_string(&self.script).unwrap_or_default();
            host = without_log(&host, |line| names_a_device(line, &script));
            embedded = without_log(&embedded, |line| names_a_device(line, &script));
        }
        Ok(compare(&normalise(&host), &normalise(&embedded)))
    }
}

/// Makes the directory where there is none. Said before the script runs, not after.
fn writable(directory: &Path) -> Result<()> {
    match fs::create_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made.into_diagnostic()?,
    }
    tempfile::tempfile_in(directory).into_diagnostic()?;
    Ok(())
}

/// One file a namespace, named after the kernel and the namespace: `host.pcap`, `host.blue.pcap`.
fn keep_captures(kernel: &str, from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).into_diagnostic()? {
        let entry = entry.into_diagnostic()?;
        let mut name = OsString::from(format!("{kernel}."));
        name.push(entry.file_name());
        fs::copy(entry.path(), to.join(name)).into_diagnostic()?;
    }
    Ok(())
}

/// A script that is being recorded on one kernel.
struct Recording {
    name: &'static str,
    child: Child,
    transcript: std::path::PathBuf,
}

impl Recording {
    fn start(name: &'static str, options: &[&str], folder: &Path, diff: &Diff) -> Result<Recording> {
        fs::create_dir(folder).into_diagnostic().wrap_err("cannot fill the temporary folder")?;
        let start = folder.join("start");
        fs::write(&start, "exec netloom record \"$@\"\n")
            .into_diagnostic()
            .wrap_err("cannot fill the temporary folder")?;
        let mut command = Command::new(std::env::current_exe().into_diagnostic()?);
        command.arg("run").args(options).arg(start).args(diff.capture.as_ref().map(|_| "--capture"));
        command.arg(folder).arg(&diff.script).args(&diff.arguments);
        command.env_remove(MACHINE_VARIABLE).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let child = command.spawn().into_diagnostic()?;
        Ok(Recording { name, child, transcript: folder.join(recorder::TRANSCRIPT) })
    }

    fn finish(self) -> Result<String> {
        let output = self.child.wait_with_output().into_diagnostic()?;
        match fs::read_to_string(self.transcript) {
            Ok(transcript) if output.status.success() => Ok(transcript),
            _ => {
                let why = String::from_utf8_lossy(&output.stderr).trim().trim_start_matches('×').trim().to_owned();
                Err(miette!("cannot run the script on the {} kernel: {why}", self.name))
            }
        }
    }
}

/// The transcript without those lines of the kernel log that are not `wanted`.
fn without_log(transcript: &str, wanted: impl Fn(&str) -> bool) -> String {
    let kept = transcript.lines().filter(|line| line.strip_prefix("k>").is_none_or(&wanted));
    kept.map(|line| format!("{line}\n")).collect()
}

/// Whether a line of the kernel log names a device that a word of the script names, too: `br0: port 1(veth0) entered …`.
fn names_a_device(line: &str, script: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    let in_script = |word: &str| {
        script
            .match_indices(word)
            .any(|(at, _)| !script[..at].ends_with(is_part) && !script[at + word.len()..].starts_with(is_part))
    };
    // What stands before a colon or in brackets, and what follows the word "device".
    let words = line.split([' ', '(', ')']).filter(|word| !word.is_empty());
    let named = words.clone().filter_map(|word| word.strip_suffix(':'));
    let in_brackets = line.split('(').skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
    let devices = named.chain(in_brackets).chain(words.skip_while(|word| *word != "device").nth(1));
    devices.filter(|device| !device.is_empty()).any(in_script)
}

fn print(comparison: &Comparison) {
    println!("--- the host's kernel\n+++ the embedded kernel");
    let mut head = "";
    for difference in &comparison.differences {
        let own = difference.line.get(1..) == Some(difference.head.as_str());
        if difference.head != head && !own {
            println!("{}", difference.head);
        }
        head = &difference.head;
        println!("{}", difference.line);
    }
    println!("\n{} of the host's {} lines are equal.", comparison.equal, comparison.lines);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernel_log_that_name_the_script_s_devices_count() {
        let script = "ip link add veth0 type veth; brctl addif br0 veth0";
        for line in [
            "br0: port 1(veth0) entered blocking state",
            "veth0: entered promiscuous mode",
            "device veth0 entered promiscuous mode",
            "IPv6: ADDRCONF(NETDEV_CHANGE): veth0: link becomes ready",
        ] {
            assert!(names_a_device(line, script), "{line}");
        }
        for line in [
            "docker0: port 1(vethab12) entered blocking state",
            "audit: type=1400",
            "veth01: x",
            "x0: port 1(y) left",
            "0: x",
            "x0: f() y",
        ] {
            assert!(!names_a_device(line, script), "{line}");
        }
    }
}
