//! What `ip` and `bridge` print: one definition of an item gives its text or its JSON.
//!
//! A command says for each item its JSON name, its value and its text; the [`Printer`] writes the one that was asked
//! for (`-j`), in the layout that was asked for (`-p`, `-o`, `-c`).

mod json;

use std::fmt::{self, Write as _};
use std::io::Write;

pub(crate) use json::Value;
use json::write_to;

/// The output options that `ip` and `bridge` share.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Format {
    /// `-j`
    pub(crate) json: bool,
    /// `-p`
    pub(crate) pretty: bool,
    /// `-c` and its decision; see [`ColourMode`].
    pub(crate) colour: bool,
    /// `-o`: what would be a line break is a backslash.
    pub(crate) oneline: bool,
    /// `-br`
    pub(crate) brief: bool,
    /// `-d`: how often.
    pub(crate) details: u32,
    /// `-s`: how often.
    pub(crate) statistics: u32,
    /// `-h`: numbers with a unit.
    pub(crate) human: bool,
    /// `-iec`: units of 1024.
    pub(crate) iec: bool,
    /// `-N`: numbers in place of names.
    pub(crate) numeric: bool,
    /// `-r`: names in place of addresses, where the resolver knows them.
    pub(crate) resolve: bool,
    /// `-t`: a time stamp before each notification.
    pub(crate) timestamp: bool,
    /// `bridge -compressvlans`: runs of VLANs as ranges.
    pub(crate) compress_vlans: bool,
    /// `-ts`: a short one.
    pub(crate) timestamp_short: bool,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ColourMode {
    #[default]
    Never,
    /// Where standard output is a terminal.
    Auto,
    Always,
}

impl ColourMode {
    /// Parses `-c[olor][=always|auto|never]`; `None` where it is another option.
    pub(crate) fn parse(option: &str) -> Option<ColourMode> {
        let (name, mode) = option.split_once('=').unwrap_or((option, ""));
        if name.len() < 2 || !"-color".starts_with(name) {
            return None;
        }
        match mode {
            "" if !option.contains('=') => Some(ColourMode::Always),
            "always" => Some(ColourMode::Always),
            "auto" => Some(ColourMode::Auto),
            "never" => Some(ColourMode::Never),
            _ => None,
        }
    }

    /// Whether to colour now: JSON never is.
    pub(crate) fn enabled(self, json: bool) -> bool {
        let wanted = match self {
            ColourMode::Never => false,
            ColourMode::Auto => std::io::IsTerminal::is_terminal(&std::io::stdout()),
            ColourMode::Always => true,
        };
        wanted && !json
    }
}

/// What a word is, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    /// A device's name.
    Name,
    /// A link-layer address.
    Mac,
    /// An IPv4 address.
    Inet,
    /// An IPv6 address.
    Inet6,
    /// Operational state up.
    Up,
    /// Operational state down.
    Down,
    /// Nothing special.
    None,
}

impl Colour {
    /// The colour of an address of that family.
    pub(crate) fn of_family(family: u8) -> Colour {
        match i32::from(family) {
            libc::AF_INET => Colour::Inet,
            libc::AF_INET6 => Colour::Inet6,
            _ => Colour::None,
        }
    }

    fn escape(self, dark: bool) -> &'static str {
        match (self, dark) {
            (Colour::Name, false) => "\x1b[36m",
            (Colour::Name, true) => "\x1b[1;36m",
            (Colour::Mac, false) => "\x1b[33m",
            (Colour::Mac, true) => "\x1b[1;33m",
            (Colour::Inet, false) => "\x1b[35m",
            (Colour::Inet, true) => "\x1b[1;35m",
            (Colour::Inet6, false) => "\x1b[34m",
            (Colour::Inet6, true) => "\x1b[1;34m",
            (Colour::Up, false) => "\x1b[32m",
            (Colour::Up, true) => "\x1b[1;32m",
            (Colour::Down, false) => "\x1b[31m",
            (Colour::Down, true) => "\x1b[1;31m",
            (Colour::None, _) => "",
        }
    }
}

