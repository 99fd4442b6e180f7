//! What a picture says of a device, in words.

use super::{Address, At, Branch, Device, Far, Topology};

/// Something about a device that one wants to see at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Nobody has brought it up.
    Down,
    /// It is up, and its cable leads to nothing that is.
    NoCarrier,
    /// It is a bridge's port that doesn't forward.
    PortState(&'static str),
    /// It is in promiscuous mode.
    Promiscuous,
}

impl Mark {
    /// As Linux's commands write it.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Mark::Down => "DOWN",
            Mark::NoCarrier => "NO-CARRIER",
            Mark::PortState(state) => state,
            Mark::Promiscuous => "promisc",
        }
    }
}

impl Device {
    /// Its kind, with what distinguishes it there.
    pub(crate) fn kind_text(&self) -> String {
        match (self.kind.as_str(), &self.detail) {
            ("tun", Some(detail)) => detail.clone(),
            (kind, Some(detail)) => format!("{kind} {detail}"),
            (kind, None) => kind.to_owned(),
        }
    }

    pub(crate) fn marks(&self) -> Vec<Mark> {
        let mut marks = Vec::new();
        match (self.up, self.running, self.port_state) {
            (false, ..) => marks.push(Mark::Down),
            (true, false, _) => marks.push(Mark::NoCarrier),
            (true, true, Some(state)) if state != "forwarding" => marks.push(Mark::PortState(state)),
            _ => {}
        }
        if self.promiscuity > 0 {
            marks.push(Mark::Promiscuous);
        }
        marks
    }

    /// Its addresses; without those that an IPv6 device has from itself, unless `all` are wanted.
    pub(crate) fn shown_addresses(&self, all: bool) -> impl Iterator<Item = &Address> {
        self.addresses.iter().filter(move |address| all || !(address.local.is_ipv6() && address.is_of_link()))
    }
}

impl Topology {
    /// The devices to draw: without tunnels that nobody uses, unless `all` are wanted.
    pub(crate) fn shown_tree(&self, namespace: usize, all: bool) -> Vec<Branch> {
        let mut tree = self.tree(namespace);
        tree.retain(|branch| all || !self.device(branch.at).is_some_and(Device::is_unused_tunnel));
        tree
    }

    /// Where a device stands, as seen from a namespace: `veth0`, `veth0 in root`.
    pub(crate) fn place(&self, at: At, from: usize) -> String {
        let name = self.device(at).map_or("?", |device| &device.name);
        if at.namespace == from { name.to_owned() } else { format!("{name} in {}", self.namespace_name(at.namespace)) }
    }

    /// What a device stands on, or what is known of a peer that can't be seen: `on eth0`, `peer if7 in blue`. Nothing of a
    /// cable that is drawn.
    pub(crate) fn relation(&self, at: At) -> Option<String> {
        let device = self.device(at)?;
        let word = if device.is_veth() { "peer" } else { "on" };
        let number = |index: &Option<u32>| index.map_or_else(|| "?".to_owned(), |index| format!("if{index}"));
        match device.far.as_ref()? {
            Far::Found(_) if device.is_veth() => None,
            Far::Found(lower) => Some(format!("{word} {}", self.place(*lower, at.namespace))),
            Far::Closed { namespace, index, .. } => {
                Some(format!("{word} if{index} in {}", self.namespace_name(*namespace)))
            }
            Far::Unknown { index, reason } => Some(format!("{word} {}: {reason}", number(index))),
        }
    }

    /// Whether frames pass a cable.
    pub(crate) fn has_carrier(&self, near: At, far: &Far) -> bool {
        let runs = |at: At| self.device(at).is_some_and(|device| device.running);
        runs(near) && matches!(far, Far::Found(far) if runs(*far))
    }

    fn namespace_name(&self, at: usize) -> String {
        self.namespaces.get(at).map_or_else(|| "?".to_owned(), super::Namespace::name)
    }
}

/// Text for a place where everything is taken as it stands: names may have characters that steer a terminal or turn the
/// direction of writing.
pub(crate) fn printable(text: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}
