//! The options that `ip link add`, `ip link set` and a veth's `peer` share, read into a request.

use netloom_machine::netlink::Request;
use netloom_machine::{Netns, NetnsHandle};

use super::print::{ADDRESS_GENERATION, IFLA_LINK_NETNSID};
use super::{group_number, header};
use crate::rtnl::{
    Arguments, Failure, Outcome, Session, duplicate, duplicate_or_garbage, invalid_argument, matches, number,
    signed_number,
};

const IFLA_PROTO_DOWN: u16 = 39;
const IFLA_GSO_MAX_SEGS: u16 = 40;
const IFLA_GSO_MAX_SIZE: u16 = 41;
const IFLA_PROTO_DOWN_REASON: u16 = 55;
const IFLA_PARENT_DEV_NAME: u16 = 56;
const IFLA_GRO_MAX_SIZE: u16 = 58;
const IFLA_INET6_ADDR_GEN_MODE: u16 = 8;

/// What the options said besides what went into the request.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// The device that is named without a keyword, or after `dev`.
    pub(super) device: Option<String>,
    /// After `name`.
    pub(super) name: Option<String>,
    /// After `link`.
    pub(super) link: Option<String>,
    /// After `type`; the words after it are left to be read.
    pub(super) kind: Option<String>,
    /// After `index`.
    pub(super) index: u32,
    /// After `group`.
    pub(super) group: Option<u32>,
    /// `IFF_*` to be as in `flags`.
    pub(super) change: u32,
    /// The bits of `change` that are to be set.
    pub(super) flags: u32,
    /// The length of an address to be set.
    pub(super) address_length: Option<usize>,
    /// Whether the device goes to a process's namespace.
    pub(super) moves: bool,
    /// The namespaces that the request names stay open until it is sent.
    pub(super) handles: Vec<NetnsHandle>,
}