/// Whether the terminal says that its background is dark (`COLORFGBG`'s last field).
fn dark_background() -> bool {
    let Ok(value) = std::env::var("COLORFGBG") else { return false };
    let Some((_, background)) = value.rsplit_once(';') else { return false };
    matches!(background, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "8")
}

/// Writes items as text or as JSON.
pub(crate) struct Printer<'o> {
    out: &'o mut dyn Write,
    buffer: String,
    json: Option<json::Writer>,
    line_break: char,
    colour: bool,
    dark: bool,
}

/// Written out once it is longer; big enough to make the writes rare.
const BUFFER: usize = 1 << 15;

impl<'o> Printer<'o> {
    /// A printer of that format onto `out`. Nothing is written yet; see [`Printer::open_document`].
    pub(crate) fn new(out: &'o mut dyn Write, format: &Format) -> Printer<'o> {
        Printer {
            out,
            buffer: String::new(),
            json: format.json.then(|| json::Writer::new(format.pretty)),
            line_break: if format.oneline { '\\' } else { '\n' },
            colour: format.colour && !format.json,
            dark: format.colour && dark_background(),
        }
    }

    /// Whether JSON is written.
    pub(crate) fn is_json(&self) -> bool {
        self.json.is_some()
    }

    /// Begins JSON's outermost array.
    pub(crate) fn open_document(&mut self) {
        self.open_array(None);
    }

    /// Ends JSON's outermost array.
    pub(crate) fn close_document(&mut self) {
        if self.is_json() {
            self.close_array();
            self.buffer.push('\n');
        }
        self.flush();
    }

    /// An item: in JSON `"key": value`, in text `text`.
    pub(crate) fn field<'v>(&mut self, key: &str, value: impl Into<Value<'v>>, text: fmt::Arguments<'_>) {
        match &mut self.json {
            Some(json) => {
                json.name(&mut self.buffer, key);
                json.value(&mut self.buffer, value.into());
            }
            None => write_to(&mut self.buffer, text),
        }
    }

    /// An item whose text has a colour.
    pub(crate) fn coloured<'v>(
        &mut self,
        colour: Colour,
        key: &str,
        value: impl Into<Value<'v>>,
        text: fmt::Arguments<'_>,
    ) {
        match &mut self.json {
            Some(_) => self.field(key, value, text),
            None => self.coloured_text(colour, text),
        }
    }

    /// An item that is on or off: true or false in JSON.
    pub(crate) fn on_off(&mut self, key: &str, name: &str, on: bool) {
        self.field(key, on, format_args!("{name} {} ", if on { "on" } else { "off" }));
    }

    /// An element of an array.
    pub(crate) fn element<'v>(&mut self, value: impl Into<Value<'v>>, text: fmt::Arguments<'_>) {
        match &mut self.json {
            Some(json) => json.value(&mut self.buffer, value.into()),
            None => write_to(&mut self.buffer, text),
        }
    }

    /// Only in JSON.
    pub(crate) fn json<'v>(&mut self, key: &str, value: impl Into<Value<'v>>) {
        if self.is_json() {
            self.field(key, value, format_args!(""));
        }
    }

    /// Only in text.
    pub(crate) fn text(&mut self, text: fmt::Arguments<'_>) {
        if self.json.is_none() {
            write_to(&mut self.buffer, text);
        }
    }

    /// Only in text, with a colour.
    pub(crate) fn coloured_text(&mut self, colour: Colour, text: fmt::Arguments<'_>) {
        if self.json.is_some() {
            return;
        }
        if self.colour && colour != Colour::None {
            self.buffer.push_str(colour.escape(self.dark));
            write_to(&mut self.buffer, text);
            self.buffer.push_str("\x1b[0m");
        } else {
            write_to(&mut self.buffer, text);
        }
    }

    /// Only in text: a line break within a record, which `-o` makes a backslash.
    pub(crate) fn line_break(&mut self) {
        if self.json.is_none() {
            self.buffer.push(self.line_break);
        }
    }

    /// Begins an object: of a name where it stands in an object, without one in an array. Text has nothing for it.
    pub(crate) fn open_object<'k>(&mut self, key: impl Into<Option<&'k str>>) {
        if let Some(json) = &mut self.json {
            if let Some(key) = key.into() {
                json.name(&mut self.buffer, key);
            }
            json.open_object(&mut self.buffer);
        }
    }

    /// Ends an object.
    pub(crate) fn close_object(&mut self) {
        if let Some(json) = &mut self.json {
            json.close_object(&mut self.buffer);
        }
    }

    /// Begins an array, like [`Printer::open_object`].
    pub(crate) fn open_array<'k>(&mut self, key: impl Into<Option<&'k str>>) {
        if let Some(json) = &mut self.json {
            if let Some(key) = key.into() {
                json.name(&mut self.buffer, key);
            }
            json.open_array(&mut self.buffer);
        }
    }

    /// Ends an array.
    pub(crate) fn close_array(&mut self) {
        if let Some(json) = &mut self.json {
            json.close_array(&mut self.buffer);
        }
    }

    /// The end of a record: of an object in JSON, of a line in text.
    pub(crate) fn end_record(&mut self) {
        match &mut self.json {
            Some(json) => json.close_object(&mut self.buffer),
            None => self.buffer.push('\n'),
        }
        self.flush_if_long();
    }

    /// Hands what was written so far over when it is much.
    pub(crate) fn flush_if_long(&mut self) {
        if self.buffer.len() > BUFFER {
            self.flush();
        }
    }

    /// Hands what was written so far over. Where nobody reads it there is nobody to tell.
    pub(crate) fn flush(&mut self) {
        let _ = self.out.write_all(self.buffer.as_bytes());
        self.buffer.clear();
    }
}

