//! Names for numbers: services, protocols, users, the processes that hold sockets.

use std::collections::HashMap;

/// The service of a port in `/etc/services`; its number where it has none.
pub(super) fn service(port: u16, protocol: &str) -> String {
    let wanted = format!("{port}/{protocol}");
    look_up("/etc/services", 1, &wanted).unwrap_or_else(|| port.to_string())
}

/// The name of an IP protocol in `/etc/protocols`; its number where it has none.
pub(super) fn protocol(number: u16) -> String {
    look_up("/etc/protocols", 1, &number.to_string()).unwrap_or_else(|| number.to_string())
}

/// The first word of the line that has `wanted` as its word number `at`.
fn look_up(path: &str, at: usize, wanted: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        (words.get(at) == Some(&wanted)).then(|| words.first().map(|word| (*word).to_owned()))?
    })
}

/// A user's name in `/etc/passwd`.
pub(super) fn user(number: u32, numeric: bool) -> String {
    let known = || {
        let text = std::fs::read_to_string("/etc/passwd").ok()?;
        let wanted = number.to_string();
        text.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            (fields.nth(1)? == wanted).then(|| name.to_owned())
        })
    };
    if numeric { None } else { known() }.unwrap_or_else(|| number.to_string())
}

/// The processes of this host by the sockets that they have open.
#[derive(Default)]
pub(super) struct Processes(HashMap<u64, String>);

impl Processes {
    pub(super) fn read() -> Processes {
        let mut names = HashMap::new();
        for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Ok(id) = process.file_name().to_string_lossy().parse::<u32>() else { continue };
            let command = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            let command =
                String::from_utf8_lossy(command.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned();
            let command =
                command.split(' ').next().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned();
            for file in std::fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten().flatten() {
                let Ok(target) = std::fs::read_link(file.path()) else { continue };
                let target = target.to_string_lossy();
                let inode = target.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
                if let Some(inode) = inode.and_then(|inode| inode.parse().ok()) {
                    names.entry(inode).or_insert_with(|| format!("{id}/{command}"));
                }
            }
        }
        Processes(names)
    }

    /// The process with that socket, cut to its column.
    pub(super) fn name(&self, inode: u64) -> &str {
        let name = self.0.get(&inode).map_or("-", String::as_str);
        match name.char_indices().nth(19) {
            Some((at, _)) => &name[..at],
            None => name,
        }
    }
}
