//! A ring of packets in shared memory: one side writes, the other reads, and neither trusts the other.
//!
//! A packet is a word with its length, and its bytes in as many words as they take. A word [`ELSEWHERE`] stands for a
//! packet that comes another way. Each side keeps to itself how far it has come and only tells the other, who reads it
//! once, checks it and copies out what is there before it looks at it: whoever writes nonsense is found out.
//!
//! Whoever is about to sleep says so in the ring, and then looks once more. Whoever has changed something looks
//! afterwards whether the other one sleeps. There is a fence between the two steps on both sides, so that at least one
//! of them sees what the other did.

use std::io;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

/// How many words a ring has.
const WORDS: u32 = 1024;

/// The longest packet in it, in bytes: two have room.
pub(super) const LONGEST: usize = (WORDS as usize / 2 - 1) * WORD;

const WORD: usize = size_of::<u64>();

/// In the place of a length.
const ELSEWHERE: u64 = u64::MAX;

#[derive(Debug)]
#[repr(C)]
pub(super) struct Ring {
    writer: Told,
    reader: Told,
    words: [AtomicU64; WORDS as usize],
}

/// What one side tells the other. It lies apart from what the other one writes, as processors fetch lines in pairs.
#[derive(Debug)]
#[repr(C, align(128))]
struct Told {
    /// How many words it has written or read, ever.
    done: AtomicU32,
    /// Not 0 where it has to be woken up: the reader once there is a packet, the writer once there is room.
    waits: AtomicU32,
}

impl Told {
    /// Says that this side is about to sleep. A fence and another look at what it waits for have to follow.
    fn doze(&self) {
        self.waits.store(1, Ordering::Relaxed);
    }

    fn rouse(&self) {
        self.waits.store(0, Ordering::Relaxed);
    }

    /// Whether this side has to be woken up, asked by the other one after it has changed something; the answer is given once.
    fn take_call(&self) -> bool {
        fence(Ordering::SeqCst);
        let waits = self.waits.load(Ordering::Relaxed) != 0;
        if waits {
            self.rouse();
        }
        waits
    }
}

fn word(ring: &Ring, at: u32) -> &AtomicU64 {
    &ring.words[(at % WORDS) as usize]
}

/// The writer's own knowledge.
#[derive(Debug, Default)]
pub(super) struct Writer {
    written: u32,
    /// For how many words there was no room.
    wanted: u32,
}

impl Writer {
    fn room(&self, ring: &Ring) -> io::Result<u32> {
        let read = ring.reader.done.load(Ordering::Acquire);
        WORDS.checked_sub(self.written.wrapping_sub(read)).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Writes a packet of at most [`LONGEST`] bytes, or that one comes elsewhere; whether the reader has to be woken up.
    /// `WouldBlock` where there is no room: the reader will call once there is some.
    pub(super) fn put(&mut self, ring: &Ring, packet: Option<&[u8]>) -> io::Result<bool> {
        let bytes = packet.unwrap_or_default();
        let needed = 1 + bytes.len().div_ceil(WORD) as u32;
        if self.room(ring)? < needed {
            self.wanted = needed;
            ring.writer.doze();
            fence(Ordering::SeqCst);
            if self.room(ring)? < needed {
                return Err(io::ErrorKind::WouldBlock.into());
            }
        }
        if self.wanted > 0 {
            self.wanted = 0;
            ring.writer.rouse();
        }
        let length = packet.map_or(ELSEWHERE, |packet| packet.len() as u64);
        word(ring, self.written).store(length, Ordering::Relaxed);
        for (at, bytes) in bytes.chunks(WORD).enumerate() {
            let mut value = [0; WORD];
            value[..bytes.len()].copy_from_slice(bytes);
            word(ring, self.written.wrapping_add(1 + at as u32)).store(u64::from_ne_bytes(value), Ordering::Relaxed);
        }
        self.written = self.written.wrapping_add(needed);
        ring.writer.done.store(self.written, Ordering::Release);
        Ok(ring.reader.take_call())
    }

    /// Whether the last packet found no room.
    pub(super) fn waits(&self) -> bool {
        self.wanted > 0
    }

    /// Whether it would find some now, or find out that the reader writes nonsense.
    pub(super) fn may_go_on(&self, ring: &Ring) -> bool {
        self.waits() && self.room(ring).map_or(true, |room| room >= self.wanted)
    }
}

/// The reader's own knowledge.
#[derive(Debug, Default)]
pub(super) struct Reader {
    read: u32,
}

/// What was in a ring.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Nothing,
    /// The next packet comes elsewhere.
    Elsewhere,
    /// A packet, now in the buffer.
    Packet,
}

