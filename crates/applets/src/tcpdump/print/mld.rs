//! Multicast listener discovery, version 2 (RFC 3810).

use std::net::Ipv6Addr;

use super::{Fetch, Printed, Printer, say};

/// Floating-point codes above 32,767 (RFC 3810, 5.1.3): milliseconds.
fn response_delay(code: u16) -> u32 {
    if code < 0x8000 { code.into() } else { u32::from(code & 0x0fff | 0x1000) << (u32::from(code >> 12 & 7) + 3) }
}

impl Printer {
    pub(super) fn listener_query_v2(&mut self, data: &[u8], length: usize) -> Printed {
        self.text.push_str(" v2");
        if self.style.verbose > 0 {
            say!(self, " [max resp delay={}]", response_delay(data.be16(4)?));
        }
        say!(self, " [gaddr {}", self.names.host(Ipv6Addr::from(data.array::<16>(8)?)));
        let flags = data.byte(24)?;
        if self.style.verbose > 0 {
            if flags & 0x08 != 0 {
                self.text.push_str(" sflag");
            }
            if flags & 0x07 != 0 {
                say!(self, " robustness={}", flags & 0x07);
            }
            let interval = data.byte(25)?;
            if interval != 0 {
                say!(self, " qqi={interval}");
            }
        }
        let sources = usize::from(data.be16(26)?);
        if sources > 0 {
            if length < 28 + 16 * sources {
                say!(self, " [invalid number of sources {sources}]");
            } else if self.style.verbose > 1 {
                self.group_sources::<16>(data, 28, sources)?;
            } else {
                say!(self, ", {sources} source(s)");
            }
        }
        self.text.push(']');
        Ok(())
    }
}
