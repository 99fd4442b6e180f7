//! `netloom run --host`: a machine of the real kernel that leaves nothing on the host.

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use common::{AS_NOBODY, NETLOOM, Place, alive, eventually, host_network, is_root, text};
use netloom_testkit::normalise::normalise;

/// Runs a script on the host's kernel. `None`, and a line that says so, where the host allows no namespaces.
fn run(place: &Place, script: &str) -> Option<Output> {
    let script = place.file("host.sh", script);
    let output = place.netloom().args(["run", "--host"]).arg(script).output().expect("the binary starts");
    allowed(&output).then_some(output)
}

fn allowed(output: &Output) -> bool {
    let errors = text(&output.stderr);
    let refused = output.status.code() == Some(1) && errors.contains("leave out --host");
    if refused {
        eprintln!("skipped: no namespaces here: {}", errors.lines().next().unwrap_or_default());
    }
    !refused
}

#[test]
fn a_script_has_a_network_of_its_own_and_leaves_the_host_s_alone() {
    let (place, before) = (Place::new(), host_network());
    let script = "ls /run/netns; ls /sys/class/net; echo \"[$NETLOOM_MACHINE]\"; type -P ip | grep -o 'netloom/@'
        ip netns add netloom-host-test && ip link add netloom-h0 type veth peer name netloom-h1 netns netloom-host-test
        ls /sys/class/net; ip netns exec netloom-host-test ls /sys/class/net
        ip addr add 192.0.2.1/24 dev netloom-h0 && ip link set netloom-h0 up && ip route; exit 5";
    let Some(output) = run(&place, script) else { return };
    let expected = "lo\n[]\nnetloom/@\nlo\nnetloom-h0\nlo\nnetloom-h1\n\
                    192.0.2.0/24 dev netloom-h0 proto kernel scope link src 192.0.2.1 linkdown \n";
    assert_eq!(text(&output.stdout), expected, "{}", text(&output.stderr));
    assert_eq!(output.status.code(), Some(5));
    assert_eq!(host_network(), before);
    assert!(!Path::new("/run/netns/netloom-host-test").exists());
    assert!(place.leftovers().is_empty());
}

#[test]
fn a_signal_gives_128_and_its_number() {
    let place = Place::new();
    for (signal, status) in [("KILL", 137), ("TERM", 143)] {
        let Some(output) = run(&place, &format!("kill -{signal} $$")) else { return };
        assert_eq!(output.status.code(), Some(status), "{signal}");
    }
}

#[test]
fn a_signal_to_netloom_reaches_the_script() {
    let place = Place::new();
    let script = place.file("host.sh", "trap 'echo heard; exit 9' TERM; echo ready; while :; do sleep 0.05; done");
    let mut child = place
        .netloom()
        .args(["run", "--host"])
        .arg(script)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut ready = [0; 6];
    if std::io::Read::read_exact(child.stdout.as_mut().expect("piped"), &mut ready).is_ok() {
        assert!(Command::new("kill").arg(child.id().to_string()).status().expect("kill runs").success());
    }
    let output = child.wait_with_output().expect("it ends");
    if allowed(&output) {
        assert_eq!((text(&output.stdout).as_str(), output.status.code()), ("heard\n", Some(9)));
    }
}

/// What is in the first three processes' way: netloom, the init and the script, by their process numbers on the host.
fn family(netloom: u32) -> Option<(u32, u32)> {
    let child = |pid: u32| {
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
        children.split_whitespace().next()?.parse().ok()
    };
    let init = child(netloom)?;
    Some((init, child(init)?))
}

