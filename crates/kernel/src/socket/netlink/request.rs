//! Requests: taken out of a datagram one after the other, answered, acknowledged.

use super::{NETLINK_GENERIC, Switches, deliver, dump, get, port};
use crate::error::{Errno, Error, Result};
use crate::rtnetlink::attr::{Header, Writer};
use crate::rtnetlink::dispatch::{Answer, NLMSG_HDRLEN, Request};
use crate::rtnetlink::uapi::*;
use crate::types::SocketId;
use crate::{Caller, Kernel};

/// The longest datagram that is taken.
const LONGEST: usize = 1 << 20;

/// sendto(2).
pub(crate) fn send(
    kernel: &mut Kernel,
    id: SocketId,
    data: &[u8],
    address: &[u8],
    _flags: i32,
    caller: &dyn Caller,
) -> Result<usize, Errno> {
    let (_, netlink) = get(kernel, id)?;
    let (destination, groups) = if address.is_empty() { netlink.peer } else { port::destination(address)? };
    if data.len() > LONGEST {
        return Err(Errno::EMSGSIZE);
    }
    port::choose_port(kernel, id, caller)?;
    // Nobody but the kernel listens.
    if destination != 0 || groups != 0 {
        return Err(Errno::ECONNREFUSED);
    }
    receive_requests(kernel, id, data, caller);
    Ok(data.len())
}

/// Takes each message of a datagram in turn; what makes no sense ends it.
fn receive_requests(kernel: &mut Kernel, id: SocketId, data: &[u8], caller: &dyn Caller) {
    let mut rest = data;
    while let Some([l0, l1, l2, l3, k0, k1, f0, f1, s0, s1, s2, s3]) = rest.first_chunk::<12>() {
        let length = u32::from_ne_bytes([*l0, *l1, *l2, *l3]) as usize;
        let Some(message) = rest.get(..length).filter(|message| message.len() >= NLMSG_HDRLEN) else { return };
        let Ok((ns, netlink)) = get(kernel, id) else { return };
        let (protocol, switches) = (netlink.protocol, netlink.switches);
        let request = Request {
            ns,
            socket: id,
            port: netlink.port,
            kind: u16::from_ne_bytes([*k0, *k1]),
            flags: u16::from_ne_bytes([*f0, *f1]),
            sequence: u32::from_ne_bytes([*s0, *s1, *s2, *s3]),
            strict: switches.strict,
            message,
            caller,
        };
        if request.has(NLM_F_REQUEST) {
            answer(kernel, &request, protocol, switches);
        }
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
}

fn answer(kernel: &mut Kernel, request: &Request<'_>, protocol: i32, switches: Switches) {
    // Types below belong to netlink itself.
    let answer = if request.kind < NLMSG_MIN_TYPE {
        Ok(Answer::Done)
    } else if protocol == NETLINK_GENERIC {
        crate::genetlink::request(kernel, request)
    } else {
        crate::rtnetlink::dispatch::request(kernel, request)
    };
    match answer {
        Ok(Answer::Dump(dump)) => dump::start(kernel, request, dump, switches.extended_ack),
        Ok(Answer::Reply(messages)) => {
            deliver(kernel, request.socket, messages.into_bytes(), 0, None);
            if request.has(NLM_F_ACK) {
                acknowledge(kernel, request, None, switches);
            }
        }
        Ok(Answer::Done) if request.has(NLM_F_ACK) => acknowledge(kernel, request, None, switches),
        Ok(Answer::Done) => {}
        // A dump that can't even start ends at once, with the reason in its end.
        Err(error) if ends_dump(request, protocol, &error) => {
            dump::start(kernel, request, dump::failing(error), switches.extended_ack);
        }
        Err(error) => acknowledge(kernel, request, Some(error), switches),
    }
}

fn ends_dump(request: &Request<'_>, protocol: i32, error: &Error) -> bool {
    // Where nobody dumps that type of message there is no dump to end.
    let known = error.errno != Errno::EOPNOTSUPP || error.message.is_some();
    protocol != NETLINK_GENERIC && request.is_dump() && request.kind & 3 == 2 && known
}

/// Sends an `NLMSG_ERROR`: a refusal, or with `None` that all is well.
fn acknowledge(kernel: &mut Kernel, request: &Request<'_>, error: Option<Error>, switches: Switches) {
    let echo = error.is_some() && !switches.capped_ack;
    let told = error.as_ref().filter(|_| switches.extended_ack);
    let details = told.is_some_and(|error| error.message.is_some() || error.offset.is_some());
    let mut flags = 0;
    if !echo {
        flags |= NLM_F_CAPPED;
    }
    if details {
        flags |= NLM_F_ACK_TLVS;
    }
    let errno = error.as_ref().map_or(0, |error| error.errno.0);
    let mut out = Writer::new();
    out.message(request.reply(NLMSG_ERROR).with_flags(flags), |out| {
        out.raw(&(-errno).to_ne_bytes());
        let quoted = if echo { request.message } else { request.message.get(..NLMSG_HDRLEN).unwrap_or_default() };
        out.raw(quoted);
        if let Some(error) = told {
            details_of(error, out);
        }
    });
    deliver(kernel, request.socket, out.into_bytes(), 0, None);
}

/// The attributes of an extended ack.
pub(super) fn details_of(error: &Error, out: &mut Writer) {
    if let Some(message) = &error.message {
        out.text(NLMSGERR_ATTR_MSG, message);
    }
    if let Some(offset) = error.offset {
        out.u32(NLMSGERR_ATTR_OFFS, offset);
    }
}

/// The header of what a dump says.
pub(super) fn dump_header(request: &Request<'_>) -> Header {
    request.reply(0).with_flags(NLM_F_MULTI)
}
