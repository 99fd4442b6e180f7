//! `ip route show`, `flush` and `save`: the routes that a selector finds.

use netloom_machine::netlink::{Dump, Error, Request, Stage};

use super::show::{Known, Route};
use super::{RTM_F_CLONED, RTMSG, TABLE_MAIN, find_realms, find_tos, find_type, rta};
use crate::print::Printer;
use crate::rtnl::address::{Address, Prefix, prefix};
use crate::rtnl::{Arguments, Failure, Outcome, Session, finish_dump, invalid_argument, matches, names, report};

/// More rounds than this mean that the routes come back as fast as they go.
const ROUNDS: u32 = 10;

/// How a prefix is compared with a route's.
#[derive(Clone, Copy, Debug)]
enum Selector {
    /// The route's is this one or within it.
    Root(Prefix),
    /// The route's is this one or around it.
    Match(Prefix),
    /// The route's is this one.
    Exact(Prefix),
}

impl Selector {
    fn parse(
        session: &mut Session<'_>,
        word: &str,
        arguments: &mut Arguments<'_>,
        family: &mut u8,
    ) -> Outcome<Selector> {
        let make = match word {
            "root" => Selector::Root,
            "match" => Selector::Match,
            _ => Selector::Exact,
        };
        let text = if matches!(word, "root" | "match" | "exact") { arguments.value(session.err)? } else { word };
        let prefix = prefix(session.err, text, *family)?;
        if *family == 0 {
            *family = prefix.address.family;
        }
        Ok(make(prefix))
    }

    /// Whether a route's address with so many bits is asked for. A route without an address has the zero one.
    fn passes(self, address: Option<Address>, bits: u8) -> bool {
        let address = address.unwrap_or_default();
        match self {
            Selector::Root(prefix) => bits >= prefix.bits && address.agrees(&prefix.address, prefix.bits),
            Selector::Match(prefix) => bits <= prefix.bits && address.agrees(&prefix.address, bits),
            Selector::Exact(prefix) => bits == prefix.bits && address.agrees(&prefix.address, bits),
        }
    }
}

/// Which routes are asked for.
#[derive(Clone, Debug, Default)]
struct Filter {
    family: u8,
    /// None of them: of every table.
    table: Option<u32>,
    cached: bool,
    protocol: Option<u8>,
    scope: Option<u8>,
    kind: Option<u8>,
    tos: Option<u8>,
    realms: Option<u32>,
    oif: Option<u32>,
    iif: Option<u32>,
    mark: Option<u32>,
    metric: Option<u32>,
    via: Option<Prefix>,
    preferred_source: Option<Prefix>,
    destination: Option<Selector>,
    source: Option<Selector>,
}

