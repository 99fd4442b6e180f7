//! The filter language: words to an expression. `and` and `or` weigh the same and group from the left.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Direction, Filter, Prefix, Transport, Within};
use crate::tcpdump::services;

const SYNTAX: &str = "can't parse filter expression: syntax error";

/// The protocol that a primitive begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Ether,
    Ip,
    Ip6,
    Arp,
    Rarp,
    /// One inside IP: the number in IPv4 and in IPv6, where it is there.
    Inner {
        v4: Option<u8>,
        v6: Option<u8>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Host,
    Net,
    Port,
    PortRange,
    Proto,
}

/// What stands before an operand, and before those joined to it by `or`.
#[derive(Clone, Copy, Debug, Default)]
struct Qualifiers {
    protocol: Option<Protocol>,
    direction: Direction,
    kind: Option<Kind>,
}

struct Parser {
    words: Vec<String>,
    at: usize,
    /// VLAN tags that the words so far have asked for.
    tags: usize,
    last: Qualifiers,
}

/// The expression, or what tcpdump says against it.
pub(in crate::tcpdump) fn parse(text: &str) -> Result<Filter, String> {
    let words = words(text);
    if words.is_empty() {
        return Ok(Filter::Everything);
    }
    let mut parser = Parser { words, at: 0, tags: 0, last: Qualifiers::default() };
    let filter = parser.expression()?;
    if parser.at < parser.words.len() { Err(SYNTAX.to_owned()) } else { Ok(filter) }
}

fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut characters = text.chars().peekable();
    let mut end = |word: &mut String| {
        if !word.is_empty() {
            words.push(std::mem::take(word));
        }
    };
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' | '\n' => end(&mut word),
            '(' | ')' | '!' | '&' | '|' => {
                end(&mut word);
                word.push(character);
                if matches!(character, '&' | '|') && characters.peek() == Some(&character) {
                    characters.next();
                    word.push(character);
                }
                end(&mut word);
            }
            // A quoted keyword: `\icmp`.
            '\\' => {}
            _ => word.push(character),
        }
    }
    end(&mut word);
    words
}

fn both(left: Filter, right: Filter) -> Filter {
    Filter::And(Box::new(left), Box::new(right))
}

fn either(left: Filter, right: Filter) -> Filter {
    Filter::Or(Box::new(left), Box::new(right))
}

impl Parser {
    fn peek(&self) -> Option<&str> {
        self.words.get(self.at).map(String::as_str)
    }

    fn take(&mut self, wanted: &[&str]) -> bool {
        let found = self.peek().is_some_and(|word| wanted.contains(&word));
        self.at += usize::from(found);
        found
    }

    fn next(&mut self) -> Result<String, String> {
        let word = self.words.get(self.at).cloned().ok_or(SYNTAX)?;
        self.at += 1;
        Ok(word)
    }

    fn expression(&mut self) -> Result<Filter, String> {
        let mut filter = self.term()?;
        loop {
            if self.take(&["and", "&&"]) {
                filter = both(filter, self.term()?);
            } else if self.take(&["or", "||"]) {
                filter = either(filter, self.term()?);
            } else {
                return Ok(filter);
            }
        }
    }

    fn term(&mut self) -> Result<Filter, String> {
        if self.take(&["not", "!"]) {
            return Ok(Filter::Not(Box::new(self.term()?)));
        }
        if self.take(&["("]) {
            let filter = self.expression()?;
            return if self.take(&[")"]) { Ok(filter) } else { Err(SYNTAX.to_owned()) };
        }
        self.primitive()
    }

    fn primitive(&mut self) -> Result<Filter, String> {
        let first = self.peek().ok_or(SYNTAX)?.to_owned();
        if let Some(filter) = self.lone(&first)? {
            return Ok(filter);
        }
        let protocol = protocol(&first);
        self.at += usize::from(protocol.is_some());
        if let Some(Protocol::Ether | Protocol::Ip | Protocol::Ip6) = protocol
            && let Some(filter) = self.group_address(protocol)?
        {
            return Ok(filter);
        }
        let (direction, directed) = self.direction();
        let kind = self.kind();
        if let Some(protocol) = protocol
            && !directed
            && kind.is_none()
            && !self.at_operand()
        {
            return self.alone(protocol);
        }
        let qualified = protocol.is_some() || directed || kind.is_some();
        let qualifiers = if qualified { Qualifiers { protocol, direction, kind } } else { self.last };
        self.last = qualifiers;
        if !self.at_operand() {
            return Err(SYNTAX.to_owned());
        }
        let operand = self.next()?;
        // Before a name is looked up: can the expression go on as it does?
        if self.at_operand() && self.peek() != Some("mask") {
            return Err(SYNTAX.to_owned());
        }
        self.operand(qualifiers, &operand)
    }

