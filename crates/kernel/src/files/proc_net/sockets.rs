//! The tables of open sockets.

use std::fmt::Write;

use super::text;
use crate::Kernel;
use crate::socket::SocketKind;
use crate::types::NsId;

const V4: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops";
const V6: &str = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops";

/// A heading of a fixed width.
fn heading(line: &str, width: usize) -> String {
    format!("{line:<width$}\n")
}

pub(super) fn icmp(_: &Kernel, _: NsId) -> String {
    heading(V4, 127)
}

pub(super) fn icmp6(_: &Kernel, _: NsId) -> String {
    heading(V6, 0)
}

pub(super) fn raw(_: &Kernel, _: NsId) -> String {
    heading(V4, 0)
}

pub(super) fn raw6(_: &Kernel, _: NsId) -> String {
    heading(V6, 0)
}

pub(super) fn udp(_: &Kernel, _: NsId) -> String {
    heading(&format!(" {V4}"), 127)
}

pub(super) fn udp6(_: &Kernel, _: NsId) -> String {
    heading(V6, 0)
}

pub(super) fn tcp(_: &Kernel, _: NsId) -> String {
    heading("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode", 149)
}

pub(super) fn tcp6(_: &Kernel, _: NsId) -> String {
    heading(V6.strip_suffix(" ref pointer drops").unwrap_or(V6), 0)
}

fn count(kernel: &Kernel, ns: NsId, wanted: impl Fn(&SocketKind) -> bool) -> usize {
    kernel.sockets.values().filter(|open| open.ns == ns && wanted(&open.kind)).count()
}

pub(super) fn sockstat(kernel: &Kernel, ns: NsId) -> String {
    let used = count(kernel, ns, |_| true);
    let (packets, bytes) = kernel.namespaces[ns].ipv4.waiting_fragments();
    format!(
        "sockets: used {used}\nTCP: inuse 0 orphan 0 tw 0 alloc 0 mem 0\nUDP: inuse 0 mem 0\nUDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse {packets} memory {bytes}\n"
    )
}

pub(super) fn sockstat6(_: &Kernel, _: NsId) -> String {
    "TCP6: inuse 0\nUDP6: inuse 0\nUDPLITE6: inuse 0\nRAW6: inuse 0\nFRAG6: inuse 0 memory 0\n".to_owned()
}

pub(super) fn netlink(_: &Kernel, _: NsId) -> String {
    "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n".to_owned()
}

pub(super) fn packet(kernel: &Kernel, ns: NsId) -> String {
    text(|out| {
        writeln!(out, "sk               RefCnt Type Proto  Iface R Rmem   User   Inode")?;
        for open in kernel.sockets.values().filter(|open| open.ns == ns) {
            if let SocketKind::Packet(packet) = &open.kind {
                let (kind, protocol, ifindex) = packet.binding(kernel);
                writeln!(out, "{:016x} 3      {kind:<4} {protocol:04x}   {ifindex:<5} 1 0      0      0", 0)?;
            }
        }
        Ok(())
    })
}
