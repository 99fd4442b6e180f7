//! `netloom run` and `netloom exec`: what a script is given, and what it gives back.

mod common;

use std::io::Write;
use std::process::Stdio;

use common::{NETLOOM, Place, text};

#[test]
fn a_script_has_its_name_its_arguments_and_its_standard_input() {
    let place = Place::new();
    let script = place.file("script.sh", "echo \"$0|$1|$2|$#\"; read line; echo \"$line\"; exit 3");
    let mut child = place
        .netloom()
        .args(["run", script.to_str().expect("text"), "-x", "two words"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    child.stdin.take().expect("piped").write_all(b"hello\n").expect("the script reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(text(&output.stdout), format!("{}|-x|two words|2\nhello\n", script.display()));
    assert_eq!(output.status.code(), Some(3));
    assert!(place.leftovers().is_empty());
}

#[test]
fn a_script_may_come_from_standard_input() {
    let place = Place::new();
    let script = place.file("script.sh", "echo \"$1\"; exit 4");
    let stdin = std::fs::File::open(script).expect("just made");
    let output = place.netloom().args(["run", "-", "one"]).stdin(stdin).output().expect("the binary starts");
    assert_eq!((text(&output.stdout).as_str(), output.status.code()), ("one\n", Some(4)));
}

#[test]
fn a_signal_gives_128_and_its_number() {
    let place = Place::new();
    for (signal, status) in [("KILL", 137), ("TERM", 143), ("INT", 130)] {
        let output = place.run(&["exec", "sh", "-c", &format!("kill -{signal} $$")]);
        assert_eq!(output.status.code(), Some(status), "{signal}");
    }
}

#[test]
fn what_cannot_be_run_is_said_and_leaves_nothing() {
    let place = Place::new();
    for (arguments, expected) in [
        (&["run", "/nonexistent/script"][..], "cannot read the script /nonexistent/script: No such file"),
        (&["run", "/tmp"], "cannot run /tmp: it is a directory"),
        (&["exec", "nonexistent-command"], "cannot run nonexistent-command: No such file"),
        (&["-m", "nonexistent", "exec", "true"], "no machine named nonexistent is running"),
        (&["-m", "a b", "exec", "true"], "is no name for a machine"),
        (&["frobnicate"], "there is no command \"frobnicate\""),
    ] {
        let output = place.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let said = text(&output.stderr).replace("\n  │ ", " ");
        assert!(said.contains(expected), "{arguments:?}: {said}");
        assert!(place.leftovers().is_empty(), "{arguments:?}");
    }
}

#[test]
fn applets_come_first_on_path() {
    let place = Place::new();
    let (output, status) =
        place.script("for a in ip bridge brctl ping netloom; do type -P $a; done | sed 's,/[^/]*$,,' | uniq");
    assert_eq!(status, Some(0));
    assert!(output.starts_with(&format!("{}/netloom/@", place.path().display())), "{output}");
    assert_eq!(output.lines().count(), 1, "{output}");
}

#[test]
fn show_puts_commands_in_front_of_their_output() {
    let place = Place::new();
    let script = place.file("script.sh", "echo one\nbash -c 'echo quiet'\n");
    let output = place.netloom().args(["run", "--show"]).arg(script).output().expect("the binary starts");
    assert_eq!(text(&output.stdout), "$ echo one\none\n$ bash -c 'echo quiet'\nquiet\n");
}

#[test]
fn a_machine_inside_a_machine_is_refused() {
    let place = Place::new();
    let (output, status) = place.script("netloom run \"$0\"");
    assert_eq!(status, Some(1));
    assert!(output.contains("inside a machine already"), "{output}");
}

#[test]
fn a_machine_that_stays_is_not_started_inside_another() {
    let place = Place::new();
    let (output, status) = place.script("netloom up m");
    assert_eq!(status, Some(1));
    assert!(output.contains("inside a machine already"), "{output}");
    assert_eq!(text(&place.run(&["ls"]).stdout), "");
}

#[test]
fn exec_inside_a_machine_is_in_that_machine() {
    let script = "ip netns add n; netloom exec -n n readlink /proc/self/ns/net; netloom exec ls /run/netns";
    assert_eq!(Place::new().script(script), ("net:[4026531841]\nn\n".to_owned(), Some(0)));
}

#[test]
fn a_script_may_be_a_pipe() {
    let place = Place::new();
    let script = format!("{NETLOOM} run <(echo echo piped)");
    let output = std::process::Command::new("bash").args(["-c", &script]).env("XDG_RUNTIME_DIR", place.path()).output();
    assert_eq!(text(&output.expect("bash runs").stdout), "piped\n");
}

#[test]
fn a_full_disk_is_told_of_as_the_real_tools_do() {
    let script = "ip link set lo up; for c in 'ip link' 'brctl show' 'ifconfig -a' 'sysctl -a' 'ping -c 1 127.0.0.1' 'arping -c 1 -I lo 127.0.0.1'; do $c > /dev/full; echo $?; done";
    let expected =
        "0\n0\n0\nsysctl: write error: No space left on device\n1\nping: write error\n1\narping: write error\n1\n";
    assert_eq!(Place::new().script(script).0, expected);
}

#[test]
fn a_reader_that_leaves_ends_a_command_quietly() {
    let script = "for c in 'ip link' 'sysctl -a' 'ifconfig -a'; do $c | true; done; echo $?";
    assert_eq!(Place::new().script(script), ("0\n".to_owned(), Some(0)));
}

#[test]
fn arguments_that_are_no_text_cause_no_panic() {
    let applets = "arp arping brctl bridge dmesg ethtool ifconfig ip netstat nstat ping route sysctl tcpdump netloom";
    let script = format!(
        "for a in {applets}; do for x in $'\\xff' $'-\\xff' $'--\\xff'; do timeout 5 $a \"$x\" < /dev/null; echo =$?; done; done"
    );
    let (output, _) = Place::new().script(&script);
    assert!(!output.contains("panicked") && !output.contains("=101"), "{output}");
    assert_eq!(output.lines().filter(|line| line.starts_with('=')).count(), 45);
}

#[test]
fn two_machines_know_nothing_of_each_other() {
    let place = Place::new();
    let script = place.file("script.sh", "ls -A /run/netns; touch /run/netns/x; sleep 0.2; ls -A /run/netns");
    let start = || place.netloom().arg("run").arg(&script).stdout(Stdio::piped()).spawn().expect("the binary starts");
    let (one, two) = (start(), start());
    for child in [one, two] {
        assert_eq!(text(&child.wait_with_output().expect("it ends").stdout), "x\n");
    }
}
