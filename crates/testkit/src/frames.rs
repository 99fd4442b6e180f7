//! Frames to send, and what to look for in those that arrive.

use std::net::Ipv4Addr;

use etherparse::{NetSlice, PacketBuilder, SlicedPacket, TransportSlice};
use netloom_kernel::MacAddr;

/// A frame of 60 bytes with an EtherType for local experiments.
pub fn plain(destination: MacAddr, source: MacAddr) -> Vec<u8> {
    let mut bytes = [destination.0, source.0].concat();
    bytes.extend([0x88, 0xb5]);
    bytes.resize(60, 0x78);
    bytes
}

/// An ICMP echo request.
pub fn echo_request(
    (from_mac, from): (MacAddr, Ipv4Addr),
    (to_mac, to): (MacAddr, Ipv4Addr),
    sequence: u16,
    payload: &[u8],
) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(from_mac.0, to_mac.0)
        .ipv4(from.octets(), to.octets(), 64)
        .icmpv4_echo_request(7, sequence);
    let mut bytes = Vec::with_capacity(builder.size(payload.len()));
    builder.write(&mut bytes, payload).expect("room for it");
    bytes
}

/// The sequence number of an ICMP echo reply from an address, if the frame is one.
pub fn echo_reply(frame: &[u8], from: Ipv4Addr) -> Option<u16> {
    let packet = SlicedPacket::from_ethernet(frame).ok()?;
    let Some(NetSlice::Ipv4(ip)) = packet.net else { return None };
    if ip.header().source_addr() != from {
        return None;
    }
    match packet.transport? {
        TransportSlice::Icmpv4(icmp) => match icmp.icmp_type() {
            etherparse::Icmpv4Type::EchoReply(echo) => Some(echo.seq),
            _ => None,
        },
        _ => None,
    }
}
