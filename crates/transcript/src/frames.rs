//! Which captured frames two kernels must have in common, in tcpdump's words (`-n -e -v`), one line a frame.
//!
//! Left out is what a kernel sends by itself at a moment that chance or a timer chooses: IPv6 duplicate address detection
//! and router solicitations, membership reports (MLD, IGMP), and a bridge's BPDUs. Of ARP and neighbour discovery counts
//! who asked and who answered, not when and how often: a kernel asks again when its timers say so.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex_lite::Regex;

/// Stands before a frame in a transcript.
pub const FRAME: &str = "f>";
/// The head of a step whose frames have no order begins with it.
pub const NEIGHBOURS_HEAD: &str = "# neighbours ";

fn patterns<const N: usize>(patterns: [&str; N]) -> Vec<Regex> {
    patterns.into_iter().map(|pattern| Regex::new(pattern).expect("a valid pattern")).collect()
}

static OF_ITS_OWN: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    patterns([
        r" :: > ff02::1:ff[0-9a-f:]+: .*ICMP6, neighbor solicitation",
        r"ICMP6, router solicitation",
        r"ICMP6, multicast listener (report|done)",
        r": igmp (v[0-9] report|leave)",
        r"\b(Rapid )?STP 802\.1",
    ])
});

static NEIGHBOURS: LazyLock<Vec<Regex>> =
    LazyLock::new(|| patterns([r"ethertype ARP ", r"ICMP6, neighbor (solicitation|advertisement)"]));

/// What is random in a frame, and the checksums that follow from it. Whether they are right stays.
static RANDOM: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        // Whether a port's own address is the bridge's, too, is a matter of chance.
        (r"^P   ", "In  "),
        (r"flowlabel 0x[0-9a-f]+, ", ""),
        (r"frag \(0x[0-9a-f]+:", "frag (<N>:"),
        (r"\becr [1-9]\d*", "ecr <N>"),
        (r"cksum 0x[0-9a-f]+ \((correct|incorrect)[^)]*\)", "cksum <N> ($1)"),
        (r"bad (\w+ )?cksum 0x[0-9a-f]+ -> 0x[0-9a-f]+!", "bad ${1}cksum!"),
    ]
    .into_iter()
    .map(|(pattern, replacement)| (Regex::new(pattern).expect("a valid pattern"), replacement))
    .collect()
});

/// The frames of one device that are compared.
#[derive(Clone, Debug, Default)]
pub struct Frames {
    /// In order.
    lines: Vec<String>,
    /// How many more there were.
    more: usize,
    /// ARP and neighbour discovery: each frame once.
    neighbours: Vec<String>,
    known: HashSet<String>,
}

/// What is kept of one device, of either sort.
const MOST: usize = 2_000;

impl Frames {
    /// Takes the next frame.
    pub fn add(&mut self, text: &str) {
        if OF_ITS_OWN.iter().any(|pattern| pattern.is_match(text)) {
            return;
        }
        let text = RANDOM.iter().fold(text.to_owned(), |text, (pattern, replacement)| {
            pattern.replace_all(&text, *replacement).into_owned()
        });
        if NEIGHBOURS.iter().any(|pattern| pattern.is_match(&text)) {
            if self.known.len() < MOST && self.known.insert(text.clone()) {
                self.neighbours.push(text);
            }
        } else if self.lines.len() < MOST {
            self.lines.push(text);
        } else {
            self.more += 1;
        }
    }

    /// ARP and neighbour discovery as lines of a transcript's step. [`normalise`](crate::normalise) sorts them where the
    /// step's head begins with [`NEIGHBOURS_HEAD`].
    pub fn neighbours(&self) -> Vec<String> {
        self.neighbours.iter().map(|line| format!("{FRAME}{line}")).collect()
    }

    /// All others, in order.
    pub fn lines(&self) -> Vec<String> {
        let more = (self.more > 0).then(|| format!("{FRAME}({} more frames)", self.more));
        self.lines.iter().map(|line| format!("{FRAME}{line}")).chain(more).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Frames, MOST, NEIGHBOURS_HEAD};
    use crate::compare::compare;
    use crate::normalise::normalise;

    fn lines(frames: &[&str]) -> Vec<String> {
        let mut kept = Frames::default();
        frames.iter().for_each(|frame| kept.add(frame));
        kept.lines()
    }

    const ASKED: &str = "Out 02:00:00:00:00:01 ethertype ARP (0x0806), length 48: Ethernet (len 6), IPv4 (len 4), Request who-has 10.1.1.2 tell 10.1.1.1, length 28";

