//! Both ends of a cable in one bridge: frames circle for ever, and the kernel stays in charge.

use netloom_kernel::MacAddr;
use netloom_testkit::frames;
use netloom_testkit::lab::Lab;

fn counter(lab: &Lab, name: &str, which: &str) -> u64 {
    lab.read(lab.root(), &format!("/sys/class/net/{name}/statistics/{which}")).trim().parse().unwrap()
}

#[test]
fn a_storm_takes_turns_is_logged_rarely_and_ends_with_the_bridge() {
    let mut lab = Lab::new(1);
    let root = lab.root();
    lab.bridge(root, "br0");
    lab.veth(root, "in", root, "out");
    for name in ["loop0", "loop2"] {
        lab.veth(root, name, root, &name.replace('0', "1").replace('2', "3"));
    }
    for name in ["in", "loop0", "loop1", "loop2", "loop3"] {
        lab.join(root, name, "br0");
    }
    let sender = lab.packet_socket(root, "out");
    let watcher = lab.packet_socket(root, "br0");

    // What a loop brings back is from the bridge itself, and that is what the log complains about.
    let source = lab.mac(root, "br0");
    lab.send(sender, &frames::plain(MacAddr::BROADCAST, source)).unwrap();
    let mut received = 0;
    for _ in 0..3 {
        assert_eq!(lab.kernel.deadline(), Some(lab.now()), "the storm wants another turn at once");
        lab.poll(lab.now());
        let now = counter(&lab, "br0", "rx_packets");
        assert!(now > received, "frames move with every turn");
        assert!(now - received < 100_000, "{} frames in one turn", now - received);
        received = now;
    }
    // What nobody reads stays within a receive buffer (212,992 bytes, a frame at a time).
    assert!(lab.received(watcher).len() < 400);

    // In the middle of it the kernel answers, and time passes.
    assert_eq!(lab.read(root, "/sys/class/net/br0/operstate"), "up\n");
    for _ in 0..2 {
        lab.poll(lab.now() + std::time::Duration::from_secs(1));
    }
    let warnings = lab.log().iter().filter(|line| line.contains("received packet on")).count();
    assert!((1..=30).contains(&warnings), "{warnings} warnings");

    // Who has nothing to do with it doesn't wait for it.
    lab.veth(root, "quiet0", root, "quiet1");
    let (here, there) = (lab.packet_socket(root, "quiet0"), lab.packet_socket(root, "quiet1"));
    lab.received(there);
    for _ in 0..100 {
        let frame = frames::plain(lab.mac(root, "quiet1"), lab.mac(root, "quiet0"));
        lab.send(here, &frame).unwrap();
        assert_eq!(lab.received(there), [frame], "it arrives within the call that sends it");
    }

    lab.down(root, "br0");
    for _ in 0..5_000 {
        lab.poll(lab.now());
    }
    let quiet = counter(&lab, "loop0", "rx_packets");
    lab.poll(lab.now());
    assert_eq!(counter(&lab, "loop0", "rx_packets"), quiet, "nothing circles any more");
    assert!(lab.kernel.deadline().is_none_or(|deadline| deadline > lab.now()), "and nothing wants a turn");
}
