//! `netloom graph`: one topology in every language, on both kernels; names that look like syntax; nothing, much.

mod common;

use std::io::Write;
use std::process::{Command, Stdio};

use common::networks::{MACVLANS, NETWORK, embedded, on_host};
use common::{Place, host_network, text};
use insta::assert_snapshot;

/// Names that mean something in SVG, Graphviz's language, Mermaid's, JSON or a terminal.
const HOSTILE: &str = "
    ip netns add 'a\"b<c>&d'; ip netns add $'two\\nlines'; ip netns add '<!--]]>'; ip netns add 網路; ip netns add '\\N'
    ip link add '<&\">' type veth peer name \"'\\\\n\\\"]\" netns 'a\"b<c>&d'
    ip link add '&lt;' type veth peer name '網路卡' netns 網路
    ip link add $'\\e[1m' type dummy; ip link add 'end' type dummy; ip link add '#;`{|}' type bridge; ip link add '\\N' type dummy
";

/// The picture on the embedded kernel and, where that can be had, the same on the host's.
fn on_both(format: &str) -> String {
    let script = format!("{NETWORK} netloom graph --format {format}");
    if let Some(on_host) = on_host(&script) {
        assert_eq!(on_host, embedded(&script));
    }
    embedded(&format!("{NETWORK} {MACVLANS} netloom graph --format {format}"))
}

/// Every text of an SVG picture, which has to be well-formed for that.
fn texts(svg: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).expect("well-formed XML");
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts.map(|node| node.text().unwrap_or_default().to_owned()).collect()
}

/// Whether Graphviz takes it. `None` where there is no Graphviz.
fn graphviz_takes(dot: &str) -> Option<bool> {
    let child =
        Command::new("dot").arg("-Tsvg").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut child) = child else {
        eprintln!("skipped: Graphviz is not installed");
        return None;
    };
    child.stdin.take().expect("a pipe").write_all(dot.as_bytes()).expect("dot reads");
    let output = child.wait_with_output().expect("our child");
    assert_eq!(text(&output.stderr), "");
    Some(output.status.success())
}

#[test]
fn svg() {
    let output = on_both("svg");
    let texts = texts(&output);
    for expected in
        ["root namespace", "namespace web", "br0", "10.1.1.254/24", "2001:db8:1234:5678::1/64", "DOWN", "NO-CARRIER"]
    {
        assert!(texts.iter().any(|text| text == expected), "{expected}: {texts:?}");
    }
    // Three cables, of which one is dead; the other dotted line leads to a macvlan in another namespace.
    assert_eq!(output.matches("<path class=\"cable\"").count(), 2);
    assert_eq!(output.matches("<path class=\"cable dead\"").count(), 1);
    assert_snapshot!(output);
}

#[test]
fn dot() {
    let output = on_both("dot");
    assert_ne!(graphviz_takes(&output), Some(false));
    assert_snapshot!(output);
}

#[test]
fn mermaid() {
    assert_snapshot!(on_both("mermaid"));
}

