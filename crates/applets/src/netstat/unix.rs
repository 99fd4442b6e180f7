//! Unix domain sockets, from `/proc/net/unix`.

use std::io;

use super::names::Processes;
use super::{Options, Which};
use crate::Context;

/// The socket takes connections.
const ACCEPTS: u32 = 0x1_0000;
const WAITS_DATA: u32 = 0x2_0000;
const NO_SPACE: u32 = 0x4_0000;

pub(super) fn show(context: &mut Context<'_>, options: &Options, processes: &Processes) -> io::Result<()> {
    writeln!(context.out, "Active UNIX domain sockets {}", options.which.title())?;
    let programs = if options.programs { "PID/Program name     " } else { "" };
    writeln!(context.out, "Proto RefCnt Flags       Type       State         I-Node   {programs}Path")?;
    let bytes = context.machine.read_file(&context.netns, "/proc/net/unix").unwrap_or_default();
    for line in String::from_utf8_lossy(&bytes).lines().skip(1) {
        row(context, options, processes, line)?;
    }
    Ok(())
}

fn row(context: &mut Context<'_>, options: &Options, processes: &Processes, line: &str) -> io::Result<()> {
    let mut words = line.split_whitespace();
    let mut hex = || words.next().and_then(|word| u32::from_str_radix(word.trim_end_matches(':'), 16).ok());
    // The first number is the socket's address in the kernel, which may be longer than 32 bits.
    hex();
    let (Some(references), Some(protocol), Some(flags), Some(kind), Some(state)) = (hex(), hex(), hex(), hex(), hex())
    else {
        return Ok(());
    };
    let Some(inode) = words.next().and_then(|inode| inode.parse::<u64>().ok()) else { return Ok(()) };
    let path = words.next().unwrap_or_default();
    let listens = flags & ACCEPTS != 0;
    let wanted = match options.which {
        Which::All => true,
        Which::Servers => listens,
        Which::Connected => !listens,
    };
    if !wanted {
        return Ok(());
    }
    let protocol = if protocol == 0 { "unix" } else { "??" };
    let mut letters = String::from("[ ");
    for (flag, letter) in [(ACCEPTS, "ACC "), (WAITS_DATA, "W "), (NO_SPACE, "N ")] {
        if flags & flag != 0 {
            letters.push_str(letter);
        }
    }
    letters.push(']');
    let kind = match kind {
        1 => "STREAM",
        2 => "DGRAM",
        3 => "RAW",
        4 => "RDM",
        5 => "SEQPACKET",
        _ => "UNKNOWN",
    };
    let state = match state {
        0 => "FREE",
        1 if listens => "LISTENING",
        1 => "",
        2 => "CONNECTING",
        3 => "CONNECTED",
        4 => "DISCONNECTING",
        _ => "UNKNOWN",
    };
    write!(context.out, "{protocol:<5} {references:<6} {letters:<11} {kind:<10} {state:<13} {inode:<8} ")?;
    if options.programs {
        write!(context.out, "{:<20} ", processes.name(inode))?;
    }
    writeln!(context.out, "{path}")
}
