//! Namespace ids: the numbers by which netlink attributes name other namespaces, and their names in `/run/netns`.

use std::collections::HashMap;
use std::io::Write;

use netloom_machine::netlink::{Error, Netlink, Request};
use netloom_machine::{Machine, Netns, NetnsHandle};

/// `NETNSA_NSID`
pub(crate) const NETNSA_NSID: u16 = 1;
/// `NETNSA_FD`
pub(crate) const NETNSA_FD: u16 = 3;
/// `NETNSA_TARGET_NSID`
pub(crate) const NETNSA_TARGET_NSID: u16 = 4;
/// `NETNSA_CURRENT_NSID`
pub(crate) const NETNSA_CURRENT_NSID: u16 = 5;
/// The length of `struct rtgenmsg`, padded.
pub(crate) const RTGENMSG: usize = 4;

/// The names of namespaces by their id, as one namespace numbers them.
#[derive(Default)]
pub(crate) struct Nsids {
    names: Option<HashMap<i32, String>>,
}

impl Nsids {
    /// The name of the namespace with that id, where it has one. The first question reads every name; a name that
    /// stands for no namespace is reported, as iproute2 does.
    pub(crate) fn name(&mut self, machine: &Machine, netns: &Netns, err: &mut dyn Write, id: i32) -> Option<&str> {
        self.names.get_or_insert_with(|| read(machine, netns, err)).get(&id).map(String::as_str)
    }

    /// Reads the names (again).
    pub(crate) fn refresh(&mut self, machine: &Machine, netns: &Netns, err: &mut dyn Write) {
        self.names = Some(read(machine, netns, err));
    }
}

fn read(machine: &Machine, netns: &Netns, err: &mut dyn Write) -> HashMap<i32, String> {
    let mut names = HashMap::new();
    let Ok(mut netlink) = Netlink::open(machine, netns, libc::NETLINK_ROUTE) else { return names };
    for name in machine.netns_list().unwrap_or_default() {
        let Ok(handle) = machine.netns_handle(&Netns::Named(name.clone())) else { continue };
        match nsid(&mut netlink, &handle) {
            Ok(Some(id)) => {
                names.insert(id, name);
            }
            Ok(None) => {}
            Err(error) => super::report(err, &error),
        }
    }
    names
}

/// The id of a namespace; `None` where it has none yet.
pub(crate) fn nsid(netlink: &mut Netlink, handle: &NetnsHandle) -> Result<Option<i32>, Error> {
    let mut request = Request::new(libc::RTM_GETNSID, 0);
    request.put(&[0; RTGENMSG]).u32(NETNSA_FD, handle.number());
    let reply = netlink.get(&mut request)?;
    let id = reply.message().attributes(RTGENMSG).find(NETNSA_NSID).and_then(|attribute| attribute.i32());
    Ok(id.filter(|&id| id >= 0))
}
