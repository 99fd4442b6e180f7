//! Many datagrams in one call, in the spirit of sendmmsg(2) and recvmmsg(2), and without a copy for the receiver.

use std::iter::Peekable;

use super::{SocketKind, packet};
use crate::error::Errno;
use crate::types::SocketId;
use crate::{Caller, Kernel};

/// How many datagrams are on their way before what follows from them happens: what a network card hands over at once.
const BURST: usize = 64;

/// Whether two addresses are the same. Most are none at all.
#[inline(always)]
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && (one.is_empty() || one == other)
}

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
        let mut messages = messages.into_iter().peekable();
        let mut sent = 0;
        while let Some((data, address)) = messages.next() {
            let (more, error) = if self.may_send_burst(socket) {
                self.send_burst(socket, data, address, &mut messages)
            } else {
                self.send(socket, data, address, flags, caller).map_or_else(|error| (0, Some(error)), |_| (1, None))
            };
            sent += more;
            match error {
                Some(error) if sent == 0 => return Err(error),
                Some(_) => break,
                None => {}
            }
        }
        Ok(sent)
    }

    /// Whether it is a packet socket that isn't to report an error first.
    fn may_send_burst(&self, socket: SocketId) -> bool {
        self.sockets
            .get(socket)
            .is_some_and(|open| matches!(open.kind, SocketKind::Packet(_)) && open.pending_error.is_none())
    }

    /// Sends a datagram and, of those that follow, as many as a burst holds, then does what follows from it.
    fn send_burst<'a>(
        &mut self,
        socket: SocketId,
        data: &'a [u8],
        address: &'a [u8],
        messages: &mut Peekable<impl Iterator<Item = (&'a [u8], &'a [u8])>>,
    ) -> (usize, Option<Errno>) {
        let mut room = BURST;
        let (mut data, mut address, mut sent) = (data, address, 0);
        loop {
            room -= 1;
            let (more, error) = packet::send_burst(self, socket, data, address, || {
                room = room.checked_sub(1)?;
                messages.next_if(|(_, to)| same(to, address)).map(|(data, _)| data)
            });
            sent += more;
            match messages.next_if(|_| error.is_none() && room > 0) {
                Some(another) => (data, address) = another,
                None => {
                    self.settle();
                    return (sent, error);
                }
            }
        }
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
