//! Group records and lists of sources, which IGMPv3 and MLDv2 have in common but for the length of an address.

use std::net::IpAddr;

use super::{Fetch, Printed, Printer, say};

/// What a group record says.
fn record(kind: u8, version: &str) -> String {
    match kind {
        1 => "is_in".to_owned(),
        2 => "is_ex".to_owned(),
        3 => "to_in".to_owned(),
        4 => "to_ex".to_owned(),
        5 => "allow".to_owned(),
        6 => "block".to_owned(),
        _ => format!(" [{version}-report-#{kind}]"),
    }
}

impl Printer {
    /// The records of a report, whose number stands at 6.
    pub(super) fn group_records<const ADDRESS: usize>(&mut self, data: &[u8], length: usize, version: &str) -> Printed
    where
        IpAddr: From<[u8; ADDRESS]>,
    {
        let records = data.be16(6)?;
        say!(self, ", {records} group record(s)");
        if self.style.verbose == 0 {
            return Ok(());
        }
        let mut at = 8;
        for _ in 0..records {
            let listed = at + 4 + ADDRESS;
            if listed > length {
                self.text.push_str(" [invalid number of groups]");
                return Ok(());
            }
            let group = self.names.host(data.array::<ADDRESS>(at + 4)?);
            say!(self, " [gaddr {group} {}", record(data.byte(at)?, version));
            let sources = usize::from(data.be16(at + 2)?);
            let end = listed + ADDRESS * sources;
            if length < end {
                say!(self, " [invalid number of sources {sources}]");
                return Ok(());
            }
            if self.style.verbose > 1 {
                self.group_sources::<ADDRESS>(data, listed, sources)?;
            } else {
                say!(self, ", {sources} source(s)");
            }
            self.text.push(']');
            at = end;
        }
        Ok(())
    }

    /// So many addresses in braces.
    pub(super) fn group_sources<const ADDRESS: usize>(&mut self, data: &[u8], at: usize, number: usize) -> Printed
    where
        IpAddr: From<[u8; ADDRESS]>,
    {
        self.text.push_str(" {");
        for source in 0..number {
            let address = self.names.host(data.array::<ADDRESS>(at + ADDRESS * source)?);
            say!(self, " {address}");
        }
        self.text.push_str(" }");
        Ok(())
    }
}