#[test]
fn whoever_is_killed_nothing_is_left() {
    let before = host_network();
    for victim in 0..3 {
        let place = Place::new();
        // Its number on the host can't be asked from inside: the name is how it is found.
        let mark = place.path().join("straggler");
        std::fs::copy("/bin/sleep", &mark).expect("room for a copy");
        let text = format!("(setsid {0} 1000 &); touch {0}.started; sleep 1000", mark.display());
        let script = place.file("host.sh", &text);
        let mut child =
            place.netloom().args(["run", "--host"]).arg(script).stderr(Stdio::null()).spawn().expect("it starts");
        let started = mark.with_extension("started");
        eventually("it started or was refused", || started.exists() || child.try_wait().is_ok_and(|end| end.is_some()));
        if !started.exists() {
            eprintln!("skipped: no namespaces here");
            return;
        }
        let (init, program) = family(child.id()).expect("they run");
        let stragglers = || {
            let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
            entries.filter(|entry| std::fs::read_link(entry.path().join("exe")).is_ok_and(|exe| exe == mark)).count()
        };
        eventually("the straggler runs", || stragglers() == 1);
        let pid = [child.id(), init, program][victim];
        assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().expect("kill runs").success());
        assert_eq!(child.wait().expect("our child").code(), [None, Some(1), Some(137)][victim]);
        for pid in [init, program] {
            eventually("every process is gone", || !alive(pid));
        }
        eventually("the straggler is gone", || stragglers() == 0);
        eventually("the directory is gone", || place.leftovers().is_empty());
    }
    assert_eq!(host_network(), before);
}

/// Makes much of everything, some of it under names that the host may have, too.
const MUCH: &str = "
    ip link set lo up
    ip netns add far
    ip link add br0 type bridge
    ip link add eth0 type veth peer name eth1 netns far
    ip link set eth0 master br0
    for number in $(seq 40); do
        ip link add netloom-a$number master br0 up type veth peer name netloom-b$number netns far
        ip addr add 10.99.$number.1/24 dev netloom-a$number
    done
    ip link set br0 up
    ip link set eth0 up
    ip addr add 192.0.2.1/24 dev br0
    ip route add default via 192.0.2.254
    ip route add unreachable 203.0.113.0/24 table 100
    ip rule add to 203.0.113.0/24 table 100
    ip neigh add 192.0.2.254 lladdr 02:00:00:00:00:01 dev br0
    brctl addbr docker0
    ifconfig br0:1 198.51.100.1/24
    route add -net 198.51.101.0 netmask 255.255.255.0 gw 198.51.100.2
    sysctl -w net.ipv4.ip_forward=1
    hostname netloom-test";

#[test]
fn what_a_script_makes_is_nowhere_on_the_host() {
    let place = Place::new();
    let settings = || {
        let forwarding = std::fs::read_to_string("/proc/sys/net/ipv4/ip_forward").unwrap_or_default();
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let names = std::fs::read_dir("/run/netns").map_or(0, Iterator::count);
        (host_network(), forwarding, name, names)
    };
    let before = settings();
    let Some(output) = run(&place, &format!("set -e\nexec 2>&1\n{MUCH}\nip -br link | wc -l")) else { return };
    let said = text(&output.stdout);
    assert!(said.ends_with("\n44\n"), "{said}");
    assert_eq!(settings(), before);

    // The same where it is killed in the midst of it.
    let done = place.path().join("done");
    let script = place.file("killed.sh", &format!("{MUCH}\ntouch {}; sleep 1000", done.display()));
    let mut command = place.netloom();
    command.args(["run", "--host"]).arg(script).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("it starts");
    eventually("the script made it all", || done.exists());
    assert_eq!(settings(), before);
    child.kill().expect("our child");
    child.wait().expect("our child");
    eventually("the directory is gone", || place.leftovers().is_empty());
    assert_eq!(settings(), before);
}

#[test]
fn stragglers_end_with_the_script() {
    let place = Place::new();
    let mark = place.path().join("straggler");
    std::fs::copy("/bin/sleep", &mark).expect("room for a copy");
    let script = format!("{0} 1000 >/dev/null 2>&1 & (setsid {0} 1000 >/dev/null 2>&1 &)", mark.display());
    let Some(output) = run(&place, &script) else { return };
    assert_eq!(output.status.code(), Some(0));
    let entries = std::fs::read_dir("/proc").expect("proc").flatten();
    assert!(
        !entries.into_iter().any(|entry| std::fs::read_link(entry.path().join("exe")).is_ok_and(|exe| exe == mark))
    );
}

