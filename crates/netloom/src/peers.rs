//! `netloom peers`: which veth device is at the other end, and whose it is.

mod links;
mod namespaces;
mod owner;
mod pairs;

use std::io::{self, Write};

use clap::Args;
use miette::{IntoDiagnostic, Result, WrapErr, bail, miette};
use serde_json::{Value, json};

use crate::program;
use links::Veth;
use namespaces::{Namespace, Namespaces};
use owner::Owner;
use pairs::{End, Far, Pair};

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
        let namespaces = Namespaces::find().into_diagnostic().wrap_err("cannot look for namespaces")?;
        let owners: Vec<Option<Owner>> = namespaces.all.iter().map(|namespace| Owner::of(&namespace.pids)).collect();
        let host = Host { namespaces, owners };
        let mut pairs = pairs::find(&host.namespaces);
        if let Some(name) = &self.device {
            pairs.retain(|pair| has_device(pair, name));
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

fn has_device(pair: &Pair, name: &str) -> bool {
    pair.near.veth.name == name || matches!(&pair.far, Far::Found(end) if end.veth.name == name)
}

/// The namespaces of a pair's ends.
fn ends(pair: &Pair) -> Vec<usize> {
    let far = match &pair.far {
        Far::Found(end) => Some(end.namespace),
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
    namespaces: Namespaces,
    /// Of each namespace.
    owners: Vec<Option<Owner>>,
}

impl Host {
    /// The namespaces that somebody means by a container's name or a process number.
    fn containers(&self, wanted: &str) -> Result<Vec<usize>> {
        let called = |(at, owner): (usize, &Option<Owner>)| owner.as_ref()?.is_called(wanted).then_some(at);
        let mut found: Vec<usize> = self.owners.iter().enumerate().filter_map(called).collect();
        if let Ok(pid) = wanted.parse::<u32>()
            && found.is_empty()
        {
            let id = pairs::namespace_of(pid).into_diagnostic();
            let id = id.wrap_err_with(|| format!("cannot look at the namespace of process {pid}"))?;
            found.extend(self.namespaces.all.iter().position(|namespace| namespace.id == id));
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
        self.namespaces.all.get(at)
    }

    /// What a namespace is called; `None` for this process's own.
    fn name(&self, at: usize) -> Option<String> {
        let namespace = self.namespace(at)?;
        match (namespace.own, namespace.names.first(), namespace.pids.first()) {
            (true, ..) => None,
            (_, Some(name), _) => Some(name.clone()),
            (_, None, Some(pid)) => Some(format!("pid {pid}")),
            (_, None, None) => Some(format!("inode {}", namespace.id.1)),
        }
    }

    fn owner(&self, at: usize) -> Option<&Owner> {
        self.owners.get(at)?.as_ref().filter(|_| !self.namespace(at).is_some_and(|namespace| namespace.own))
    }

    fn table(&self, pairs: &[Pair]) -> String {
        const HEAD: [&str; 6] = ["DEVICE", "BRIDGE", "PEER", "NAMESPACE", "ADDRESSES", "OWNER"];
        let dash = || "-".to_owned();
        let mut rows = vec![HEAD.map(str::to_owned)];
        rows.extend(pairs.iter().map(|pair| {
            let device = match self.name(pair.near.namespace) {
                Some(name) => format!("{name}/{}", pair.near.veth.name),
                None => pair.near.veth.name.clone(),
            };
            let bridge = pair.near.veth.master.clone().unwrap_or_else(dash);
            let index = |index: Option<u32>| index.map_or_else(dash, |index| format!("if{index}"));
            let whose = |at: usize| self.owner(at).map_or_else(dash, Owner::to_string);
            let place = |at: usize| self.name(at).unwrap_or_else(|| "(this one)".to_owned());
            match &pair.far {
                Far::Found(End { namespace, veth }) => {
                    [device, bridge, veth.name.clone(), place(*namespace), addresses(veth), whose(*namespace)]
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

    fn json_pair(&self, Pair { near, far }: &Pair) -> Value {
        let peer = match far {
            Far::Found(end) => self.json_end(end),
            Far::Closed { namespace, index, reason } => {
                json!({ "ifindex": index, "namespace": self.json_namespace(*namespace), "problem": reason })
            }
            Far::Unknown { index, reason } => json!({ "ifindex": index, "problem": reason }),
        };
        let mut pair = self.json_end(near);
        pair["peer"] = peer;
        pair
    }

    fn json_end(&self, End { namespace, veth }: &End) -> Value {
        let addresses: Vec<String> =
            veth.addresses.iter().map(|(address, length)| format!("{address}/{length}")).collect();
        json!({
            "device": veth.name, "ifindex": veth.index, "bridge": veth.master, "addresses": addresses,
            "namespace": self.json_namespace(*namespace),
        })
    }

    fn json_namespace(&self, at: usize) -> Value {
        let Some(namespace) = self.namespace(at) else { return Value::Null };
        let owner = match self.owner(at) {
            Some(Owner::Container { runtime, id, name, pid }) => {
                json!({ "runtime": runtime, "container": id, "name": name, "pid": pid })
            }
            Some(Owner::Process { name, pid }) => json!({ "process": name, "pid": pid }),
            None => Value::Null,
        };
        json!({ "inode": namespace.id.1, "own": namespace.own, "names": namespace.names, "owner": owner })
    }
}

/// The addresses of a device that lead somewhere: those of its link alone only where there are no others.
fn addresses(veth: &Veth) -> String {
    let of_link = |address: &std::net::IpAddr| match address {
        std::net::IpAddr::V4(address) => address.is_link_local(),
        std::net::IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    let all_of_link = veth.addresses.iter().all(|(address, _)| of_link(address));
    let shown = veth.addresses.iter().filter(|(address, _)| all_of_link || !of_link(address));
    let shown: Vec<String> = shown.map(|(address, length)| format!("{address}/{length}")).collect();
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
