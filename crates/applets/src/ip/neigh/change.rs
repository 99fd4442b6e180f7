//! `ip neigh add`, `change`, `replace` and `delete`.

use netloom_machine::netlink::Request;

use super::{
    NDA_DST, NDA_FLAGS_EXT, NDA_LLADDR, NDA_PROTOCOL, NTF_EXT_LEARNED, NTF_EXT_MANAGED, NTF_PROXY, NTF_ROUTER, NTF_USE,
    NUD_PERMANENT, ndmsg, parse_state,
};
use crate::rtnl::address::{address, link_layer_address};
use crate::rtnl::names::find_protocol;
use crate::rtnl::{Arguments, Failure, Outcome, Session, duplicate_or_garbage, invalid_argument, matches};

const NLM_F_REPLACE: u16 = 0x100;
const NLM_F_EXCL: u16 = 0x200;
const NLM_F_CREATE: u16 = 0x400;

pub(super) fn add(session: &mut Session<'_>, words: &[String]) -> Outcome {
    modify(session, words, libc::RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL)
}

pub(super) fn change(session: &mut Session<'_>, words: &[String]) -> Outcome {
    modify(session, words, libc::RTM_NEWNEIGH, NLM_F_REPLACE)
}

pub(super) fn replace(session: &mut Session<'_>, words: &[String]) -> Outcome {
    modify(session, words, libc::RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE)
}

pub(super) fn delete(session: &mut Session<'_>, words: &[String]) -> Outcome {
    modify(session, words, libc::RTM_DELNEIGH, 0)
}

fn modify(session: &mut Session<'_>, words: &[String], kind: u16, flags: u16) -> Outcome {
    let (mut name, mut destination, mut link_layer) = (None, None, None);
    let (mut state, mut own, mut extended, mut protocol) = (NUD_PERMANENT, 0, 0, None);
    let mut arguments = Arguments::new(words);
    while let Some(word) = arguments.next() {
        match word {
            "lladdr" => link_layer = Some(arguments.value(session.err)?),
            "nud" => {
                let value = arguments.value(session.err)?;
                state = parse_state(session, value)?;
            }
            "proxy" => {
                let value = arguments.value(session.err)?;
                if matches(value, "help") {
                    super::super::usage(session.err, include_str!("../usage/neigh.txt"))?;
                }
                if destination.is_some() {
                    return Err(duplicate_or_garbage(session.err, "address", value));
                }
                destination = Some(address(session.err, value, session.family)?);
                own |= NTF_PROXY;
            }
            "router" => own |= NTF_ROUTER,
            "use" => own |= NTF_USE,
            "managed" => {
                extended |= NTF_EXT_MANAGED;
                state = 0;
            }
            word if matches(word, "extern_learn") => own |= NTF_EXT_LEARNED,
            "dev" => name = Some(arguments.value(session.err)?),
            word if matches(word, "protocol") => {
                let value = arguments.value(session.err)?;
                let Some(number) = find_protocol(value) else {
                    return Err(invalid_argument(session.err, "\"proto\" value is invalid\n", value));
                };
                protocol = Some(number);
            }
            word => {
                let value = if word == "to" { arguments.value(session.err)? } else { word };
                if matches(value, "help") {
                    super::super::usage(session.err, include_str!("../usage/neigh.txt"))?;
                }
                if destination.is_some() {
                    return Err(duplicate_or_garbage(session.err, "to", value));
                }
                destination = Some(address(session.err, value, session.family)?);
            }
        }
    }
    let (Some(name), Some(destination)) = (name, destination) else {
        session.complain("Device and destination are required arguments.");
        return Err(Failure::Exit(255));
    };
    let mut request = Request::new(kind, flags);
    request.put(&ndmsg(destination.family, 0, state, own));
    if let Some(protocol) = protocol {
        request.u8(NDA_PROTOCOL, protocol);
    }
    request.attribute(NDA_DST, destination.bytes());
    if extended != 0 {
        request.u32(NDA_FLAGS_EXT, extended);
    }
    if let Some(text) = link_layer.filter(|text| *text != "null") {
        request.attribute(NDA_LLADDR, &link_layer_address(session.err, text)?);
    }
    let index = session.index(name)?;
    request.patch(4, &index.to_ne_bytes());
    session.request(&mut request)
}
