//! veth pairs: what a request says about the other end.

use super::super::attr::{Attr, Attributes, Check, Policy, Rule};
use super::super::dispatch::Request;
use super::super::target;
use super::super::uapi::*;
use super::create::{self, Plan};
use super::{IFINFOMSG, IfInfo, LINK};
use crate::Kernel;
use crate::drivers::{DevKind, veth};
use crate::error::{Errno, Error, Result};
use crate::types::{DevId, NsId};

/// `IFLA_INFO_DATA` of a veth: the other end, as a header and attributes of its own.
const DATA: Policy = &[(VETH_INFO_PEER, Rule::AtLeast(IFINFOMSG))];

/// The pattern of an end's name where none is given.
const PATTERN: &str = "veth%d";

/// Makes a pair: the peer first, which is told of before it is linked to anything.
pub(super) fn create(
    kernel: &mut Kernel,
    request: &Request<'_>,
    ns: NsId,
    info: &IfInfo,
    attrs: &Attributes<'_>,
    data: Option<Attr<'_>>,
) -> Result<DevId> {
    let data = data.map(|data| data.nested(DATA, Check::Lenient)).transpose()?.unwrap_or_default();
    let peer_plan = match data.get(VETH_INFO_PEER) {
        Some(peer) => {
            let header = IfInfo::parse(&peer.bytes().ok_or(Errno::EINVAL)?);
            if header.index < 0 {
                return Err(Error::new(Errno::EINVAL, "ifindex can't be negative"));
            }
            let attrs = peer.attributes_after(IFINFOMSG, LINK)?;
            let ns = target::destination(kernel, request, &attrs)?.unwrap_or(ns);
            Plan::of(ns, header, &attrs)?
        }
        // Without a word about it the other end is like this one, but for index, name and address.
        None => {
            let mut plan = Plan::of(ns, IfInfo::default(), attrs)?;
            plan.name = None;
            plan.new.address = None;
            plan
        }
    };
    let plan = Plan::of(ns, *info, attrs)?;
    let peer_info = peer_plan.info;
    let (peer_ns, new) = peer_plan.resolve(kernel, PATTERN)?;
    let peer = veth::create_end(kernel, peer_ns, new)?;
    let end = create::configure(kernel, peer, &peer_info).and_then(|()| {
        let (ns, new) = plan.resolve(kernel, PATTERN)?;
        veth::create_end(kernel, ns, new)
    });
    let dev = end.inspect_err(|_| kernel.unregister_device(peer))?;
    veth::connect(kernel, dev, peer);
    create::configure(kernel, dev, info)?;
    Ok(dev)
}

/// What no end of a pair can be, the peer can't be either.
pub(super) fn validate_peer(kernel: &Kernel, kind: &DevKind, data: Attr<'_>) -> Result<()> {
    match data.nested(DATA, Check::Lenient)?.get(VETH_INFO_PEER) {
        Some(peer) => create::check(kernel, kind, &peer.attributes_after(IFINFOMSG, LINK)?),
        None => Ok(()),
    }
}
