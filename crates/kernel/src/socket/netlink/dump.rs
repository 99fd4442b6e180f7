//! Dumps: a list is told datagram by datagram, each made when the reader has taken the one before, so that the longest
//! list takes no more memory than two datagrams.

use std::fmt;

use super::request::{details_of, dump_header};
use super::{deliver, get};
use crate::Kernel;
use crate::error::{Errno, Error};
use crate::rtnetlink::attr::{Header, Writer};
use crate::rtnetlink::dispatch::{Dump, Request};
use crate::rtnetlink::uapi::*;
use crate::types::SocketId;

/// The first datagram is made before anybody has said how much can be taken: a page, less Linux's own bookkeeping.
const FIRST: usize = 3776;

/// No datagram is longer, but for a single message that is.
const LONGEST: usize = 32 * 1024;

/// A dump that is under way.
pub(super) struct Running {
    dump: Dump,
    header: Header,
    extended_ack: bool,
    /// The generation of what is listed when it began.
    generation: u64,
    /// A message that had no room in the last datagram.
    carried: Vec<u8>,
    /// Everything is said but the end.
    finished: Option<Result<(), Error>>,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("header", &self.header).finish_non_exhaustive()
    }
}

/// A dump of nothing that ends with an error.
pub(super) fn failing(error: Error) -> Dump {
    Dump::new(move |_, _, _| Err(error.clone()))
}

/// Starts a dump; its first datagram is made at once. `EBUSY` where the socket is in the middle of another.
pub(super) fn start(kernel: &mut Kernel, request: &Request<'_>, dump: Dump, extended_ack: bool) {
    let generation = dump.generation.map_or(0, |generation| generation(kernel, request.ns));
    let Ok((_, netlink)) = get(kernel, request.socket) else { return };
    let header = dump_header(request);
    if netlink.dump.is_some() {
        let mut out = Writer::new();
        out.message(request.reply(NLMSG_ERROR), |out| {
            out.raw(&(-Errno::EBUSY.0).to_ne_bytes());
            out.raw(request.message);
        });
        return deliver(kernel, request.socket, out.into_bytes(), 0, None);
    }
    let room = if netlink.read { LONGEST } else { FIRST };
    netlink.dump =
        Some(Box::new(Running { dump, header, extended_ack, generation, carried: Vec::new(), finished: None }));
    step(kernel, request.socket, room);
}

/// Makes the next datagram.
pub(super) fn go_on(kernel: &mut Kernel, id: SocketId) {
    step(kernel, id, LONGEST);
}

fn step(kernel: &mut Kernel, id: SocketId, room: usize) {
    let Ok((ns, netlink)) = get(kernel, id) else { return };
    let Some(mut running) = netlink.dump.take() else { return };
    let mut out = Writer::new();
    out.raw(&std::mem::take(&mut running.carried));
    while running.finished.is_none() {
        if running.dump.generation.is_some_and(|generation| generation(kernel, ns) != running.generation) {
            running.header = running.header.with_flags(NLM_F_DUMP_INTR);
        }
        let before = out.len();
        match (running.dump.next)(kernel, &mut out, running.header) {
            Ok(true) => {}
            Ok(false) => running.finished = Some(Ok(())),
            Err(error) => running.finished = Some(Err(error)),
        }
        if before > 0 && out.len() > room {
            running.carried = out.split_off(before);
            break;
        }
    }
    let apart = running.dump.done_apart && out.len() > 0;
    let ended = match &running.finished {
        Some(result) if running.carried.is_empty() && !apart && out.len() + 20 <= room => {
            end(&mut out, &running, result.as_ref().err());
            true
        }
        _ => false,
    };
    if !ended && let Ok((_, netlink)) = get(kernel, id) {
        netlink.dump = Some(running);
    }
    deliver(kernel, id, out.into_bytes(), 0, None);
}

/// The `NLMSG_DONE`.
fn end(out: &mut Writer, running: &Running, error: Option<&Error>) {
    let told = error.filter(|error| running.extended_ack && (error.message.is_some() || error.offset.is_some()));
    let flags = if told.is_some() { NLM_F_ACK_TLVS } else { 0 };
    out.message(running.header.with_kind(NLMSG_DONE).with_flags(flags), |out| {
        out.raw(&(-error.map_or(0, |error| error.errno.0)).to_ne_bytes());
        if let Some(error) = told {
            details_of(error, out);
        }
    });
}
