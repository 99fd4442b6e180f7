//! Programs that share memory with their machine: nothing is different but how fast it goes, whoever dies or lies.

mod common;

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use common::{Place, eventually, text};
use netloom_machine::protocol::{Call, Event, Hello, Said, VERSION};
use netloom_machine::{Machine, Netns, packet};

/// Enough calls on a socket for it to share memory.
const MANY: usize = 40;

const SO_TYPE: i32 = 3;
const SOL_SOCKET: i32 = 1;
const AF_INET: i32 = 2;
const SOCK_DGRAM: i32 = 2;

struct Up {
    place: Place,
    socket: PathBuf,
}

fn up() -> Up {
    let place = Place::new();
    assert_eq!(place.run(&["up", "m"]).status.code(), Some(0));
    assert_eq!(place.run(&["exec", "-m", "m", "ip", "link", "set", "lo", "up"]).status.code(), Some(0));
    let socket = place.path().join("netloom/m/socket");
    Up { place, socket }
}

impl Up {
    fn machine(&self) -> netloom_machine::EmbeddedMachine {
        netloom_machine::EmbeddedMachine::connect(self.socket.as_os_str()).expect("it listens")
    }

    /// A `ping` that goes on until somebody ends it, and has been going on for a while.
    fn ping(&self) -> Child {
        let machine = self.socket.as_os_str();
        let mut ping = self.place.netloom();
        ping.args(["ping", "-A", "-q", "127.0.0.1"]).env("NETLOOM_MACHINE", machine).stdout(Stdio::piped());
        let ping = ping.spawn().expect("the binary starts");
        let maps = format!("/proc/{}/maps", ping.id());
        eventually("it shares memory", || {
            std::fs::read_to_string(&maps).is_ok_and(|maps| maps.contains("memfd:netloom"))
        });
        ping
    }

    fn expect_alive(&self) {
        let pinged = self.place.run(&["exec", "-m", "m", "ping", "-q", "-A", "-c", "100", "127.0.0.1"]);
        assert!(text(&pinged.stdout).contains("100 packets transmitted, 100 received"), "{pinged:?}");
    }
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().expect("kill runs").success());
}

/// A socket that asks for memory at once.
fn share(up: &Up) -> (OwnedFd, Option<File>) {
    let fd = packet::connect(up.socket.as_os_str()).expect("it listens");
    let hello =
        Hello::Socket { version: VERSION, netns: Netns::Current, domain: AF_INET, kind: SOCK_DGRAM, protocol: 0 };
    packet::send(fd.as_fd(), &packet::encode(&hello).unwrap(), &[], 0).expect("it listens");
    let mut buffer = Vec::new();
    packet::receive(fd.as_fd(), &mut buffer, 0).expect("it answers");
    let said = Said { taken: 0, call: Some(Call::ShareMemory) };
    packet::send(fd.as_fd(), &packet::encode(&said).unwrap(), &[], 0).expect("it listens");
    let memory = packet::receive(fd.as_fd(), &mut buffer, 0).expect("it answers").pop();
    let Event::Return { errno, .. } = packet::decode(&buffer).unwrap() else { panic!("no return") };
    assert_eq!(errno == 0, memory.is_some());
    (fd, memory.map(File::from))
}

#[test]
fn long_answers_and_short_ones_keep_their_order() {
    let place = Place::new();
    let script = "
        ip link add br0 type bridge
        for i in $(seq 100); do echo link add p$i type veth peer name q$i; echo link set p$i master br0; done > batch
        for i in $(seq 20); do echo link show; echo link show p$i; echo addr add 10.0.0.$i/24 dev br0; done >> batch
        ip -batch batch > all; echo $?
        for i in $(seq 20); do ip link show; ip link show p$i; done > one-by-one
        cmp all one-by-one; wc -l < all";
    let script = format!("cd {}\n{script}", place.path().display());
    let (said, status) = place.script(&script);
    // Two lines for each of 202 links, and for one alone.
    assert_eq!((said.as_str(), status), (format!("0\n{}\n", 20 * 2 * (202 + 1)).as_str(), Some(0)));
}

