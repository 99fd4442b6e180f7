//! A device's link settings: what plain `ethtool DEV` shows, and what `-s` sets.

use std::io::{self, Write};

use netloom_machine::netlink::{Error, Reply};

use super::SETTINGS_FAILURE;
use super::genetlink::{Bitset, GENL_HEADER, Session, begin, command, complain};
use super::parameters::{Kind, Parameter, read as read_parameters};
use crate::Context;

/// Link modes that name a port rather than a speed.
const PORTS: [&str; 6] = ["TP", "AUI", "BNC", "MII", "FIBRE", "Backplane"];
/// Link modes that name a way of forward error correction, and how they are shown.
const FEC: [(&str, &str); 4] = [("None", "None"), ("RS", "RS"), ("BASER", "BaseR"), ("LLRS", "LLRS")];
/// Neither a port nor a speed.
const OTHERS: [&str; 3] = ["Autoneg", "Pause", "Asym_Pause"];

/// The device's name stands above the first thing that is known of it.
struct Heading<'a> {
    device: &'a str,
    shown: bool,
}

impl Heading<'_> {
    fn show(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if !std::mem::replace(&mut self.shown, true) {
            writeln!(out, "Settings for {}:", self.device)?;
        }
        Ok(())
    }
}

type Part = fn(&mut dyn Write, &Reply) -> io::Result<()>;

const PARTS: [(u8, Part); 5] = [
    (command::LINK_MODES, link_modes),
    (command::LINK_INFO, link_info),
    (command::WAKE_ON_LAN, wake_on_lan),
    (command::DEBUG, message_level),
    (command::LINK_STATE, link_state),
];

pub(super) fn show(context: &mut Context<'_>, device: &str) -> io::Result<i32> {
    let mut session = Session::open(context, device)?;
    let mut heading = Heading { device, shown: false };
    for (number, part) in PARTS {
        match session.get(&mut session.request(number, 0)) {
            Ok(reply) => {
                heading.show(context.out)?;
                part(context.out, &reply)?;
            }
            // A device needn't have all of them.
            Err(Error { errno: libc::EOPNOTSUPP, .. }) => {}
            Err(error) => complain(context, &error)?,
        }
    }
    if heading.shown {
        return Ok(0);
    }
    writeln!(context.out, "No data available")?;
    Ok(SETTINGS_FAILURE)
}

fn link_modes(out: &mut dyn Write, reply: &Reply) -> io::Result<()> {
    let table = reply.message().attributes(GENL_HEADER).table::<16>();
    let ours = Bitset::verbose(table.nested(3));
    let supported: Vec<&str> = ours.bits().iter().map(|bit| bit.name.as_str()).collect();
    let ports: Vec<&str> = supported.iter().copied().filter(|mode| PORTS.contains(mode)).collect();
    writeln!(out, "\tSupported ports: [ {} ]", ports.join(" "))?;
    show_modes(out, "Supported link modes:   ", &supported)?;
    writeln!(out, "\tSupported pause frame use: {}", pause(&supported))?;
    writeln!(out, "\tSupports auto-negotiation: {}", yes_no(&supported))?;
    writeln!(out, "\tSupported FEC modes: {}", fec(&supported))?;
    let advertised = ours.set_names();
    show_advertised(out, "Advertised", &advertised)?;
    let peer = Bitset::verbose(table.nested(4));
    if !peer.bits().is_empty() {
        show_advertised(out, "Link partner advertised", &peer.set_names())?;
    }
    match table.u32(5) {
        None => {}
        Some(0 | 0xffff | u32::MAX) => writeln!(out, "\tSpeed: Unknown!")?,
        Some(speed) => writeln!(out, "\tSpeed: {speed}Mb/s")?,
    }
    match table.u8(6) {
        None => {}
        Some(0) => writeln!(out, "\tDuplex: Half")?,
        Some(1) => writeln!(out, "\tDuplex: Full")?,
        Some(other) => writeln!(out, "\tDuplex: Unknown! ({other})")?,
    }
    match table.u8(2) {
        None => {}
        Some(0) => writeln!(out, "\tAuto-negotiation: off")?,
        Some(1) => writeln!(out, "\tAuto-negotiation: on")?,
        Some(other) => writeln!(out, "\tAuto-negotiation: Unknown! ({other})")?,
    }
    Ok(())
}