impl Reader {
    /// Whether there is something.
    pub(super) fn has_some(&self, ring: &Ring) -> bool {
        ring.writer.done.load(Ordering::Relaxed) != self.read
    }

    /// Takes what comes next, and whether the writer has to be woken up. `InvalidData` where it is nonsense.
    pub(super) fn take(&mut self, ring: &Ring, packet: &mut Vec<u8>) -> io::Result<(Taken, bool)> {
        let nonsense = || io::Error::from(io::ErrorKind::InvalidData);
        let there = ring.writer.done.load(Ordering::Acquire).wrapping_sub(self.read);
        if there == 0 {
            return Ok((Taken::Nothing, false));
        }
        if there > WORDS {
            return Err(nonsense());
        }
        let length = word(ring, self.read).load(Ordering::Relaxed);
        let (taken, length) = match usize::try_from(length) {
            _ if length == ELSEWHERE => (Taken::Elsewhere, 0),
            Ok(length) if length <= LONGEST => (Taken::Packet, length),
            _ => return Err(nonsense()),
        };
        let words = length.div_ceil(WORD) as u32;
        if words >= there {
            return Err(nonsense());
        }
        packet.clear();
        for at in 0..words {
            let value = word(ring, self.read.wrapping_add(1 + at)).load(Ordering::Relaxed);
            packet.extend_from_slice(&value.to_ne_bytes());
        }
        packet.truncate(length);
        self.read = self.read.wrapping_add(1 + words);
        ring.reader.done.store(self.read, Ordering::Release);
        Ok((taken, ring.writer.take_call()))
    }

    /// Says that the reader is about to sleep; it has to look once more behind a fence.
    pub(super) fn doze(&self, ring: &Ring) {
        ring.reader.doze();
    }