/// Reads options until the line ends or a type was named.
pub(super) fn options(
    session: &mut Session<'_>,
    arguments: &mut Arguments<'_>,
    request: &mut Request,
    parsed: &mut Parsed,
) -> Outcome {
    let mut seen = Vec::new();
    while let Some(word) = arguments.next() {
        let is = |keyword| word == keyword;
        let like = |keyword| matches(word, keyword);
        // Each is one value at most.
        let mut once = |session: &mut Session<'_>, key: &'static str, value: &str| {
            if seen.contains(&key) {
                return Err(duplicate(session.err, key, value));
            }
            seen.push(key);
            Ok(())
        };
        match () {
            () if is("up") => (parsed.change, parsed.flags) = (parsed.change | UP, parsed.flags | UP),
            () if is("down") => (parsed.change, parsed.flags) = (parsed.change | UP, parsed.flags & !UP),
            () if is("name") => {
                let value = arguments.value(session.err)?;
                once(session, "name", value)?;
                if !is_name(value) {
                    return Err(invalid_argument(session.err, "\"name\" not a valid ifname", value));
                }
                parsed.name = Some(value.to_owned());
                if parsed.device.is_none() {
                    parsed.device = Some(value.to_owned());
                }
            }
            () if is("index") => {
                let value = arguments.value(session.err)?;
                once(session, "index", value)?;
                let index = number(value).and_then(|index| i32::try_from(index).ok()).filter(|&index| index > 0);
                parsed.index =
                    index.ok_or_else(|| invalid_argument(session.err, "Invalid \"index\" value", value))? as u32;
            }
            () if like("link") => parsed.link = Some(arguments.value(session.err)?.to_owned()),
            () if like("address") => {
                let value = arguments.value(session.err)?;
                let bytes = address(session, value)?;
                parsed.address_length = Some(bytes.len());
                request.attribute(libc::IFLA_ADDRESS, &bytes);
            }
            () if like("broadcast") || like("brd") => {
                let value = arguments.value(session.err)?;
                let bytes = address(session, value)?;
                parsed.address_length = Some(bytes.len());
                request.attribute(libc::IFLA_BROADCAST, &bytes);
            }
            () if like("txqueuelen") || is("qlen") || like("txqlen") => {
                let value = arguments.value(session.err)?;
                once(session, "txqueuelen", value)?;
                let length = integer(session, "txqueuelen", value)?;
                request.u32(libc::IFLA_TXQLEN, length);
            }
            () if is("mtu") => {
                let value = arguments.value(session.err)?;
                once(session, "mtu", value)?;
                let mtu = integer(session, "mtu", value)?;
                request.u32(libc::IFLA_MTU, mtu);
            }
            () if is("netns") => {
                let value = arguments.value(session.err)?;
                once(session, "netns", value)?;
                netns(session, value, request, parsed)?;
            }
            () if is("multicast") => flag(session, word, arguments, parsed, libc::IFF_MULTICAST, false)?,
            () if is("allmulticast") => flag(session, word, arguments, parsed, libc::IFF_ALLMULTI, false)?,
            () if is("promisc") => flag(session, word, arguments, parsed, libc::IFF_PROMISC, false)?,
            () if is("trailers") => flag(session, word, arguments, parsed, libc::IFF_NOTRAILERS, true)?,
            () if is("arp") => flag(session, word, arguments, parsed, libc::IFF_NOARP, true)?,
            () if is("carrier") => {
                let on = on_off(session, word, arguments)?;
                request.u8(libc::IFLA_CARRIER, on.into());
            }
            () if like("dynamic") => flag(session, "dynamic", arguments, parsed, libc::IFF_DYNAMIC, false)?,
            () if like("master") => {
                let value = arguments.value(session.err)?;
                let master = device(session, value)?;
                request.u32(libc::IFLA_MASTER, master);
            }
            () if is("vrf") => {
                let value = arguments.value(session.err)?;
                return Err(invalid_argument(session.err, "Not a valid VRF name\n", value));
            }
            () if like("nomaster") => drop(request.u32(libc::IFLA_MASTER, 0)),
            () if like("type") => {
                let value = arguments.value(session.err)?;
                if parsed.kind.is_some() {
                    return Err(duplicate(session.err, "type", value));
                }
                parsed.kind = Some(value.to_owned());
                return Ok(());
            }
            () if like("alias") => {
                let value = arguments.value(session.err)?;
                request.attribute(libc::IFLA_IFALIAS, value.as_bytes());
            }
            () if is("group") => {
                let value = arguments.value(session.err)?;
                let group = group_number(value)
                    .ok_or_else(|| invalid_argument(session.err, "Invalid \"group\" value\n", value))?;
                if parsed.group.replace(group).is_some() {
                    return Err(duplicate(session.err, "group", value));
                }
                request.u32(libc::IFLA_GROUP, group);
            }
            () if is("mode") => {
                let value = arguments.value(session.err)?;
                let mode = ["default", "dormant"].iter().position(|mode| mode.eq_ignore_ascii_case(value));
                let mode = mode.ok_or_else(|| invalid_argument(session.err, "Invalid link mode\n", value))?;
                request.u8(libc::IFLA_LINKMODE, mode as u8);
            }
            () if is("state") => {
                const STATES: [&str; 7] =
                    ["unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"];
                let value = arguments.value(session.err)?;
                let state = STATES.iter().position(|state| state.eq_ignore_ascii_case(value));
                let state = state.ok_or_else(|| invalid_argument(session.err, "Invalid operstate\n", value))?;
                request.u8(libc::IFLA_OPERSTATE, state as u8);
            }
            () if is("numtxqueues") => {
                let value = arguments.value(session.err)?;
                once(session, "numtxqueues", value)?;
                let queues = number_of(session, "numtxqueues", value, u32::MAX.into())?;
                request.u32(libc::IFLA_NUM_TX_QUEUES, queues);
            }
            () if is("numrxqueues") => {
                let value = arguments.value(session.err)?;
                once(session, "numrxqueues", value)?;
                let queues = number_of(session, "numrxqueues", value, u32::MAX.into())?;
                request.u32(libc::IFLA_NUM_RX_QUEUES, queues);
            }
            () if like("addrgenmode") => {
                let value = arguments.value(session.err)?;
                let mode = ADDRESS_GENERATION.iter().position(|mode| *mode == value);
                let mode =
                    mode.ok_or_else(|| invalid_argument(session.err, "Invalid address generation mode\n", value))?;
                let outer = request.begin(libc::IFLA_AF_SPEC);
                let inner = request.begin(libc::AF_INET6 as u16);
                request.u8(IFLA_INET6_ADDR_GEN_MODE, mode as u8).end(inner).end(outer);
            }
            () if like("link-netns") => {
                let value = arguments.value(session.err)?;
                once(session, "link-netns", value)?;
                let handle = session.machine.netns_handle(&Netns::parse(value)).ok();
                let id = handle.and_then(|handle| {
                    crate::rtnl::nsids::nsid(&mut session.netlink, &handle).ok().map(|id| id.unwrap_or(-1))
                });
                let id = id.ok_or_else(|| invalid_argument(session.err, "Invalid \"link-netns\" value\n", value))?;
                request.u32(IFLA_LINK_NETNSID, id as u32);
            }
            () if like("link-netnsid") => {
                let value = arguments.value(session.err)?;
                once(session, "link-netns", value)?;
                let id = integer(session, "link-netnsid", value)?;
                request.u32(IFLA_LINK_NETNSID, id);
            }
            () if is("protodown") => {
                let on = on_off(session, word, arguments)?;
                request.u8(IFLA_PROTO_DOWN, on.into());
            }
            () if is("protodown_reason") => {
                let value = arguments.value(session.err)?;
                let bit = number(value).filter(|&bit| bit < 32);
                let bit = bit.ok_or_else(|| invalid_argument(session.err, "invalid protodown reason\n", value))?;
                let on = on_off(session, word, arguments)?;
                let nest = request.begin(IFLA_PROTO_DOWN_REASON | NLA_F_NESTED);
                let mask = 1u32 << bit;
                request.u32(1, mask).u32(2, if on { mask } else { 0 }).end(nest);
            }
            () if is("gso_max_size") => {
                let value = arguments.value(session.err)?;
                let value = number_of(session, word, value, u32::MAX.into())?;
                request.u32(IFLA_GSO_MAX_SIZE, value);
            }
            () if is("gso_max_segs") => {
                let value = arguments.value(session.err)?;
                let value = number_of(session, word, value, u32::MAX.into())?;
                request.u32(IFLA_GSO_MAX_SEGS, value);
            }
            () if is("gro_max_size") => {
                let value = arguments.value(session.err)?;
                let value = number_of(session, word, value, u32::MAX.into())?;
                request.u32(IFLA_GRO_MAX_SIZE, value);
            }
            () if is("parentdev") => {
                let value = arguments.value(session.err)?;
                request.string(IFLA_PARENT_DEV_NAME, value);
            }
            () if like("help") => return super::usage(session),
            () => {
                let value = if is("dev") { arguments.value(session.err)? } else { word };
                if parsed.device.is_some() {
                    return Err(duplicate_or_garbage(session.err, "dev", value));
                }
                if !is_alternative_name(value) {
                    return Err(invalid_argument(session.err, "\"dev\" not a valid ifname", value));
                }
                parsed.device = Some(value.to_owned());
            }
        }
    }
    Ok(())
}

