//! How a device looks: the lines (or the JSON object) of one `RTM_NEWLINK` message.

use netloom_machine::netlink::{Attributes, Message, Table};

use super::{info, statistics};
use crate::print::{Colour, Printer, hex_colons};
use crate::rtnl::{IFINFOMSG, print_flags, print_name, print_name_column};

/// The highest attribute type that is looked at, and one.
pub(crate) const IFLA_COUNT: usize = 72;

pub(crate) const IFLA_NEW_NETNSID: u16 = 45;
pub(crate) const IFLA_LINK_NETNSID: u16 = 37;
const IFLA_PROTO_DOWN: u16 = 39;
const IFLA_EVENT: u16 = 44;
pub(crate) const IFLA_NEW_IFINDEX: u16 = 49;
const IFLA_MIN_MTU: u16 = 50;
const IFLA_MAX_MTU: u16 = 51;
const IFLA_PROP_LIST: u16 = 52;
const IFLA_ALT_IFNAME: u16 = 53;
const IFLA_PROTO_DOWN_REASON: u16 = 55;
const IFLA_PARENT_DEV_NAME: u16 = 56;
const IFLA_PARENT_DEV_BUS_NAME: u16 = 57;
const IFLA_GRO_MAX_SIZE: u16 = 58;
const IFLA_TSO_MAX_SIZE: u16 = 59;
const IFLA_TSO_MAX_SEGS: u16 = 60;
const IFLA_ALLMULTI: u16 = 61;

/// `struct ifinfomsg` and the attributes after it.
#[derive(Clone, Copy)]
pub(crate) struct Device<'m> {
    pub(crate) kind: u16,
    pub(crate) index: u32,
    pub(crate) flags: u32,
    pub(crate) attributes: Table<'m, IFLA_COUNT>,
}

impl<'m> Device<'m> {
    /// Reads a message; `None` where it is too short to be one.
    pub(crate) fn parse(message: &Message<'m>) -> Option<Device<'m>> {
        let header = message.payload.first_chunk::<IFINFOMSG>()?;
        Some(Device {
            kind: u16::from_ne_bytes([header[2], header[3]]),
            index: u32::from_ne_bytes([header[4], header[5], header[6], header[7]]),
            flags: u32::from_ne_bytes([header[8], header[9], header[10], header[11]]),
            attributes: message.attributes(IFINFOMSG).table(),
        })
    }

    /// The device's name; `<nil>` where the message has none.
    pub(crate) fn name(&self) -> &'m str {
        self.attributes.string(libc::IFLA_IFNAME).unwrap_or("<nil>")
    }

    /// Its kind (`veth`, `bridge` …), where it has one.
    pub(crate) fn info_kind(&self) -> Option<&'m str> {
        self.attributes.nested(libc::IFLA_LINKINFO).find(info::IFLA_INFO_KIND).map(|kind| kind.string())
    }

    /// Its kind as a port.
    pub(crate) fn slave_kind(&self) -> Option<&'m str> {
        self.attributes.nested(libc::IFLA_LINKINFO).find(info::IFLA_INFO_SLAVE_KIND).map(|kind| kind.string())
    }
}

/// What is printed of a device.
#[derive(Clone, Copy, Default)]
pub(crate) struct Scope {
    /// For `ip link`, which shows more than `ip address` does.
    pub(crate) link: bool,
    /// The link-layer line: not where only addresses of a family were asked for.
    pub(crate) link_layer: bool,
    /// The queue's length: not in notifications.
    pub(crate) queue_length: bool,
}

const OPERSTATES: &[&str] = &["UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN", "TESTING", "DORMANT", "UP"];
const LINK_MODES: &[&str] = &["DEFAULT", "DORMANT"];
const EVENTS: &[&str] =
    &["NONE", "REBOOT", "FEATURE CHANGE", "BONDING FAILOVER", "NOTIFY PEERS", "RESEND IGMP", "BONDING OPTION"];

/// What surrounds a device while it is printed: names of other devices and namespaces, and options.
///
/// The parts of a [`Session`](crate::rtnl::Session) that printing needs, so that the netlink socket stays free for a dump.
macro_rules! surroundings {
    ($session:expr) => {
        $crate::ip::link::print::Surroundings {
            machine: $session.machine,
            netns: &$session.netns,
            err: &mut *$session.err,
            format: $session.format,
            links: &mut $session.links,
            name_namespaces: true,
            nsids: &mut $session.nsids,
        }
    };
}
pub(crate) use surroundings;

