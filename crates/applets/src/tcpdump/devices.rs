//! The devices that can be listened to: `-D`, and the one that is taken where none is named.

use netloom_machine::netlink::{Netlink, Request};

use super::options::Stop;
use crate::Context;

struct Device {
    name: String,
    flags: u32,
}

const RTM_GETLINK: u16 = 18;
const IFLA_IFNAME: u16 = 3;

/// Those that are up, most useful first: running before others, loopback last.
fn usable(context: &Context<'_>) -> Vec<Device> {
    let mut found = Vec::new();
    let Ok(mut netlink) = Netlink::open(context.machine, &context.netns, libc::NETLINK_ROUTE) else { return found };
    let mut request = Request::new(RTM_GETLINK, 0);
    request.put(&[0; 16]);
    let _ = netlink.dump(&mut request, |message| {
        let flags = message.payload.get(8..12).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_ne_bytes);
        let name = message.attributes(16).find(IFLA_IFNAME).map(|name| name.string().to_owned());
        if let Some(name) = name {
            found.push(Device { name, flags });
        }
    });
    let has = |device: &Device, flag: i32| device.flags & flag as u32 != 0;
    found.sort_by_key(|device| {
        (!has(device, libc::IFF_UP), !has(device, libc::IFF_RUNNING), has(device, libc::IFF_LOOPBACK))
    });
    found
}

/// The device that is listened to where none is named.
pub(super) fn default(context: &Context<'_>) -> Option<String> {
    let first = usable(context).into_iter().next()?;
    (first.flags & libc::IFF_UP as u32 != 0).then_some(first.name)
}

/// `-D`.
pub(super) fn list(context: &mut Context<'_>) -> Result<i32, Stop> {
    let mut lines = Vec::new();
    let any = "any (Pseudo-device that captures on all interfaces) [Up, Running]".to_owned();
    for device in usable(context) {
        let has = |flag: i32| device.flags & flag as u32 != 0;
        let loopback = has(libc::IFF_LOOPBACK);
        if (loopback || !has(libc::IFF_UP)) && !lines.contains(&any) {
            lines.push(any.clone());
        }
        let state = match (has(libc::IFF_UP), has(libc::IFF_RUNNING)) {
            (true, true) => "Up, Running",
            (true, false) => "Up",
            (false, _) => "none",
        };
        let more = match (loopback, has(libc::IFF_RUNNING), has(libc::IFF_UP)) {
            (true, ..) => ", Loopback",
            (_, true, _) => ", Connected",
            (_, false, true) => ", Disconnected",
            _ => ", Disconnected",
        };
        lines.push(format!("{} [{state}{more}]", device.name));
    }
    if !lines.contains(&any) {
        lines.push(any);
    }
    for (number, line) in lines.iter().enumerate() {
        let _ = writeln!(context.out, "{}.{line}", number + 1);
    }
    Ok(0)
}
