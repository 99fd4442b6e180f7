//! JSON as iproute2 lays it out: everything on one line, or (`-p`) a name a line with arrays kept together.

use std::fmt::Write;

/// A JSON value that is not an array or an object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    /// A string.
    Text(&'a str),
    /// A number.
    Unsigned(u64),
    /// A number that may be negative.
    Signed(i64),
    /// A number with two decimals, given in hundredths.
    Hundredths(u64),
    /// true or false.
    Bool(bool),
    /// null.
    Null,
}

macro_rules! from {
    ($($kind:ty => $variant:ident),* $(,)?) => {
        $(impl From<$kind> for Value<'_> {
            fn from(value: $kind) -> Self {
                Value::$variant(value.into())
            }
        })*
    };
}

from!(u8 => Unsigned, u16 => Unsigned, u32 => Unsigned, u64 => Unsigned, i32 => Signed, i64 => Signed, bool => Bool);

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Value::Text(value)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Value::Text(value)
    }
}

/// Writes JSON into a buffer that its caller keeps.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    pretty: bool,
    depth: usize,
    /// Whether something stands before, in the same array or object.
    follows: bool,
}

impl Writer {
    pub(crate) fn new(pretty: bool) -> Writer {
        Writer { pretty, ..Writer::default() }
    }

    /// `"name":`, within an object.
    pub(crate) fn name(&mut self, out: &mut String, name: &str) {
        self.separate(out);
        self.line(out);
        quote(out, name);
        out.push_str(if self.pretty { ": " } else { ":" });
        self.follows = false;
    }

    /// A value: after a name, or an element of an array.
    pub(crate) fn value(&mut self, out: &mut String, value: Value<'_>) {
        self.separate(out);
        match value {
            Value::Text(text) => quote(out, text),
            Value::Unsigned(number) => write_to(out, format_args!("{number}")),
            Value::Signed(number) => write_to(out, format_args!("{number}")),
            Value::Hundredths(number) => write_to(out, format_args!("{}.{:02}", number / 100, number % 100)),
            Value::Bool(true) => out.push_str("true"),
            Value::Bool(false) => out.push_str("false"),
            Value::Null => out.push_str("null"),
        }
    }

    pub(crate) fn open_object(&mut self, out: &mut String) {
        self.separate(out);
        out.push('{');
        self.depth += 1;
        self.follows = false;
    }

    pub(crate) fn close_object(&mut self, out: &mut String) {
        self.depth = self.depth.saturating_sub(1);
        if self.follows {
            self.line(out);
        }
        out.push('}');
        self.follows = true;
    }

    pub(crate) fn open_array(&mut self, out: &mut String) {
        self.separate(out);
        out.push_str(if self.pretty { "[ " } else { "[" });
        self.depth += 1;
        self.follows = false;
    }

    pub(crate) fn close_array(&mut self, out: &mut String) {
        self.depth = self.depth.saturating_sub(1);
        out.push_str(if self.pretty && self.follows { " ]" } else { "]" });
        self.follows = true;
    }

    fn separate(&mut self, out: &mut String) {
        if self.follows {
            out.push(',');
        }
        self.follows = true;
    }

    fn line(&self, out: &mut String) {
        if self.pretty {
            out.push('\n');
            for _ in 0..self.depth {
                out.push_str("    ");
            }
        }
    }
}

/// Formatting into a `String` cannot fail.
pub(super) fn write_to(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

fn quote(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\u{c}' => out.push_str("\\f"),
            '\u{8}' => out.push_str("\\b"),
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(pretty: bool) -> String {
        let mut out = String::new();
        let mut json = Writer::new(pretty);
        json.open_array(&mut out);
        for _ in 0..2 {
            json.open_object(&mut out);
            json.name(&mut out, "ifindex");
            json.value(&mut out, 2u32.into());
            json.name(&mut out, "flags");
            json.open_array(&mut out);
            json.value(&mut out, "UP".into());
            json.value(&mut out, "LOWER_UP".into());
            json.close_array(&mut out);
            json.name(&mut out, "none");
            json.open_array(&mut out);
            json.close_array(&mut out);
            json.close_object(&mut out);
        }
        json.close_array(&mut out);
        out
    }

    #[test]
    fn one_line() {
        let one = r#"{"ifindex":2,"flags":["UP","LOWER_UP"],"none":[]}"#;
        assert_eq!(sample(false), format!("[{one},{one}]"));
    }

    #[test]
    fn pretty() {
        let lines = [
            "[ {",
            "        \"ifindex\": 2,",
            "        \"flags\": [ \"UP\",\"LOWER_UP\" ],",
            "        \"none\": [ ]",
            "    },{",
            "        \"ifindex\": 2,",
            "        \"flags\": [ \"UP\",\"LOWER_UP\" ],",
            "        \"none\": [ ]",
            "    } ]",
        ];
        assert_eq!(sample(true), lines.join("\n"));
    }

    #[test]
    fn what_json_must_escape() {
        let mut out = String::new();
        quote(&mut out, "a\"b\\c\nd\té");
        assert_eq!(out, r#""a\"b\\c\nd\té""#);
    }
}
