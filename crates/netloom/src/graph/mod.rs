//! `netloom graph`: the networks of a machine as a drawing or as data.

mod card;
mod dot;
mod layout;
mod mermaid;
mod svg;

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use miette::{IntoDiagnostic, Result, WrapErr};

use crate::program;
use crate::topology::{At, Branch, Device, Far, Topology};

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Graph {
    /// What to write to standard output.
    #[arg(short, long, default_value = "svg")]
    format: Format,
    /// Everything: also lo, the link-local IPv6 addresses of devices, and tunnel devices that nobody has used.
    #[arg(short, long)]
    all: bool,
}

const AFTER_HELP: &str = "\
netloom graph > networks.svg
netloom graph --format dot | dot -Tpdf > networks.pdf
netloom graph --format json | jq '.namespaces[].devices[].device'";

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A picture, for light and dark backgrounds.
    Svg,
    /// The language of Graphviz.
    Dot,
    /// A flowchart of Mermaid, which many wikis and forges draw.
    Mermaid,
    /// Every detail.
    Json,
}

impl Graph {
    pub(crate) fn run(&self, machine: Option<&str>) -> Result<u8> {
        netloom_runtime::default_broken_pipe();
        let machine = program::machine(machine)?;
        let topology = Topology::read(&machine).into_diagnostic().wrap_err("cannot look for namespaces")?;
        let drawing = Drawing { topology: &topology, all: self.all };
        let text = match self.format {
            Format::Svg => drawing.svg(),
            Format::Dot => drawing.dot(),
            Format::Mermaid => drawing.mermaid(),
            Format::Json => format!("{:#}\n", topology.json()),
        };
        io::stdout().lock().write_all(text.as_bytes()).into_diagnostic()?;
        Ok(0)
    }
}

/// What is drawn, in whatever language.
struct Drawing<'a> {
    topology: &'a Topology,
    /// Also what is usually left out.
    all: bool,
}

/// What two devices have to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tie {
    /// They are a veth pair; whether frames pass.
    Cable { carrier: bool },
    /// The second is a port of the first.
    Port,
    /// The second stands on the first.
    Upper,
}

impl Drawing<'_> {
    /// The devices of a namespace that are drawn, with their places. `lo` has to have addresses of its own for that.
    fn devices(&self, namespace: usize) -> Vec<(Branch, &Device)> {
        let tree = self.topology.shown_tree(namespace, self.all).into_iter();
        let devices = tree.filter_map(|branch| self.topology.device(branch.at).map(|device| (branch, device)));
        devices.filter(|(_, device)| self.all || !device.is_plain_loopback()).collect()
    }

    /// Everything that connects two devices.
    fn ties(&self) -> Vec<(At, At, Tie)> {
        let mut ties = Vec::new();
        for (at, device) in self.topology.all() {
            if let Some(master) = self.topology.master(at) {
                ties.push((master, at, Tie::Port));
            }
            if let (Some(Far::Found(lower)), false) = (&device.far, device.is_veth()) {
                ties.push((*lower, at, Tie::Upper));
            }
        }
        for cable in self.topology.cables() {
            if let Far::Found(far) = cable.far {
                ties.push((cable.near, *far, Tie::Cable { carrier: self.topology.has_carrier(cable.near, cable.far) }));
            }
        }
        ties
    }

    /// What stands below a device's name: kind, addresses, marks, what can't be drawn as a line.
    fn words(&self, at: At, device: &Device) -> Vec<String> {
        let kind = Some(device.kind_text()).filter(|kind| !kind.is_empty());
        let addresses = device.shown_addresses(self.all).map(ToString::to_string);
        let marks = device.marks().into_iter().map(|mark| mark.text().to_owned());
        kind.into_iter().chain(addresses).chain(marks).chain(self.unseen(at)).collect()
    }

    /// What a device leads to, where that is none of the devices.
    fn unseen(&self, at: At) -> Option<String> {
        let device = self.topology.device(at)?;
        self.topology.relation(at).filter(|_| !matches!(device.far, Some(Far::Found(_))))
    }

    /// What stands below a namespace's title: whose it is, why it can't be entered.
    fn remarks(&self, namespace: usize) -> Vec<String> {
        let Some(found) = self.topology.namespaces.get(namespace) else { return Vec::new() };
        let owner = found.shown_owner();
        let problem = found.devices.as_ref().err().map(|problem| format!("cannot be entered: {problem}"));
        owner.into_iter().chain(problem).collect()
    }
}
