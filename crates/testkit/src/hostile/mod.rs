//! Whatever some bytes say, done to a small network: what fuzzers and property tests have in common.
//!
//! None of it may make the kernel panic, or stop it from answering.

use std::net::Ipv4Addr;
use std::time::Duration;

use netloom_kernel::{Caller, Instant, NodeKind, NsId, SocketId};

use crate::lab::Lab;
use crate::netlink::{Netlink, attr, ifinfo, message};

mod packets;
mod script;
mod words;

use packets::host;
use script::Script;
use words::{FILES, NAMES, SETTINGS, VALUES};

/// A root with a bridge of three ports and a router's addresses, three hosts behind them, and one cable from the root to itself.
struct Network {
    lab: Lab,
    namespaces: Vec<NsId>,
    /// Let go of, and perhaps dead.
    released: Vec<NsId>,
    sockets: Vec<SocketId>,
}

/// Numbers of device ioctls start here; most of the 256 that follow mean something.
const FIRST_IOCTL: u32 = 0x8900;

impl Network {
    fn new() -> Network {
        let mut lab = Lab::new(1);
        let root = lab.root();
        lab.bridge(root, "br0");
        let mut namespaces = vec![root];
        for number in 0..3 {
            let ns = lab.namespace();
            let port = format!("p{number}");
            lab.veth(root, &port, ns, "eth0");
            lab.join(root, &port, "br0");
            lab.address(ns, "eth0", host(number + 2), 24);
            lab.default_route(ns, host(1));
            lab.up(ns, "lo");
            namespaces.push(ns);
        }
        lab.address(root, "br0", host(1), 24);
        lab.up(root, "lo");
        lab.write(root, "/proc/sys/net/ipv4/ip_forward", "1\n");
        lab.veth(root, "loop0", root, "loop1");
        lab.address(root, "loop0", Ipv4Addr::new(10, 0, 1, 1), 24);
        let mut network = Network { lab, namespaces, released: Vec::new(), sockets: Vec::new() };
        network.sockets.push(network.lab.packet_socket(root, "p0"));
        network.sockets.push(network.lab.packet_socket(network.namespaces[1], "eth0"));
        network
    }

    fn namespace(&self, script: &mut Script<'_>) -> NsId {
        if !self.released.is_empty() && script.byte() < 16 {
            return *script.one(&self.released);
        }
        *script.one(&self.namespaces)
    }

    fn socket(&self, script: &mut Script<'_>) -> SocketId {
        *script.one(&self.sockets)
    }

    fn netlink(&mut self, ns: NsId, protocol: i32, datagrams: &[&[u8]], strict: bool) {
        let kernel = &mut self.lab.kernel;
        let Ok(socket) = kernel.socket(ns, 16, 3, protocol) else { return };
        let process = self.lab.process();
        let kernel = &mut self.lab.kernel;
        let _ = kernel.set_option(socket, 270, 11, &1i32.to_ne_bytes());
        let _ = kernel.set_option(socket, 270, 12, &i32::from(strict).to_ne_bytes());
        for datagram in datagrams {
            let _ = kernel.send(socket, datagram, &[], 0, &process);
            while kernel.receive(socket, 0).is_ok() {}
        }
        kernel.close(socket);
    }

    /// A message of a type that rtnetlink knows, with attributes that may make sense.
    fn request(&mut self, script: &mut Script<'_>) {
        let ns = self.namespace(script);
        let protocol = if script.byte() < 32 { 16 } else { 0 };
        let kind = 16 + u16::from(script.byte()) % 100;
        let flags = *script.one(&[5u16, 0x605, 0x305, 0x405, 0x105, 0x205, 0xd05, 0x505]);
        let mut body = ifinfo(script.number() as i32, script.number(), script.number());
        body[0] = *script.one(&[0u8, 2, 7, 10, 10, 2, 0, 28]);
        body[1] = script.byte();
        if script.flag() {
            // Headers of addresses and routes are shorter and differ.
            body.truncate(*script.one(&[8usize, 12, 12, 1, 4, 16]));
        }
        for _ in 0..script.byte() % 8 {
            body.extend(self.attribute(script, 0));
        }
        let strict = script.flag();
        self.netlink(ns, protocol, &[&message(kind, flags, &body)], strict);
    }

