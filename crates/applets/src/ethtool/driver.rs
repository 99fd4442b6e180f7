//! What is still asked through `SIOCETHTOOL`: the driver, its own statistics, registers, tests.

use std::io;

use netloom_machine::Socket;

use crate::Context;
use crate::nettools::ifreq::Ifreq;
use crate::nettools::strerror;

const SIOCETHTOOL: u32 = 0x8946;
/// Where `struct ifreq` has its pointer.
const IFREQ_DATA: usize = 16;

const GDRVINFO: u32 = 0x3;
const GREGS: u32 = 0x4;
const NWAY_RST: u32 = 0x9;
const GEEPROM: u32 = 0xb;
const TEST: u32 = 0x1a;
const GSTRINGS: u32 = 0x1b;
const PHYS_ID: u32 = 0x1c;
const GSTATS: u32 = 0x1d;
const GRXRINGS: u32 = 0x2d;
const GRXCLSRLCNT: u32 = 0x2e;
const GSSET_INFO: u32 = 0x37;

const ETH_SS_TEST: u32 = 0;
const ETH_SS_STATS: u32 = 1;
/// Bytes in a name of a string set.
const NAME_LENGTH: usize = 32;

/// A device asked through ioctls.
struct Device {
    socket: Socket,
    name: String,
}

impl Device {
    fn open(context: &Context<'_>, name: &str) -> io::Result<Device> {
        let socket = context.machine.socket(&context.netns, libc::AF_INET, libc::SOCK_DGRAM, 0)?;
        Ok(Device { socket, name: name.to_owned() })
    }

    /// Calls with a structure that starts with the command's number.
    fn call(&self, command: u32, data: &mut [u8]) -> io::Result<()> {
        data[..4].copy_from_slice(&command.to_ne_bytes());
        let mut ifreq = Ifreq::new(&self.name);
        self.socket.ioctl_with_data(SIOCETHTOOL, &mut ifreq.0, IFREQ_DATA, data).map(drop)
    }

    /// `struct ethtool_drvinfo`.
    fn driver(&self) -> io::Result<[u8; 196]> {
        let mut info = [0u8; 196];
        self.call(GDRVINFO, &mut info)?;
        Ok(info)
    }

