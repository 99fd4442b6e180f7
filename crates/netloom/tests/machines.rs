//! Machines that stay: `up`, `down`, `ls`, `env`, `exec -m`.

mod common;

use std::os::fd::AsFd;

use common::{NETLOOM, Place, text};
use netloom_machine::packet;

#[test]
fn a_machine_lives_from_up_to_down() {
    let place = Place::new();
    assert_eq!(place.run(&["up", "m"]).status.code(), Some(0));
    let again = place.run(&["up", "m"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("a machine named m is running already"));
    assert_eq!(text(&place.run(&["ls"]).stdout), "m\n");
    assert_eq!(place.run(&["exec", "-m", "m", "touch", "/run/netns/x"]).status.code(), Some(0));
    assert_eq!(text(&place.run(&["-m", "m", "exec", "ls", "/run/netns"]).stdout), "x\n");
    assert_eq!(place.run(&["exec", "-m", "m", "sh", "-c", "exit 42"]).status.code(), Some(42));
    let missing = place.run(&["exec", "-m", "m", "-n", "nosuch", "true"]);
    assert!(text(&missing.stderr).contains("cannot enter the namespace nosuch: No such file"));
    assert_eq!(place.run(&["down", "m"]).status.code(), Some(0));
    assert_eq!(text(&place.run(&["ls"]).stdout), "");
    assert_eq!(place.run(&["down", "m"]).status.code(), Some(1));
    assert!(place.leftovers().is_empty());
}

#[test]
fn programs_end_with_their_machine() {
    let place = Place::new();
    place.run(&["up", "m"]);
    let pids = place.path().join("pids");
    let script = format!("sleep 1000 & echo $$ $! > {0}.new; mv {0}.new {0}; wait", pids.display());
    let mut program = place.netloom().args(["-m", "m", "exec", "sh", "-c", &script]).spawn().expect("it starts");
    common::eventually("the program has started", || pids.exists());
    assert_eq!(place.run(&["down", "m"]).status.code(), Some(0));
    assert!(!program.wait().expect("our child").success());
    for pid in std::fs::read_to_string(&pids).expect("just written").split_whitespace() {
        common::eventually("it is gone", || !common::alive(pid.parse().expect("a number")));
    }
}

/// A client that finds no descriptor left is turned away; the machine lives on.
#[test]
fn more_clients_than_descriptors() {
    let place = Place::new();
    let up = format!("ulimit -n 64; {NETLOOM} up m");
    let status = std::process::Command::new("bash").args(["-c", &up]).env("XDG_RUNTIME_DIR", place.path()).status();
    assert!(status.expect("bash runs").success());
    let socket = place.path().join("netloom/m/socket");
    let idle: Vec<_> = (0..100).map(|_| packet::connect(socket.as_os_str()).expect("it listens")).collect();
    let mut buffer = Vec::new();
    let last = idle.last().expect("a hundred");
    assert!(packet::receive(last.as_fd(), &mut buffer, 0).is_err() || buffer.is_empty());
    drop(idle);
    // A program that another test starts just now may hold the same connections a moment longer.
    common::eventually("there is room again", || place.run(&["exec", "-m", "m", "true"]).status.success());
}

#[test]
fn a_name_is_free_as_soon_as_its_machine_is_down() {
    let place = Place::new();
    for _ in 0..10 {
        assert_eq!(place.run(&["up", "m"]).status.code(), Some(0));
        assert_eq!(text(&place.run(&["exec", "-m", "m", "netloom", "prompt"]).stdout), "m");
        assert_eq!(place.run(&["down", "m"]).status.code(), Some(0));
    }
}

#[test]
fn env_makes_a_shell_use_a_machine() {
    let place = Place::new();
    place.run(&["up", "m"]);
    let script = format!("eval \"$({NETLOOM} env m)\"; type -P ip; netloom prompt");
    let mut bash = std::process::Command::new("bash");
    let output = bash.args(["-c", &script]).env("XDG_RUNTIME_DIR", place.path()).output().expect("bash runs");
    let directory = place.path().join("netloom/m/bin/ip");
    assert_eq!(text(&output.stdout), format!("{}\nm", directory.display()));
}

#[test]
fn a_dead_socket_is_an_error() {
    let place = Place::new();
    let output = place.netloom().arg("ip").env("NETLOOM_MACHINE", "/nonexistent").args(["link"]).output();
    let output = output.expect("the binary starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no machine is running at /nonexistent"));
}

#[test]
fn applets_are_linked_and_files_are_left_alone() {
    let place = Place::new();
    let directory = place.path().join("links");
    let arguments = ["install-applets", directory.to_str().expect("text")];
    assert_eq!(place.run(&arguments).status.code(), Some(0));
    assert_eq!(place.run(&arguments).status.code(), Some(0), "links may be made again");
    assert_eq!(std::fs::read_link(directory.join("ip")).expect("a link"), std::path::Path::new(NETLOOM));
    std::fs::remove_file(directory.join("ip")).expect("it is there");
    std::fs::write(directory.join("ip"), "mine").expect("our own directory");
    assert_eq!(place.run(&arguments).status.code(), Some(1));
    assert_eq!(std::fs::read(directory.join("ip")).expect("still there"), b"mine");
}

/// Whatever is said to a machine, it closes that connection and goes on.
#[test]
fn malformed_packets_end_their_own_connection_only() {
    let place = Place::new();
    place.run(&["up", "m"]);
    let socket = place.path().join("netloom/m/socket");
    let longest = vec![0xff; 200_000];
    let control = [1u8, 1];
    for packets in [
        vec![&b"\xff\xff\xff"[..]],
        vec![b"\x00"],
        vec![&longest],
        vec![&control, b"\xff"],
        vec![&control, b"\x00\x00\xff\xff\xff\xff\xff"],
        // Supervise, without a descriptor.
        vec![&control, b"\x0f"],
    ] {
        let fd = packet::connect(socket.as_os_str()).expect("it listens");
        for said in packets {
            // A machine that has hung up already is as good.
            let _ = packet::send(fd.as_fd(), said, &[], libc_dontwait());
        }
        let mut buffer = Vec::new();
        loop {
            match packet::receive(fd.as_fd(), &mut buffer, 0) {
                Ok(_) if buffer.is_empty() => break,
                Ok(_) => {}
                Err(_) => break,
            }
        }
    }
    assert_eq!(place.run(&["exec", "-m", "m", "true"]).status.code(), Some(0));
}

/// `MSG_DONTWAIT`: the longest packets don't fit at all.
fn libc_dontwait() -> i32 {
    0x40
}

#[test]
fn many_clients_at_once() {
    let place = Place::new();
    place.run(&["up", "m"]);
    let socket = place.path().join("netloom/m/socket");
    let idle: Vec<_> = (0..400).map(|_| packet::connect(socket.as_os_str()).expect("it listens")).collect();
    assert_eq!(place.run(&["exec", "-m", "m", "true"]).status.code(), Some(0));
    drop(idle);
    assert_eq!(place.run(&["exec", "-m", "m", "true"]).status.code(), Some(0));
}
