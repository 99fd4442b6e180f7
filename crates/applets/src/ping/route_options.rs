//! The IP options of an answer in words: the recorded route, time stamps.

use std::fmt::Write;
use std::net::Ipv4Addr;

/// Prints options; a route that repeats itself is not printed again.
#[derive(Debug, Default)]
pub(super) struct RouteOptions {
    last_route: Vec<u8>,
}

impl RouteOptions {
    pub(super) fn text(&mut self, mut options: &[u8]) -> String {
        const END: u8 = 0;
        const NOP: u8 = 1;
        let mut text = String::new();
        while let Some((&kind, rest)) = options.split_first() {
            match kind {
                END => break,
                NOP => options = rest,
                _ => {
                    let Some((option, after)) =
                        rest.first().and_then(|&length| options.split_at_checked(usize::from(length)))
                    else {
                        break;
                    };
                    if option.len() < 3 {
                        break;
                    }
                    self.one(&mut text, option);
                    options = after;
                }
            }
        }
        text
    }

    fn one(&mut self, text: &mut String, option: &[u8]) {
        const RECORD_ROUTE: u8 = 7;
        const TIMESTAMP: u8 = 68;
        const LOOSE: u8 = 131;
        const STRICT: u8 = 137;
        match *option {
            [RECORD_ROUTE, _, pointer, ref slots @ ..] => {
                // The pointer counts from 1, from the option's start.
                let used = slots.get(..usize::from(pointer).saturating_sub(4)).unwrap_or(slots);
                if used.is_empty() {
                    return;
                }
                if used == self.last_route {
                    text.push_str("\t(same route)");
                    return;
                }
                text.push_str("\nRR: ");
                addresses(text, used);
                self.last_route = used.to_vec();
            }
            [LOOSE | STRICT, _, _, ref slots @ ..] => {
                text.push_str("\nSRR: ");
                addresses(text, slots);
            }
            [TIMESTAMP, _, pointer, overflow_and_kind, ref slots @ ..] => {
                let used = slots.get(..usize::from(pointer).saturating_sub(5)).unwrap_or(slots);
                stamps(text, used, overflow_and_kind & 0x0f != 0);
                if overflow_and_kind >> 4 > 0 {
                    let _ = writeln!(text, "Unrecorded hops: {}", overflow_and_kind >> 4);
                }
            }
            [kind, ..] => {
                let _ = write!(text, "\nunknown option {kind:x}");
            }
            [] => {}
        }
    }
}

fn addresses(text: &mut String, slots: &[u8]) {
    for slot in slots.chunks_exact(4) {
        let address = slot.first_chunk::<4>().map_or(Ipv4Addr::UNSPECIFIED, |octets| Ipv4Addr::from(*octets));
        let _ = writeln!(text, "\t{address}");
    }
}

/// The first stamp as it is, the others as what passed since the one before.
fn stamps(text: &mut String, slots: &[u8], with_addresses: bool) {
    if slots.is_empty() {
        return;
    }
    text.push_str("\nTS: ");
    let mut before = None;
    for slot in slots.chunks_exact(if with_addresses { 8 } else { 4 }) {
        let (address, stamp) = if with_addresses { slot.split_at(4) } else { (&slot[..0], slot) };
        if let Some(octets) = address.first_chunk::<4>() {
            let _ = write!(text, "\t{}", Ipv4Addr::from(*octets));
        }
        let stamp = stamp.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        let standard = stamp & 0x8000_0000 == 0;
        let time = i64::from(stamp & 0x7fff_ffff);
        let _ = match before {
            None => writeln!(text, "\t{time} absolute{}", if standard { "" } else { " not-standard" }),
            Some(before) => writeln!(text, "\t{}{}", time - before, if standard { "" } else { " not-standard" }),
        };
        before = Some(time);
    }
}

#[cfg(test)]
mod tests {
    use super::RouteOptions;

    #[test]
    fn a_route_is_printed_once() {
        let options = [1, 7, 39, 12, 10, 1, 0, 1, 10, 1, 0, 2, 0, 0, 0];
        let mut options = options.to_vec();
        options.resize(40, 0);
        let mut printer = RouteOptions::default();
        assert_eq!(printer.text(&options), "\nRR: \t10.1.0.1\n\t10.1.0.2\n");
        assert_eq!(printer.text(&options), "\t(same route)");
    }

    #[test]
    fn stamps_count_from_the_one_before() {
        let options = [68, 12, 13, 0, 0, 0, 4, 0, 0, 0, 4, 5];
        assert_eq!(RouteOptions::default().text(&options), "\nTS: \t1024 absolute\n\t5\n");
    }

    #[test]
    fn broken_options_end_quietly() {
        for options in [&[7u8][..], &[7, 0, 4], &[7, 200, 4], &[68, 3, 9], &[7, 3, 255]] {
            assert!(RouteOptions::default().text(options).lines().count() < 3);
        }
    }
}
