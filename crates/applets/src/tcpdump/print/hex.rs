//! Bytes as they are: `-x`, `-X`, `-A`, and frames that aren't understood.

use std::fmt::Write;

const ROW: usize = 16;

/// Rows of an offset and eight pairs, each begun by `indent`.
pub(in crate::tcpdump) fn hex(indent: &str, bytes: &[u8]) -> String {
    let mut text = String::new();
    for (row, chunk) in bytes.chunks(ROW).enumerate() {
        let _ = write!(text, "{indent}0x{:04x}: ", row * ROW);
        text.push_str(&pairs(chunk));
    }
    text
}

/// The same with printable characters behind.
pub(in crate::tcpdump) fn hex_and_ascii(indent: &str, bytes: &[u8]) -> String {
    let mut text = String::new();
    for (row, chunk) in bytes.chunks(ROW).enumerate() {
        let characters: String = chunk.iter().map(|&byte| printable(byte)).collect();
        let _ = write!(text, "{indent}0x{:04x}: {:<40}  {characters}", row * ROW, pairs(chunk));
    }
    text
}

fn printable(byte: u8) -> char {
    if byte.is_ascii_graphic() { char::from(byte) } else { '.' }
}

fn pairs(chunk: &[u8]) -> String {
    let mut text = String::new();
    for pair in chunk.chunks(2) {
        text.push(' ');
        for byte in pair {
            let _ = write!(text, "{byte:02x}");
        }
    }
    text
}

/// The characters alone, lines and tabs as they are.
pub(in crate::tcpdump) fn ascii(bytes: &[u8]) -> String {
    let mut text = String::from("\n");
    let mut bytes = bytes.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' if bytes.peek() == Some(&b'\n') => {}
            b'\n' | b'\t' | b' ' => text.push(char::from(byte)),
            _ => text.push(printable(byte)),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{ascii, hex, hex_and_ascii};

    #[test]
    fn rows_line_up() {
        let bytes: Vec<u8> = (0x58..0x58 + 17).collect();
        assert_eq!(
            hex_and_ascii("\n\t", &bytes),
            "\n\t0x0000:  5859 5a5b 5c5d 5e5f 6061 6263 6465 6667  XYZ[\\]^_`abcdefg\
             \n\t0x0010:  68                                       h"
        );
        assert_eq!(hex("\n\t", &bytes[..3]), "\n\t0x0000:  5859 5a");
    }

    #[test]
    fn text_keeps_its_lines() {
        assert_eq!(ascii(b"GET /\r\n\0x"), "\nGET /\n.x");
    }
}