impl Filter {
    fn parse(session: &mut Session<'_>, words: &[String]) -> Outcome<Filter> {
        let mut filter = Filter { family: session.family, table: Some(TABLE_MAIN), ..Filter::default() };
        let (mut oif, mut iif) = (None, None);
        let mut arguments = Arguments::new(words);
        while let Some(word) = arguments.next() {
            match word {
                word if matches(word, "table") => {
                    let value = arguments.value(session.err)?;
                    filter.table = match value {
                        "cache" => {
                            filter.cached = true;
                            None
                        }
                        "all" => None,
                        value if matches(value, "help") => return Err(usage(session)),
                        value => match names::find_table(value) {
                            Some(table) => Some(table).filter(|table| *table != 0),
                            None => return Err(invalid_argument(session.err, "table id value is invalid\n", value)),
                        },
                    };
                }
                "vrf" => {
                    let value = arguments.value(session.err)?;
                    return Err(invalid_argument(session.err, "Invalid VRF\n", value));
                }
                word if matches(word, "cached") || matches(word, "cloned") => filter.cached = true,
                "tos" | "dsfield" => {
                    let value = arguments.value(session.err)?;
                    filter.tos = Some(
                        find_tos(value)
                            .ok_or_else(|| invalid_argument(session.err, "TOS value is invalid\n", value))?,
                    );
                }
                word if matches(word, "protocol") => {
                    let value = arguments.value(session.err)?;
                    filter.protocol = match value {
                        "all" => None,
                        value => match names::find_protocol(value) {
                            Some(protocol) => Some(protocol),
                            None => return Err(invalid_argument(session.err, "invalid \"protocol\"\n", value)),
                        },
                    };
                }
                word if matches(word, "scope") => {
                    let value = arguments.value(session.err)?;
                    filter.scope = match value {
                        "all" => None,
                        value => match names::find_scope(value) {
                            Some(scope) => Some(scope),
                            None => return Err(invalid_argument(session.err, "invalid \"scope\"\n", value)),
                        },
                    };
                }
                word if matches(word, "type") => {
                    let value = arguments.value(session.err)?;
                    filter.kind = match find_type(value) {
                        Some(kind) => Some(kind),
                        None => return Err(invalid_argument(session.err, "node type value is invalid\n", value)),
                    };
                }
                "dev" | "oif" => oif = Some(arguments.value(session.err)?),
                "iif" => iif = Some(arguments.value(session.err)?),
                "mark" => {
                    let value = arguments.value(session.err)?;
                    let mark = crate::rtnl::number(value).and_then(|mark| u32::try_from(mark).ok());
                    filter.mark = Some(mark.ok_or_else(|| invalid_argument(session.err, "invalid mark value", value))?);
                }
                "metric" | "priority" | "preference" => {
                    let value = arguments.value(session.err)?;
                    let metric = crate::rtnl::number(value).and_then(|metric| u32::try_from(metric).ok());
                    filter.metric = Some(
                        metric.ok_or_else(|| invalid_argument(session.err, "\"metric\" value is invalid\n", value))?,
                    );
                }
                "via" => {
                    let value = via_value(session, &mut arguments)?;
                    filter.via = Some(prefix(session.err, value, filter.family)?);
                }
                "src" => {
                    let value = arguments.value(session.err)?;
                    filter.preferred_source = Some(prefix(session.err, value, filter.family)?);
                }
                word if matches(word, "realms") => {
                    let value = arguments.value(session.err)?;
                    filter.realms = match find_realms(value) {
                        Some(realms) => Some(realms),
                        None => return Err(invalid_argument(session.err, "invalid realms\n", value)),
                    };
                }
                "from" => {
                    let word = arguments.value(session.err)?;
                    let selector = Selector::parse(session, word, &mut arguments, &mut filter.family)?;
                    filter.source = Some(selector);
                }
                word => {
                    let word = if word == "to" { arguments.value(session.err)? } else { word };
                    let selector = Selector::parse(session, word, &mut arguments, &mut filter.family)?;
                    filter.destination = Some(selector);
                }
            }
        }
        if filter.family == 0 && filter.table.is_some() {
            filter.family = libc::AF_INET as u8;
        }
        for (name, index) in [(oif, &mut filter.oif), (iif, &mut filter.iif)] {
            if let Some(name) = name {
                *index = Some(session.index(name)?);
            }
        }
        Ok(filter)
    }

    fn request(&self) -> Request {
        let mut header = [0; RTMSG];
        header[0] = self.family;
        header[5] = self.protocol.unwrap_or(0);
        if self.cached {
            header[8..12].copy_from_slice(&RTM_F_CLONED.to_ne_bytes());
        }
        let mut request = Request::new(libc::RTM_GETROUTE, 0);
        request.put(&header);
        if let Some(table) = self.table {
            request.u32(rta::TABLE, table);
        }
        if let Some(oif) = self.oif {
            request.u32(rta::OIF, oif);
        }
        request
    }

