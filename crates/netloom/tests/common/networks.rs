//! A network for pictures, and scripts that draw it on either kernel.

use super::{Place, host_network, text};

/// Namespaces of every sort: with two cables, one, a device of another namespace below theirs, none.
pub(crate) const NETWORK: &str = "set -e; export LC_ALL=C.UTF-8 COLUMNS=80
    ip netns add lan; ip netns add web; ip netns add c10; ip netns add c2
    ip link set lo up; ip -n web link set lo up
    ip link add br0 type bridge; ip link set br0 up; ip addr add 10.1.1.254/24 dev br0
    ip link add eth0 type veth peer name eth0 netns lan
    ip link add veth0 type veth peer name eth0 netns web
    for port in eth0 veth0; do ip link set $port master br0 up; done
    for address in 10.1.1.1/24 192.0.2.129/25 198.51.100.1/24; do ip -n lan addr add $address dev eth0; done
    ip -n lan addr add 2001:db8:1234:5678::1/64 dev eth0 nodad
    ip -n lan link set eth0 up
    ip -n web addr add 10.1.1.2/24 dev eth0; ip -n web link set eth0 up
    ip link add local0 type veth peer name local1; ip link set local1 up
    # The host's bridge hears of its ports' carrier later.
    for try in $(seq 100); do ip link show br0 | grep -q LOWER_UP && break; sleep 0.1; done
    set +e
";

/// Not every kernel of a host has them.
pub(crate) const MACVLANS: &str = "
    ip link add dummy0 type dummy; ip link set dummy0 promisc on
    ip link add mv0 link dummy0 type macvlan mode bridge
    ip link add mv1 link dummy0 type macvlan mode vepa; ip link set mv1 netns c10
";

/// What a script writes on the embedded kernel.
pub(crate) fn embedded(script: &str) -> String {
    let (output, status) = Place::new().script(script);
    assert_eq!(status, Some(0), "{output}");
    output
}

/// The same on the host's kernel. `None`, and a line that says so, where it allows no namespaces.
pub(crate) fn on_host(script: &str) -> Option<String> {
    let (place, before) = (Place::new(), host_network());
    let script = place.file("script.sh", &format!("exec 2>&1\n{script}"));
    let output = place.netloom().args(["run", "--host"]).arg(script).output().expect("the binary starts");
    let errors = text(&output.stderr);
    if errors.contains("leave out --host") {
        eprintln!("skipped: no namespaces here");
        return None;
    }
    assert_eq!(output.status.code(), Some(0), "{} {errors}", text(&output.stdout));
    assert_eq!(host_network(), before);
    Some(text(&output.stdout))
}