    fn attribute(&self, script: &mut Script<'_>, depth: u8) -> Vec<u8> {
        let kind = u16::from(script.byte()) % 70;
        match script.byte() % 8 {
            0 => attr(kind, &script.number().to_ne_bytes()),
            1 => attr(kind, &[script.one(NAMES).as_bytes(), &[0]].concat()),
            2 if script.flag() => attr(kind, &self.address6(script)),
            2 => attr(kind, &host(script.byte()).octets()),
            3 if depth < 4 => {
                let nested = if script.flag() { 0x8000 } else { 0 };
                let mut inner = if script.byte() < 64 { ifinfo(0, 0, 0) } else { Vec::new() };
                for _ in 0..script.byte() % 5 {
                    inner.extend(self.attribute(script, depth + 1));
                }
                attr(nested | kind, &inner)
            }
            4 => attr(kind, script.one(&["veth\0", "bridge\0", "dummy\0", "vlan\0"]).as_bytes()),
            5 => attr(kind, &[script.byte()]),
            6 => attr(kind, script.bytes(16)),
            _ => attr(kind, script.some()),
        }
    }

    fn frame(&mut self, script: &mut Script<'_>) {
        let bytes = self.frame_bytes(script);
        let from = usize::from(script.byte()) % 2;
        let _ = self.lab.send(self.sockets[from], &bytes);
    }

    fn file(&mut self, script: &mut Script<'_>) {
        let ns = self.namespace(script);
        let path = match script.byte() % 6 {
            0 | 1 => format!("/sys/class/net/{}/{}", script.one(NAMES), script.one(FILES)),
            2 | 3 => format!("/proc/sys/net/{}", script.one(SETTINGS)),
            4 => format!(
                "/{}",
                script.one(&[
                    "sys/class/net",
                    "proc/net",
                    "proc/sys/net",
                    "sys",
                    "",
                    "../..",
                    "sys/class/net/br0/bridge"
                ])
            ),
            _ => String::from_utf8_lossy(script.some()).into_owned(),
        };
        let kernel = &mut self.lab.kernel;
        match script.byte() % 8 {
            0 => drop(kernel.read_dir(ns, &path)),
            1 => drop(kernel.read_link(ns, &path)),
            2 => drop(kernel.read_file(ns, &path)),
            3 => drop(kernel.write_file(ns, &path, script.some())),
            _ => drop(kernel.write_file(ns, &path, script.one(VALUES).as_bytes())),
        }
    }

    fn open(&mut self, script: &mut Script<'_>) {
        let ns = self.namespace(script);
        let domain = *script.one(&[2, 2, 10, 10, 16, 17, 17, 1, 0]);
        let kind = *script.one(&[3, 3, 2, 1, 10]);
        let protocol = match script.byte() % 4 {
            0 => 0,
            1 => *script.one(&[1, 58, 17, 255, 0x0300, 0x0008, 16]),
            _ => script.number() as i32,
        };
        if let Ok(socket) = self.lab.kernel.socket(ns, domain, kind, protocol) {
            self.sockets.push(socket);
        }
    }

    fn close(&mut self, script: &mut Script<'_>) {
        // The first two feed frames in.
        if self.sockets.len() > 2 {
            let at = 2 + usize::from(script.byte()) % (self.sockets.len() - 2);
            self.lab.kernel.close(self.sockets[at]);
            if script.byte() < 200 {
                self.sockets.remove(at);
            }
        }
    }