fn show_advertised(out: &mut dyn Write, who: &str, modes: &[&str]) -> io::Result<()> {
    let title = format!("{who} link modes:");
    show_modes(out, &format!("{title:<22}  "), modes)?;
    writeln!(out, "\t{who} pause frame use: {}", pause(modes))?;
    writeln!(out, "\t{who} auto-negotiation: {}", yes_no(modes))?;
    writeln!(out, "\t{who} FEC modes: {}", fec(modes))
}

/// Speeds, both duplexes of one on a line.
fn show_modes(out: &mut dyn Write, title: &str, modes: &[&str]) -> io::Result<()> {
    let is_speed =
        |mode: &&str| !PORTS.contains(mode) && !OTHERS.contains(mode) && !FEC.iter().any(|(name, _)| name == mode);
    write!(out, "\t{title}")?;
    let mut previous: Option<&str> = None;
    for mode in modes.iter().copied().filter(is_speed) {
        let stem = |mode: &str| mode.split('/').next().unwrap_or_default().to_owned();
        match previous {
            None => {}
            Some(before) if before.ends_with("/Half") && stem(before) == stem(mode) => write!(out, " ")?,
            Some(_) => write!(out, "\n\t{:width$}", "", width = title.len())?,
        }
        write!(out, "{mode}")?;
        previous = Some(mode);
    }
    if previous.is_none() {
        write!(out, "Not reported")?;
    }
    writeln!(out)
}

fn pause(modes: &[&str]) -> &'static str {
    match (modes.contains(&"Pause"), modes.contains(&"Asym_Pause")) {
        (false, false) => "No",
        (false, true) => "Transmit-only",
        (true, false) => "Symmetric",
        (true, true) => "Symmetric Receive-only",
    }
}

fn yes_no(modes: &[&str]) -> &'static str {
    if modes.contains(&"Autoneg") { "Yes" } else { "No" }
}

fn fec(modes: &[&str]) -> String {
    let names: Vec<&str> = FEC.iter().filter(|(name, _)| modes.contains(name)).map(|(_, shown)| *shown).collect();
    if names.is_empty() { "Not reported".to_owned() } else { names.join("\t ") }
}

fn link_info(out: &mut dyn Write, reply: &Reply) -> io::Result<()> {
    const TWISTED_PAIR: u8 = 0;
    let table = reply.message().attributes(GENL_HEADER).table::<16>();
    let port = table.u8(2);
    if let Some(port) = port {
        let name = match port {
            TWISTED_PAIR => "Twisted Pair",
            1 => "AUI",
            2 => "MII",
            3 => "FIBRE",
            4 => "BNC",
            5 => "Direct Attach Copper",
            0xef => "None",
            0xff => "Other",
            _ => "",
        };
        match name {
            "" => writeln!(out, "\tPort: Unknown! ({port})")?,
            name => writeln!(out, "\tPort: {name}")?,
        }
    }
    if let Some(address) = table.u8(3) {
        writeln!(out, "\tPHYAD: {address}")?;
    }
    match table.u8(6) {
        None => {}
        Some(0) => writeln!(out, "\tTransceiver: internal")?,
        Some(1) => writeln!(out, "\tTransceiver: external")?,
        Some(_) => writeln!(out, "\tTransceiver: Unknown!")?,
    }
    if port == Some(TWISTED_PAIR)
        && let (Some(state), Some(control)) = (table.u8(4), table.u8(5))
    {
        let (state, automatic) = match (control, state) {
            (1, _) => ("off (forced)", ""),
            (2, _) => ("on (forced)", ""),
            (control, state) => {
                let automatic = if control == 3 { " (auto)" } else { "" };
                let state = match state {
                    1 => "off",
                    2 => "on",
                    _ => "Unknown",
                };
                (state, automatic)
            }
        };
        writeln!(out, "\tMDI-X: {state}{automatic}")?;
    }
    Ok(())
}

fn wake_on_lan(out: &mut dyn Write, reply: &Reply) -> io::Result<()> {
    const LETTERS: [u8; 8] = *b"pumbagsf";
    let table = reply.message().attributes(GENL_HEADER).table::<8>();
    let modes = Bitset::verbose(table.nested(2));
    let letters = |set_only: bool| -> String {
        let bits = modes.bits().iter().filter(|bit| bit.value || !set_only);
        let letters: String =
            bits.filter_map(|bit| LETTERS.get(bit.index as usize)).map(|letter| *letter as char).collect();
        if letters.is_empty() { "d".to_owned() } else { letters }
    };
    writeln!(out, "\tSupports Wake-on: {}\n\tWake-on: {}", letters(false), letters(true))?;
    if let Some(password) = table.bytes(3) {
        let bytes: Vec<String> = password.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(out, "        SecureOn password: {}", bytes.join(":"))?;
    }
    Ok(())
}

