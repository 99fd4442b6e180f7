//! Whose a namespace is: the container that a process belongs to, by its control group and by what its runtime has
//! written down; else the process itself.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// Whose a namespace is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A container.
    Container {
        /// Who runs it: `docker`, `podman`, `containerd`, `cri-o`, `lxc`, `nspawn`.
        runtime: &'static str,
        /// Its identifier, or its name where it has none.
        id: String,
        /// Its name, for a pod `NAMESPACE/POD`, where it can be read.
        name: Option<String>,
        /// A process of it.
        pid: u32,
    },
    /// A process that is in no container.
    Process {
        /// Its name.
        name: String,
        /// Its number.
        pid: u32,
    },
}

impl Owner {
    /// The owner of a namespace that these processes are in.
    pub(crate) fn of(pids: &[u32]) -> Option<Owner> {
        let container = pids.iter().find_map(|&pid| {
            let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
            let (runtime, id) = container(&groups)?;
            let (runtime, name) = describe(runtime, &id, Path::new("/"));
            Some(Owner::Container { runtime, id, name, pid })
        });
        container.or_else(|| Owner::process(pids))
    }

    /// The first of these processes that is still there.
    pub(crate) fn process(pids: &[u32]) -> Option<Owner> {
        pids.iter().find_map(|&pid| {
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
            Some(Owner::Process { name: name.trim_end().to_owned(), pid })
        })
    }

    /// Whether a user who says `name` means this one: by the container's name, pod, or the beginning of its identifier.
    pub(crate) fn is_called(&self, wanted: &str) -> bool {
        let Owner::Container { id, name, .. } = self else { return false };
        let named = name.as_deref().is_some_and(|name| name == wanted || name.rsplit('/').next() == Some(wanted));
        named || id == wanted || (wanted.len() >= 4 && id.starts_with(wanted))
    }
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Owner::Container { runtime, name: Some(name), .. } => write!(f, "{name} ({runtime})"),
            Owner::Container { runtime, id, name: None, .. } => {
                write!(f, "{} ({runtime})", id.get(..12).unwrap_or(id))
            }
            Owner::Process { name, pid } => write!(f, "{name} (pid {pid})"),
        }
    }
}

/// The container in `/proc/PID/cgroup`: who runs it and its identifier. The innermost counts.
fn container(groups: &str) -> Option<(&'static str, String)> {
    let of_path = |path: &str| {
        let mut parent = "";
        let mut found = None;
        for part in path.split('/') {
            found = of_part(part, parent, path).or(found);
            parent = part;
        }
        found
    };
    groups.lines().filter_map(|line| line.splitn(3, ':').nth(2)).find_map(of_path)
}

fn of_part(part: &str, parent: &str, path: &str) -> Option<(&'static str, String)> {
    const SCOPES: [(&str, &str); 5] = [
        ("docker-", "docker"),
        ("libpod-", "podman"),
        ("cri-containerd-", "containerd"),
        ("crio-", "cri-o"),
        ("nerdctl-", "containerd"),
    ];
    let hex = |id: &str| id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bare = part.strip_suffix(".scope").unwrap_or(part);
    for (prefix, runtime) in SCOPES {
        if let Some(id) = bare.strip_prefix(prefix).filter(|id| hex(id)) {
            return Some((runtime, id.to_owned()));
        }
    }
    let named = |name: &str| Some(name.to_owned()).filter(|name| !name.is_empty());
    if let Some(name) = bare.strip_prefix("lxc.payload.").and_then(named) {
        return Some(("lxc", name));
    }
    if parent == "lxc" {
        return named(bare).map(|name| ("lxc", name));
    }
    if let Some(name) = bare.strip_prefix("machine-").filter(|_| part != bare).and_then(named) {
        return Some(("nspawn", name));
    }
    // Without systemd the identifier stands alone, below the runtime's group.
    hex(bare).then(|| {
        let runtime = match () {
            () if parent == "docker" => "docker",
            () if path.contains("libpod") => "podman",
            () => "containerd",
        };
        (runtime, bare.to_owned())
    })
}

/// What the runtime has written down about a container below `root`. Kubernetes before containerd had Docker's groups.
fn describe(runtime: &'static str, id: &str, root: &Path) -> (&'static str, Option<String>) {
    let name = match runtime {
        "docker" => docker(id, root).or_else(|| bundle(id, root)),
        "podman" => podman(id, root),
        "containerd" | "cri-o" => bundle(id, root).or_else(|| podman(id, root)),
        _ => Some(id.to_owned()),
    };
    (runtime, name)
}

fn json(path: &Path) -> Option<Value> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn docker(id: &str, root: &Path) -> Option<String> {
    let config = json(&root.join("var/lib/docker/containers").join(id).join("config.v2.json"))?;
    Some(config.get("Name")?.as_str()?.trim_start_matches('/').to_owned())
}

