//! `SIOCGIFCONF`: every IPv4 address with the name it goes by.

use crate::Kernel;
use crate::error::{Errno, Result};
use crate::socket::SocketAddress;
use crate::types::NsId;

/// Bytes of a `struct ifreq`.
const IFREQ: usize = 40;

/// Fills `data` with an ifreq for each address and says in `argument` (a `struct ifconf`) how many bytes that are. Without `data`
/// it says how many there would be.
pub(super) fn list(kernel: &Kernel, ns: NsId, argument: &mut [u8], data: Option<&mut Vec<u8>>) -> Result<i32, Errno> {
    let addresses = super::inet::labelled_addresses(kernel, ns);
    let length = match data {
        None => addresses.len() * IFREQ,
        Some(data) => {
            let room = data.len() / IFREQ;
            let mut filled = 0;
            for ((label, address), entry) in addresses.iter().take(room).zip(data.chunks_exact_mut(IFREQ)) {
                entry.fill(0);
                let label = &label.as_bytes()[..label.len().min(15)];
                entry[..label.len()].copy_from_slice(label);
                entry[16..32].copy_from_slice(&SocketAddress::V4 { address: *address, port: 0 }.to_bytes());
                filled += IFREQ;
            }
            filled
        }
    };
    argument.get_mut(..4).ok_or(Errno::EFAULT)?.copy_from_slice(&(length as i32).to_ne_bytes());
    Ok(0)
}