const UP: u32 = libc::IFF_UP as u32;
const NLA_F_NESTED: u16 = 0x8000;

/// Sets or clears a flag of the device; `inverted` where "on" clears it.
fn flag(
    session: &mut Session<'_>,
    name: &str,
    arguments: &mut Arguments<'_>,
    parsed: &mut Parsed,
    bit: libc::c_int,
    inverted: bool,
) -> Outcome {
    let value = arguments.value(session.err)?;
    let on = match value {
        "on" => !inverted,
        "off" => inverted,
        _ => {
            let text = format!("Error: argument of \"{name}\" must be \"on\" or \"off\", not \"{value}\"");
            session.complain(&text);
            return Err(Failure::Command(1));
        }
    };
    let bit = bit as u32;
    parsed.change |= bit;
    parsed.flags = if on { parsed.flags | bit } else { parsed.flags & !bit };
    Ok(())
}

/// The value on or off.
pub(super) fn on_off(session: &mut Session<'_>, name: &str, arguments: &mut Arguments<'_>) -> Outcome<bool> {
    let value = arguments.value(session.err)?;
    match value {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => {
            let text = format!("Error: argument of \"{name}\" must be one of \"off\", \"on\", not \"{value}\"");
            session.complain(&text);
            Err(Failure::Command(1))
        }
    }
}

fn number_of(session: &mut Session<'_>, name: &str, value: &str, most: u64) -> Outcome<u32> {
    match number(value).filter(|&number| number <= most) {
        Some(number) => Ok(number as u32),
        None => Err(invalid_argument(session.err, &format!("Invalid \"{name}\" value\n"), value)),
    }
}

/// A number that may be negative, as the kernel is given it.
fn integer(session: &mut Session<'_>, name: &str, value: &str) -> Outcome<u32> {
    match signed_number(value).and_then(|number| i32::try_from(number).ok()) {
        Some(number) => Ok(number as u32),
        None => Err(invalid_argument(session.err, &format!("Invalid \"{name}\" value\n"), value)),
    }
}

/// The index of a device that an option names.
fn device(session: &mut Session<'_>, name: &str) -> Outcome<u32> {
    match session.links.index(name) {
        Some(index) => Ok(index),
        None => Err(invalid_argument(session.err, "Device does not exist\n", name)),
    }
}

