//! `ip rule show` and `flush`: the rules that a selector finds.

use netloom_machine::netlink::Request;

use super::super::route::{find_tos, ip_protocol};
use super::{FIB_RULE, INVERT, Rule, fra, mark, ports, range};
use crate::print::Printer;
use crate::rtnl::address::{Prefix, prefix};
use crate::rtnl::{Arguments, Failure, Outcome, Session, finish_dump, invalid_argument, matches, names};

/// Which rules are asked for.
#[derive(Default)]
struct Filter<'w> {
    family: u8,
    inverted: bool,
    from: Option<Prefix>,
    to: Option<Prefix>,
    priority: Option<u32>,
    tos: Option<u8>,
    mark: Option<(u32, Option<u32>)>,
    iif: Option<&'w str>,
    oif: Option<&'w str>,
    l3mdev: bool,
    users: Option<(u32, u32)>,
    table: Option<u32>,
    ip_protocol: Option<u8>,
    source_ports: Option<(u16, u16)>,
    destination_ports: Option<(u16, u16)>,
}

impl<'w> Filter<'w> {
    fn parse(session: &mut Session<'_>, words: &'w [String]) -> Outcome<Filter<'w>> {
        let family = if session.family == 0 { libc::AF_INET as u8 } else { session.family };
        let mut filter = Filter { family, ..Filter::default() };
        let mut arguments = Arguments::new(words);
        while let Some(word) = arguments.next() {
            match word {
                word if matches(word, "preference") || matches(word, "order") || matches(word, "priority") => {
                    let message = "preference value is invalid\n";
                    filter.priority = Some(value(session, &mut arguments, number, message)?);
                }
                "not" => filter.inverted = true,
                "tos" | "dsfield" => {
                    filter.tos = Some(value(session, &mut arguments, find_tos, "TOS value is invalid\n")?);
                }
                "fwmark" => filter.mark = Some(value(session, &mut arguments, mark, "fwmark value is invalid\n")?),
                "dev" | "iif" => filter.iif = Some(arguments.value(session.err)?),
                "oif" => filter.oif = Some(arguments.value(session.err)?),
                "l3mdev" => filter.l3mdev = true,
                "uidrange" => filter.users = Some(value(session, &mut arguments, range, "invalid UID range\n")?),
                word if matches(word, "lookup") || matches(word, "table") => {
                    let message = "table id value is invalid\n";
                    filter.table = Some(value(session, &mut arguments, names::find_table, message)?);
                }
                // Read, and of no consequence for what is shown.
                word if word.len() > 1 && matches(word, "protocol") => {
                    value(session, &mut arguments, names::find_protocol, "\"protocol\" value is invalid\n")?;
                }
                "ipproto" => {
                    let message = "Invalid \"ipproto\" value\n";
                    filter.ip_protocol = Some(value(session, &mut arguments, ip_protocol, message)?);
                }
                "sport" => {
                    filter.source_ports = Some(value(session, &mut arguments, ports, "invalid port range\n")?);
                }
                "dport" => {
                    filter.destination_ports = Some(value(session, &mut arguments, ports, "invalid port range\n")?);
                }
                "from" => {
                    let text = arguments.value(session.err)?;
                    filter.from = Some(prefix(session.err, text, family)?);
                }
                word => {
                    let text = if word == "to" { arguments.value(session.err)? } else { word };
                    filter.to = Some(prefix(session.err, text, family)?);
                }
            }
        }
        Ok(filter)
    }

    fn passes(&self, rule: &Rule<'_>) -> bool {
        let table = &rule.attributes;
        let within = |prefix: Option<Prefix>, kind: u16, bits: u8| {
            prefix.is_none_or(|prefix| {
                let address = rule.address(kind).unwrap_or_default();
                bits >= prefix.bits && address.agrees(&prefix.address, prefix.bits)
            })
        };
        let marked = |(mark, mask): (u32, Option<u32>)| {
            table.u32(fra::FWMARK).unwrap_or(0) == mark && mask.is_none_or(|mask| table.u32(fra::FWMASK) == Some(mask))
        };
        within(self.from, fra::SRC, rule.source_bits)
            && within(self.to, fra::DST, rule.destination_bits)
            && (!self.inverted || rule.flags & INVERT != 0)
            && self.priority.is_none_or(|wanted| table.u32(fra::PRIORITY).unwrap_or(0) == wanted)
            && self.tos.is_none_or(|wanted| rule.tos == wanted)
            && self.mark.is_none_or(marked)
            && self.iif.is_none_or(|wanted| table.string(fra::IIFNAME) == Some(wanted))
            && self.oif.is_none_or(|wanted| table.string(fra::OIFNAME) == Some(wanted))
            && (!self.l3mdev || table.u8(fra::L3MDEV).is_some_and(|on| on != 0))
            && self.users.is_none_or(|wanted| rule.users() == Some(wanted))
            && self.table.is_none_or(|wanted| rule.table == wanted)
            && self.ip_protocol.is_none_or(|wanted| table.u8(fra::IP_PROTO) == Some(wanted))
            && self.source_ports.is_none_or(|wanted| rule.ports(fra::SPORT_RANGE) == Some(wanted))
            && self.destination_ports.is_none_or(|wanted| rule.ports(fra::DPORT_RANGE) == Some(wanted))
    }
}

