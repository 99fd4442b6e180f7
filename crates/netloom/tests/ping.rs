//! `ping` beside the real one, in a namespace of their own: the same words, the same exit status.

mod beside;

use beside::Host;

#[test]
fn ping_says_what_the_real_one_says() {
    let Some(host) = Host::new("ping", &["ping"]) else { return };
    host.setup(
        "ip link set lo up
         ip link add h2a address 02:00:00:00:00:0a type veth peer name h2b address 02:00:00:00:00:0b netns far
         ip addr add 10.1.0.1/24 dev h2a; ip addr add fd00::1/64 dev h2a nodad; ip link set h2a up
         ip -n far link set h2b up; ip -n far addr add 10.1.0.2/24 dev h2b
         ip -n far addr add fd00::2/64 dev h2b nodad",
    );
    for line in [
        "-c2 -i0.1 10.1.0.2",
        "-c1 -q 10.1.0.2",
        "-c1 -s 0 10.1.0.2",
        "-c1 -s 16 -p abc 10.1.0.2",
        "-c2 -i0.1 -R 10.1.0.2",
        "-c3 -f 10.1.0.2",
        "-c3 -l3 10.1.0.2",
        "-c1 -B -t 5 -Q 8 10.1.0.2",
        "-c1 -I h2a 10.1.0.2",
        "-c1 -I lo -W 0.2 10.1.0.2",
        "-c1 -I 10.1.0.1 10.1.0.2",
        "-c1 -I 10.9.9.9 10.1.0.2",
        "-c1 -I nosuch 10.1.0.2",
        "-c1 -M do -s 1473 10.1.0.2",
        "-c2 -O -i0.1 -W 0.2 10.1.0.99",
        "-c1 10.1.0.98",
        "-c1 10.1.0.255",
        "-c1 -b -W 0.2 10.1.0.255",
        "-c1 10.2.0.1",
        "-c1 0.0.0.0",
        "-c1 -4 fd00::2",
        "-c1 fd00::2",
        "-c1 -I h2a fd00::2",
        "-c1 -I fd00::1 fd00::2",
        "-c1 -I fd00::9 fd00::2",
        "-c1 -I nosuch fd00::2",
        "-c1 -M do -s 1500 fd00::2",
        "-c1 fe80::ff:fe00:b%h2a",
        "-c1 fd99::1",
        "-c1 -t 0 10.1.0.2",
        "-c1 -i 0,5 10.1.0.2",
        "-c0 10.1.0.2",
        "-Z",
        "-h",
        "-V",
        "",
    ] {
        host.compare("ping", line);
    }
}
