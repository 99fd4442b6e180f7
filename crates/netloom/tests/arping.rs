//! `arping` beside the real one, in a namespace of their own: the same words, the same exit status.

mod beside;

use beside::Host;

#[test]
fn arping_says_what_the_real_one_says() {
    let Some(host) = Host::new("arping", &["arping"]) else { return };
    host.setup(
        "ip link set lo up
         ip link add h2a address 02:00:00:00:00:0a type veth peer name h2b address 02:00:00:00:00:0b netns far
         ip link add h2c type veth peer name h2d
         ip addr add 10.1.0.1/24 dev h2a; ip link set h2a up
         ip -n far link set h2b up; ip -n far addr add 10.1.0.2/24 dev h2b",
    );
    for line in [
        "-c2 -I h2a 10.1.0.2",
        "-b -c2 -I h2a 10.1.0.2",
        "-f -w2 -I h2a 10.1.0.2",
        "-q -c1 -I h2a 10.1.0.2",
        "-c1 10.1.0.2",
        "-c1 -w1 -I h2a 10.1.0.99",
        "-D -c2 -I h2a 10.1.0.2",
        "-D -w1 -I h2a 10.1.0.99",
        "-U -c1 -I h2a 10.1.0.1",
        "-A -c1 -I h2a 10.1.0.1",
        "-s 10.9.9.9 -c1 -I h2a 10.1.0.2",
        "-s 10.1.0.1 -c1 -I h2a 10.1.0.2",
        "-I nosuch -c1 10.1.0.2",
        "-I lo -c1 127.0.0.1",
        "-I h2c -c1 10.1.0.2",
        "-c x -I h2a 10.1.0.2",
        "-c 0 -I h2a 10.1.0.2",
        "-Z",
        "-I h2a",
        "-V",
        "",
    ] {
        host.compare("arping", line);
    }
    host.setup("ip addr flush dev h2a");
    host.compare("arping", "-c1 -w1 -I h2a 10.1.0.2");
}
