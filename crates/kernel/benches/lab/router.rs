//! A router between two cables, with many routes: frames from socket to veth, through IPv4's forwarding, to veth and socket.

use netloom_kernel::{Kernel, SocketId};

use super::switch::BATCH;
use super::*;
use netloom_testkit::netlink::Process;

/// The MAC addresses of the router's end of the first cable, and of the station at the far end of the second.
const ROUTER: [u8; 6] = [0x02, 0xcc, 0, 0, 0, 1];
const STATION: [u8; 6] = [0x02, 0xcc, 0, 0, 0, 2];
/// The router's addresses, and the gateway that every route leads to.
const NEAR: [u8; 4] = [10, 0, 0, 1];
const FAR: [u8; 4] = [10, 1, 0, 1];
const GATEWAY: [u8; 4] = [10, 1, 0, 2];
/// The first prefix; the others follow, 24 bits long.
const PREFIX: u32 = 16 << 24;
/// How many different packets are sent in turn.
const PACKETS: usize = 4_096;

/// Requests for the cables r0 to e0 and r1 to e1, the far ends in the namespace behind descriptor `stations`.
pub(crate) fn cable_requests(stations: u32) -> Vec<Vec<u8>> {
    (0..2).map(|number| veth_request(&format!("r{number}"), &format!("e{number}"), Some(stations), None)).collect()
}

/// Requests in the router's namespace: the devices' addresses, and the gateway's.
pub(crate) fn address_requests(near: u32, far: u32) -> Vec<Vec<u8>> {
    let mac = [ifinfo(near as i32, 0, 0), attr(1, &ROUTER)].concat();
    let gateway = [attr(1, &GATEWAY), attr(2, &STATION)].concat();
    vec![
        message(RTM_NEWLINK, NLM_F_REQUEST, &mac),
        address_request(near, NEAR),
        address_request(far, FAR),
        neighbour_request(2, far, 0x80, 0, &gateway),
    ]
}

/// Datagrams of requests for `count` routes to the gateway.
pub(crate) fn route_requests(count: u32) -> Vec<Vec<u8>> {
    let route = |number: u32| {
        // family, lengths, tos, table main, protocol static, scope universe, unicast, flags
        let mut body = vec![2, 24, 0, 0, 254, 4, 0, 1, 0, 0, 0, 0];
        body.extend(attr(1, &(PREFIX + (number << 8)).to_be_bytes()));
        body.extend(attr(5, &GATEWAY));
        message(RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_CREATE, &body)
    };
    let numbers: Vec<u32> = (0..count).collect();
    numbers.chunks(BATCH).map(|numbers| numbers.iter().flat_map(|number| route(*number)).collect()).collect()
}

/// Frames of 64 bytes to the router, whose packets go to any of `count` prefixes.
pub(crate) fn frames(count: u32) -> Vec<Vec<u8>> {
    let mut state = 0x9e37_79b9_7f4a_7c15;
    let frame = |_| {
        let to = PREFIX + ((next_random(&mut state) as u32 % count) << 8) + 9;
        let mut header = [&[0x45, 0, 0, 50, 0, 0, 0, 0, 64, 253, 0, 0, 10, 0, 0, 2][..], &to.to_be_bytes()].concat();
        let sum: u32 = header.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
        let checksum = !((sum & 0xffff) + (sum >> 16)) as u16;
        header[10..12].copy_from_slice(&checksum.to_be_bytes());
        let mut frame = [&ROUTER[..], &[0x02, 0xcc, 0, 0, 0, 3], &[0x08, 0x00], &header].concat();
        frame.resize(64, 0x5a);
        frame
    };
    (0..PACKETS).map(frame).collect()
}

/// The laboratory.
pub(crate) struct Router {
    kernel: Kernel,
    process: Process,
    netlink: Netlink,
    sender: SocketId,
    receiver: SocketId,
    frames: Vec<Vec<u8>>,
    at: usize,
}

impl Router {
    /// With that many routes.
    pub(crate) fn new(routes: u32) -> Router {
        let (mut kernel, stations, here, there) = two_namespaces();
        let index = |kernel: &mut Kernel, netlink, name| ifindex(kernel, netlink, name);
        for request in cable_requests(1) {
            here.send(&mut kernel, &request);
        }
        for end in ["e0", "e1"] {
            there.send(&mut kernel, &up_request(end));
        }
        let (near, far) = (index(&mut kernel, &here, "r0"), index(&mut kernel, &here, "r1"));
        for request in address_requests(near, far).into_iter().chain(route_requests(routes)) {
            here.send(&mut kernel, &request);
        }
        let root = kernel.root();
        kernel.write_file(root, "/proc/sys/net/ipv4/ip_forward", b"1").expect("a setting");

        let process = Process::default();
        let sender = kernel.socket(stations, 17, 3, 0).expect("a packet socket");
        let out = index(&mut kernel, &there, "e0");
        kernel.bind(sender, &link_address([0, 0], out), &process).expect("bind");
        let receiver = kernel.socket(stations, 17, 3, 0).expect("a packet socket");
        kernel.set_option(receiver, 1, 33, &(2i32 << 20).to_ne_bytes()).expect("SO_RCVBUFFORCE");
        let back = index(&mut kernel, &there, "e1");
        let [low, high] = (EVERYTHING as u16).to_ne_bytes();
        kernel.bind(receiver, &link_address([low, high], back), &process).expect("bind");
        Router { kernel, process, netlink: here, sender, receiver, frames: frames(routes), at: 0 }
    }

    /// Asks for the route to the destination of one of the packets, as `ip route get` does.
    pub(crate) fn route_get(&mut self) {
        let mut body = vec![2, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        body.extend(attr(1, &self.frames[self.at][30..34]));
        self.at = (self.at + 1) % self.frames.len();
        self.netlink.send(&mut self.kernel, &message(RTM_GETROUTE, NLM_F_REQUEST, &body));
        let mut kind = None;
        let _ = self.kernel.drain(self.netlink.socket, usize::MAX, |reply| kind = reply.get(4).copied());
        assert_eq!(kind, Some(RTM_NEWROUTE as u8), "there is a route");
    }

    /// Sends a batch of frames and takes them where they arrive; how many arrived.
    pub(crate) fn batch(&mut self, count: usize) -> usize {
        let messages = self.frames.iter().cycle().skip(self.at).take(count).map(|data| (&data[..], &[][..]));
        let sent = self.kernel.send_many(self.sender, messages, 0, &self.process);
        assert_eq!(sent, Ok(count));
        self.at = (self.at + count) % self.frames.len();
        self.kernel.drain(self.receiver, usize::MAX, |data| assert_eq!(data.len(), 64)).unwrap_or(0)
    }
}
