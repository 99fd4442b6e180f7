//! `netstat -s`: SNMP counters in words.

use std::io::{self, Write};

use super::words::{self, Words};
use crate::Context;

/// Which protocols' counters are wanted.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub(super) tcp: bool,
    pub(super) udp: bool,
    pub(super) raw: bool,
}

/// A protocol's counters with words for them.
struct Protocol {
    title: &'static str,
    words: &'static [Words],
    wanted: fn(Wanted) -> bool,
}

const PROTOCOLS: [Protocol; 8] = [
    Protocol { title: "Ip", words: words::IP, wanted: |wanted| wanted.raw },
    Protocol { title: "Icmp", words: words::ICMP, wanted: |wanted| wanted.raw },
    Protocol { title: "Tcp", words: words::TCP, wanted: |wanted| wanted.tcp },
    Protocol { title: "Udp", words: words::UDP, wanted: |wanted| wanted.udp },
    Protocol { title: "TcpExt", words: words::TCP_EXT, wanted: |wanted| wanted.tcp },
    Protocol { title: "Ip6", words: words::IPV6, wanted: |wanted| wanted.raw },
    Protocol { title: "Icmp6", words: words::IPV6, wanted: |wanted| wanted.raw },
    Protocol { title: "Udp6", words: words::IPV6, wanted: |wanted| wanted.udp },
];

/// Settings among the counters.
const SETTINGS: [(&str, &str); 5] =
    [("Ip", "DefaultTTL"), ("Tcp", "RtoAlgorithm"), ("Tcp", "RtoMin"), ("Tcp", "RtoMax"), ("Tcp", "MaxConn")];

/// Prints counters section by section.
struct Printer<'a> {
    out: &'a mut dyn Write,
    wanted: Wanted,
    words: &'static [Words],
    shown: bool,
    /// Messages by type stand further in than other counters.
    indent: usize,
}

impl Printer<'_> {
    fn title(&mut self, title: &str) -> io::Result<()> {
        let protocol = PROTOCOLS.iter().find(|protocol| protocol.title == title);
        self.words = protocol.map_or(&[], |protocol| protocol.words);
        self.shown = protocol.is_none_or(|protocol| (protocol.wanted)(self.wanted));
        if protocol.is_some() {
            self.indent = 4;
        }
        if self.shown { writeln!(self.out, "{title}:") } else { Ok(()) }
    }

    fn counter(&mut self, name: &str, value: &str) -> io::Result<()> {
        if !self.shown {
            return Ok(());
        }
        let plain = name.strip_prefix("Icmp6").unwrap_or(name);
        match plain {
            "OutMsgs" => self.indent = 4,
            "InDestUnreachs" => self.histogram("input")?,
            "OutDestUnreachs" => self.histogram("output")?,
            _ => {}
        }
        let indent = self.indent;
        match self.words.iter().find(|words| words.name == name) {
            Some(words) if words.always || value != "0" => {
                writeln!(self.out, "{:indent$}{}", "", words.text.replace("{}", value))
            }
            None if value != "0" => writeln!(self.out, "{:indent$}{name}: {value}", ""),
            _ => Ok(()),
        }
    }

    fn histogram(&mut self, direction: &str) -> io::Result<()> {
        let indent = self.indent;
        self.indent = 8;
        writeln!(self.out, "{:indent$}ICMP {direction} histogram:", "")
    }
}

pub(super) fn show(context: &mut Context<'_>, wanted: Wanted, inet6: bool) -> io::Result<i32> {
    let file = |name: &str| {
        let bytes = context.machine.read_file(&context.netns, &format!("/proc/net/{name}")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let (snmp, netstat, snmp6) = (file("snmp"), file("netstat"), file("snmp6"));
    let mut printer = Printer { out: context.out, wanted, words: &[], shown: true, indent: 4 };
    if inet6 {
        rows(&mut printer, &snmp6)?;
        columns(&mut printer, &snmp, |title| title == "Tcp")?;
        return Ok(0);
    }
    columns(&mut printer, &snmp, |_| true)?;
    columns(&mut printer, &netstat, |_| true)?;
    Ok(0)
}

/// Pairs of lines: `Ip: NAME NAME…`, `Ip: NUMBER NUMBER…`.
fn columns(printer: &mut Printer<'_>, text: &str, wanted: fn(&str) -> bool) -> io::Result<()> {
    let lines: Vec<&str> = text.lines().collect();
    for pair in lines.chunks_exact(2) {
        let (Some((title, names)), Some((_, values))) = (pair[0].split_once(':'), pair[1].split_once(':')) else {
            continue;
        };
        if !wanted(title) {
            continue;
        }
        printer.title(title)?;
        for (name, value) in names.split_whitespace().zip(values.split_whitespace()) {
            if !SETTINGS.contains(&(title, name)) {
                printer.counter(name, value)?;
            }
        }
    }
    Ok(())
}

/// A name and a number a line, the protocol being the start of the name.
fn rows(printer: &mut Printer<'_>, text: &str) -> io::Result<()> {
    let mut current = String::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let (Some(name), Some(value)) = (words.next(), words.next()) else { continue };
        let Some(end) = name.find('6') else { continue };
        let title = &name[..=end];
        if title != current {
            title.clone_into(&mut current);
            printer.title(title)?;
        }
        printer.counter(name, value)?;
    }
    Ok(())
}
