//! Frames from a packet socket.

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use netloom_machine::{Received, Socket};

use super::frame::{Frame, Link};
use super::options::{Options, Stop, Way};
use crate::sockaddr::LinkLayer;
use crate::{Context, device};

const SOL_PACKET: i32 = 263;
const PACKET_ADD_MEMBERSHIP: i32 = 1;
const PACKET_STATISTICS: i32 = 6;
const PACKET_AUXDATA: i32 = 8;
const PACKET_MR_PROMISC: u16 = 1;
const SO_TIMESTAMP: i32 = 29;
const ETH_P_ALL: u16 = 3;
const ARPHRD_LOOPBACK: u16 = 772;
const TP_STATUS_VLAN_VALID: u32 = 0x10;
const TP_STATUS_VLAN_TPID_VALID: u32 = 0x40;
const ETHERTYPE_VLAN: u16 = 0x8100;
/// Both addresses of an Ethernet header: where a tag belongs.
const ADDRESSES: usize = 12;

/// A device, or all of them, being listened to.
pub(super) struct Capture {
    socket: Socket,
    pub(super) link: Link,
    way: Way,
    snapshot: usize,
}

fn words(error: &io::Error) -> String {
    error.to_string().split(" (os error").next().unwrap_or_default().to_owned()
}

impl Capture {
    pub(super) fn open(context: &Context<'_>, name: &str, options: &Options) -> Result<Capture, Stop> {
        let any = name == "any";
        let kind = if any { libc::SOCK_DGRAM } else { libc::SOCK_RAW };
        let socket = context.machine.socket(&context.netns, libc::AF_PACKET, kind, 0).map_err(|error| {
            let why = match error.raw_os_error() {
                Some(libc::EPERM | libc::EACCES) => {
                    "You don't have permission to perform this capture on that device\n(Attempt to create packet \
                     socket failed - CAP_NET_RAW may be required)"
                        .to_owned()
                }
                _ => words(&error),
            };
            Stop::new(format!("{name}: {why}"))
        })?;
        let failed = |error: io::Error| Stop::new(format!("{name}: {}", words(&error)));
        let mut index = 0;
        if !any {
            let missing = |_| Stop::new(format!("{name}: No such device exists\n(No such device exists)"));
            index = device::index(&socket, name).map_err(missing)?;
            let flags = device::flags(&socket, name).map_err(missing)?;
            if flags & libc::IFF_UP as u32 == 0 {
                return Err(Stop::new(format!("{name}: That device is not up")));
            }
        }
        // Without them times are this process's, and VLAN tags that the device took off stay off.
        let _ = socket.set_option_int(libc::SOL_SOCKET, SO_TIMESTAMP, 1);
        let _ = socket.set_option_int(SOL_PACKET, PACKET_AUXDATA, 1);
        let address = LinkLayer { protocol: ETH_P_ALL, ifindex: index as i32, ..LinkLayer::default() };
        socket.bind(&address.bytes()).map_err(failed)?;
        if !options.not_promiscuous && !any {
            // struct packet_mreq: index, type, length and bytes of an address.
            let mut membership = index.to_ne_bytes().to_vec();
            membership.extend(PACKET_MR_PROMISC.to_ne_bytes());
            membership.extend([0; 10]);
            socket.set_option(SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership).map_err(failed)?;
        }
        let link = if any { Link::Cooked } else { Link::Ethernet };
        Ok(Capture { socket, link, way: options.way, snapshot: options.snapshot })
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// The next frame that is there already.
    pub(super) fn next(&self) -> io::Result<Option<Frame>> {
        loop {
            let received = match self.socket.receive(super::options::SNAPSHOT, libc::MSG_DONTWAIT) {
                Err(error) if error.raw_os_error() == Some(libc::EAGAIN) => return Ok(None),
                received => received?,
            };
            let from = LinkLayer::parse(&received.address).unwrap_or_default();
            let outgoing = from.packet_type == libc::PACKET_OUTGOING;
            let wanted = match self.way {
                Way::Both => true,
                Way::In => !outgoing,
                Way::Out => outgoing,
            };
            // The loopback device shows every frame twice.
            if wanted && !(outgoing && from.hardware == ARPHRD_LOOPBACK) {
                return Ok(Some(self.frame(received, &from)));
            }
        }
    }

    fn frame(&self, received: Received, from: &LinkLayer) -> Frame {
        let mut frame =
            Frame { time: time(&received), length: received.data.len(), link: self.link, data: received.data };
        let tag = tag(&received.control);
        match self.link {
            Link::Ethernet => {
                if let Some(tag) = tag.filter(|_| frame.data.len() >= ADDRESSES) {
                    frame.data.splice(ADDRESSES..ADDRESSES, tag);
                    frame.length += tag.len();
                }
            }
            Link::Cooked => {
                let mut header = from.protocol.to_be_bytes().to_vec();
                header.extend([0; 2]);
                header.extend((from.ifindex as u32).to_be_bytes());
                header.extend(from.hardware.to_be_bytes());
                header.push(from.packet_type);
                header.push(from.address.len() as u8);
                let mut address = from.address.clone();
                address.resize(8, 0);
                header.extend(address);
                frame.length += header.len();
                frame.data.splice(0..0, header);
            }
        }
        frame.data.truncate(self.snapshot);
        frame
    }

    /// How many frames the socket had no room for.
    pub(super) fn dropped(&self) -> u32 {
        // struct tpacket_stats: packets, drops.
        let statistics = self.socket.option(SOL_PACKET, PACKET_STATISTICS, 8).unwrap_or_default();
        statistics.get(4..8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_ne_bytes)
    }
}

fn time(received: &Received) -> Duration {
    let stamp = received
        .control
        .iter()
        .find(|message| message.level == libc::SOL_SOCKET && message.kind == SO_TIMESTAMP)
        .and_then(|message| {
            let (seconds, rest) = message.data.split_first_chunk()?;
            let micros = i64::from_ne_bytes(*rest.first_chunk()?);
            let seconds = u64::try_from(i64::from_ne_bytes(*seconds)).ok()?;
            Some(Duration::from_secs(seconds) + Duration::from_micros(u64::try_from(micros).ok()?))
        });
    stamp.unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// The VLAN tag that was taken off the frame (`struct tpacket_auxdata`), as it stood there.
fn tag(control: &[netloom_machine::Control]) -> Option<[u8; 4]> {
    let message = control.iter().find(|message| message.level == SOL_PACKET && message.kind == PACKET_AUXDATA)?;
    let number = |at: usize| message.data.get(at..at + 2)?.try_into().ok().map(u16::from_ne_bytes);
    let status = u32::from_ne_bytes(*message.data.first_chunk()?);
    let (information, kind) = (number(16)?, number(18)?);
    if status & TP_STATUS_VLAN_VALID == 0 && information == 0 {
        return None;
    }
    let kind = if status & TP_STATUS_VLAN_TPID_VALID != 0 { kind } else { ETHERTYPE_VLAN };
    let (kind, information) = (kind.to_be_bytes(), information.to_be_bytes());
    Some([kind[0], kind[1], information[0], information[1]])
}
