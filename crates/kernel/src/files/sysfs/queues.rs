//! `queues/`: one directory a receive or transmit queue.

use super::super::{DIRECTORY, file};
use crate::Node;
use crate::drivers::DevKind;
use crate::netdev::Device;

const RX_FILES: &[(&str, &str)] = &[("rps_cpus", "0"), ("rps_flow_cnt", "0")];
const TX_FILES: &[(&str, &str)] =
    &[("traffic_class", "0"), ("tx_maxrate", "0"), ("tx_timeout", "0"), ("xps_cpus", "0"), ("xps_rxqs", "0")];

/// Where below `queues/`.
#[derive(Debug)]
pub(crate) enum Place {
    All,
    Queue(&'static [(&'static str, &'static str)]),
    File(&'static str, &'static str),
}

/// How many receive and transmit queues are in use.
fn counts(device: &Device) -> (u32, u32) {
    match &device.kind {
        DevKind::Veth(veth) => (veth.rx_channels.into(), veth.tx_channels.into()),
        _ => (device.info.rx_queues, device.info.tx_queues),
    }
}

pub(super) fn find(device: &Device, parts: &[&str]) -> Option<Place> {
    let [queue, rest @ ..] = parts else { return Some(Place::All) };
    let (rx, tx) = counts(device);
    let (direction, number) = queue.split_once('-')?;
    let number: u32 = number.parse().ok()?;
    let files = match direction {
        "rx" if number < rx => RX_FILES,
        "tx" if number < tx => TX_FILES,
        _ => return None,
    };
    match rest {
        [] => Some(Place::Queue(files)),
        [name] => files.iter().find(|(known, _)| known == name).map(|(name, value)| Place::File(name, value)),
        _ => None,
    }
}

impl Place {
    pub(super) fn node(&self) -> Node {
        match self {
            Place::File("traffic_class" | "tx_timeout", _) => file(0o444),
            Place::File(..) => file(0o644),
            _ => DIRECTORY,
        }
    }

    pub(super) fn read(&self) -> Option<&'static str> {
        match self {
            Place::File(_, value) => Some(value),
            _ => None,
        }
    }

    pub(super) fn entries(&self, device: &Device) -> Option<Vec<(String, Node)>> {
        match self {
            Place::All => {
                let (rx, tx) = counts(device);
                let names = (0..rx).map(|n| format!("rx-{n}")).chain((0..tx).map(|n| format!("tx-{n}")));
                Some(names.map(|name| (name, DIRECTORY)).collect())
            }
            Place::Queue(files) => {
                Some(files.iter().map(|(name, value)| ((*name).to_owned(), Place::File(name, value).node())).collect())
            }
            Place::File(..) => None,
        }
    }
}