    /// Primitives that consist of one word and perhaps a number.
    fn lone(&mut self, word: &str) -> Result<Option<Filter>, String> {
        let filter = match word {
            "stp" => Filter::Llc(0x42, self.tags),
            "broadcast" => Filter::EtherBroadcast,
            "multicast" => Filter::EtherMulticast,
            "vlan" => {
                self.at += 1;
                let number = self.peek().and_then(|word| word.parse::<u16>().ok());
                self.at += usize::from(number.is_some());
                if let Some(number) = number.filter(|&number| number > 4095) {
                    return Err(format!("VLAN tag {number} greater than maximum 4095"));
                }
                self.tags += 1;
                return Ok(Some(Filter::Vlan(number, self.tags - 1)));
            }
            "less" | "greater" => {
                self.at += 1;
                let length = self.next()?.parse().map_err(|_| SYNTAX)?;
                return Ok(Some(if word == "less" { Filter::Less(length) } else { Filter::Greater(length) }));
            }
            _ => return Ok(None),
        };
        self.at += 1;
        Ok(Some(filter))
    }

    fn group_address(&mut self, protocol: Option<Protocol>) -> Result<Option<Filter>, String> {
        let broadcast = self.peek() == Some("broadcast");
        if !broadcast && self.peek() != Some("multicast") {
            return Ok(None);
        }
        self.at += 1;
        match (protocol, broadcast) {
            (Some(Protocol::Ether), true) => Ok(Some(Filter::EtherBroadcast)),
            (Some(Protocol::Ether), false) => Ok(Some(Filter::EtherMulticast)),
            (Some(Protocol::Ip), false) => Ok(Some(Filter::IpMulticast(self.tags))),
            (Some(Protocol::Ip6), false) => Ok(Some(Filter::Ip6Multicast(self.tags))),
            (Some(Protocol::Ip), true) => Err("netmask not known, so 'ip broadcast' not supported".to_owned()),
            _ => Err("only link-layer/IP broadcast filters supported".to_owned()),
        }
    }

    fn direction(&mut self) -> (Direction, bool) {
        let Some(first) = self.peek().map(str::to_owned) else { return (Direction::Either, false) };
        if first != "src" && first != "dst" {
            return (Direction::Either, false);
        }
        self.at += 1;
        let joined = self.words.get(self.at).zip(self.words.get(self.at + 1));
        let other = if first == "src" { "dst" } else { "src" };
        let direction = match joined {
            Some((how, second)) if second == other && matches!(how.as_str(), "or" | "||") => Some(Direction::Either),
            Some((how, second)) if second == other && matches!(how.as_str(), "and" | "&&") => Some(Direction::Both),
            _ => None,
        };
        if let Some(direction) = direction {
            self.at += 2;
            return (direction, true);
        }
        (if first == "src" { Direction::Source } else { Direction::Destination }, true)
    }

    fn kind(&mut self) -> Option<Kind> {
        let kind = match self.peek()? {
            "host" => Kind::Host,
            "net" => Kind::Net,
            "port" => Kind::Port,
            "portrange" => Kind::PortRange,
            "proto" => Kind::Proto,
            _ => return None,
        };
        self.at += 1;
        Some(kind)
    }

    /// Whether something stands here that is neither the end nor a sign nor a conjunction.
    fn at_operand(&self) -> bool {
        self.peek()
            .is_some_and(|word| !matches!(word, "and" | "or" | "not" | "&&" | "||" | "!" | "(" | ")" | "&" | "|"))
    }

    /// A protocol by itself.
    fn alone(&self, protocol: Protocol) -> Result<Filter, String> {
        let tags = self.tags;
        Ok(match protocol {
            Protocol::Ether => return Err(SYNTAX.to_owned()),
            Protocol::Ip => Filter::EtherType(0x0800, tags),
            Protocol::Ip6 => Filter::EtherType(0x86dd, tags),
            Protocol::Arp => Filter::EtherType(0x0806, tags),
            Protocol::Rarp => Filter::EtherType(0x8035, tags),
            Protocol::Inner { v4: Some(v4), v6: Some(v6) } => either(Filter::Ip(v4, tags), Filter::Ip6(v6, tags)),
            Protocol::Inner { v4: Some(v4), v6: None } => Filter::Ip(v4, tags),
            Protocol::Inner { v4: None, v6 } => Filter::Ip6(v6.ok_or(SYNTAX)?, tags),
        })
    }

