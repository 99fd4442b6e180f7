//! `ip address show`, and `ip link show` of more than one device: devices with their addresses.

use std::collections::HashMap;

use netloom_machine::netlink::{Message, Request};

use super::super::link::print::{self as device, Device, Scope, Surroundings};
use super::super::link::{show as link, statistics};
use super::print::{self, Address, Layout};
use super::{Filter, header};
use crate::print::Printer;
use crate::rtnl::{Failure, Outcome, Session, finish_dump};

/// The messages of a dump, kept so that every name is known before the first is printed.
#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    messages: Vec<(u16, std::ops::Range<usize>)>,
}

impl Kept {
    fn push(&mut self, message: &Message<'_>) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(message.payload);
        self.messages.push((message.kind, start..self.bytes.len()));
    }

    fn get(&self, at: usize) -> Option<Message<'_>> {
        let (kind, range) = self.messages.get(at)?;
        Some(Message { kind: *kind, flags: 0, sequence: 0, port: 0, payload: self.bytes.get(range.clone())? })
    }

    fn iter(&self) -> impl Iterator<Item = Message<'_>> {
        (0..self.messages.len()).filter_map(|at| self.get(at))
    }
}

/// Lists the devices (and, unless `only_links`, their addresses) that pass a filter.
pub(crate) fn list(session: &mut Session<'_>, filter: Filter, only_links: bool) -> Outcome {
    let mut filter = filter;
    filter.index = device_index(session, &filter)?;
    let packet = libc::AF_PACKET as u8;
    let links = links(session, &filter, only_links)?;
    let mut addresses = Kept::default();
    let mut by_device: HashMap<u32, Vec<usize>> = HashMap::new();
    if filter.family != packet {
        let mut request = Request::new(libc::RTM_GETADDR, 0);
        request.put(&header(filter.family, 0, 0, 0, filter.index.unwrap_or(0)));
        session.dump(&mut request, |message| addresses.push(&message))?;
        for (at, message) in addresses.iter().enumerate() {
            if let Some(address) = Address::parse(&message) {
                by_device.entry(address.index).or_default().push(at);
            }
        }
    }

    let mut printer = Printer::new(session.out, &session.format);
    printer.open_document();
    for message in links.iter() {
        let Some(found) = Device::parse(&message) else { continue };
        let own: Vec<Address<'_>> = by_device
            .get(&found.index)
            .map(|own| own.iter().filter_map(|&at| Address::parse(&addresses.get(at)?)).collect())
            .unwrap_or_default();
        if filter.family == packet || has_listed(&filter, &found, &own) {
            let mut around = device::surroundings!(session);
            record(&mut printer, &mut around, &found, &own, &filter, only_links);
        }
    }
    printer.close_document();
    Ok(())
}

/// The index of the only device that a filter admits; says so where there is no such device.
pub(super) fn device_index(session: &mut Session<'_>, filter: &Filter) -> Outcome<Option<u32>> {
    let Some(name) = &filter.device else { return Ok(None) };
    match session.links.index(name) {
        Some(index) => Ok(Some(index)),
        None => {
            session.complain(&format!("Device \"{name}\" does not exist."));
            Err(Failure::Command(1))
        }
    }
}

/// The devices: the only one by its index, or all that the kernel gives.
fn links(session: &mut Session<'_>, filter: &Filter, only_links: bool) -> Outcome<Kept> {
    let mut kept = Kept::default();
    if let Some(index) = filter.index {
        let reply = link::get(session, &mut link::device_request(index, session.format.statistics > 0))?;
        session.links.learn(&reply.message());
        kept.push(&reply.message());
        return Ok(kept);
    }
    let family = if only_links { libc::AF_PACKET as u8 } else { session.family };
    let mut request = link::dump_request(filter, family);
    let result = session.netlink.dump(&mut request, |message| {
        session.links.learn(&message);
        kept.push(&message);
    });
    finish_dump(session.err, result)?;
    Ok(kept)
}

/// Whether a device is listed for its addresses' sake: it has one that passes, or none at all and none was asked for.
fn has_listed(filter: &Filter, device: &Device<'_>, addresses: &[Address<'_>]) -> bool {
    if addresses.is_empty() {
        return filter.family == libc::AF_UNSPEC as u8;
    }
    addresses.iter().any(|address| filter.admits_address(address, device.name()))
}

/// Prints one device with its addresses.
fn record(
    printer: &mut Printer<'_>,
    around: &mut Surroundings<'_, '_>,
    found: &Device<'_>,
    addresses: &[Address<'_>],
    filter: &Filter,
    only_links: bool,
) {
    let packet = filter.family == libc::AF_PACKET as u8;
    let format = around.format;
    // Where addresses are named themselves (or asked for by their label), devices have no line.
    let no_link = filter.label.is_some() || (!packet && format.oneline);
    printer.open_object(None);
    if format.brief || !no_link {
        if !filter.admits(found) {
            return printer.close_object();
        }
        if format.brief {
            device::brief(printer, around, found, packet);
        } else {
            let link_layer = matches!(i32::from(filter.family), libc::AF_UNSPEC | libc::AF_PACKET);
            device::device(printer, around, found, Scope { link: only_links, link_layer, queue_length: true });
            printer.text(format_args!("\n"));
        }
    }
    if !packet {
        printer.open_array("addr_info");
        let layout = Layout { named: format.oneline && !format.brief, brief: format.brief, numeric: format.numeric };
        for address in addresses {
            // JSON has an empty object for what is filtered out.
            printer.open_object(None);
            if filter.admits_address(address, found.name()) {
                print::address(printer, around.links, address, layout);
                printer.text(format_args!("{}", if format.brief { "" } else { "\n" }));
            }
            printer.close_object();
        }
        printer.close_array();
    }
    if format.brief {
        printer.text(format_args!("\n"));
    } else if !no_link && !only_links && format.statistics > 0 {
        statistics::print(printer, &found.attributes, &format);
        printer.text(format_args!("\n"));
    }
    printer.close_object();
    printer.flush_if_long();
}
