//! Which captured frames two kernels must have in common, in tcpdump's words (`-n -e -v`), one line a frame.
//!
//! Left out is what a kernel sends by itself at a moment that chance or a timer chooses: IPv6 duplicate address detection
//! and router solicitations, membership reports (MLD, IGMP), and a bridge's BPDUs. An ARP request or neighbour
//! solicitation counts once until it is answered: how often it is repeated is a question of time.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

/// Stands before a frame in a transcript.
pub const FRAME: &str = "f>";

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

static QUESTIONS: LazyLock<Vec<Regex>> =
    LazyLock::new(|| patterns([r"\bRequest who-has ([^ ,]+)", r"ICMP6, neighbor solicitation, .*who has ([^ ,]+)"]));

static ANSWERS: LazyLock<Vec<Regex>> =
    LazyLock::new(|| patterns([r"\bReply ([^ ,]+) is-at", r"ICMP6, neighbor advertisement, .*tgt is ([^ ,]+)"]));

/// The address that one of these patterns finds.
fn address<'t>(patterns: &[Regex], text: &'t str) -> Option<&'t str> {
    patterns.iter().find_map(|pattern| Some(pattern.captures(text)?.get(1)?.as_str()))
}

/// What is random in a frame, and the checksums that follow from it. Whether they are right stays.
static RANDOM: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"flowlabel 0x[0-9a-f]+, ", ""),
        (r"\becr [1-9]\d*", "ecr <N>"),
        (r"cksum 0x[0-9a-f]+ \((correct|incorrect)[^)]*\)", "cksum <N> ($1)"),
        (r"bad (\w+ )?cksum 0x[0-9a-f]+ -> 0x[0-9a-f]+!", "bad ${1}cksum!"),
    ]
    .into_iter()
    .map(|(pattern, replacement)| (Regex::new(pattern).expect("a valid pattern"), replacement))
    .collect()
});

/// The frames of one device that are compared, in order.
#[derive(Clone, Debug, Default)]
pub struct Frames {
    lines: Vec<String>,
    /// How many more there were.
    more: usize,
    /// Questions without an answer: the address, and the frame that asked for it.
    asked: BTreeSet<(String, String)>,
}

/// What is kept of one device.
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
        if let Some(address) = address(&ANSWERS, &text) {
            self.asked.retain(|(asked, _)| asked != address);
        }
        if self.lines.len() >= MOST {
            self.more += 1;
            return;
        }
        let question = address(&QUESTIONS, &text).map(|address| (address.to_owned(), text.clone()));
        if question.is_none_or(|question| self.asked.insert(question)) {
            self.lines.push(text);
        }
    }

    /// The lines of a transcript's step; none where there is nothing to compare.
    pub fn lines(&self) -> Vec<String> {
        let more = (self.more > 0).then(|| format!("{FRAME}({} more frames)", self.more));
        self.lines.iter().map(|line| format!("{FRAME}{line}")).chain(more).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Frames, MOST};
    use crate::compare::compare;
    use crate::normalise::normalise;

    fn lines(frames: &[&str]) -> Vec<String> {
        let mut kept = Frames::default();
        frames.iter().for_each(|frame| kept.add(frame));
        kept.lines()
    }

    const ASKED: &str = "Out aa:00:00:00:00:01 ethertype ARP (0x0806), length 48: Ethernet (len 6), IPv4 (len 4), Request who-has 10.1.1.2 tell 10.1.1.1, length 28";

    #[test]
    fn what_a_kernel_sends_at_moments_of_its_own_is_left_out() {
        let own = [
            "Out aa:00:00:00:00:01 ethertype IPv6 (0x86dd), length 92: (hlim 255, next-header ICMPv6 (58) payload length: 32) :: > ff02::1:ff4f:a2d2: [icmp6 sum ok] ICMP6, neighbor solicitation, length 32, who has fe80::44c7:8cff:fe4f:a2d2",
            "M   aa:00:00:00:00:01 ethertype IPv6 (0x86dd), length 76: (hlim 255, next-header ICMPv6 (58) payload length: 16) fe80::1 > ff02::2: [icmp6 sum ok] ICMP6, router solicitation, length 16",
            "Out aa:00:00:00:00:01 ethertype IPv6 (0x86dd), length 96: (hlim 1, next-header Options (0) payload length: 36) :: > ff02::16: HBH (rtalert: 0x0000) (padn) [icmp6 sum ok] ICMP6, multicast listener report v2, 1 group record(s)",
            "Out aa:00:00:00:00:01 ethertype IPv4 (0x0800), length 60: (tos 0xc0, ttl 1, id 0, offset 0, flags [DF], proto IGMP (2), length 40, options (RA)) 10.1.1.1 > 224.0.0.22: igmp v3 report, 1 group record(s)",
        ];
        assert!(lines(&own).is_empty());
        let asked = "Out aa:00:00:00:00:01 ethertype IPv6 (0x86dd), length 92: (hlim 255, next-header ICMPv6 (58) payload length: 32) fe80::1 > ff02::1:ff00:2: [icmp6 sum ok] ICMP6, neighbor solicitation, length 32, who has fe80::2";
        assert_eq!(lines(&[asked]).len(), 1);
    }

    #[test]
    fn a_question_counts_once_until_it_is_answered() {
        assert_eq!(lines(&[ASKED, "In  x", ASKED]), [&format!("f>{ASKED}"), "f>In  x"]);
        let answer = |address: &str| format!("In  y: Reply {address} is-at aa:00:00:00:00:02, length 28");
        assert_eq!(lines(&[ASKED, &answer("10.1.1.2"), ASKED]).len(), 3);
        assert_eq!(lines(&[ASKED, &answer("10.1.1.3"), ASKED]).len(), 2);
        let six =
            "Out z: fe80::1 > ff02::1:ff00:2: [icmp6 sum ok] ICMP6, neighbor solicitation, length 32, who has fe80::2";
        let told = "In  z: fe80::2 > fe80::1: [icmp6 sum ok] ICMP6, neighbor advertisement, length 32, tgt is fe80::2, Flags [solicited]";
        assert_eq!(lines(&[six, six, told, six]).len(), 3);
        assert_eq!(lines(&["In  x", "In  x"]), ["f>In  x", "f>In  x"]);
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
        let host = transcript(&[ASKED, &echo("aa:64:a1:03:4d:01", 7, 64)]);
        let same = transcript(&[ASKED, &echo("be:64:a1:03:4d:02", 1234, 64)]);
        assert!(compare(&host, &same).differences.is_empty());
        let other = compare(&host, &transcript(&[ASKED, &echo("be:64:a1:03:4d:02", 1234, 63)]));
        let told: Vec<_> = other.differences.iter().map(|d| (d.head.as_str(), &d.line[..8])).collect();
        assert_eq!(told, [("# frames of v0", "-f>Out <"), ("# frames of v0", "+f>Out <")]);
        let missing = compare(&host, &transcript(&[ASKED]));
        assert_eq!(missing.differences.len(), 1);
    }
}