    /// Says that it looks by itself.
    pub(super) fn rouse(&self, ring: &Ring) {
        ring.reader.rouse();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::sync::Mutex;

    use super::*;

    fn ring() -> Box<Ring> {
        let told = || Told { done: AtomicU32::new(0), waits: AtomicU32::new(0) };
        Box::new(Ring { writer: told(), reader: told(), words: [const { AtomicU64::new(0) }; WORDS as usize] })
    }

    fn taken(reader: &mut Reader, ring: &Ring) -> io::Result<(Taken, Vec<u8>)> {
        let mut packet = Vec::new();
        reader.take(ring, &mut packet).map(|(taken, _)| (taken, packet))
    }

    #[test]
    fn packets_come_out_as_they_went_in() {
        let (ring, mut writer, mut reader) = (ring(), Writer::default(), Reader::default());
        // The counters overflow in the middle of it.
        (writer.written, reader.read) = (u32::MAX - 5_000, u32::MAX - 5_000);
        ring.writer.done.store(writer.written, Ordering::Relaxed);
        ring.reader.done.store(reader.read, Ordering::Relaxed);
        for length in (0..=LONGEST).step_by(7).chain([LONGEST]) {
            let packet: Vec<u8> = (0..length).map(|at| (at * 31 + length) as u8).collect();
            writer.put(&ring, Some(&packet)).unwrap();
            writer.put(&ring, None).unwrap();
            assert!(reader.has_some(&ring));
            assert_eq!(taken(&mut reader, &ring).unwrap(), (Taken::Packet, packet));
            assert_eq!(taken(&mut reader, &ring).unwrap().0, Taken::Elsewhere);
            assert_eq!(taken(&mut reader, &ring).unwrap().0, Taken::Nothing);
            assert!(!reader.has_some(&ring));
        }
    }

    #[test]
    fn who_finds_no_room_is_called_once_there_is_some() {
        let (ring, mut writer, mut reader) = (ring(), Writer::default(), Reader::default());
        let packet = vec![7; LONGEST];
        for _ in 0..2 {
            assert!(!writer.put(&ring, Some(&packet)).unwrap(), "nobody sleeps");
        }
        let full = writer.put(&ring, Some(&packet)).unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
        assert!(writer.waits() && !writer.may_go_on(&ring));
        let mut buffer = Vec::new();
        assert_eq!(reader.take(&ring, &mut buffer).unwrap(), (Taken::Packet, true));
        assert!(writer.may_go_on(&ring));
        assert_eq!(reader.take(&ring, &mut buffer).unwrap(), (Taken::Packet, false), "called once");
        reader.doze(&ring);
        assert!(writer.put(&ring, Some(&packet)).unwrap(), "the reader sleeps");
        assert!(!writer.waits());
        assert!(!writer.put(&ring, Some(&[])).unwrap(), "and is called once");
    }

    #[test]
    fn nonsense_is_found_out() {
        // Too many words written; a packet longer than what is there; one that is too long for any ring.
        for (written, length) in
            [(WORDS + 1, 8), (u32::MAX, 8), (1, 8), (2, 16), (WORDS, u64::MAX - 1), (WORDS, 1 << 32)]
        {
            let (ring, mut reader) = (ring(), Reader::default());
            ring.words[0].store(length, Ordering::Relaxed);
            ring.writer.done.store(written, Ordering::Relaxed);
            assert!(taken(&mut reader, &ring).is_err(), "{written} {length}");
        }
        // More read than was written.
        let (ring, mut writer) = (ring(), Writer::default());
        ring.reader.done.store(1, Ordering::Relaxed);
        assert_eq!(writer.put(&ring, Some(&[1])).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    /// Does two things at the same time, again and again, each by a thread of its own, and checks what came of both.
    fn together<A: Send, B>(
        rounds: u64,
        mut one: impl FnMut() -> A + Send,
        mut other: impl FnMut() -> B,
        mut check: impl FnMut(A, B) -> bool,
    ) {
        let (step, result) = (AtomicU64::new(0), Mutex::new(None));
        let next = || step.fetch_add(1, Ordering::AcqRel);
        let wait = |wanted: u64| {
            for spins in 0u32.. {
                if step.load(Ordering::Acquire) >= wanted {
                    break;
                }
                // Where there is no other processor the other thread needs this one.
                if spins > 1000 { std::thread::yield_now() } else { std::hint::spin_loop() }
            }
        };
        let fine = std::thread::scope(|scope| {
            scope.spawn(|| {
                for first in (0..rounds).map(|round| 4 * round) {
                    wait(first + 1);
                    next();
                    let done = one();
                    *result.lock().unwrap() = Some(done);
                    next();
                    wait(first + 4);
                }
            });
            let fine = (0..rounds).all(|round| {
                next();
                wait(4 * round + 2);
                // Not always at the same distance.
                (0..round % 32).for_each(|_| std::hint::spin_loop());
                let done = other();
                wait(4 * round + 3);
                let fine = result.lock().unwrap().take().is_some_and(|result| check(result, done));
                next();
                fine
            });
            // The other thread doesn't wait for rounds that don't come.
            step.fetch_add(4 * rounds, Ordering::AcqRel);
            fine
        });
        assert!(fine, "neither saw what the other did");
    }

    #[test]
    fn who_goes_to_sleep_sees_what_is_there_or_is_called() {
        let (ring, mut writer, reader) = (ring(), Writer::default(), RefCell::new(Reader::default()));
        let say = || writer.put(&ring, Some(b"something")).unwrap_or(true);
        let fall_asleep = || {
            reader.borrow().doze(&ring);
            fence(Ordering::SeqCst);
            reader.borrow().has_some(&ring)
        };
        together(50_000, say, fall_asleep, |called, seen| {
            assert_eq!(taken(&mut reader.borrow_mut(), &ring).unwrap().0, Taken::Packet);
            reader.borrow().rouse(&ring);
            called || seen
        });
    }

    #[test]
    fn who_finds_no_room_sees_that_there_is_some_or_is_called() {
        let (ring, writer, mut reader) = (ring(), Mutex::new(Writer::default()), Reader::default());
        let mut buffer = Vec::new();
        let say = || writer.lock().unwrap().put(&ring, None).is_ok();
        while say() {}
        let listen = || reader.take(&ring, &mut buffer).unwrap().1;
        together(50_000, say, listen, |said, called| said || called && say());
    }
}
