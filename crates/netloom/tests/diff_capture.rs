//! `netloom diff --capture`: the frames on every device, on both kernels.

mod common;

use std::path::Path;
use std::process::Command;

use common::{Place, host_network, text};

/// Two namespaces at a bridge; what a port of it becomes is logged before the next command comes. The host's log is one
/// for all: every test has a prefix of its own.
fn bridge(prefix: &str) -> String {
    let script = "set -e
        ip netns add a; ip netns add b
        ip link add PREFIX-br type bridge; ip link set PREFIX-br up
        for n in a b; do
            ip link add PREFIX-$n type veth peer name eth0 netns $n
            ip link set PREFIX-$n master PREFIX-br up
            bash -c \"ip -n $n link set eth0 up
                until bridge link show dev PREFIX-$n | grep -q forwarding; do sleep 0.05; done\"
        done
        ip -n a addr add 10.1.1.1/24 dev eth0
        ip -n b addr add 10.1.1.2/24 dev eth0
    ";
    script.replace("PREFIX", prefix)
}

/// Exit status and output. `None`, and a line that says so, where the host allows no namespaces.
fn diff(place: &Place, script: &str, capture: &str) -> Option<(Option<i32>, String)> {
    let (script, before) = (place.file("script.sh", script), host_network());
    let output = place.netloom().args(["diff", capture]).arg(script).output().expect("the binary starts");
    let errors = text(&output.stderr);
    if errors.contains("leave out --host") {
        eprintln!("skipped: no namespaces here");
        assert_eq!(output.status.code(), Some(2));
        return None;
    }
    assert_eq!(host_network(), before);
    assert!(place.leftovers().is_empty());
    Some((output.status.code(), text(&output.stdout) + &errors))
}

/// A capture file in the words of the program of that name; an error where it isn't installed.
fn read(program: &mut Command, file: &Path) -> std::io::Result<String> {
    let output = program.args(["-t", "-n", "-r"]).arg(file).output()?;
    assert!(output.status.success(), "{}", text(&output.stderr));
    Ok(text(&output.stdout))
}

#[test]
fn captures_that_agree_are_kept_for_both_kernels() {
    let place = Place::new();
    let script = bridge("netloom-e") + "ip netns exec a ping -c 2 -i 0.2 10.1.1.2";
    let directory = place.path().join("captures");
    let Some((status, output)) = diff(&place, &script, &format!("--capture={}", directory.display())) else { return };
    assert!(output.contains("The kernels agree"), "{output}");
    assert_eq!(status, Some(0), "{output}");
    for (namespace, way) in [("", "P"), (".a", "Out"), (".b", "In")] {
        for kernel in ["host", "embedded"] {
            let file = directory.join(format!("{kernel}{namespace}.pcap"));
            let ours = read(place.netloom().arg("tcpdump"), &file).expect("our own");
            let asked = format!("{way:<3} IP 10.1.1.1 > 10.1.1.2: ICMP echo request");
            assert_eq!(ours.matches(&asked).count(), 2, "{kernel}{namespace}: {ours}");
            assert!(ours.contains("ARP, Request who-has 10.1.1.2 tell 10.1.1.1"), "{kernel}{namespace}: {ours}");
            match read(&mut Command::new("tcpdump"), &file) {
                Ok(theirs) => assert_eq!(theirs.matches(&asked).count(), 2, "{kernel}{namespace}: {theirs}"),
                Err(_) => eprintln!("skipped: tcpdump is not installed"),
            }
        }
    }
}

#[test]
fn captures_that_part_are_shown_in_tcpdump_s_words() {
    let place = Place::new();
    let ping = "[ -n \"$NETLOOM_MACHINE\" ] && ttl=9 || ttl=8\nip netns exec a ping -c 1 -t $ttl 10.1.1.2 >/dev/null";
    let script = bridge("netloom-p") + ping;
    let Some((status, output)) = diff(&place, &script, "--capture") else { return };
    assert_eq!(status, Some(1), "{output}");
    let of_b = output.split("# frames of eth0 in namespace b\n").nth(1).unwrap_or_else(|| panic!("{output}"));
    let lines: Vec<&str> = of_b.lines().take(2).collect();
    let asked = "10.1.1.1 > 10.1.1.2: ICMP echo request, id <N>, seq 1, length 64";
    for (line, (sign, ttl)) in lines.iter().zip([("-f>In", "ttl 8,"), ("+f>In", "ttl 9,")]) {
        assert!(line.starts_with(sign) && line.contains(ttl) && line.ends_with(asked), "{output}");
    }
    assert!(!output.contains("echo reply"), "{output}");
}

#[test]
fn frames_of_a_namespace_that_has_gone_count() {
    let place = Place::new();
    let script = "ip netns add c; ip -n c link set lo up; ip netns exec c ping -c 1 127.0.0.1; ip netns del c
        ip netns add c; ip netns exec c ip -br link
        ip -n c link set lo up; [ -n \"$NETLOOM_MACHINE\" ] || ip netns exec c ping -c 1 127.0.0.2; ip netns list";
    let Some((status, output)) = diff(&place, script, "--capture") else { return };
    assert_eq!(status, Some(1), "{output}");
    let frames: Vec<&str> = output.lines().filter(|line| line.contains("f>")).collect();
    assert_eq!(frames.len(), 2, "{output}");
    assert!(frames.iter().all(|line| line.starts_with("-f>") && line.contains("127.0.0.2")), "{output}");
}

#[test]
fn a_directory_that_takes_no_files_is_trouble() {
    let place = Place::new();
    let script = place.file("script.sh", "exit 0");
    let script = script.to_str().expect("a plain path");
    for directory in ["/dev/null", "/proc/self", "/nonexistent/captures"] {
        let output = place.run(&["diff", &format!("--capture={directory}"), script]);
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.contains(&format!("cannot keep captures in {directory}")), "{errors}");
        assert!(output.stdout.is_empty());
    }
}
