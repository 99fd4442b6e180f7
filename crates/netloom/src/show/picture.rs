//! The picture: a box for each namespace, a row for each device, cables beside them.

use std::collections::{HashMap, HashSet};

use super::ink::{Glyphs, Ink, Line};
use super::rails::{Rail, Rails};
use crate::topology::{At, Branch, Far, Mark, Tie, Topology};

/// More cables than these beside each other are names instead of lines.
const MOST_LANES: usize = 8;
/// Where a row has less room for text than this, it stands below the name.
const LEAST_TEXT: usize = 26;
/// Boxes aren't squeezed below this by cables.
const NARROWEST: usize = 44;

/// How to draw what.
pub(super) struct Picture<'a> {
    pub(super) topology: &'a Topology,
    /// In columns.
    pub(super) width: usize,
    pub(super) glyphs: &'a Glyphs,
    /// Also what is usually left out.
    pub(super) all: bool,
}

/// A line of a box.
struct Boxed {
    content: Content,
    /// The device's row that it shows, or (`between`) that it comes after.
    row: Option<usize>,
    between: bool,
}

enum Content {
    Top(Line),
    Bottom,
    Row(Line),
}

/// Widths of the columns before a row's text.
struct Columns {
    name: usize,
    kind: usize,
}

impl Picture<'_> {
    pub(super) fn draw(&self, colour: bool) -> String {
        let width = self.width.max(NARROWEST);
        let everything: Vec<usize> = (0..self.topology.namespaces.len()).collect();
        let trees = self.trees(&everything);
        let lanes = MOST_LANES.min((width - NARROWEST) / 2);
        let rails = Rails::arrange(self.rails(&trees), lanes);
        // Too many: those that are nothing but the other end of a cable get no box.
        let small = rails.is_none().then(|| self.leaves());
        let trees = match &small {
            None => trees,
            Some(small) => self.trees(&everything.into_iter().filter(|at| !small.contains(at)).collect::<Vec<_>>()),
        };
        let columns = self.columns(&trees);
        let room = width - rails.as_ref().map_or(0, Rails::width) - 4;
        let lines = self.lines(&trees, &columns, room, small.as_ref());
        let inner = lines.iter().map(|line| line.content.width()).max().unwrap_or(0);
        let rails = rails.unwrap_or_default();
        let mut text = String::new();
        for line in lines {
            let mut whole = self.framed(&line, inner, &rails);
            whole.append(rails.beside(line.row, line.between, self.glyphs));
            text.push_str(&whole.render(colour));
            text.push('\n');
        }
        for note in self.notes(small.is_some_and(|small| !small.is_empty())) {
            for line in self.wrapped(&[(Ink::Faint, note)], width) {
                text.push_str(&line.render(colour));
                text.push('\n');
            }
        }
        text
    }

    fn trees(&self, namespaces: &[usize]) -> Vec<(usize, Vec<Branch>)> {
        namespaces.iter().map(|&at| (at, self.topology.shown_tree(at, self.all))).collect()
    }

    /// The cables whose both ends have a row.
    fn rails(&self, trees: &[(usize, Vec<Branch>)]) -> Vec<Rail> {
        let branches = trees.iter().flat_map(|(_, tree)| tree);
        let rows: HashMap<At, usize> = branches.enumerate().map(|(row, branch)| (branch.at, row)).collect();
        let cables = self.topology.cables().enumerate().filter_map(|(number, cable)| {
            let Far::Found(far) = cable.far else { return None };
            let carrier = self.topology.has_carrier(cable.near, cable.far);
            Some(Rail::new(*rows.get(&cable.near)?, *rows.get(far)?, number, carrier))
        });
        cables.collect()
    }

    /// Namespaces with nothing but `lo` and one veth whose peer is elsewhere.
    fn leaves(&self) -> HashSet<usize> {
        let hub = |at: usize| -> Option<usize> {
            let namespace = self.topology.namespaces.get(at).filter(|namespace| !namespace.own)?;
            let mut others = namespace
                .devices
                .as_ref()
                .ok()?
                .iter()
                .filter(|device| !device.is_plain_loopback() && (self.all || !device.is_unused_tunnel()));
            let (Some(veth), None) = (others.next().filter(|device| device.is_veth()), others.next()) else {
                return None;
            };
            match veth.far {
                Some(Far::Found(far)) if far.namespace != at => Some(far.namespace),
                _ => None,
            }
        };
        let hubs: HashMap<usize, usize> =
            (0..self.topology.namespaces.len()).filter_map(|at| Some((at, hub(at)?))).collect();
        hubs.iter().filter(|(_, hub)| !hubs.contains_key(hub)).map(|(at, _)| *at).collect()
    }

    fn columns(&self, trees: &[(usize, Vec<Branch>)]) -> Columns {
        let rows = || {
            trees
                .iter()
                .flat_map(|(_, tree)| tree)
                .filter_map(|branch| Some((branch, self.topology.device(branch.at)?)))
        };
        let width = |text: &str| unicode_width::UnicodeWidthStr::width(text);
        let name = rows().map(|(branch, device)| 3 * branch.level() + width(&self.glyphs.name(&device.name)));
        let kind = rows().map(|(_, device)| width(&self.glyphs.name(&device.kind_text())));
        Columns { name: name.max().unwrap_or(0), kind: kind.max().unwrap_or(0) }
    }

    /// The lines of all boxes, each row's text wrapped to that many columns. Where cables are no lines, `beside` are the
    /// namespaces that have no box either.
    fn lines(
        &self,
        trees: &[(usize, Vec<Branch>)],
        columns: &Columns,
        room: usize,
        beside: Option<&HashSet<usize>>,
    ) -> Vec<Boxed> {
        let mut lines = Vec::new();
        let mut rows = 0;
        for (namespace, tree) in trees {
            let after = |rows: usize| rows.checked_sub(1);
            lines.push(Boxed { content: Content::Top(self.title(*namespace, room)), row: after(rows), between: true });
            for content in self.remarks(*namespace, tree, room) {
                lines.push(Boxed { content: Content::Row(content), row: after(rows), between: true });
            }
            for (at, branch) in tree.iter().enumerate() {
                let followed = tree.get(at + 1).is_some_and(|next| next.level() > branch.level());
                for (number, content) in self.row(branch, followed, columns, room, beside).into_iter().enumerate() {
                    lines.push(Boxed { content: Content::Row(content), row: Some(rows), between: number > 0 });
                }
                rows += 1;
            }
            lines.push(Boxed { content: Content::Bottom, row: after(rows), between: true });
        }
        lines
    }

    fn title(&self, namespace: usize, room: usize) -> Line {
        let mut line = Line::default();
        let Some(found) = self.topology.namespaces.get(namespace) else { return line };
        line.push(Ink::Title, &self.glyphs.cut(&self.glyphs.name(&found.title()), room.saturating_sub(2)));
        if let Some(whose) = found.shown_owner().filter(|_| line.width() + 6 < room) {
            let cut = self.glyphs.cut(&self.glyphs.name(&whose), room - line.width() - 5);
            line.push(Ink::Faint, &format!(" {} {cut}", self.glyphs.horizontal));
        }
        line
    }

    /// What is said instead of devices.
    fn remarks(&self, namespace: usize, tree: &[Branch], room: usize) -> Vec<Line> {
        let problem = self.topology.namespaces.get(namespace).and_then(|found| found.devices.as_ref().err());
        let said = match problem {
            Some(problem) => (Ink::Down, format!("cannot be entered: {problem}")),
            None if tree.is_empty() => (Ink::Faint, "no devices".to_owned()),
            None => return Vec::new(),
        };
        self.wrapped(&[said], room)
    }

    /// A device: one line, or several where its text is long.
    fn row(
        &self,
        branch: &Branch,
        followed: bool,
        columns: &Columns,
        room: usize,
        beside: Option<&HashSet<usize>>,
    ) -> Vec<Line> {
        let Some(device) = self.topology.device(branch.at) else { return Vec::new() };
        let is_master = self.topology.devices(branch.at.namespace).iter().any(|port| port.master == Some(device.index));
        let beside_name = columns.name + columns.kind + 4;
        let is_below = room < beside_name + LEAST_TEXT;
        let indent = if is_below { 3 * branch.level() + 4 } else { beside_name };
        let mut text = self.wrapped(&self.text(branch.at, beside), room.saturating_sub(indent));
        if is_below && text.iter().any(|line| line.width() > 0) {
            text.insert(0, Line::default());
        }
        let trunk: String =
            branch.trunk.iter().map(|goes_on| if *goes_on { self.glyphs.trunk } else { "   " }).collect();
        let mut lines = Vec::new();
        for (number, part) in text.into_iter().enumerate() {
            let mut line = Line::default();
            line.push(Ink::Faint, &trunk);
            let ties = match branch.tie {
                Some(Tie::Port) => Some(self.glyphs.port),
                Some(Tie::Upper) => Some(self.glyphs.upper),
                None => None,
            };
            match ties {
                Some(ties) if number == 0 => line.push(Ink::Faint, ties[usize::from(branch.last)]),
                Some(_) => line.push(Ink::Faint, if branch.last { "   " } else { self.glyphs.trunk }),
                None => {}
            }
            if number == 0 {
                let ink = if is_master || device.kind == "bridge" { Ink::Bridge } else { Ink::Plain };
                line.push(ink, &self.glyphs.name(&device.name));
                line.pad(columns.name + 2);
                line.push(Ink::Faint, &self.glyphs.name(&device.kind_text()));
            } else if followed {
                line.push(Ink::Faint, self.glyphs.trunk.trim_end());
            }
            if part.width() > 0 {
                line.pad(indent);
            }
            line.append(part);
            lines.push(line);
        }
        lines
    }

    /// What is said of a device.
    fn text(&self, at: At, beside: Option<&HashSet<usize>>) -> Vec<(Ink, String)> {
        let Some(device) = self.topology.device(at) else { return Vec::new() };
        let mut text = self.addresses_and_marks(at);
        if let Some(relation) = self.topology.relation(at) {
            text.push((Ink::Faint, relation));
        }
        if let (Some(small), true, Some(Far::Found(far))) = (beside, device.is_veth(), &device.far) {
            let place = self.topology.place(*far, at.namespace);
            text.push((Ink::Cable(0), format!("{} {place}", self.glyphs.leads_to)));
            if small.contains(&far.namespace) {
                text.extend(self.addresses_and_marks(*far));
                let namespace = self.topology.namespaces.get(far.namespace);
                if let Some(owner) = namespace.and_then(|namespace| namespace.owner.as_ref()) {
                    text.push((Ink::Faint, owner.to_string()));
                }
            }
        }
        text
    }

    fn addresses_and_marks(&self, at: At) -> Vec<(Ink, String)> {
        let Some(device) = self.topology.device(at) else { return Vec::new() };
        let addresses = device.shown_addresses(self.all).map(|address| (Ink::Address, address.to_string()));
        let marks = device.marks().into_iter().map(|mark| {
            let ink = match mark {
                Mark::Down => Ink::Down,
                Mark::NoCarrier | Mark::PortState(_) => Ink::NoCarrier,
                Mark::Promiscuous => Ink::Promiscuous,
            };
            (ink, mark.text().to_owned())
        });
        addresses.chain(marks).collect()
    }

    /// Lines of that many columns, at least one; two blanks between two texts.
    fn wrapped(&self, texts: &[(Ink, String)], room: usize) -> Vec<Line> {
        let mut lines = vec![Line::default()];
        for (ink, text) in texts {
            for (number, word) in self.glyphs.name(text).split(' ').enumerate() {
                let word = self.glyphs.cut(word, room);
                let mut last = lines.pop().unwrap_or_default();
                let gap = if last.width() == 0 {
                    0
                } else if number == 0 {
                    2
                } else {
                    1
                };
                if last.width() > 0 && last.width() + gap + unicode_width::UnicodeWidthStr::width(word.as_str()) > room
                {
                    lines.push(std::mem::take(&mut last));
                } else {
                    last.push(if number == 0 { Ink::Plain } else { *ink }, &" ".repeat(gap));
                }
                last.push(*ink, &word);
                lines.push(last);
            }
        }
        lines
    }

    fn framed(&self, line: &Boxed, inner: usize, rails: &Rails) -> Line {
        let glyphs = self.glyphs;
        let mut whole = Line::default();
        let fill = |whole: &mut Line, until: usize| {
            let missing = until.saturating_sub(whole.width());
            whole.push(Ink::Faint, &glyphs.horizontal.repeat(missing));
        };
        match &line.content {
            Content::Top(title) => {
                whole.push(Ink::Faint, &format!("{}{} ", glyphs.top_left, glyphs.horizontal));
                whole.append(title.clone());
                whole.push(Ink::Faint, " ");
                fill(&mut whole, inner + 3);
                whole.push(Ink::Faint, glyphs.top_right);
            }
            Content::Bottom => {
                whole.push(Ink::Faint, glyphs.bottom_left);
                fill(&mut whole, inner + 3);
                whole.push(Ink::Faint, glyphs.bottom_right);
            }
            Content::Row(row) => {
                whole.push(Ink::Faint, &format!("{} ", glyphs.vertical));
                whole.append(row.clone());
                whole.pad(inner + 3);
                match line.row.filter(|_| !line.between).and_then(|row| rails.plugged(row)) {
                    Some(rail) => whole.push(Ink::Cable(rail.cable), glyphs.plug),
                    None => whole.push(Ink::Faint, glyphs.vertical),
                }
            }
        }
        whole
    }

    fn notes(&self, small: bool) -> Vec<String> {
        let mut notes = Vec::new();
        if small {
            notes.push("Namespaces with only lo and one cable stand beside the cable's other end.".to_owned());
        }
        match self.topology.hidden {
            0 => {}
            1 => notes.push("The namespace of one process can't be looked at by this user.".to_owned()),
            hidden => notes.push(format!("The namespaces of {hidden} processes can't be looked at by this user.")),
        }
        notes
    }
}

impl Content {
    /// What it needs between the frames, without the blanks beside them.
    fn width(&self) -> usize {
        match self {
            Content::Top(title) => title.width() + 2,
            Content::Bottom => 0,
            Content::Row(row) => row.width(),
        }
    }
}
