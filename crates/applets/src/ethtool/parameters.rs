//! Numbered parameters of a device: channels, rings, pause frames, coalescing. Each is a table of names and attributes.

use std::io;

use netloom_machine::netlink::{Nest, Request};

use super::genetlink::{GENL_HEADER, Session, begin, command, complain};
use crate::Context;

/// How a parameter's value is written.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    U8,
    U32,
    /// One of some words.
    Word(&'static [(&'static str, u32)]),
    /// A bitset, one letter a bit.
    Letters(&'static [u8]),
    /// A bitset as a number.
    Mask,
}

/// A parameter that can be set.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) attribute: u16,
}

/// A parameter with its value.
pub(super) struct Setting<'a> {
    pub(super) parameter: &'a Parameter,
    value: u32,
}

/// Reads pairs of names and values; the error is the complaint.
pub(super) fn read<'a>(parameters: &[&'a Parameter], arguments: &[String]) -> Result<Vec<Setting<'a>>, String> {
    let mut settings = Vec::new();
    let mut words = arguments.iter();
    while let Some(name) = words.next() {
        let parameter = parameters.iter().find(|parameter| parameter.name == name);
        let parameter = *parameter.ok_or_else(|| format!("unknown parameter '{name}'"))?;
        let text = words.next().ok_or_else(|| format!("no value for parameter '{name}'"))?;
        let value = parameter.value(text);
        let value = value.ok_or_else(|| format!("invalid value '{text}' for parameter '{name}'"))?;
        settings.push(Setting { parameter, value });
    }
    Ok(settings)
}

impl Parameter {
    fn value(&self, text: &str) -> Option<u32> {
        let number = || match text.strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => text.parse().ok(),
        };
        match self.kind {
            Kind::U8 => number().filter(|value| *value <= 255),
            Kind::U32 | Kind::Mask => number(),
            Kind::Word(words) => words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value),
            Kind::Letters(_) if text == "d" => Some(0),
            Kind::Letters(letters) => text.bytes().try_fold(0, |mask, letter| {
                let bit = letters.iter().position(|known| *known == letter)?;
                Some(mask | 1 << bit)
            }),
        }
    }
}

impl Setting<'_> {
    /// Adds the attribute to a request.
    pub(super) fn put(&self, request: &mut Request, begin: fn(&mut Request, u16) -> Nest) {
        let attribute = self.parameter.attribute;
        match self.parameter.kind {
            Kind::U8 | Kind::Word(_) => {
                request.u8(attribute, self.value as u8);
            }
            Kind::U32 => {
                request.u32(attribute, self.value);
            }
            // A list of set bits: all others become unset.
            Kind::Letters(_) | Kind::Mask => {
                let set = begin(request, attribute);
                request.attribute(1, &[]);
                request.u32(2, 32).attribute(4, &self.value.to_ne_bytes());
                request.end(set);
            }
        }
    }
}

