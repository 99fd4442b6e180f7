//! An embedded kernel on a desk: topologies, frames in and out, files, and a clock that the test moves.
//!
//! Everything goes through the kernel's public interface, in Linux's bytes.

use std::net::Ipv4Addr;
use std::time::Duration;

use netloom_kernel::{Caller, Config, Errno, Instant, Kernel, MacAddr, NsId, SocketId};

use crate::netlink::{Netlink, Process, attr, ifinfo, text_attr, u32_attr};

const NEWLINK: u16 = 16;
const DELLINK: u16 = 17;
const SETLINK: u16 = 19;
const NEWADDR: u16 = 20;
const NEWROUTE: u16 = 24;
const CREATE_EXCLUSIVE: u16 = 0x600;

const IFLA_IFNAME: u16 = 3;
const IFLA_MASTER: u16 = 10;
const IFLA_LINKINFO: u16 = 18;
const IFLA_NET_NS_FD: u16 = 28;

const AF_INET: i32 = 2;
const AF_PACKET: i32 = 17;
const SOCK_RAW: i32 = 3;
const ETH_P_ALL: u16 = 3;

/// A kernel, its clock and its namespaces.
pub struct Lab {
    /// The kernel itself.
    pub kernel: Kernel,
    now: Instant,
    polls: u64,
    /// Descriptor n of the calling process is the n-th namespace that was made; 0 is the root.
    namespaces: Vec<NsId>,
}

impl Lab {
    /// A kernel that has just booted.
    pub fn new(seed: u64) -> Lab {
        let now = Instant(1_000_000_000);
        let config = Config { seed, cpus: 2, wall_clock: Duration::from_secs(1_700_000_000), hostname: "lab".into() };
        let kernel = Kernel::new(config, now);
        let root = kernel.root();
        Lab { kernel, now, polls: 0, namespaces: vec![root] }
    }

    /// The first namespace.
    pub fn root(&self) -> NsId {
        self.kernel.root()
    }

    /// A fresh namespace.
    pub fn namespace(&mut self) -> NsId {
        let ns = self.kernel.create_namespace();
        self.namespaces.push(ns);
        ns
    }

    /// Lets go of a namespace.
    pub fn release(&mut self, ns: NsId) {
        self.namespaces.retain(|known| *known != ns);
        self.kernel.release_namespace(ns);
    }

    /// The process that makes the calls.
    pub fn process(&self) -> Process {
        Process(self.namespaces.clone())
    }

    fn descriptor(&self, ns: NsId) -> u32 {
        self.namespaces.iter().position(|known| *known == ns).expect("a namespace of this lab") as u32
    }

    /// Time as the kernel knows it.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// How often the kernel has been polled.
    pub fn polls(&self) -> u64 {
        self.polls
    }

