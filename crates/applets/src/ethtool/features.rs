//! Offloads: `-k` shows a device's features, `-K` changes them.

use std::io;

use netloom_machine::netlink::Reply;
use serde_json::{Map, Value, json};

use super::genetlink::{COMPACT_BITSETS, GENL_HEADER, Session, Words, begin, command, complain};
use super::{FEATURES_FAILURE, Options};
use crate::Context;

/// The string set of feature names.
const ETH_SS_FEATURES: u32 = 4;

/// A name from before features had their own: the option's short and long name, and the features that it stands for,
/// with `*` for any run of characters.
struct Legacy {
    short: &'static str,
    long: &'static str,
    pattern: &'static str,
}

const fn legacy(short: &'static str, long: &'static str, pattern: &'static str) -> Legacy {
    Legacy { short, long, pattern }
}

const LEGACY: [Legacy; 12] = [
    legacy("rx", "rx-checksumming", "rx-checksum"),
    legacy("tx", "tx-checksumming", "tx-checksum-*"),
    legacy("sg", "scatter-gather", "tx-scatter-gather*"),
    legacy("tso", "tcp-segmentation-offload", "tx-tcp*-segmentation"),
    legacy("ufo", "udp-fragmentation-offload", "tx-udp-fragmentation"),
    legacy("gso", "generic-segmentation-offload", "tx-generic-segmentation"),
    legacy("gro", "generic-receive-offload", "rx-gro"),
    legacy("lro", "large-receive-offload", "rx-lro"),
    legacy("rxvlan", "rx-vlan-offload", "rx-vlan-hw-parse"),
    legacy("txvlan", "tx-vlan-offload", "tx-vlan-hw-insert"),
    legacy("ntuple", "ntuple-filters", "rx-ntuple-filter"),
    legacy("rxhash", "receive-hashing", "rx-hashing"),
];

impl Legacy {
    fn is_group(&self) -> bool {
        self.pattern.contains('*')
    }

    fn members(&self, names: &[String]) -> Vec<usize> {
        let matching = names.iter().enumerate().filter(|(_, name)| crate::wildcard::matches(self.pattern, name));
        matching.map(|(index, _)| index).collect()
    }
}

/// What is known of a device's features.
struct Features {
    names: Vec<String>,
    changeable: Words,
    wanted: Words,
    active: Words,
    constant: Words,
}

impl Features {
    fn read(reply: &Reply, names: Vec<String>) -> Features {
        let table = reply.message().attributes(GENL_HEADER).table::<6>();
        Features {
            names,
            changeable: Words::compact(table.nested(2)),
            wanted: Words::compact(table.nested(3)),
            active: Words::compact(table.nested(4)),
            constant: Words::compact(table.nested(5)),
        }
    }

    fn fixed(&self, bit: usize) -> bool {
        !self.changeable.has(bit) || self.constant.has(bit)
    }

    fn suffix(&self, bit: usize) -> &'static str {
        match () {
            () if self.fixed(bit) => " [fixed]",
            () if self.wanted.has(bit) == self.active.has(bit) => "",
            () if self.wanted.has(bit) => " [requested on]",
            () => " [requested off]",
        }
    }

    fn json(&self, bit: usize) -> Value {
        json!({
            "active": self.active.has(bit),
            "fixed": self.fixed(bit),
            "requested": self.wanted.has(bit),
        })
    }
}

fn on_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

pub(super) fn show(context: &mut Context<'_>, options: &Options, device: &str) -> io::Result<i32> {
    let mut session = Session::open(context, device)?;
    let mut request = session.request(command::FEATURES, COMPACT_BITSETS);
    let reply = match session.get(&mut request) {
        Ok(reply) => reply,
        Err(error) => {
            complain(context, &error)?;
            return Ok(1);
        }
    };
    let names = session.strings(ETH_SS_FEATURES)?;
    let features = Features::read(&reply, names);
    let mut json = Map::new();
    json.insert("ifname".to_owned(), device.into());
    if !options.json {
        writeln!(context.out, "Features for {device}:")?;
    }
    let mut shown = vec![false; features.names.len()];
    for legacy in &LEGACY {
        let members = legacy.members(&features.names);
        if members.is_empty() {
            continue;
        }
        for member in &members {
            shown[*member] = true;
        }
        let active = members.iter().any(|member| features.active.has(*member));
        if !legacy.is_group() {
            let suffix = members.first().map_or("", |member| features.suffix(*member));
            json.insert(legacy.long.to_owned(), members.first().map_or(Value::Null, |member| features.json(*member)));
            if !options.json {
                writeln!(context.out, "{}: {}{suffix}", legacy.long, on_off(active))?;
            }
            continue;
        }
        json.insert(legacy.long.to_owned(), json!({ "active": active, "fixed": null, "requested": null }));
        if !options.json {
            writeln!(context.out, "{}: {}", legacy.long, on_off(active))?;
        }
        for member in members {
            let (name, on) = (&features.names[member], on_off(features.active.has(member)));
            json.insert(name.clone(), features.json(member));
            if !options.json {
                writeln!(context.out, "\t{name}: {on}{}", features.suffix(member))?;
            }
        }
    }
    let rest = features.names.iter().enumerate().filter(|(bit, name)| !shown[*bit] && !name.is_empty());
    for (bit, name) in rest {
        json.insert(name.clone(), features.json(bit));
        if !options.json {
            writeln!(context.out, "{name}: {}{}", on_off(features.active.has(bit)), features.suffix(bit))?;
        }
    }
    if options.json {
        show_json(context, &json)?;
    }
    Ok(0)
}

