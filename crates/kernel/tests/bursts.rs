//! A burst of frames is what the same frames one by one are: who receives what in which order, counters, what is learned.

use std::net::Ipv4Addr;
use std::time::Duration;

use netloom_kernel::{Datagram, MacAddr, NsId, SocketId};
use netloom_testkit::lab::Lab;
use netloom_testkit::netlink::Process;
use proptest::prelude::*;

const STATIONS: usize = 4;

fn station(number: u8) -> MacAddr {
    MacAddr([0x02, 0, 0, 0, 0, number])
}

/// What differs from switch to switch.
#[derive(Clone, Copy, Debug)]
struct Setup {
    /// Packet sockets stand in the way of two ports.
    tapped: bool,
    /// All stations are in one namespace, where one socket listens on all of them.
    one_home: bool,
    /// The listeners take few frames before they lose some.
    small_buffers: bool,
    /// The listeners want some frames only, and thirty bytes of these.
    filtered: bool,
}

fn setup() -> impl Strategy<Value = Setup> {
    any::<[bool; 4]>().prop_map(|[tapped, one_home, small_buffers, filtered]| Setup {
        tapped,
        one_home,
        small_buffers,
        filtered,
    })
}

/// Lets frames to addresses that end in an odd number pass (`struct sock_filter`: code, jt, jf, k).
const ODD: [(u16, u8, u8, u32); 4] = [(0x30, 0, 0, 5), (0x45, 0, 1, 1), (0x06, 0, 0, 30), (0x06, 0, 0, 0)];

/// A bridge with an address, and stations behind its ports.
struct Switch {
    lab: Lab,
    senders: Vec<SocketId>,
    /// The addresses of the stations' devices, where one socket can send through all of them.
    ends: Vec<Vec<u8>>,
    listeners: Vec<SocketId>,
}

impl Switch {
    fn new(setup: Setup) -> Switch {
        let mut lab = Lab::new(7);
        let root = lab.root();
        lab.bridge(root, "br0");
        lab.address(root, "br0", Ipv4Addr::new(10, 0, 0, 1), 24);
        let (mut senders, mut ends, mut listeners) = (Vec::new(), Vec::new(), Vec::new());
        let home = lab.namespace();
        let homes: Vec<NsId> = (0..STATIONS).map(|_| if setup.one_home { home } else { lab.namespace() }).collect();
        let end = |number: usize| if setup.one_home { format!("eth{number}") } else { "eth0".to_owned() };
        for (number, home) in homes.iter().enumerate() {
            let (port, end) = (format!("p{number}"), end(number));
            lab.veth(root, &port, *home, &end);
            lab.write(*home, &format!("/proc/sys/net/ipv6/conf/{end}/disable_ipv6"), "1");
            lab.join(root, &port, "br0");
            let sender = lab.kernel.socket(*home, 17, 3, 0).expect("a socket");
            let mut address = 17u16.to_ne_bytes().to_vec();
            address.extend([0, 0]);
            address.extend(lab.ifindex(*home, &end).to_ne_bytes());
            address.resize(20, 0);
            lab.kernel.bind(sender, &address, &Process::default()).expect("a device");
            senders.push(sender);
            if setup.one_home {
                ends.push(address);
            }
        }
        // Not every frame fits there.
        lab.write(root, "/sys/class/net/p3/mtu", "1000");
        lab.advance(Duration::from_secs(20));
        if setup.one_home {
            listeners.push(lab.kernel.socket(home, 17, 3, i32::from(3u16.to_be())).expect("a socket"));
        } else {
            listeners.extend((1..STATIONS).map(|number| lab.packet_socket(homes[number], "eth0")));
        }
        listeners.push(lab.packet_socket(root, "br0"));
        if setup.tapped {
            listeners.push(lab.packet_socket(root, "p0"));
            listeners.push(lab.packet_socket(root, "p2"));
        }
        let buffer = if setup.small_buffers { 1i32 << 13 } else { 4 << 20 };
        let program: Vec<u8> = ODD
            .iter()
            .flat_map(|(code, jt, jf, k)| [&code.to_ne_bytes()[..], &[*jt, *jf], &k.to_ne_bytes()].concat())
            .collect();
        for listener in &listeners {
            lab.kernel.set_option(*listener, 1, 33, &buffer.to_ne_bytes()).expect("SO_RCVBUFFORCE");
            // Replies to a sender's first frame come before its second where it sends one by one.
            lab.kernel.set_option(*listener, 263, 23, &1i32.to_ne_bytes()).expect("PACKET_IGNORE_OUTGOING");
            if setup.filtered {
                lab.kernel.set_option(*listener, 1, 26, &program).expect("SO_ATTACH_FILTER");
            }
        }
        Switch { lab, senders, ends, listeners }
    }

