//! Parameters by name: `net.ipv4.conf.eth0/1.forwarding` is `/proc/sys/net/ipv4/conf/eth0.1/forwarding`.

use std::io;

use netloom_machine::FileKind;

use super::Options;
use crate::Context;
use crate::nettools::strerror;

const ROOT: &str = "/proc/sys/";

/// Left out of listings: each has a successor in other units.
const DEPRECATED: [&str; 2] = ["base_reachable_time", "retrans_time"];

/// A parameter, or a directory of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parameter {
    /// Below `/proc/sys/`.
    path: String,
}

/// Dots become slashes and slashes dots.
fn swap(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '.' => '/',
            '/' => '.',
            other => other,
        })
        .collect()
}

impl Parameter {
    /// All of them.
    pub(super) fn root() -> Parameter {
        Parameter { path: String::new() }
    }

    /// The first separator of a name decides which of the two separates.
    pub(super) fn named(name: &str) -> Parameter {
        let dotted = name.find(['.', '/']).is_some_and(|at| name[at..].starts_with('.'));
        Parameter { path: if dotted { swap(name) } else { name.to_owned() } }
    }

    pub(super) fn below(path: String) -> Parameter {
        Parameter { path }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn file(&self) -> String {
        format!("{ROOT}{}", self.path)
    }

    /// The name with dots between its parts.
    pub(super) fn name(&self) -> String {
        swap(&self.path)
    }

    fn child(&self, name: &str) -> Parameter {
        let path = self.path.trim_end_matches('/');
        Parameter { path: if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") } }
    }
}

/// Shows a parameter, or those below a directory; the exit status.
pub(super) fn show(context: &mut Context<'_>, options: &Options, parameter: &Parameter) -> io::Result<i32> {
    match context.machine.read_file(&context.netns, &parameter.file()) {
        Ok(bytes) => {
            show_value(context, options, parameter, &String::from_utf8_lossy(&bytes))?;
            Ok(0)
        }
        Err(error) => match error.raw_os_error() {
            Some(libc::EISDIR) => show_tree(context, options, parameter).map(|()| 0),
            Some(libc::ENOENT | libc::ENOTDIR) => not_found(context, options, parameter),
            // What can only be written.
            Some(libc::EACCES | libc::EPERM) => Ok(0),
            // No value has been set.
            Some(libc::EIO) => Ok(1),
            _ => {
                writeln!(context.err, "sysctl: reading key \"{}\": {}", parameter.name(), strerror(&error))?;
                Ok(1)
            }
        },
    }
}

/// The complaint about a parameter that isn't there; the exit status.
pub(super) fn not_found(context: &mut Context<'_>, options: &Options, parameter: &Parameter) -> io::Result<i32> {
    if options.ignore_unknown {
        return Ok(0);
    }
    writeln!(context.err, "sysctl: cannot stat {}: No such file or directory", parameter.file())?;
    Ok(1)
}

fn show_value(context: &mut Context<'_>, options: &Options, parameter: &Parameter, value: &str) -> io::Result<()> {
    let name = parameter.name();
    if options.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(&name)) {
        return Ok(());
    }
    if options.names {
        return writeln!(context.out, "{name}");
    }
    let value = value.strip_suffix('\n').unwrap_or(value);
    for line in value.split('\n') {
        if options.binary {
            write!(context.out, "{line}")?;
        } else if options.values {
            writeln!(context.out, "{line}")?;
        } else {
            writeln!(context.out, "{name} = {line}")?;
        }
    }
    Ok(())
}

/// Shows every parameter below a directory, by name.
pub(super) fn show_tree(context: &mut Context<'_>, options: &Options, directory: &Parameter) -> io::Result<()> {
    let mut entries = match context.machine.read_dir(&context.netns, &directory.file()) {
        Ok(entries) => entries,
        // An embedded kernel has parameters of networks alone, and nothing above them.
        Err(_) if directory.path.is_empty() => {
            return show_tree(context, options, &Parameter::below("net".to_owned()));
        }
        Err(_) => return Ok(()),
    };
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    for entry in entries {
        let parameter = directory.child(&entry.name);
        if entry.kind == FileKind::Directory {
            show_tree(context, options, &parameter)?;
            continue;
        }
        if !options.deprecated && DEPRECATED.contains(&entry.name.as_str()) {
            continue;
        }
        match context.machine.read_file(&context.netns, &parameter.file()) {
            Ok(bytes) => show_value(context, options, &parameter, &String::from_utf8_lossy(&bytes))?,
            // A value that was never set still has a name.
            Err(error) if options.names && error.raw_os_error() == Some(libc::EIO) => {
                show_value(context, options, &parameter, "")?;
            }
            Err(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Parameter;

    #[test]
    fn the_first_separator_separates() {
        let file = |name: &str| Parameter::named(name).file();
        assert_eq!(file("net.ipv4.conf.eth0/1.forwarding"), "/proc/sys/net/ipv4/conf/eth0.1/forwarding");
        assert_eq!(file("net/ipv4/conf/eth0.1/forwarding"), "/proc/sys/net/ipv4/conf/eth0.1/forwarding");
        assert_eq!(Parameter::named("net/ipv4/conf/eth0.1/tag").name(), "net.ipv4.conf.eth0/1.tag");
        assert_eq!(file("nosuch"), "/proc/sys/nosuch");
    }
}
