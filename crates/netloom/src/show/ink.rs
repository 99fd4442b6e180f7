//! Text with colours, and the characters that lines are made of.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::topology::printable;

/// What a piece of text is, and so how it is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    Plain,
    /// Lines of boxes and trees, and what is less important.
    Faint,
    /// What a namespace is called.
    Title,
    /// A device that others are ports of.
    Bridge,
    Address,
    Down,
    NoCarrier,
    Promiscuous,
    /// A cable, by its number.
    Cable(usize),
}

impl Ink {
    /// SGR parameters.
    fn code(self) -> &'static str {
        const CABLES: [&str; 6] = ["36", "33", "35", "32", "34", "96"];
        match self {
            Ink::Plain => "",
            Ink::Faint => "2",
            Ink::Title | Ink::Bridge => "1",
            Ink::Address => "32",
            Ink::Down => "1;31",
            Ink::NoCarrier => "33",
            Ink::Promiscuous => "35",
            Ink::Cable(number) => CABLES[number % CABLES.len()],
        }
    }
}

/// A line of text in several inks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    spans: Vec<(Ink, String)>,
    width: usize,
}

impl Line {
    pub(crate) fn push(&mut self, ink: Ink, text: &str) {
        self.width += text.width();
        match self.spans.last_mut() {
            Some((last, before)) if *last == ink => before.push_str(text),
            _ => self.spans.push((ink, text.to_owned())),
        }
    }

    /// In columns of the terminal.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Fills up to a column.
    pub(crate) fn pad(&mut self, column: usize) {
        self.push(Ink::Plain, &" ".repeat(column.saturating_sub(self.width)));
    }

    pub(crate) fn append(&mut self, other: Line) {
        for (ink, text) in other.spans {
            self.push(ink, &text);
        }
    }

    /// With escape sequences where colours are wanted; no blanks at its end.
    pub(crate) fn render(&self, colour: bool) -> String {
        let mut text = String::new();
        for (ink, span) in &self.spans {
            match ink.code() {
                code if colour && !code.is_empty() => text.push_str(&format!("\x1b[{code}m{span}\x1b[0m")),
                _ => text.push_str(span),
            }
        }
        text.truncate(text.trim_end().len());
        text
    }
}

/// The characters of a picture.
#[derive(Debug)]
pub(crate) struct Glyphs {
    /// Nothing but ASCII may be printed.
    ascii: bool,
    pub(crate) horizontal: &'static str,
    pub(crate) vertical: &'static str,
    /// Corners of a box.
    pub(crate) top_left: &'static str,
    pub(crate) top_right: &'static str,
    pub(crate) bottom_left: &'static str,
    pub(crate) bottom_right: &'static str,
    /// Where a cable leaves a box.
    pub(crate) plug: &'static str,
    /// Two cables that have nothing to do with each other.
    pub(crate) crossing: &'static str,
    /// The same lines where no frames pass.
    pub(crate) dashed_horizontal: &'static str,
    pub(crate) dashed_vertical: &'static str,
    /// Something hangs on a device, and it is not (or it is) the last.
    pub(crate) port: [&'static str; 2],
    pub(crate) upper: [&'static str; 2],
    pub(crate) trunk: &'static str,
    /// The other end of a cable.
    pub(crate) leads_to: &'static str,
    /// Text was cut.
    pub(crate) ellipsis: &'static str,
}

pub(crate) static UNICODE: Glyphs = Glyphs {
    ascii: false,
    horizontal: "─",
    vertical: "│",
    top_left: "╭",
    top_right: "╮",
    bottom_left: "╰",
    bottom_right: "╯",
    plug: "├",
    crossing: "┼",
    dashed_horizontal: "╌",
    dashed_vertical: "╎",
    port: ["├─ ", "╰─ "],
    upper: ["├╌ ", "╰╌ "],
    trunk: "│  ",
    leads_to: "⇄",
    ellipsis: "…",
};

pub(crate) static ASCII: Glyphs = Glyphs {
    ascii: true,
    horizontal: "-",
    vertical: "|",
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    plug: "+",
    crossing: "+",
    dashed_horizontal: ".",
    dashed_vertical: ":",
    port: ["|- ", "`- "],
    upper: ["|. ", "`. "],
    trunk: "|  ",
    leads_to: "<->",
    ellipsis: "...",
};

impl Glyphs {
    /// A name that can't steer the terminal.
    pub(crate) fn name(&self, text: &str) -> String {
        let text = printable(text);
        if self.ascii { text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect() } else { text }
    }

    /// Text that is no wider than that.
    pub(crate) fn cut(&self, text: &str, width: usize) -> String {
        if text.width() <= width {
            return text.to_owned();
        }
        let room = width.saturating_sub(self.ellipsis.width());
        let mut cut = String::new();
        for c in text.chars() {
            if cut.width() + c.width().unwrap_or(0) > room {
                break;
            }
            cut.push(c);
        }
        cut + self.ellipsis
    }
}
