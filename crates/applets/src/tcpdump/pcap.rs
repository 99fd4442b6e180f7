//! Capture files in pcap's classic format, written and read.

use std::io::{self, Read, Write};
use std::time::Duration;

use super::frame::{Frame, Link};

const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;
/// More than any frame; a length beyond it means that the file is broken.
const LONGEST: u32 = 262_144;

/// Writes a file.
pub(super) struct Writer<W: Write>(W);

impl<W: Write> Writer<W> {
    pub(super) fn new(mut out: W, link: Link, snapshot: u32) -> io::Result<Writer<W>> {
        out.write_all(&MICROSECONDS.to_ne_bytes())?;
        out.write_all(&2u16.to_ne_bytes())?;
        out.write_all(&4u16.to_ne_bytes())?;
        // Time zone and accuracy: never used.
        out.write_all(&[0; 8])?;
        out.write_all(&snapshot.to_ne_bytes())?;
        out.write_all(&link.number().to_ne_bytes())?;
        Ok(Writer(out))
    }

    pub(super) fn write(&mut self, frame: &Frame) -> io::Result<()> {
        let header =
            [frame.time.as_secs() as u32, frame.time.subsec_micros(), frame.data.len() as u32, frame.length as u32];
        for number in header {
            self.0.write_all(&number.to_ne_bytes())?;
        }
        self.0.write_all(&frame.data)
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Reads a file of either byte order.
pub(super) struct Reader<R: Read> {
    input: R,
    swapped: bool,
    nanoseconds: bool,
    /// What its frames begin with.
    pub(super) link: Link,
    /// The snapshot length that it was written with.
    pub(super) snapshot: u32,
}

/// As many bytes as there are, up to the buffer's length.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut have = 0;
    while have < buffer.len() {
        match input.read(&mut buffer[have..])? {
            0 => break,
            more => have += more,
        }
    }
    Ok(have)
}

fn word(bytes: &[u8], at: usize, swapped: bool) -> u32 {
    let number = bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_ne_bytes(*bytes));
    if swapped { number.swap_bytes() } else { number }
}

impl<R: Read> Reader<R> {
    /// Reads the file's header; an error is in tcpdump's words.
    pub(super) fn new(mut input: R) -> Result<Reader<R>, String> {
        let mut header = [0; 24];
        let length = fill(&mut input, &mut header).map_err(|error| error.to_string())?;
        if length < header.len() {
            let wanted = if length < 4 { 4 } else { header.len() };
            return Err(format!("truncated dump file; tried to read {wanted} file header bytes, only got {length}"));
        }
        let magic = word(&header, 0, false);
        let (swapped, nanoseconds) = match (magic, magic.swap_bytes()) {
            (MICROSECONDS, _) => (false, false),
            (NANOSECONDS, _) => (false, true),
            (_, MICROSECONDS) => (true, false),
            (_, NANOSECONDS) => (true, true),
            _ => return Err("unknown file format".to_owned()),
        };
        let number = word(&header, 20, swapped) & 0x0fff_ffff;
        let link = Link::from_number(number).ok_or_else(|| format!("unsupported data link type {number}"))?;
        Ok(Reader { input, swapped, nanoseconds, link, snapshot: word(&header, 16, swapped) })
    }

    /// The next frame; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, String> {
        let mut header = [0; 16];
        match fill(&mut self.input, &mut header).map_err(|error| error.to_string())? {
            0 => return Ok(None),
            16 => {}
            length => {
                return Err(format!("truncated dump file; tried to read 16 header bytes, only got {length}"));
            }
        }
        let number = |at| word(&header, at, self.swapped);
        let (seconds, fraction, kept, length) = (number(0), number(4), number(8), number(12));
        if kept > LONGEST {
            return Err(format!("invalid packet capture length {kept}, bigger than maximum of {LONGEST}"));
        }
        let mut data = vec![0; kept as usize];
        let have = fill(&mut self.input, &mut data).map_err(|error| error.to_string())?;
        if have < data.len() {
            return Err(format!("truncated dump file; tried to read {kept} captured bytes, only got {have}"));
        }
        let nanos = if self.nanoseconds { fraction } else { fraction.saturating_mul(1000) };
        let time = Duration::from_secs(seconds.into()) + Duration::from_nanos(nanos.into());
        Ok(Some(Frame { time, data, length: length as usize, link: self.link }))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Reader, Writer};
    use crate::tcpdump::frame::{Frame, Link};

    fn file() -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, Link::Ethernet, 262_144).unwrap();
        let time = Duration::from_micros(1_700_000_000_123_456);
        writer.write(&Frame { time, data: vec![1, 2, 3], length: 60, link: Link::Ethernet }).unwrap();
        bytes
    }

    #[test]
    fn what_was_written_is_read() {
        let bytes = file();
        let mut reader = Reader::new(&*bytes).unwrap();
        let frame = reader.next().unwrap().unwrap();
        assert_eq!((frame.data, frame.length), (vec![1, 2, 3], 60));
        assert_eq!(frame.time.as_micros(), 1_700_000_000_123_456);
        assert!(reader.next().unwrap().is_none());
    }

    #[test]
    fn broken_files_are_refused_in_words() {
        let bytes = file();
        let why = |bytes: &[u8]| match Reader::new(bytes) {
            Ok(mut reader) => reader.next().err(),
            Err(why) => Some(why),
        };
        assert_eq!(why(&[7; 40]).as_deref(), Some("unknown file format"));
        let cut = "truncated dump file; tried to read 16 header bytes, only got 4";
        assert_eq!(why(&bytes[..28]).as_deref(), Some(cut));
        let cut = "truncated dump file; tried to read 3 captured bytes, only got 2";
        assert_eq!(why(&bytes[..bytes.len() - 1]).as_deref(), Some(cut));
    }
}
