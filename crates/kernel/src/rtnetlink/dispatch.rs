//! Which part of the kernel answers a request, by message type and address family.
//!
//! A handler looks like this, in the file named after what it is about:
//!
//! ```text
//! pub(crate) fn add(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
//!     let header = request.fixed::<8>("ipv4: Invalid header …")?;      // struct ifaddrmsg
//!     let attrs = request.attributes(8, POLICY, Check::Lenient)?;     // checked attributes
//!     …
//!     Ok(Answer::Done)
//! }
//! ```
//!
//! It answers with [`Answer::Done`] (acknowledged if the request asks for that), [`Answer::Reply`] (messages, each written
//! with [`Request::reply`]), or [`Answer::Dump`], of which the caller takes one message after the other when the reader has
//! room for it. An `Err` becomes an `NLMSG_ERROR`, or for a dump request an `NLMSG_DONE` with the errno. Whoever changes
//! something tells the listeners with [`super::notify::multicast`].

use super::attr::{Attributes, Check, Header, Policy, Writer};
use super::uapi::*;
use super::{addr, addr6, fdb, link, neigh, netconf, nsid, route, route6, rule, stats};
use crate::error::{Errno, Error, Result};
use crate::types::{NsId, SocketId};
use crate::{Caller, Kernel};

/// Bytes of a `struct nlmsghdr`.
pub(crate) const NLMSG_HDRLEN: usize = 16;

/// One request.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    /// The namespace that it is about: the one that the socket was opened in.
    pub(crate) ns: NsId,
    /// The socket that it came through.
    pub(crate) socket: SocketId,
    /// That socket's port.
    pub(crate) port: u32,
    /// `nlmsg_type`.
    pub(crate) kind: u16,
    /// `nlmsg_flags`.
    pub(crate) flags: u16,
    /// `nlmsg_seq`.
    pub(crate) sequence: u32,
    /// Whether the socket asked for strict checks of "get" requests.
    pub(crate) strict: bool,
    /// The whole message, from its `nlmsghdr` on: offsets in refusals count from here.
    pub(crate) message: &'a [u8],
    /// Who asks.
    pub(crate) caller: &'a dyn Caller,
}

impl<'a> Request<'a> {
    /// What follows the `nlmsghdr`.
    pub(crate) fn body(&self) -> &'a [u8] {
        self.message.get(NLMSG_HDRLEN..).unwrap_or_default()
    }

    /// The family's own header, which must be there as a whole.
    pub(crate) fn fixed<const N: usize>(&self, message: &'static str) -> Result<[u8; N]> {
        self.body().first_chunk().copied().ok_or_else(|| Error::new(Errno::EINVAL, message))
    }

    /// The attributes that follow a header of `header` bytes.
    pub(crate) fn attributes(&self, header: usize, policy: Policy, check: Check) -> Result<Attributes<'a>> {
        let at = NLMSG_HDRLEN + header.next_multiple_of(4);
        Attributes::parse(self.message.get(at..).unwrap_or_default(), at, policy, check)
    }

    /// How strictly a "get" request of this socket is looked at.
    pub(crate) fn check(&self) -> Check {
        if self.strict { Check::Known } else { Check::Lenient }
    }

    /// What stands before a reply.
    pub(crate) fn reply(&self, kind: u16) -> Header {
        Header { kind, flags: 0, sequence: self.sequence, port: self.port }
    }

    /// Whether all these `NLM_F_…` flags are set.
    pub(crate) fn has(&self, flags: u16) -> bool {
        self.flags & flags == flags
    }

    /// Whether it asks for a list.
    pub(crate) fn is_dump(&self) -> bool {
        self.flags & NLM_F_DUMP != 0
    }
}

/// Writes the next message of a dump with the header given (its flags are right already; only the type is to be
/// chosen); `false` where there is none left. What it wrote before `false` or an error still counts.
pub(crate) type NextMessage = dyn FnMut(&mut Kernel, &mut Writer, Header) -> Result<bool> + Send;

/// A list that is told message by message.
pub(crate) struct Dump {
    pub(crate) next: Box<NextMessage>,
    /// Grows with every change of what is listed: a change while the dump is under way sets `NLM_F_DUMP_INTR`.
    pub(crate) generation: Option<fn(&Kernel, NsId) -> u64>,
    /// Whether `NLMSG_DONE` comes in a datagram of its own, as in Linux's older dumps.
    pub(crate) done_apart: bool,
}

impl Dump {
    /// A dump that asks `next` until it says `false`.
    pub(crate) fn new(next: impl FnMut(&mut Kernel, &mut Writer, Header) -> Result<bool> + Send + 'static) -> Dump {
        Dump { next: Box::new(next), generation: None, done_apart: false }
    }

    /// `NLMSG_DONE` comes in a datagram of its own.
    pub(crate) fn done_apart(mut self) -> Dump {
        self.done_apart = true;
        self
    }

    /// Changes while it is under way are noticed.
    pub(crate) fn generation(mut self, generation: fn(&Kernel, NsId) -> u64) -> Dump {
        self.generation = Some(generation);
        self
    }
}

/// What a request leads to.
pub(crate) enum Answer {
    /// Nothing more to say.
    Done,
    /// These messages.
    Reply(Writer),
    /// A list.
    Dump(Dump),
}

