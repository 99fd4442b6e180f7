//! Many datagrams in one call, in the spirit of sendmmsg(2) and recvmmsg(2), and without a copy for the receiver.

use super::{SocketKind, packet};
use crate::error::Errno;
use crate::types::SocketId;
use crate::{Caller, Kernel};

/// How many datagrams are on their way before what follows from them happens: what a network card hands over at once.
pub(super) const BURST: usize = 64;

/// A datagram's bytes and the address that it goes to, which may be empty.
pub(super) type Message<'a> = (&'a [u8], &'a [u8]);

impl Kernel {
    /// sendmmsg(2): sends datagrams to addresses (empty: as send(2)). How many were sent; the error where not even the first
    /// was. Frames for one device may leave in bursts, as from a card's queue.
    pub fn send_many<'a>(
        &mut self,
        socket: SocketId,
        messages: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
        flags: i32,
        caller: &dyn Caller,
    ) -> Result<usize, Errno> {
        let mut messages = messages.into_iter();
        let mut room: [Message<'_>; BURST] = [(&[], &[]); BURST];
        let mut sent = 0;
        loop {
            let mut count = 0;
            for (place, message) in room.iter_mut().zip(messages.by_ref()) {
                *place = message;
                count += 1;
            }
            let mut burst = &room[..count];
            if burst.is_empty() {
                return Ok(sent);
            }
            while let Some((data, address)) = burst.first() {
                let (more, error) = if self.may_send_burst(socket) {
                    let done = packet::send_burst(self, socket, burst);
                    self.settle();
                    done
                } else {
                    match self.send(socket, data, address, flags, caller) {
                        Ok(_) => (1, None),
                        Err(error) => (0, Some(error)),
                    }
                };
                sent += more;
                burst = burst.get(more..).unwrap_or_default();
                match error {
                    Some(error) if sent == 0 => return Err(error),
                    Some(_) => return Ok(sent),
                    None => {}
                }
            }
        }
    }

    /// Whether it is a packet socket that isn't to report an error first.
    fn may_send_burst(&self, socket: SocketId) -> bool {
        self.sockets
            .get(socket)
            .is_some_and(|open| matches!(open.kind, SocketKind::Packet(_)) && open.pending_error.is_none())
    }

    /// Takes up to `limit` datagrams and shows the bytes of each in turn, without waiting: how many there were, `EAGAIN`
    /// where none. The bytes alone: who wants addresses and ancillary messages calls [`Kernel::receive`].
    pub fn drain(&mut self, socket: SocketId, limit: usize, mut show: impl FnMut(&[u8])) -> Result<usize, Errno> {
        let open = self.open_socket(socket)?;
        if matches!(open.kind, SocketKind::Packet(_)) && open.pending_error.is_none() {
            let taken = self.drain_packets(socket, limit, show);
            return if taken == 0 { Err(Errno::EAGAIN) } else { Ok(taken) };
        }
        if matches!(open.kind, SocketKind::Inet(_)) && open.pending_error.is_none() {
            let taken = self.drain_inet(socket, limit, show);
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
