//! Generic netlink: families by name. The controller tells a family's number and groups; the one family is ethtool.

use crate::Kernel;
use crate::error::{Errno, Error, Result};
use crate::rtnetlink::attr::{Attr, Attributes, Check, Header, Policy, Rule, Writer};
use crate::rtnetlink::dispatch::{Answer, Dump, Request};

/// Bytes of a `struct genlmsghdr`.
pub(crate) const GENL_HDRLEN: usize = 4;

const GENL_ID_CTRL: u16 = 0x10;
/// The number that the ethtool family has here.
pub(crate) const ETHTOOL_ID: u16 = 0x15;
/// The number of its multicast group `monitor`.
pub(crate) const ETHTOOL_MONITOR: u32 = 6;

const CTRL_CMD_NEWFAMILY: u8 = 1;
const CTRL_CMD_GETFAMILY: u8 = 3;

const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;
const CTRL_ATTR_VERSION: u16 = 3;
const CTRL_ATTR_HDRSIZE: u16 = 4;
const CTRL_ATTR_MAXATTR: u16 = 5;
const CTRL_ATTR_OPS: u16 = 6;
const CTRL_ATTR_MCAST_GROUPS: u16 = 7;
const CTRL_ATTR_OP_ID: u16 = 1;
const CTRL_ATTR_OP_FLAGS: u16 = 2;
const CTRL_ATTR_MCAST_GRP_NAME: u16 = 1;
const CTRL_ATTR_MCAST_GRP_ID: u16 = 2;

const CONTROLLER: Policy = &[(CTRL_ATTR_FAMILY_ID, Rule::U16), (CTRL_ATTR_FAMILY_NAME, Rule::Text(15))];

/// A request to a family.
#[derive(Clone, Copy)]
pub(crate) struct GenlRequest<'a> {
    /// The message it came in, with the flags, the caller, and how to reply.
    pub(crate) request: &'a Request<'a>,
    /// The family's command.
    pub(crate) command: u8,
}

impl<'a> GenlRequest<'a> {
    /// The attributes of the command.
    pub(crate) fn attributes(&self, policy: Policy, check: Check) -> Result<Attributes<'a>> {
        self.request.attributes(GENL_HDRLEN, policy, check)
    }

    /// What stands before a reply of this family.
    pub(crate) fn reply(&self) -> Header {
        self.request.reply(self.request.kind)
    }
}

/// One message of a family: the command and its attributes.
pub(crate) fn message(out: &mut Writer, header: Header, command: u8, version: u8, body: impl FnOnce(&mut Writer)) {
    out.message(header, |out| {
        out.raw(&[command, version, 0, 0]);
        body(out);
    });
}

/// Answers a generic netlink request.
pub(crate) fn request(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    if !matches!(request.kind, GENL_ID_CTRL | ETHTOOL_ID) {
        return Err(Errno::ENOENT.into());
    }
    let [command, ..] = request.body().first_chunk::<GENL_HDRLEN>().copied().ok_or(Errno::EINVAL)?;
    if request.kind == ETHTOOL_ID {
        return crate::ethtool::genl_request(kernel, request.ns, &GenlRequest { request, command });
    }
    match command {
        CTRL_CMD_GETFAMILY if request.is_dump() => {
            let mut families = FAMILIES.iter();
            Ok(Answer::Dump(Dump::new(move |_, out, header| {
                let Some(family) = families.next() else { return Ok(false) };
                fill(out, header.with_kind(GENL_ID_CTRL), family);
                Ok(true)
            })))
        }
        CTRL_CMD_GETFAMILY => get_family(request),
        _ => Err(Errno::EOPNOTSUPP.into()),
    }
}

/// What the controller knows about a family.
struct Family {
    id: u16,
    name: &'static str,
    version: u32,
    largest_attribute: u32,
    /// Commands and what they can do: `GENL_CMD_CAP_…`.
    commands: &'static [(u32, u32)],
    groups: &'static [(u32, &'static str)],
}

/// `GENL_CMD_CAP_…`: do, dump and policy; do with privileges, and policy.
const DO_DUMP: u32 = 0x0e;
const PRIVILEGED: u32 = 0x1a;

const FAMILIES: &[Family] = &[
    Family {
        id: GENL_ID_CTRL,
        name: "nlctrl",
        version: 2,
        largest_attribute: 10,
        commands: &[(3, DO_DUMP), (10, 0x0c)],
        groups: &[(GENL_ID_CTRL as u32, "notify")],
    },
    Family {
        id: ETHTOOL_ID,
        name: "ethtool",
        version: 1,
        largest_attribute: 0,
        commands: &[
            (1, DO_DUMP),
            (2, DO_DUMP),
            (3, PRIVILEGED),
            (4, DO_DUMP),
            (5, PRIVILEGED),
            (6, DO_DUMP),
            (11, DO_DUMP),
            (12, PRIVILEGED),
            (15, DO_DUMP),
            (16, PRIVILEGED),
            (17, DO_DUMP),
            (18, PRIVILEGED),
        ],
        groups: &[(ETHTOOL_MONITOR, "monitor")],
    },
];

fn get_family(request: &Request<'_>) -> Result<Answer> {
    let attrs = request.attributes(GENL_HDRLEN, CONTROLLER, Check::Lenient)?;
    let by = [CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME].map(|kind| attrs.get(kind));
    let found = |family: &&Family| match by {
        [Some(id), _] => id.u16() == family.id,
        [_, Some(name)] => name.text() == Some(family.name),
        _ => false,
    };
    if by.iter().all(Option::<Attr<'_>>::is_none) {
        return Err(Error::from(Errno::EINVAL));
    }
    let family = FAMILIES.iter().find(found).ok_or(Errno::ENOENT)?;
    let mut out = Writer::new();
    fill(&mut out, request.reply(GENL_ID_CTRL), family);
    Ok(Answer::Reply(out))
}

fn fill(out: &mut Writer, header: Header, family: &Family) {
    message(out, header, CTRL_CMD_NEWFAMILY, 2, |out| {
        out.text(CTRL_ATTR_FAMILY_NAME, family.name);
        out.u16(CTRL_ATTR_FAMILY_ID, family.id);
        out.u32(CTRL_ATTR_VERSION, family.version);
        out.u32(CTRL_ATTR_HDRSIZE, 0);
        out.u32(CTRL_ATTR_MAXATTR, family.largest_attribute);
        out.nest(CTRL_ATTR_OPS, |out| {
            for (at, (command, flags)) in (1..).zip(family.commands) {
                out.nest(at, |out| {
                    out.u32(CTRL_ATTR_OP_ID, *command);
                    out.u32(CTRL_ATTR_OP_FLAGS, *flags);
                });
            }
        });
        out.nest(CTRL_ATTR_MCAST_GROUPS, |out| {
            for (at, (id, name)) in (1..).zip(family.groups) {
                out.nest(at, |out| {
                    out.u32(CTRL_ATTR_MCAST_GRP_ID, *id);
                    out.text(CTRL_ATTR_MCAST_GRP_NAME, name);
                });
            }
        });
    });
}
