//! A bridge with stations behind its ports: frames from socket to veth to bridge to veth to socket.

use netloom_kernel::{Kernel, NsId, SocketId};

use super::{
    EVERYTHING, EXPERIMENT, IFLA_IFNAME, IFLA_LINKINFO, NLM_F_REQUEST, RTM_NEWLINK, bridge_request, frame, ifindex,
    link_address, neighbour_request, next_random, port_request, two_namespaces, up_request, veth_request,
};
use netloom_testkit::netlink::{Netlink, Process, attr, ifinfo, message, text_attr};

/// How many frames are sent before the receiver takes them.
pub(crate) const BATCH: usize = 64;

/// A bridge in one namespace, and in another the far ends of the cables that are plugged into its ports.
pub(crate) struct Switch {
    kernel: Kernel,
    /// Where the far ends are.
    stations: NsId,
    process: Process,
    sender: SocketId,
    receiver: SocketId,
    sent: Frames,
    at: usize,
}

/// What is sent in turn, side by side, so that it is the switch that waits for memory and not the sender.
#[derive(Default)]
struct Frames {
    bytes: Vec<u8>,
    /// Of each frame.
    length: usize,
    /// The addresses of the devices that they leave through; none is needed where the sender is bound.
    outlets: Vec<Vec<u8>>,
    /// By number, for each frame.
    outlet: Vec<u16>,
}

impl Frames {
    fn new(outlets: Vec<Vec<u8>>, frames: impl IntoIterator<Item = (Vec<u8>, u16)>) -> Frames {
        let mut new = Frames { outlets, ..Frames::default() };
        for (frame, outlet) in frames {
            new.length = frame.len();
            new.bytes.extend(frame);
            new.outlet.push(outlet);
        }
        new
    }

    /// Of a sender that is bound.
    fn bound(frames: impl IntoIterator<Item = Vec<u8>>) -> Frames {
        Frames::new(vec![Vec::new()], frames.into_iter().map(|frame| (frame, 0)))
    }

    fn len(&self) -> usize {
        self.outlet.len()
    }

    fn from(&self, at: usize) -> impl Iterator<Item = (&[u8], &[u8])> {
        let frames = self.bytes[at * self.length..].chunks_exact(self.length);
        frames.zip(&self.outlet[at..]).map(|(frame, outlet)| (frame, &self.outlets[usize::from(*outlet)][..]))
    }
}

fn station(port: u32, number: u32) -> [u8; 6] {
    let [_, _, a, b] = port.to_be_bytes();
    let [_, _, c, d] = number.to_be_bytes();
    [0x02, 0xaa, a, b, c, d]
}

/// A request that turns every flag of a bridge port (`IFLA_BRPORT_…`) over; isolated ports don't reach each other.
fn flags_request(port: &str, isolated: bool) -> Vec<u8> {
    let on = [4, 5, 6, 7, 28, 10, 12, 29, 32, 39, 40, 43].map(|flag| (flag, 1));
    let off = [8, 9, 27, 30].map(|flag| (flag, 0));
    let flags = on.into_iter().chain(off).chain([(33, u8::from(isolated))]);
    let data: Vec<u8> = flags.flat_map(|(flag, value)| attr(flag, &[value])).collect();
    let info = [text_attr(4, "bridge"), attr(5, &data)].concat();
    let body = [ifinfo(0, 0, 0), text_attr(IFLA_IFNAME, port), attr(IFLA_LINKINFO, &info)].concat();
    message(RTM_NEWLINK, NLM_F_REQUEST, &body)
}

