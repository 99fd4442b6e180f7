//! A day of virtual time: everything that waits comes to an end, nothing piles up, and no poll is in vain.

use std::net::Ipv4Addr;
use std::time::Duration;

use netloom_testkit::frames;
use netloom_testkit::lab::Lab;

const HOUR: Duration = Duration::from_secs(3600);

fn lines(text: &str) -> usize {
    text.lines().count()
}

#[test]
fn a_day_of_ageing_and_neighbours() {
    let mut lab = Lab::new(1);
    let root = lab.root();
    lab.bridge(root, "br0");
    lab.address(root, "br0", Ipv4Addr::new(10, 0, 0, 1), 24);
    let mut hosts = Vec::new();
    for number in 0..4u8 {
        let ns = lab.namespace();
        lab.veth(root, &format!("p{number}"), ns, "eth0");
        lab.join(root, &format!("p{number}"), "br0");
        lab.address(ns, "eth0", Ipv4Addr::new(10, 0, 0, 2 + number), 24);
        let socket = lab.packet_socket(ns, "eth0");
        hosts.push((ns, socket));
    }
    // Records of 16 bytes, the address first.
    let strangers_known = |lab: &Lab| {
        let table = lab.kernel.read_file(root, "/sys/class/net/br0/brforward").unwrap();
        assert!(table.len() / 16 <= 64, "{} entries", table.len() / 16);
        table.chunks(16).filter(|entry| entry.starts_with(&[2, 0, 0, 0])).count()
    };
    lab.advance(Duration::from_secs(30));
    let tentative = lab.read(hosts[0].0, "/proc/net/if_inet6");
    assert!(
        tentative.lines().all(|line| line.split_whitespace().nth(4) == Some("80")),
        "addresses are permanent:\n{tentative}"
    );

    for hour in 0..24u64 {
        // Every hour some strangers pass by, and somebody pings a host that is there and one that isn't.
        for stranger in 0..50u8 {
            let source = netloom_kernel::MacAddr([2, 0, 0, 0, hour as u8, stranger]);
            lab.send(hosts[0].1, &frames::plain(netloom_kernel::MacAddr::BROADCAST, source)).unwrap();
        }
        assert_eq!(strangers_known(&lab), 50);
        let raw = lab.kernel.socket(hosts[1].0, 2, 3, 1).unwrap();
        let process = lab.process();
        for last in [1, 4, 77] {
            let destination = [2, 0, 0, 0, 10, 0, 0, last, 0, 0, 0, 0, 0, 0, 0, 0];
            lab.kernel.send(raw, &[8, 0, 0xf7, 0xff, 0, 0, 0, 0], &destination, 0, &process).unwrap();
        }
        lab.advance(Duration::from_secs(10));
        lab.kernel.close(raw);
        lab.advance(HOUR - Duration::from_secs(10));
        for (_, socket) in &hosts {
            lab.received(*socket);
        }
        assert_eq!(strangers_known(&lab), 0, "after hour {hour} the strangers are forgotten");
        assert!(lines(&lab.read(hosts[1].0, "/proc/net/arp")) <= 1 + 3, "the neighbours of hour {hour}");
    }
    assert_eq!(lab.now().since_boot().as_secs(), 1 + 30 + 24 * 3600);
    assert!(lab.polls() < 50_000, "{} polls", lab.polls());
    assert!(lab.log().len() < 200, "{} lines in the log", lab.log().len());
}

#[test]
fn without_traffic_almost_nothing_happens() {
    let mut lab = Lab::new(1);
    let root = lab.root();
    lab.veth(root, "a", root, "b");
    lab.bridge(root, "br0");
    lab.join(root, "a", "br0");
    lab.advance(Duration::from_secs(60));
    let before = lab.polls();
    lab.advance(24 * HOUR);
    // The bridge's garbage collection comes every five minutes.
    assert!(lab.polls() - before < 2_000, "{} polls in an idle day", lab.polls() - before);
}