    #[test]
    fn what_a_kernel_sends_at_moments_of_its_own_is_left_out() {
        let own = [
            "Out 02:00:00:00:00:01 ethertype IPv6 (0x86dd), length 92: (hlim 255, next-header ICMPv6 (58) payload length: 32) :: > ff02::1:ff4f:a2d2: [icmp6 sum ok] ICMP6, neighbor solicitation, length 32, who has fe80::44c7:8cff:fe4f:a2d2",
            "M   02:00:00:00:00:01 ethertype IPv6 (0x86dd), length 76: (hlim 255, next-header ICMPv6 (58) payload length: 16) fe80::1 > ff02::2: [icmp6 sum ok] ICMP6, router solicitation, length 16",
            "Out 02:00:00:00:00:01 ethertype IPv6 (0x86dd), length 96: (hlim 1, next-header Options (0) payload length: 36) :: > ff02::16: HBH (rtalert: 0x0000) (padn) [icmp6 sum ok] ICMP6, multicast listener report v2, 1 group record(s)",
            "Out 02:00:00:00:00:01 ethertype IPv4 (0x0800), length 60: (tos 0xc0, ttl 1, id 0, offset 0, flags [DF], proto IGMP (2), length 40, options (RA)) 10.1.1.1 > 224.0.0.22: igmp v3 report, 1 group record(s)",
        ];
        assert!(lines(&own).is_empty());
        let mut kept = Frames::default();
        kept.add("Out 02:00:00:00:00:01 ethertype IPv6 (0x86dd), length 92: (hlim 255, next-header ICMPv6 (58) payload length: 32) fe80::1 > ff02::1:ff00:2: [icmp6 sum ok] ICMP6, neighbor solicitation, length 32, who has fe80::2");
        assert_eq!(kept.neighbours().len(), 1);
    }

    #[test]
    fn neighbours_are_asked_once_in_any_order_and_the_rest_is_in_order() {
        let answer = "In  y ethertype ARP (0x0806), length 48: Reply 10.1.1.2 is-at 02:00:00:00:00:02, length 28";
        let neighbours = |frames: &[&str]| {
            let mut kept = Frames::default();
            frames.iter().for_each(|frame| kept.add(frame));
            normalise(&format!("{NEIGHBOURS_HEAD}asked\n{}\n", kept.neighbours().join("\n")))
        };
        let once = neighbours(&[ASKED, answer]);
        assert_eq!(once, neighbours(&[answer, ASKED, ASKED, answer]));
        assert_ne!(once, neighbours(&[ASKED]));
        assert_eq!(lines(&[ASKED, "P   x", "In  x", answer]), ["f>In  x", "f>In  x"]);
    }

    #[test]
    fn there_is_an_end_to_what_is_kept() {
        let mut kept = Frames::default();
        (0..MOST + 3).for_each(|number| kept.add(&number.to_string()));
        assert_eq!((kept.lines().len(), kept.lines().last().unwrap().as_str()), (MOST + 1, "f>(3 more frames)"));
    }

    #[test]
    fn captures_that_differ_are_told_and_random_fields_are_not() {
        let echo = |mac: &str, id: u16, ttl: u8| {
            format!(
                "Out {mac} ethertype IPv4 (0x0800), length 104: (tos 0x0, ttl {ttl}, id {id}, offset 0, flags [DF], proto ICMP (1), length 84) 10.1.1.1 > 10.1.1.2: ICMP echo request, id {id}, seq 1, length 64"
            )
        };
        let transcript = |frames: &[&str]| normalise(&format!("# frames of v0\n{}\n", lines(frames).join("\n")));
        let host = transcript(&["In  x", &echo("aa:64:a1:03:4d:01", 7, 64)]);
        let same = transcript(&["In  x", &echo("be:64:a1:03:4d:02", 1234, 64)]);
        assert!(compare(&host, &same).differences.is_empty());
        let other = compare(&host, &transcript(&["In  x", &echo("be:64:a1:03:4d:02", 1234, 63)]));
        let told: Vec<_> = other.differences.iter().map(|d| (d.head.as_str(), &d.line[..8])).collect();
        assert_eq!(told, [("# frames of v0", "-f>Out <"), ("# frames of v0", "+f>Out <")]);
        let missing = compare(&host, &transcript(&["In  x"]));
        assert_eq!(missing.differences.len(), 1);
    }
}
