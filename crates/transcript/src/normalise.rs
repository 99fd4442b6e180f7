//! What may differ from run to run, replaced by what stays: random MAC addresses and what is made from them, times,
//! timers, process ids, sequence numbers. Neighbour tables, whose order is a hash's, are sorted.

use std::sync::LazyLock;

use regex_lite::{Captures, Regex};

use crate::frames::{FRAME, NEIGHBOURS_HEAD};

/// Addresses that scenarios choose themselves, groups, and those that mean something.
fn is_fixed(mac: &str) -> bool {
    const CHOSEN: [&str; 6] = ["00", "11", "aa", "bb", "80", "05"];
    match mac.split_once(':') {
        Some(("02", rest)) => CHOSEN.iter().any(|byte| rest.starts_with(byte)),
        Some(("33", rest)) => rest.starts_with("33"),
        Some(("00", rest)) => rest.starts_with("00"),
        Some(("03", rest)) => rest.starts_with("00"),
        Some(("01" | "ff", _)) => true,
        _ => false,
    }
}

/// Random addresses in order of first appearance.
#[derive(Default)]
struct Macs(Vec<String>);

impl Macs {
    fn name(&mut self, mac: &str) -> String {
        let mac = mac.to_lowercase();
        if is_fixed(&mac) {
            return mac;
        }
        let at = self.0.iter().position(|known| *known == mac).unwrap_or_else(|| {
            self.0.push(mac);
            self.0.len() - 1
        });
        format!("<M{}>", at + 1)
    }

    /// The name of the known address that ends in these three bytes.
    fn ending(&self, tail: &str) -> Option<String> {
        self.0.iter().position(|known| known.ends_with(tail)).map(|at| format!("<M{}>", at + 1))
    }
}

/// The address that an interface identifier (RFC 4291, appendix A) was made from.
fn from_identifier(groups: &str) -> Option<String> {
    let groups: Vec<u16> =
        groups.split(':').map(|group| u16::from_str_radix(group, 16)).collect::<Result<_, _>>().ok()?;
    let [a, b, c, d] = groups.as_slice() else { return None };
    if b & 0xff != 0xff || c >> 8 != 0xfe {
        return None;
    }
    let bytes = [(a >> 8) ^ 2, a & 0xff, b >> 8, c & 0xff, d >> 8, d & 0xff];
    Some(bytes.map(|byte| format!("{byte:02x}")).join(":"))
}

macro_rules! pattern {
    ($name:ident = $pattern:literal) => {
        static $name: LazyLock<Regex> = LazyLock::new(|| Regex::new($pattern).expect("a valid pattern"));
    };
}

pattern!(MAC = r"\b(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}\b");
pattern!(BRIDGE_ID = r"\b([0-9a-f]{4})\.((?:[0-9a-f]{1,2}:){5}[0-9a-f]{1,2}|[0-9a-f]{12})\b");
pattern!(LINK_LOCAL = r"fe80::([0-9a-f]{1,4}:[0-9a-f]{1,4}:[0-9a-f]{1,4}:[0-9a-f]{1,4})");
pattern!(SOLICITED = r"(ff02::1:ff)([0-9a-f]{1,2}):([0-9a-f]{1,4})");
pattern!(SOLICITED_MAC = r"33:33:ff:(..:..:..)");

/// Plain replacements, in this order.
static REPLACEMENTS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"time=[0-9.]+ ms", "time=<T> ms"),
        (r"= [0-9.]+/[0-9.]+/[0-9.]+(/[0-9.]+)? ms(, ipg/ewma [0-9./]+ ms)?", "= <T> ms"),
        (r"time \d+ms", "time <T>ms"),
        (r"\] +[0-9.]+ms", "]  <T>ms"),
        (r"\b(id|ident[=]?|pid) ?=?\d+\b", "$1 <N>"),
        (r#"((?:hello|tcn|topology_change|gc|hold|message_age|forward_delay)_timer["]?:?) *[0-9.]+"#, "$1 <T>"),
        (r"((?:hello|tcn|topology change|gc|hold|message age|forward delay) timer)[ \t]*[0-9.]+", "$1 <T>"),
        (r"(\t(?:yes|no)\t\t *)[0-9]+\.[0-9]+", "${1}<T>"),
        (r"^> 00:00:0\d\.\d+ ", "> <T> "),
        (r"^>\d\d:\d\d:\d\d\.\d+ ", "><T> "),
        (r"^>\[ *\d+\.\d{6}\] ", ">[<T>] "),
        (r"Timestamp: .*", "Timestamp: <T>"),
        (r"(ref \d+ )?used \d+/\d+(/\d+)?", "used <N>"),
        (r"(temp(?: proto kernel)? +)\d+\.\d\d", "${1}<T>"),
        (r"reachable \d+ base", "reachable <N> base"),
        (r"(\d+\.\d+\.\d+\.\d+)\.\d{5}\b", "$1.<N>"),
        (r"\b(seq|ack|TS val) \d{6,}", "$1 <N>"),
        (r"valid_lft \d+sec preferred_lft \d+sec", "valid_lft <N>sec preferred_lft <N>sec"),
        (r"  +\d+\.\d+ms ", "  <T>ms "),
        (r"  \d+\.\d+ ms$", "  <T> ms"),
        (r"0x[0-9a-f]{12}", "<PTR>"),
        (r"d_(ino|off)=\d+", "d_$1=<N>"),
        (r"/proc/\d+/", "/proc/<N>/"),
        (r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d socat\[\d+\]", "<T> socat[<N>]"),
        (r"expires \d+sec", "expires <N>sec"),
    ]
    .into_iter()
    .map(|(pattern, replacement)| (Regex::new(pattern).expect("a valid pattern"), replacement))
    .collect()
});

