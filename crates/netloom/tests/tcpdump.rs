//! `tcpdump` beside the real one: files of frames of every kind, a live capture, and what they say against arguments.

mod beside;

use beside::Host;

fn checksum(runs: &[&[u8]]) -> [u8; 2] {
    let bytes = runs.concat();
    let mut sum: u32 =
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0))).sum();
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    (!(sum as u16)).to_be_bytes()
}

fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = (20 + payload.len() as u16).to_be_bytes();
    let mut packet = [&[0x45, 0], &length[..], &[0, 1, 0x40, 0, 64, protocol, 0, 0, 10, 1, 0, 1, 10, 1, 0, 2]].concat();
    let sum = checksum(&[&packet]);
    packet[10..12].copy_from_slice(&sum);
    [&packet[..], payload].concat()
}

fn icmp(kind: u8, code: u8, rest: &[u8]) -> Vec<u8> {
    let mut message = [&[kind, code, 0, 0], rest].concat();
    let sum = checksum(&[&message]);
    message[2..4].copy_from_slice(&sum);
    ipv4(1, &message)
}

fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let address = |last: u8| [&[0xfe, 0x80][..], &[0; 13], &[last]].concat();
    let length = (payload.len() as u16).to_be_bytes();
    [&[0x60, 0, 0, 0][..], &length, &[next, 255], &address(1), &address(2), payload].concat()
}

fn frames() -> Vec<Vec<u8>> {
    let ethernet = |kind: u16, payload: &[u8]| {
        [&[2, 0, 0, 0, 0, 0x0b, 2, 0, 0, 0, 0, 0x0a][..], &kind.to_be_bytes(), payload].concat()
    };
    let arp = |operation: u8, target: u8| {
        [&[0, 1, 8, 0, 6, 4, 0, operation, 2, 0, 0, 0, 0, 10, 10, 1, 0, 1][..], &[target; 6], &[10, 1, 0, 2]].concat()
    };
    let udp = [0x9c, 0x40, 0x13, 0x88, 0, 11, 0, 0, b'a', b'b', b'c'];
    let tcp = |flags: u8, options: &[u8]| {
        let words = 0x50 + (options.len() as u8 / 4) * 0x10;
        let head = [0x9c, 0x40, 0, 80, 0, 0, 3, 0xe8, 0, 0, 0, 9, words, flags, 0xff, 0, 0, 0, 0, 0];
        [&head[..], options, b"x"].concat()
    };
    let bridge = [0x80, 0, 2, 0, 0, 0, 0, 10];
    let bpdu = |flags: u8, version: u8, kind: u8| {
        let tail = [0x80, 1, 1, 0, 20, 0, 2, 0, 15, 0];
        [&[0x42, 0x42, 3, 0, 0, version, kind, flags][..], &bridge, &[0, 0, 0, 4], &bridge, &tail, &[0]].concat()
    };
    let neighbour = |kind: u8, option: u8| {
        let target = [&[0xfe, 0x80][..], &[0; 13], &[2]].concat();
        [&[kind, 0, 0x12, 0x34, 0x60, 0, 0, 0][..], &target, &[option, 1, 2, 0, 0, 0, 0, 10]].concat()
    };
    let report =
        [&[0x3a, 0, 5, 2, 0, 0, 1, 0, 143, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0, 0xff, 2][..], &[0; 13], &[1]].concat();
    let quoted = ipv4(17, &udp);
    let mut frames = vec![
        ethernet(0x0806, &arp(1, 0)),
        ethernet(0x0806, &arp(1, 0xff)),
        ethernet(0x0806, &[&arp(2, 2)[..], &[0; 18]].concat()),
        ethernet(0x0806, &arp(7, 0)),
        ethernet(0x0800, &icmp(8, 0, &[&[0, 77, 0, 1][..], &[9; 56]].concat())),
        ethernet(0x0800, &icmp(3, 3, &[&[0; 4][..], &quoted].concat())),
        ethernet(0x0800, &icmp(3, 4, &[&[0, 0, 5, 0x78][..], &quoted].concat())),
        ethernet(0x0800, &icmp(5, 1, &[&[10, 1, 0, 3][..], &quoted].concat())),
        ethernet(0x0800, &icmp(11, 0, &[&[0; 4][..], &quoted].concat())),
        ethernet(0x0800, &ipv4(17, &udp)),
        ethernet(0x0800, &ipv4(6, &tcp(0x02, &[2, 4, 5, 0x50, 4, 2, 1, 1]))),
        ethernet(0x0800, &ipv4(6, &tcp(0x12, &[2, 4, 5, 0x50, 3, 3, 10, 1]))),
        ethernet(0x0800, &ipv4(6, &tcp(0x18, &[1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 5]))),
        ethernet(0x0800, &ipv4(2, &[0x22, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0, 239, 1, 1, 1])),
        ethernet(0x0800, &ipv4(2, &[0x16, 0, 0xf9, 0xfd, 239, 1, 1, 1])),
        ethernet(0x86dd, &ipv6(58, &[128, 0, 0x11, 0x22, 0, 7, 0, 1])),
        ethernet(0x86dd, &ipv6(58, &neighbour(135, 1))),
        ethernet(0x86dd, &ipv6(58, &neighbour(136, 2))),
        ethernet(0x86dd, &ipv6(58, &[133, 0, 0, 0, 0, 0, 0, 0])),
        ethernet(0x86dd, &ipv6(0, &report)),
        ethernet(0x86dd, &ipv6(17, &udp)),
        ethernet(0x8100, &[&[0x30, 10, 8, 0][..], &icmp(0, 0, &[0, 7, 0, 1])].concat()),
        ethernet(0x88a8, &[&[0, 10, 0x88, 0xb5][..], b"abcdef"].concat()),
        ethernet(38, &bpdu(0x81, 0, 0)),
        ethernet(39, &bpdu(0x3c, 2, 2)),
        ethernet(7, &[&[0x42, 0x42, 3, 0, 0, 0, 0x80][..], &[0; 39]].concat()),
        ethernet(0x88b5, &(0..46).collect::<Vec<u8>>()),
    ];
    // Each once more, cut at several places.
    let whole = frames.clone();
    for frame in whole {
        frames.extend([15, 22, 33, 40, 50].into_iter().filter(|&at| at < frame.len()).map(|at| frame[..at].to_vec()));
    }
    frames
}

