//! Our `ip` beside iproute2's on the same state of the host's kernel: the same bytes, messages and exit statuses.
//!
//! Needs root and iproute2 6.1.0; otherwise says that it was skipped.

mod common;

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use netloom_applets::Context;
use netloom_machine::{HostMachine, Machine, Netns};

/// How long something may take that comes by itself.
const PATIENCE: Duration = Duration::from_secs(20);

/// Two namespaces of their own, removed with all that is in them.
struct Namespaces {
    names: [String; 2],
}

impl Namespaces {
    /// `None`, and a word of why, where there cannot be any.
    fn new(purpose: &str) -> Option<Namespaces> {
        let version = Command::new("ip").arg("-V").output().ok().map(|output| output.stdout).unwrap_or_default();
        if !String::from_utf8_lossy(&version).contains("iproute2-6.1.0") {
            println!("skipped: ip of iproute2 6.1.0 is not here");
            return None;
        }
        let names = ["a", "b"].map(|end| format!("nltest-{purpose}-{}-{end}", std::process::id()));
        let namespaces = Namespaces { names };
        for name in &namespaces.names {
            let output = Command::new("ip").args(["netns", "add", name]).output().ok()?;
            if !output.status.success() {
                println!("skipped: no namespace can be made: {}", String::from_utf8_lossy(&output.stderr));
                return None;
            }
        }
        Some(namespaces)
    }

    /// Runs lines through iproute2's `ip -batch`, in the first namespace; `$B` is the second one's name.
    fn set_up(&self, lines: &str) {
        let mut child = Command::new("ip")
            .args(["-n", &self.names[0], "-batch", "-"])
            .stdin(Stdio::piped())
            .spawn()
            .expect("ip was there a moment ago");
        let lines = lines.replace("$B", &self.names[1]);
        child.stdin.take().expect("piped").write_all(lines.as_bytes()).expect("ip reads");
        assert!(child.wait().expect("ip ends").success(), "the state could not be made");
        self.names.iter().for_each(|name| common::settle(&Netns::Named(name.clone())));
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = Command::new("ip").args(["netns", "delete", name]).stderr(Stdio::null()).status();
        }
    }
}

/// Output, errors and exit status.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    out: String,
    err: String,
    status: i32,
}

fn theirs(words: &[&str]) -> Answer {
    let output = Command::new("ip").args(words).env("COLUMNS", "200").output().expect("ip runs");
    Answer {
        out: normal(&String::from_utf8_lossy(&output.stdout)),
        err: without_strangers(&String::from_utf8_lossy(&output.stderr)),
        status: output.status.code().unwrap_or(-1),
    }
}

fn ours(words: &[&str]) -> Answer {
    let machine = Machine::Host(HostMachine);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
    let ip = netloom_applets::find("ip").expect("there is an ip");
    let mut context = Context { machine: &machine, netns: Netns::Current, out: &mut out, err: &mut err };
    let status = (ip.run)(&mut context, &words);
    Answer {
        out: normal(&String::from_utf8_lossy(&out)),
        err: without_strangers(&String::from_utf8_lossy(&err)),
        status,
    }
}

/// Without complaints about others' names in `/run/netns`, which come and go meanwhile.
fn without_strangers(text: &str) -> String {
    text.replace("Error: Peer netns reference is invalid.\n", "")
}

/// The numbers that time changes, taken out: those after a timer's or a lifetime's name.
fn normal(text: &str) -> String {
    const TIMED: [&str; 5] = ["_timer", "valid_lft", "preferred_lft", "valid_life_time", "preferred_life_time"];
    let mut result = String::new();
    let mut timed = false;
    for word in text.split_inclusive([' ', ',', '\n', ':', '}', '"', '\\']) {
        let bare = word.trim_end_matches([' ', ',', '\n', ':', '}', '"', '\\']);
        let number = bare.trim_end_matches("sec");
        // Ten digits are "for ever".
        if timed && !number.is_empty() && number.len() < 10 && number.parse::<f64>().is_ok() {
            result.push('T');
            result.push_str(&word[bare.len()..]);
        } else if !(timed && word == " ") {
            result.push_str(word);
        }
        timed = TIMED.iter().any(|name| bare.ends_with(name)) || timed && bare.is_empty();
    }
    result
}

/// What both say of one state. Counters and timers may go on between two questions: then they are asked again.
fn answers(words: &[&str]) -> (Answer, Answer) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (before, ours) = (theirs(words), ours(words));
        if before == ours || before == theirs(words) || Instant::now() > deadline {
            return (before, ours);
        }
    }
}

