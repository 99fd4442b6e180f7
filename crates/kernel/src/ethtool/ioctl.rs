//! `SIOCETHTOOL`: the older way to ask, still the one for drivers and statistics.

use super::{features, has_operations, strings};
use crate::Kernel;
use crate::drivers::{DevKind, Veth};
use crate::error::{Errno, Result};
use crate::netdev::Device;
use crate::types::DevId;

const ETHTOOL_GDRVINFO: u32 = 0x03;
const ETHTOOL_GLINK: u32 = 0x0a;
const ETHTOOL_GSTRINGS: u32 = 0x1b;
const ETHTOOL_GSTATS: u32 = 0x1d;
const ETHTOOL_GPERMADDR: u32 = 0x20;
const ETHTOOL_GSSET_INFO: u32 = 0x37;

/// `ETH_SS_STATS`.
const STATISTICS: u32 = 1;
/// Bytes of a name.
const GSTRING: usize = 32;

/// Answers `SIOCETHTOOL`: `data` starts with the command and has room for what it gives.
pub(crate) fn ioctl(kernel: &mut Kernel, dev: DevId, data: &mut [u8]) -> Result<i32, Errno> {
    let command = word(data, 0)?;
    let device = &kernel.devices[dev];
    match command {
        ETHTOOL_GDRVINFO => driver_information(device, data)?,
        ETHTOOL_GLINK => put(data, 4, &u32::from(device.is_up_with_carrier()).to_ne_bytes())?,
        ETHTOOL_GSSET_INFO => set_information(device, data)?,
        ETHTOOL_GSTRINGS => {
            let names = match word(data, 4)? {
                STATISTICS if !statistics(device).is_empty() => statistics(device),
                strings::FEATURES => features::NAMES.iter().map(|name| (*name).to_owned()).collect(),
                _ => return Err(Errno::EOPNOTSUPP),
            };
            put(data, 8, &(names.len() as u32).to_ne_bytes())?;
            for (at, name) in names.iter().enumerate() {
                let mut field = [0; GSTRING];
                field[..name.len().min(GSTRING - 1)].copy_from_slice(&name.as_bytes()[..name.len().min(GSTRING - 1)]);
                put(data, 12 + at * GSTRING, &field)?;
            }
        }
        ETHTOOL_GSTATS => {
            let names = statistics(device);
            if names.is_empty() {
                return Err(Errno::EOPNOTSUPP);
            }
            let peer =
                device.peer().and_then(|peer| kernel.devices.get(peer)).map_or(0, |peer| u64::from(peer.ifindex));
            put(data, 4, &(names.len() as u32).to_ne_bytes())?;
            for at in 0..names.len() {
                // XDP runs nowhere here: all but the peer's index is 0.
                let value = if at == 0 { peer } else { 0 };
                put(data, 8 + at * 8, &value.to_ne_bytes())?;
            }
        }
        ETHTOOL_GPERMADDR => {
            // No virtual device was made with an address of its own.
            if word(data, 4)? < 6 {
                return Err(Errno::EINVAL);
            }
            put(data, 4, &6u32.to_ne_bytes())?;
            put(data, 8, &[0; 6])?;
        }
        _ => return Err(Errno::EOPNOTSUPP),
    }
    Ok(0)
}

fn word(data: &[u8], at: usize) -> Result<u32, Errno> {
    data.get(at..).and_then(|rest| rest.first_chunk()).map(|bytes| u32::from_ne_bytes(*bytes)).ok_or(Errno::EFAULT)
}

fn put(data: &mut [u8], at: usize, bytes: &[u8]) -> Result<(), Errno> {
    data.get_mut(at..at + bytes.len()).ok_or(Errno::EFAULT)?.copy_from_slice(bytes);
    Ok(())
}

/// `struct ethtool_drvinfo`.
fn driver_information(device: &Device, data: &mut [u8]) -> Result<(), Errno> {
    if !has_operations(device) {
        return Err(Errno::EOPNOTSUPP);
    }
    let (driver, version, firmware, bus) = match device.kind {
        DevKind::Bridge(_) => ("bridge", "2.3", "N/A", "N/A"),
        DevKind::Dummy => ("dummy", "", "", ""),
        DevKind::Macvlan(_) => ("macvlan", "0.1", "", ""),
        DevKind::Tun(ref tun) => ("tun", "1.6", "", if tun.is_tap() { "tap" } else { "tun" }),
        DevKind::Veth(_) | DevKind::Loopback => ("veth", "1.0", "", ""),
    };
    put(data, 4, &[0; 192])?;
    for (at, text) in [(4, driver), (36, version), (68, firmware), (100, bus)] {
        put(data, at, text.as_bytes())?;
    }
    put(data, 180, &(statistics(device).len() as u32).to_ne_bytes())
}

/// `struct ethtool_sset_info`: which of the sets asked for there are, and how many strings each has.
fn set_information(device: &Device, data: &mut [u8]) -> Result<(), Errno> {
    let mask = u64::from(word(data, 8)?) | u64::from(word(data, 12)?) << 32;
    let mut found = 0u64;
    let mut at = 16;
    for set in 0..64 {
        let count = match set {
            _ if mask & (1 << set) == 0 => 0,
            STATISTICS => statistics(device).len(),
            strings::FEATURES => features::NAMES.len(),
            _ => 0,
        };
        if count > 0 {
            found |= 1 << set;
            put(data, at, &(count as u32).to_ne_bytes())?;
            at += 4;
        }
    }
    put(data, 8, &found.to_ne_bytes())
}

/// The names of a device's own counters.
fn statistics(device: &Device) -> Vec<String> {
    const RX: [&str; 7] = ["xdp_packets", "xdp_bytes", "drops", "xdp_redirect", "xdp_drops", "xdp_tx", "xdp_tx_errors"];
    const TX: [&str; 2] = ["xdp_xmit", "xdp_xmit_errors"];
    let DevKind::Veth(Veth { rx_channels, tx_channels, .. }) = device.kind else { return Vec::new() };
    let mut names = vec!["peer_ifindex".to_owned()];
    for queue in 0..rx_channels {
        names.extend(RX.iter().map(|name| format!("rx_queue_{queue}_{name}")));
    }
    for queue in 0..tx_channels {
        names.extend(TX.iter().map(|name| format!("tx_queue_{queue}_{name}")));
    }
    names
}
