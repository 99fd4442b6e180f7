//! The frames that pass every device of a machine while a script runs, namespace by namespace: as capture files, and as
//! steps of a transcript.
//!
//! A namespace is listened to from the moment on that its name is seen, at the latest when the command that made it has
//! ended, until the name is gone: a socket would keep the namespace alive.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use netloom_applets::{CaptureFile, Listener};
use netloom_machine::{Machine, Netns};
use netloom_transcript::frames::{Frames, NEIGHBOURS_HEAD};

/// Stands in a transcript before a word about frames that are missing.
pub(crate) const LOST: &str = "#! lost: ";
/// Below the recorder's folder: one file a namespace.
pub(crate) const FOLDER: &str = "captures";

/// Frames on their way when the script ends arrive within that.
const QUIET: Duration = Duration::from_millis(100);
/// How many times that at most: others may go on talking.
const PATIENCE: u32 = 20;

pub(crate) struct Captures {
    machine: Machine,
    folder: PathBuf,
    /// By name; the machine's own namespace has none.
    namespaces: BTreeMap<Option<String>, Namespace>,
}

struct Namespace {
    inode: u64,
    /// None once its name is gone.
    listener: Option<Listener>,
    file: CaptureFile,
    devices: BTreeMap<String, Frames>,
    lost: u32,
}

impl Captures {
    /// Listens in the machine's own namespace.
    pub(crate) fn start(folder: &Path) -> io::Result<Captures> {
        let folder = folder.join(FOLDER);
        std::fs::create_dir(&folder)?;
        let mut captures = Captures { machine: Machine::from_env()?, folder, namespaces: BTreeMap::new() };
        captures.listen(None, 0)?;
        Ok(captures)
    }

    /// Takes what has come, and goes where new namespaces are. How many frames there were.
    pub(crate) fn follow(&mut self) -> io::Result<usize> {
        let mut named = BTreeMap::new();
        for name in self.machine.netns_list()? {
            // A name that is being made or removed leads nowhere.
            if let Ok(inode) = self.machine.netns_inode(&Netns::Named(name.clone())) {
                named.insert(name, inode);
            }
        }
        let mut count = 0;
        for (name, namespace) in &mut self.namespaces {
            count += namespace.take()?;
            if name.as_ref().is_some_and(|name| named.get(name) != Some(&namespace.inode)) {
                namespace.listener = None;
            }
        }
        for (name, inode) in named {
            let name = Some(name);
            if self.namespaces.get(&name).is_none_or(|namespace| namespace.listener.is_none()) {
                self.listen(name, inode)?;
            }
        }
        Ok(count)
    }

    fn listen(&mut self, name: Option<String>, inode: u64) -> io::Result<()> {
        let netns = name.clone().map_or(Netns::Current, Netns::Named);
        let listener = match Listener::open(&self.machine, &netns) {
            Ok(listener) => listener,
            // It has gone meanwhile.
            Err(_) if name.is_some() && self.machine.netns_inode(&netns).ok() != Some(inode) => return Ok(()),
            Err(why) => return Err(io::Error::other(format!("cannot listen {}: {why}", place(name.as_deref())))),
        };
        if let Some(namespace) = self.namespaces.get_mut(&name) {
            (namespace.inode, namespace.listener) = (inode, Some(listener));
            return Ok(());
        }
        let file = name.as_ref().map_or("pcap".to_owned(), |name| format!("{name}.pcap"));
        let file = CaptureFile::create(&self.folder.join(file))?;
        let namespace = Namespace { inode, listener: Some(listener), file, devices: BTreeMap::new(), lost: 0 };
        self.namespaces.insert(name, namespace);
        Ok(())
    }

    /// The steps, once no more frames come.
    pub(crate) fn finish(mut self) -> io::Result<Vec<String>> {
        for _ in 0..PATIENCE {
            sleep(QUIET);
            if self.follow()? == 0 {
                break;
            }
        }
        let (mut lines, mut neighbours) = (Vec::new(), Vec::new());
        let step = |lines: &mut Vec<String>, head: String, frames: Vec<String>| {
            if !frames.is_empty() {
                lines.push(head);
                lines.extend(frames);
            }
        };
        for (name, namespace) in &mut self.namespaces {
            namespace.file.flush()?;
            let place = place(name.as_deref());
            for (device, frames) in &namespace.devices {
                step(&mut lines, format!("# frames of {device} {place}"), frames.lines());
                step(&mut neighbours, format!("{NEIGHBOURS_HEAD}asked for on {device} {place}"), frames.neighbours());
            }
            if namespace.lost > 0 {
                lines.push(format!("{LOST}{} frames {place}", namespace.lost));
            }
        }
        lines.extend(neighbours);
        Ok(lines)
    }
}

impl Namespace {
    fn take(&mut self) -> io::Result<usize> {
        let Some(listener) = &mut self.listener else { return Ok(0) };
        let devices = &mut self.devices;
        let taken = listener.take(&mut self.file, |device, text| {
            devices.entry(device.to_owned()).or_default().add(&text);
        });
        self.lost += listener.lost();
        taken
    }
}

fn place(name: Option<&str>) -> String {
    name.map_or("in the machine's own namespace".to_owned(), |name| format!("in namespace {name}"))
}
