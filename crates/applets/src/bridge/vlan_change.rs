//! `bridge vlan add`, `del` and `set`.

use netloom_machine::netlink::Request;

use super::link::IFINFOMSG;
use super::link_set::{BRIDGE_FLAGS_MASTER, BRIDGE_FLAGS_SELF, IFLA_BRIDGE_FLAGS, state};
use super::vlan::{BR_VLAN_MSG, IFLA_BRIDGE_VLAN_INFO, IFLA_BRIDGE_VLAN_TUNNEL_INFO, RTM_NEWVLAN, info};
use super::{device, fail, number, usage};
use crate::rtnl::{Arguments, Outcome, Session, invalid_argument, matches};

pub(super) fn add(session: &mut Session<'_>, words: &[String]) -> Outcome {
    change(session, words, libc::RTM_SETLINK)
}

pub(super) fn delete(session: &mut Session<'_>, words: &[String]) -> Outcome {
    change(session, words, libc::RTM_DELLINK)
}

/// One VLAN or a range of them.
fn range(session: &mut Session<'_>, text: &str) -> Outcome<(u16, Option<u16>)> {
    let vlan = |text: &str| Some(number(text)).filter(|vlan| *vlan < 4096).map(|vlan| vlan as u16);
    let Some((first, last)) = text.split_once('-') else {
        return match vlan(text) {
            Some(vlan) => Ok((vlan, None)),
            None => fail(session, &format!("Invalid VLAN ID \"{text}\"")),
        };
    };
    match (vlan(first), vlan(last)) {
        (Some(first), Some(last)) if first < last => Ok((first, Some(last))),
        _ => fail(session, &format!("Invalid VLAN range \"{}-{}\"", number(first), number(last))),
    }
}

fn change(session: &mut Session<'_>, words: &[String], kind: u16) -> Outcome {
    let (mut name, mut vlans, mut tunnels) = (None, None, None);
    let (mut flags, mut properties) = (0, 0);
    let mut arguments = Arguments::new(words);
    while let Some(word) = arguments.next() {
        match word {
            "dev" => name = Some(arguments.value(session.err)?),
            "vid" => {
                let value = arguments.value(session.err)?;
                vlans = Some(range(session, value)?);
            }
            "self" => flags |= BRIDGE_FLAGS_SELF,
            "master" => flags |= BRIDGE_FLAGS_MASTER,
            "pvid" => properties |= info::PVID,
            "untagged" => properties |= info::UNTAGGED,
            "tunnel_info" => {
                let key = arguments.value(session.err)?;
                if key != "id" {
                    let text = format!("\"id\" expected, found \"{key}\"");
                    return fail(session, &text);
                }
                let value = arguments.value(session.err)?;
                let (first, last) = value.split_once('-').unwrap_or((value, value));
                let parsed = |text| crate::rtnl::number(text).filter(|id| *id < 1 << 24).map(|id| id as u32);
                tunnels = match (parsed(first), parsed(last)) {
                    (Some(first), Some(last)) if first <= last => Some((first, last)),
                    _ => return Err(invalid_argument(session.err, "invalid tun id", value)),
                };
            }
            word if matches(word, "help") => {
                arguments.value(session.err)?;
            }
            _ => {}
        }
    }
    let (Some(name), Some((first, last))) = (name, vlans) else {
        return fail(session, "Device and VLAN ID are required arguments.");
    };
    let index = device(session, "bridge device", name)?;
    if last.is_some() && properties & info::PVID != 0 {
        return fail(session, "pvid cannot be configured for a vlan range");
    }
    let mut request = Request::new(kind, 0);
    let mut header = [0; IFINFOMSG];
    header[0] = libc::AF_BRIDGE as u8;
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    request.put(&header);
    let spec = request.begin(libc::IFLA_AF_SPEC);
    if flags != 0 {
        request.u16(IFLA_BRIDGE_FLAGS, flags);
    }
    let ends = match last {
        None => vec![(first, 0)],
        Some(last) => vec![(first, info::RANGE_BEGIN), (last, info::RANGE_END)],
    };
    for (vlan, position) in ends {
        match tunnels {
            None => put_vlan(&mut request, vlan, properties | position),
            Some((first, last)) => {
                put_tunnel(&mut request, vlan, if position == info::RANGE_END { last } else { first }, position);
            }
        }
    }
    request.end(spec);
    super::request(session, &mut request)
}

fn put_vlan(request: &mut Request, vlan: u16, flags: u16) {
    let ([f0, f1], [v0, v1]) = (flags.to_ne_bytes(), vlan.to_ne_bytes());
    request.attribute(IFLA_BRIDGE_VLAN_INFO, &[f0, f1, v0, v1]);
}

fn put_tunnel(request: &mut Request, vlan: u16, id: u32, flags: u16) {
    let tunnel = request.begin(IFLA_BRIDGE_VLAN_TUNNEL_INFO);
    request.u32(1, id).u16(2, vlan).u16(3, flags);
    request.end(tunnel);
}

pub(super) fn set(session: &mut Session<'_>, words: &[String]) -> Outcome {
    const ENTRY: u16 = 1 | 0x8000;
    const INFO: u16 = 1;
    const RANGE: u16 = 2;
    const STATE: u16 = 3;
    const MCAST_ROUTER: u16 = 6;
    let (mut name, mut vlans, mut stp, mut router) = (None, None, None, None);
    let mut arguments = Arguments::new(words);
    while let Some(word) = arguments.next() {
        match word {
            "dev" => name = Some(arguments.value(session.err)?),
            "vid" => {
                let value = arguments.value(session.err)?;
                vlans = Some(range(session, value)?);
            }
            "state" => {
                let value = arguments.value(session.err)?;
                stp = match state(value) {
                    Some(state) => Some(state),
                    None => return fail(session, "Error: invalid STP state"),
                };
            }
            "mcast_router" => {
                let value = arguments.value(session.err)?;
                let parsed = crate::rtnl::number(value).and_then(|number| u8::try_from(number).ok());
                router = Some(parsed.ok_or_else(|| invalid_argument(session.err, "invalid mcast_router", value))?);
            }
            word if matches(word, "help") => usage(session.err, include_str!("usage/vlan.txt"))?,
            _ => {}
        }
    }
    let (Some(name), Some((first, last))) = (name, vlans) else {
        return fail(session, "Device and VLAN ID are required arguments.");
    };
    let index = device(session, "bridge device", name)?;
    let mut request = Request::new(RTM_NEWVLAN, 0);
    let mut header = [0; BR_VLAN_MSG];
    header[0] = libc::AF_BRIDGE as u8;
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    request.put(&header);
    let entry = request.begin(ENTRY);
    let ([f0, f1], [v0, v1]) = (info::ONLY_OPTS.to_ne_bytes(), first.to_ne_bytes());
    request.attribute(INFO, &[f0, f1, v0, v1]);
    if let Some(last) = last {
        request.u16(RANGE, last);
    }
    if let Some(state) = stp {
        request.u8(STATE, state);
    }
    if let Some(router) = router {
        request.u8(MCAST_ROUTER, router);
    }
    request.end(entry);
    super::request(session, &mut request)
}
