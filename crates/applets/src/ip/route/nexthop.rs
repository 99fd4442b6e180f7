//! Next hops: of a route with several, and the gateway of one.

use netloom_machine::netlink::{Attributes, Request};

use super::show::{print_flags, print_realms};
use super::{find_realms, rta};
use crate::print::{Colour, Printer};
use crate::rtnl::address::{Address, address};
use crate::rtnl::{Arguments, Failure, Links, Outcome, Session, invalid_argument, matches};

/// The length of `struct rtnexthop`.
const RTNEXTHOP: usize = 8;
pub(super) const ONLINK: u32 = 4;

/// Prints `via ADDRESS`; with the family where it isn't the route's.
pub(super) fn print_gateway(printer: &mut Printer<'_>, family: u8, gateway: Option<&[u8]>, via: Option<&[u8]>) {
    if let Some(gateway) = gateway.and_then(|bytes| Address::new(family, bytes)) {
        let text = gateway.to_string();
        printer.text(format_args!("via "));
        printer.coloured(Colour::of_family(family), "gateway", &text, format_args!("{text} "));
    }
    // `struct rtvia`: the family, then the address.
    let Some((family, bytes)) = via.and_then(|via| via.split_first_chunk::<2>()) else { return };
    let family = u16::from_ne_bytes(*family) as u8;
    let Some(address) = Address::new(family, bytes) else { return };
    let text = address.to_string();
    let name = family_name(family);
    printer.open_object("via");
    printer.field("family", name, format_args!("via {name} "));
    printer.coloured(Colour::of_family(family), "host", &text, format_args!("{text} "));
    printer.close_object();
}

fn family_name(family: u8) -> &'static str {
    match i32::from(family) {
        libc::AF_INET => "inet",
        libc::AF_INET6 => "inet6",
        libc::AF_MPLS => "mpls",
        _ => "???",
    }
}

/// Prints every next hop, a line each.
pub(super) fn print_all(printer: &mut Printer<'_>, links: &mut Links<'_>, family: u8, mut hops: &[u8]) {
    printer.open_array("nexthops");
    while let Some(header) = hops.first_chunk::<RTNEXTHOP>() {
        let length = usize::from(u16::from_ne_bytes([header[0], header[1]]));
        let Some(attributes) = hops.get(RTNEXTHOP..length) else { break };
        let table = Attributes::new(attributes).table::<32>();
        printer.open_object(None);
        printer.line_break();
        printer.text(format_args!("\tnexthop "));
        print_gateway(printer, family, table.bytes(rta::GATEWAY), table.bytes(rta::VIA));
        let name = links.name(u32::from_ne_bytes([header[4], header[5], header[6], header[7]]));
        printer.field("dev", &name, format_args!("dev {name} "));
        if let Some(flow) = table.u32(rta::FLOW) {
            print_realms(printer, flow);
        }
        let weight = u32::from(header[3]) + 1;
        printer.field("weight", weight, format_args!("weight {weight} "));
        print_flags(printer, header[2].into());
        printer.close_object();
        hops = hops.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    printer.close_array();
}

/// Reads the address after `via`, before which a family may stand. Gives the route its family where it has none yet.
pub(super) fn parse_via(session: &mut Session<'_>, arguments: &mut Arguments<'_>, family: &mut u8) -> Outcome<Address> {
    let mut text = arguments.value(session.err)?;
    let mut expected = *family;
    let given = match text {
        "inet" => Some(libc::AF_INET),
        "inet6" => Some(libc::AF_INET6),
        _ => None,
    };
    if let Some(given) = given {
        expected = given as u8;
        text = arguments.value(session.err)?;
    }
    let address = address(session.err, text, expected)?;
    if *family == 0 {
        *family = address.family;
    }
    Ok(address)
}

/// Adds a gateway to a request or to a next hop in it.
pub(super) fn put_gateway(request: &mut Request, family: u8, gateway: &Address) {
    if gateway.family == family || gateway.family == 0 {
        request.attribute(rta::GATEWAY, gateway.bytes());
    } else {
        let mut via = u16::from(gateway.family).to_ne_bytes().to_vec();
        via.extend_from_slice(gateway.bytes());
        request.attribute(rta::VIA, &via);
    }
}

/// One of several next hops.
#[derive(Clone, Debug, Default)]
pub(super) struct Nexthop {
    gateway: Option<Address>,
    device: u32,
    weight: u8,
    flags: u8,
    realms: Option<u32>,
}

/// Reads `nexthop …` as often as it stands there; the first `nexthop` has been read.
pub(super) fn parse_all(
    session: &mut Session<'_>,
    arguments: &mut Arguments<'_>,
    family: &mut u8,
) -> Outcome<Vec<Nexthop>> {
    let mut hops = vec![Nexthop::default()];
    if arguments.is_empty() {
        session.complain("Error: unexpected end of line after \"nexthop\"");
        return Err(Failure::Exit(255));
    }
    while let Some(word) = arguments.next() {
        let mut hop = hops.pop().unwrap_or_default();
        match word {
            "via" => hop.gateway = Some(parse_via(session, arguments, family)?),
            "dev" => {
                let name = arguments.value(session.err)?;
                hop.device = session.index(name)?;
            }
            "weight" => {
                let value = arguments.value(session.err)?;
                let weight = crate::rtnl::number(value).filter(|weight| (1..=256).contains(weight));
                let Some(weight) = weight else {
                    return Err(invalid_argument(session.err, "\"weight\" is invalid\n", value));
                };
                hop.weight = (weight - 1) as u8;
            }
            "onlink" => hop.flags |= ONLINK as u8,
            word if matches(word, "realms") => {
                let value = arguments.value(session.err)?;
                let realms = find_realms(value);
                hop.realms =
                    Some(realms.ok_or_else(|| invalid_argument(session.err, "\"realm\" value is invalid\n", value))?);
            }
            "nexthop" => {
                hops.push(hop);
                hop = Nexthop::default();
                if arguments.is_empty() {
                    session.complain("Error: unexpected end of line after \"nexthop\"");
                    return Err(Failure::Exit(255));
                }
            }
            word => {
                let text = format!("Error: \"nexthop\" or end of line is expected instead of \"{word}\"");
                session.complain(&text);
                return Err(Failure::Exit(255));
            }
        }
        hops.push(hop);
    }
    Ok(hops)
}

/// Adds next hops to a request.
pub(super) fn put_all(request: &mut Request, family: u8, hops: &[Nexthop]) {
    let nest = request.begin(rta::MULTIPATH);
    for hop in hops {
        let start = request.body().len();
        let mut header = [0; RTNEXTHOP];
        header[2] = hop.flags;
        header[3] = hop.weight;
        header[4..8].copy_from_slice(&hop.device.to_ne_bytes());
        request.put(&header);
        if let Some(gateway) = &hop.gateway {
            put_gateway(request, family, gateway);
        }
        if let Some(realms) = hop.realms {
            request.u32(rta::FLOW, realms);
        }
        let length = (request.body().len() - start) as u16;
        request.patch(start, &length.to_ne_bytes());
    }
    request.end(nest);
}
