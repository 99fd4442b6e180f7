//! `netloom peers`: which veth device is at the other end, and whose it is.

use std::io::{self, Write};

use clap::Args;
use miette::{IntoDiagnostic, Result, WrapErr, bail, miette};
use netloom_machine::{HostMachine, Machine, Netns};
use serde_json::{Value, json};

use crate::program;
use crate::topology::{Address, At, Device, Far, Namespace, Owner, Topology};

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Peers {
    /// Only the pairs that have a device of this name at one of their ends.
    device: Option<String>,
    /// Only the pairs that lead into this container (its name, pod, identifier) or the namespace of this process.
    #[arg(long, value_name = "NAME|PID")]
    container: Option<String>,
    /// JSON, with every detail.
    #[arg(short, long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Pairs are looked for in every network namespace that has a name (/run/netns, /var/run/docker/netns, /run/user/*/netns) or a process. \
Devices of other namespaces than this one stand behind their namespace's name: blue/veth1. Looking into other users' namespaces \
takes root; where that fails, the table says so.

Whose a namespace is comes from its processes' control groups and from what Docker, Podman, containerd and CRI-O have written down.";

impl Peers {
    pub(crate) fn run(self, machine: Option<&str>) -> Result<u8> {
        if machine.is_some() || program::inherited().is_some() {
            bail!("peers looks at the host: outside of an embedded machine, and without --machine");
        }
        let machine = Machine::Host(HostMachine);
        let topology = Topology::read(&machine).into_diagnostic().wrap_err("cannot look for namespaces")?;
        let mut pairs: Vec<Pair> =
            topology.cables().map(|cable| Pair { near: cable.near, far: cable.far.clone() }).collect();
        let host = Host { machine, topology };
        if let Some(name) = &self.device {
            pairs.retain(|pair| host.has_device(pair, name));
            if pairs.is_empty() {
                bail!("there is no veth device named {name} in any namespace that can be entered");
            }
        }
        if let Some(wanted) = &self.container {
            let there = host.containers(wanted)?;
            pairs.retain(|pair| there.iter().any(|at| ends(pair).contains(at)));
            for pair in &mut pairs {
                turn(pair, &there);
            }
            if pairs.is_empty() {
                bail!("no veth pair leads into {wanted}");
            }
        }
        let text = if self.json { host.json(&pairs) } else { host.table(&pairs) };
        io::stdout().lock().write_all(text.as_bytes()).into_diagnostic()?;
        Ok(0)
    }
}

/// A veth pair. The near end is in this process's own namespace, if one of them is.
struct Pair {
    near: At,
    far: Far,
}

/// The namespaces of a pair's ends.
fn ends(pair: &Pair) -> Vec<usize> {
    let far = match &pair.far {
        Far::Found(at) => Some(at.namespace),
        Far::Closed { namespace, .. } => Some(*namespace),
        Far::Unknown { .. } => None,
    };
    std::iter::once(pair.near.namespace).chain(far).collect()
}

/// Has the end in the container be the far one.
fn turn(pair: &mut Pair, there: &[usize]) {
    if let Far::Found(far) = &mut pair.far
        && there.contains(&pair.near.namespace)
        && !there.contains(&far.namespace)
    {
        std::mem::swap(&mut pair.near, far);
    }
}

/// What is known of the host.
struct Host {
    machine: Machine,
    topology: Topology,
}

impl Host {
    fn has_device(&self, pair: &Pair, name: &str) -> bool {
        let is_called = |at: At| self.topology.device(at).is_some_and(|device| device.name == name);
        is_called(pair.near) || matches!(pair.far, Far::Found(at) if is_called(at))
    }

    /// The namespaces that somebody means by a container's name or a process number.
    fn containers(&self, wanted: &str) -> Result<Vec<usize>> {
        let all = &self.topology.namespaces;
        let called = |(at, namespace): (usize, &Namespace)| namespace.owner.as_ref()?.is_called(wanted).then_some(at);
        let mut found: Vec<usize> = all.iter().enumerate().filter_map(called).collect();
        if let Ok(pid) = wanted.parse::<u32>()
            && found.is_empty()
        {
            let inode = self.machine.netns_inode(&Netns::Pid(pid)).into_diagnostic();
            let inode = inode.wrap_err_with(|| format!("cannot look at the namespace of process {pid}"))?;
            found.extend(all.iter().position(|namespace| namespace.inode == inode));
        }
        if found.is_empty() {
            return Err(miette!(
                help = "A container on the host's own network has no veth device. Names are read from files that may take root.",
                "there is no container named {wanted} with a network namespace that can be seen"
            ));
        }
        Ok(found)
    }

    fn namespace(&self, at: usize) -> Option<&Namespace> {
        self.topology.namespaces.get(at)
    }

    /// What a namespace is called; `None` for this process's own.
    fn name(&self, at: usize) -> Option<String> {
        self.namespace(at).filter(|namespace| !namespace.own).map(Namespace::name)
    }

    fn owner(&self, at: usize) -> Option<&Owner> {
        self.namespace(at).filter(|namespace| !namespace.own)?.owner.as_ref()
    }

    fn table(&self, pairs: &[Pair]) -> String {
        const HEAD: [&str; 6] = ["DEVICE", "BRIDGE", "PEER", "NAMESPACE", "ADDRESSES", "OWNER"];
        let dash = || "-".to_owned();
        let mut rows = vec![HEAD.map(str::to_owned)];
        rows.extend(pairs.iter().map(|pair| {
            let near = self.topology.device(pair.near).map_or("", |device| &device.name);
            let device = match self.name(pair.near.namespace) {
                Some(name) => format!("{name}/{near}"),
                None => near.to_owned(),
            };
            let bridge = self.bridge(pair.near).unwrap_or_else(dash);
            let index = |index: Option<u32>| index.map_or_else(dash, |index| format!("if{index}"));
            let whose = |at: usize| self.owner(at).map_or_else(dash, Owner::to_string);
            let place = |at: usize| self.name(at).unwrap_or_else(|| "(this one)".to_owned());
            match &pair.far {
                Far::Found(at) => {
                    let peer = self.topology.device(*at);
                    let name = peer.map_or_else(dash, |peer| peer.name.clone());
                    let addresses = peer.map_or_else(dash, addresses);
                    [device, bridge, name, place(at.namespace), addresses, whose(at.namespace)]
                }
                Far::Closed { namespace, index: at, reason } => {
                    let closed = format!("(cannot be entered: {reason})");
                    [device, bridge, index(Some(*at)), place(*namespace), closed, whose(*namespace)]
                }
                Far::Unknown { index: at, reason } => {
                    [device, bridge, index(*at), format!("({reason})"), dash(), dash()]
                }
            }
        }));
        aligned(&rows)
    }

    fn json(&self, pairs: &[Pair]) -> String {
        let pairs: Vec<Value> = pairs.iter().map(|pair| self.json_pair(pair)).collect();
        format!("{}\n", Value::Array(pairs))
    }

    /// The name of what a device is a port of.
    fn bridge(&self, at: At) -> Option<String> {
        let index = self.topology.device(at)?.master?;
        let master = self.topology.master(at).and_then(|master| self.topology.device(master));
        Some(master.map(|master| master.name.clone()).unwrap_or_else(|| format!("if{index}")))
    }

    fn json_pair(&self, Pair { near, far }: &Pair) -> Value {
        let peer = match far {
            Far::Found(at) => self.json_end(*at),
            Far::Closed { namespace, index, reason } => {
                json!({ "ifindex": index, "namespace": self.json_namespace(*namespace), "problem": reason })
            }
            Far::Unknown { index, reason } => json!({ "ifindex": index, "problem": reason }),
        };
        let mut pair = self.json_end(*near);
        pair["peer"] = peer;
        pair
    }

    fn json_end(&self, at: At) -> Value {
        let Some(device) = self.topology.device(at) else { return Value::Null };
        let addresses: Vec<String> = device.addresses.iter().map(text).collect();
        json!({
            "device": device.name, "ifindex": device.index, "bridge": self.bridge(at), "addresses": addresses,
            "namespace": self.json_namespace(at.namespace),
        })
    }

    fn json_namespace(&self, at: usize) -> Value {
        let Some(namespace) = self.namespace(at) else { return Value::Null };
        json!({
            "inode": namespace.inode, "own": namespace.own, "names": namespace.names, "owner": namespace.owner(),
        })
    }
}

/// An address with the length of its prefix.
fn text(address: &Address) -> String {
    format!("{}/{}", address.local, address.length)
}

/// The addresses of a device that lead somewhere: those of its link alone only where there are no others.
fn addresses(device: &Device) -> String {
    let all_of_link = device.addresses.iter().all(Address::is_of_link);
    let shown = device.addresses.iter().filter(|address| all_of_link || !address.is_of_link());
    let shown: Vec<String> = shown.map(text).collect();
    if shown.is_empty() { "-".to_owned() } else { shown.join(",") }
}

/// Columns as wide as what is in them.
fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..N).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}