/// See [`surroundings`].
pub(crate) struct Surroundings<'s, 'a> {
    pub(crate) machine: &'s netloom_machine::Machine,
    pub(crate) netns: &'s netloom_machine::Netns,
    pub(crate) err: &'s mut dyn std::io::Write,
    pub(crate) format: crate::print::Format,
    pub(crate) links: &'s mut crate::rtnl::Links<'a>,
    /// Whether namespaces are shown by name, where they have one.
    pub(crate) name_namespaces: bool,
    pub(crate) nsids: &'s mut crate::rtnl::nsids::Nsids,
}

/// Prints a device within an object that is already open, without the end of its last line.
pub(crate) fn device(printer: &mut Printer<'_>, around: &mut Surroundings<'_, '_>, device: &Device<'_>, scope: Scope) {
    let attributes = &device.attributes;
    printer.field("ifindex", device.index, format_args!("{}: ", device.index));
    let lower_down = print_name(printer, around.links, device.name(), attributes);
    print_flags(printer, device.flags, lower_down);
    if let Some(mtu) = attributes.u32(libc::IFLA_MTU) {
        printer.field("mtu", mtu, format_args!("mtu {mtu} "));
    }
    if let Some(qdisc) = attributes.string(libc::IFLA_QDISC) {
        printer.field("qdisc", qdisc, format_args!("qdisc {qdisc} "));
    }
    if let Some(master) = attributes.u32(libc::IFLA_MASTER) {
        let master = around.links.name(master);
        printer.field("master", &master, format_args!("master {master} "));
    }
    if let Some(state) = attributes.u8(libc::IFLA_OPERSTATE) {
        operstate(printer, state);
    }
    if scope.link
        && let Some(mode) = attributes.u8(libc::IFLA_LINKMODE)
    {
        match LINK_MODES.get(usize::from(mode)) {
            Some(name) => printer.field("linkmode", *name, format_args!("mode {name} ")),
            None => printer.field("linkmode_index", mode, format_args!("mode {mode} ")),
        }
    }
    if let Some(group) = attributes.u32(libc::IFLA_GROUP) {
        let group = super::group_name(group, around.format.numeric);
        printer.field("group", &group, format_args!("group {group} "));
    }
    if scope.queue_length {
        // IPv6's own dump of devices does not tell.
        let length = attributes.u32(libc::IFLA_TXQLEN).or_else(|| queue_length(around, device.name()));
        if let Some(length) = length.filter(|&length| length > 0) {
            printer.field("txqlen", length, format_args!("qlen {length}"));
        }
    }
    if let Some(event) = attributes.u32(IFLA_EVENT) {
        match EVENTS.get(event as usize) {
            Some(name) => printer.field("event", *name, format_args!("event {name} ")),
            None => printer.field("event", event, format_args!("event {event} ")),
        }
    }
    let details = around.format.details > 0;
    if scope.link_layer || details {
        link_layer(printer, around, device, scope);
    }
    if let Some(alias) = attributes.string(libc::IFLA_IFALIAS).filter(|_| scope.link || details) {
        printer.line_break();
        printer.field("ifalias", alias, format_args!("    alias {alias}"));
    }
    if scope.link && around.format.statistics > 0 {
        printer.line_break();
        statistics::print(printer, attributes, &around.format);
    }
    if attributes.has(IFLA_PROP_LIST) {
        printer.open_array("altnames");
        for name in attributes.nested(IFLA_PROP_LIST).filter(|name| name.kind == IFLA_ALT_IFNAME) {
            let name = name.string();
            printer.line_break();
            printer.element(name, format_args!("    altname {name}"));
        }
        printer.close_array();
    }
}

/// Prints the one line of `-br` but its end: of `ip link`, or of `ip address` up to the addresses.
pub(crate) fn brief(printer: &mut Printer<'_>, around: &mut Surroundings<'_, '_>, device: &Device<'_>, link: bool) {
    let lower_down = print_name_column(printer, around.links, device.name(), &device.attributes);
    if let Some(state) = device.attributes.u8(libc::IFLA_OPERSTATE) {
        match OPERSTATES.get(usize::from(state)) {
            Some(name) => printer.coloured(state_colour(state), "operstate", *name, format_args!("{name:<14} ")),
            None => printer.field("operstate_index", state, format_args!("state {state:#x} ")),
        }
    }
    if link {
        if let Some(address) = device.attributes.bytes(libc::IFLA_ADDRESS) {
            let address = link_layer_address(address, device.kind);
            printer.coloured(Colour::Mac, "address", &address, format_args!("{address} "));
        }
        print_flags(printer, device.flags, lower_down);
    }
}

