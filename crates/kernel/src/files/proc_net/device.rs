//! `dev`, `dev_mcast`, `ptype`: what devices count and listen to.

use std::fmt::Write;

use super::text;
use crate::Kernel;
use crate::types::NsId;

pub(super) fn dev(kernel: &Kernel, ns: NsId) -> String {
    text(|out| {
        writeln!(out, "Inter-|   Receive                                                |  Transmit")?;
        writeln!(
            out,
            " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed"
        )?;
        for device in kernel.namespaces[ns].devices().filter_map(|dev| kernel.devices.get(dev)) {
            let s = device.stats();
            write!(
                out,
                "{:>6}: {:>7} {:>7} {:>4} {:>4} {:>4} {:>5} {:>10} {:>9} ",
                device.name, s.rx_bytes, s.rx_packets, s.rx_errors, s.rx_dropped, 0, 0, 0, s.multicast
            )?;
            writeln!(
                out,
                "{:>8} {:>7} {:>4} {:>4} {:>4} {:>5} {:>7} {:>10}",
                s.tx_bytes, s.tx_packets, s.tx_errors, s.tx_dropped, 0, 0, 0, 0
            )?;
        }
        Ok(())
    })
}

pub(super) fn dev_mcast(kernel: &Kernel, ns: NsId) -> String {
    text(|out| {
        for device in kernel.namespaces[ns].devices().filter_map(|dev| kernel.devices.get(dev)) {
            for entry in &device.info.multicast_filter {
                let address: String = entry.address.0.iter().map(|byte| format!("{byte:02x}")).collect();
                let global = u8::from(entry.global);
                writeln!(out, "{:<4} {:<15} {:<5} {:<5} {address}", device.ifindex, device.name, entry.users, global)?;
            }
        }
        Ok(())
    })
}

pub(super) fn ptype(_: &Kernel, _: NsId) -> String {
    "Type Device      Function\n0800          ip_rcv\n0806          arp_rcv\n86dd          ipv6_rcv\n".to_owned()
}
