//! `bridge link set`: the settings of a bridge's port.

use netloom_machine::netlink::Request;

use super::link::{IFINFOMSG, IFLA_BRIDGE_MODE, STATES, brport};
use super::{device, fail, number, usage};
use crate::rtnl::{Arguments, Failure, Outcome, Session};

const NLA_F_NESTED: u16 = 0x8000;
/// `IFLA_BRIDGE_FLAGS` within `IFLA_AF_SPEC`, and its two flags.
pub(super) const IFLA_BRIDGE_FLAGS: u16 = 0;
pub(super) const BRIDGE_FLAGS_MASTER: u16 = 1;
pub(super) const BRIDGE_FLAGS_SELF: u16 = 2;

/// The settings that are on or off.
const SWITCHES: &[(&str, u16)] = &[
    ("guard", brport::GUARD),
    ("hairpin", brport::MODE),
    ("fastleave", brport::FAST_LEAVE),
    ("root_block", brport::PROTECT),
    ("flood", brport::UNICAST_FLOOD),
    ("mcast_flood", brport::MCAST_FLOOD),
    ("bcast_flood", brport::BCAST_FLOOD),
    ("mcast_to_unicast", brport::MCAST_TO_UCAST),
    ("learning", brport::LEARNING),
    ("learning_sync", brport::LEARNING_SYNC),
    ("neigh_suppress", brport::NEIGH_SUPPRESS),
    ("vlan_tunnel", brport::VLAN_TUNNEL),
    ("isolated", brport::ISOLATED),
    ("locked", brport::LOCKED),
];

#[derive(Default)]
struct Settings<'w> {
    device: Option<&'w str>,
    switches: [Option<bool>; SWITCHES.len()],
    multicast_router: Option<u8>,
    cost: Option<i32>,
    priority: Option<i32>,
    state: Option<u8>,
    hardware_mode: Option<u16>,
    backup_port: Option<u32>,
    flags: u16,
}

pub(super) fn run(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let settings = parse(session, words)?;
    let Some(name) = settings.device else { return fail(session, "Device is a required argument.") };
    let index = device(session, "bridge device", name)?;
    let mut header = [0; IFINFOMSG];
    header[0] = libc::AF_BRIDGE as u8;
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    let mut request = Request::new(libc::RTM_SETLINK, 0);
    request.put(&header);
    let port = request.begin(libc::IFLA_PROTINFO | NLA_F_NESTED);
    for ((_, kind), on) in SWITCHES.iter().zip(settings.switches) {
        if let Some(on) = on {
            request.u8(*kind, on.into());
        }
    }
    if let Some(router) = settings.multicast_router {
        request.u8(brport::MULTICAST_ROUTER, router);
    }
    if let Some(cost) = settings.cost.filter(|cost| *cost > 0) {
        request.u32(brport::COST, cost as u32);
    }
    if let Some(priority) = settings.priority.filter(|priority| *priority >= 0) {
        request.u16(brport::PRIORITY, priority as u16);
    }
    if let Some(state) = settings.state {
        request.u8(brport::STATE, state);
    }
    if let Some(backup) = settings.backup_port {
        request.u32(brport::BACKUP_PORT, backup);
    }
    request.end(port);
    if settings.flags != 0 || settings.hardware_mode.is_some() {
        // The hardware's mode is the device's own affair, not its bridge's.
        let own = if settings.hardware_mode.is_some() { BRIDGE_FLAGS_SELF } else { 0 };
        let spec = request.begin(libc::IFLA_AF_SPEC);
        request.u16(IFLA_BRIDGE_FLAGS, settings.flags | own);
        if let Some(mode) = settings.hardware_mode {
            request.u16(IFLA_BRIDGE_MODE, mode);
        }
        request.end(spec);
    }
    super::request(session, &mut request)
}

fn parse<'w>(session: &mut Session<'_>, words: &'w [String]) -> Outcome<Settings<'w>> {
    let mut settings = Settings::default();
    let mut arguments = Arguments::new(words);
    while let Some(word) = arguments.next() {
        if let Some(at) = SWITCHES.iter().position(|(name, _)| *name == word) {
            let value = arguments.value(session.err)?;
            settings.switches[at] = Some(on_off(session, word, value)?);
            continue;
        }
        match word {
            "dev" => settings.device = Some(arguments.value(session.err)?),
            "mcast_router" => settings.multicast_router = Some(number(arguments.value(session.err)?) as u8),
            "cost" => settings.cost = Some(number(arguments.value(session.err)?)),
            "priority" => settings.priority = Some(number(arguments.value(session.err)?)),
            "state" => {
                let value = arguments.value(session.err)?;
                settings.state =
                    Some(state(value).ok_or(()).or_else(|()| fail(session, "Error: invalid STP port state"))?);
            }
            "hwmode" => {
                settings.hardware_mode = match arguments.value(session.err)? {
                    "veb" => Some(0),
                    "vepa" => Some(1),
                    _ => return fail(session, "Mode argument must be \"vepa\" or \"veb\"."),
                };
            }
            "self" => settings.flags |= BRIDGE_FLAGS_SELF,
            "master" => settings.flags |= BRIDGE_FLAGS_MASTER,
            "backup_port" => {
                let name = arguments.value(session.err)?;
                settings.backup_port = match session.links.index(name) {
                    Some(index) => Some(index),
                    None => return fail(session, &format!("Error: device {name} does not exist")),
                };
            }
            "nobackup_port" => settings.backup_port = Some(0),
            _ => usage(session.err, include_str!("usage/link.txt"))?,
        }
    }
    Ok(settings)
}

/// `on` or `off`; says that it must be, with EINVAL for exit status.
pub(super) fn on_off(session: &mut Session<'_>, key: &str, value: &str) -> Outcome<bool> {
    match value {
        "on" => Ok(true),
        "off" => Ok(false),
        other => {
            session.complain(&format!("Error: argument of \"{key}\" must be one of \"off\", \"on\", not \"{other}\""));
            Err(Failure::Command(256 - libc::EINVAL))
        }
    }
}

/// An STP state by name or number.
pub(super) fn state(text: &str) -> Option<u8> {
    match STATES.iter().position(|name| *name == text) {
        Some(at) => u8::try_from(at).ok(),
        None => crate::rtnl::number(text).and_then(|number| u8::try_from(number).ok()),
    }
}
