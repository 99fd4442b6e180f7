//! Many datagrams in one call, in the spirit of sendmmsg(2) and recvmmsg(2), and without a copy for the receiver.

use super::SocketKind;
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
        let open = self.open_socket(socket)?;
        if matches!(open.kind, SocketKind::Packet(_)) && open.pending_error.is_none() {
            let taken = self.drain_packets(socket, limit, show);
            return if taken == 0 { Err(Errno::EAGAIN) } else { Ok(taken) };
        }
        let mut taken = 0;
        while taken < limit {
            match self.receive(socket, 0) {
                Ok(datagram) => show(&datagram.data),
                Err(error) if taken == 0 => return Err(error),
                Err(_) => break,
            }
            taken += 1;
        }
        Ok(taken)
    }
}
