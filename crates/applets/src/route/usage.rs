//! `route`'s usage texts.

use std::io::{self, Write};

use crate::Context;
use crate::nettools::hardware;

const USAGE: &str = "Usage: route [-nNvee] [-FC] [<AF>]           List kernel routing tables
       route [-v] [-FC] {add|del|flush} ...  Modify routing table for AF.

       route {-h|--help} [<AF>]              Detailed usage syntax for specified AF.
       route {-V|--version}                  Display version/author and exit.

        -v, --verbose            be verbose
        -n, --numeric            don't resolve names
        -e, --extend             display other/more information
        -F, --fib                display Forwarding Information Base (default)
        -C, --cache              display routing cache instead of FIB

  <AF>=Use -4, -6, '-A <af>' or '--<af>'; default: inet
  List of possible address families (which support routing):
";

/// The syntax of `route add` and `route del` for IPv4.
pub(super) const INET: &str = "Usage: inet_route [-vF] del {-host|-net} Target[/prefix] [gw Gw] [metric M] [[dev] If]
       inet_route [-vF] add {-host|-net} Target[/prefix] [gw Gw] [metric M]
                              [netmask N] [mss Mss] [window W] [irtt I]
                              [mod] [dyn] [reinstate] [[dev] If]
       inet_route [-vF] add {-host|-net} Target[/prefix] [metric M] reject
       inet_route [-FC] flush      NOT supported
";

/// The syntax of `route -6 add` and `route -6 del`.
pub(super) const INET6: &str = "Usage: inet6_route [-vF] del Target
       inet6_route [-vF] add Target [gw Gw] [metric M] [[dev] If]
       inet6_route [-FC] flush      NOT supported
";

/// The help that was asked for: the list of families goes to standard error even then.
pub(super) fn help(context: &mut Context<'_>) -> io::Result<()> {
    context.out.write_all(USAGE.as_bytes())?;
    hardware::list_families(context.err, true)
}

/// The complaint about arguments.
pub(super) fn complain(err: &mut dyn Write) -> io::Result<()> {
    err.write_all(USAGE.as_bytes())?;
    hardware::list_families(err, true)
}