/// Compares every command; all differences are told at once.
fn compare(namespace: &str, commands: &str) {
    let mut differences = String::new();
    for command in commands.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = vec!["-n", namespace];
        words.extend(command.split(' '));
        let (theirs, ours) = answers(&words);
        if theirs != ours {
            differences.push_str(&format!("ip {command}\n  theirs {theirs:?}\n  ours   {ours:?}\n"));
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

const STATE: &str = r#"
link set lo up
link add ha type veth peer name hb
link add hc type veth peer name hd netns $B
link set dev hc alias "it's \ <é>"
link add br0 address 02:00:00:00:00:ff type bridge
link add br1 type bridge stp_state 1 group_fwd_mask 0x4008 no_linklocal_learn 1
link set dev ha master br0
link set dev hc master br0
link set dev ha type bridge_slave hairpin on guard on group_fwd_mask 8 backup_port hc
link property add dev hc altname averyveryverylongaltname altname alt2
link set dev hb group 7 txqueuelen 0
link set dev hb up
link set dev hc promisc on
addr add 10.0.0.1/24 brd + dev br0 label br0:1
addr add 10.0.1.1/24 dev hb metric 5
addr add 10.0.1.2/24 dev hb valid_lft 500 preferred_lft 400
addr add 10.0.2.1 peer 10.0.2.2/32 brd 10.0.2.255 dev hb
addr add 10.0.4.1/24 dev hb scope 5
addr add 224.0.0.9 dev hb autojoin
addr add fd00::1/64 dev br0 nodad home mngtmpaddr noprefixroute
addr add fd00::2/64 dev br0 nodad preferred_lft 0 valid_lft 1000
addr add fd01::1 peer fd01::2 dev br0 nodad
"#;

#[test]
fn devices_look_the_same() {
    let Some(namespaces) = Namespaces::new("link") else { return };
    namespaces.set_up(STATE);
    compare(
        &namespaces.names[0],
        "link
        -o link
        -br link
        -d link
        -s link
        -s -s link
        -s -d -o link
        -h -s link
        -N -d link
        -j link
        -j -p link
        -j -d link
        -j -p -d link
        -j -s -s -p link
        -br -j link
        -c=always link
        -c=always -br link
        -c=always -d link
        link show ha
        -d link show alt2
        -j -d link show br0
        link show averyveryverylongaltname
        link show master br0
        -j link show nomaster
        link show type veth
        link show type bridge_slave
        link show type bogus
        link show up
        -j link show up
        link show group 7
        link show if77
        link xstats type bridge
        -j -p link xstats type bridge_slave
        l
        lin sh lo
        link list br1",
    );
}

#[test]
fn addresses_look_the_same() {
    let Some(namespaces) = Namespaces::new("addr") else { return };
    namespaces.set_up(STATE);
    compare(
        &namespaces.names[0],
        "addr
        -o addr
        -br addr
        -d addr
        -s addr
        -d -s addr
        -j addr
        -j -p addr
        -j -d -s -p addr
        -br -j addr
        -4 addr
        -6 addr
        -0 addr
        -4 -o addr
        -6 -br addr
        -0 -br addr
        -j -4 addr
        -j -6 -p addr
        -c=always addr
        -c=always -br addr
        -N addr
        addr show hb
        -o -d addr show dev br0
        addr show scope global
        addr show scope 5
        -j addr show scope 5
        addr show up
        -j addr show up
        addr show to 10.0.0.0/16
        -j addr show to 10.0.1.0/24
        addr show to fd00::/16
        addr show label br0*
        -j addr show label hb
        addr show dynamic
        addr show permanent
        addr show -deprecated
        addr show secondary
        addr show primary
        addr show home
        addr show autojoin
        addr show type bridge
        addr show master br0
        addr show nomaster
        addr show group 7
        a s lo
        netconf
        -j netconf show dev br0
        -4 netconf",
    );
}

#[test]
fn complaints_are_the_same() {
    let Some(namespaces) = Namespaces::new("errors") else { return };
    namespaces.set_up(STATE);
    compare(
        &namespaces.names[0],
        "link show nosuch
        link show dev
        link show ha hb
        link show group bogus
        link frob
        link set
        link set nosuch up
        link set ha bogus
        link set ha mtu abc
        link set ha mtu 10
        link set ha address zz
        link set ha address 00:11
        link set ha netns nosuch
        link set ha master nosuch
        link set ha master ha
        link set br0 master br0
        link set ha arp maybe
        link set ha carrier on
        link set ha addrgenmode x
        link set ha vrf x
        link set ha type bridge_slave bogus
        link set ha type bridge_slave cost x
        link set ha type bridge_slave state 9
        link set br0 type bridge bogus 1
        link set br0 type bridge stp_state x
        link set br0 type bridge group_address zz
        link set ha type foo bar
        link set ha index 5
        link add
        link add foo
        link add foo type
        link add foo type bogus
        link add ha type veth
        link add foo type veth foo
        link add foo type veth peer name ha
        link add foo type veth peer name 0123456789abcdef
        link add 0123456789abcdef type veth
        link add foo bar type veth
        link add foo index 0 type veth
        link add foo mtu 1 type veth
        link add foo type tun
        link del
        link del nosuch
        link del lo
        link del group 99
        link property
        link property add
        link property add dev ha altname alt2
        link property del dev ha altname nosuch
        link property frob
        link help
        link help bridge
        link help veth
        link xstats
        link xstats type veth
        link xstats type bogus
        addr add
        addr add dev hb
        addr add 10.0.1.1/24 dev hb
        addr add 10.0.1.1/33 dev hb
        addr add 10.9.9.9/24
        addr add 10.9.9.9/24 dev nosuch
        addr add 10.9.9.9/24 dev hb scope x
        addr add 10.9.9.9/24 dev hb valid_lft 0
        addr add 10.9.9.9/24 dev hb valid_lft 5 preferred_lft 6
        addr add 10.9.9.9/24 dev hb peer fd00::1
        addr add fd00::9/64 brd + dev hb
        addr add 10.9.9.9/24 10.9.9.8/24 dev hb
        -6 addr add 10.9.9.9/24 dev hb
        addr del 10.9.9.9/24 dev hb
        addr del 10.9.9.9 dev hb
        addr flush
        addr flush dev nosuch
        -s addr flush to 99.0.0.0/8
        addr frob
        addr help
        netns frob
        netns add
        netns add a/b
        netns del nosuch
        netns exec
        netns exec nosuch true
        netns identify x
        netns pids nosuch
        netns set
        netns attach x 99999999
        netns list-id nsid x
        netns list-id nsid 77
        monitor bogus
        monitor dev nosuch
        netconf frob
        frob
        -bogus
        help",
    );
}

#[test]
fn a_namespace_is_made_from_outside_of_it() {
    let Some(_guard) = Namespaces::new("netns") else { return };
    let name = format!("nltest-own-{}", std::process::id());
    let own = || std::fs::read_link("/proc/self/ns/net").expect("a namespace of our own");
    let before = own();
    assert_eq!(ours(&["netns", "add", &name]), Answer { out: String::new(), err: String::new(), status: 0 });
    assert_eq!(before, own(), "the calling process stays in its namespace");
    assert!(theirs(&["netns", "list"]).out.lines().any(|line| line == name));
    assert_eq!(ours(&["-n", &name, "-br", "link"]), theirs(&["-n", &name, "-br", "link"]));
    let again = ours(&["netns", "add", &name]);
    let message = format!("Cannot create namespace file \"/run/netns/{name}\": File exists\n");
    assert_eq!((again.err, again.status), (message, 1));
    assert_eq!(ours(&["netns", "delete", &name]).status, 0);
    assert!(theirs(&["netns", "list"]).out.lines().all(|line| line != name));
}

#[test]
fn a_batch_goes_on_only_by_force() {
    let Some(namespaces) = Namespaces::new("batch") else { return };
    let file = std::env::temp_dir().join(format!("nltest-batch-{}", std::process::id()));
    let lines = "# why\nlink add ba type \\\nveth peer name bb\nlink del nosuch\nlink set ba alias 'a b'\n";
    std::fs::write(&file, lines).expect("a file");
    let path = file.to_string_lossy().into_owned();
    let namespace = namespaces.names[0].as_str();
    for options in [&["-n", namespace, "-b", &path][..], &["-n", namespace, "-force", "-b", &path]] {
        let answer = ours(options);
        let shown = theirs(&["-n", namespace, "link", "show", "ba"]).out;
        assert_eq!(shown.contains("alias a b"), options.contains(&"-force"));
        theirs(&["-n", namespace, "link", "del", "ba"]);
        assert_eq!(answer, theirs(options));
        theirs(&["-n", namespace, "link", "del", "ba"]);
    }
    let _ = std::fs::remove_file(file);
}

/// A process that ends with the test.
struct Beside(Child);

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn an_interrupted_dump_is_told_and_no_failure() {
    let Some(namespaces) = Namespaces::new("intr") else { return };
    let namespace = namespaces.names[0].as_str();
    let many: String = (0..400).map(|number| format!("link add a{number} type veth peer name b{number}\n")).collect();
    namespaces.set_up(&many);
    let mut ip = Command::new("ip");
    ip.args(["-n", namespace, "-batch", "-"]).stdin(Stdio::piped());
    let mut beside = Beside(ip.spawn().expect("ip was there a moment ago"));
    let mut changes = beside.0.stdin.take().expect("piped");
    // It ends with its reader.
    std::thread::spawn(move || while changes.write_all(b"link add c type veth peer name d\nlink del c\n").is_ok() {});
    let words = ["-n", namespace, "link", "show"];
    for ask in [theirs, ours] {
        let deadline = Instant::now() + PATIENCE;
        let answer = loop {
            let answer = ask(&words);
            assert_eq!(answer.status, 0, "{}", answer.err);
            if !answer.err.is_empty() {
                break answer;
            }
            assert!(Instant::now() < deadline, "no dump was interrupted");
        };
        assert_eq!(answer.err, "Dump was interrupted and may be inconsistent.\n");
        assert!(answer.out.contains(" a399@b399: "), "what came is shown all the same");
    }
}
