//! `ifconfig`'s usage text.

use std::io::{self, Write};

use crate::Context;
use crate::nettools::hardware;

const USAGE: &str = "Usage:
  ifconfig [-a] [-v] [-s] <interface> [[<AF>] <address>]
  [add <address>[/<prefixlen>]]
  [del <address>[/<prefixlen>]]
  [[-]broadcast [<address>]]  [[-]pointopoint [<address>]]
  [netmask <address>]  [dstaddr <address>]  [tunnel <address>]
  [outfill <NN>] [keepalive <NN>]
  [hw <HW> <address>]  [mtu <NN>]
  [[-]trailers]  [[-]arp]  [[-]allmulti]
  [multicast]  [[-]promisc]
  [mem_start <NN>]  [io_addr <NN>]  [irq <NN>]  [media <type>]
  [txqueuelen <NN>]
  [name <newname>]
  [[-]dynamic]
  [up|down] ...

";

/// The help that was asked for: the lists go to standard error even then.
pub(super) fn help(context: &mut Context<'_>) -> io::Result<()> {
    context.out.write_all(USAGE.as_bytes())?;
    writeln!(context.out, "  <HW>=Hardware Type.\n  List of possible hardware types:")?;
    hardware::list(context.err, false)?;
    writeln!(context.out, "  <AF>=Address family. Default: inet\n  List of possible address families:")?;
    hardware::list_families(context.err, false)
}

/// The complaint about arguments.
pub(super) fn complain(err: &mut dyn Write) -> io::Result<()> {
    err.write_all(USAGE.as_bytes())?;
    writeln!(err, "  <HW>=Hardware Type.\n  List of possible hardware types:")?;
    hardware::list(err, false)?;
    writeln!(err, "  <AF>=Address family. Default: inet\n  List of possible address families:")?;
    hardware::list_families(err, false)
}
