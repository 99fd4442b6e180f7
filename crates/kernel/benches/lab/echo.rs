//! Two hosts and a bridge between them: ICMP echo requests from a raw socket, and the replies to it.

use netloom_kernel::{Kernel, SocketId};

use super::*;
use netloom_testkit::netlink::Process;

/// The laboratory.
pub(crate) struct Echo {
    kernel: Kernel,
    process: Process,
    socket: SocketId,
    request: Vec<u8>,
    to: Vec<u8>,
}

/// An echo request with 56 bytes of payload.
pub(crate) fn request() -> Vec<u8> {
    let mut request = vec![8, 0, 0, 0, 0x12, 0x34, 0, 1];
    request.resize(64, 0);
    let sum: u32 = request.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let checksum = !((sum & 0xffff) + (sum >> 16)) as u16;
    request[2..4].copy_from_slice(&checksum.to_be_bytes());
    request
}

impl Echo {
    /// 10.0.0.1 and 10.0.0.2, each behind a port of a bridge, with 56 bytes of payload.
    pub(crate) fn new() -> Echo {
        let (mut kernel, host, here, there) = two_namespaces();
        let third = kernel.create_namespace();
        let mut here = here;
        here.process.0.push(third);
        here.send(&mut kernel, &bridge_request("br0"));
        let bridge = ifindex(&mut kernel, &here, "br0");
        here.send(&mut kernel, &veth_request("p0", "e0", Some(1), Some(bridge)));
        here.send(&mut kernel, &veth_request("p1", "e1", Some(2), Some(bridge)));
        there.send(&mut kernel, &up_request("e0"));
        let index = ifindex(&mut kernel, &there, "e0");
        there.send(&mut kernel, &address_request(index, [10, 0, 0, 1]));
        let far = Netlink::open(&mut kernel, third, 0);
        far.send(&mut kernel, &up_request("e1"));
        let index = ifindex(&mut kernel, &far, "e1");
        far.send(&mut kernel, &address_request(index, [10, 0, 0, 2]));

        let socket = kernel.socket(host, 2, 3, 1).expect("a raw ICMP socket");
        let request = request();
        let mut to = 2u16.to_ne_bytes().to_vec();
        to.extend([0, 0, 10, 0, 0, 2]);
        to.resize(16, 0);
        let mut echo = Echo { kernel, process: Process::default(), socket, request, to };
        // The first one asks for addresses.
        assert!(echo.round_trip(), "the echo comes back");
        echo
    }

    /// One request and its reply; whether that came.
    pub(crate) fn round_trip(&mut self) -> bool {
        let sent = self.kernel.send(self.socket, &self.request, &self.to, 0, &self.process);
        debug_assert_eq!(sent, Ok(64));
        self.kernel.drain(self.socket, usize::MAX, |data| assert_eq!(data.len(), 84)) == Ok(1)
    }
}