/// One line of a listing.
enum Line {
    /// A subheading.
    Title(&'static str),
    /// A name, padded by tabs, and a number.
    Number(&'static str, u16),
    /// A name, padded by tabs, and a switch.
    Switch(&'static str, u16),
}

/// A table of parameters: how it is asked for, shown, set.
pub(super) struct Table {
    option: &'static str,
    title: &'static str,
    get: u8,
    lines: &'static [Line],
    set: u8,
    parameters: &'static [Parameter],
    /// Exit status where setting fails.
    failure: i32,
}

const fn number(name: &'static str, attribute: u16) -> Parameter {
    Parameter { name, kind: Kind::U32, attribute }
}

const fn switch(name: &'static str, attribute: u16) -> Parameter {
    Parameter { name, kind: Kind::Word(&[("off", 0), ("on", 1)]), attribute }
}

/// `-l`, `-L`.
pub(super) const CHANNELS: Table = Table {
    option: "-L",
    title: "Channel parameters",
    get: command::CHANNELS,
    lines: &[
        Line::Title("Pre-set maximums:"),
        Line::Number("RX:\t\t", 2),
        Line::Number("TX:\t\t", 3),
        Line::Number("Other:\t\t", 4),
        Line::Number("Combined:\t", 5),
        Line::Title("Current hardware settings:"),
        Line::Number("RX:\t\t", 6),
        Line::Number("TX:\t\t", 7),
        Line::Number("Other:\t\t", 8),
        Line::Number("Combined:\t", 9),
    ],
    set: command::SET_CHANNELS,
    parameters: &[number("rx", 6), number("tx", 7), number("other", 8), number("combined", 9)],
    failure: 1,
};

/// `-g`, `-G`.
pub(super) const RINGS: Table = Table {
    option: "-G",
    title: "Ring parameters",
    get: command::RINGS,
    lines: &[
        Line::Title("Pre-set maximums:"),
        Line::Number("RX:\t\t", 2),
        Line::Number("RX Mini:\t", 3),
        Line::Number("RX Jumbo:\t", 4),
        Line::Number("TX:\t\t", 5),
        Line::Title("Current hardware settings:"),
        Line::Number("RX:\t\t", 6),
        Line::Number("RX Mini:\t", 7),
        Line::Number("RX Jumbo:\t", 8),
        Line::Number("TX:\t\t", 9),
    ],
    set: command::SET_RINGS,
    parameters: &[number("rx", 6), number("rx-mini", 7), number("rx-jumbo", 8), number("tx", 9)],
    failure: 81,
};

/// `-a`, `-A`.
pub(super) const PAUSE: Table = Table {
    option: "-A",
    title: "Pause parameters",
    get: command::PAUSE,
    lines: &[Line::Switch("Autonegotiate:\t", 2), Line::Switch("RX:\t\t", 3), Line::Switch("TX:\t\t", 4)],
    set: command::SET_PAUSE,
    parameters: &[switch("autoneg", 2), switch("rx", 3), switch("tx", 4)],
    failure: 76,
};

/// `-c`, `-C`.
pub(super) const COALESCE: Table = Table {
    option: "-C",
    title: "Coalesce parameters",
    get: command::COALESCE,
    lines: &[
        Line::Number("rx-usecs:\t", 2),
        Line::Number("rx-frames:\t", 3),
        Line::Number("rx-usecs-irq:\t", 4),
        Line::Number("rx-frames-irq:\t", 5),
        Line::Number("tx-usecs:\t", 6),
        Line::Number("tx-frames:\t", 7),
        Line::Number("tx-usecs-irq:\t", 8),
        Line::Number("tx-frames-irq:\t", 9),
    ],
    set: command::SET_COALESCE,
    parameters: &[
        number("rx-usecs", 2),
        number("rx-frames", 3),
        number("rx-usecs-irq", 4),
        number("rx-frames-irq", 5),
        number("tx-usecs", 6),
        number("tx-frames", 7),
        number("tx-usecs-irq", 8),
        number("tx-frames-irq", 9),
    ],
    failure: 1,
};

pub(super) fn show(context: &mut Context<'_>, table: &Table, device: &str) -> io::Result<i32> {
    let mut session = Session::open(context, device)?;
    let reply = match session.get(&mut session.request(table.get, 0)) {
        Ok(reply) => reply,
        Err(error) => {
            complain(context, &error)?;
            return Ok(1);
        }
    };
    let attributes = reply.message().attributes(GENL_HEADER).table::<64>();
    writeln!(context.out, "{} for {device}:", table.title)?;
    for line in table.lines {
        match line {
            Line::Title(title) => writeln!(context.out, "{title}")?,
            Line::Number(name, attribute) => match attributes.u32(*attribute) {
                Some(value) => writeln!(context.out, "{name}{value}")?,
                None => writeln!(context.out, "{name}n/a")?,
            },
            Line::Switch(name, attribute) => {
                let on = attributes.u8(*attribute).unwrap_or(0) != 0;
                writeln!(context.out, "{name}{}", if on { "on" } else { "off" })?;
            }
        }
    }
    Ok(0)
}

pub(super) fn set(context: &mut Context<'_>, table: &Table, device: &str, arguments: &[String]) -> io::Result<i32> {
    let parameters: Vec<&Parameter> = table.parameters.iter().collect();
    let settings = match read(&parameters, arguments) {
        Ok(settings) => settings,
        Err(complaint) => {
            writeln!(context.err, "ethtool ({}): {complaint}", table.option)?;
            return Ok(1);
        }
    };
    let mut session = Session::open(context, device)?;
    let mut request = session.request(table.set, 0);
    for setting in &settings {
        setting.put(&mut request, begin);
    }
    if let Err(error) = session.set(&mut request) {
        complain(context, &error)?;
        return Ok(table.failure);
    }
    Ok(0)
}