fn message_level(out: &mut dyn Write, reply: &Reply) -> io::Result<()> {
    let mask = Bitset::verbose(reply.message().attributes(GENL_HEADER).table::<4>().nested(2));
    let set = mask.bits().iter().filter(|bit| bit.value && bit.index < 32);
    let level = set.clone().fold(0u32, |level, bit| level | 1 << bit.index);
    write!(out, "        Current message level: 0x{level:08x} ({level})\n{:30}", "")?;
    for bit in set {
        write!(out, " {}", bit.name)?;
    }
    writeln!(out)
}

fn link_state(out: &mut dyn Write, reply: &Reply) -> io::Result<()> {
    let table = reply.message().attributes(GENL_HEADER).table::<8>();
    if let Some(link) = table.u8(2) {
        writeln!(out, "\tLink detected: {}", if link != 0 { "yes" } else { "no" })?;
    }
    if let Some(quality) = table.u32(3) {
        match table.u32(4) {
            Some(best) => writeln!(out, "\tSQI: {quality}/{best}")?,
            None => writeln!(out, "\tSQI: {quality}")?,
        }
    }
    Ok(())
}

const ON_OFF: &[(&str, u32)] = &[("off", 0), ("on", 1)];

/// What `-s` sets, and with which request.
const SETTINGS: &[(u8, Parameter)] = &[
    (command::SET_LINK_MODES, Parameter { name: "speed", kind: Kind::U32, attribute: 5 }),
    (
        command::SET_LINK_MODES,
        Parameter { name: "duplex", kind: Kind::Word(&[("half", 0), ("full", 1)]), attribute: 6 },
    ),
    (command::SET_LINK_MODES, Parameter { name: "autoneg", kind: Kind::Word(ON_OFF), attribute: 2 }),
    (command::SET_LINK_MODES, Parameter { name: "lanes", kind: Kind::U32, attribute: 9 }),
    (
        command::SET_LINK_INFO,
        Parameter {
            name: "port",
            kind: Kind::Word(&[("tp", 0), ("aui", 1), ("mii", 2), ("fibre", 3), ("bnc", 4), ("da", 5)]),
            attribute: 2,
        },
    ),
    (
        command::SET_LINK_INFO,
        Parameter { name: "mdix", kind: Kind::Word(&[("auto", 3), ("on", 2), ("off", 1)]), attribute: 5 },
    ),
    (command::SET_LINK_INFO, Parameter { name: "phyad", kind: Kind::U8, attribute: 3 }),
    (command::SET_WAKE_ON_LAN, Parameter { name: "wol", kind: Kind::Letters(b"pumbagsf"), attribute: 2 }),
    (command::SET_DEBUG, Parameter { name: "msglvl", kind: Kind::Mask, attribute: 2 }),
];

pub(super) fn set(context: &mut Context<'_>, device: &str, arguments: &[String]) -> io::Result<i32> {
    let parameters: Vec<&Parameter> = SETTINGS.iter().map(|(_, parameter)| parameter).collect();
    let values = match read_parameters(&parameters, arguments) {
        Ok(values) => values,
        Err(complaint) => {
            writeln!(context.err, "ethtool (-s): {complaint}")?;
            return Ok(1);
        }
    };
    if values.is_empty() {
        return Ok(0);
    }
    let mut session = Session::open(context, device)?;
    for number in [command::SET_LINK_INFO, command::SET_LINK_MODES, command::SET_WAKE_ON_LAN, command::SET_DEBUG] {
        let mut request = session.request(number, 0);
        let mut any = false;
        for value in &values {
            let settable = SETTINGS.iter().find(|(_, parameter)| parameter.name == value.parameter.name);
            if settable.is_some_and(|(owner, _)| *owner == number) {
                value.put(&mut request, begin);
                any = true;
            }
        }
        if any && let Err(error) = session.set(&mut request) {
            complain(context, &error)?;
            return Ok(SETTINGS_FAILURE);
        }
    }
    Ok(0)
}
