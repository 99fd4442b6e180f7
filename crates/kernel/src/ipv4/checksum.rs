//! The Internet checksum (RFC 1071).

/// The sum of 16-bit words as this machine reads them, eight bytes at a time.
#[inline(always)]
pub(crate) fn native_sum(bytes: &[u8]) -> u64 {
    let (blocks, rest) = bytes.as_chunks::<32>();
    let (words, rest) = rest.as_chunks::<8>();
    let mut sum = 0;
    let word = |word: &[u8; 8]| u128::from(u64::from_ne_bytes(*word));
    blocks.iter().for_each(|block| sum += block.as_chunks::<8>().0.iter().map(word).sum::<u128>());
    words.iter().for_each(|bytes| sum += word(bytes));
    if !rest.is_empty() {
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        sum += word(&last);
    }
    add(sum as u64, (sum >> 64) as u64)
}

/// Adds words. The carry is worth one in the lowest of them, as from any to the next.
#[inline(always)]
pub(crate) fn add(one: u64, two: u64) -> u64 {
    let (sum, carry) = one.overflowing_add(two);
    sum + u64::from(carry)
}

/// The sum of 16-bit words; an odd last byte counts as the high half of a word.
#[inline]
pub(crate) fn sum(bytes: &[u8]) -> u64 {
    // The sum of words the other way round is the sum the other way round: they are added as they come.
    u64::from((!fold(native_sum(bytes))).to_be())
}

/// Whether bytes contain their right checksum.
#[inline]
pub(crate) fn is_right(bytes: &[u8]) -> bool {
    is_right_sum(native_sum(bytes))
}

/// Whether bytes with this native sum do: as folding takes multiples of 0xffff off, the sum is one. That of nothing but zeros is none,
/// as there would be a 1 in the checksum's place.
#[inline]
pub(crate) fn is_right_sum(sum: u64) -> bool {
    sum != 0 && sum.is_multiple_of(0xffff)
}

/// Folds a sum into the checksum that a header carries.
#[inline]
pub(crate) fn fold(sum: u64) -> u16 {
    let (sum, carry) = (sum as u32).overflowing_add((sum >> 32) as u32);
    let sum = sum + u32::from(carry);
    // In the high half is what both halves are together, with the carry from the low one.
    !(sum.wrapping_add(sum.rotate_left(16)) >> 16) as u16
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

    #[test]
    fn words_are_added_with_their_carries() {
        for length in 0..80 {
            for fill in [0, 1, 0x7f, 0x80, 0xff] {
                let mut bytes: Vec<u8> = (0..length).map(|at: u8| at.wrapping_mul(37) | fill).collect();
                let mut sum = 0u32;
                for pair in bytes.chunks(2) {
                    sum += u32::from(pair[0]) << 8 | pair.get(1).copied().map_or(0, u32::from);
                    sum = (sum & 0xffff) + (sum >> 16);
                }
                assert_eq!(internet_checksum(&bytes), !(sum as u16), "{bytes:?}");
                assert_eq!(is_right(&bytes), sum == 0xffff, "{bytes:?}");
                bytes.extend((length % 2 == 1).then_some(0));
                bytes.extend((!(sum as u16)).to_be_bytes());
                assert!(is_right(&bytes), "{bytes:?}");
            }
        }
    }
}