impl Switch {
    fn new(ports: u32) -> (Switch, Netlink, Vec<u32>) {
        let (mut kernel, stations, here, there) = two_namespaces();
        here.send(&mut kernel, &bridge_request("br0"));
        let bridge = ifindex(&mut kernel, &here, "br0");
        for port in 0..ports {
            let request = veth_request(&format!("p{port}"), &format!("e{port}"), Some(1), Some(bridge));
            here.send(&mut kernel, &request);
            there.send(&mut kernel, &up_request(&format!("e{port}")));
        }
        let cables = (0..ports).map(|port| ifindex(&mut kernel, &there, &format!("e{port}"))).collect();
        let sender = kernel.socket(stations, 17, 3, 0).expect("a packet socket");
        let receiver = kernel.socket(stations, 17, 3, 0).expect("a packet socket");
        kernel.set_option(receiver, 1, 33, &(2i32 << 20).to_ne_bytes()).expect("SO_RCVBUFFORCE");
        kernel.set_option(receiver, 263, 23, &1i32.to_ne_bytes()).expect("PACKET_IGNORE_OUTGOING");
        let process = Process::default();
        (Switch { kernel, stations, process, sender, receiver, sent: Frames::default(), at: 0 }, here, cables)
    }

    /// Has the receiver listen: on one device, or with 0 on all.
    fn listen(&mut self, ifindex: u32) {
        let [low, high] = (EVERYTHING as u16).to_ne_bytes();
        self.kernel.bind(self.receiver, &link_address([low, high], ifindex), &self.process).expect("bind");
        self.take();
        // A batch of one flow is one call, too.
        while (1..BATCH).contains(&self.sent.len()) {
            self.sent.bytes.extend_from_within(..);
            self.sent.outlet.extend_from_within(..);
        }
    }

    /// Bound to a device, the sender need not name it.
    fn bind_sender(&mut self, ifindex: u32) {
        self.kernel.bind(self.sender, &link_address([0, 0], ifindex), &self.process).expect("bind");
    }

    /// Two ports and one flow between them, of frames of `length` bytes.
    pub(crate) fn pair(length: usize) -> Switch {
        let (mut switch, _, cables) = Switch::new(2);
        let (a, b) = (station(0, 1), station(1, 1));
        switch.sent = Frames::new(vec![link_address(EXPERIMENT, cables[1])], [(frame(a, b, length), 0)]);
        switch.send(1);
        switch.sent = Frames::bound([frame(b, a, length)]);
        switch.bind_sender(cables[0]);
        switch.listen(cables[1]);
        switch
    }

    /// Two ports and as many flows between them as a batch has frames: no two frames in a row have the same stations.
    pub(crate) fn mixed(length: usize) -> Switch {
        let (mut switch, _, cables) = Switch::new(2);
        let stations = |at: usize| (station(0, at as u32), station(1, at as u32));
        for (near, far) in (0..BATCH).map(stations) {
            switch.sent = Frames::new(vec![link_address(EXPERIMENT, cables[1])], [(frame(near, far, length), 0)]);
            switch.send(1);
        }
        switch.sent = Frames::bound((0..BATCH).map(stations).map(|(near, far)| frame(far, near, length)));
        switch.bind_sender(cables[0]);
        switch.listen(cables[1]);
        switch
    }

    /// One flow through so many bridges, one behind the other.
    pub(crate) fn chain(bridges: u32, length: usize) -> Switch {
        let (mut switch, here, cables) = Switch::new(2);
        // The second station moves to the last bridge.
        let mut bridge = ifindex(&mut switch.kernel, &here, "br0");
        for at in 1..bridges {
            let (name, near, far) = (format!("br{at}"), format!("n{at}"), format!("f{at}"));
            here.send(&mut switch.kernel, &bridge_request(&name));
            here.send(&mut switch.kernel, &veth_request(&near, &far, None, Some(bridge)));
            bridge = ifindex(&mut switch.kernel, &here, &name);
            here.send(&mut switch.kernel, &port_request(&far, bridge));
        }
        here.send(&mut switch.kernel, &port_request("p1", bridge));
        let (a, b) = (station(0, 1), station(1, 1));
        switch.sent = Frames::new(vec![link_address(EXPERIMENT, cables[1])], [(frame(a, b, length), 0)]);
        switch.send(1);
        switch.sent = Frames::bound([frame(b, a, length)]);
        switch.bind_sender(cables[0]);
        switch.listen(cables[1]);
        switch
    }

