//! Classic BPF: the filter programs of `SO_ATTACH_FILTER`.
//!
//! A program is checked when it is attached (jumps forward and within it, scratch words that exist, an end at the end) and
//! so can neither loop nor fail; a load beyond the packet ends it with "drop".

use crate::error::{Errno, Result};

#[derive(Clone, Copy, Debug)]
struct Instruction {
    code: u16,
    if_true: u8,
    if_false: u8,
    k: u32,
}

/// A checked program.
#[derive(Clone, Debug)]
pub(crate) struct Filter(Vec<Instruction>);

const MAX_INSTRUCTIONS: usize = 4096;
const SCRATCH: usize = 16;

const LD: u16 = 0;
const LDX: u16 = 1;
const ST: u16 = 2;
const STX: u16 = 3;
const ALU: u16 = 4;
const JMP: u16 = 5;
const RET: u16 = 6;
const MISC: u16 = 7;

impl Filter {
    /// Parses `struct sock_filter`s, eight bytes each. `EINVAL` where it is no valid program.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Filter, Errno> {
        let (instructions, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() || instructions.is_empty() || instructions.len() > MAX_INSTRUCTIONS {
            return Err(Errno::EINVAL);
        }
        let program: Vec<Instruction> = instructions
            .iter()
            .map(|&[c0, c1, if_true, if_false, k0, k1, k2, k3]| Instruction {
                code: u16::from_ne_bytes([c0, c1]),
                if_true,
                if_false,
                k: u32::from_ne_bytes([k0, k1, k2, k3]),
            })
            .collect();
        let last = program.len() - 1;
        for (at, i) in program.iter().enumerate() {
            let left = last - at;
            let valid = match i.code & 7 {
                LD | LDX if i.code & 0xe0 == 0x60 => (i.k as usize) < SCRATCH,
                ST | STX => (i.k as usize) < SCRATCH,
                ALU if matches!(i.code & 0xf8, 0x30 | 0x90) => i.k != 0,
                JMP if i.code & 0xf0 == 0 => (i.k as usize) < left,
                JMP => usize::from(i.if_true.max(i.if_false)) < left,
                _ => true,
            };
            if !valid {
                return Err(Errno::EINVAL);
            }
        }
        if program[last].code & 7 == RET { Ok(Filter(program)) } else { Err(Errno::EINVAL) }
    }

    /// How many bytes of the packet the program lets pass; 0 drops it.
    pub(crate) fn run(&self, packet: &[u8]) -> usize {
        self.interpret(packet).unwrap_or(0) as usize
    }

    fn interpret(&self, packet: &[u8]) -> Option<u32> {
        let (mut a, mut x, mut at) = (0u32, 0u32, 0usize);
        let mut scratch = [0u32; SCRATCH];
        loop {
            let i = self.0.get(at)?;
            at += 1;
            match i.code & 7 {
                LD => {
                    a = match i.code & 0xe0 {
                        0x00 => i.k,
                        0x20 => load(packet, i.k, i.code)?,
                        0x40 => load(packet, x.checked_add(i.k)?, i.code)?,
                        0x60 => scratch[i.k as usize],
                        0x80 => packet.len() as u32,
                        _ => return None,
                    }
                }
                LDX => {
                    x = match i.code & 0xe0 {
                        0x00 => i.k,
                        0x60 => scratch[i.k as usize],
                        0x80 => packet.len() as u32,
                        0xa0 => u32::from(packet.get(i.k as usize)? & 15) * 4,
                        _ => return None,
                    }
                }
                ST => scratch[i.k as usize] = a,
                STX => scratch[i.k as usize] = x,
                ALU => {
                    let operand = if i.code & 8 != 0 { x } else { i.k };
                    a = match i.code & 0xf0 {
                        0x00 => a.wrapping_add(operand),
                        0x10 => a.wrapping_sub(operand),
                        0x20 => a.wrapping_mul(operand),
                        0x30 => a.checked_div(operand)?,
                        0x40 => a | operand,
                        0x50 => a & operand,
                        0x60 => a.checked_shl(operand).unwrap_or(0),
                        0x70 => a.checked_shr(operand).unwrap_or(0),
                        0x80 => a.wrapping_neg(),
                        0x90 => a.checked_rem(operand)?,
                        0xa0 => a ^ operand,
                        _ => return None,
                    }
                }
                JMP => {
                    let operand = if i.code & 8 != 0 { x } else { i.k };
                    let taken = match i.code & 0xf0 {
                        0x00 => {
                            at += i.k as usize;
                            continue;
                        }
                        0x10 => a == operand,
                        0x20 => a > operand,
                        0x30 => a >= operand,
                        0x40 => a & operand != 0,
                        _ => return None,
                    };
                    at += usize::from(if taken { i.if_true } else { i.if_false });
                }
                RET => return Some(if i.code & 0x18 == 0x10 { a } else { i.k }),
                MISC if i.code & 0x80 != 0 => a = x,
                MISC => x = a,
                _ => return None,
            }
        }
    }
}

fn load(packet: &[u8], at: u32, code: u16) -> Option<u32> {
    let rest = packet.get(at as usize..)?;
    Some(match code & 0x18 {
        0x00 => u32::from_be_bytes(*rest.first_chunk()?),
        0x08 => u16::from_be_bytes(*rest.first_chunk()?).into(),
        _ => (*rest.first()?).into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(instructions: &[(u16, u8, u8, u32)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (code, if_true, if_false, k) in instructions {
            bytes.extend(code.to_ne_bytes());
            bytes.extend([*if_true, *if_false]);
            bytes.extend(k.to_ne_bytes());
        }
        bytes
    }

    #[test]
    fn arp_passes_and_ip_does_not() {
        // ldh [12]; jeq #0x806; ret #65535; ret #0
        let filter = Filter::parse(&program(&[(0x28, 0, 0, 12), (0x15, 0, 1, 0x806), (6, 0, 0, 65_535), (6, 0, 0, 0)]));
        let filter = filter.unwrap();
        let mut frame = [0u8; 42];
        frame[12..14].copy_from_slice(&[8, 6]);
        assert_eq!(filter.run(&frame), 65_535);
        frame[13] = 0;
        assert_eq!(filter.run(&frame), 0);
        assert_eq!(filter.run(&frame[..13]), 0, "a load beyond the packet drops it");
    }

    #[test]
    fn a_jump_beyond_the_end_is_refused() {
        assert_eq!(Filter::parse(&program(&[(0x15, 9, 0, 0), (6, 0, 0, 0)])).unwrap_err(), Errno::EINVAL);
        assert_eq!(Filter::parse(&program(&[(0x00, 0, 0, 0)])).unwrap_err(), Errno::EINVAL);
        assert_eq!(Filter::parse(&[0; 7]).unwrap_err(), Errno::EINVAL);
    }
}