#[test]
fn so_many_clients_share_and_the_others_do_without() {
    let up = up();
    let machine = Machine::Embedded(up.machine());
    let open = || machine.socket(&Netns::Current, AF_INET, SOCK_DGRAM, 0).expect("it opens");
    let sockets: Vec<_> = (0..80).map(|_| open()).collect();
    for _ in 0..MANY {
        for socket in &sockets {
            assert_eq!(socket.option(SOL_SOCKET, SO_TYPE, 4).expect("it answers"), SOCK_DGRAM.to_ne_bytes());
        }
    }
    assert!(share(&up).1.is_none(), "there is no more to be had");
    // Another program that is started meanwhile holds none of it.
    let mut child = Command::new("sleep").arg("1000").spawn().expect("sleep runs");
    for socket in &sockets {
        assert_eq!(socket.option(SOL_SOCKET, SO_TYPE, 4).expect("it answers"), SOCK_DGRAM.to_ne_bytes());
    }
    drop(sockets);
    eventually("there is some again", || share(&up).1.is_some());
    child.kill().and_then(|()| child.wait()).expect("our child");
    up.expect_alive();
}

#[test]
fn it_is_shared_once() {
    let up = up();
    let (fd, memory) = share(&up);
    let memory = memory.expect("memory");
    assert!(memory.set_len(0).is_err() && memory.set_len(1 << 20).is_err(), "its size is fixed");
    // Whoever asks again on the connection itself doesn't keep to the rules.
    let again = Said { taken: 0, call: Some(Call::ShareMemory) };
    packet::send(fd.as_fd(), &packet::encode(&again).unwrap(), &[], 0).expect("it listens");
    let mut buffer = Vec::new();
    assert!(packet::receive(fd.as_fd(), &mut buffer, 0).is_err() || buffer.is_empty());
    up.expect_alive();
}

#[test]
fn nonsense_in_shared_memory_ends_its_own_connection_only() {
    let up = up();
    let length = share(&up).1.expect("memory").metadata().expect("a file").len() as usize;
    let mut chance = 1u64;
    let mut random = || {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (chance >> 33) as u32
    };
    let mut ended = 0;
    for round in 0..200 {
        let (fd, Some(memory)) = share(&up) else { continue };
        // All of it, or a word somewhere near the beginning, where the counters are.
        let (at, bytes) = match round % 4 {
            0 => (0, vec![0xff; length]),
            1 => (0, (0..length).map(|_| random() as u8).collect()),
            2 => (random() as usize % 64 * 4, random().to_ne_bytes().to_vec()),
            _ => (random() as usize % 64 * 4, (random() % 16).to_ne_bytes().to_vec()),
        };
        memory.write_all_at(&bytes, at as u64).expect("memory can be written");
        // A machine that has hung up already is as good.
        let _ = packet::send(fd.as_fd(), &[0], &[], 0);
        if round % 4 == 0 {
            let mut buffer = Vec::new();
            while packet::receive(fd.as_fd(), &mut buffer, 0).is_ok() && !buffer.is_empty() {}
            ended += 1;
        }
    }
    assert!(ended > 0);
    up.expect_alive();
}

#[test]
fn a_program_is_killed() {
    let up = up();
    for _ in 0..5 {
        let mut ping = up.ping();
        signal(&ping, "-KILL");
        ping.wait().expect("our child");
        up.expect_alive();
    }
}

#[test]
fn the_machine_is_killed() {
    let up = up();
    let (_, machine) = up.machine().identify().expect("it answers");
    let mut ping = up.ping();
    assert!(Command::new("kill").args(["-KILL", &machine.to_string()]).status().expect("kill runs").success());
    eventually("ping has noticed", || {
        // It goes on asking, as the real one does where the network has gone.
        if let Ok(Some(_)) = ping.try_wait() {
            return true;
        }
        signal(&ping, "-INT");
        false
    });
}

#[test]
fn an_interrupted_program_ends_as_ever() {
    let up = up();
    let ping = up.ping();
    signal(&ping, "-INT");
    let output = ping.wait_with_output().expect("our child");
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains(" 0% packet loss"), "{output:?}");
}

#[test]
fn a_stopped_program_keeps_nobody_waiting() {
    let up = up();
    let mut ping = up.ping();
    signal(&ping, "-STOP");
    up.expect_alive();
    signal(&ping, "-CONT");
    signal(&ping, "-INT");
    assert_eq!(ping.wait().expect("our child").code(), Some(0));
}