/// The length of a device's queue, by ioctl(2).
fn queue_length(around: &Surroundings<'_, '_>, name: &str) -> Option<u32> {
    const SIOCGIFTXQLEN: u32 = 0x8942;
    let socket = around.machine.socket(around.netns, libc::AF_INET, libc::SOCK_DGRAM, 0).ok()?;
    let mut request = [0; 40];
    request.get_mut(..name.len()).filter(|place| place.len() < 16)?.copy_from_slice(name.as_bytes());
    socket.ioctl(SIOCGIFTXQLEN, &mut request).ok()?;
    request[16..].first_chunk().copied().map(u32::from_ne_bytes)
}

fn state_colour(state: u8) -> Colour {
    match state {
        2 => Colour::Down,
        6 => Colour::Up,
        _ => Colour::None,
    }
}

fn operstate(printer: &mut Printer<'_>, state: u8) {
    match OPERSTATES.get(usize::from(state)) {
        Some(name) => {
            printer.text(format_args!("state "));
            printer.coloured(state_colour(state), "operstate", *name, format_args!("{name} "));
        }
        None => printer.field("operstate_index", state, format_args!("state {state:#x} ")),
    }
}

fn link_layer(printer: &mut Printer<'_>, around: &mut Surroundings<'_, '_>, device: &Device<'_>, scope: Scope) {
    let attributes = &device.attributes;
    let kind = super::arphrd::name(device.kind, around.format.numeric);
    printer.line_break();
    printer.field("link_type", &kind, format_args!("    link/{kind} "));
    if let Some(address) = attributes.bytes(libc::IFLA_ADDRESS) {
        let address = link_layer_address(address, device.kind);
        printer.coloured(Colour::Mac, "address", &address, format_args!("{address}"));
    }
    if let Some(address) = attributes.bytes(libc::IFLA_BROADCAST) {
        if device.flags & libc::IFF_POINTOPOINT as u32 != 0 {
            printer.field("link_pointtopoint", true, format_args!(" peer "));
        } else {
            printer.text(format_args!(" brd "));
        }
        let address = link_layer_address(address, device.kind);
        printer.coloured(Colour::Mac, "broadcast", &address, format_args!("{address}"));
    }
    if let Some(id) = attributes.i32(IFLA_LINK_NETNSID) {
        netns_id(printer, around, "link_netnsid", "link-netns", id);
    }
    if let Some(id) = attributes.i32(IFLA_NEW_NETNSID) {
        netns_id(printer, around, "new_netnsid", "new-netns", id);
    }
    if let Some(index) = attributes.u32(IFLA_NEW_IFINDEX) {
        printer.field("new_ifindex", index, format_args!(" new-ifindex {index}"));
    }
    if attributes.u8(IFLA_PROTO_DOWN).is_some_and(|down| down != 0) {
        printer.field("proto_down", true, format_args!(" protodown on "));
        protodown_reason(printer, attributes.nested(IFLA_PROTO_DOWN_REASON));
    }
    if around.format.details == 0 {
        return;
    }
    let mut number = |kind, key: &str, text: &str, end: &str| {
        if let Some(value) = attributes.u32(kind) {
            printer.field(key, value, format_args!("{text} {value}{end}"));
        }
    };
    number(libc::IFLA_PROMISCUITY, "promiscuity", " promiscuity", " ");
    number(IFLA_ALLMULTI, "allmulti", " allmulti", " ");
    number(IFLA_MIN_MTU, "min_mtu", "minmtu", " ");
    number(IFLA_MAX_MTU, "max_mtu", "maxmtu", " ");
    if attributes.has(libc::IFLA_LINKINFO) {
        info::print(printer, around, attributes.nested(libc::IFLA_LINKINFO));
    }
    if scope.link {
        address_generation(printer, attributes.nested(libc::IFLA_AF_SPEC));
    }
    let mut number = |kind, key: &str, text: &str| {
        if let Some(value) = attributes.u32(kind) {
            printer.field(key, value, format_args!("{text} {value} "));
        }
    };
    number(libc::IFLA_NUM_TX_QUEUES, "num_tx_queues", "numtxqueues");
    number(libc::IFLA_NUM_RX_QUEUES, "num_rx_queues", "numrxqueues");
    number(libc::IFLA_GSO_MAX_SIZE, "gso_max_size", "gso_max_size");
    number(libc::IFLA_GSO_MAX_SEGS, "gso_max_segs", "gso_max_segs");
    number(IFLA_TSO_MAX_SIZE, "tso_max_size", "tso_max_size");
    number(IFLA_TSO_MAX_SEGS, "tso_max_segs", "tso_max_segs");
    number(IFLA_GRO_MAX_SIZE, "gro_max_size", "gro_max_size");
    if let Some(name) = attributes.string(libc::IFLA_PHYS_PORT_NAME) {
        printer.field("phys_port_name", name, format_args!("portname {name} "));
    }
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    if let Some(id) = attributes.bytes(libc::IFLA_PHYS_PORT_ID).map(hex) {
        printer.field("phys_port_id", &id, format_args!("portid {id} "));
    }
    if let Some(id) = attributes.bytes(libc::IFLA_PHYS_SWITCH_ID).map(hex) {
        printer.field("phys_switch_id", &id, format_args!("switchid {id} "));
    }
    if let Some(bus) = attributes.string(IFLA_PARENT_DEV_BUS_NAME) {
        printer.field("parentbus", bus, format_args!("parentbus {bus} "));
    }
    if let Some(name) = attributes.string(IFLA_PARENT_DEV_NAME) {
        printer.field("parentdev", name, format_args!("parentdev {name} "));
    }
}

