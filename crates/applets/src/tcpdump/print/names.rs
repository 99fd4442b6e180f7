//! Names of addresses and ports, where they are wanted; each is asked for once.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::tcpdump::services;

pub(super) struct Names {
    numeric: bool,
    hosts: HashMap<IpAddr, String>,
    ports: HashMap<(u16, &'static str), String>,
}

impl Names {
    pub(super) fn new(numeric: bool) -> Names {
        Names { numeric, hosts: HashMap::new(), ports: HashMap::new() }
    }

    pub(super) fn host(&mut self, address: impl Into<IpAddr>) -> String {
        let address = address.into();
        if self.numeric {
            return address.to_string();
        }
        let look_up = || dns_lookup::lookup_addr(&address).unwrap_or_else(|_| address.to_string());
        self.hosts.entry(address).or_insert_with(look_up).clone()
    }

    pub(super) fn port(&mut self, port: u16, protocol: &'static str) -> String {
        if self.numeric {
            return port.to_string();
        }
        let look_up = || services::service(port, protocol).unwrap_or_else(|| port.to_string());
        self.ports.entry((port, protocol)).or_insert_with(look_up).clone()
    }

    /// A protocol inside IP.
    pub(super) fn protocol(&self, number: u8) -> Option<String> {
        if self.numeric { None } else { services::protocol_name(number) }
    }
}
