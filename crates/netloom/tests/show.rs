//! `netloom show`: one topology on both kernels, hostile names, nothing, much.

mod common;

use common::networks::{MACVLANS, NETWORK, embedded, on_host};
use common::{AS_NOBODY, Place, host_network, is_root, text};
use insta::assert_snapshot;

#[test]
fn a_picture_shows_namespaces_devices_and_cables() {
    assert_snapshot!(embedded(&format!("{NETWORK} {MACVLANS} netloom show")));
    let script = format!("{NETWORK} netloom show");
    if let Some(on_host) = on_host(&script) {
        assert_eq!(on_host, embedded(&script));
    }
}

#[test]
fn ascii_where_the_locale_has_nothing_else() {
    let output = embedded(&format!(
        "{NETWORK} {MACVLANS} netloom show --ascii; LC_ALL=C netloom show; LC_ALL= LANG= netloom show"
    ));
    assert!(output.is_ascii(), "{output}");
    let third = output.len() / 3;
    assert_eq!(output, output[..third].repeat(3));
    assert_snapshot!(&output[..third]);
}

#[test]
fn colours_come_where_they_are_wanted() {
    let output = embedded(&format!("{NETWORK} netloom show --color always; echo ----; NO_COLOR=1 netloom show"));
    let (coloured, plain) = output.split_once("----\n").expect("both pictures");
    assert!(!plain.contains('\x1b'), "no terminal, no colours: {plain}");
    assert!(coloured.contains("\x1b[1;31mDOWN\x1b[0m"), "{coloured}");
    assert_eq!(without_colours(coloured), plain);
}

fn without_colours(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once('m').expect("a whole sequence").1)
}

/// Where there is no room for lines, their ends are named; what is long is wrapped.
#[test]
fn a_narrow_terminal() {
    let output = embedded(&format!("{NETWORK} {MACVLANS} COLUMNS=46 netloom show; COLUMNS=1 netloom show > /dev/null"));
    assert!(output.lines().all(|line| line.chars().count() <= 46), "{output}");
    assert_snapshot!(output);
}

#[test]
fn everything_includes_addresses_of_links() {
    let script = "ip link add dummy0 address 02:00:00:00:00:01 type dummy; ip link set dummy0 up; ip addr add 192.0.2.1/24 dev dummy0
        ip addr add 169.254.1.1/16 dev dummy0; export LC_ALL=C.UTF-8; netloom show --all | grep dummy0; netloom show | grep dummy0";
    let output = embedded(script);
    let lines: Vec<String> = output.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let expected = [
        "│ dummy0 dummy 192.0.2.1/24 169.254.1.1/16 fe80::ff:fe00:1/64 │",
        "│ dummy0 dummy 192.0.2.1/24 169.254.1.1/16 │",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn an_empty_machine_has_one_namespace() {
    let expected = "+- root namespace ---+\n| lo  loopback  DOWN |\n+--------------------+\n";
    assert_eq!(embedded("netloom show --ascii"), expected);
}

#[test]
fn a_machine_that_is_named() {
    let place = Place::new();
    place.run(&["up", "m"]);
    assert_eq!(place.run(&["-m", "m", "ip", "netns", "add", "blue"]).status.code(), Some(0));
    let shown = text(&place.run(&["-m", "m", "show", "--ascii"]).stdout);
    assert!(shown.contains("+- root namespace") && shown.contains("+- namespace blue"), "{shown}");
    // Seen from inside of a namespace, the others are still there, and a process keeps one that has no name.
    let inside = "unshare -n sh -c 'sleep 1000 & echo $! > pid; wait' & until [ -s pid ]; do sleep 0.1; done
        ip netns exec blue netloom show --ascii | sed \"s/$(cat pid)/PID/; s/process [0-9]*/process N/; s/(pid [0-9]*)/(pid N)/\"; kill $(cat pid)";
    let script = format!("cd {}; {inside}", place.path().display());
    let shown = place.run(&["-m", "m", "exec", "bash", "-c", &script]);
    let titles: Vec<String> = text(&shown.stdout)
        .lines()
        .filter_map(|line| Some(line.strip_prefix("+- ")?.trim_end_matches(['-', '+']).trim_end().to_owned()))
        .collect();
    assert_eq!(titles, ["namespace blue - here", "root namespace", "namespace of process N - sh (pid N)"]);
    let missing = place.run(&["-m", "nope", "show"]);
    assert_eq!(missing.status.code(), Some(1));
}

#[test]
fn hostile_names_do_not_steer_the_terminal() {
    let script = "export LC_ALL=C.UTF-8
        ip netns add $'two\\nlines'; ip netns add $'\\e[31m'; ip netns add \"$(printf '%0200d' 0)\"; ip netns add 網路
        ip link add $'\\e]0;x\\a' type veth peer name '網路卡' netns 網路
        ip link add '<&\">' type bridge; ip link add $'\\u202eabc' type dummy; netloom show --color never; netloom show --ascii";
    let output = embedded(script);
    let steers = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
    assert!(!output.contains(steers), "{output:?}");
    assert_snapshot!(output);
}

#[test]
fn many_cables_are_named() {
    let script = "ip link add br0 type bridge; ip link set br0 up
        for i in $(seq 200); do ip netns add c$i; done
        for i in $(seq 200); do echo link add veth$i type veth peer name eth0 netns c$i; echo link set veth$i master br0 up; done | ip -batch -
        for i in $(seq 200); do { echo addr add 10.0.0.$i/24 dev eth0; echo link set eth0 up; } | ip -n c$i -batch -; done
        ip -n c7 link add dummy0 type dummy; export LC_ALL=C.UTF-8; netloom show";
    let output = embedded(script);
    let lines: Vec<&str> = output.lines().collect();
    // A row for each, and a box for the one that is more than a cable's end.
    assert_eq!(lines.len(), 1 + 2 + 200 + 1 + 5 + 1, "{output}");
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{output}");
    let row = lines.iter().find(|line| line.contains("veth200 ")).expect("the last one");
    let row = row.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(row, "│ ╰─ veth200 veth promisc ⇄ eth0 in c200 10.0.0.200/24 │");
    assert!(output.contains("╭─ namespace c7 ─"), "{output}");
}

#[test]
fn a_namespace_that_cannot_be_entered_is_told() {
    if !is_root() {
        eprintln!("skipped: becoming nobody takes root");
        return;
    }
    let script = format!(
        "ip netns add blue; ip link add vb type veth peer name eth0 netns blue
        ip -n blue link add mv0 link eth0 type macvlan; ip -n blue link set mv0 netns 1
        mkdir -m 755 /run/netns/bin; cp \"$(readlink -f \"$(type -P netloom)\")\" /run/netns/bin/netloom
        {AS_NOBODY} /run/netns/bin/netloom show --ascii"
    );
    let Some(output) = on_host(&script) else { return };
    assert!(output.contains("| cannot be entered: Operation not permitted (os error 1)"), "{output}");
    let squeezed = output.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(output.contains("can't be looked at by this user."), "{output}");
    assert!(squeezed.contains("| vb veth DOWN peer if2 in blue |"), "{output}");
    if output.contains("Unknown device type") {
        eprintln!("skipped: this host has no macvlans");
        return;
    }
    assert!(squeezed.contains("| mv0 macvlan vepa DOWN on if2 in blue |"), "{output}");
}

#[test]
fn the_host_is_left_alone() {
    let before = host_network();
    let output = Place::new().run(&["show", "--ascii"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).starts_with("+- "));
    assert_eq!(host_network(), before);
}
