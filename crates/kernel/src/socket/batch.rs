//! Many datagrams in one call, in the spirit of sendmmsg(2) and recvmmsg(2), and without a copy for the receiver.

use super::{SocketKind, packet};
use crate::error::Errno;
use crate::types::SocketId;
use crate::{Caller, Kernel};

impl Kernel {
    /// sendmmsg(2): sends datagrams to addresses (empty: as send(2)), each with everything that follows from it before
    /// the next. How many were sent; the error where not even the first was.
    pub fn send_many<'a>(
        &mut self,
        socket: SocketId,
        messages: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
        flags: i32,
        caller: &dyn Caller,
    ) -> Result<usize, Errno> {
        let mut sent = 0;
        for (data, address) in messages {
            match self.send(socket, data, address, flags, caller) {
                Ok(_) => sent += 1,
                Err(error) if sent == 0 => return Err(error),
                Err(_) => break,
            }
        }
        Ok(sent)
    }

    /// Takes up to `limit` datagrams and shows the bytes of each in turn, without waiting: how many there were, `EAGAIN`
    /// where none. The bytes alone: who wants addresses and ancillary messages calls [`Kernel::receive`].
    pub fn drain(&mut self, socket: SocketId, limit: usize, mut show: impl FnMut(&[u8])) -> Result<usize, Errno> {
        let mut taken = 0;
        while taken < limit {
            let open = self.open_socket(socket)?;
            let result = match (&open.kind, open.pending_error) {
                (SocketKind::Packet(_), None) => packet::take(self, socket, &mut show),
                _ => self.receive(socket, 0).map(|datagram| show(&datagram.data)),
            };
            match result {
                Ok(()) => taken += 1,
                Err(error) if taken == 0 => return Err(error),
                Err(_) => break,
            }
        }
        Ok(taken)
    }
}
