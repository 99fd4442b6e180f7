//! What `-V` prints: the version and what was compiled in.

use std::io::{self, Write};

use super::VERSION;

const HARDWARE: &str =
    "+ETHER +ARC +SLIP +PPP +TUNNEL -TR +AX25 +NETROM +X25 +FR +ROSE +ASH +SIT +FDDI +HIPPI +HDLC/LAPB +EUI64 ";

/// `features` are the command's own; `hardware` says whether it has a default hardware type.
pub(crate) fn version(out: &mut dyn Write, features: &str, default_hardware: bool) -> io::Result<()> {
    let default = if default_hardware { "(ether)" } else { "" };
    writeln!(out, "{VERSION}\n{features}")?;
    writeln!(out, "AF: (inet) +UNIX +INET +INET6 +IPX +AX25 +NETROM +X25 +ATALK +ECONET +ROSE -BLUETOOTH")?;
    writeln!(out, "HW: {default} {HARDWARE}")
}
