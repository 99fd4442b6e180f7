//! `ip link add`, `ip link set`, `ip link delete`.

use netloom_machine::netlink::Request;

use super::header;
use super::info::{IFLA_INFO_DATA, IFLA_INFO_KIND, IFLA_INFO_SLAVE_DATA};
use super::parse::{self, Parsed};
use super::print::IFLA_NEW_IFINDEX;
use crate::rtnl::{Arguments, Failure, IFINFOMSG, Outcome, Session};

/// `ip link add` and `ip link replace`.
pub(super) fn add(session: &mut Session<'_>, words: &[String], flags: u16) -> Outcome {
    let mut arguments = Arguments::new(words);
    let mut request = Request::new(libc::RTM_NEWLINK, flags);
    request.put(&header(0, 0, 0, 0));
    let mut parsed = Parsed::default();
    parse::options(session, &mut arguments, &mut request, &mut parsed)?;
    let Some(kind) = parsed.kind.clone() else {
        session.complain("Not enough information: \"type\" argument is required");
        return Err(Failure::Command(1));
    };
    if let Some(link) = &parsed.link {
        let index = session.index(link)?;
        request.u32(libc::IFLA_LINK, index);
    }
    request.patch(0, &header(0, parsed.index, parsed.flags, parsed.change));
    if let Some(name) = parsed.name.as_ref().or(parsed.device.as_ref()) {
        request.string(libc::IFLA_IFNAME, name);
    }
    info(session, &kind, &mut arguments, &mut request, &mut parsed)?;
    session.request(&mut request)
}

/// `ip link set`.
pub(super) fn set(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let mut arguments = Arguments::new(words);
    let mut request = Request::new(libc::RTM_NEWLINK, 0);
    request.put(&header(0, 0, 0, 0));
    let mut parsed = Parsed::default();
    parse::options(session, &mut arguments, &mut request, &mut parsed)?;
    let Some(name) = parsed.device.clone() else {
        if parsed.group.is_some() {
            return set_group(session, &mut request, &parsed);
        }
        return Err(required(session));
    };
    if parsed.index != 0 && parsed.handles.is_empty() && !parsed.moves {
        session.complain("index can be used only when creating devices or when moving device to another netns.");
        return Err(Failure::Exit(255));
    }
    let index = session.index(&name)?;
    if let Some(length) = parsed.address_length {
        check_address_length(session, index, length)?;
    }
    if let Some(link) = &parsed.link {
        let index = session.index(link)?;
        request.u32(libc::IFLA_LINK, index);
    }
    request.patch(0, &header(0, index, parsed.flags, parsed.change));
    if parsed.index != 0 {
        request.u32(IFLA_NEW_IFINDEX, parsed.index);
    }
    if let Some(new) = parsed.name.as_ref().filter(|new| **new != name) {
        request.string(libc::IFLA_IFNAME, new);
    }
    if let Some(kind) = parsed.kind.clone() {
        info(session, &kind, &mut arguments, &mut request, &mut parsed)?;
    }
    // A name that changed must be asked for again.
    session.links.forget(index);
    session.request(&mut request)
}

/// Every device of a group.
fn set_group(session: &mut Session<'_>, request: &mut Request, parsed: &Parsed) -> Outcome {
    request.patch(0, &header(0, 0, parsed.flags, parsed.change));
    session.request(request)
}

/// An address must be as long as the device's, or the kernel would read past it.
fn check_address_length(session: &mut Session<'_>, index: u32, length: usize) -> Outcome {
    let reply = session.get(&mut super::get_request(index, 0))?;
    let Some(own) = reply.message().attributes(IFINFOMSG).find(libc::IFLA_ADDRESS) else { return Ok(()) };
    if own.value.len() != length {
        session.complain(&format!("Invalid address length {length} - must be {} bytes", own.value.len()));
        return Err(Failure::Command(1));
    }
    Ok(())
}

/// `ip link delete`.
pub(super) fn delete(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let mut arguments = Arguments::new(words);
    let mut request = Request::new(libc::RTM_DELLINK, 0);
    request.put(&header(0, 0, 0, 0));
    let mut parsed = Parsed::default();
    parse::options(session, &mut arguments, &mut request, &mut parsed)?;
    match &parsed.device {
        Some(name) => {
            let index = session.index(name)?;
            request.patch(0, &header(0, index, parsed.flags, parsed.change));
        }
        None if parsed.group.is_some() => {}
        None => return Err(required(session)),
    }
    if let Some(kind) = parsed.kind.clone() {
        info(session, &kind, &mut arguments, &mut request, &mut parsed)?;
    }
    session.request(&mut request)
}

fn required(session: &mut Session<'_>) -> Failure {
    session.complain("Not enough information: \"dev\" argument is required.");
    Failure::Command(255)
}

/// `IFLA_LINKINFO`: the kind, and what belongs to it where there is anything.
fn info(
    session: &mut Session<'_>,
    kind: &str,
    arguments: &mut Arguments<'_>,
    request: &mut Request,
    parsed: &mut Parsed,
) -> Outcome {
    let outer = request.begin(libc::IFLA_LINKINFO);
    request.attribute(IFLA_INFO_KIND, kind.as_bytes());
    if !arguments.is_empty() {
        let data = if parse::is_slave(kind) { IFLA_INFO_SLAVE_DATA } else { IFLA_INFO_DATA };
        let inner = request.begin(data);
        parse::kind(session, kind, arguments, request, &mut parsed.handles)?;
        request.end(inner);
    }
    request.end(outer);
    Ok(())
}
