//! Cables as lines beside the boxes: which lane each runs in.

use super::ink::{Glyphs, Ink, Line};

/// A cable between two rows of the picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rail {
    /// Which rows, the upper one first.
    pub(crate) rows: (usize, usize),
    /// Which cable it is.
    pub(crate) cable: usize,
    /// Frames pass.
    pub(crate) carrier: bool,
    lane: usize,
}

impl Rail {
    pub(crate) fn new(a: usize, b: usize, cable: usize, carrier: bool) -> Rail {
        Rail { rows: (a.min(b), a.max(b)), cable, carrier, lane: 0 }
    }
}

/// Cables, each in a lane in which no other one is at the same height.
#[derive(Debug, Default)]
pub(crate) struct Rails {
    rails: Vec<Rail>,
    lanes: usize,
}

impl Rails {
    /// Short ones run inside; `None` where there are more lanes than that.
    pub(crate) fn arrange(mut rails: Vec<Rail>, most: usize) -> Option<Rails> {
        rails.sort_by_key(|rail| (rail.rows.1 - rail.rows.0, rail.rows.0));
        let mut lanes: Vec<Vec<(usize, usize)>> = Vec::new();
        for rail in &mut rails {
            let (from, to) = rail.rows;
            let is_free = |taken: &Vec<(usize, usize)>| taken.iter().all(|&(start, end)| end < from || to < start);
            rail.lane = lanes.iter().position(is_free).unwrap_or(lanes.len());
            if rail.lane == lanes.len() {
                if lanes.len() == most {
                    return None;
                }
                lanes.push(Vec::new());
            }
            lanes[rail.lane].push((from, to));
        }
        Some(Rails { rails, lanes: lanes.len() })
    }

    /// In columns.
    pub(crate) fn width(&self) -> usize {
        2 * self.lanes
    }

    /// The rail that begins or ends in a row.
    pub(crate) fn plugged(&self, row: usize) -> Option<&Rail> {
        self.rails.iter().find(|rail| rail.rows.0 == row || rail.rows.1 == row)
    }

    /// What stands beside a box's line. `row` is what the line shows or, where `between`, what it comes after.
    pub(crate) fn beside(&self, row: Option<usize>, between: bool, glyphs: &Glyphs) -> Line {
        let mut line = Line::default();
        let plug = row.filter(|_| !between).and_then(|row| self.plugged(row));
        for lane in 0..self.lanes {
            let passes = |rail: &&Rail| {
                let (from, to) = rail.rows;
                rail.lane == lane
                    && row.is_some_and(|row| if between { from <= row && row < to } else { from < row && row < to })
            };
            let passing = self.rails.iter().find(passes);
            let horizontal = |rail: &Rail| if rail.carrier { glyphs.horizontal } else { glyphs.dashed_horizontal };
            match (plug, passing) {
                (Some(rail), passing) if lane < rail.lane => {
                    line.push(Ink::Cable(rail.cable), horizontal(rail));
                    line.push(
                        Ink::Cable(rail.cable),
                        if passing.is_some() { glyphs.crossing } else { horizontal(rail) },
                    );
                }
                (Some(rail), _) if lane == rail.lane => {
                    let corner = if row == Some(rail.rows.0) { glyphs.top_right } else { glyphs.bottom_right };
                    line.push(Ink::Cable(rail.cable), horizontal(rail));
                    line.push(Ink::Cable(rail.cable), corner);
                }
                (_, Some(rail)) => {
                    line.push(Ink::Plain, " ");
                    let vertical = if rail.carrier { glyphs.vertical } else { glyphs.dashed_vertical };
                    line.push(Ink::Cable(rail.cable), vertical);
                }
                (_, None) => line.push(Ink::Plain, "  "),
            }
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::super::ink::UNICODE;
    use super::*;

    fn drawn(rails: &[(usize, usize)], rows: usize) -> Option<Vec<String>> {
        let rails = rails.iter().enumerate().map(|(cable, &(a, b))| Rail::new(a, b, cable, true)).collect();
        let rails = Rails::arrange(rails, 3)?;
        Some((0..rows).map(|row| rails.beside(Some(row), false, &UNICODE).render(false)).collect())
    }

    #[test]
    fn lanes_are_shared_by_cables_that_do_not_meet() {
        assert_eq!(drawn(&[(0, 1), (2, 3)], 4).expect("one lane"), ["─╮", "─╯", "─╮", "─╯"]);
        assert_eq!(drawn(&[(0, 3), (1, 2)], 4).expect("two lanes"), ["───╮", "─╮ │", "─╯ │", "───╯"]);
        assert_eq!(drawn(&[(0, 2), (1, 3)], 4).expect("two lanes"), ["─╮", "─┼─╮", "─╯ │", "───╯"]);
    }

    #[test]
    fn too_many_cables_are_not_drawn() {
        assert!(drawn(&[(0, 4), (1, 5), (2, 6), (3, 7)], 8).is_none());
    }
}
