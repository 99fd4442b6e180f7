//! `ip link show`, and the part of `ip address show` that is the same: which devices to list.

use netloom_machine::netlink::{Message, Reply, Request};

use super::print::{self, Device, Scope};
use super::{RTEXT_FILTER_SKIP_STATS, RTEXT_FILTER_VF, header};
use crate::ip::address::Filter;
use crate::print::{Printer, strerror};
use crate::rtnl::{Failure, Outcome, Session};

/// Runs `ip link show` with the words after it.
pub(crate) fn run(session: &mut Session<'_>, words: &[String], link: bool) -> Outcome {
    let family = if link { libc::AF_PACKET as u8 } else { session.family };
    let filter = Filter::parse(session, words, family)?;
    match filter.device.clone() {
        Some(name) if link => one(session, &filter, &name),
        _ => crate::ip::address::show::list(session, filter, link),
    }
}

/// One device, by a name that the kernel looks up.
fn one(session: &mut Session<'_>, filter: &Filter, name: &str) -> Outcome {
    if session.links.index(name).is_none() {
        session.complain(&format!("Device \"{name}\" does not exist."));
        return Err(Failure::Command(1));
    }
    let attribute = if name.len() < 16 { libc::IFLA_IFNAME } else { libc::IFLA_ALT_IFNAME };
    let mut request = Request::new(libc::RTM_GETLINK, 0);
    request.put(&header(libc::AF_PACKET as u8, 0, 0, 0));
    request.string(attribute, name).u32(libc::IFLA_EXT_MASK, RTEXT_FILTER_VF);
    let reply = get(session, &mut request)?;
    let mut printer = Printer::new(session.out, &session.format);
    printer.open_document();
    let mut around = print::surroundings!(session);
    record(&mut printer, &mut around, &reply.message(), filter);
    printer.close_document();
    Ok(())
}

/// Asks for one device; a refusal is reported and is exit status 1.
pub(crate) fn get(session: &mut Session<'_>, request: &mut Request) -> Outcome<Reply> {
    session.netlink.get(request).map_err(|error| {
        crate::rtnl::report(session.err, &error);
        session.complain(&format!("Cannot send link get request: {}", strerror(error.errno)));
        Failure::Command(1)
    })
}

/// Every device that may pass the filter, in the kernel's order; what it can, the kernel filters.
pub(crate) fn dump_request(filter: &Filter, family: u8) -> Request {
    let mut request = Request::new(libc::RTM_GETLINK, 0);
    request.put(&header(family, 0, 0, 0));
    if !matches!(i32::from(family), libc::AF_UNSPEC | libc::AF_PACKET | libc::AF_BRIDGE) {
        return request;
    }
    request.u32(libc::IFLA_EXT_MASK, RTEXT_FILTER_VF);
    if let Some(master) = filter.master {
        // No master is another number here, since 0 would ask for nothing.
        request.u32(libc::IFLA_MASTER, if master == 0 { u32::MAX } else { master });
    }
    if let Some(kind) = &filter.kind
        && !filter.slave_kind
    {
        let nest = request.begin(libc::IFLA_LINKINFO);
        request.attribute(super::info::IFLA_INFO_KIND, kind.as_bytes()).end(nest);
    }
    request
}

/// A device by its index, as `ip address show dev` asks for it.
pub(crate) fn device_request(index: u32, statistics: bool) -> Request {
    let mask = if statistics { RTEXT_FILTER_VF } else { RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS };
    super::get_request(index, mask)
}

/// Prints one device of `ip link`, unless it is filtered out.
pub(crate) fn record(
    printer: &mut Printer<'_>,
    around: &mut print::Surroundings<'_, '_>,
    message: &Message<'_>,
    filter: &Filter,
) {
    let Some(device) = Device::parse(message) else { return };
    printer.open_object(None);
    if filter.admits(&device) {
        if around.format.brief {
            print::brief(printer, around, &device, true);
        } else {
            print::device(printer, around, &device, Scope { link: true, link_layer: true, queue_length: true });
        }
        printer.end_record();
    } else {
        printer.close_object();
    }
}
