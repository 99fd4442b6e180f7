//! A namespace as a card: how large it is, and what stands where on it.

use unicode_width::UnicodeWidthStr;

use super::Drawing;
use crate::topology::{At, Branch, Mark};

/// Widths of a character, estimated so that most fonts need less.
const OF_TITLE: f64 = 9.2;
const OF_NAME: f64 = 7.4;
const OF_KIND: f64 = 6.4;
const OF_MARK: f64 = 7.2;
/// Inside of a card's edges.
pub(super) const PADDING: f64 = 16.0;
/// How far a port stands to the right of its bridge.
pub(super) const INDENT: f64 = 18.0;
const HEAD: f64 = 32.0;
const REMARK: f64 = 16.0;
const LINE: f64 = 17.0;
/// A row of one line.
pub(super) const ROW: f64 = 26.0;
const GAP: f64 = 14.0;
/// Longer text is cut: a name of a namespace may have 255 characters.
const LONGEST: usize = 60;

/// A card. Every place is relative to its left upper corner; that of text is its baseline's begin.
#[derive(Debug)]
pub(super) struct Card {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) title: String,
    pub(super) remarks: Vec<String>,
    /// Where the rows begin.
    pub(super) head: f64,
    pub(super) rows: Vec<Row>,
}

/// A device.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) branch: Branch,
    pub(super) top: f64,
    pub(super) height: f64,
    pub(super) is_bridge: bool,
    pub(super) name: (f64, String),
    pub(super) kind: (f64, String),
    pub(super) addresses: Vec<String>,
    /// Each with its left end and its width, on the first line.
    pub(super) marks: Vec<(f64, f64, Mark)>,
    /// What can't be drawn.
    pub(super) remark: Option<String>,
    /// Where addresses begin.
    pub(super) text: f64,
}

impl Row {
    pub(super) fn at(&self) -> At {
        self.branch.at
    }

    /// The middle of its first line, where lines begin and end.
    pub(super) fn middle(&self) -> f64 {
        self.top + ROW / 2.0
    }
}

/// How wide text is in cells, of which a character of East Asia takes two.
fn cells(text: &str) -> f64 {
    text.width() as f64
}

/// What of a text is shown.
fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

impl Drawing<'_> {
    pub(super) fn card(&self, namespace: usize) -> Card {
        let title = self.topology.namespaces.get(namespace).map_or_else(String::new, |found| cut(&found.title()));
        let remarks: Vec<String> = self.remarks(namespace).iter().map(|remark| cut(remark)).collect();
        let head = HEAD + REMARK * remarks.len() as f64;
        let devices = self.devices(namespace);
        let name_left = |branch: &Branch| PADDING + INDENT * branch.level() as f64;
        let names = devices.iter().map(|(branch, device)| name_left(branch) + cells(&device.name) * OF_NAME);
        let kind_left = names.fold(0.0, f64::max) + GAP;
        let kinds = devices.iter().map(|(_, device)| cells(&device.kind_text()) * OF_KIND);
        let text = kind_left + kinds.fold(0.0, f64::max) + GAP;
        let mut right = PADDING + OF_TITLE * cells(&title);
        right = remarks.iter().map(|remark| PADDING + OF_KIND * cells(remark)).fold(right, f64::max);
        let mut top = head + 6.0;
        let mut rows = Vec::new();
        for (branch, device) in devices {
            let addresses: Vec<String> = device.shown_addresses(self.all).map(ToString::to_string).collect();
            right =
                addresses.iter().map(|address| text + cells(address) * OF_NAME).fold(right.max(text - GAP), f64::max);
            let mut left = text + addresses.first().map_or(0.0, |first| cells(first) * OF_NAME + 8.0);
            let mut marks = Vec::new();
            for mark in device.marks() {
                let width = cells(mark.text()) * OF_MARK + 12.0;
                marks.push((left, width, mark));
                right = right.max(left + width);
                left += width + 5.0;
            }
            let remark = self.unseen(branch.at).map(|remark| cut(&remark));
            right = remark.iter().map(|remark| text + cells(remark) * OF_KIND).fold(right, f64::max);
            let first_is_empty = addresses.is_empty() && marks.is_empty();
            let lines = addresses.len().max(usize::from(!first_is_empty)) + usize::from(remark.is_some());
            let height = ROW + LINE * lines.saturating_sub(1) as f64;
            rows.push(Row {
                top,
                height,
                is_bridge: device.kind == "bridge",
                name: (name_left(&branch), device.name.clone()),
                kind: (kind_left, device.kind_text()),
                addresses,
                marks,
                remark,
                text,
                branch,
            });
            top += height;
        }
        let height = if rows.is_empty() { head } else { top + 8.0 };
        Card { width: (right + PADDING).ceil(), height, title, remarks, head, rows }
    }
}

/// The height of a line of a row's text, from the row's top: its baseline.
pub(super) fn baseline(line: usize) -> f64 {
    17.0 + LINE * line as f64
}