    fn operand(&mut self, qualifiers: Qualifiers, operand: &str) -> Result<Filter, String> {
        match (qualifiers.protocol, qualifiers.kind.unwrap_or(Kind::Host)) {
            (protocol, Kind::Proto) => self.proto(protocol, operand),
            (Some(Protocol::Ether), Kind::Host) => ether(qualifiers.direction, operand),
            (protocol, Kind::Host | Kind::Net) => self.net(protocol, qualifiers, operand),
            (protocol, kind) => self.port(protocol, qualifiers.direction, kind, operand),
        }
    }

    fn proto(&self, protocol: Option<Protocol>, operand: &str) -> Result<Filter, String> {
        let tags = self.tags;
        let number = number(operand);
        match protocol {
            Some(Protocol::Ether) => {
                let named = match operand {
                    "ip" => Some(0x0800),
                    "ip6" => Some(0x86dd),
                    "arp" => Some(0x0806),
                    "rarp" => Some(0x8035),
                    "stp" => return Ok(Filter::Llc(0x42, tags)),
                    _ => None,
                };
                let kind = named.or(number).ok_or_else(|| format!("unknown ether proto '{operand}'"))?;
                // Below the Ethernet types stand 802.2's service access points.
                if kind <= 1500 {
                    return Ok(Filter::Llc(kind as u8, tags));
                }
                u16::try_from(kind).map(|kind| Filter::EtherType(kind, tags)).map_err(|_| SYNTAX.to_owned())
            }
            None | Some(Protocol::Ip | Protocol::Ip6) => {
                let number = services::protocol(operand).or(number.and_then(|number| u8::try_from(number).ok()));
                let number = number.ok_or_else(|| format!("unknown ip proto '{operand}'"))?;
                Ok(match protocol {
                    Some(Protocol::Ip) => Filter::Ip(number, tags),
                    Some(Protocol::Ip6) => Filter::Ip6(number, tags),
                    _ => either(Filter::Ip(number, tags), Filter::Ip6(number, tags)),
                })
            }
            Some(_) => Err("'proto' modifier applied to a protocol".to_owned()),
        }
    }

    fn net(&mut self, protocol: Option<Protocol>, qualifiers: Qualifiers, operand: &str) -> Result<Filter, String> {
        let (within, name) = match protocol {
            None => (Within::Any, ""),
            Some(Protocol::Ip) => (Within::Ip, "ip"),
            Some(Protocol::Ip6) => (Within::Ip6, "ip6"),
            Some(Protocol::Arp) => (Within::Arp, "arp"),
            Some(Protocol::Rarp) => (Within::Rarp, "rarp"),
            Some(Protocol::Inner { .. } | Protocol::Ether) => return Err("'tcp' modifier applied to host".to_owned()),
        };
        let prefixes = if qualifiers.kind == Some(Kind::Net) {
            let mask = if self.take(&["mask"]) { Some(self.next()?) } else { None };
            vec![prefix(operand, mask.as_deref())?]
        } else {
            addresses(operand)?
        };
        let mut filter = None;
        for prefix in prefixes {
            let fits = matches!(
                (within, prefix.address),
                (Within::Any, _)
                    | (Within::Ip6, IpAddr::V6(_))
                    | (Within::Ip | Within::Arp | Within::Rarp, IpAddr::V4(_))
            );
            if !fits {
                let family = if prefix.address.is_ipv4() { "ip" } else { "ip6" };
                return Err(format!("'{name}' modifier applied to {family} host"));
            }
            let one = Filter::Net { within, direction: qualifiers.direction, prefix, tags: self.tags };
            filter = Some(match filter {
                None => one,
                Some(filter) => either(filter, one),
            });
        }
        filter.ok_or_else(|| format!("unknown host '{operand}'"))
    }

    fn port(
        &self,
        protocol: Option<Protocol>,
        direction: Direction,
        kind: Kind,
        operand: &str,
    ) -> Result<Filter, String> {
        let transport = match protocol {
            None => Transport::Any,
            Some(Protocol::Inner { v4: Some(number @ (6 | 17 | 132)), .. }) => Transport::Protocol(number),
            Some(_) => return Err("illegal qualifier of 'port'".to_owned()),
        };
        let number = |word: &str| match number(word) {
            Some(number) => u16::try_from(number).map_err(|_| format!("illegal port number {number} > 65535")),
            None => services::port(word).ok_or_else(|| format!("unknown port '{word}'")),
        };
        let (from, to) = match operand.split_once('-') {
            Some((from, to)) if kind == Kind::PortRange => (number(from)?, number(to)?),
            _ => (number(operand)?, number(operand)?),
        };
        Ok(Filter::Port { transport, direction, from: from.min(to), to: to.max(from), tags: self.tags })
    }
}

