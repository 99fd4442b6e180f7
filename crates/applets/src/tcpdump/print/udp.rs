//! UDP (RFC 768).

use super::ip::Around;
use super::{Fetch, Printed, Printer, repaired, say};

const HEADER: usize = 8;
const PROTOCOL: u8 = 17;

impl Printer {
    pub(super) fn udp(&mut self, data: &[u8], length: usize, around: &Around) -> Printed {
        self.protocol = "udp";
        let (Ok(source), Ok(destination)) = (data.be16(0), data.be16(2)) else {
            self.ends(around);
            return Err(super::Cut);
        };
        self.ends_with_ports(around, (source, destination), "udp");
        let told = data.be16(4)?;
        let whole = usize::from(told);
        if whole < HEADER {
            say!(self, "truncated-udplength {whole}");
            return Ok(());
        }
        let checksum = data.be16(6)?;
        let payload = length.min(whole).saturating_sub(HEADER);
        // IPv4 checks it at the second level only, as it may do without.
        let level = if around.source.is_ipv4() { 2 } else { 1 };
        if self.style.verbose >= level && !self.style.quiet && !around.fragment {
            if checksum == 0 && around.source.is_ipv4() {
                self.text.push_str("[no cksum] ");
            } else if data.len() >= length.min(whole) {
                let sum = around.checksum(PROTOCOL, data.upto(length.min(whole)));
                if sum == 0 || whole > length {
                    self.text.push_str("[udp sum ok] ");
                } else {
                    say!(self, "[bad udp cksum 0x{checksum:04x} -> 0x{:04x}!] ", repaired(checksum, sum));
                }
            }
        }
        if whole - HEADER > payload {
            say!(self, "UDP, bad length {} > {payload}", whole - HEADER);
            return Ok(());
        }
        say!(self, "UDP, length {payload}");
        Ok(())
    }

    /// A fragment's beginning, whose addresses are printed already.
    pub(super) fn udp_in_fragment(&mut self, data: &[u8]) -> Printed {
        self.protocol = "udp";
        let (source, destination) = (data.be16(0)?, data.be16(2)?);
        let (source, destination) = (self.names.port(source, "udp"), self.names.port(destination, "udp"));
        let whole = usize::from(data.be16(4)?);
        say!(self, "{source} > {destination}: UDP, length {}", whole.saturating_sub(HEADER));
        Ok(())
    }
}