    /// What can be seen afterwards.
    fn seen(&mut self) -> (Vec<Vec<Datagram>>, Vec<String>) {
        let mut captures = Vec::new();
        let root = self.lab.root();
        let mut files = Vec::new();
        for listener in self.listeners.clone() {
            files.push(format!("{:?}", self.lab.kernel.option(listener, 263, 6, 8)));
            captures.push(std::iter::from_fn(|| self.lab.kernel.receive(listener, 0).ok()).collect());
        }
        let devices = ["br0", "p0", "p1", "p2", "p3"];
        let counters = ["rx_packets", "rx_bytes", "rx_dropped", "tx_packets", "tx_bytes", "tx_dropped", "multicast"];
        for device in devices {
            for counter in counters {
                let path = format!("/sys/class/net/{device}/statistics/{counter}");
                files.push(format!("{path}: {}", self.lab.read(root, &path)));
            }
        }
        let forwarding = self.lab.kernel.read_file(root, "/sys/class/net/br0/brforward").expect("what is learned");
        files.push(format!("{forwarding:?} {:?}", self.lab.kernel.drops()));
        (captures, files)
    }
}

/// Frames from one station to another, of all kinds of destinations, from sources that move and may be new, so many that the database
/// grows; of lengths that are too short, too long for an MTU, and in between.
fn frames() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let destination = prop_oneof![
        6 => (0u8..12).prop_map(station),
        1 => Just(MacAddr::BROADCAST),
        1 => Just(MacAddr([0x01, 0x00, 0x5e, 0, 0, 5])),
        1 => (0u8..16).prop_map(|last| MacAddr([0x01, 0x80, 0xc2, 0, 0, last])),
    ];
    let source = prop_oneof![
        8 => (0u8..12).prop_map(station),
        2 => any::<u8>().prop_map(station),
        1 => Just(MacAddr([1; 6])),
        1 => Just(MacAddr::ZERO),
    ];
    let protocol = prop_oneof![Just([0x88, 0xb5]), Just([0x08, 0x00]), Just([0x08, 0x06])];
    let length = prop_oneof![3 => 14usize..100, 1 => 0usize..20, 1 => 1000usize..1030, 1 => 1500usize..1530];
    let lengths = proptest::collection::vec(length, 1..4);
    (destination, source, protocol, lengths).prop_map(|(destination, source, protocol, lengths)| {
        let header = [&destination.0[..], &source.0, &protocol].concat();
        let frame = |length| [&header[..], &[0x45; 1530]].concat()[..length].to_vec();
        lengths.into_iter().map(frame).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn a_burst_is_its_frames_one_by_one(
        bursts in proptest::collection::vec(proptest::collection::vec((0..STATIONS, frames()), 1..80), 1..6),
        setup in setup(),
    ) {
        let (mut together, mut alone) = (Switch::new(setup), Switch::new(setup));
        for burst in bursts {
            let mut frames: Vec<(usize, Vec<u8>)> =
                burst.into_iter().flat_map(|(from, frames)| frames.into_iter().map(move |frame| (from, frame))).collect();
            // From one station, or from one to another in turn.
            let first = frames[0].0;
            if !setup.one_home {
                frames.iter_mut().for_each(|(from, _)| *from = first);
            }
            // What a cable refuses is an error of the sender's, and tried once more after those before it.
            frames.iter_mut().filter(|(from, _)| *from == 3).for_each(|(_, frame)| frame.truncate(1000));
            let mut rest = &frames[..];
            while !rest.is_empty() {
                // After an error the next one is tried, as the other side does.
                let nowhere = Vec::new();
                let ends = &together.ends;
                let messages = rest.iter().map(|(from, frame)| (&frame[..], &ends.get(*from).unwrap_or(&nowhere)[..]));
                let process = together.lab.process();
                let sent = together.lab.kernel.send_many(together.senders[first], messages, 0, &process);
                rest = &rest[sent.unwrap_or(1)..];
            }
            for (from, frame) in &frames {
                let _ = alone.lab.send(alone.senders[*from], frame);
            }
        }
        prop_assert_eq!(together.seen(), alone.seen());
    }
}
