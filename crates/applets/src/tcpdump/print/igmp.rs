//! IGMP, versions 1 to 3 (RFC 2236, 3376).

use std::net::Ipv4Addr;

use super::{Fetch, Printed, Printer, checksum, say};

/// Floating-point codes above 127 (RFC 3376, 4.1.1): tenths of a second.
fn response_time(code: u8) -> u32 {
    if code < 128 { code.into() } else { u32::from(code & 0x0f | 0x10) << (u32::from(code >> 4 & 7) + 3) }
}

impl Printer {
    pub(super) fn igmp(&mut self, data: &[u8], length: usize) -> Printed {
        self.protocol = "igmp";
        if self.style.quiet {
            self.text.push_str("igmp");
            return Ok(());
        }
        let kind = data.byte(0)?;
        match kind {
            0x11 if length >= 12 => self.igmp_query_v3(data, length)?,
            0x11 => {
                self.text.push_str("igmp query");
                let code = data.byte(1)?;
                if code == 0 {
                    self.text.push_str(" v1");
                } else {
                    self.text.push_str(" v2");
                    if code != 100 {
                        let tenths = response_time(code);
                        if tenths < 600 {
                            say!(self, " [max resp time {tenths}]");
                        } else {
                            say!(self, " [max resp time {:.1}s]", f64::from(tenths) / 10.0);
                        }
                    }
                }
                let group = data.array::<4>(4)?;
                if group != [0; 4] {
                    say!(self, " [gaddr {}]", self.names.host(Ipv4Addr::from(group)));
                }
            }
            0x12 | 0x16 | 0x17 => {
                let what = match kind {
                    0x12 => "v1 report",
                    0x16 => "v2 report",
                    _ => "leave",
                };
                let group = self.names.host(Ipv4Addr::from(data.array::<4>(4)?));
                say!(self, "igmp {what} {group}");
            }
            0x22 => {
                self.text.push_str("igmp v3 report");
                self.group_records::<4>(data, length, "v3")?;
            }
            0x13 => {
                say!(self, "igmp dvmrp [type {}]", data.byte(1)?);
            }
            _ => {
                say!(self, "igmp-{kind}");
            }
        }
        if self.style.verbose > 0 && data.len() >= length && checksum(&[data.upto(length)]) != 0 {
            say!(self, " bad igmp cksum {:x}!", data.be16(2)?);
        }
        Ok(())
    }

    fn igmp_query_v3(&mut self, data: &[u8], length: usize) -> Printed {
        self.text.push_str("igmp query v3");
        let code = data.byte(1)?;
        if self.style.verbose > 0 && code != 100 {
            let tenths = response_time(code);
            if tenths < 600 {
                say!(self, " [max resp time {:.1}s]", f64::from(tenths) / 10.0);
            } else {
                say!(self, " [max resp time {}s]", tenths / 10);
            }
        }
        let group = data.array::<4>(4)?;
        if group == [0; 4] {
            return Ok(());
        }
        say!(self, " [gaddr {}", self.names.host(Ipv4Addr::from(group)));
        let sources = usize::from(data.be16(10)?);
        if sources > 0 {
            if length < 12 + 4 * sources {
                say!(self, " [invalid number of sources {sources}]");
            } else if self.style.verbose > 1 {
                self.group_sources::<4>(data, 12, sources)?;
            } else {
                say!(self, ", {sources} source(s)");
            }
        }
        self.text.push(']');
        Ok(())
    }
}
