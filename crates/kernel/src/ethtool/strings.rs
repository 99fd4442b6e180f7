//! String sets: the names behind the bits.

use super::{A_HEADER, VERSION, features, reply};
use crate::Kernel;
use crate::error::{Errno, Result};
use crate::genetlink::{self, GenlRequest};
use crate::rtnetlink::attr::{Check, NLA_F_NESTED, Policy, Rule, Writer};
use crate::rtnetlink::dispatch::Answer;
use crate::types::NsId;

const STRINGSETS: u16 = 2;
const COUNTS_ONLY: u16 = 3;
const STRINGSETS_STRINGSET: u16 = 1;
const STRINGSET_ID: u16 = 1;
const STRINGSET_COUNT: u16 = 2;
const STRINGSET_STRINGS: u16 = 3;
const STRINGS_STRING: u16 = 1;
const STRING_INDEX: u16 = 1;
const STRING_VALUE: u16 = 2;

/// `ETH_SS_FEATURES`.
pub(super) const FEATURES: u32 = 4;
/// `ETH_SS_STATS_STD`: the groups of standard statistics.
const STANDARD_STATISTICS: u32 = 16;
const STATISTICS_GROUPS: [&str; 5] = ["eth-phy", "eth-mac", "eth-ctrl", "rmon", "phydev"];

const GET: Policy = &[(A_HEADER, Rule::Nested), (STRINGSETS, Rule::Nested), (COUNTS_ONLY, Rule::Flag)];
const SET: Policy = &[(STRINGSET_ID, Rule::U32)];

pub(super) fn get(kernel: &mut Kernel, ns: NsId, request: &GenlRequest<'_>) -> Result<Answer> {
    let attrs = request.attributes(GET, Check::Strict)?;
    // The sets of all devices are asked for without one.
    let device = match attrs.get(A_HEADER) {
        Some(header) if !header.payload.is_empty() => super::target(kernel, ns, &attrs).map(Some)?,
        _ => None,
    };
    let sets = attrs.get(STRINGSETS).ok_or(Errno::EINVAL)?;
    let mut wanted = Vec::new();
    for set in sets.iter() {
        let id = set.nested(SET, Check::Strict)?.get(STRINGSET_ID).ok_or(Errno::EINVAL)?;
        match id.u32() {
            FEATURES => wanted.push((FEATURES, &features::NAMES[..])),
            STANDARD_STATISTICS => wanted.push((STANDARD_STATISTICS, &STATISTICS_GROUPS[..])),
            _ => return Err(Errno::EOPNOTSUPP.into()),
        }
    }
    let counts_only = attrs.get(COUNTS_ONLY).is_some();
    let body = |out: &mut Writer| {
        out.nest(STRINGSETS | NLA_F_NESTED, |out| {
            for (id, names) in &wanted {
                out.nest(STRINGSETS_STRINGSET | NLA_F_NESTED, |out| {
                    out.u32(STRINGSET_ID, *id);
                    out.u32(STRINGSET_COUNT, names.len() as u32);
                    if !counts_only {
                        out.nest(STRINGSET_STRINGS | NLA_F_NESTED, |out| strings(out, names));
                    }
                });
            }
        });
    };
    Ok(match device {
        Some(target) => super::answer(request, &kernel.devices[target.dev], reply::STRSET_GET, body),
        None => {
            let mut out = Writer::new();
            genetlink::message(&mut out, request.reply(), reply::STRSET_GET, VERSION, body);
            Answer::Reply(out)
        }
    })
}

fn strings(out: &mut Writer, names: &[&str]) {
    for (index, name) in (0..).zip(names) {
        out.nest(STRINGS_STRING | NLA_F_NESTED, |out| {
            out.u32(STRING_INDEX, index);
            out.text(STRING_VALUE, name);
        });
    }
}
