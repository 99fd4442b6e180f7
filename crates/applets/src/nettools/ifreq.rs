//! `struct ifreq` and its kin: an interface's name and sixteen or twenty-four bytes of something.

use std::io;
use std::net::Ipv4Addr;

use netloom_machine::Socket;

/// `SIOC*` request numbers (linux/sockios.h).
pub(crate) mod request {
    pub(crate) const ADD_ROUTE: u32 = 0x890b;
    pub(crate) const DELETE_ROUTE: u32 = 0x890c;
    pub(crate) const ADDRESSES: u32 = 0x8912;
    pub(crate) const FLAGS: u32 = 0x8913;
    pub(crate) const SET_FLAGS: u32 = 0x8914;
    pub(crate) const ADDRESS: u32 = 0x8915;
    pub(crate) const SET_ADDRESS: u32 = 0x8916;
    pub(crate) const DESTINATION: u32 = 0x8917;
    pub(crate) const SET_DESTINATION: u32 = 0x8918;
    pub(crate) const BROADCAST: u32 = 0x8919;
    pub(crate) const SET_BROADCAST: u32 = 0x891a;
    pub(crate) const NETMASK: u32 = 0x891b;
    pub(crate) const SET_NETMASK: u32 = 0x891c;
    pub(crate) const MTU: u32 = 0x8921;
    pub(crate) const SET_MTU: u32 = 0x8922;
    pub(crate) const SET_NAME: u32 = 0x8923;
    pub(crate) const SET_HARDWARE: u32 = 0x8924;
    pub(crate) const HARDWARE: u32 = 0x8927;
    pub(crate) const INDEX: u32 = 0x8933;
    pub(crate) const DELETE_ADDRESS: u32 = 0x8936;
    pub(crate) const QUEUE_LENGTH: u32 = 0x8942;
    pub(crate) const SET_QUEUE_LENGTH: u32 = 0x8943;
    pub(crate) const DELETE_ARP: u32 = 0x8953;
    pub(crate) const SET_ARP: u32 = 0x8955;
    pub(crate) const MAP: u32 = 0x8970;
    pub(crate) const SET_MAP: u32 = 0x8971;
    pub(crate) const SET_KEEPALIVE: u32 = 0x89f0;
    pub(crate) const SET_OUTFILL: u32 = 0x89f2;
}

/// The longest interface name, in bytes.
pub(crate) const NAME_LENGTH: usize = 15;

/// A name cut to what a kernel structure holds.
pub(crate) fn cut(name: &str) -> &str {
    let mut end = name.len().min(NAME_LENGTH);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

/// A `struct ifreq` of 40 bytes.
#[derive(Clone)]
pub(crate) struct Ifreq(pub(crate) [u8; 40]);

impl Ifreq {
    pub(crate) fn new(name: &str) -> Ifreq {
        let mut bytes = [0; 40];
        let name = cut(name).as_bytes();
        bytes[..name.len()].copy_from_slice(name);
        Ifreq(bytes)
    }

    pub(crate) fn with_i32(mut self, value: i32) -> Ifreq {
        self.0[16..20].copy_from_slice(&value.to_ne_bytes());
        self
    }

    pub(crate) fn with_flags(mut self, flags: u16) -> Ifreq {
        self.0[16..18].copy_from_slice(&flags.to_ne_bytes());
        self
    }

    /// A `sockaddr_in` in the union.
    pub(crate) fn with_inet(mut self, address: Ipv4Addr) -> Ifreq {
        self.0[16..32].copy_from_slice(&sockaddr_in(address));
        self
    }

    /// A `sockaddr` of a hardware type in the union.
    pub(crate) fn with_hardware(mut self, number: u16, address: &[u8]) -> Ifreq {
        self.0[16..18].copy_from_slice(&number.to_ne_bytes());
        let length = address.len().min(14);
        self.0[18..18 + length].copy_from_slice(&address[..length]);
        self
    }

    /// Calls ioctl(2), which may change the structure.
    pub(crate) fn call(&mut self, socket: &Socket, request: u32) -> io::Result<()> {
        socket.ioctl(request, &mut self.0).map(drop)
    }

    pub(crate) fn i32(&self) -> i32 {
        i32::from_ne_bytes([self.0[16], self.0[17], self.0[18], self.0[19]])
    }

    pub(crate) fn flags(&self) -> u16 {
        u16::from_ne_bytes([self.0[16], self.0[17]])
    }

    /// The address of a `sockaddr_in` in the union.
    pub(crate) fn inet(&self) -> Ipv4Addr {
        Ipv4Addr::new(self.0[20], self.0[21], self.0[22], self.0[23])
    }

    /// The family or hardware type, and the bytes after it.
    pub(crate) fn hardware(&self) -> (u16, [u8; 14]) {
        let mut address = [0; 14];
        address.copy_from_slice(&self.0[18..32]);
        (self.flags(), address)
    }
}

/// A raw `sockaddr_in` without a port.
pub(crate) fn sockaddr_in(address: Ipv4Addr) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..2].copy_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
    bytes[4..8].copy_from_slice(&address.octets());
    bytes
}

/// `struct ifmap`: what ISA cards were configured with.
#[derive(Clone, Copy, Default)]
pub(crate) struct Map {
    pub(crate) memory_start: u64,
    pub(crate) memory_end: u64,
    pub(crate) base_address: u16,
    pub(crate) interrupt: u8,
    pub(crate) dma: u8,
    pub(crate) port: u8,
}

impl Map {
    pub(crate) fn read(socket: &Socket, name: &str) -> io::Result<Map> {
        let mut ifreq = Ifreq::new(name);
        ifreq.call(socket, request::MAP)?;
        let bytes = &ifreq.0;
        let word = |at: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[at..at + 8]);
            u64::from_ne_bytes(word)
        };
        Ok(Map {
            memory_start: word(16),
            memory_end: word(24),
            base_address: u16::from_ne_bytes([bytes[32], bytes[33]]),
            interrupt: bytes[34],
            dma: bytes[35],
            port: bytes[36],
        })
    }

    pub(crate) fn write(&self, socket: &Socket, name: &str) -> io::Result<()> {
        let mut ifreq = Ifreq::new(name);
        ifreq.0[16..24].copy_from_slice(&self.memory_start.to_ne_bytes());
        ifreq.0[24..32].copy_from_slice(&self.memory_end.to_ne_bytes());
        ifreq.0[32..34].copy_from_slice(&self.base_address.to_ne_bytes());
        ifreq.0[34] = self.interrupt;
        ifreq.0[35] = self.dma;
        ifreq.0[36] = self.port;
        ifreq.call(socket, request::SET_MAP)
    }
}
