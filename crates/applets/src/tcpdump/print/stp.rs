//! Spanning tree messages (IEEE 802.1D, 802.1w).

use super::{Cut, Fetch, Printed, Printer, mac, say};

const CONFIGURATION: u8 = 0x00;
const RAPID: u8 = 0x02;
const TOPOLOGY_CHANGE: u8 = 0x80;
const LENGTH: usize = 35;

fn identifier(bytes: &[u8]) -> Result<String, Cut> {
    Ok(format!("{:04x}.{}", bytes.be16(0)?, mac(bytes.run(2, 6)?)))
}

/// 256ths of a second.
fn seconds(units: u16) -> String {
    format!("{:.2}s", f64::from(units) / 256.0)
}

impl Printer {
    pub(super) fn stp(&mut self, data: &[u8], length: usize) -> Printed {
        self.protocol = "stp";
        if length < 4 {
            say!(self, "STP (invalid)");
            return Ok(());
        }
        if data.be16(0)? != 0 {
            say!(self, "unknown STP version, length {length}");
            return Ok(());
        }
        let version = data.byte(2)?;
        let name = match version {
            0 => "802.1d",
            2 => "802.1w",
            3 => "802.1s",
            4 => "802.1aq",
            _ => {
                say!(self, "STP Unknown STP protocol (0x{version:02x})");
                return Ok(());
            }
        };
        say!(self, "STP {name}");
        let kind = data.byte(3)?;
        self.text.push_str(", ");
        match kind {
            CONFIGURATION => self.text.push_str("Config"),
            RAPID => self.text.push_str("Rapid STP"),
            TOPOLOGY_CHANGE => {
                self.text.push_str("Topology Change");
                return Ok(());
            }
            _ => {
                say!(self, "Unknown BPDU Type (0x{kind:02x})");
                return Ok(());
            }
        }
        if length < LENGTH {
            self.text.push_str(" (invalid)");
            return Ok(());
        }
        self.configuration(kind == RAPID, data, length)
    }

    fn configuration(&mut self, rapid: bool, data: &[u8], length: usize) -> Printed {
        let flags = data.byte(4)?;
        let mut names = Vec::new();
        let known: &[(u8, &str)] = if rapid {
            &[
                (0x01, "Topology change"),
                (0x02, "Proposal"),
                (0x10, "Learn"),
                (0x20, "Forward"),
                (0x40, "Agreement"),
                (0x80, "Topology change ACK"),
            ]
        } else {
            &[(0x01, "Topology change"), (0x80, "Topology change ACK")]
        };
        names.extend(known.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, name)| *name));
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        say!(self, ", Flags [{names}]");
        let bridge = identifier(data.rest(17))?;
        say!(self, ", bridge-id {bridge}.{:04x}, length {length}", data.be16(25)?);
        if self.style.verbose == 0 {
            return Ok(());
        }
        let [age, most, hello, delay] = [27, 29, 31, 33].map(|at| data.be16(at).map(seconds));
        say!(self, "\n\tmessage-age {}, max-age {}, hello-time {}, forwarding-delay {}", age?, most?, hello?, delay?);
        say!(self, "\n\troot-id {}, root-pathcost {}", identifier(data.rest(5))?, data.be32(13)?);
        if rapid {
            let role = ["Unknown", "Alternate", "Root", "Designated"][usize::from(flags >> 2 & 3)];
            say!(self, ", port-role {role}");
        }
        Ok(())
    }
}