#[test]
fn json() {
    let script = "ip netns add blue; ip link add br0 address 02:00:00:00:00:03 type bridge
        ip link add veth0 address 02:00:00:00:00:01 type veth peer name eth0 address 02:00:00:00:00:02 netns blue
        ip link set veth0 up master br0; ip -n blue link set eth0 up; ip -n blue addr add 10.0.0.1 peer 10.0.0.2/32 dev eth0
        ip -n blue link add mv0 link eth0 address 02:00:00:00:00:04 type macvlan mode vepa; ip -n blue link set mv0 netns 1
        netloom graph --format json";
    let output = embedded(script);
    let parsed: serde_json::Value = serde_json::from_str(&output).expect("JSON");
    assert_ne!(parsed["namespaces"][0]["inode"], parsed["namespaces"][1]["inode"]);
    // The numbers of namespaces are the machine's business.
    let lines = output.lines().map(|line| if line.contains("\"inode\"") { "      \"inode\": …," } else { line });
    assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn hostile_names_stay_names() {
    let script = |format: &str| format!("{HOSTILE} netloom graph --format {format}");
    let svg = embedded(&script("svg"));
    let texts = texts(&svg);
    for expected in [
        "<&\">",
        "'\\n\"]",
        "&lt;",
        "\u{fffd}[1m",
        "#;`{|}",
        "\\N",
        "namespace a\"b<c>&d",
        "namespace two\u{fffd}lines",
        "namespace <!--]]>",
    ] {
        assert!(texts.iter().any(|text| text == expected), "{expected}: {texts:?}");
    }
    let dot = embedded(&script("dot"));
    assert_ne!(graphviz_takes(&dot), Some(false));
    assert_snapshot!("hostile_dot", dot);
    assert_snapshot!("hostile_mermaid", embedded(&script("mermaid")));
    let json: serde_json::Value = serde_json::from_str(&embedded(&script("json"))).expect("JSON");
    let names =
        json["namespaces"][0]["devices"].as_array().expect("devices").iter().map(|device| device["device"].as_str());
    assert!(names.flatten().any(|name| name == "\u{1b}[1m"), "{json}");
}

#[test]
fn an_empty_machine_is_a_card() {
    let output = embedded("netloom graph");
    assert_eq!(texts(&output), ["root namespace"]);
    assert_eq!(texts(&embedded("netloom graph --all")), ["root namespace", "lo", "loopback", "DOWN"]);
    let dot = embedded("netloom graph --format dot");
    assert!(dot.contains("no devices"), "{dot}");
    assert_ne!(graphviz_takes(&dot), Some(false));
    assert_eq!(embedded("netloom graph --format mermaid").lines().nth(2), Some("    e0[\"no devices\"]"));
}

#[test]
fn many_cables_do_not_cross() {
    let script = "ip link add br0 type bridge
        for i in $(seq 100); do ip netns add c$i; done
        for i in $(seq 100); do echo link add veth$i type veth peer name eth0 netns c$i; echo link set veth$i master br0; done | ip -batch -
        netloom graph";
    let output = embedded(script);
    let document = roxmltree::Document::parse(&output).expect("well-formed XML");
    let cables = document.descendants().filter(|node| node.attribute("class") == Some("cable dead"));
    // The heights at which each begins and ends.
    let ends: Vec<(f64, f64)> = cables
        .map(|cable| {
            let path = cable.attribute("d").expect("a path");
            let numbers: Vec<f64> = path.split(['M', 'C', ' ']).filter_map(|number| number.parse().ok()).collect();
            (numbers[1], numbers[numbers.len() - 1])
        })
        .collect();
    assert_eq!(ends.len(), 100);
    assert!(ends.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1), "{ends:?}");
}

#[test]
fn the_same_machine_gives_the_same_picture() {
    let script =
        format!("{NETWORK} {MACVLANS} netloom graph > first; netloom graph > second; cmp first second && echo same");
    let place = Place::new();
    let (output, _) = place.script(&format!("cd {}; {script}", place.path().display()));
    assert_eq!(output, "same\n");
}

/// The README's pictures are what the tour of its first command looks like.
#[test]
fn the_readme_s_pictures_are_up_to_date() {
    let tour = include_str!("../../../examples/veth-bridge.sh");
    let (first_parts, _) = tour.split_once("\nsay '6.").expect("the tour has six parts");
    let script =
        |command: &str| format!("{{ {first_parts}\n}} > /dev/null 2>&1; export LC_ALL=C.UTF-8 COLUMNS=80; {command}");
    let drawn = embedded(&script("netloom graph"));
    assert!(drawn == include_str!("../../../docs/veth-bridge.svg"), "docs/veth-bridge.svg should be\n{drawn}");
    let shown = embedded(&script("netloom show"));
    let readme = include_str!("../../../README.md");
    assert!(readme.contains(&format!("$ netloom show\n{shown}```\n")), "the README should have\n{shown}");
}

#[test]
fn the_host_is_left_alone() {
    let before = host_network();
    for format in ["svg", "dot", "mermaid", "json"] {
        let output = Place::new().run(&["graph", "--format", format]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }
    let wrong = Place::new().run(&["graph", "--format", "png"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert_eq!(host_network(), before);
}
