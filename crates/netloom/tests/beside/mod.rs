//! Runs an applet and the real tool on the same host network, which nothing else can see, and compares them.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A network and mount namespace of its own, with the named namespace `far`, and a folder of applets.
pub(crate) struct Host {
    keeper: Child,
    applets: PathBuf,
}

impl Host {
    /// `None`, and a line that says why, where the machine doesn't allow a namespace or lacks one of the tools.
    pub(crate) fn new(name: &str, tools: &[&str]) -> Option<Host> {
        for tool in tools.iter().chain(&["unshare", "nsenter", "ip"]) {
            if !installed(tool) {
                println!("skipped: {tool} is not installed");
                return None;
            }
        }
        let applets = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&applets);
        std::fs::create_dir_all(&applets).expect("a folder for the applets");
        for tool in tools {
            symlink(env!("CARGO_BIN_EXE_netloom"), applets.join(tool)).expect("a link to the binary");
        }
        let script = "mkdir -p /run/netns && mount -t tmpfs none /run/netns && mount -t sysfs none /sys && \
                      ip netns add far && echo ready && exec sleep 600";
        let mut keeper = Command::new("unshare")
            .args(["--net", "--mount", "--propagation", "private", "sh", "-c", script])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("unshare runs");
        let mut ready = [0; 6];
        let pipe = keeper.stdout.as_mut().expect("piped");
        if std::io::Read::read_exact(pipe, &mut ready).is_err() {
            let _ = keeper.wait();
            println!("skipped: no namespace without root");
            return None;
        }
        Some(Host { keeper, applets })
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.keeper.id().to_string(), "-n", "-m", "sh", "-c", line]);
        command.env("LC_ALL", "C").env_remove("NETLOOM_MACHINE");
        command
    }

    /// Commands of the real tools that must succeed.
    pub(crate) fn setup(&self, script: &str) {
        let output = self.command(&format!("set -e\n{script}")).output().expect("nsenter runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Runs both with the same arguments; they must say the same.
    pub(crate) fn compare(&self, tool: &str, line: &str) {
        self.compare_script(tool, &format!("exec $TOOL {line}"));
    }

    /// Runs a script with both, in which `$TOOL` is the tool; it must say the same.
    pub(crate) fn compare_script(&self, tool: &str, script: &str) {
        let run =
            |path: &str| transcript(&self.command(&format!("TOOL={path}\n{script}")).output().expect("nsenter runs"));
        let real = run(tool);
        let ours = run(&format!("{}/{tool}", self.applets.display()));
        assert_same(&ours, &real, script);
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

fn installed(tool: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(tool).is_file()))
}

/// Output, errors and exit status, without what differs from run to run.
fn transcript(output: &Output) -> String {
    let mut text = String::new();
    for (prefix, stream) in [(">", &output.stdout), ("2>", &output.stderr)] {
        for line in String::from_utf8_lossy(stream).lines() {
            text.push_str(&format!("{prefix}{}\n", steady(line)));
        }
    }
    text.push_str(&format!("={:?}\n", output.status.code()));
    text
}

/// Times become `T`.
fn steady(line: &str) -> String {
    let mut line = line.to_owned();
    for (before, after) in [("time=", " ms"), ("time ", "ms"), ("mdev = ", " ms"), ("ipg/ewma ", " ms"), ("]  ", "ms")]
    {
        if let Some(start) = line.find(before).map(|at| at + before.len())
            && let Some(length) = line[start..].find(after)
        {
            line.replace_range(start..start + length, "T");
        }
    }
    line
}

/// Fails with the first lines that differ.
fn assert_same(ours: &str, real: &str, what: &str) {
    let different = ours.lines().zip(real.lines()).position(|(ours, real)| ours != real);
    let at = different.unwrap_or_else(|| ours.lines().count().min(real.lines().count()));
    let near = |text: &str| text.lines().skip(at.saturating_sub(1)).take(4).collect::<Vec<_>>().join("\n");
    assert!(ours == real, "{what}, from line {at} on\nours:\n{}\nreal:\n{}", near(ours), near(real));
}
