//! `ip link property`: alternative names.

use netloom_machine::netlink::Request;

use super::header;
use super::parse::is_alternative_name;
use crate::rtnl::{Arguments, Failure, Outcome, Session, duplicate_or_garbage, invalid_argument, matches};

const RTM_NEWLINKPROP: u16 = 108;
const RTM_DELLINKPROP: u16 = 109;
const IFLA_PROP_LIST: u16 = 52;
const IFLA_ALT_IFNAME: u16 = 53;
const NLA_F_NESTED: u16 = 0x8000;

/// Runs `ip link property` with the words after it.
pub(super) fn run(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let Some((command, rest)) = words.split_first() else { return super::usage(session) };
    let create = (libc::NLM_F_EXCL | libc::NLM_F_CREATE | libc::NLM_F_APPEND) as u16;
    match () {
        () if matches(command, "add") => change(session, rest, RTM_NEWLINKPROP, create),
        () if matches(command, "del") => change(session, rest, RTM_DELLINKPROP, 0),
        () if matches(command, "help") => super::usage(session),
        () => {
            session.complain("Operator required");
            Err(Failure::Exit(255))
        }
    }
}

fn change(session: &mut Session<'_>, words: &[String], kind: u16, flags: u16) -> Outcome {
    let mut arguments = Arguments::new(words);
    let mut request = Request::new(kind, flags);
    request.put(&header(0, 0, 0, 0));
    let nest = request.begin(IFLA_PROP_LIST | NLA_F_NESTED);
    let mut device = None;
    while let Some(word) = arguments.next() {
        if matches(word, "help") {
            return super::usage(session);
        } else if word == "altname" {
            let name = arguments.value(session.err)?;
            if !is_alternative_name(name) {
                return Err(invalid_argument(session.err, "not a valid altname", name));
            }
            request.string(IFLA_ALT_IFNAME, name);
        } else {
            let name = if word == "dev" { arguments.value(session.err)? } else { word };
            if device.is_some() {
                return Err(duplicate_or_garbage(session.err, "dev", name));
            }
            device = Some(name);
        }
    }
    request.end(nest);
    let Some(name) = device else {
        session.complain("Not enough of information: \"dev\" argument is required.");
        return Err(Failure::Exit(255));
    };
    let index = session.index(name)?;
    request.patch(0, &header(0, index, 0, 0));
    session.request(&mut request)
}
