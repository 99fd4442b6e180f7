//! The commands people know, one module each: `ip`, `bridge`, `brctl`, `ifconfig`, `route`, `arp`, `netstat`, `ethtool`,
//! `ping`, `arping`, `dmesg`, `sysctl`, `tcpdump`, `nstat`.
//!
//! An applet is a function of its arguments and a [`Context`]; it returns its exit status. It knows a kernel only
//! through the [`Machine`](netloom_machine::Machine) it is given. What it prints, and how it fails, is what iproute2
//! 6.1, bridge-utils 1.7, net-tools 2.10, ethtool 6.1 and iputils 20221126 print.

mod arp;
mod arping;
mod brctl;
mod bridge;
mod context;
mod device;
mod dmesg;
mod ethtool;
mod getopt;
mod getopt_long;
mod ifconfig;
mod ip;
mod netstat;
mod nettools;
mod nstat;
mod ping;
mod print;
mod route;
mod rtnl;
mod sockaddr;
mod sysctl;
mod tcpdump;
mod wildcard;

use std::io;

pub use context::Context;
pub use tcpdump::{CaptureFile, Listener};

/// One command: its name on PATH and its function, which gives the exit status.
#[derive(Clone, Copy)]
pub struct Applet {
    /// The name it is called by.
    pub name: &'static str,
    /// Runs it with its arguments (without its own name).
    pub run: fn(&mut Context<'_>, &[String]) -> i32,
}

impl Applet {
    /// What it says, before it fails with status 1, when its output could not be written. Most say nothing and end as if
    /// nothing had happened.
    pub fn write_error(&self, error: &io::Error) -> Option<String> {
        match self.name {
            "ping" | "arping" => Some(format!("{}: write error", self.name)),
            "sysctl" | "dmesg" => Some(format!("{}: write error: {}", self.name, nettools::strerror(error))),
            _ => None,
        }
    }
}

/// Every applet, by name.
pub const APPLETS: &[Applet] = &[
    Applet { name: "arp", run: arp::run },
    Applet { name: "arping", run: arping::run },
    Applet { name: "brctl", run: brctl::run },
    Applet { name: "bridge", run: bridge::run },
    Applet { name: "dmesg", run: dmesg::run },
    Applet { name: "ethtool", run: ethtool::run },
    Applet { name: "ifconfig", run: ifconfig::run },
    Applet { name: "ip", run: ip::run },
    Applet { name: "netstat", run: netstat::run },
    Applet { name: "nstat", run: nstat::run },
    Applet { name: "ping", run: ping::run },
    Applet { name: "route", run: route::run },
    Applet { name: "sysctl", run: sysctl::run },
    Applet { name: "tcpdump", run: tcpdump::run },
];

/// The applet of that name.
pub fn find(name: &str) -> Option<&'static Applet> {
    APPLETS.iter().find(|applet| applet.name == name)
}