fn protocol(word: &str) -> Option<Protocol> {
    let inner = |v4, v6| Some(Protocol::Inner { v4, v6 });
    match word {
        "ether" | "link" => Some(Protocol::Ether),
        "ip" => Some(Protocol::Ip),
        "ip6" => Some(Protocol::Ip6),
        "arp" => Some(Protocol::Arp),
        "rarp" => Some(Protocol::Rarp),
        "icmp" => inner(Some(1), None),
        "igmp" => inner(Some(2), None),
        "icmp6" => inner(None, Some(58)),
        _ => {
            let number = match word {
                "tcp" => 6,
                "udp" => 17,
                "sctp" => 132,
                "ah" => 51,
                "esp" => 50,
                "pim" => 103,
                _ => return None,
            };
            inner(Some(number), Some(number))
        }
    }
}

fn number(word: &str) -> Option<u32> {
    match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    }
}

fn ether(direction: Direction, operand: &str) -> Result<Filter, String> {
    let bogus = || format!("bogus ethernet address {operand}");
    let separators: &[char] = &[':', '-', '.'];
    let bytes: Vec<u8> = operand
        .split(separators)
        .map(|digits| u8::from_str_radix(digits, 16).map_err(|_| bogus()))
        .collect::<Result<_, _>>()?;
    let address = bytes.try_into().map_err(|_| bogus())?;
    Ok(Filter::Ether { direction, address })
}

/// An IPv4 address of fewer than four parts, and how many bits the parts are.
fn dotted(text: &str) -> Option<(Ipv4Addr, u8)> {
    let mut octets = [0; 4];
    let parts: Vec<&str> = text.split('.').collect();
    if parts.len() > 4 {
        return None;
    }
    for (octet, part) in octets.iter_mut().zip(&parts) {
        *octet = part.parse().ok()?;
    }
    Some((octets.into(), 8 * parts.len() as u8))
}

fn prefix(operand: &str, mask: Option<&str>) -> Result<Prefix, String> {
    let unknown = || format!("unknown network '{operand}'");
    let (address, length) = match operand.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u8>().map_err(|_| SYNTAX)?)),
        None => (operand, None),
    };
    let (address, bits) = match address.parse::<Ipv6Addr>() {
        Ok(address) => (IpAddr::V6(address), length.unwrap_or(128)),
        Err(_) => {
            let (address, parts) = dotted(address).ok_or_else(unknown)?;
            let masked = match mask {
                Some(mask) => Some(u32::from(mask.parse::<Ipv4Addr>().map_err(|_| SYNTAX)?).count_ones() as u8),
                None => None,
            };
            (IpAddr::V4(address), length.or(masked).unwrap_or(parts))
        }
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    if bits > most {
        return Err(format!("mask length must be <= {most}"));
    }
    let beyond = match address {
        IpAddr::V4(address) => u32::from(address).checked_shl(bits.into()).unwrap_or(0) != 0,
        IpAddr::V6(address) => u128::from(address).checked_shl(bits.into()).unwrap_or(0) != 0,
    };
    if beyond {
        return Err(format!("non-network bits set in \"{operand}\""));
    }
    Ok(Prefix { address, bits })
}

