//! Bitsets, as ethtool's messages carry them: compact (words) or verbose (a list of bits).

use crate::error::{Errno, Result};
use crate::rtnetlink::attr::{Attr, Check, NLA_F_NESTED, Policy, Rule, Writer};

const NOMASK: u16 = 1;
const SIZE: u16 = 2;
const BITS: u16 = 3;
const VALUE: u16 = 4;
const MASK: u16 = 5;
const BITS_BIT: u16 = 1;
const BIT_INDEX: u16 = 1;
const BIT_NAME: u16 = 2;
const BIT_VALUE: u16 = 3;

const BITSET: Policy = &[
    (NOMASK, Rule::Flag),
    (SIZE, Rule::U32),
    (BITS, Rule::Nested),
    (VALUE, Rule::Binary(1024)),
    (MASK, Rule::Binary(1024)),
];
const BIT: Policy = &[(BIT_INDEX, Rule::U32), (BIT_NAME, Rule::Text(64)), (BIT_VALUE, Rule::Flag)];

/// A set of at most 64 bits: which are on, and, unless it is a plain list, which it speaks of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bitset {
    pub(super) value: u64,
    pub(super) mask: Option<u64>,
}

/// How a bitset is written.
#[derive(Clone, Copy)]
pub(super) struct Form {
    /// How many bits it has.
    pub(super) size: u32,
    /// The bits' names; bits without one are left out of a verbose list.
    pub(super) names: &'static [&'static str],
    pub(super) compact: bool,
}

fn words(bits: u64, size: u32) -> Vec<u8> {
    let mut bytes = bits.to_le_bytes().to_vec();
    bytes.resize((size as usize).div_ceil(32) * 4, 0);
    bytes
}

/// Writes a bitset.
pub(super) fn put(out: &mut Writer, kind: u16, set: Bitset, form: Form) {
    out.nest(kind | NLA_F_NESTED, |out| {
        if set.mask.is_none() && form.compact || set.mask.is_none() && set.value != 0 {
            out.flag(NOMASK);
        }
        out.u32(SIZE, form.size);
        if form.compact {
            out.put(VALUE, &words(set.value, form.size));
            if let Some(mask) = set.mask {
                out.put(MASK, &words(mask, form.size));
            }
            return;
        }
        out.nest(BITS | NLA_F_NESTED, |out| {
            let listed = set.mask.unwrap_or(set.value);
            for bit in (0..64).filter(|bit| listed & (1 << bit) != 0) {
                out.nest(BITS_BIT | NLA_F_NESTED, |out| {
                    out.u32(BIT_INDEX, bit);
                    if let Some(name) = form.names.get(bit as usize) {
                        out.text(BIT_NAME, name);
                    }
                    if set.mask.is_some() && set.value & (1 << bit) != 0 {
                        out.flag(BIT_VALUE);
                    }
                });
            }
        });
    });
}

/// Reads a bitset from a request. Without a mask it speaks of every bit.
pub(super) fn read(attr: Attr<'_>, names: &[&str]) -> Result<Bitset> {
    let attrs = attr.nested(BITSET, Check::Strict)?;
    let nomask = attrs.get(NOMASK).is_some();
    let number = |attr: Attr<'_>| {
        let mut bytes = [0; 8];
        for (to, from) in bytes.iter_mut().zip(attr.payload) {
            *to = *from;
        }
        u64::from_le_bytes(bytes)
    };
    let Some(bits) = attrs.get(BITS) else {
        let value = attrs.get(VALUE).ok_or_else(|| attr.refuse(Errno::EINVAL, "no bits, mask or value"))?;
        let mask = attrs.get(MASK).map(number);
        return Ok(Bitset { value: number(value), mask: if nomask { None } else { mask } });
    };
    let mut set = Bitset { value: 0, mask: (!nomask).then_some(0) };
    for bit in bits.iter() {
        let fields = bit.nested(BIT, Check::Strict)?;
        let position = match (fields.get(BIT_INDEX), fields.get(BIT_NAME)) {
            (Some(index), _) => {
                let position = index.u32();
                if position as usize >= names.len() {
                    return Err(index.refuse(Errno::EOPNOTSUPP, "bit index too high"));
                }
                position
            }
            (None, Some(name)) => {
                let text = name.text().unwrap_or_default();
                let found = names.iter().position(|known| !text.is_empty() && *known == text);
                found.ok_or_else(|| name.refuse(Errno::EOPNOTSUPP, "bit name not found"))? as u32
            }
            (None, None) => return Err(bit.refuse(Errno::EINVAL, "neither bit index nor name specified")),
        };
        let flag = 1 << position;
        if nomask || fields.get(BIT_VALUE).is_some() {
            set.value |= flag;
        }
        if let Some(mask) = &mut set.mask {
            *mask |= flag;
        }
    }
    Ok(set)
}
