//! Packets through memory that a program shares with its machine, for as long as both are busy.
//!
//! It takes the place of sending on the connection that the two have, and carries the same packets in the same order. On
//! the connection itself come those that are too long, each announced in its place in the memory, and packets of one
//! byte: they say nothing, but wake up who sleeps there. That the other side has gone is seen there too.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::{Ordering, fence};

use super::memory::Memory;
use super::packet;
use super::ring::{LONGEST, Reader, Ring, Taken, Writer};

/// One side's end.
#[derive(Debug)]
pub struct Channel {
    memory: Memory,
    side: Side,
    writer: Writer,
    reader: Reader,
    /// A long packet has been announced that the connection had no room for yet.
    announced: bool,
    /// The next packet comes on the connection, or has come before it was announced.
    expected: bool,
    early: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug)]
enum Side {
    Machine,
    Program,
}

impl Side {
    /// The ring that this side writes to, and the one that it reads from.
    fn rings(self, memory: &Memory) -> (&Ring, &Ring) {
        match self {
            Side::Machine => (&memory.answers, &memory.requests),
            Side::Program => (&memory.requests, &memory.answers),
        }
    }
}

/// Wakes up.
const CALL: &[u8] = &[0];

fn malformed() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

impl Channel {
    /// The machine's end, and the descriptor with which a program opens the other one.
    pub fn create() -> io::Result<(Channel, OwnedFd)> {
        let (memory, fd) = Memory::create()?;
        Ok((Channel::new(memory, Side::Machine), fd))
    }

    /// The program's end; `InvalidData` where the descriptor isn't such memory.
    pub fn open(fd: OwnedFd) -> io::Result<Channel> {
        Ok(Channel::new(Memory::open(fd)?, Side::Program))
    }

    fn new(memory: Memory, side: Side) -> Channel {
        let (writer, reader) = Default::default();
        Channel { memory, side, writer, reader, announced: false, expected: false, early: None }
    }

    /// Sends one packet, in place of [`packet::send`]. `WouldBlock` where there is no room, but for a long packet without
    /// `MSG_DONTWAIT`. It has to be tried again then with the same packet.
    pub fn send(&mut self, connection: BorrowedFd<'_>, packet: &[u8], flags: libc::c_int) -> io::Result<()> {
        if packet.len() <= LONGEST {
            return if self.put(Some(packet))? { call(connection) } else { Ok(()) };
        }
        if !self.announced {
            // The packet itself wakes up.
            self.put(None)?;
            self.announced = true;
        }
        packet::send(connection, packet, &[], flags)?;
        self.announced = false;
        Ok(())
    }

    fn put(&mut self, packet: Option<&[u8]>) -> io::Result<bool> {
        let (outbound, _) = self.side.rings(&self.memory);
        self.writer.put(outbound, packet)
    }

    fn inbound(&self) -> &Ring {
        self.side.rings(&self.memory).1
    }

    /// Whether what couldn't be sent has to wait for the other side to read, rather than for the connection.
    pub fn waits_for_room(&self) -> bool {
        self.writer.waits()
    }

    /// Whether it need not wait any more.
    pub fn has_room(&self) -> bool {
        self.writer.may_go_on(self.side.rings(&self.memory).0)
    }

    /// Whether [`Channel::take`] has something to do.
    pub fn has_some(&self) -> bool {
        if self.expected { self.early.is_some() } else { self.reader.has_some(self.inbound()) }
    }

    /// Takes the next packet, if it is there; whether it was.
    pub fn take(&mut self, connection: BorrowedFd<'_>, packet: &mut Vec<u8>) -> io::Result<bool> {
        if !self.expected {
            let (_, inbound) = self.side.rings(&self.memory);
            let (taken, writer_waits) = self.reader.take(inbound, packet)?;
            if writer_waits {
                // That it has gone shows on the connection.
                let _ = call(connection);
            }
            match taken {
                Taken::Nothing => return Ok(false),
                Taken::Packet => return Ok(true),
                Taken::Elsewhere => self.expected = true,
            }
        }
        let Some(early) = self.early.take() else { return Ok(false) };
        *packet = early;
        self.expected = false;
        Ok(true)
    }

