//! IPv6 neighbour discovery (RFC 4861) and its options.

use std::net::Ipv6Addr;

use super::{Fetch, Printed, Printer, mac, say};

/// `Flags [a, b]`.
fn flags(byte: u8, known: &[(u8, &str)]) -> String {
    let set: Vec<&str> = known.iter().filter(|(bit, _)| byte & bit != 0).map(|(_, name)| *name).collect();
    if set.is_empty() { "none".to_owned() } else { set.join(", ") }
}

fn lifetime(seconds: u32) -> String {
    if seconds == u32::MAX { "infinity".to_owned() } else { format!("{seconds}s") }
}

fn preference(byte: u8) -> &'static str {
    match byte & 0x18 {
        0x08 => "high",
        0x00 => "medium",
        0x18 => "low",
        _ => "reserved",
    }
}

impl Printer {
    pub(super) fn neighbour_discovery(&mut self, kind: u8, data: &[u8], length: usize) -> Printed {
        let verbose = self.style.verbose > 0;
        let options = match kind {
            133 => 8,
            134 => {
                if verbose {
                    let bits = data.byte(5)?;
                    let names = flags(
                        bits,
                        &[(0x80, "managed"), (0x40, "other stateful"), (0x20, "home agent"), (0x04, "ND proxy")],
                    );
                    say!(
                        self,
                        "\n\thop limit {}, Flags [{names}], pref {}, router lifetime {}s, reachable time {}ms, \
                         retrans timer {}ms",
                        data.byte(4)?,
                        preference(bits),
                        data.be16(6)?,
                        data.be32(8)?,
                        data.be32(12)?
                    );
                }
                16
            }
            135 => {
                let target = self.names.host(Ipv6Addr::from(data.array::<16>(8)?));
                say!(self, ", who has {target}");
                24
            }
            136 => {
                let target = self.names.host(Ipv6Addr::from(data.array::<16>(8)?));
                say!(self, ", tgt is {target}");
                if verbose {
                    let names = flags(data.byte(4)?, &[(0x80, "router"), (0x40, "solicited"), (0x20, "override")]);
                    say!(self, ", Flags [{names}]");
                }
                24
            }
            _ => {
                let destination = self.names.host(Ipv6Addr::from(data.array::<16>(24)?));
                let target = self.names.host(Ipv6Addr::from(data.array::<16>(8)?));
                say!(self, ", {destination} to {target}");
                40
            }
        };
        if verbose { self.discovery_options(data, options, length) } else { Ok(()) }
    }

    fn discovery_options(&mut self, data: &[u8], mut at: usize, length: usize) -> Printed {
        while at < length {
            let (kind, words) = (data.byte(at)?, usize::from(data.byte(at + 1)?));
            let whole = words * 8;
            if words == 0 || at + whole > length {
                return Ok(());
            }
            let option = data.run(at, whole)?;
            let name = match kind {
                1 => "source link-address",
                2 => "destination link-address",
                3 => "prefix info",
                4 => "redirected header",
                5 => "mtu",
                7 => "advertisement interval",
                8 => "homeagent information",
                24 => "route info",
                25 => "rdnss",
                31 => "dnssl",
                _ => "unknown",
            };
            say!(self, "\n\t  {name} option ({kind}), length {whole} ({words}): ");
            self.discovery_option(kind, option)?;
            // Everything once more as bytes, at the highest level or where nothing else is known.
            if self.style.verbose > 1 {
                self.text.push_str(&super::hex("\n\t    ", option.rest(2)));
            } else if name == "unknown" {
                self.text.push_str(&super::hex("\n\t  ", option.rest(2)));
            }
            at += whole;
        }
        Ok(())
    }

    fn discovery_option(&mut self, kind: u8, option: &[u8]) -> Printed {
        match kind {
            1 | 2 => self.text.push_str(&mac(option.rest(2))),
            3 => {
                let prefix = self.names.host(Ipv6Addr::from(option.array::<16>(16)?));
                let names = flags(option.byte(3)?, &[(0x80, "onlink"), (0x40, "auto"), (0x20, "router")]);
                say!(
                    self,
                    "{prefix}/{}{}, Flags [{names}], valid time {}",
                    option.byte(2)?,
                    if option.len() == 32 { "" } else { "badlen" },
                    lifetime(option.be32(4)?)
                );
                say!(self, ", pref. time {}", lifetime(option.be32(8)?));
            }
            5 => {
                say!(self, " {}", option.be32(4)?);
            }
            7 => {
                say!(self, " {}ms", option.be32(4)?);
            }
            24 => {
                let mut octets = [0; 16];
                let given = option.rest(8).upto(16);
                octets[..given.len()].copy_from_slice(given);
                let prefix = self.names.host(Ipv6Addr::from(octets));
                let pref = preference(option.byte(3)?);
                say!(self, " {prefix}/{}, pref={pref}, lifetime={}", option.byte(2)?, lifetime(option.be32(4)?));
            }
            25 => {
                say!(self, " lifetime {},", lifetime(option.be32(4)?));
                for server in option.rest(8).chunks_exact(16) {
                    let address = self.names.host(Ipv6Addr::from(server.array::<16>(0)?));
                    say!(self, " addr: {address}");
                }
            }
            _ => {}
        }
        Ok(())
    }
}
