//! Which route a packet would take (`ip -6 route get`).

use super::super::dispatch::{Answer, Request};
use super::super::uapi::*;
use super::*;
use crate::ipv6::{self as inet, Flow, Found, Key};

/// `RTM_F_FIB_MATCH`.
const FIB_MATCH: u32 = 0x2000;

/// `RTM_GETROUTE`: a lookup.
pub(crate) fn get(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let message = RtMsg::parse(&request.fixed("ipv6: Invalid header for get route request")?);
    let attrs = request.attributes(RTMSG, POLICY, request.check())?;
    let ns = request.ns;
    let given = |number: u16| attrs.get(number).map_or(Ipv6Addr::UNSPECIFIED, |attr| address(attr.payload));
    let (iif, oif) = (device(kernel, ns, &attrs, RTA_IIF)?, device(kernel, ns, &attrs, RTA_OIF)?);
    let flow = Flow { destination: given(RTA_DST), source: given(RTA_SRC), oif };
    let near = flow.destination.is_multicast() || flow.destination.is_unicast_link_local();
    let strict = near || (oif.is_some() && flow.source.is_unspecified());
    let key = Key { destination: flow.destination, source: flow.source, oif: oif.or(iif.filter(|_| near)), strict };
    let found = inet::find(kernel, ns, &key)?;
    let mut out = Writer::new();
    let header = request.reply(RTM_NEWROUTE);
    if message.flags & FIB_MATCH != 0 {
        let prefix = Ipv6Addr::from_bits(inet::fib::prefix_bits(flow.destination, found.length));
        fill(kernel, found.table, (prefix, found.length), found.entry, &mut out, header);
        return Ok(Answer::Reply(out));
    }
    cached(kernel, ns, &flow, iif, &found, &mut out, header);
    Ok(Answer::Reply(out))
}

/// The route of one packet as a message.
fn cached(
    kernel: &Kernel,
    ns: NsId,
    flow: &Flow,
    iif: Option<DevId>,
    found: &Found<'_>,
    out: &mut Writer,
    header: Header,
) {
    let entry = found.entry;
    let local = matches!(entry.kind, kind::LOCAL | inet::fib::ANYCAST);
    let loopback = kernel.namespaces.get(ns).and_then(|netns| netns.ipv4.loopback);
    let dev = loopback.filter(|_| local).unwrap_or(found.hop.dev);
    let known = inet::path_mtu(kernel, ns, flow.destination).filter(|_| !local);
    let message = RtMsg {
        family: AF_INET6,
        destination_length: 128,
        source_length: 128,
        table: compat(found.table),
        protocol: entry.protocol,
        kind: entry.kind,
        flags: u32::from(hop_flags(kernel, entry, found.hop)) | if known.is_some() { RTM_F_CLONED } else { 0 },
        ..RtMsg::default()
    };
    out.message(header, |out| {
        message.write(out);
        out.u32(RTA_TABLE, found.table);
        out.put(RTA_DST, &flow.destination.octets());
        out.put(RTA_SRC, &flow.source.octets());
        if let Some(iif) = iif {
            out.u32(RTA_IIF, ifindex(kernel, iif));
        } else if entry.source.is_unspecified()
            && let Some(source) = inet::select_source(kernel, ns, Some(found.hop.dev), flow.destination)
        {
            out.put(RTA_PREFSRC, &source.octets());
        }
        if !entry.source.is_unspecified() {
            out.put(RTA_PREFSRC, &entry.source.octets());
        }
        let mut metrics = entry.metrics.as_deref().copied().unwrap_or_default();
        if let Some((mtu, _)) = known {
            metrics[inet::fib::RTAX_MTU] = mtu;
        }
        fill_metrics(&metrics, out);
        out.u32(RTA_PRIORITY, entry.metric);
        if let Some(gateway) = found.hop.gateway {
            out.put(RTA_GATEWAY, &gateway.octets());
        }
        out.u32(RTA_OIF, ifindex(kernel, dev));
        cache_info(kernel, known.map(|(_, expires)| expires).or(entry.expires), out);
        out.u8(RTA_PREF, entry.preference);
    });
}