/// One object in an array, indented as ethtool does.
fn show_json(context: &mut Context<'_>, object: &Map<String, Value>) -> io::Result<()> {
    let out = &mut *context.out;
    write!(out, "[ {{")?;
    for (index, (name, value)) in object.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        write!(out, "{comma}\n        {}: ", Value::from(name.as_str()))?;
        match value {
            Value::Object(fields) => {
                write!(out, "{{")?;
                for (index, (name, value)) in fields.iter().enumerate() {
                    let comma = if index > 0 { "," } else { "" };
                    write!(out, "{comma}\n            {}: {value}", Value::from(name.as_str()))?;
                }
                write!(out, "\n        }}")?;
            }
            value => write!(out, "{value}")?,
        }
    }
    writeln!(out, "\n    }} ]")
}

pub(super) fn change(context: &mut Context<'_>, device: &str, arguments: &[String]) -> io::Result<i32> {
    let mut session = Session::open(context, device)?;
    let names = session.strings(ETH_SS_FEATURES)?;
    let mut request = session.request(command::SET_FEATURES, COMPACT_BITSETS);
    let wanted = begin(&mut request, 3);
    let bits = begin(&mut request, 3);
    let mut requested = vec![None; names.len()];
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let on = match words.next().map(String::as_str) {
            Some("on") => true,
            Some("off") => false,
            other => {
                let flag = other.unwrap_or("(null)");
                writeln!(
                    context.err,
                    "ethtool (-K): flag '{flag}' for parameter '(null)' is not followed by 'on' or 'off'"
                )?;
                return Ok(1);
            }
        };
        let mut put = |name: &str| {
            let bit = begin(&mut request, 1);
            request.string(2, name);
            if on {
                request.attribute(3, &[]);
            }
            request.end(bit);
        };
        match LEGACY.iter().find(|legacy| legacy.short == word || legacy.long == word) {
            Some(legacy) => {
                for member in legacy.members(&names) {
                    put(&names[member]);
                    requested[member] = Some(on);
                }
            }
            None => {
                put(word);
                if let Some(bit) = names.iter().position(|name| name == word) {
                    requested[bit] = Some(on);
                }
            }
        }
    }
    request.end(bits);
    request.end(wanted);
    match session.get(&mut request) {
        Ok(reply) => show_changes(context, &reply, &names, &requested),
        Err(error) => {
            complain(context, &error)?;
            Ok(FEATURES_FAILURE)
        }
    }
}

/// Tells what came of a change, unless it is just what was asked for.
fn show_changes(
    context: &mut Context<'_>,
    reply: &Reply,
    names: &[String],
    requested: &[Option<bool>],
) -> io::Result<i32> {
    let table = reply.message().attributes(GENL_HEADER).table::<6>();
    // Masked: what is otherwise than asked for, and what changed.
    let (refused, changed) = (Words::compact(table.nested(3)), Words::compact(table.nested(4)));
    let bits: Vec<(usize, &String, Option<bool>)> =
        names.iter().zip(requested).enumerate().map(|(bit, (name, requested))| (bit, name, *requested)).collect();
    let unexpected =
        bits.iter().any(|(bit, _, requested)| refused.masks(*bit) || changed.masks(*bit) && requested.is_none());
    if unexpected {
        writeln!(context.out, "Actual changes:")?;
        for (bit, name, requested) in &bits {
            match requested {
                Some(on) if refused.masks(*bit) => {
                    writeln!(context.out, "{name}: {} [requested {}]", on_off(!on), on_off(*on))?;
                }
                Some(_) if changed.masks(*bit) => {
                    writeln!(context.out, "{name}: {}", on_off(changed.has(*bit)))?;
                }
                None if changed.masks(*bit) => {
                    writeln!(context.out, "{name}: {} [not requested]", on_off(changed.has(*bit)))?;
                }
                _ => {}
            }
        }
    }
    if bits.iter().all(|(bit, _, requested)| requested.is_none() || refused.masks(*bit)) {
        context.out.flush()?;
        writeln!(context.err, "Could not change any device features")?;
        return Ok(1);
    }
    Ok(0)
}
