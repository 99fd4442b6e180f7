//! Packet sockets on a veth pair.

use super::*;
use crate::Config;
use crate::drivers::veth;
use crate::netdev::{DevFlags, NewDevice};
use crate::types::{IfName, Instant};

struct Nobody;

impl Caller for Nobody {
    fn pid(&self) -> u32 {
        1
    }
    fn netns_by_fd(&self, _fd: u32) -> Option<NsId> {
        None
    }
    fn netns_by_pid(&self, _pid: u32) -> Option<NsId> {
        None
    }
}

const ETH_P_ALL_BE: i32 = 0x0300;

fn pair() -> (Kernel, DevId, DevId) {
    let config = Config { seed: 1, cpus: 1, wall_clock: Default::default(), hostname: "host".into() };
    let mut kernel = Kernel::new(config, Instant(0));
    let ns = kernel.root();
    let new = |name| NewDevice::named(IfName::new(name).unwrap());
    let (a, b) = veth::create(&mut kernel, (ns, new("a")), (ns, new("b"))).unwrap();
    for dev in [a, b] {
        let flags = kernel.devices[dev].flags;
        kernel.change_flags(dev, flags | DevFlags::UP).unwrap();
    }
    kernel.settle();
    (kernel, a, b)
}

fn bound(kernel: &mut Kernel, dev: DevId) -> SocketId {
    let socket = kernel.socket(kernel.root(), family::PACKET, SOCK_RAW, ETH_P_ALL_BE).unwrap();
    let address = LinkAddress { protocol: 3, ifindex: kernel.devices[dev].ifindex, ..LinkAddress::default() };
    kernel.bind(socket, &address.to_bytes(), &Nobody).unwrap();
    socket
}

fn frame() -> Vec<u8> {
    let mut frame = vec![0xff; 12];
    frame.extend([0x88, 0xb5]);
    frame.extend([7; 46]);
    frame
}

#[test]
fn a_frame_sent_on_one_end_is_received_at_the_other() {
    let (mut kernel, a, b) = pair();
    let (sender, receiver) = (bound(&mut kernel, a), bound(&mut kernel, b));
    while kernel.receive(receiver, 0).is_ok() {}
    assert_eq!(kernel.send(sender, &frame(), &[], 0, &Nobody), Ok(60));
    let datagram = kernel.receive(receiver, 0).unwrap();
    assert_eq!(datagram.data, frame());
    assert_eq!(datagram.address[10], PacketTypeByte::BROADCAST);
    assert_eq!(kernel.receive(receiver, 0), Err(Errno::EAGAIN));
    assert_eq!(kernel.receive(sender, 0), Err(Errno::EAGAIN), "a socket does not see what it sends itself");
}

struct PacketTypeByte;

impl PacketTypeByte {
    const BROADCAST: u8 = 1;
}

#[test]
fn what_is_sent_without_a_carrier_is_lost_in_silence() {
    let (mut kernel, a, b) = pair();
    let (sender, onlooker) = (bound(&mut kernel, a), bound(&mut kernel, a));
    kernel.change_flags(b, kernel.devices[b].flags & !DevFlags::UP).unwrap();
    kernel.settle();
    while kernel.receive(onlooker, 0).is_ok() {}
    let (sent, frame) = (kernel.devices[a].stats().tx_packets, frame());
    assert_eq!(kernel.send(sender, &frame, &[], 0, &Nobody), Ok(60));
    let many = [(&frame[..], &[][..]); 3];
    assert_eq!(kernel.send_many(sender, many, 0, &Nobody), Ok(3));
    assert_eq!(kernel.receive(onlooker, 0), Err(Errno::EAGAIN), "nor do others see it");
    let stats = kernel.devices[a].stats();
    assert_eq!((stats.tx_packets, stats.tx_dropped), (sent, 4));
}

