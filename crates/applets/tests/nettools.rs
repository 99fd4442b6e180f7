//! net-tools, ethtool, sysctl, nstat: the applets' bytes against the real tools', each in a fresh namespace of the host.
//!
//! Every scenario runs twice: once with the tools installed here, once with the applets in their place. Where there is no
//! root or a tool is missing, the comparison is skipped and says so.

mod common;

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use netloom_applets::Context;
use netloom_machine::{Machine, Netns};

/// Tells the process in a namespace which scenario to run, and with which tools.
const SCENARIO: &str = "NETLOOM_TEST_SCENARIO";
const APPLETS: &str = "NETLOOM_TEST_APPLETS";

/// A scenario: its name, the tools that applets stand in for, the commands.
type Scenario = (&'static str, &'static [&'static str], &'static [&'static str]);

/// A quiet pair of devices with addresses that never change.
const PAIR: &[&str] = &[
    "sysctl -qw net.ipv6.conf.default.disable_ipv6=1",
    "ip link set lo up",
    "ip link add v0 address 02:00:00:00:00:0a type veth peer name v1 address 02:00:00:00:00:0b",
];

const IFCONFIG: Scenario = (
    "ifconfig",
    &["ifconfig"],
    &[
        "ifconfig -a",
        "ifconfig -a -s",
        "ifconfig v0 10.1.0.1",
        "ifconfig v0",
        "ifconfig v0 10.1.0.1/24 mtu 1400",
        "ifconfig v0 add 10.1.0.2",
        "ifconfig v0 add 10.1.0.2/24",
        "ifconfig v0:7 10.5.0.1/24",
        "ifconfig -a",
        "ifconfig v0 del 10.1.0.2",
        "ifconfig v0:7 down",
        "ifconfig v0 hw ether 02:00:00:00:00:aa",
        "ifconfig v0 hw ether zz",
        "ifconfig v0 hw bogus 1",
        "ifconfig v0 mtu 5",
        "ifconfig v0 -broadcast pointopoint 10.1.0.9",
        "ifconfig v0 promisc allmulti -arp -multicast dynamic",
        "ifconfig v0",
        "ifconfig v0 10.1.0.1/x",
        "ifconfig v0 10.1.0.256",
        "ifconfig nosuch",
        "ifconfig nosuch up",
        "ifconfig nosuch 10.1.0.1/24",
        "ifconfig v0 0.0.0.0",
        "ifconfig v0 down",
        "ifconfig v0 name v2",
        "ifconfig -x",
        "ip -o -4 addr",
    ],
);

const ROUTE: Scenario = (
    "route",
    &["route", "netstat"],
    &[
        "route -n",
        "ip addr add 10.1.0.1/24 dev v0",
        "ip link set v0 up",
        "ip link set v1 up",
        "route add default gw 10.1.0.254",
        "route add default gw 10.99.0.1",
        "route add -net 10.3.0.0 netmask 255.255.0.0 dev v0",
        "route add -net 10.3.0.1 netmask 255.255.0.0 dev v0",
        "route add -net 10.4.0.0/16 gw 10.1.0.2 metric 5 mss 1000 window 2000 irtt 300",
        "route add -host 10.5.0.1 v0",
        "route add -net 10.6.0.0/16 reject",
        "route add -net 10.7.0.0/16 gw default",
        "route add -net 10.7.0.0 netmask 255.0.255.0 v0",
        "route add -net 10.7.0.0/16 v0 v0",
        "route add",
        "route frob",
        "route",
        "route -n",
        "route -ne",
        "route -nee",
        "route -C",
        "netstat -rn",
        "netstat -rne",
        "route del default",
        "route del default",
        "route del -net 10.3.0.0/16",
        "route -6 -n",
        "route -V",
        "ip route",
    ],
);

const ARP: Scenario = (
    "arp",
    &["arp"],
    &[
        "ip addr add 10.1.0.1/24 dev v0",
        "ip link set v0 up",
        "ip link set v1 up",
        "arp -n",
        "arp -s 10.1.0.5 02:00:00:00:00:05",
        "arp -n",
        "arp -an",
        "arp -nv",
        "arp -n 10.1.0.5",
        "arp -n 10.1.0.77",
        "arp -an 10.1.0.77",
        "arp -n -i lo",
        "arp -d 10.1.0.5",
        "arp -d 10.1.0.5",
        "arp -i v0 -Ds 10.1.0.8 v0 pub",
        "arp -s 10.1.0.7 02:00:00:00:00:07 pub",
        "arp -n",
        "arp -s 10.1.0.5",
        "arp -s 10.1.0.5 zz",
        "arp -s 10.99.0.5 02:00:00:00:00:05",
        "arp -H bogus",
        "arp --foo",
    ],
);

const NETSTAT: Scenario = (
    "netstat",
    &["netstat"],
    &[
        "ip addr add 10.1.0.1/24 dev v0",
        "ip link set v0 up",
        "netstat -i",
        "netstat -ia",
        "netstat -in",
        "netstat -ie",
        "netstat -g",
        "netstat -an",
        "netstat -tlnpeo",
        "netstat -x",
        "netstat -ir",
        "netstat -M",
        "netstat -st",
        "netstat -su",
        "netstat --foo",
    ],
);

const ETHTOOL: Scenario = (
    "ethtool",
    &["ethtool"],
    &[
        "ip link add br0 type bridge",
        "ethtool v0",
        "ethtool lo",
        "ethtool br0",
        "ethtool nosuch",
        "ethtool -i v0",
        "ethtool -S v0",
        "ethtool -S lo",
        "ethtool -k v0",
        "ethtool --json -k lo",
        "ethtool -K v0 tx off",
        "ethtool -K v0 tx on",
        "ethtool -K v0 lro on",
        "ethtool -K v0 frob on",
        "ethtool -K v0 gro maybe",
        "ethtool -l v0",
        "ethtool -L v0 rx 2 tx 2",
        "ethtool -L v0 rx 3",
        "ethtool -L v0 foo 3",
        "ethtool -l v0",
        "ethtool -T v0",
        "ethtool -P v0",
        "ethtool -a v0",
        "ethtool -A v0 rx on",
        "ethtool -s v0 speed 1000",
        "ethtool -n v0",
        "ethtool -r v0",
        "ethtool",
    ],
);

const SYSCTL: Scenario = (
    "sysctl",
    &["sysctl", "nstat"],
    &[
        "ip link add eth0.1 type veth peer name p0",
        "sysctl net.ipv4.ip_forward",
        "sysctl net.ipv4.conf.eth0/1.forwarding",
        "sysctl net/ipv4/conf/eth0.1/forwarding",
        "sysctl net.ipv4.conf.eth0.1.forwarding",
        "sysctl -w net.ipv4.ip_forward=1",
        "sysctl -w net.ipv4.ip_forward=x",
        "sysctl -w net.ipv4.ip_forward",
        "sysctl -w nosuch=1",
        "sysctl -n net.ipv4.tcp_rmem",
        "sysctl -a -r conf.lo.*forward",
        "sysctl net.ipv4.neigh.lo",
        "nstat -azs IpInReceives IpExtInOctets",
        "nstat -azsj Ip6*",
    ],
);

const SCENARIOS: [Scenario; 6] = [IFCONFIG, ROUTE, ARP, NETSTAT, ETHTOOL, SYSCTL];

/// Runs one command line, by an applet where it stands in for the tool; what it printed.
fn transcript(line: &str, applets: &[&str], machine: &Machine) -> String {
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let (name, arguments) = words.split_first().expect("a command");
    let (out, err, status) = match netloom_applets::find(name).filter(|_| applets.contains(&name.as_str())) {
        Some(applet) => {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let mut context = Context { machine, netns: Netns::Current, out: &mut out, err: &mut err };
            let status = (applet.run)(&mut context, arguments) & 0xff;
            (out, err, status)
        }
        None => {
            let output = Command::new(name).args(arguments).stdin(Stdio::null()).output().expect("an installed tool");
            (output.stdout, output.stderr, output.status.code().unwrap_or(-1))
        }
    };
    let mut text = format!("$ {line}\n");
    for (mark, bytes) in [(">", out), ("2>", err)] {
        for line in String::from_utf8_lossy(&bytes).lines() {
            // How much has been sent meanwhile is no matter of the tool.
            let counters = ["RX packets", "TX packets", "TX errors", "RX errors"];
            if !counters.iter().any(|counter| line.trim_start().starts_with(counter)) {
                writeln!(text, "{mark}{line}").expect("a string takes all");
            }
        }
    }
    writeln!(text, "={status}").expect("a string takes all");
    text
}

/// Runs in a namespace of its own, started by [`compare`].
#[test]
#[ignore = "runs inside the namespaces that the other tests make"]
fn in_namespace() {
    let Ok(scenario) = std::env::var(SCENARIO) else { return };
    let with_applets = std::env::var_os(APPLETS).is_some();
    let machine = Machine::from_env().expect("the host");
    let (_, applets, lines) = SCENARIOS.iter().find(|(name, ..)| *name == scenario).expect("a scenario");
    let applets: &[&str] = if with_applets { applets } else { &[] };
    let mut text = String::new();
    for line in PAIR.iter().chain(*lines) {
        text.push_str(&transcript(line, applets, &machine));
        common::settle(&Netns::Current);
    }
    std::io::stderr().write_all(text.as_bytes()).expect("a pipe");
}

fn run(scenario: &str, applets: bool) -> Option<String> {
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount"]).arg(std::env::current_exe().ok()?);
    command.args(["--exact", "in_namespace", "--ignored", "--nocapture"]);
    command.env(SCENARIO, scenario).env("LC_ALL", "C").env_remove("NETLOOM_MACHINE");
    // `route` asks for names that nobody can tell it there.
    command.env("RES_OPTIONS", "timeout:1 attempts:1");
    if applets {
        command.env(APPLETS, "1");
    }
    let output = command.output().ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.success() && text.contains('$')).then_some(text)
}

fn compare((scenario, tools, _): Scenario) {
    let installed =
        |tool: &&str| Command::new(tool).arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !tools.iter().all(installed) {
        println!("skipped: {scenario}: not every tool of {tools:?} is installed");
        return;
    }
    let Some(real) = run(scenario, false) else {
        println!("skipped: {scenario}: no namespace of one's own");
        return;
    };
    let ours = run(scenario, true).expect("the applets end");
    let (real, ours): (Vec<&str>, Vec<&str>) = (real.split("\n$ ").collect(), ours.split("\n$ ").collect());
    assert_eq!(real.len(), ours.len());
    for (real, ours) in real.iter().zip(&ours) {
        assert_eq!(real, ours, "{scenario}");
    }
}

#[test]
fn ifconfig_is_net_tools_ifconfig() {
    compare(IFCONFIG);
}

#[test]
fn route_is_net_tools_route() {
    compare(ROUTE);
}

#[test]
fn arp_is_net_tools_arp() {
    compare(ARP);
}

#[test]
fn netstat_is_net_tools_netstat() {
    compare(NETSTAT);
}

#[test]
fn ethtool_is_ethtool() {
    compare(ETHTOOL);
}

#[test]
fn sysctl_and_nstat_are_procps_and_iproute2_s() {
    compare(SYSCTL);
}
