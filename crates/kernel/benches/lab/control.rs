//! What clients of the control plane do in numbers: many pairs, many namespaces, long lists.

use netloom_kernel::{Kernel, NsId};

use super::{
    NLM_F_DUMP, NLM_F_REQUEST, RTM_GETLINK, bridge_request, idle_veth_request, ifindex, link_address, up_request,
    veth_request,
};
use netloom_testkit::netlink::{Netlink, ifinfo, kernel, message};

/// How many requests one datagram holds.
const REQUESTS: usize = 64;

/// Datagrams of requests for `count` veth pairs, the first of which is number `first`.
pub(crate) fn pair_requests(first: u32, count: u32) -> Vec<Vec<u8>> {
    let numbers: Vec<u32> = (first..first + count).collect();
    let datagram = |numbers: &[u32]| {
        numbers.iter().flat_map(|number| idle_veth_request(&format!("a{number}"), &format!("b{number}"))).collect()
    };
    numbers.chunks(REQUESTS).map(datagram).collect()
}

/// The same for pairs both of whose ends are then brought up.
pub(crate) fn live_pair_requests(first: u32, count: u32) -> Vec<Vec<u8>> {
    let up = |number| [up_request(&format!("a{number}")), up_request(&format!("b{number}"))].concat();
    pair_requests(first, count).into_iter().chain((first..first + count).map(up)).collect()
}

/// A request for a list of every link.
pub(crate) fn dump_request() -> Vec<u8> {
    message(RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, &ifinfo(0, 0, 0))
}

/// A machine and a netlink socket in its first namespace.
pub(crate) struct Machine {
    pub(crate) kernel: Kernel,
    netlink: Netlink,
    bridge: u32,
    namespaces: Vec<NsId>,
    pairs: u32,
}

impl Machine {
    /// With nothing but a bridge.
    pub(crate) fn new() -> Machine {
        let mut kernel = kernel();
        let root = kernel.root();
        let netlink = Netlink::open(&mut kernel, root, 0);
        netlink.send(&mut kernel, &bridge_request("br0"));
        let bridge = ifindex(&mut kernel, &netlink, "br0");
        Machine { kernel, netlink, bridge, namespaces: Vec::new(), pairs: 0 }
    }

    /// Sends datagrams of requests.
    pub(crate) fn send(&mut self, datagrams: &[Vec<u8>]) {
        for datagram in datagrams {
            self.netlink.send(&mut self.kernel, datagram);
        }
    }

    /// Makes `count` veth pairs, many requests to a datagram.
    pub(crate) fn make_pairs(&mut self, count: u32) {
        self.send(&pair_requests(self.pairs, count));
        self.pairs += count;
    }

    /// Makes `count` namespaces, each with a `lo` and one end of a cable to a bridge.
    pub(crate) fn make_namespaces(&mut self, count: u32) {
        for _ in 0..count {
            let fd = self.namespaces.len() as u32;
            let ns = self.kernel.create_namespace();
            self.namespaces.push(ns);
            self.netlink.process.0.push(ns);
            let request = veth_request(&format!("p{fd}"), "eth0", Some(fd), Some(self.bridge));
            self.netlink.send(&mut self.kernel, &request);
        }
    }

    /// Makes `count` namespaces with nothing but their `lo`.
    pub(crate) fn make_empty_namespaces(&mut self, count: u32) {
        for _ in 0..count {
            let ns = self.kernel.create_namespace();
            self.namespaces.push(ns);
        }
    }

    /// Has the bridge learn `count` addresses from what the bridge's only port receives.
    pub(crate) fn learn(&mut self, count: u32) {
        if self.namespaces.is_empty() {
            self.make_namespaces(1);
        }
        let netlink = Netlink::open(&mut self.kernel, self.namespaces[0], 0);
        netlink.send(&mut self.kernel, &up_request("eth0"));
        let sender = self.kernel.socket(self.namespaces[0], 17, 3, 0).expect("a packet socket");
        let to = link_address([0x88, 0xb5], 2);
        for number in 0..count {
            let [a, b, c, d] = number.to_be_bytes();
            let frame = super::frame([2, 0, 0, 0, 0, 1], [0x02, 0xbb, a, b, c, d], 60);
            self.kernel.send(sender, &frame, &to, 0, &self.netlink.process).expect("sent");
        }
        self.kernel.close(sender);
    }

    /// The bytes of a list of every link.
    pub(crate) fn dump_links(&mut self) -> usize {
        self.netlink.send(&mut self.kernel, &dump_request());
        let mut bytes = 0;
        let _ = self.kernel.drain(self.netlink.socket, usize::MAX, |data| bytes += data.len());
        bytes
    }
}
