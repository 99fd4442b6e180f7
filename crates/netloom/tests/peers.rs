//! `netloom peers`, in namespaces apart from the host's.

mod common;

use common::{AS_NOBODY, Place, host_network, is_root, text};

const NETWORK: &str = "set -e; exec 2>&1
    ip netns add blue; ip netns add red
    ip link add br0 type bridge
    ip link add vb type veth peer name eth0 netns blue
    ip link add vr type veth peer name eth0 netns red
    ip link add local0 type veth peer name local1
    ip -n blue link add in type veth peer name out netns red
    ip link set vb master br0
    ip -n blue addr add 192.0.2.2/24 dev eth0; ip -n blue addr add 2001:db8::2/64 dev eth0
    set +e
";

/// The output of commands after [`NETWORK`]. `None`, and a line that says so, where the host allows no namespaces.
fn on_network(script: &str) -> Option<String> {
    let (place, before) = (Place::new(), host_network());
    let script = place.file("script.sh", &format!("{NETWORK}{script}"));
    let output = place.netloom().args(["run", "--host"]).arg(script).output().expect("the binary starts");
    let errors = text(&output.stderr);
    if errors.contains("leave out --host") {
        eprintln!("skipped: no namespaces here");
        return None;
    }
    assert_eq!(host_network(), before);
    Some(text(&output.stdout) + &errors)
}

/// One space where there are more.
fn squeezed(table: &str) -> String {
    let lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn pairs_are_found_though_ifindexes_repeat() {
    let Some(output) = on_network("netloom peers") else { return };
    let expected = "DEVICE BRIDGE PEER NAMESPACE ADDRESSES OWNER
vb br0 eth0 blue 192.0.2.2/24,2001:db8::2/64 -
vr - eth0 red - -
local1 - local0 (this one) - -
blue/in - out red - -";
    assert_eq!(squeezed(&output), expected);
}

#[test]
fn one_device_is_asked_for() {
    let Some(output) = on_network("netloom peers vr; netloom peers out | tail -1; netloom peers nope; echo =$?") else {
        return;
    };
    let expected = "DEVICE BRIDGE PEER NAMESPACE ADDRESSES OWNER
vr - eth0 red - -
blue/in - out red - -
× there is no veth device named nope in any namespace that can be entered

=1";
    assert_eq!(squeezed(&output), expected);
}

#[test]
fn a_process_s_namespace_needs_no_name() {
    let script = "mkfifo /run/netns/ready; unshare -n sh -c 'echo > /run/netns/ready; exec sleep 100' & read x < /run/netns/ready
        ip link add vp type veth peer name eth0 netns $!
        netloom peers vp | sed \"s/$!/PID/g\"; netloom peers --container $! | sed \"s/$!/PID/g\"
        netloom peers --container nope";
    let Some(output) = on_network(script) else { return };
    let output = squeezed(&output).replace("sh (pid", "sleep (pid");
    let row = "DEVICE BRIDGE PEER NAMESPACE ADDRESSES OWNER\nvp - eth0 pid PID - sleep (pid PID)\n";
    assert!(output.starts_with(&format!("{row}{row}× there is no container named nope")), "{output}");
}

#[test]
fn json_has_every_detail() {
    let Some(output) = on_network("netloom peers -j vb | sed 's/402653[0-9]*/INODE/g'") else { return };
    let expected = r#"[{"device":"vb","ifindex":3,"bridge":"br0","addresses":[],"namespace":{"inode":INODE,"own":true,"names":[],"owner":null},"#
        .to_owned()
        + r#""peer":{"device":"eth0","ifindex":2,"bridge":null,"addresses":["192.0.2.2/24","2001:db8::2/64"],"#
        + r#""namespace":{"inode":INODE,"own":false,"names":["blue"],"owner":null}}}]"#
        + "\n";
    assert_eq!(output, expected);
}

#[test]
fn a_namespace_that_cannot_be_entered_is_told() {
    if !is_root() {
        eprintln!("skipped: becoming nobody takes root");
        return;
    }
    // Below a folder that nobody may enter there is no binary for them.
    let script = format!(
        "mkdir -m 755 /run/netns/bin; cp \"$(readlink -f \"$(type -P netloom)\")\" /run/netns/bin/netloom
        {AS_NOBODY} /run/netns/bin/netloom peers"
    );
    let Some(output) = on_network(&script) else { return };
    let output = squeezed(&output);
    assert!(
        output.contains("\nvb br0 if2 blue (cannot be entered: Operation not permitted (os error 1)) -\n"),
        "{output}"
    );
    assert!(output.contains("\nlocal1 - local0 (this one) - -"), "{output}");
}

#[test]
fn the_host_s_own_pairs_are_listed_and_left_alone() {
    let (place, before) = (Place::new(), host_network());
    let output = place.run(&["peers"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).starts_with("DEVICE"));
    let output = place.netloom().arg("peers").env("NETLOOM_MACHINE", "/somewhere").output().expect("the binary starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("looks at the host"));
    assert_eq!(host_network(), before);
}