#[test]
fn length_limits_are_those_of_the_sender_then_of_the_receiver() {
    let (mut kernel, a, b) = pair();
    let sender = bound(&mut kernel, a);
    assert_eq!(kernel.send(sender, &[0; 13], &[], 0, &Nobody), Err(Errno::EINVAL));
    assert_eq!(kernel.send(sender, &vec![0; 1515], &[], 0, &Nobody), Err(Errno::EMSGSIZE));
    kernel.set_mtu(b, 1000).unwrap();
    assert_eq!(kernel.send(sender, &vec![0; 1018], &[], 0, &Nobody), Ok(1018));
    assert_eq!(kernel.send(sender, &vec![0; 1019], &[], 0, &Nobody), Err(Errno::ENOBUFS));
    assert_eq!(kernel.devices[a].stats().tx_dropped, 1);
    assert_eq!(kernel.devices[b].stats().rx_dropped, 2, "one too long and one of an unknown EtherType");
}

#[test]
fn a_membership_is_a_reason_for_promiscuous_mode_until_the_socket_is_closed() {
    let (mut kernel, a, _) = pair();
    let socket = bound(&mut kernel, a);
    let mut request = kernel.devices[a].ifindex.to_ne_bytes().to_vec();
    request.extend(1u16.to_ne_bytes());
    request.extend([0; 10]);
    kernel.set_option(socket, 263, 1, &request).unwrap();
    assert_eq!(kernel.devices[a].info.promiscuity, 1);
    kernel.close(socket);
    assert_eq!(kernel.devices[a].info.promiscuity, 0);
    let log: Vec<&str> = kernel.log().from(0).map(|record| record.text.as_str()).collect();
    assert_eq!(log, ["a: entered promiscuous mode", "a: left promiscuous mode"]);
}

#[test]
fn a_frame_that_a_packet_socket_has_seen_is_not_counted_as_one_that_nobody_takes() {
    let (mut kernel, a, b) = pair();
    let sender = bound(&mut kernel, a);
    kernel.send(sender, &frame(), &[], 0, &Nobody).unwrap();
    assert_eq!(kernel.devices[b].stats().rx_dropped, 1);
    let receiver = bound(&mut kernel, b);
    kernel.send(sender, &frame(), &[], 0, &Nobody).unwrap();
    assert_eq!(kernel.devices[b].stats().rx_dropped, 1);
    kernel.close(receiver);
    kernel.send(sender, &frame(), &[], 0, &Nobody).unwrap();
    assert_eq!(kernel.devices[b].stats().rx_dropped, 2);
}

#[test]
fn many_datagrams_are_sent_and_taken_by_one_call_each() {
    let (mut kernel, a, b) = pair();
    let (sender, receiver) = (bound(&mut kernel, a), bound(&mut kernel, b));
    let frames: Vec<Vec<u8>> = (0..5u8).map(|number| [frame(), vec![number]].concat()).collect();
    let messages = || frames.iter().map(|frame| (&frame[..], &[][..]));
    assert_eq!(kernel.send_many(sender, messages(), 0, &Nobody), Ok(5));
    let mut seen = Vec::new();
    assert_eq!(kernel.drain(receiver, 3, |bytes| seen.push(bytes.to_vec())), Ok(3));
    assert_eq!(kernel.drain(receiver, 3, |bytes| seen.push(bytes.to_vec())), Ok(2));
    assert_eq!(kernel.drain(receiver, 3, |_| ()), Err(Errno::EAGAIN));
    assert_eq!(seen, frames);
    // One that can't be sent ends it, and is an error only where it is the first.
    let short = [7; 3];
    let messages = [&frames[0][..], &short, &frames[1]].map(|frame| (frame, &[][..]));
    assert_eq!(kernel.send_many(sender, messages, 0, &Nobody), Ok(1));
    assert_eq!(kernel.send_many(sender, [(&short[..], &[][..])], 0, &Nobody), Err(Errno::EINVAL));
}
