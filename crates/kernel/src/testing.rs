//! A laboratory for tests: a kernel, devices and cables in it, frames in at one place and out at others.

use std::time::Duration;

use crate::bridge::{Bridge, set_master};
use crate::drivers::{DevKind, veth};
use crate::netdev::{DevFlags, NewDevice, Stats};
use crate::types::{DevId, IfName, Instant, MacAddr, NsId};
use crate::{Config, Kernel};

/// A kernel under test.
pub(crate) struct Lab {
    pub(crate) kernel: Kernel,
    pub(crate) ns: NsId,
    /// Devices whose frames are taken out when they arrive, and those frames.
    watched: Vec<DevId>,
    seen: Vec<(DevId, Vec<u8>)>,
    logged: u64,
}

/// 02:00:00:00:00:XX.
pub(crate) fn mac(last: u8) -> MacAddr {
    MacAddr([2, 0, 0, 0, 0, last])
}

/// A frame of 60 bytes with an EtherType for local experiments.
pub(crate) fn frame(destination: MacAddr, source: MacAddr) -> Vec<u8> {
    let mut bytes = [destination.0, source.0].concat();
    bytes.extend([0x88, 0xb5]);
    bytes.resize(60, 0x78);
    bytes
}

impl Default for Lab {
    fn default() -> Lab {
        let config = Config { seed: 1, cpus: 1, wall_clock: Duration::ZERO, hostname: "lab".into() };
        let mut kernel = Kernel::new(config, Instant(1_000_000_000));
        let ns = kernel.root();
        // What devices say by themselves is tested elsewhere.
        crate::ipv6::set_conf(&mut kernel, ns, crate::ipv6::ConfOf::Default, "disable_ipv6", 1).unwrap();
        Lab { kernel, ns, watched: Vec::new(), seen: Vec::new(), logged: 0 }
    }
}

impl Lab {
    fn new_device(name: &str, address: Option<MacAddr>) -> NewDevice {
        NewDevice { address, ..NewDevice::named(IfName::new(name).unwrap()) }
    }

    /// A bridge, down, with an address or a random one.
    pub(crate) fn bridge(&mut self, name: &str, address: Option<MacAddr>) -> DevId {
        let new = Lab::new_device(name, address);
        let dev = self.kernel.register_device(self.ns, new, DevKind::Bridge(Box::<Bridge>::default())).unwrap();
        self.kernel.settle();
        dev
    }

    /// A veth pair, down. What the second end receives is seen by [`Lab::seen`].
    pub(crate) fn veth(&mut self, name: &str, address: MacAddr, peer: &str, peer_address: MacAddr) -> (DevId, DevId) {
        let ends = (Lab::new_device(name, Some(address)), Lab::new_device(peer, Some(peer_address)));
        let (dev, peer) = veth::create(&mut self.kernel, (self.ns, ends.0), (self.ns, ends.1)).unwrap();
        self.watched.push(peer);
        self.kernel.settle();
        (dev, peer)
    }

    pub(crate) fn up(&mut self, dev: DevId) {
        self.kernel.change_flags(dev, self.kernel.devices[dev].visible_flags() | DevFlags::UP).unwrap();
        self.kernel.settle();
    }

    pub(crate) fn down(&mut self, dev: DevId) {
        self.kernel.change_flags(dev, self.kernel.devices[dev].visible_flags() - DevFlags::UP).unwrap();
        self.kernel.settle();
    }

    pub(crate) fn join(&mut self, dev: DevId, bridge: DevId) {
        set_master(&mut self.kernel, dev, Some(bridge)).unwrap();
        self.kernel.settle();
    }

    pub(crate) fn leave(&mut self, dev: DevId) {
        set_master(&mut self.kernel, dev, None).unwrap();
        self.kernel.settle();
    }

    /// A bridge that is up, with address 02:…:ff, and `ports` ports pN (02:…:0N) that are up, at the ends of cables to eN (02:…:1N).
    pub(crate) fn star(&mut self, ports: u8) -> (DevId, Vec<(DevId, DevId)>) {
        let bridge = self.bridge("br0", Some(mac(0xff)));
        self.up(bridge);
        let pairs = (1..=ports).map(|n| {
            let pair = self.veth(&format!("p{n}"), mac(n), &format!("e{n}"), mac(0x10 + n));
            self.up(pair.0);
            self.up(pair.1);
            self.join(pair.0, bridge);
            pair
        });
        let pairs = pairs.collect();
        self.settle();
        self.seen.clear();
        self.log();
        (bridge, pairs)
    }

    /// Sends a frame out of a device and lets everything follow from it.
    pub(crate) fn send(&mut self, dev: DevId, bytes: &[u8]) {
        let frame = self.kernel.frames.copy_from(bytes);
        let _ = self.kernel.transmit(dev, frame);
        self.settle();
    }

    /// Empties the queue, taking out what arrives at watched devices.
    pub(crate) fn settle(&mut self) {
        while let Some((dev, frame)) = self.kernel.backlog.take(None) {
            if self.watched.contains(&dev) {
                self.seen.push((dev, frame.bytes().to_vec()));
            } else {
                self.kernel.receive_frame(dev, frame);
            }
        }
        self.kernel.settle();
    }

    /// The frames that have arrived since the last call, with the device at which they did.
    pub(crate) fn seen(&mut self) -> Vec<(DevId, Vec<u8>)> {
        std::mem::take(&mut self.seen)
    }

    /// Moves the clock.
    pub(crate) fn advance(&mut self, by: Duration) {
        self.kernel.poll(self.kernel.now + by);
    }

    /// What the log has gained since the last call.
    pub(crate) fn log(&mut self) -> Vec<String> {
        let lines = self.kernel.log.from(self.logged).map(|record| record.text.clone()).collect();
        self.logged = self.kernel.log.next_sequence();
        lines
    }

    pub(crate) fn stats(&self, dev: DevId) -> Stats {
        self.kernel.devices[dev].stats()
    }
}
