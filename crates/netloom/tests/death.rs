//! Whoever is killed: no process, no directory, no socket is left.

mod common;

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use common::{Place, alive, eventually, parent};

struct Victims {
    machine: Child,
    guard: u32,
    script: u32,
    stragglers: Vec<u32>,
    place: Place,
}

/// A script with processes in the background, in sessions of their own, and orphaned.
fn start() -> Victims {
    let place = Place::new();
    let pids: PathBuf = place.path().join("pids");
    let text = format!(
        "sleep 1000 & a=$!\nsetsid sleep 1000 & b=$!\n(setsid sleep 1000 & echo $! > {0}.c)\nsleep 1000 & d=$!\necho $$ $a $b $(cat {0}.c) $d > {0}.new\nmv {0}.new {0}\nwait\n",
        pids.display()
    );
    let script = place.file("script.sh", &text);
    let machine = place.netloom().arg("run").arg(script).stderr(Stdio::null()).spawn().expect("the binary starts");
    eventually("the script has started", || pids.exists());
    let pids: Vec<u32> = fs::read_to_string(&pids)
        .expect("just written")
        .split_whitespace()
        .map(|pid| pid.parse().expect("a number"))
        .collect();
    let guard = parent(pids[0]);
    assert_eq!(parent(guard), machine.id());
    Victims { machine, guard, script: pids[0], stragglers: pids[1..].to_vec(), place }
}

fn kill(pid: u32) {
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().expect("kill runs").success());
}

impl Victims {
    fn expect_nothing_left(&mut self, status: Option<i32>) {
        assert_eq!(self.machine.wait().expect("our child").code(), status);
        for pid in [self.guard, self.script].iter().chain(&self.stragglers) {
            eventually("every process is gone", || !alive(*pid));
        }
        eventually("the directory is gone", || self.place.leftovers().is_empty());
    }
}

#[test]
fn the_machine_is_killed() {
    let mut victims = start();
    kill(victims.machine.id());
    victims.expect_nothing_left(None);
}

#[test]
fn the_guard_is_killed() {
    let mut victims = start();
    kill(victims.guard);
    victims.expect_nothing_left(Some(1));
}

#[test]
fn the_script_is_killed() {
    let mut victims = start();
    kill(victims.script);
    victims.expect_nothing_left(Some(137));
}

#[test]
fn a_signal_to_the_machine_reaches_the_script() {
    let mut victims = start();
    assert!(Command::new("kill").arg(victims.machine.id().to_string()).status().expect("kill runs").success());
    victims.expect_nothing_left(Some(143));
}

#[test]
fn machine_and_guard_are_killed_and_the_next_one_sweeps() {
    let victims = loop {
        let mut victims = start();
        // The guard is stopped, so that it can't do its work, until the kernel has it go on, as the last of its session.
        Command::new("kill").args(["-STOP", &victims.guard.to_string()]).status().expect("kill runs");
        let both = [victims.machine.id(), victims.guard].map(|pid| pid.to_string());
        assert!(Command::new("kill").arg("-9").args(both).status().expect("kill runs").success());
        victims.machine.wait().expect("our child");
        eventually("the guard is gone", || !alive(victims.guard));
        if victims.place.leftovers().len() == 1 {
            break victims;
        }
        // It has had the time.
        victims.expect_nothing_left(None);
    };
    assert_eq!(victims.place.run(&["exec", "true"]).status.code(), Some(0));
    assert!(victims.place.leftovers().is_empty());
    for pid in [victims.script].iter().chain(&victims.stragglers) {
        if alive(*pid) {
            kill(*pid);
        }
    }
}

#[test]
fn stragglers_end_with_the_script() {
    let place = Place::new();
    let (output, status) =
        place.script("sleep 1000 > /dev/null 2>&1 & echo $!; (setsid sleep 1000 > /dev/null 2>&1 & echo $!)");
    assert_eq!(status, Some(0));
    for pid in output.lines() {
        assert!(!alive(pid.parse().expect("a number")), "{output}");
    }
    assert_eq!(output.lines().count(), 2);
}

#[test]
fn a_named_machine_that_was_killed_is_no_machine() {
    let place = Place::new();
    assert_eq!(place.run(&["up", "m"]).status.code(), Some(0));
    let directory = place.path().join("netloom/m");
    let machine = netloom_machine::EmbeddedMachine::connect(directory.join("socket")).expect("it listens");
    let (name, pid) = machine.identify().expect("it answers");
    assert_eq!(name, "m");
    kill(pid);
    eventually("the directory is gone", || !directory.exists());
    let output = place.run(&["-m", "m", "exec", "true"]);
    assert!(common::text(&output.stderr).contains("no machine named m is running"));
    assert_eq!(place.run(&["up", "m"]).status.code(), Some(0));
}