    /// Lets time pass, stopping at every deadline on the way as an event loop would.
    pub fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        while let Some(deadline) = self.kernel.deadline().filter(|deadline| *deadline <= end) {
            self.poll(deadline);
        }
        self.poll(end);
    }

    /// One poll, not before now.
    pub fn poll(&mut self, at: Instant) {
        self.now = self.now.max(at);
        self.kernel.poll(self.now);
        self.polls += 1;
    }

    /// An rtnetlink request that is acknowledged: its errno.
    pub fn ask(&mut self, ns: NsId, kind: u16, flags: u16, body: &[u8]) -> i32 {
        let mut netlink = Netlink::open(&mut self.kernel, ns, 0);
        netlink.process = self.process();
        let (errno, _) = netlink.ask(&mut self.kernel, kind, flags, body);
        self.kernel.close(netlink.socket);
        errno
    }

    fn must(&mut self, ns: NsId, kind: u16, flags: u16, body: &[u8]) {
        let errno = self.ask(ns, kind, flags, body);
        assert_eq!(errno, 0, "request {kind}: {:?}", Errno(errno));
    }

    /// Asks for a veth pair: its errno.
    pub fn try_veth(&mut self, ns: NsId, name: &str, peer_ns: NsId, peer: &str) -> i32 {
        let descriptor = self.descriptor(peer_ns);
        let peer = [ifinfo(0, 0, 0), text_attr(IFLA_IFNAME, peer), u32_attr(IFLA_NET_NS_FD, descriptor)].concat();
        let info = [text_attr(1, "veth"), attr(2, &attr(1, &peer))].concat();
        let body = [ifinfo(0, 0, 0), text_attr(IFLA_IFNAME, name), attr(IFLA_LINKINFO, &info)].concat();
        self.ask(ns, NEWLINK, CREATE_EXCLUSIVE, &body)
    }

    /// A veth pair whose ends are up.
    pub fn veth(&mut self, ns: NsId, name: &str, peer_ns: NsId, peer: &str) {
        assert_eq!(self.try_veth(ns, name, peer_ns, peer), 0, "{name}, {peer}");
        self.up(ns, name);
        self.up(peer_ns, peer);
    }

    /// A bridge that is up.
    pub fn bridge(&mut self, ns: NsId, name: &str) {
        let info = text_attr(1, "bridge");
        let body = [ifinfo(0, 0, 0), text_attr(IFLA_IFNAME, name), attr(IFLA_LINKINFO, &info)].concat();
        self.must(ns, NEWLINK, CREATE_EXCLUSIVE, &body);
        self.up(ns, name);
    }

    /// Makes a device a port of a bridge.
    pub fn join(&mut self, ns: NsId, name: &str, bridge: &str) {
        let bridge = self.ifindex(ns, bridge);
        let body = [ifinfo(self.ifindex(ns, name) as i32, 0, 0), u32_attr(IFLA_MASTER, bridge)].concat();
        self.must(ns, SETLINK, 0, &body);
    }

    /// Brings a device up.
    pub fn up(&mut self, ns: NsId, name: &str) {
        let index = self.ifindex(ns, name) as i32;
        self.must(ns, SETLINK, 0, &ifinfo(index, 1, 1));
    }

    /// Takes it down.
    pub fn down(&mut self, ns: NsId, name: &str) {
        let index = self.ifindex(ns, name) as i32;
        self.must(ns, SETLINK, 0, &ifinfo(index, 0, 1));
    }

    /// Deletes a device.
    pub fn delete(&mut self, ns: NsId, name: &str) {
        let index = self.ifindex(ns, name) as i32;
        self.must(ns, DELLINK, 0, &ifinfo(index, 0, 0));
    }

    /// Gives a device an IPv4 address.
    pub fn address(&mut self, ns: NsId, name: &str, address: Ipv4Addr, prefix: u8) {
        let mut body = vec![AF_INET as u8, prefix, 0, 0];
        body.extend(self.ifindex(ns, name).to_ne_bytes());
        body.extend(attr(2, &address.octets()));
        self.must(ns, NEWADDR, CREATE_EXCLUSIVE, &body);
    }

    /// A default route.
    pub fn default_route(&mut self, ns: NsId, gateway: Ipv4Addr) {
        // family, lengths, tos, table main, protocol boot, scope universe, unicast, flags
        let mut body = vec![AF_INET as u8, 0, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0];
        body.extend(attr(5, &gateway.octets()));
        self.must(ns, NEWROUTE, CREATE_EXCLUSIVE, &body);
    }

    /// A file's text.
    pub fn read(&self, ns: NsId, path: &str) -> String {
        let bytes = self.kernel.read_file(ns, path).unwrap_or_else(|error| panic!("{path}: {error:?}"));
        String::from_utf8(bytes).expect("text")
    }

    /// Writes to a file.
    pub fn write(&mut self, ns: NsId, path: &str, text: &str) {
        self.kernel.write_file(ns, path, text.as_bytes()).unwrap_or_else(|error| panic!("{path}: {error:?}"));
    }

    /// A device's ifindex.
    pub fn ifindex(&self, ns: NsId, name: &str) -> u32 {
        self.read(ns, &format!("/sys/class/net/{name}/ifindex")).trim().parse().expect("a number")
    }

    /// A device's MAC address.
    pub fn mac(&self, ns: NsId, name: &str) -> MacAddr {
        let text = self.read(ns, &format!("/sys/class/net/{name}/address"));
        let bytes: Vec<u8> = text.trim().split(':').map(|byte| u8::from_str_radix(byte, 16).expect("hex")).collect();
        MacAddr::from_slice(&bytes).expect("six bytes")
    }

    /// A packet socket that sees every frame of a device, and sends through it.
    pub fn packet_socket(&mut self, ns: NsId, name: &str) -> SocketId {
        let socket = self.kernel.socket(ns, AF_PACKET, SOCK_RAW, i32::from(ETH_P_ALL.to_be())).expect("a socket");
        let mut address = (AF_PACKET as u16).to_ne_bytes().to_vec();
        address.extend(ETH_P_ALL.to_be_bytes());
        address.extend(self.ifindex(ns, name).to_ne_bytes());
        address.resize(20, 0);
        self.kernel.bind(socket, &address, &Process::default()).expect("a device");
        socket
    }

    /// Sends bytes through a socket that knows where to.
    pub fn send(&mut self, socket: SocketId, bytes: &[u8]) -> Result<usize, Errno> {
        let process = self.process();
        self.kernel.send(socket, bytes, &[], 0, &process as &dyn Caller)
    }

    /// Everything that has arrived at a socket; errors (its device is down, is gone) are passed over.
    pub fn received(&mut self, socket: SocketId) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        loop {
            match self.kernel.receive(socket, 0) {
                Ok(datagram) => all.push(datagram.data),
                Err(Errno::EAGAIN | Errno::EBADF) => return all,
                Err(_) => {}
            }
        }
    }

    /// The log so far, with times.
    pub fn log(&self) -> Vec<String> {
        self.kernel.log().from(0).map(|record| format!("[{}] {}", record.time.0, record.text)).collect()
    }
}
