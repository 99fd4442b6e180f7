//! `arp`'s usage text.

use std::io::{self, Write};

use crate::Context;
use crate::nettools::hardware;

const USAGE: &str = "Usage:
  arp [-vn]  [<HW>] [-i <if>] [-a] [<hostname>]             <-Display ARP cache
  arp [-v]          [-i <if>] -d  <host> [pub]               <-Delete ARP entry
  arp [-vnD] [<HW>] [-i <if>] -f  [<filename>]            <-Add entry from file
  arp [-v]   [<HW>] [-i <if>] -s  <host> <hwaddr> [temp]            <-Add entry
  arp [-v]   [<HW>] [-i <if>] -Ds <host> <if> [netmask <nm>] pub          <-''-

        -a                       display (all) hosts in alternative (BSD) style
        -e                       display (all) hosts in default (Linux) style
        -s, --set                set a new ARP entry
        -d, --delete             delete a specified entry
        -v, --verbose            be verbose
        -n, --numeric            don't resolve names
        -i, --device             specify network interface (e.g. eth0)
        -D, --use-device         read <hwaddr> from given device
        -A, -p, --protocol       specify protocol family
        -f, --file               read new entries from file or from /etc/ethers

  <HW>=Use '-H <hw>' to specify hardware address type. Default: ether
  List of possible hardware types (which support ARP):
";

/// The help that was asked for: the list of types goes to standard error even then.
pub(super) fn help(context: &mut Context<'_>) -> io::Result<()> {
    context.out.write_all(USAGE.as_bytes())?;
    hardware::list(context.err, true)
}

/// The complaint about arguments.
pub(super) fn complain(err: &mut dyn Write) -> io::Result<()> {
    err.write_all(USAGE.as_bytes())?;
    hardware::list(err, true)
}