/// A namespace by its name, or by the number of a process in it.
fn netns(session: &mut Session<'_>, value: &str, request: &mut Request, parsed: &mut Parsed) -> Outcome {
    if let Ok(handle) = session.machine.netns_handle(&Netns::parse(value)) {
        request.u32(libc::IFLA_NET_NS_FD, handle.number());
        parsed.handles.push(handle);
        return Ok(());
    }
    match number(value).and_then(|pid| u32::try_from(pid).ok()) {
        Some(pid) => {
            request.u32(libc::IFLA_NET_NS_PID, pid);
            parsed.moves = true;
            Ok(())
        }
        None => Err(invalid_argument(session.err, "Invalid \"netns\" value\n", value)),
    }
}

/// Whether a device may be called so, as far as iproute2 looks: the kernel refuses more.
pub(super) fn is_name(name: &str) -> bool {
    name.len() < 16 && is_alternative_name(name)
}

/// Whether a device may have that as an alternative name.
pub(super) fn is_alternative_name(name: &str) -> bool {
    !name.is_empty() && name.len() < 128 && !name.contains(|c: char| c == '/' || c.is_ascii_whitespace())
}

/// A link-layer address: hexadecimal bytes between colons, or an IPv4 address. Complains where it is none.
pub(super) fn address(session: &mut Session<'_>, text: &str) -> Outcome<Vec<u8>> {
    if text.contains('.') {
        return match text.parse::<std::net::Ipv4Addr>() {
            Ok(address) => Ok(address.octets().to_vec()),
            Err(_) => Err(invalid_address(session, text)),
        };
    }
    let mut bytes = Vec::new();
    for part in text.split(':').take(20) {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_hexdigit()).len();
        match u32::from_str_radix(&part[..digits], 16) {
            Ok(byte) if byte < 256 => bytes.push(byte as u8),
            _ => return Err(invalid_address(session, part)),
        }
    }
    Ok(bytes)
}

fn invalid_address(session: &mut Session<'_>, text: &str) -> Failure {
    session.complain(&format!("\"{text}\" is invalid lladdr."));
    Failure::Command(1)
}

/// Reads what belongs to a type into the request: the words that are left.
pub(super) fn kind(
    session: &mut Session<'_>,
    kind: &str,
    arguments: &mut Arguments<'_>,
    request: &mut Request,
    handles: &mut Vec<NetnsHandle>,
) -> Outcome {
    match kind {
        "veth" => veth(session, arguments, request, handles),
        "bridge" => super::bridge::parse(session, arguments, request),
        "bridge_slave" => super::bridge::parse_port(session, arguments, request),
        "macvlan" => super::macvlan::parse(session, arguments, request),
        "vlan" => super::vlan::parse(session, arguments, request),
        // These take no options, and what stands there is not looked at.
        "dummy" | "ifb" | "netdevsim" | "nlmon" | "team" | "tun" | "vcan" => Ok(()),
        _ => garbage(session, arguments),
    }
}

/// A type that takes no options.
fn garbage(session: &mut Session<'_>, arguments: &mut Arguments<'_>) -> Outcome {
    match arguments.peek() {
        None => Ok(()),
        Some(word) if matches(word, "help") => super::usage(session),
        Some(word) => {
            session.complain(&format!("Garbage instead of arguments \"{word} ...\". Try \"ip link help\"."));
            Err(Failure::Command(1))
        }
    }
}

/// Whether a type is one of a port: its options are the port's, and it has no device of its own.
pub(super) fn is_slave(kind: &str) -> bool {
    kind.contains("_slave")
}

const VETH_INFO_PEER: u16 = 1;

/// `peer [name N] OPTION …`: a second device, as an `ifinfomsg` with attributes of its own.
fn veth(
    session: &mut Session<'_>,
    arguments: &mut Arguments<'_>,
    request: &mut Request,
    handles: &mut Vec<NetnsHandle>,
) -> Outcome {
    match arguments.next() {
        None => return Ok(()),
        Some("peer") => {}
        Some(_) => {
            let _ = session.out.write_all(include_bytes!("../usage/link_veth.txt"));
            return Err(Failure::Command(1));
        }
    }
    let nest = request.begin(VETH_INFO_PEER);
    let at = request.body().len();
    request.put(&header(0, 0, 0, 0));
    let mut parsed = Parsed { kind: Some("veth".to_owned()), ..Parsed::default() };
    options(session, arguments, request, &mut parsed)?;
    if request.flags() & libc::NLM_F_CREATE as u16 == 0
        && let Some(name) = &parsed.device
    {
        session.index(name)?;
    }
    request.patch(at, &header(0, parsed.index, parsed.flags, parsed.change));
    if let Some(name) = parsed.name.as_ref().or(parsed.device.as_ref()) {
        request.string(libc::IFLA_IFNAME, name);
    }
    request.end(nest);
    handles.append(&mut parsed.handles);
    Ok(())
}
