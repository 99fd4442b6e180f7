//! IP options (RFC 791, 3.1): recording the route and the time, as `ping -R` and `ping -T` ask for.

use std::net::Ipv4Addr;

use crate::Kernel;

const END: u8 = 0;
const NOP: u8 = 1;
const RECORD_ROUTE: u8 = 7;
const TIMESTAMP: u8 = 68;
/// Options with this bit stand in every fragment.
const COPIED: u8 = 0x80;

/// Timestamps alone, with addresses, or for the addresses that are given.
const TIMES_ONLY: u8 = 0;
const TIMES_AND_ADDRESSES: u8 = 1;
const TIMES_PRESPECIFIED: u8 = 3;

/// The time as options and ICMP timestamps have it: milliseconds of the day.
pub(super) fn clock(kernel: &Kernel) -> u32 {
    ((kernel.config.wall_clock + kernel.now.since_boot()).as_millis() % 86_400_000) as u32
}

/// Where an option stands: its start, and one past its end.
type Place = (usize, usize);

/// The options, in order; `Err` with the offset of the first that can't be.
fn places(options: &[u8]) -> Result<Vec<Place>, usize> {
    let mut places = Vec::new();
    let mut at = 0;
    while let Some(kind) = options.get(at) {
        match *kind {
            END => break,
            NOP => at += 1,
            _ => {
                let length = usize::from(*options.get(at + 1).ok_or(at)?);
                if length < 2 || at + length > options.len() {
                    return Err(at);
                }
                places.push((at, at + length));
                at += length;
            }
        }
    }
    Ok(places)
}

/// Whether the options of a packet that came in can be: `Err` has the offset of the first that can't, from the header's start.
pub(super) fn check(options: &[u8]) -> Result<(), u8> {
    let base = super::header::MIN_LEN;
    let wrong = |at: usize| (base + at) as u8;
    for (start, end) in places(options).map_err(wrong)? {
        let option = &options[start..end];
        match (option[0], option.len()) {
            (RECORD_ROUTE, 0..3) => return Err(wrong(start + 1)),
            (RECORD_ROUTE, _) if option[2] < 4 => return Err(wrong(start + 2)),
            (TIMESTAMP, 0..4) => return Err(wrong(start + 1)),
            (TIMESTAMP, _) if option[2] < 5 => return Err(wrong(start + 2)),
            _ => {}
        }
    }
    Ok(())
}

/// Writes this host's address and time where the options ask for them and there is room.
pub(super) fn record(options: &mut [u8], own: Ipv4Addr, now: u32) {
    let Ok(places) = places(options) else { return };
    for (start, end) in places {
        let option = &mut options[start..end];
        match option[0] {
            RECORD_ROUTE if option.len() >= 3 => {
                let at = usize::from(option[2]).saturating_sub(1);
                if write(option, at, &own.octets()) {
                    option[2] += 4;
                }
            }
            TIMESTAMP if option.len() >= 4 => stamp(option, own, now),
            _ => {}
        }
    }
}

fn stamp(option: &mut [u8], own: Ipv4Addr, now: u32) {
    let at = usize::from(option[2]).saturating_sub(1);
    let (address, advance) = match option[3] & 0x0f {
        TIMES_ONLY => (false, 4),
        TIMES_AND_ADDRESSES => (true, 8),
        TIMES_PRESPECIFIED if option.get(at..at + 4) == Some(&own.octets()) => (false, 8),
        _ => return,
    };
    if option.len() < at + advance {
        // No room: the overflow is counted.
        if option[3] >> 4 < 15 {
            option[3] += 0x10;
        }
        return;
    }
    if address {
        write(option, at, &own.octets());
    }
    write(option, at + advance - 4, &now.to_be_bytes());
    option[2] = option[2].saturating_add(advance as u8);
}

fn write(option: &mut [u8], at: usize, bytes: &[u8; 4]) -> bool {
    match option.get_mut(at..at + 4) {
        Some(room) => {
            room.copy_from_slice(bytes);
            true
        }
        None => false,
    }
}

/// The options of an answer: those that record, with what they have recorded, padded to words.
pub(super) fn echo(options: &[u8]) -> Vec<u8> {
    let mut echoed = Vec::new();
    for kind in [RECORD_ROUTE, TIMESTAMP] {
        let places = places(options).unwrap_or_default();
        if let Some((start, end)) = places.into_iter().find(|(start, _)| options[*start] == kind) {
            echoed.extend_from_slice(&options[start..end]);
        }
    }
    echoed.resize(echoed.len().next_multiple_of(4).min(40), END);
    echoed
}

/// The options as every fragment but the first has them: those that aren't copied are blanked out.
pub(super) fn for_fragments(options: &[u8]) -> Vec<u8> {
    let mut later = options.to_vec();
    for (start, end) in places(options).unwrap_or_default() {
        if options[start] & COPIED == 0 {
            later[start..end].fill(NOP);
        }
    }
    later
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 2);

    #[test]
    fn a_recorded_route_grows_until_it_is_full() {
        let mut options = [NOP, RECORD_ROUTE, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0];
        record(&mut options, OWN, 0);
        record(&mut options, OWN, 0);
        record(&mut options, OWN, 0);
        assert_eq!(options, [NOP, RECORD_ROUTE, 11, 12, 10, 1, 0, 2, 10, 1, 0, 2]);
        assert_eq!(echo(&options), [RECORD_ROUTE, 11, 12, 10, 1, 0, 2, 10, 1, 0, 2, END]);
    }

    #[test]
    fn times_are_stamped_and_the_overflow_counted() {
        let mut options = [TIMESTAMP, 12, 5, TIMES_AND_ADDRESSES, 0, 0, 0, 0, 0, 0, 0, 0];
        record(&mut options, OWN, 7);
        assert_eq!(options, [TIMESTAMP, 12, 13, TIMES_AND_ADDRESSES, 10, 1, 0, 2, 0, 0, 0, 7]);
        record(&mut options, OWN, 8);
        assert_eq!(options[3], 0x10 | TIMES_AND_ADDRESSES);
    }

    #[test]
    fn options_that_cannot_be_are_pointed_at() {
        assert_eq!(check(&[NOP, RECORD_ROUTE, 99, 4]), Err(21));
        assert_eq!(check(&[RECORD_ROUTE, 7, 3, 0, 0, 0, 0, 0]), Err(22));
        assert_eq!(check(&[NOP, NOP, END, RECORD_ROUTE]), Ok(()));
    }
}
