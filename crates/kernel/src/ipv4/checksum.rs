//! The Internet checksum (RFC 1071).

/// The sum of 16-bit words, not yet folded; an odd last byte counts as the high half of a word.
#[inline]
pub(crate) fn sum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<4>();
    let words: u64 = words.iter().map(|word| u64::from(u32::from_be_bytes(*word))).sum();
    let rest = match rest {
        [] => 0,
        [a] => u64::from(*a) << 8,
        [a, b] => u64::from(u16::from_be_bytes([*a, *b])),
        [a, b, c, ..] => u64::from(u16::from_be_bytes([*a, *b])) + (u64::from(*c) << 8),
    };
    words + rest
}

/// Folds a sum into the checksum that a header carries.
#[inline]
pub(crate) fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// The checksum of bytes; 0 where they contain the right one already.
#[inline]
pub(crate) fn internet_checksum(bytes: &[u8]) -> u16 {
    fold(sum(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_1071() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(internet_checksum(&bytes), !0xddf2);
        let mut odd = vec![0x12, 0x34, 0x56];
        let checksum = internet_checksum(&odd);
        odd.push(0);
        odd.extend(checksum.to_be_bytes());
        assert_eq!(internet_checksum(&odd), 0);
    }
}
