//! Routing tables from `/proc/net/route` and `/proc/net/ipv6_route`, as `route` and `netstat -r` print them.

use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::resolve;
use crate::Context;

const UP: u32 = 0x1;
const HOST: u32 = 0x4;
const REJECT: u32 = 0x200;
/// An IPv6 route that is a cache entry.
const CACHE: u32 = 0x0100_0000;

/// The columns of an IPv4 table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Columns {
    /// Metric, reference count, use.
    Metric,
    /// MSS, window, initial round-trip time.
    Window,
    /// Both.
    Both,
    /// An extension too many: the title alone.
    Nothing,
}

/// What of a family's routing is shown, and how.
#[derive(Clone, Copy)]
pub(crate) struct View {
    pub(crate) columns: Columns,
    pub(crate) numeric: bool,
    /// The forwarding table.
    pub(crate) fib: bool,
    /// The cache, which Linux hasn't had since 3.6.
    pub(crate) cache: bool,
}

const INET_HEADING: &str = "Destination     Gateway         Genmask         Flags";
const CACHE_HEADING: &str = "Source          Destination     Gateway         Flags";
const METRIC_HEADING: &str = " Metric Ref    Use Iface";
const WINDOW_HEADING: &str = "   MSS Window  irtt Iface";
const BOTH_HEADING: &str = "    MSS   Window irtt";
const CACHE_EXTRA: &str = "  TOS HHRef HHUptod     SpecDst";
const INET6_HEADING: &str = "Destination                    Next Hop                   Flag Met Ref  Use If";

/// The IPv4 table. The exit status is 1 where there is none.
pub(crate) fn show_inet(context: &mut Context<'_>, view: View) -> io::Result<i32> {
    let mut status = 0;
    if view.fib {
        writeln!(context.out, "Kernel IP routing table")?;
        heading(context.out, view.columns, INET_HEADING, "")?;
        let bytes = context.machine.read_file(&context.netns, "/proc/net/route").unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let routes: Vec<Inet> = text.lines().skip(1).filter_map(Inet::parse).collect();
        if text.is_empty() {
            // Not even a heading: the namespace has no table yet.
            status = 1;
        } else {
            let shown = routes.iter().filter(|route| route.flags & UP != 0 && view.columns != Columns::Nothing);
            for route in shown {
                route.show(context.out, view)?;
            }
        }
    }
    if view.cache {
        writeln!(context.out, "Kernel IP routing cache")?;
        heading(context.out, view.columns, CACHE_HEADING, CACHE_EXTRA)?;
    }
    Ok(status)
}

fn heading(out: &mut dyn Write, columns: Columns, first: &str, extra: &str) -> io::Result<()> {
    match columns {
        Columns::Metric => writeln!(out, "{first}{METRIC_HEADING}"),
        Columns::Window => writeln!(out, "{first}{WINDOW_HEADING}"),
        Columns::Both => writeln!(out, "{first}{METRIC_HEADING}{BOTH_HEADING}{extra}"),
        Columns::Nothing => Ok(()),
    }
}

/// One line of `/proc/net/route`.
struct Inet {
    device: String,
    destination: Ipv4Addr,
    gateway: Ipv4Addr,
    flags: u32,
    references: i64,
    uses: i64,
    metric: i64,
    mask: Ipv4Addr,
    mss: i64,
    window: i64,
    round_trip: i64,
}

impl Inet {
    fn parse(line: &str) -> Option<Inet> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let &[device, destination, gateway, flags, references, uses, metric, mask, mss, window, round_trip] =
            fields.first_chunk::<11>()?;
        let address = |text: &str| u32::from_str_radix(text, 16).ok().map(|raw| Ipv4Addr::from(raw.to_ne_bytes()));
        Some(Inet {
            device: device.to_owned(),
            destination: address(destination)?,
            gateway: address(gateway)?,
            flags: u32::from_str_radix(flags, 16).ok()?,
            references: references.parse().ok()?,
            uses: uses.parse().ok()?,
            metric: metric.parse().ok()?,
            mask: address(mask)?,
            mss: mss.parse().ok()?,
            window: window.parse().ok()?,
            round_trip: round_trip.parse().ok()?,
        })
    }

    fn show(&self, out: &mut dyn Write, view: View) -> io::Result<()> {
        let reject = self.flags & REJECT != 0;
        let host = self.flags & HOST != 0;
        let destination = resolve::show_destination(self.destination, self.mask, host, view.numeric);
        let gateway = if reject { "-".to_owned() } else { resolve::show_host(self.gateway, view.numeric) };
        let mask = self.mask.to_string();
        write!(out, "{destination:<15.15} {gateway:<15.15} {mask:<15.15} {:<6}", self.flag_letters())?;
        // What doesn't apply to a route that rejects.
        let or_dash = |value: i64| if reject { "-".to_owned() } else { value.to_string() };
        let device = if reject { "-" } else { &self.device };
        let (mss, window, round_trip) = (or_dash(self.mss), or_dash(self.window), or_dash(self.round_trip));
        match view.columns {
            Columns::Metric => {
                write!(out, "{:<6} {:<2} {:>7} ", self.metric, or_dash(self.references), self.uses)?;
                writeln!(out, "{device}")
            }
            Columns::Window => writeln!(out, "{mss:>5} {window:<5} {round_trip:>6} {device}"),
            Columns::Both => {
                write!(out, "{:<6} ", self.metric)?;
                let references = or_dash(self.references);
                if reject {
                    write!(out, "{references:<2} {:>7} ", self.uses)?;
                } else {
                    write!(out, "{references:<3} {:>6} ", self.uses)?;
                }
                writeln!(out, "{device:<8.6} {mss:<5} {window:<6} {round_trip}")
            }
            Columns::Nothing => Ok(()),
        }
    }

    fn flag_letters(&self) -> String {
        const LETTERS: [(u32, char); 10] = [
            (UP, 'U'),
            (0x2, 'G'),
            (HOST, 'H'),
            (0x8, 'R'),
            (0x10, 'D'),
            (0x20, 'M'),
            (0x40, 'u'),
            (0x80, 'w'),
            (0x100, 'i'),
            (0x400, 'n'),
        ];
        if self.flags & REJECT != 0 {
            return "!".to_owned();
        }
        letters(self.flags, &LETTERS)
    }
}

