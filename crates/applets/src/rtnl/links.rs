//! Devices by name and index, each asked for once.

use std::collections::HashMap;

use netloom_machine::netlink::{Message, Netlink, Request};
use netloom_machine::{Machine, Netns};

/// The longest device name; longer ones are alternative names.
const IFNAMSIZ: usize = 16;
/// As many as are asked for one by one.
const FEW: u32 = 8;
const RTEXT_FILTER_VF: u32 = 1;
const RTEXT_FILTER_SKIP_STATS: u32 = 8;
/// The length of `struct ifinfomsg`.
pub(crate) const IFINFOMSG: usize = 16;

/// What is remembered of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// Its name.
    pub(crate) name: String,
    /// `IFF_*`.
    pub(crate) flags: u32,
    /// `ARPHRD_*`.
    pub(crate) kind: u16,
}

/// The devices of a namespace.
pub(crate) struct Links<'a> {
    machine: &'a Machine,
    netns: Netns,
    netlink: Option<Netlink>,
    by_index: HashMap<u32, Link>,
    by_name: HashMap<String, u32>,
    /// How many devices were asked for by index.
    asked: u32,
}

impl<'a> Links<'a> {
    /// Nothing is asked before the first name.
    pub(crate) fn new(machine: &'a Machine, netns: Netns) -> Links<'a> {
        Links { machine, netns, netlink: None, by_index: HashMap::new(), by_name: HashMap::new(), asked: 0 }
    }

    /// Remembers (or forgets) the device that an `RTM_NEWLINK` (`RTM_DELLINK`) message is about; its index.
    pub(crate) fn learn(&mut self, message: &Message<'_>) -> Option<u32> {
        let header = message.payload.first_chunk::<IFINFOMSG>()?;
        let kind = u16::from_ne_bytes([header[2], header[3]]);
        let index = u32::from_ne_bytes([header[4], header[5], header[6], header[7]]);
        let flags = u32::from_ne_bytes([header[8], header[9], header[10], header[11]]);
        if message.kind == libc::RTM_DELLINK {
            self.forget(index);
            return Some(index);
        }
        let name = message.attributes(IFINFOMSG).find(libc::IFLA_IFNAME)?.string();
        match self.by_index.get_mut(&index) {
            // A device that is renamed meanwhile keeps its name here: `ip monitor` goes on calling it by that.
            Some(known) => {
                (known.flags, known.kind) = (flags, kind);
                if known.name != name {
                    self.by_name.remove(&known.name);
                    self.by_name.insert(name.to_owned(), index);
                }
            }
            None => {
                self.by_name.insert(name.to_owned(), index);
                self.by_index.insert(index, Link { name: name.to_owned(), flags, kind });
            }
        }
        Some(index)
    }

    /// Forgets a device.
    pub(crate) fn forget(&mut self, index: u32) {
        self.by_index.remove(&index);
        self.by_name.retain(|_, known| *known != index);
    }

    /// Remembers every device, so that a long listing asks once and not for each.
    pub(crate) fn learn_all(&mut self) {
        let mut request = Request::new(libc::RTM_GETLINK, 0);
        request.put(&[0; IFINFOMSG]).u32(libc::IFLA_EXT_MASK, RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS);
        let Some(mut netlink) = self.take_netlink() else { return };
        let _ = netlink.dump(&mut request, |message| {
            self.learn(&message);
        });
        self.netlink = Some(netlink);
    }

    /// The index of a device by its name or one of its alternative names; `ifN` is N where there is no such name.
    pub(crate) fn index(&mut self, name: &str) -> Option<u32> {
        if let Some(&index) = self.by_name.get(name) {
            return Some(index);
        }
        let attribute = if name.len() < IFNAMSIZ { libc::IFLA_IFNAME } else { libc::IFLA_ALT_IFNAME };
        let mut request = Request::new(libc::RTM_GETLINK, 0);
        request.put(&[0; IFINFOMSG]);
        request.u32(libc::IFLA_EXT_MASK, RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS).string(attribute, name);
        self.ask(&mut request).or_else(|| name.strip_prefix("if")?.parse().ok())
    }

    /// What is known of a device. Who asks for many asks for all at once.
    pub(crate) fn get(&mut self, index: u32) -> Option<&Link> {
        if !self.by_index.contains_key(&index) {
            self.asked += 1;
            if self.asked == FEW {
                self.learn_all();
            }
        }
        if !self.by_index.contains_key(&index) {
            let mut request = Request::new(libc::RTM_GETLINK, 0);
            request.put(&[0; IFINFOMSG]).patch(4, &index.to_ne_bytes());
            request.u32(libc::IFLA_EXT_MASK, RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS);
            self.ask(&mut request)?;
        }
        self.by_index.get(&index)
    }

    /// A device's name: `*` of index 0, `ifN` where there is no such device.
    pub(crate) fn name(&mut self, index: u32) -> String {
        if index == 0 {
            return "*".to_owned();
        }
        self.get(index).map_or_else(|| format!("if{index}"), |link| link.name.clone())
    }

    fn ask(&mut self, request: &mut Request) -> Option<u32> {
        let mut netlink = self.take_netlink()?;
        let reply = netlink.get(request);
        self.netlink = Some(netlink);
        self.learn(&reply.ok()?.message())
    }

    fn take_netlink(&mut self) -> Option<Netlink> {
        match self.netlink.take() {
            Some(netlink) => Some(netlink),
            None => Netlink::open(self.machine, &self.netns, libc::NETLINK_ROUTE).ok(),
        }
    }
}
