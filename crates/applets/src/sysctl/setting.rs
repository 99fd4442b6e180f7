//! Settings, `NAME=VALUE`: on the command line and in files.

use std::io;

use super::Options;
use super::parameter::{Parameter, not_found};
use crate::nettools::strerror;
use crate::{Context, wildcard};

/// A setting still to be made.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Setting {
    parameter: Parameter,
    value: String,
    /// A leading dash: its failure is none.
    may_fail: bool,
}

/// Reads `NAME=VALUE`; `None` where there is no value.
pub(super) fn parse(text: &str) -> Option<Setting> {
    let (name, value) = text.split_once('=')?;
    let name = name.trim();
    let (name, may_fail) = match name.strip_prefix('-') {
        Some(name) => (name, true),
        None => (name, false),
    };
    Some(Setting { parameter: Parameter::named(name), value: value.trim().to_owned(), may_fail })
}

/// Makes a setting, for every parameter that the name's wildcards match; the exit status.
pub(super) fn write(context: &mut Context<'_>, options: &Options, setting: &Setting) -> io::Result<i32> {
    if setting.parameter.path().is_empty() {
        writeln!(context.err, "sysctl: Path is not under /proc/sys/: {}", setting.parameter.file())?;
        return Ok(1);
    }
    let mut status = 0;
    for parameter in expand(context, &setting.parameter) {
        status |= write_one(context, options, setting, &parameter)?;
    }
    Ok(status)
}

fn write_one(
    context: &mut Context<'_>,
    options: &Options,
    setting: &Setting,
    parameter: &Parameter,
) -> io::Result<i32> {
    let value = &setting.value;
    if !options.dry_run {
        let line = format!("{value}\n");
        if let Err(error) = context.machine.write_file(&context.netns, &parameter.file(), line.as_bytes()) {
            let failed = i32::from(!setting.may_fail);
            context.out.flush()?;
            return match error.raw_os_error() {
                Some(libc::ENOENT | libc::ENOTDIR) => {
                    not_found(context, options, parameter).map(|status| status & failed)
                }
                Some(libc::EACCES | libc::EPERM) => {
                    let ignored = if setting.may_fail { ", ignoring" } else { "" };
                    writeln!(context.err, "sysctl: permission denied on key \"{}\"{ignored}", parameter.name())?;
                    Ok(failed)
                }
                _ => {
                    let ignored = if setting.may_fail { ", ignoring" } else { "" };
                    let (name, why) = (parameter.name(), strerror(&error));
                    writeln!(context.err, "sysctl: setting key \"{name}\"{ignored}: {why}")?;
                    Ok(failed)
                }
            };
        }
    }
    let name = parameter.name();
    match () {
        () if options.quiet => {}
        () if options.binary => write!(context.out, "{value}")?,
        () if options.values || options.names => writeln!(context.out, "{value}")?,
        () => writeln!(context.out, "{name} = {value}")?,
    }
    Ok(0)
}

/// The parameters whose paths match; the path itself where it has no wildcards or nothing matches.
fn expand(context: &Context<'_>, parameter: &Parameter) -> Vec<Parameter> {
    if !wildcard::is_pattern(parameter.path()) {
        return vec![parameter.clone()];
    }
    let mut paths = vec![String::new()];
    for part in parameter.path().split('/') {
        let mut longer = Vec::new();
        for path in &paths {
            let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
            if !wildcard::is_pattern(part) {
                longer.push(join(part));
                continue;
            }
            let directory = Parameter::below(path.clone()).file();
            let entries = context.machine.read_dir(&context.netns, &directory).unwrap_or_default();
            let mut names: Vec<String> = entries.into_iter().map(|entry| entry.name).collect();
            names.sort();
            longer.extend(names.iter().filter(|name| wildcard::matches(part, name)).map(|name| join(name)));
        }
        paths = longer;
    }
    let found: Vec<Parameter> = paths.into_iter().map(Parameter::below).collect();
    if found.is_empty() { vec![parameter.clone()] } else { found }
}

/// Makes the settings of a file (`-` is standard input); the exit status.
pub(super) fn load(context: &mut Context<'_>, options: &Options, path: &str) -> io::Result<i32> {
    let text = if path == "-" { io::read_to_string(io::stdin()) } else { std::fs::read_to_string(path) };
    let text = match text {
        Ok(text) => text,
        Err(error) => {
            writeln!(context.err, "sysctl: cannot open \"{path}\": {}", strerror(&error))?;
            return Ok(1);
        }
    };
    let mut status = 0;
    let mut settings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with(['#', ';']) || line.len() < 2 {
            continue;
        }
        match parse(line) {
            Some(setting) => settings.push(setting),
            None => {
                let number = index + 1;
                writeln!(context.err, "sysctl: {path}({number}): invalid syntax, continuing...")?;
            }
        }
    }
    for setting in &settings {
        status |= write(context, options, setting)?;
    }
    Ok(status)
}

/// Makes the settings of every system directory, the files in the order of their names; of two with one name the first
/// directory's counts.
pub(super) fn load_system(context: &mut Context<'_>, options: &Options) -> io::Result<i32> {
    const DIRECTORIES: [&str; 5] =
        ["/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d"];
    let mut files = std::collections::BTreeMap::new();
    for directory in DIRECTORIES {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".conf") {
                files.entry(name).or_insert_with(|| entry.path().to_string_lossy().into_owned());
            }
        }
    }
    let mut paths: Vec<String> = files.into_values().collect();
    if std::fs::exists("/etc/sysctl.conf").unwrap_or(false) {
        paths.push("/etc/sysctl.conf".to_owned());
    }
    let mut status = 0;
    for path in paths {
        if !options.quiet {
            writeln!(context.out, "* Applying {path} ...")?;
        }
        status |= load(context, options, &path)?;
    }
    Ok(status)
}