impl Drop for Printer<'_> {
    fn drop(&mut self) {
        self.flush();
    }
}

/// The text of an errno, as strerror(3) gives it.
pub(crate) fn strerror(errno: i32) -> String {
    let mut text = std::io::Error::from_raw_os_error(errno).to_string();
    if let Some(end) = text.rfind(" (os error ") {
        text.truncate(end);
    }
    text
}

/// Bytes as `xx:xx:…`: a link-layer address.
pub(crate) fn hex_colons(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 3);
    for (at, byte) in bytes.iter().enumerate() {
        if at > 0 {
            text.push(':');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// An address of a family: dotted or colon notation; `None` where the length is not the family's.
pub(crate) fn ip_address(family: u8, bytes: &[u8]) -> Option<std::net::IpAddr> {
    match i32::from(family) {
        libc::AF_INET => bytes.first_chunk::<4>().map(|bytes| (*bytes).into()),
        libc::AF_INET6 => bytes.first_chunk::<16>().map(|bytes| (*bytes).into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(format: Format) -> String {
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, &format);
        printer.open_document();
        printer.open_object(None);
        printer.field("ifindex", 2u32, format_args!("2: "));
        printer.coloured(Colour::Name, "ifname", "veth0", format_args!("veth0: "));
        printer.line_break();
        printer.on_off("learning", "learning", true);
        printer.end_record();
        printer.close_document();
        drop(printer);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn text_and_json_of_one_definition() {
        assert_eq!(print(Format::default()), "2: veth0: \nlearning on \n");
        assert_eq!(print(Format { oneline: true, ..Format::default() }), "2: veth0: \\learning on \n");
        assert_eq!(print(Format { colour: true, ..Format::default() }), "2: \x1b[36mveth0: \x1b[0m\nlearning on \n");
        let json = Format { json: true, colour: true, ..Format::default() };
        assert_eq!(print(json), "[{\"ifindex\":2,\"ifname\":\"veth0\",\"learning\":true}]\n");
    }

    #[test]
    fn colour_options() {
        assert_eq!(ColourMode::parse("-c"), Some(ColourMode::Always));
        assert_eq!(ColourMode::parse("-color=auto"), Some(ColourMode::Auto));
        assert_eq!(ColourMode::parse("-c=never"), Some(ColourMode::Never));
        assert_eq!(ColourMode::parse("-c="), None);
        assert_eq!(ColourMode::parse("-colour"), None);
    }
}