pattern!(NEIGHBOURS = r"^# neighbours |\bneigh\b|\barp -|/proc/net/arp|^\$ (arp|ip -j neigh)");

fn line(line: &str, macs: &mut Macs) -> String {
    if line.starts_with("#!") {
        return line.to_owned();
    }
    let text = MAC.replace_all(line, |found: &Captures| macs.name(&found[0]));
    let text = BRIDGE_ID.replace_all(&text, |found: &Captures| {
        let digits = &found[2];
        let mac = if digits.contains(':') {
            digits.split(':').map(|byte| format!("{byte:0>2}")).collect::<Vec<_>>().join(":")
        } else {
            digits.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair)).collect::<Vec<_>>().join(":")
        };
        if is_fixed(&mac) { found[0].to_owned() } else { format!("{}.{}", &found[1], macs.name(&mac)) }
    });
    let text = LINK_LOCAL.replace_all(&text, |found: &Captures| match from_identifier(&found[1]) {
        Some(mac) if !is_fixed(&mac) => format!("fe80::<EUI {}>", macs.name(&mac)),
        _ => found[0].to_owned(),
    });
    let text = SOLICITED.replace_all(&text, |found: &Captures| {
        let low = format!("{:0>4}", &found[3]);
        let tail = format!("{:0>2}:{}:{}", &found[2], &low[..2], &low[2..]);
        macs.ending(&tail).map_or_else(|| found[0].to_owned(), |name| format!("{}{name}", &found[1]))
    });
    let text = SOLICITED_MAC.replace_all(&text, |found: &Captures| {
        macs.ending(&found[1]).map_or_else(|| found[0].to_owned(), |name| format!("33:33:ff:{name}"))
    });
    REPLACEMENTS
        .iter()
        .fold(text.into_owned(), |text, (pattern, replacement)| pattern.replace_all(&text, *replacement).into_owned())
}

/// Normalises a whole transcript.
pub fn normalise(transcript: &str) -> String {
    let mut macs = Macs::default();
    let mut lines: Vec<String> = Vec::new();
    // The output of the current command, if it is a neighbour table.
    let mut table: Option<Vec<String>> = None;
    for raw in transcript.lines() {
        let text = line(raw, &mut macs);
        if let Some(rows) = table.as_mut().filter(|_| text.starts_with('>') || text.starts_with(FRAME)) {
            rows.push(text);
            continue;
        }
        if let Some(rows) = table.as_mut() {
            rows.sort();
            lines.append(rows);
        }
        if text.starts_with('$') || text.starts_with(NEIGHBOURS_HEAD) {
            table = NEIGHBOURS.is_match(&text).then(Vec::new);
        }
        lines.push(text);
    }
    if let Some(mut rows) = table {
        rows.sort();
        lines.append(&mut rows);
    }
    lines.push(String::new());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::normalise;

    #[test]
    fn random_addresses_are_numbered_and_what_is_made_from_them_follows() {
        let text = normalise(
            ">ca:e6:8b:b4:be:3a\n>8000.cae68bb4be3a\n>fe80::c8e6:8bff:feb4:be3a\n>33:33:ff:b4:be:3a\n>02:00:00:00:00:0a\n",
        );
        assert_eq!(text, "><M1>\n>8000.<M1>\n>fe80::<EUI <M1>>\n>33:33:ff:<M1>\n>02:00:00:00:00:0a\n");
    }

    #[test]
    fn neighbour_tables_are_sorted() {
        assert_eq!(normalise("$ ip neigh\n>b\n>a\n=0\n"), "$ ip neigh\n>a\n>b\n=0\n");
    }
}