fn podman(id: &str, root: &Path) -> Option<String> {
    let homes = fs::read_dir(root.join("home")).into_iter().flatten().flatten();
    let user = homes.map(|home| home.path().join(".local/share/containers/storage"));
    let storages = [root.join("var/lib/containers/storage"), root.join("root/.local/share/containers/storage")];
    storages.into_iter().chain(user).find_map(|storage| {
        let containers = json(&storage.join("overlay-containers/containers.json"))?;
        let found = containers.as_array()?.iter().find(|container| container["id"] == id)?;
        Some(found["names"].get(0)?.as_str()?.to_owned())
    })
}

/// The annotations of an OCI bundle, as containerd and CRI-O keep them.
fn bundle(id: &str, root: &Path) -> Option<String> {
    let tasks = fs::read_dir(root.join("run/containerd/io.containerd.runtime.v2.task")).into_iter().flatten().flatten();
    let storage = ["run/containers/storage", "var/run/containers/storage"];
    let storage = storage.map(|path| root.join(path).join("overlay-containers").join(id).join("userdata"));
    let mut bundles = tasks.map(|task| task.path().join(id)).chain(storage);
    bundles.find_map(|bundle| {
        let config = json(&bundle.join("config.json"))?;
        let annotations = config.get("annotations")?;
        let text = |name: &str| annotations.get(name).and_then(Value::as_str);
        let pod = |namespace: &str, name: &str| Some(format!("{}/{}", text(namespace)?, text(name)?));
        pod("io.kubernetes.cri.sandbox-namespace", "io.kubernetes.cri.sandbox-name")
            .or_else(|| pod("io.kubernetes.pod.namespace", "io.kubernetes.pod.name"))
            .or_else(|| text("nerdctl/name").map(str::to_owned))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn control_groups_name_containers() {
        for (groups, runtime) in [
            (format!("0::/system.slice/docker-{ID}.scope"), "docker"),
            (format!("12:cpu,cpuacct:/docker/{ID}\n0::/"), "docker"),
            (format!("0::/machine.slice/libpod-{ID}.scope/container"), "podman"),
            (format!("0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-{ID}.scope"), "containerd"),
            (format!("0::/kubepods/burstable/pod1/{ID}"), "containerd"),
            (format!("0::/kubepods.slice/kubepods-pod1.slice/crio-{ID}.scope"), "cri-o"),
        ] {
            assert_eq!(container(&groups), Some((runtime, ID.to_owned())), "{groups}");
        }
        assert_eq!(container("0::/lxc.payload.web/init.scope"), Some(("lxc", "web".to_owned())));
        assert_eq!(container("0::/machine.slice/machine-web.scope"), Some(("nspawn", "web".to_owned())));
        for groups in ["0::/", "0::/user.slice/user-0.slice/session-1.scope", "", "0::/system.slice/docker.service"] {
            assert_eq!(container(groups), None, "{groups}");
        }
    }

    #[test]
    fn runtimes_know_names() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let write = |path: &str, content: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("room");
            fs::write(path, content).expect("room");
        };
        assert_eq!(describe("docker", ID, root.path()), ("docker", None));
        write(&format!("var/lib/docker/containers/{ID}/config.v2.json"), r#"{"Name":"/web"}"#);
        assert_eq!(describe("docker", ID, root.path()).1.as_deref(), Some("web"));
        let list = format!(r#"[{{"id":"x","names":["other"]}},{{"id":"{ID}","names":["db"]}}]"#);
        write("home/u/.local/share/containers/storage/overlay-containers/containers.json", &list);
        assert_eq!(describe("podman", ID, root.path()).1.as_deref(), Some("db"));
        let annotations =
            r#"{"annotations":{"io.kubernetes.cri.sandbox-namespace":"shop","io.kubernetes.cri.sandbox-name":"cart"}}"#;
        write(&format!("run/containerd/io.containerd.runtime.v2.task/k8s.io/{ID}/config.json"), annotations);
        assert_eq!(describe("containerd", ID, root.path()).1.as_deref(), Some("shop/cart"));
    }

    #[test]
    fn a_container_is_called_by_name_pod_or_the_beginning_of_its_identifier() {
        let owner =
            Owner::Container { runtime: "containerd", id: ID.to_owned(), name: Some("shop/cart".to_owned()), pid: 1 };
        for name in ["shop/cart", "cart", ID, "01234567"] {
            assert!(owner.is_called(name), "{name}");
        }
        for name in ["shop", "012", "", "1234"] {
            assert!(!owner.is_called(name), "{name}");
        }
        assert_eq!(owner.to_string(), "shop/cart (containerd)");
    }
}