    /// Takes what is on the connection itself, which packets in the memory may be older than; whether the other side has
    /// gone. `room` is overwritten.
    pub fn hear(&mut self, connection: BorrowedFd<'_>, room: &mut Vec<u8>, flags: libc::c_int) -> io::Result<bool> {
        packet::receive_bytes(connection, room, flags)?;
        match room.len() {
            0 => return Ok(true),
            length if length == CALL.len() => {}
            length if length <= LONGEST || self.early.is_some() => return Err(malformed()),
            _ => self.early = Some(std::mem::take(room)),
        }
        Ok(false)
    }

    /// Says that this side is about to sleep. Behind a fence it has to look once more.
    pub fn doze(&self) {
        self.reader.doze(self.inbound());
    }

    /// Says that this side is about to sleep on the connection; false where something has come instead.
    pub fn may_sleep(&self) -> bool {
        self.doze();
        fence(Ordering::SeqCst);
        !self.has_some()
    }

    /// Says that this side looks by itself.
    pub fn rouse(&self) {
        self.reader.rouse(self.inbound());
    }

    /// Receives one packet, in place of [`packet::receive_bytes`]: an empty one is the end.
    pub fn receive(&mut self, connection: BorrowedFd<'_>, packet: &mut Vec<u8>, flags: libc::c_int) -> io::Result<()> {
        let mut gone = false;
        loop {
            if self.take(connection, packet)? {
                return Ok(());
            }
            if gone {
                packet.clear();
                return Ok(());
            }
            if flags & libc::MSG_DONTWAIT == 0 && !self.may_sleep() {
                continue;
            }
            gone = self.hear(connection, packet, flags)?;
        }
    }
}