fn letters(flags: u32, letters: &[(u32, char)]) -> String {
    letters.iter().filter(|(flag, _)| flags & flag != 0).map(|(_, letter)| *letter).collect()
}

/// The IPv6 table. There is always one.
pub(crate) fn show_inet6(context: &mut Context<'_>, view: View) -> io::Result<i32> {
    for (wanted, title, cache) in
        [(view.fib, "Kernel IPv6 routing table", false), (view.cache, "Kernel IPv6 routing cache", true)]
    {
        if !wanted {
            continue;
        }
        writeln!(context.out, "{title}\n{INET6_HEADING}")?;
        let bytes = context.machine.read_file(&context.netns, "/proc/net/ipv6_route").unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let routes = text.lines().filter_map(Inet6::parse);
        for route in routes.filter(|route| (route.flags & CACHE != 0) == cache) {
            route.show(context.out, view.numeric)?;
        }
    }
    Ok(0)
}

/// One line of `/proc/net/ipv6_route`.
struct Inet6 {
    destination: Ipv6Addr,
    prefix: u32,
    next_hop: Ipv6Addr,
    metric: i32,
    references: i32,
    uses: i32,
    flags: u32,
    device: String,
}

impl Inet6 {
    fn parse(line: &str) -> Option<Inet6> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let &[destination, prefix, _source, _source_prefix, next_hop, metric, references, uses, flags, device] =
            fields.first_chunk::<10>()?;
        let address = |text: &str| u128::from_str_radix(text, 16).ok().map(Ipv6Addr::from);
        let number = |text: &str| u32::from_str_radix(text, 16).ok();
        Some(Inet6 {
            destination: address(destination)?,
            prefix: number(prefix)?,
            next_hop: address(next_hop)?,
            metric: number(metric)? as i32,
            references: number(references)? as i32,
            uses: number(uses)? as i32,
            flags: number(flags)?,
            device: device.to_owned(),
        })
    }

    fn show(&self, out: &mut dyn Write, numeric: bool) -> io::Result<()> {
        const LETTERS: [(u32, char); 11] = [
            (UP, 'U'),
            (REJECT, '!'),
            (0x2, 'G'),
            (HOST, 'H'),
            (0x1_0000, 'D'),
            (0x4_0000, 'A'),
            (0x2_0000, 'a'),
            (0x40_0000, 'e'),
            (0x20, 'm'),
            (0x20_0000, 'n'),
            (0x200_0000, 'f'),
        ];
        let address = |address: Ipv6Addr| match address {
            address if numeric => resolve::show_inet6(address),
            address if address.is_unspecified() => "[::]".to_owned(),
            address => resolve::host_name(address.into()).unwrap_or_else(|| resolve::show_inet6(address)),
        };
        let destination = format!("{}/{}", address(self.destination), self.prefix);
        let flags = letters(self.flags, &LETTERS);
        write!(out, "{destination:<30} {:<26} {flags:<4} ", address(self.next_hop))?;
        writeln!(out, "{:<3} {:<2} {:>5} {:.15}", self.metric, self.references, self.uses, self.device)
    }
}

#[cfg(test)]
mod tests {
    use super::{Columns, Inet, Inet6, View};

    fn shown(columns: Columns, line: &str) -> String {
        let mut out = Vec::new();
        let view = View { columns, numeric: true, fib: true, cache: false };
        Inet::parse(line).expect("a route").show(&mut out, view).expect("a vector takes all");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn columns_widen_with_their_values() {
        let line = "h2a\t0000010A\t00000000\t0001\t12\t1234567\t1234567\t00FFFFFF\t123456\t1234567\t1234567   ";
        let start = "10.1.0.0        0.0.0.0         255.255.255.0   U     ";
        assert_eq!(shown(Columns::Metric, line), format!("{start}1234567 12 1234567 h2a\n"));
        assert_eq!(shown(Columns::Window, line), format!("{start}123456 1234567 1234567 h2a\n"));
        assert_eq!(shown(Columns::Both, line), format!("{start}1234567 12  1234567 h2a      123456 1234567 1234567\n"));
    }

    #[test]
    fn a_route_that_rejects_has_neither_gateway_nor_device() {
        let line = "*\t0000060A\t00000000\t0201\t0\t0\t0\t0000FFFF\t0\t0\t0";
        let start = "10.6.0.0        -               255.255.0.0     !     ";
        assert_eq!(shown(Columns::Metric, line), format!("{start}0      -        0 -\n"));
        assert_eq!(shown(Columns::Window, line), format!("{start}    - -          - -\n"));
        assert_eq!(shown(Columns::Both, line), format!("{start}0      -        0 -        -     -      -\n"));
    }

    #[test]
    fn lines_that_are_no_routes_are_left_out() {
        assert!(Inet::parse("h2a\t00").is_none());
        assert!(Inet6::parse("fe80 x").is_none());
    }
}
