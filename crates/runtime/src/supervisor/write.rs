//! write(2) to the files of the virtual trees.

use std::fs;

use netloom_kernel::NsId;

use super::filter::LONGEST_WRITE;
use super::{Result, Tracee, Verdict, mirror};
use crate::world::World;

/// The kernel's file that a descriptor was opened on.
fn target(world: &World, tracee: &Tracee<'_>) -> Option<(NsId, String)> {
    if !world.writable_opened {
        return None;
    }
    let link = fs::read_link(format!("/proc/{}/fd/{}", tracee.tid, tracee.int(0))).ok()?;
    mirror::kernel_file(world, &link)
}

fn answer(world: &mut World, tracee: &Tracee<'_>, (ns, path): (NsId, String), data: &[u8]) -> Result {
    tracee.check()?;
    world.kernel.write_file(ns, &path, data).map_err(|errno| errno.0)?;
    Ok(Verdict::Return(data.len() as i64))
}

pub(crate) fn write(world: &mut World, tracee: &Tracee<'_>) -> Result {
    let Some(target) = target(world, tracee) else { return Ok(Verdict::Continue) };
    let length = (tracee.word(2) as usize).min(LONGEST_WRITE);
    let data = tracee.read(tracee.word(1), length)?;
    answer(world, tracee, target, &data)
}

pub(crate) fn writev(world: &mut World, tracee: &Tracee<'_>) -> Result {
    let Some(target) = target(world, tracee) else { return Ok(Verdict::Continue) };
    let count = (tracee.word(2) as usize).min(1024);
    let pieces = tracee.read(tracee.word(1), count * 16)?;
    let mut data = Vec::new();
    let (words, _) = pieces.as_chunks::<8>();
    for piece in words.chunks_exact(2) {
        let [address, length] = [u64::from_ne_bytes(piece[0]), u64::from_ne_bytes(piece[1])];
        let length = (length as usize).min(LONGEST_WRITE - data.len());
        data.extend(tracee.read(address, length)?);
    }
    answer(world, tracee, target, &data)
}