    fn sockaddr(&self, script: &mut Script<'_>) -> Vec<u8> {
        match script.byte() % 6 {
            0 => Vec::new(),
            1 => script.some().to_vec(),
            2 => [&[2, 0, 0, script.byte()], host(script.byte() % 6).octets().as_slice(), &[0; 8]].concat(),
            3 => {
                let mut bytes = vec![10, 0, 0, script.byte(), 0, 0, 0, 0];
                bytes.extend(self.address6(script));
                bytes.extend(script.number().to_ne_bytes());
                bytes
            }
            4 => {
                let mut bytes = vec![17, 0, *script.one(&[0u8, 8]), script.byte()];
                bytes.extend(script.number().to_ne_bytes());
                bytes.resize(20, script.byte());
                bytes
            }
            _ => {
                let mut bytes = vec![16, 0, 0, 0];
                bytes.extend(script.number().to_ne_bytes());
                bytes.extend(script.number().to_ne_bytes());
                bytes
            }
        }
    }

    fn call(&mut self, script: &mut Script<'_>) {
        let socket = self.socket(script);
        let process = self.lab.process();
        let address = self.sockaddr(script);
        let kernel = &mut self.lab.kernel;
        match script.byte() % 10 {
            0 => drop(kernel.bind(socket, &address, &process)),
            1 => drop(kernel.connect(socket, &address)),
            2 => drop(kernel.local_address(socket)),
            3 | 4 => {
                let level = *script.one(&[0, 1, 41, 58, 255, 263, 270, 6]);
                let name = i32::from(script.byte());
                match script.byte() % 3 {
                    0 => drop(kernel.set_option(socket, level, name, &script.number().to_ne_bytes())),
                    1 => drop(kernel.set_option(socket, level, name, script.some())),
                    _ => drop(kernel.option(socket, level, name, script.byte().into())),
                }
            }
            5 | 6 => drop(kernel.send(socket, script.some(), &address, script.number() as i32, &process)),
            7 => drop(kernel.receive(socket, *script.one(&[0, 2, 0x2000, 0x2002, -1]))),
            8 => {
                let _ = kernel.readiness(socket);
                while kernel.next_ready().is_some() {}
            }
            _ => self.ioctl(script, socket, &process),
        }
    }

    fn ioctl(&mut self, script: &mut Script<'_>, socket: SocketId, process: &dyn Caller) {
        let request = FIRST_IOCTL + u32::from(script.byte());
        let mut argument = match script.byte() % 4 {
            0 => script.some().to_vec(),
            1 => {
                // An arpreq or rtentry: two addresses in front.
                let mut bytes = vec![0; 120];
                bytes[0] = 2;
                bytes[4..8].copy_from_slice(&host(script.byte() % 6).octets());
                bytes[16] = script.byte();
                for _ in 0..6 {
                    let at = usize::from(script.byte()) % bytes.len();
                    bytes[at] = script.byte();
                }
                bytes
            }
            _ => {
                let mut bytes = script.one(NAMES).as_bytes().to_vec();
                bytes.resize(16, 0);
                bytes.extend(script.number().to_ne_bytes());
                bytes.extend(script.bytes(20));
                bytes.resize(40, 0);
                bytes
            }
        };
        let mut data = script.flag().then(|| script.some().to_vec());
        let _ = self.lab.kernel.ioctl(socket, request, &mut argument, data.as_mut(), process);
    }

    fn life_of_namespaces(&mut self, script: &mut Script<'_>) {
        if script.flag() && self.namespaces.len() < 12 {
            let ns = self.lab.namespace();
            self.namespaces.push(ns);
        } else if self.namespaces.len() > 1 {
            let at = 1 + usize::from(script.byte()) % (self.namespaces.len() - 1);
            let ns = self.namespaces.remove(at);
            self.lab.kernel.release_namespace(ns);
            self.released.push(ns);
        }
    }

    fn pass_time(&mut self, script: &mut Script<'_>) {
        let by = Duration::from_millis(1 << (script.byte() % 20));
        let at = Instant(self.lab.now().0 + by.as_nanos() as u64);
        self.lab.poll(at);
    }