#[test]
fn what_cannot_be_run_is_said() {
    let place = Place::new();
    let script = place.file("script.sh", "true");
    let script = script.to_str().expect("text");
    for (arguments, expected) in [
        (&["run", "--host", "/nonexistent/script"][..], "cannot read the script /nonexistent/script: No such file"),
        (&["-m", "m", "run", "--host", script], "one of them only"),
    ] {
        let output = place.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let said = text(&output.stderr).replace("\n  │ ", " ");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
    let mut inside = place.netloom();
    inside.args(["run", "--host", script]).env("NETLOOM_MACHINE", "/somewhere");
    assert!(text(&inside.output().expect("it starts").stderr).contains("inside an embedded machine"));
    assert!(place.leftovers().is_empty());
}

#[test]
fn an_embedded_machine_may_start_inside() {
    let place = Place::new();
    let script = "ip netns add outer; netloom exec bash -c 'ip netns add inner; ip netns'; ip netns";
    let Some(output) = run(&place, script) else { return };
    assert_eq!(text(&output.stdout), "inner\nouter\n", "{}", text(&output.stderr));
}

/// As a user without any capability, where root can become one.
fn as_nobody(place: &Place, before: &str, script: &str) -> Option<Output> {
    if !is_root() {
        eprintln!("skipped: becoming nobody takes root");
        return None;
    }
    let (directory, binary) = (place.path().join("open"), place.path().join("open/netloom"));
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o755)).expect("our own directory");
    std::fs::create_dir(&directory).expect("our own directory");
    std::fs::copy(NETLOOM, &binary).expect("room for a copy");
    let line = format!("{before} exec {AS_NOBODY} \"$0\" run --host - <<'END'\n{script}\nEND");
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-users=0,0,65536", "--map-groups=0,0,65536", "bash", "-c", &line]).arg(binary);
    command.env_remove("XDG_RUNTIME_DIR").env_remove("NETLOOM_MACHINE").current_dir("/");
    let output = command.output().expect("unshare runs");
    let errors = text(&output.stderr);
    if errors.starts_with("unshare:") || errors.contains("setpriv:") {
        eprintln!("skipped: {errors}");
        return None;
    }
    Some(output)
}

#[test]
fn nobody_runs_a_script() {
    let place = Place::new();
    let script = "id -u; ip netns add n; ip link add a type veth peer name b netns n; ls /sys/class/net; ip netns";
    let Some(output) = as_nobody(&place, "", script).filter(allowed) else { return };
    assert_eq!(text(&output.stdout), "0\na\nlo\nn (id: 0)\n", "{}", text(&output.stderr));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_host_that_forbids_it_is_quoted() {
    let place = Place::new();
    let forbid = "echo 0 > /proc/sys/user/max_user_namespaces &&";
    let Some(output) = as_nobody(&place, forbid, "true") else { return };
    let said = text(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("sysctl user.max_user_namespaces=10000"), "{said}");
    assert!(said.contains("leave out --host"), "{said}");
    assert_eq!(output.status.code(), Some(1));
}

/// What varies between two runs of the real thing, or belongs to the whole host: times, counters, the kernel log.
fn steady(output: &Output) -> String {
    let all = text(&output.stdout) + &text(&output.stderr);
    let counters = |line: &str| {
        let interface = line.split_whitespace().nth(1).is_some_and(|mtu| mtu == "1500" || mtu == "65536");
        interface || line.contains("X packets ")
    };
    let varies =
        |line: &&str| line.starts_with('[') || line.starts_with("ping: Warning: time of day") || counters(line);
    normalise(&all).lines().filter(|line| !varies(line)).map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_example_says_the_same_on_both_kernels() {
    let place = Place::new();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/veth-bridge.sh");
    // When duplicate address detection ends is nobody's promise.
    let quiet = "for i in all default; do sysctl -wq net.ipv6.conf.$i.disable_ipv6=1 2>/dev/null; done";
    let script = format!("exec 2>&1\n{quiet}\nsource {}", example.display());
    let Some(host) = run(&place, &script) else { return };
    let embedded = place.netloom().arg("run").arg(place.path().join("host.sh")).output().expect("the binary starts");
    let (host, embedded) = (steady(&host), steady(&embedded));
    assert!(host.lines().count() > 100, "{host}");
    let differ = host.lines().zip(embedded.lines()).find(|(host, embedded)| host != embedded);
    assert_eq!(differ, None, "host:\n{host}\nembedded:\n{embedded}");
    assert_eq!(host.lines().count(), embedded.lines().count());
}