    fn passes(&self, route: &Route<'_>) -> bool {
        let table = &route.attributes;
        let within = |prefix: Option<Prefix>, kind: u16| {
            prefix.is_none_or(|prefix| route.address(kind).is_some_and(|address| prefix.contains(&address)))
        };
        let realms = |wanted: u32| {
            // One realm alone is the destination's.
            let mask = if wanted >> 16 == 0 { 0xffff } else { u32::MAX };
            table.u32(rta::FLOW).unwrap_or(0) & mask == wanted
        };
        (self.family == 0 || self.family == route.family)
            && self.cached == (route.flags & RTM_F_CLONED != 0)
            && self.table.is_none_or(|wanted| wanted == route.table)
            && self.protocol.is_none_or(|wanted| wanted == route.protocol)
            && self.scope.is_none_or(|wanted| wanted == route.scope)
            && self.kind.is_none_or(|wanted| wanted == route.kind)
            && self.tos.is_none_or(|wanted| wanted == route.tos)
            && self.realms.is_none_or(realms)
            && self.oif.is_none_or(|wanted| table.u32(rta::OIF) == Some(wanted))
            && self.iif.is_none_or(|wanted| table.u32(rta::IIF) == Some(wanted))
            && self.mark.is_none_or(|wanted| table.u32(rta::MARK).unwrap_or(0) == wanted)
            && self.metric.is_none_or(|wanted| table.u32(rta::PRIORITY).unwrap_or(0) == wanted)
            && within(self.via, rta::GATEWAY)
            && within(self.preferred_source, rta::PREFSRC)
            && self.destination.is_none_or(|to| to.passes(route.address(rta::DST), route.destination_bits))
            && self.source.is_none_or(|from| from.passes(route.address(rta::SRC), route.source_bits))
    }

    /// The main table comes to be with its first route; until then it is as good as empty.
    fn without_table(&self, dump: Result<Dump, Error>) -> Result<Dump, Error> {
        match dump {
            Err(error) if error.errno == libc::ENOENT && self.table == Some(TABLE_MAIN) => Ok(Dump::default()),
            dump => dump,
        }
    }

    fn known(&self) -> Known {
        let whole = |prefix: Option<Prefix>| prefix.is_some_and(|prefix| prefix.bits == prefix.address.bits());
        Known {
            table: self.table.is_some(),
            tos: self.tos.is_some(),
            gateway: whole(self.via),
            device: self.oif.is_some(),
            protocol: self.protocol.is_some(),
            scope: self.scope.is_some(),
            source: whole(self.preferred_source),
        }
    }
}

/// The prefix after `via`, before which a family may stand.
fn via_value<'w>(session: &mut Session<'_>, arguments: &mut Arguments<'w>) -> Outcome<&'w str> {
    match arguments.value(session.err)? {
        "inet" | "inet6" => arguments.value(session.err),
        value => Ok(value),
    }
}

fn usage(session: &mut Session<'_>) -> Failure {
    super::usage(session).err().unwrap_or(Failure::Exit(255))
}

/// A dump that fails ends these commands with exit status 2.
fn finish(session: &mut Session<'_>, dump: Result<Dump, Error>) -> Outcome {
    finish_dump(session.err, dump).map_err(|_| Failure::Command(2))
}

pub(super) fn list(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let filter = Filter::parse(session, words)?;
    let known = filter.known();
    let Session { netlink, links, out, format, .. } = session;
    let mut printer = Printer::new(*out, format);
    printer.open_document();
    let dump = netlink.dump(&mut filter.request(), |message| {
        if let Some(route) = Route::parse(&message).filter(|route| filter.passes(route)) {
            route.print(&mut printer, links, format, known);
        }
    });
    let dump = filter.without_table(dump);
    if dump.is_ok() {
        printer.close_document();
    }
    drop(printer);
    finish(session, dump)
}