/// Wakes up who sleeps on the connection. One who has something to read there wakes up without it.
fn call(connection: BorrowedFd<'_>) -> io::Result<()> {
    match packet::send(connection, CALL, &[], libc::MSG_DONTWAIT) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::{AsFd, AsRawFd};
    use std::thread;

    use super::*;

    /// Two ends over a connection on which nobody waits for ever: a call that got lost fails the test.
    fn ends() -> ((Channel, OwnedFd), (Channel, OwnedFd)) {
        let (machine, memory) = Channel::create().unwrap();
        let program = Channel::open(memory).unwrap();
        let (one, other) = packet::pair().unwrap();
        let limit = libc::timeval { tv_sec: 20, tv_usec: 0 };
        for fd in [&one, &other] {
            // SAFETY: the limit lives through the call and has its size beside it.
            let set = unsafe {
                let length = size_of::<libc::timeval>() as libc::socklen_t;
                let option = (libc::SOL_SOCKET, libc::SO_RCVTIMEO);
                libc::setsockopt(fd.as_raw_fd(), option.0, option.1, (&raw const limit).cast(), length)
            };
            assert_eq!(set, 0);
        }
        ((machine, one), (program, other))
    }

    /// A sequence that looks like chance and is the same each time.
    fn chance(state: &mut u64) -> u64 {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *state >> 33
    }

    /// Looks for a packet a few times, then sleeps.
    fn receive((channel, fd): &mut (Channel, OwnedFd), buffer: &mut Vec<u8>, looks: u64) {
        for _ in 0..looks {
            if channel.has_some() {
                break;
            }
        }
        channel.receive(fd.as_fd(), buffer, 0).expect("somebody calls");
    }

    fn pause(length: u64) {
        (0..length).for_each(|_| std::hint::spin_loop());
    }

    fn packet(number: u64, length: usize) -> Vec<u8> {
        let mut packet = number.to_ne_bytes().to_vec();
        packet.resize(length, number as u8);
        packet
    }

    #[test]
    fn no_call_gets_lost_while_both_sides_go_to_sleep_again_and_again() {
        const ROUNDS: u64 = 100_000;
        // Chosen so that an answer often comes just when the one who waits for it gives up looking.
        const LOOKS: u64 = 256;
        const PAUSE: u64 = 64;
        let (mut machine, mut program) = ends();
        let echo = thread::spawn(move || {
            let (mut buffer, mut state) = (Vec::new(), 1);
            for _ in 0..ROUNDS {
                receive(&mut machine, &mut buffer, chance(&mut state) % LOOKS);
                pause(chance(&mut state) % PAUSE);
                machine.0.send(machine.1.as_fd(), &buffer, 0).unwrap();
            }
        });
        let (mut buffer, mut state) = (Vec::new(), 2);
        for round in 0..ROUNDS {
            let length = if round % 1000 == 0 { 2 * LONGEST } else { 8 + (chance(&mut state) % 100) as usize };
            let said = packet(round, length);
            program.0.send(program.1.as_fd(), &said, 0).unwrap();
            receive(&mut program, &mut buffer, chance(&mut state) % LOOKS);
            assert_eq!(buffer, said);
            pause(chance(&mut state) % PAUSE);
        }
        echo.join().unwrap();
    }

    #[test]
    fn packets_keep_their_order_whichever_way_they_go() {
        let (mut machine, mut program) = ends();
        let lengths = [8, LONGEST, LONGEST + 1, 9, 10, 100_000, 160 * 1024, 8, LONGEST];
        let writer = thread::spawn(move || {
            for number in 0..2_000u64 {
                let said = packet(number, lengths[number as usize % lengths.len()]);
                let mut buffer = Vec::new();
                while let Err(error) = machine.0.send(machine.1.as_fd(), &said, 0) {
                    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
                    assert!(machine.0.waits_for_room());
                    // Sleeps until there is room.
                    machine.0.hear(machine.1.as_fd(), &mut buffer, 0).expect("somebody calls");
                }
            }
            machine
        });
        let mut buffer = Vec::new();
        for number in 0..2_000u64 {
            receive(&mut program, &mut buffer, 0);
            assert!(buffer == packet(number, lengths[number as usize % lengths.len()]), "{number}");
        }
        drop(writer.join().unwrap());
        program.0.receive(program.1.as_fd(), &mut buffer, 0).unwrap();
        assert!(buffer.is_empty(), "the other side has gone");
    }

    #[test]
    fn what_was_said_last_is_heard() {
        let ((mut machine, here), mut program) = ends();
        machine.send(here.as_fd(), b"last words", 0).unwrap();
        drop((machine, here));
        let mut buffer = Vec::new();
        for expected in [&b"last words"[..], b"", b""] {
            program.0.receive(program.1.as_fd(), &mut buffer, 0).unwrap();
            assert_eq!(buffer, expected);
        }
    }

    #[test]
    fn packets_that_nobody_announced_end_it() {
        let ((mut machine, here), (_program, there)) = ends();
        let mut buffer = Vec::new();
        let long = vec![0; LONGEST + 1];
        packet::send(there.as_fd(), &long, &[], 0).unwrap();
        assert!(!machine.hear(here.as_fd(), &mut buffer, 0).unwrap(), "it may have come early");
        assert!(!machine.take(here.as_fd(), &mut buffer).unwrap());
        packet::send(there.as_fd(), &long, &[], 0).unwrap();
        assert!(machine.hear(here.as_fd(), &mut buffer, 0).is_err());
        packet::send(there.as_fd(), b"short", &[], 0).unwrap();
        assert!(machine.hear(here.as_fd(), &mut buffer, 0).is_err());
    }

    #[test]
    fn only_such_memory_is_mapped() {
        let (_, fd) = packet::pair().unwrap();
        assert!(Channel::open(fd).is_err());
        let file = std::fs::File::open("/proc/self/exe").unwrap();
        assert!(Channel::open(file.into()).is_err());
    }
}