    /// The same between ports whose every flag is away from its default, while another socket listens at a third port.
    pub(crate) fn guarded(length: usize) -> Switch {
        let (mut switch, netlink, cables) = Switch::new(3);
        let (a, b) = (station(0, 1), station(1, 1));
        for (port, address) in [(0, a), (1, b)] {
            netlink.send(&mut switch.kernel, &flags_request(&format!("p{port}"), port == 0));
            // Nothing is learned there: bridge fdb add … master static.
            let index = ifindex(&mut switch.kernel, &netlink, &format!("p{port}"));
            netlink.send(&mut switch.kernel, &neighbour_request(7, index, 0x42, 4, &attr(2, &address)));
        }
        let third = switch.kernel.socket(switch.stations, 17, 3, 0).expect("a packet socket");
        let [low, high] = (EVERYTHING as u16).to_ne_bytes();
        switch.kernel.bind(third, &link_address([low, high], cables[2]), &switch.process).expect("bind");
        switch.sent = Frames::bound([frame(b, a, length)]);
        switch.bind_sender(cables[0]);
        switch.listen(cables[1]);
        switch
    }

    /// Flows between any of `addresses` stations behind `ports` ports, in no order.
    pub(crate) fn random(ports: u32, addresses: u32, length: usize) -> Switch {
        Switch::flows(ports, addresses, addresses, length)
    }

    /// `flows` flows between stations behind `ports` ports, of which the bridge knows `addresses`.
    pub(crate) fn flows(ports: u32, addresses: u32, flows: u32, length: usize) -> Switch {
        let (mut switch, _, cables) = Switch::new(ports);
        let place = |at: u32| (at % ports, station(at % ports, at / ports));
        let outlets: Vec<Vec<u8>> = cables.iter().map(|cable| link_address(EXPERIMENT, *cable)).collect();
        // Everybody is heard once, by somebody whom the bridge knows already.
        let first = station(0, 0);
        for at in 0..addresses {
            let (port, address) = place(at);
            switch.sent = Frames::new(vec![outlets[port as usize].clone()], [(frame(first, address, 60), 0)]);
            switch.send(1);
        }
        let mut state = 0x9e37_79b9_7f4a_7c15;
        let flows = (0..flows).map(|_| {
            let (port, source) = place(next_random(&mut state) as u32 % addresses);
            loop {
                let (to, destination) = place(next_random(&mut state) as u32 % addresses);
                if to != port {
                    break (frame(destination, source, length), port as u16);
                }
            }
        });
        switch.sent = Frames::new(outlets, flows);
        switch.listen(0);
        switch
    }

    /// Broadcasts to `ports` other ports.
    pub(crate) fn flood(ports: u32, length: usize) -> Switch {
        let (mut switch, _, cables) = Switch::new(ports + 1);
        switch.sent = Frames::bound([frame([0xff; 6], station(0, 1), length)]);
        switch.bind_sender(cables[0]);
        switch.send(1);
        switch.listen(0);
        switch
    }

    /// Sends `count` frames.
    fn send(&mut self, mut count: usize) {
        while count > 0 {
            let now = (self.sent.len() - self.at).min(count);
            let sent = self.kernel.send_many(self.sender, self.sent.from(self.at).take(now), 0, &self.process);
            assert_eq!(sent, Ok(now));
            count -= now;
            self.at = (self.at + now) % self.sent.len();
        }
    }

    /// Takes what has arrived; how many frames that were.
    fn take(&mut self) -> usize {
        let mut bytes = 0u64;
        let taken = self.kernel.drain(self.receiver, usize::MAX, |data| bytes += data.len() as u64);
        std::hint::black_box(bytes);
        taken.unwrap_or(0)
    }

    /// Sends a batch of frames and takes them where they arrive; how many arrived.
    pub(crate) fn batch(&mut self, count: usize) -> usize {
        self.send(count);
        self.take()
    }
}