/// An address of the link layer: as bytes, or as the IP address that it is of a tunnel.
pub(crate) fn link_layer_address(bytes: &[u8], kind: u16) -> String {
    let tunnel = [libc::ARPHRD_TUNNEL, libc::ARPHRD_SIT, libc::ARPHRD_IPGRE].contains(&kind);
    let tunnel6 = [libc::ARPHRD_TUNNEL6, 823].contains(&kind);
    match bytes.len() {
        4 if tunnel => crate::print::ip_address(libc::AF_INET as u8, bytes),
        16 if tunnel6 => crate::print::ip_address(libc::AF_INET6 as u8, bytes),
        _ => None,
    }
    .map_or_else(|| hex_colons(bytes), |address| address.to_string())
}

fn netns_id(printer: &mut Printer<'_>, around: &mut Surroundings<'_, '_>, key: &str, text: &str, id: i32) {
    if id < 0 {
        return printer.field(key, "unknown", format_args!(" {text}id unknown"));
    }
    if printer.is_json() {
        return printer.json(key, id);
    }
    let name = around.name_namespaces.then(|| around.nsids.name(around.machine, around.netns, around.err, id));
    match name.flatten() {
        Some(name) => printer.text(format_args!(" {text} {name}")),
        None => printer.text(format_args!(" {text}id {id}")),
    }
}

fn protodown_reason(printer: &mut Printer<'_>, reason: Attributes<'_>) {
    const IFLA_PROTO_DOWN_REASON_VALUE: u16 = 2;
    let Some(bits) = reason.find(IFLA_PROTO_DOWN_REASON_VALUE).and_then(|value| value.u32()).filter(|&bits| bits != 0)
    else {
        return;
    };
    printer.open_array("proto_down_reason");
    printer.text(format_args!("protodown_reason <"));
    let mut separator = "";
    for bit in (0..32).filter(|bit| bits & (1 << bit) != 0) {
        printer.element(&bit.to_string(), format_args!("{separator}{bit}"));
        separator = ",";
    }
    printer.text(format_args!("> "));
    printer.close_array();
}

/// The names of `IN6_ADDR_GEN_MODE_*`.
pub(crate) const ADDRESS_GENERATION: &[&str] = &["eui64", "none", "stable_secret", "random"];

fn address_generation(printer: &mut Printer<'_>, families: Attributes<'_>) {
    const IFLA_INET6_ADDR_GEN_MODE: u16 = 8;
    let inet6 = families.find(libc::AF_INET6 as u16).map(|inet6| inet6.attributes()).unwrap_or_default();
    if let Some(mode) = inet6.find(IFLA_INET6_ADDR_GEN_MODE).and_then(|mode| mode.u8()) {
        match ADDRESS_GENERATION.get(usize::from(mode)) {
            Some(name) => printer.field("inet6_addr_gen_mode", *name, format_args!("addrgenmode {name} ")),
            None => {
                let text = format!("{mode:#02x}");
                printer.field("inet6_addr_gen_mode", &text, format_args!("addrgenmode {text} "));
            }
        }
    }
}
