//! ARP and Reverse ARP (RFC 826, 903, 2390).

use std::net::Ipv4Addr;

use super::{Fetch, Printed, Printer, mac, say};

impl Printer {
    pub(super) fn arp(&mut self, data: &[u8], length: usize) -> Printed {
        self.protocol = "arp";
        let header = data.run(0, 8)?;
        let (hardware, protocol) = (header.be16(0)?, header.be16(2)?);
        let (hardware_length, protocol_length) = (usize::from(header.byte(4)?), usize::from(header.byte(5)?));
        let operation = header.be16(6)?;
        let sender = data.run(8, hardware_length)?;
        let sender_ip = data.run(8 + hardware_length, protocol_length)?;
        let target = data.run(8 + hardware_length + protocol_length, hardware_length)?;
        let target_ip = data.run(8 + 2 * hardware_length + protocol_length, protocol_length)?;

        if !self.style.link_level {
            self.text.push_str("ARP, ");
        }
        let usual = protocol == 0x0800 && protocol_length == 4;
        let hardware_name = match hardware {
            1 => "Ethernet".to_owned(),
            6 => "TokenRing".to_owned(),
            7 => "ArcNet".to_owned(),
            15 => "FrameRelay".to_owned(),
            19 => "ATM".to_owned(),
            20 => "Strip".to_owned(),
            24 => "IEEE 1394".to_owned(),
            32 => "IB".to_owned(),
            _ => format!("Unknown Hardware ({hardware})"),
        };
        let protocol_name = match protocol {
            0x0800 => "IPv4".to_owned(),
            0x86dd => "IPv6".to_owned(),
            _ => format!("Unknown Protocol (0x{protocol:04x})"),
        };
        if self.style.verbose > 0 || !usual || hardware_length == 0 {
            say!(self, "{hardware_name} (len {hardware_length}), {protocol_name} (len {protocol_length}), ");
            if self.style.verbose == 0 {
                say!(self, "length {length}");
                return Ok(());
            }
        }

        let ip = |printer: &mut Printer, bytes: &[u8]| match <[u8; 4]>::try_from(bytes) {
            Ok(octets) if usual => printer.names.host(Ipv4Addr::from(octets)),
            _ if protocol != 0x0800 => "<wrong proto type>".to_owned(),
            _ => "<wrong len>".to_owned(),
        };
        match operation {
            1 => {
                let (wanted, asking) = (ip(self, target_ip), ip(self, sender_ip));
                say!(self, "Request who-has {wanted}");
                if target.iter().any(|&byte| byte != 0) {
                    say!(self, " ({})", mac(target));
                }
                say!(self, " tell {asking}");
            }
            2 => {
                let who = ip(self, sender_ip);
                say!(self, "Reply {who} is-at {}", mac(sender));
            }
            3 => {
                say!(self, "Reverse Request who-is {} tell {}", mac(target), mac(sender));
            }
            4 => {
                let at = ip(self, target_ip);
                say!(self, "Reverse Reply {} at {at}", mac(target));
            }
            8 => {
                say!(self, "Inverse Request who-is {} tell {}", mac(target), mac(sender));
            }
            9 => {
                let at = ip(self, sender_ip);
                say!(self, "Inverse Reply {} at {at}", mac(sender));
            }
            _ => {
                say!(self, "Unknown ({operation}) ");
                self.dump(data);
                return Ok(());
            }
        }
        say!(self, ", length {length}");
        Ok(())
    }
}
