//! `RTM_GETSTATS`: the counters of devices, by themselves.

use super::attr::{Header, Writer};
use super::dispatch::{Answer, Dump, Request};
use super::link::fill;
use super::link::get::next_device;
use super::uapi::*;
use crate::Kernel;
use crate::error::{Errno, Error, Result};
use crate::types::DevId;

/// Bytes of a `struct if_stats_msg`.
const IF_STATS_MSG: usize = 12;

const IFLA_STATS_LINK_64: u16 = 1;
/// Bits of the filter mask: 64-bit counters, and everything that can be asked for.
const FILTER_LINK_64: u32 = 1;
const FILTER_ALL: u32 = 0x1f;

/// A `struct if_stats_msg`: ifindex and what is asked for.
fn header(request: &Request<'_>) -> Result<(u32, u32)> {
    let [_, pad, p0, p1, i0, i1, i2, i3, m0, m1, m2, m3] =
        request.fixed::<IF_STATS_MSG>("Invalid header for stats dump")?;
    let index = u32::from_ne_bytes([i0, i1, i2, i3]);
    let mask = u32::from_ne_bytes([m0, m1, m2, m3]);
    if request.strict {
        let dump = request.is_dump();
        if pad != 0 || p0 != 0 || p1 != 0 || (dump && index != 0) {
            return Err(Error::new(Errno::EINVAL, "Invalid values in header for stats dump request"));
        }
        if mask & !FILTER_ALL != 0 {
            return Err(Error::new(Errno::EINVAL, "Invalid stats requested through filter mask"));
        }
    }
    if mask == 0 {
        let what = if request.is_dump() { "dump" } else { "get" };
        return Err(Error::new(Errno::EINVAL, format!("Filter mask must be set for stats {what}")));
    }
    Ok((index, mask))
}

/// One device.
pub(super) fn get(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let (index, mask) = header(request)?;
    if index == 0 {
        return Err(Errno::EINVAL.into());
    }
    let netns = kernel.namespaces.get(request.ns).ok_or(Errno::EINVAL)?;
    let dev = netns.device_by_index(index).ok_or(Errno::ENODEV)?;
    let mut out = Writer::new();
    write(kernel, dev, &mut out, request.reply(RTM_NEWSTATS), mask);
    Ok(Answer::Reply(out))
}

/// All devices of the namespace.
pub(super) fn dump(_kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let (_, mask) = header(request)?;
    let ns = request.ns;
    let mut last = 0;
    Ok(Answer::Dump(Dump::new(move |kernel, out, header| {
        let Some((ifindex, dev)) = next_device(kernel, ns, last) else { return Ok(false) };
        last = ifindex;
        write(kernel, dev, out, header.with_kind(RTM_NEWSTATS), mask);
        Ok(true)
    })))
}

fn write(kernel: &Kernel, dev: DevId, out: &mut Writer, header: Header, mask: u32) {
    let Some(device) = kernel.devices.get(dev) else { return };
    out.message(header, |out| {
        out.raw(&[AF_UNSPEC, 0, 0, 0]);
        out.raw(&device.ifindex.to_ne_bytes());
        out.raw(&mask.to_ne_bytes());
        if mask & FILTER_LINK_64 != 0 {
            out.put(IFLA_STATS_LINK_64, &fill::stats64(device));
        }
    });
}
