//! The IPv4 header (RFC 791): read in place, written once.

use std::net::Ipv4Addr;

use super::checksum::{fold, internet_checksum, is_right, sum};

/// Its length without options.
pub(crate) const MIN_LEN: usize = 20;
/// The first byte of one without options: version and length.
pub(crate) const PLAIN: u8 = 0x40 | (MIN_LEN / 4) as u8;
/// Its flags, in the word that they share with the offset.
pub(crate) const DF: u16 = 0x4000;
/// See [`DF`].
pub(crate) const MF: u16 = 0x2000;
/// The offset's part of that word, in units of eight bytes.
pub(crate) const OFFSET: u16 = 0x1fff;

/// Protocol numbers.
pub(crate) mod protocol {
    pub(crate) const ICMP: u8 = 1;
    pub(crate) const IGMP: u8 = 2;
    pub(crate) const TCP: u8 = 6;
    pub(crate) const UDP: u8 = 17;
}

/// A header that was looked at: the lengths in it are within the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// In bytes, options included.
    pub(crate) length: usize,
    pub(crate) tos: u8,
    /// Of the whole packet.
    pub(crate) total: usize,
    pub(crate) id: u16,
    /// Flags and offset.
    pub(crate) fragment: u16,
    pub(crate) ttl: u8,
    pub(crate) protocol: u8,
    pub(crate) source: Ipv4Addr,
    pub(crate) destination: Ipv4Addr,
}

/// What is wrong with a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// Too short, another version, lengths that can't be.
    Header,
    /// The packet is shorter than it says.
    Truncated,
    /// Its checksum is wrong.
    Checksum,
}

impl Header {
    /// Reads and checks the header at the start of `packet`.
    #[inline(always)]
    pub(crate) fn parse(packet: &[u8]) -> Result<Header, Malformed> {
        let fixed: &[u8; MIN_LEN] = packet.first_chunk().ok_or(Malformed::Header)?;
        let length = if fixed[0] == PLAIN { MIN_LEN } else { Header::length_with_options(packet)? };
        let right = if fixed[0] == PLAIN { is_right(fixed) } else { is_right(&packet[..length]) };
        if !right {
            return Err(Malformed::Checksum);
        }
        let header = Header { length, ..Header::read(fixed) };
        if header.total > packet.len() {
            return Err(Malformed::Truncated);
        }
        if header.total < length {
            return Err(Malformed::Header);
        }
        Ok(header)
    }

    /// Where the header of a packet ends that isn't a [`PLAIN`] one.
    #[cold]
    fn length_with_options(packet: &[u8]) -> Result<usize, Malformed> {
        let first = packet.first().copied().unwrap_or_default();
        let length = usize::from(first & 0x0f) * 4;
        let can_be = first >> 4 == 4 && (MIN_LEN..=packet.len()).contains(&length);
        can_be.then_some(length).ok_or(Malformed::Header)
    }

    /// Reads the fixed part without looking at what it says.
    #[inline]
    pub(crate) fn read(fixed: &[u8; MIN_LEN]) -> Header {
        let word = |at: usize| u16::from_be_bytes([fixed[at], fixed[at + 1]]);
        Header {
            length: usize::from(fixed[0] & 0x0f) * 4,
            tos: fixed[1],
            total: word(2).into(),
            id: word(4),
            fragment: word(6),
            ttl: fixed[8],
            protocol: fixed[9],
            source: Ipv4Addr::new(fixed[12], fixed[13], fixed[14], fixed[15]),
            destination: Ipv4Addr::new(fixed[16], fixed[17], fixed[18], fixed[19]),
        }
    }

    /// Writes the header over the start of `packet`, around the options that stand there already.
    #[inline(always)]
    pub(crate) fn write(&self, packet: &mut [u8]) {
        let Some((fixed, options)) = packet.split_first_chunk_mut::<MIN_LEN>() else { return };
        let first = u32::from_be_bytes([0x40 | (self.length / 4) as u8, self.tos, 0, 0]) | (self.total as u32 & 0xffff);
        let second = u32::from(self.id) << 16 | u32::from(self.fragment);
        let third = u32::from_be_bytes([self.ttl, self.protocol, 0, 0]);
        let (source, destination) = (self.source.to_bits(), self.destination.to_bits());
        // Words that were just written are not read again: the processor would have to wait.
        let mut total: u64 = [first, second, third, source, destination].map(u64::from).iter().sum();
        if self.length > MIN_LEN {
            total += sum(options.get(..self.length - MIN_LEN).unwrap_or_default());
        }
        let third = third | u32::from(fold(total));
        let two = |high: u32, low: u32| (u64::from(high) << 32 | u64::from(low)).to_be_bytes();
        fixed[..8].copy_from_slice(&two(first, second));
        fixed[8..16].copy_from_slice(&two(third, source));
        fixed[16..].copy_from_slice(&destination.to_be_bytes());
    }

    /// Whether the packet is a part of another.
    #[inline]
    pub(crate) fn is_fragment(&self) -> bool {
        self.fragment & (MF | OFFSET) != 0
    }

    /// Where the part begins, in bytes.
    pub(crate) fn offset(&self) -> usize {
        usize::from(self.fragment & OFFSET) * 8
    }
}

/// Computes the header's checksum anew.
pub(crate) fn update_checksum(packet: &mut [u8], length: usize) {
    let Some(header) = packet.get_mut(..length) else { return };
    if header.len() < MIN_LEN {
        return;
    }
    header[10..12].fill(0);
    let checksum = internet_checksum(header);
    header[10..12].copy_from_slice(&checksum.to_be_bytes());
}

/// One off the time to live, which is left, and the checksum with it (RFC 1141).
#[inline]
pub(crate) fn decrease_ttl(packet: &mut [u8]) {
    let Some(fixed) = packet.first_chunk_mut::<MIN_LEN>() else { return };
    fixed[8] = fixed[8].wrapping_sub(1);
    // What is taken off the high half of a word is added to that of the checksum; read the other way round it is the low one.
    let sum = u32::from(u16::from_le_bytes([fixed[10], fixed[11]])) + 1;
    let sum = (sum + u32::from(sum >= 0xffff)) as u16;
    fixed[10..12].copy_from_slice(&sum.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_follows_the_time_to_live() {
        for id in [0, 1, 0x1234, 0xfffe, 0xffff] {
            for ttl in 2..=255 {
                let mut packet = [0; 28];
                let header = Header {
                    length: 20,
                    tos: 0,
                    total: 28,
                    id,
                    fragment: DF,
                    ttl,
                    protocol: 17,
                    source: Ipv4Addr::new(10, 0, 0, 1),
                    destination: Ipv4Addr::new(10, 0, 0, 2),
                };
                header.write(&mut packet);
                assert_eq!(Header::parse(&packet), Ok(header));
                decrease_ttl(&mut packet);
                assert_eq!(Header::parse(&packet), Ok(Header { ttl: ttl - 1, ..header }));
            }
        }
    }
}
