//! `docs/MAP.md` leads to things that are there, and leaves no folder of sources out.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// File and symbol of every row, with its line number.
fn rows() -> Vec<(usize, String, String)> {
    let text = fs::read_to_string(root().join("docs/MAP.md")).expect("the map");
    let row = |(number, line): (usize, &str)| {
        let cells: Vec<&str> = line.strip_prefix('|')?.split('|').map(str::trim).collect();
        let (_, link) = cells.get(1)?.split_once("](../")?;
        let symbol = cells.get(2)?.trim_matches('`');
        Some((number + 1, link.trim_end_matches(')').to_owned(), symbol.to_owned()))
    };
    text.lines().enumerate().filter_map(row).collect()
}

/// Whether a word stands in a text, and not as a part of a longer one.
fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        !before.ends_with(part) && !after.starts_with(part)
    })
}

fn source_folders(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            source_folders(&entry, found);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            found.insert(folder.to_owned());
        }
    }
}

#[test]
fn every_row_leads_to_a_symbol() {
    let rows = rows();
    assert!(rows.len() > 100, "the map has only {} rows", rows.len());
    let mut wrong = Vec::new();
    for (line, file, symbol) in rows {
        match fs::read_to_string(root().join(&file)) {
            Err(_) => wrong.push(format!("MAP.md:{line}: {file} is not there")),
            Ok(text) if symbol.is_empty() || !has_word(&text, &symbol) => {
                wrong.push(format!("MAP.md:{line}: {file} has no `{symbol}`"));
            }
            Ok(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_that_the_text_mentions_are_there() {
    let text = fs::read_to_string(root().join("docs/MAP.md")).expect("the map");
    let files = text.split('`').skip(1).step_by(2).filter(|code| code.contains("/src/"));
    let missing: Vec<&str> = files.filter(|file| !root().join("crates").join(file).exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_folder_of_sources_is_on_the_map() {
    let root = root();
    let mut folders = BTreeSet::new();
    for entry in fs::read_dir(root.join("crates")).expect("crates") {
        source_folders(&entry.expect("a crate").path().join("src"), &mut folders);
    }
    for (_, file, _) in rows() {
        if let Some(folder) = root.join(file).parent() {
            folders.remove(folder);
        }
    }
    // A module's tests stand beside what they test.
    folders.retain(|folder| !folder.ends_with("tests"));
    assert!(folders.is_empty(), "not on the map: {folders:#?}");
}