/// Writes the messages themselves, for `ip route restore`, after a number that tells what follows.
pub(super) fn save(session: &mut Session<'_>, words: &[String]) -> Outcome {
    const MAGIC: u32 = 0x4531_1224;
    const NLM_F_MULTI: u16 = 2;
    if std::io::IsTerminal::is_terminal(&std::io::stdout()) {
        session.complain("Not sending a binary stream to stdout");
        return Err(Failure::Command(255));
    }
    let filter = Filter::parse(session, words)?;
    let mut bytes = MAGIC.to_ne_bytes().to_vec();
    let dump = session.netlink.dump(&mut filter.request(), |message| {
        if !Route::parse(&message).is_some_and(|route| filter.passes(&route)) {
            return;
        }
        bytes.extend_from_slice(&(message.payload.len() as u32 + 16).to_ne_bytes());
        bytes.extend_from_slice(&message.kind.to_ne_bytes());
        bytes.extend_from_slice(&(message.flags | NLM_F_MULTI).to_ne_bytes());
        bytes.extend_from_slice(&message.sequence.to_ne_bytes());
        bytes.extend_from_slice(&message.port.to_ne_bytes());
        bytes.extend_from_slice(message.payload);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    });
    let _ = session.out.write_all(&bytes);
    finish(session, filter.without_table(dump))
}

pub(super) fn flush(session: &mut Session<'_>, words: &[String]) -> Outcome {
    if words.is_empty() {
        session.complain("\"ip route flush\" requires arguments.");
        return Err(Failure::Command(1));
    }
    let filter = Filter::parse(session, words)?;
    let loud = session.format.statistics > 0;
    let version_6 = i32::from(session.family) == libc::AF_INET6;
    if filter.cached && !version_6 {
        flush_cache(session, loud);
        // Without a family a table means IPv4's.
        if i32::from(session.family) == libc::AF_INET || (session.family == 0 && filter.table.is_some()) {
            return Ok(());
        }
    }
    for round in 0..ROUNDS {
        let deleted = delete_all(session, &filter)?;
        if deleted == 0 {
            if loud && round == 0 && (!filter.cached || version_6) {
                let _ = writeln!(session.out, "Nothing to flush.");
            } else if loud && round > 0 {
                let rounds = if round > 1 { "s" } else { "" };
                let _ = writeln!(session.out, "*** Flush is complete after {round} round{rounds} ***");
            }
            return Ok(());
        }
        if loud {
            let _ = writeln!(session.out, "\n*** Round {}, deleting {deleted} entries ***", round + 1);
            let _ = session.out.flush();
        }
    }
    session.complain(&format!("*** Flush remains incomplete after {ROUNDS} rounds. ***"));
    Err(Failure::Command(1))
}

/// Forgets what IPv4 remembers of paths: redirects and path MTUs.
fn flush_cache(session: &mut Session<'_>, loud: bool) {
    const FILE: &str = "/proc/sys/net/ipv4/route/flush";
    match session.machine.write_file(&session.netns, FILE, b"-1") {
        Ok(()) if loud => {
            let _ = writeln!(session.out, "*** IPv4 routing cache is flushed.");
        }
        Ok(()) => {}
        Err(error) => {
            let text = crate::print::strerror(error.raw_os_error().unwrap_or(libc::EIO));
            session.complain(&format!("Cannot open \"{FILE}\": {text}"));
        }
    }
}

/// One round; how many routes were to be deleted.
fn delete_all(session: &mut Session<'_>, filter: &Filter) -> Outcome<usize> {
    let known = filter.known();
    let mut requests = Vec::new();
    let Session { netlink, links, out, err, format, .. } = session;
    let mut printer = Printer::new(*out, format);
    let dump = netlink.dump(&mut filter.request(), |message| {
        let Some(route) = Route::parse(&message).filter(|route| filter.passes(route)) else { return };
        let mut request = Request::new(libc::RTM_DELROUTE, 0);
        request.put(message.payload);
        requests.push(request);
        if format.statistics > 1 {
            route.print(&mut printer, links, format, known);
        }
    });
    drop(printer);
    if let Err(error) = dump {
        report(*err, &Error { stage: Stage::Request, ..error });
        let _ = writeln!(err, "Flush terminated");
        return Err(Failure::Command(2));
    }
    for request in &mut requests {
        // A route may have gone meanwhile; the next round tells.
        let _ = netlink.request(request);
    }
    Ok(requests.len())
}