/// The value of an option, or the complaint that it is invalid.
pub(super) fn value<T>(
    session: &mut Session<'_>,
    arguments: &mut Arguments<'_>,
    parse: fn(&str) -> Option<T>,
    message: &str,
) -> Outcome<T> {
    let value = arguments.value(session.err)?;
    parse(value).ok_or_else(|| invalid_argument(session.err, message, value))
}

pub(super) fn number(text: &str) -> Option<u32> {
    crate::rtnl::number(text).and_then(|number| u32::try_from(number).ok())
}

fn dump_request(family: u8) -> Request {
    let mut header = [0; FIB_RULE];
    header[0] = family;
    let mut request = Request::new(libc::RTM_GETRULE, 0);
    request.put(&header);
    request
}

pub(super) fn list(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let filter = Filter::parse(session, words)?;
    let Session { netlink, out, err, format, .. } = session;
    let mut printer = Printer::new(*out, format);
    printer.open_document();
    let dump = netlink.dump(&mut dump_request(filter.family), |message| {
        if let Some(rule) = Rule::parse(&message).filter(|rule| filter.passes(rule)) {
            rule.print(&mut printer, format);
        }
    });
    if dump.is_ok() {
        printer.close_document();
    }
    drop(printer);
    finish_dump(*err, dump)
}

/// Deletes every rule but the first (of priority 0), or those of a protocol.
pub(super) fn flush(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let family = if session.family == 0 { libc::AF_INET as u8 } else { session.family };
    let mut protocol = None;
    let mut arguments = Arguments::new(words);
    while let Some(word) = arguments.next() {
        if matches(word, "protocol") {
            protocol = Some(value(session, &mut arguments, names::find_protocol, "\"protocol\" value is invalid\n")?);
        }
    }
    let mut requests = Vec::new();
    let dump = session.netlink.dump(&mut dump_request(family), |message| {
        let Some(rule) = Rule::parse(&message) else { return };
        let table = &rule.attributes;
        if table.u32(fra::PRIORITY).is_some_and(|priority| priority != 0)
            && protocol.is_none_or(|wanted| table.u8(fra::PROTOCOL) == Some(wanted))
        {
            let mut request = Request::new(libc::RTM_DELRULE, 0);
            request.put(message.payload);
            requests.push(request);
        }
    });
    finish_dump(session.err, dump)?;
    for request in &mut requests {
        if session.request(request).is_err() {
            session.complain("Dump terminated");
            return Err(Failure::Command(255));
        }
    }
    Ok(())
}