    /// Reads every file there is.
    fn read_everything(&self) {
        for ns in self.namespaces.iter().chain(&self.released) {
            for tree in ["/sys/class/net", "/proc/net", "/proc/sys/net"] {
                self.read_tree(*ns, tree);
            }
        }
    }

    fn read_tree(&self, ns: NsId, path: &str) {
        for (name, node) in self.lab.kernel.read_dir(ns, path).unwrap_or_default() {
            let path = format!("{path}/{name}");
            match node.kind {
                NodeKind::Directory => self.read_tree(ns, &path),
                NodeKind::File => drop(self.lab.kernel.read_file(ns, &path)),
                NodeKind::Symlink => {
                    let _ = self.lab.kernel.read_link(ns, &path);
                    // The links in /sys/class/net lead to the devices.
                    if path.matches('/').count() == 4 {
                        self.read_tree(ns, &path);
                    }
                }
            }
        }
    }

    /// The kernel has to be of use to others afterwards.
    fn still_answers(mut self) {
        let root = self.lab.root();
        let ns = self.lab.namespace();
        let monitor = Netlink::open(&mut self.lab.kernel, ns, u32::MAX);
        assert_eq!(self.lab.try_veth(ns, "still", ns, "there"), 0);
        assert!(!monitor.replies(&mut self.lab.kernel).is_empty(), "nobody was told");
        let netlink = Netlink::open(&mut self.lab.kernel, root, 0);
        let links = netlink.request(&mut self.lab.kernel, 18, 0x300, &ifinfo(0, 0, 0));
        assert_eq!(links.last().map(|last| last.kind), Some(3), "a dump ends");
        for socket in std::mem::take(&mut self.sockets) {
            self.lab.kernel.close(socket);
        }
        let at = self.lab.now() + Duration::from_secs(60);
        self.lab.poll(at);
    }
}

/// Netlink messages whose headers are right but for their type, flags and length; or any datagrams.
pub fn netlink(bytes: &[u8]) {
    let mut network = Network::new();
    let mut script = Script(bytes);
    let head = script.byte();
    let (strict, generic, any) = (head & 1 != 0, head & 2 != 0, head & 12 == 12);
    let mut datagrams = Vec::new();
    while !script.over() {
        let (kind, flags) = (u16::from(script.byte()), u16::from(script.byte()) << 4 | 5);
        let length = usize::from(script.byte()) * 4;
        let body = script.bytes(length);
        datagrams.push(if any { body.to_vec() } else { message(kind, flags, body) });
    }
    let datagrams: Vec<&[u8]> = datagrams.iter().map(Vec::as_slice).collect();
    network.netlink(network.namespaces[0], if generic { 16 } else { 0 }, &datagrams, strict);
    network.still_answers();
}

/// Frames, some made to be understood, into a bridge and into a host.
pub fn frames(bytes: &[u8]) {
    let mut network = Network::new();
    let mut script = Script(bytes);
    while !script.over() {
        match script.byte() % 8 {
            0 => network.pass_time(&mut script),
            _ => network.frame(&mut script),
        }
    }
    network.still_answers();
}

/// Any sequence of system calls, requests, frames, files and time.
pub fn calls(bytes: &[u8]) {
    let mut network = Network::new();
    let mut script = Script(bytes);
    while !script.over() {
        match script.byte() % 12 {
            0..=2 => network.request(&mut script),
            3 | 4 => network.frame(&mut script),
            5 => network.pass_time(&mut script),
            6 | 7 => network.file(&mut script),
            8 => network.open(&mut script),
            9 => match script.byte() % 4 {
                0 => network.close(&mut script),
                1 if script.byte() < 32 => network.read_everything(),
                _ => network.life_of_namespaces(&mut script),
            },
            _ => network.call(&mut script),
        }
    }
    network.still_answers();
}
