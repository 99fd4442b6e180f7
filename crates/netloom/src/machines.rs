//! `netloom up`, `down`, `ls`, `env` and `install-applets`.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::symlink;
use std::path::Path;

use miette::{IntoDiagnostic, Result, WrapErr};
use netloom_machine::MACHINE_VARIABLE;

use crate::program;

pub(crate) fn up(name: &str) -> Result<u8> {
    netloom_runtime::up(name, &program::names()).into_diagnostic()?;
    Ok(0)
}

pub(crate) fn down(name: &str) -> Result<u8> {
    let socket = netloom_runtime::find(name).into_diagnostic()?;
    netloom_runtime::down(&socket).into_diagnostic()?;
    Ok(0)
}

pub(crate) fn list() -> Result<u8> {
    let mut out = io::stdout().lock();
    for name in netloom_runtime::list() {
        writeln!(out, "{name}").into_diagnostic()?;
    }
    Ok(0)
}

/// A word that a shell takes as it is.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

pub(crate) fn environment(name: &str) -> Result<u8> {
    let socket = netloom_runtime::find(name).into_diagnostic()?;
    let bin = socket.with_file_name("bin");
    println!("export {MACHINE_VARIABLE}={}", quoted(&socket.to_string_lossy()));
    println!("export PATH={}:\"$PATH\"", quoted(&bin.to_string_lossy()));
    Ok(0)
}

pub(crate) fn install_applets(directory: &Path) -> Result<u8> {
    let this = std::env::current_exe().into_diagnostic()?;
    fs::create_dir_all(directory).into_diagnostic().wrap_err_with(|| format!("cannot make {}", directory.display()))?;
    for applet in netloom_applets::APPLETS {
        let link = directory.join(applet.name);
        // Only links are replaced: a file of that name is somebody's own.
        if link.is_symlink() {
            fs::remove_file(&link).into_diagnostic()?;
        }
        symlink(&this, &link).into_diagnostic().wrap_err_with(|| format!("cannot make {}", link.display()))?;
    }
    Ok(0)
}