    /// How many names a string set has.
    fn names(&self, set: u32) -> io::Result<usize> {
        let mut info = [0u8; 20];
        info[8..16].copy_from_slice(&(1u64 << set).to_ne_bytes());
        self.call(GSSET_INFO, &mut info)?;
        let mask = u64::from_ne_bytes([info[8], info[9], info[10], info[11], info[12], info[13], info[14], info[15]]);
        let count = u32_at(&info, 16) as usize;
        Ok(if mask == 0 { 0 } else { count.min(1 << 16) })
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().map_or(0, u32::from_ne_bytes)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
}

fn fail(context: &mut Context<'_>, what: &str, error: &io::Error, status: i32) -> io::Result<i32> {
    context.out.flush()?;
    writeln!(context.err, "{what}: {}", strerror(error))?;
    Ok(status)
}

/// `-i`.
pub(super) fn information(context: &mut Context<'_>, name: &str) -> io::Result<i32> {
    let device = Device::open(context, name)?;
    let info = match device.driver() {
        Ok(info) => info,
        Err(error) => return fail(context, "Cannot get driver information", &error, 71),
    };
    let field = |at: usize| text(&info[at..at + 32]);
    let yes_no = |at: usize| if u32_at(&info, at) != 0 { "yes" } else { "no" };
    writeln!(context.out, "driver: {}\nversion: {}", field(4), field(36))?;
    writeln!(context.out, "firmware-version: {}\nexpansion-rom-version: {}", field(68), field(132))?;
    writeln!(context.out, "bus-info: {}", field(100))?;
    writeln!(context.out, "supports-statistics: {}\nsupports-test: {}", yes_no(180), yes_no(184))?;
    writeln!(context.out, "supports-eeprom-access: {}\nsupports-register-dump: {}", yes_no(188), yes_no(192))?;
    writeln!(context.out, "supports-priv-flags: {}", yes_no(176))?;
    Ok(0)
}

/// `-S`.
pub(super) fn statistics(context: &mut Context<'_>, name: &str) -> io::Result<i32> {
    let device = Device::open(context, name)?;
    let count = match device.names(ETH_SS_STATS) {
        Ok(count) => count,
        Err(error) => return fail(context, "Cannot get stats strings information", &error, 96),
    };
    if count == 0 {
        writeln!(context.err, "no stats available")?;
        return Ok(94);
    }
    let mut strings = vec![0u8; 12 + count * NAME_LENGTH];
    strings[4..8].copy_from_slice(&ETH_SS_STATS.to_ne_bytes());
    strings[8..12].copy_from_slice(&(count as u32).to_ne_bytes());
    if let Err(error) = device.call(GSTRINGS, &mut strings) {
        return fail(context, "Cannot get stats strings information", &error, 96);
    }
    let mut values = vec![0u8; 8 + count * 8];
    values[4..8].copy_from_slice(&(count as u32).to_ne_bytes());
    if let Err(error) = device.call(GSTATS, &mut values) {
        return fail(context, "Cannot get stats information", &error, 97);
    }
    writeln!(context.out, "NIC statistics:")?;
    for (name, value) in strings[12..].chunks_exact(NAME_LENGTH).zip(values[8..].chunks_exact(8)) {
        let value = value.first_chunk().copied().map_or(0, u64::from_ne_bytes);
        writeln!(context.out, "     {}: {value}", text(name))?;
    }
    Ok(0)
}

/// `-d`: registers as bytes.
pub(super) fn registers(context: &mut Context<'_>, name: &str) -> io::Result<i32> {
    let device = Device::open(context, name)?;
    let info = match device.driver() {
        Ok(info) => info,
        Err(error) => return fail(context, "Cannot get driver information", &error, 72),
    };
    let length = (u32_at(&info, 192) as usize).min(1 << 20);
    let mut data = vec![0u8; 12 + length];
    data[8..12].copy_from_slice(&(length as u32).to_ne_bytes());
    match device.call(GREGS, &mut data) {
        Ok(()) => dump(context, &data[12..]).map(|()| 0),
        Err(error) => fail(context, "Cannot get register dump", &error, 74),
    }
}

/// `-e`: the EEPROM as bytes.
pub(super) fn eeprom(context: &mut Context<'_>, name: &str) -> io::Result<i32> {
    let device = Device::open(context, name)?;
    let info = match device.driver() {
        Ok(info) => info,
        Err(error) => return fail(context, "Cannot get driver information", &error, 74),
    };
    let length = (u32_at(&info, 188) as usize).min(1 << 20);
    let mut data = vec![0u8; 16 + length];
    data[12..16].copy_from_slice(&(length as u32).to_ne_bytes());
    match device.call(GEEPROM, &mut data) {
        Ok(()) => dump(context, &data[16..]).map(|()| 0),
        Err(error) => fail(context, "Cannot get EEPROM data", &error, 74),
    }
}

fn dump(context: &mut Context<'_>, data: &[u8]) -> io::Result<()> {
    writeln!(context.out, "Offset\t\tValues\n------\t\t------")?;
    for (line, bytes) in data.chunks(16).enumerate() {
        let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(context.out, "0x{:04x}:\t\t{} ", line * 16, bytes.join(" "))?;
    }
    Ok(())
}

/// `-p`: blinks for some seconds.
pub(super) fn identify(context: &mut Context<'_>, name: &str, seconds: u32) -> io::Result<i32> {
    let device = Device::open(context, name)?;
    let mut data = [0u8; 8];
    data[4..].copy_from_slice(&seconds.to_ne_bytes());
    match device.call(PHYS_ID, &mut data) {
        Ok(()) => Ok(0),
        Err(error) => fail(context, "Cannot identify NIC", &error, 255),
    }
}

/// `-r`.
pub(super) fn restart_negotiation(context: &mut Context<'_>, name: &str) -> io::Result<i32> {
    let device = Device::open(context, name)?;
    match device.call(NWAY_RST, &mut [0; 8]) {
        Ok(()) => Ok(0),
        Err(error) => fail(context, "Cannot restart autonegotiation", &error, 255),
    }
}

/// `-t`.
pub(super) fn test(context: &mut Context<'_>, name: &str) -> io::Result<i32> {
    let device = Device::open(context, name)?;
    let count = match device.names(ETH_SS_TEST) {
        Ok(count) => count,
        Err(error) => return fail(context, "Cannot get strings", &error, 74),
    };
    let mut data = vec![0u8; 16 + count * 8];
    data[12..16].copy_from_slice(&(count as u32).to_ne_bytes());
    match device.call(TEST, &mut data) {
        Ok(()) => {
            let failed = u32_at(&data, 4) & 2 != 0;
            writeln!(context.out, "The test result is {}", if failed { "FAIL" } else { "PASS" })?;
            Ok(i32::from(failed))
        }
        Err(error) => fail(context, "Cannot test", &error, 74),
    }
}

/// `-n`: the rules that sort received packets into queues.
pub(super) fn flow_rules(context: &mut Context<'_>, name: &str) -> io::Result<i32> {
    let device = Device::open(context, name)?;
    let mut data = [0u8; 192];
    match device.call(GRXRINGS, &mut data) {
        Ok(()) => writeln!(context.out, "{} RX rings available", u32_at(&data, 8))?,
        Err(error) => {
            fail(context, "Cannot get RX rings", &error, 1)?;
        }
    }
    let mut data = [0u8; 192];
    match device.call(GRXCLSRLCNT, &mut data) {
        Ok(()) => {
            writeln!(context.out, "Total {} rules\n", u32_at(&data, 184))?;
            Ok(0)
        }
        Err(error) => {
            fail(context, "rxclass: Cannot get RX class rule count", &error, 1)?;
            writeln!(context.err, "RX classification rule retrieval failed")?;
            Ok(1)
        }
    }
}

/// `-x`: how received packets are spread over queues.
pub(super) fn flow_spread(context: &mut Context<'_>, name: &str) -> io::Result<i32> {
    let device = Device::open(context, name)?;
    let mut data = [0u8; 192];
    match device.call(GRXRINGS, &mut data) {
        Ok(()) => {
            let rings = u32_at(&data, 8);
            writeln!(context.out, "RX flow hash indirection table for {name} with {rings} RX ring(s):")?;
            Ok(0)
        }
        Err(error) => fail(context, "Cannot get RX ring count", &error, 1),
    }
}