/// The addresses of a host: itself, or what the resolver knows of its name.
fn addresses(operand: &str) -> Result<Vec<Prefix>, String> {
    let whole = |address: IpAddr| Prefix { address, bits: if address.is_ipv4() { 32 } else { 128 } };
    if let Ok(address) = operand.parse() {
        return Ok(vec![whole(address)]);
    }
    if let Some((address, bits)) = dotted(operand) {
        return Ok(vec![Prefix { address: address.into(), bits }]);
    }
    let found = std::net::ToSocketAddrs::to_socket_addrs(&(operand, 0));
    let found: Vec<Prefix> = found.into_iter().flatten().map(|address: SocketAddr| whole(address.ip())).collect();
    if found.is_empty() { Err(format!("unknown host '{operand}'")) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::{Filter, parse};
    use crate::tcpdump::frame::{Frame, Link};

    /// An ARP request of 10.1.0.1 for 10.1.0.2, and an echo request, UDP from port 1000 to 5000, a BPDU.
    fn frames() -> [Frame; 4] {
        let head = [&[0xffu8; 6][..], &[2, 0, 0, 0, 0, 0x0a]].concat();
        let arp = [&head[..], &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 10, 10, 1, 0, 1], &[0; 6], &[10, 1, 0, 2]];
        let ip = |protocol| {
            [&head[..], &[8, 0, 0x45, 0, 0, 28, 0, 1, 0, 0, 64, protocol, 0, 0, 10, 1, 0, 1, 10, 1, 0, 2]].concat()
        };
        let icmp = [&ip(1)[..], &[8, 0, 0, 0, 0, 1, 0, 1]].concat();
        let udp = [&ip(17)[..], &[0x03, 0xe8, 0x13, 0x88, 0, 8, 0, 0]].concat();
        let stp = [&head[..], &[0, 38, 0x42, 0x42, 3], &[0; 35]].concat();
        [arp.concat(), icmp, udp, stp].map(|data| Frame {
            length: data.len(),
            data,
            link: Link::Ethernet,
            ..Frame::default()
        })
    }

    fn matching(text: &str) -> String {
        let filter = parse(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        frames().iter().map(|frame| if filter.matches(frame) { '1' } else { '0' }).collect()
    }

    #[test]
    fn what_people_type() {
        for (text, wanted) in [
            ("", "1111"),
            ("arp", "1000"),
            ("icmp or arp", "1100"),
            ("not icmp", "1011"),
            ("! (icmp or arp) and ip", "0010"),
            ("udp", "0010"),
            ("port 5000", "0010"),
            ("udp src port 5000", "0000"),
            ("udp dst port 5000 or icmp", "0110"),
            ("tcp port 5000", "0000"),
            ("portrange 900-1000", "0010"),
            ("host 10.1.0.2", "1110"),
            ("src host 10.1.0.2", "0000"),
            ("src 10.1.0.1", "1110"),
            ("host 10.1.0.9 or 10.1.0.1", "1110"),
            ("arp host 10.1.0.2", "1000"),
            ("net 10.1", "1110"),
            ("net 10.1.0.0/24", "1110"),
            ("dst net 10.2.0.0 mask 255.255.0.0", "0000"),
            ("ether host 02:00:00:00:00:0a", "1111"),
            ("ether dst 02:00:00:00:00:0a", "0000"),
            ("ether proto 0x0806", "1000"),
            ("ether proto \\ip", "0110"),
            ("ip proto 1", "0100"),
            ("broadcast", "1111"),
            ("ether multicast and ip", "0110"),
            ("ip multicast", "0000"),
            ("stp", "0001"),
            ("vlan", "0000"),
            ("ip6 or icmp6", "0000"),
            ("greater 43", "0001"),
            ("icmp && src 10.1.0.1", "0100"),
        ] {
            assert_eq!(matching(text), wanted, "{text}");
        }
    }

    #[test]
    fn or_and_and_group_from_the_left() {
        assert_eq!(matching("icmp or arp and udp"), "0000");
        assert_eq!(matching("icmp or (arp and udp)"), "0100");
    }

    #[test]
    fn what_it_says_against_others() {
        for (text, why) in [
            ("foo bar", "can't parse filter expression: syntax error"),
            ("host", "can't parse filter expression: syntax error"),
            ("(", "can't parse filter expression: syntax error"),
            ("arp and", "can't parse filter expression: syntax error"),
            ("port 70000", "illegal port number 70000 > 65535"),
            ("net 10.1.0.1/24", "non-network bits set in \"10.1.0.1/24\""),
            ("ip6 host 10.1.0.1", "'ip6' modifier applied to ip host"),
        ] {
            assert_eq!(parse(text).as_ref().map(|_| ()), Err(&why.to_owned()), "{text}");
        }
    }

    #[test]
    fn short_frames_match_nothing_and_break_nothing() {
        for frame in frames() {
            for text in ["icmp", "port 53", "host 10.1.0.1", "vlan 5 and arp", "stp", "icmp6", "ip6 multicast"] {
                let filter = parse(text).unwrap();
                for length in 0..frame.data.len() {
                    let cut = Frame { data: frame.data[..length].to_vec(), ..frame.clone() };
                    filter.matches(&cut);
                }
            }
        }
        assert!(matches!(parse("vlan 10 and arp"), Ok(Filter::And(..))));
    }
}