/// Answers an rtnetlink request.
pub(crate) fn request(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    // A message without a family is skipped.
    let Some(family) = request.body().first().copied() else { return Ok(Answer::Done) };
    let dump = request.is_dump();
    match (request.kind, family) {
        (RTM_GETLINK, AF_BRIDGE) if dump => crate::bridge::netlink::dump_links(kernel, request),
        (RTM_SETLINK, AF_BRIDGE) => crate::bridge::netlink::set_link(kernel, request),
        (RTM_DELLINK, AF_BRIDGE) => crate::bridge::netlink::delete_link(kernel, request),
        (RTM_NEWLINK, _) => link::create::new_link(kernel, request),
        (RTM_SETLINK, _) => link::change::set_link(kernel, request),
        (RTM_DELLINK, _) => link::delete::delete_link(kernel, request),
        (RTM_GETLINK, _) if dump => link::get::dump(kernel, request),
        (RTM_GETLINK, _) => link::get::get(kernel, request),
        (RTM_NEWLINKPROP, _) => link::property::change(kernel, request, true),
        (RTM_DELLINKPROP, _) => link::property::change(kernel, request, false),

        (RTM_NEWADDR, AF_INET) => addr::add(kernel, request),
        (RTM_DELADDR, AF_INET) => addr::delete(kernel, request),
        (RTM_GETADDR, AF_INET) if dump => addr::dump(kernel, request),
        (RTM_NEWADDR, AF_INET6) => addr6::add(kernel, request),
        (RTM_DELADDR, AF_INET6) => addr6::delete(kernel, request),
        (RTM_GETADDR, AF_INET6) if dump => addr6::dump(kernel, request),
        (RTM_GETADDR, AF_INET6) => addr6::get(kernel, request),
        (RTM_GETADDR, _) if dump => both(kernel, request, addr::dump, addr6::dump),

        (RTM_NEWROUTE, AF_INET) => route::add(kernel, request),
        (RTM_DELROUTE, AF_INET) => route::delete(kernel, request),
        (RTM_GETROUTE, AF_INET) if dump => route::dump(kernel, request),
        (RTM_GETROUTE, AF_INET) => route::get(kernel, request),
        (RTM_NEWROUTE, AF_INET6) => route6::add(kernel, request),
        (RTM_DELROUTE, AF_INET6) => route6::delete(kernel, request),
        (RTM_GETROUTE, AF_INET6) if dump => route6::dump(kernel, request),
        (RTM_GETROUTE, AF_INET6) => route6::get(kernel, request),
        (RTM_GETROUTE, _) if dump => both(kernel, request, route::dump, route6::dump),

        // The handlers of rules look at the family themselves.
        (RTM_NEWRULE, AF_INET | AF_INET6) => rule::add(kernel, request),
        (RTM_DELRULE, AF_INET | AF_INET6) => rule::delete(kernel, request),
        (RTM_GETRULE, _) if dump => rule::dump(kernel, request),

        (RTM_NEWNEIGH, AF_BRIDGE) => fdb::add(kernel, request),
        (RTM_DELNEIGH, AF_BRIDGE) => fdb::delete(kernel, request),
        (RTM_GETNEIGH, AF_BRIDGE) if dump => fdb::dump(kernel, request),
        (RTM_GETNEIGH, AF_BRIDGE) => fdb::get(kernel, request),
        // So do those of neighbours: ARP and neighbour discovery share one table.
        (RTM_NEWNEIGH, _) => neigh::add(kernel, request),
        (RTM_DELNEIGH, _) => neigh::delete(kernel, request),
        (RTM_GETNEIGH, _) if dump => neigh::dump(kernel, request),
        (RTM_GETNEIGH, _) => neigh::get(kernel, request),
        (RTM_GETNEIGHTBL, _) if dump => neigh::dump_tables(kernel, request),
        (RTM_SETNEIGHTBL, _) => neigh::set_table(kernel, request),

        (RTM_NEWMDB, AF_BRIDGE) => crate::bridge::netlink::add_group(kernel, request),
        (RTM_DELMDB, AF_BRIDGE) => crate::bridge::netlink::delete_group(kernel, request),
        (RTM_GETMDB, AF_BRIDGE) if dump => crate::bridge::netlink::dump_groups(kernel, request),

        (RTM_NEWNSID, _) => nsid::add(kernel, request),
        (RTM_GETNSID, _) if dump => nsid::dump(kernel, request),
        (RTM_GETNSID, _) => nsid::get(kernel, request),

        (RTM_GETNETCONF, _) if dump => netconf::dump(kernel, request),
        (RTM_GETNETCONF, AF_INET | AF_INET6) => netconf::get(kernel, request),

        (RTM_GETSTATS, _) if dump => stats::dump(kernel, request),
        (RTM_GETSTATS, _) => stats::get(kernel, request),
        _ => Err(Errno::EOPNOTSUPP.into()),
    }
}

type Handler = fn(&mut Kernel, &Request<'_>) -> Result<Answer>;

/// A dump of no particular family: IPv4's, then IPv6's. A family that nobody lists is skipped.
fn both(kernel: &mut Kernel, request: &Request<'_>, first: Handler, second: Handler) -> Result<Answer> {
    let mut dumps = Vec::new();
    for handler in [first, second] {
        match handler(kernel, request) {
            Ok(Answer::Dump(dump)) => dumps.push(dump),
            Err(error) if error.errno != Errno::EOPNOTSUPP => return Err(error),
            _ => {}
        }
    }
    let mut dumps = dumps.into_iter().peekable();
    let chained = Dump::new(move |kernel, out, header| {
        while let Some(dump) = dumps.peek_mut() {
            if (dump.next)(kernel, out, header)? {
                return Ok(true);
            }
            dumps.next();
        }
        Ok(false)
    });
    Ok(Answer::Dump(chained.done_apart()))
}
