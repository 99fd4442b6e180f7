//! A topology as JSON; `docs/TOPOLOGY.md` says what stands where.

use serde_json::{Value, json};

use super::{Address, Device, Far, Namespace, Owner, Topology};

impl Topology {
    /// The whole.
    pub(crate) fn json(&self) -> Value {
        let cables = self.cables().map(|cable| {
            let near = self.json_far(&Far::Found(cable.near));
            json!([near, self.json_far(cable.far)])
        });
        let namespaces = (0..self.namespaces.len()).map(|at| self.json_namespace(at));
        json!({
            "namespaces": namespaces.collect::<Vec<_>>(),
            "cables": cables.collect::<Vec<_>>(),
            "hidden_processes": self.hidden,
        })
    }

    fn json_namespace(&self, at: usize) -> Value {
        let Some(namespace) = self.namespaces.get(at) else { return Value::Null };
        let devices = self.devices(at).iter().map(|device| self.json_device(device));
        json!({
            "inode": namespace.inode,
            "names": namespace.names,
            "own": namespace.own,
            "root": namespace.root,
            "owner": namespace.owner(),
            "problem": namespace.devices.as_ref().err(),
            "devices": devices.collect::<Vec<_>>(),
        })
    }

    fn json_device(&self, device: &Device) -> Value {
        let lower = device.far.as_ref().filter(|_| !device.is_veth());
        json!({
            "device": device.name,
            "ifindex": device.index,
            "kind": Some(&device.kind).filter(|kind| !kind.is_empty()),
            "detail": device.detail,
            "up": device.up,
            "carrier": device.running,
            "promiscuity": device.promiscuity,
            "mtu": device.mtu,
            "address": device.address,
            "addresses": device.addresses.iter().map(Address::to_string).collect::<Vec<_>>(),
            "master": device.master,
            "port_state": device.port_state,
            "lower": lower.map(|lower| self.json_far(lower)),
        })
    }

    fn json_far(&self, far: &Far) -> Value {
        match far {
            Far::Found(at) => {
                let device = self.device(*at);
                json!({
                    "namespace": at.namespace,
                    "ifindex": device.map(|device| device.index),
                    "device": device.map(|device| &device.name),
                })
            }
            Far::Closed { namespace, index, reason } => {
                json!({ "namespace": namespace, "ifindex": index, "problem": reason })
            }
            Far::Unknown { index, reason } => json!({ "ifindex": index, "problem": reason }),
        }
    }
}

impl Namespace {
    /// Whose it is, as JSON; `null` of the one that this process is in.
    pub(crate) fn owner(&self) -> Value {
        match self.owner.as_ref().filter(|_| !self.own) {
            Some(Owner::Container { runtime, id, name, pid }) => {
                json!({ "runtime": runtime, "container": id, "name": name, "pid": pid })
            }
            Some(Owner::Process { name, pid }) => json!({ "process": name, "pid": pid }),
            None => Value::Null,
        }
    }
}