/// How many of the frames are whole.
const WHOLE: usize = 27;

/// A capture file of the first frames; cut ones say that they were as long as 100 bytes more.
fn file(number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 262_144, 1] {
        bytes.extend(number.to_le_bytes());
    }
    for (number, frame) in frames().into_iter().take(number).enumerate() {
        let length = frame.len() as u32;
        let wire = if number < WHOLE { length } else { length + 100 };
        for number in [1_700_000_000 + number as u32, number as u32 * 1111, length, wire] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(frame);
    }
    bytes
}

#[test]
fn tcpdump_prints_files_as_the_real_one_does() {
    let Some(host) = Host::new("tcpdump", &["tcpdump"]) else { return };
    let path = format!("{}/frames.pcap", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&path, file(usize::MAX)).expect("a file of frames");
    let whole = format!("{}/whole.pcap", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&whole, file(WHOLE)).expect("a file of frames");
    for options in [
        "-n",
        "-ne",
        "-nv",
        "-nvve",
        "-nvvv",
        "-nqt",
        "-ntt",
        "-nttt",
        "-ntttt",
        "-nttttt",
        "-n#",
        "-nS",
        "-n -c 3",
        "-n -s 40",
        "-n --count",
    ] {
        host.compare("tcpdump", &format!("{options} -r {path}"));
    }
    for options in ["-ntXX", "-ntX", "-ntx", "-ntxx", "-ntA", "-nteX"] {
        host.compare("tcpdump", &format!("{options} -r {whole}"));
    }
    for filter in [
        "arp",
        "icmp",
        "not icmp",
        "ip6 and not icmp6",
        "udp or tcp",
        "port 5000",
        "src port 80 or dst port 80",
        "stp",
        "vlan",
        "vlan 10 and icmp",
        "'vlan and (icmp or arp)'",
        "host 10.1.0.2 and not arp",
        "net 10.1.0.0/16",
        "ether src 02:00:00:00:00:0a",
        "ether proto 0x88b5",
        "broadcast",
        "multicast",
        "icmp or udp and port 5000",
        "'icmp or (arp and udp)'",
        "less 60",
        "greater 100",
        "ip proto 2",
        "portrange 79-81",
        "foo bar",
        "host",
        "port 70000",
        "net 10.1.0.1/24",
        "ip6 host 10.1.0.1",
        "ip multicast",
        "src 10.1.0.1",
        "tcp dst port 80",
        "'! arp && (udp || tcp)'",
        "ip6 host fe80::1",
        "arp host 10.1.0.2",
        "host 10.9.9.9 or 10.1.0.1",
    ] {
        host.compare("tcpdump", &format!("-nt -r {whole} {filter}"));
    }
    // What a filter needs and isn't there rejects the frame, even behind "not".
    for filter in ["arp", "icmp", "not icmp", "not port 5000", "stp"] {
        host.compare("tcpdump", &format!("-nt -r {path} {filter}"));
    }
    host.compare_script("tcpdump", &format!("$TOOL -r {path} -w - icmp 2>/dev/null | cksum"));
}

#[test]
fn tcpdump_captures_as_the_real_one_does() {
    let Some(host) = Host::new("tcpdump-live", &["tcpdump"]) else { return };
    host.setup(
        "sysctl -qw net.ipv6.conf.default.disable_ipv6=1
         ip link set lo up; ip link add h2a address 02:00:00:00:00:0a type veth peer name h2b netns far
         ip -n far link set h2b address 02:00:00:00:00:0b
         ip addr add 10.1.0.1/24 dev h2a; ip link set h2a up
         ip -n far link set h2b up; ip -n far addr add 10.1.0.2/24 dev h2b; ping -qc1 10.1.0.2",
    );
    for options in
        ["-i h2a -tne", "-i h2a -tne -p -Q in", "-i h2a -tne -Q out", "-i lo -tn", "-i any -tn", "-i h2a -tn -c 1"]
    {
        host.compare_script(
            "tcpdump",
            &format!(
                "$TOOL --immediate-mode {options} -l icmp >/tmp/$$.out 2>/tmp/$$.err & sleep 0.5
                 ping -qc1 10.1.0.2 >/dev/null; ping -qc1 127.0.0.1 >/dev/null; sleep 0.3
                 kill -INT $! 2>/dev/null; wait $!; echo $?
                 sed 's/id [0-9]*/id N/' /tmp/$$.out; grep -v 'received by filter' /tmp/$$.err; rm -f /tmp/$$.out /tmp/$$.err"
            ),
        );
    }
    for line in ["-i nosuch", "-c 0 -i h2a", "-c x", "-s x", "-w /nosuch/x -i h2a", "-r /nosuch", "-Q foo -i h2a"] {
        host.compare("tcpdump", line);
    }
    host.setup("ip link set h2a down");
    host.compare("tcpdump", "-n -i h2a");
}
