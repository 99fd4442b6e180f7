//! The drawing as SVG: <https://www.w3.org/TR/SVG11/>. It stands alone, without scripts, fonts or pictures from elsewhere, and
//! follows the reader's choice of a light or dark background.

use std::collections::HashMap;
use std::fmt::Write;

use super::card::{Card, PADDING, ROW, Row, baseline};
use super::layout::{Knot, Layout, Place};
use super::{Drawing, Tie};
use crate::topology::{At, Mark, Tie as Hanging, printable};

const MARGIN: f64 = 20.0;
/// How far lines of one pair of cards run apart.
const BUNDLE: f64 = 6.0;

const STYLE: &str = "\
text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace;font-size:12px;fill:#1f2733}
.title{font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,'DejaVu Sans',sans-serif;font-size:13px;font-weight:600}
.faint{font-size:10.5px;fill:#69758a}
.name{font-weight:600}
.card{fill:#fff;stroke:#b9c2d0}
.head{fill:#eef1f6}
.bridge{fill:#e3eefb}
.tie{fill:none;stroke:#9aa6b8;stroke-width:1.3}
.upper{stroke-dasharray:2 3}
.cable{fill:none;stroke:#2f7fd1;stroke-width:2.5;stroke-linecap:round}
.dead{stroke:#9aa6b8;stroke-dasharray:1 6}
.plug{fill:#2f7fd1;stroke:#fff}
.unplugged{fill:#9aa6b8}
.mark{font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,'DejaVu Sans',sans-serif;font-size:9.5px;font-weight:600}
.down{fill:#fbe3e4}text.down{fill:#b3242c}
.warn{fill:#fbeed3}text.warn{fill:#8a5a00}
.note{fill:#ece5fa}text.note{fill:#6237b0}
@media (prefers-color-scheme:dark){
text{fill:#e3e8f0}
.faint{fill:#95a1b5}
.card{fill:#161b24;stroke:#3d4757}
.head{fill:#212936}
.bridge{fill:#1b3048}
.tie{stroke:#64718a}
.cable{stroke:#58a6f5}
.dead{stroke:#6d7a92}
.plug{fill:#58a6f5;stroke:#161b24}
.unplugged{fill:#6d7a92}
.down{fill:#4a1d22}text.down{fill:#ff9aa0}
.warn{fill:#45340f}text.warn{fill:#f0c264}
.note{fill:#332750}text.note{fill:#c4acf7}
}
";

/// A number without a long tail.
fn px(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// Text between tags and in attributes. XML knows no control characters, nor the last two of its first plane.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in printable(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// An end of a line: which card, and at which height of the picture.
#[derive(Clone, Copy)]
struct End {
    card: usize,
    y: f64,
}

/// A picture that is being written.
struct Canvas {
    text: String,
    /// What the lines need on the right and at the bottom.
    right: f64,
}

impl Canvas {
    fn write(&mut self, arguments: std::fmt::Arguments<'_>) {
        // A string takes everything.
        let _ = self.text.write_fmt(arguments);
        self.text.push('\n');
    }

    fn label(&mut self, class: &str, x: f64, y: f64, text: &str) {
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        self.write(format_args!("<text{class} x=\"{}\" y=\"{}\">{}</text>", px(x), px(y), escaped(text)));
    }
}

impl Drawing<'_> {
    pub(super) fn svg(&self) -> String {
        let cards: Vec<Card> = (0..self.topology.namespaces.len()).map(|at| self.card(at)).collect();
        let numbered = cards.iter().flat_map(|card| card.rows.iter().enumerate());
        let rows: HashMap<At, (usize, f64)> =
            numbered.map(|(number, row)| (row.at(), (number, row.middle()))).collect();
        // Ports and what stands on a device of its own namespace hang on a tree of the card.
        let lines: Vec<(At, At, Tie)> = self
            .ties()
            .into_iter()
            .filter(|(a, b, tie)| matches!(tie, Tie::Cable { .. }) || a.namespace != b.namespace)
            .filter(|(a, b, _)| rows.contains_key(a) && rows.contains_key(b))
            .collect();
        let sizes: Vec<(f64, f64)> = cards.iter().map(|card| (card.width, card.height)).collect();
        let knot = |at: At| (at.namespace, rows.get(&at).map_or(0, |(number, _)| *number));
        let ties: Vec<[Knot; 2]> = lines.iter().map(|&(a, b, _)| [knot(a), knot(b)]).collect();
        let layout = Layout::of(&sizes, &ties);
        let mut canvas = Canvas { text: String::new(), right: 0.0 };
        for (card, place) in cards.iter().zip(&layout.places) {
            draw_card(&mut canvas, card, *place);
        }
        let mut bundles: HashMap<(usize, usize), usize> = HashMap::new();
        for &(a, b, tie) in &lines {
            let ends = [a, b].map(|at| {
                let (card, middle) = (at.namespace, rows.get(&at).map_or(0.0, |(_, middle)| *middle));
                End { card, y: middle + layout.places.get(card).map_or(0.0, |place| place.y) }
            });
            let number = bundles.entry((ends[0].card.min(ends[1].card), ends[0].card.max(ends[1].card))).or_insert(0);
            draw_line(&mut canvas, &layout, ends, tie, *number);
            *number += 1;
        }
        let right = layout.places.iter().map(Place::right).fold(canvas.right, f64::max);
        let bottom = layout.places.iter().map(Place::bottom).fold(0.0, f64::max);
        let (width, height) = (px(right + 2.0 * MARGIN), px(bottom + 2.0 * MARGIN));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"{0} {0} {width} {height}\" role=\"img\">\n\
             <title>Networks</title>\n<style>\n{STYLE}</style>\n{1}</svg>\n",
            px(-MARGIN),
            canvas.text
        )
    }
}

fn draw_card(canvas: &mut Canvas, card: &Card, place: Place) {
    canvas.write(format_args!("<g transform=\"translate({} {})\">", px(place.x), px(place.y)));
    let (width, height) = (px(place.width), px(place.height));
    canvas.write(format_args!("<rect class=\"card\" width=\"{width}\" height=\"{height}\" rx=\"9\"/>"));
    let (inner, corner) = (px(place.width - 1.0), "a8.5 8.5 0 0 1 8.5");
    if card.rows.is_empty() {
        let inside = px(place.height - 1.0);
        canvas.write(format_args!(
            "<rect class=\"head\" x=\".5\" y=\".5\" width=\"{inner}\" height=\"{inside}\" rx=\"8.5\"/>"
        ));
    } else {
        let (right, bottom) = (px(place.width - 9.0), px(card.head - 0.5));
        canvas.write(format_args!("<path class=\"head\" d=\"M.5 9{corner} -8.5H{right}{corner} 8.5V{bottom}H.5z\"/>"));
    }
    canvas.label("title", PADDING, 21.0, &card.title);
    for (number, remark) in card.remarks.iter().enumerate() {
        canvas.label("faint", PADDING, 37.0 + 16.0 * number as f64, remark);
    }
    for row in card.rows.iter().filter(|row| row.is_bridge) {
        let band = ROW - 4.0;
        canvas.write(format_args!(
            "<rect class=\"bridge\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"5\"/>",
            px(row.name.0 - 7.0),
            px(row.top + 2.0),
            px(place.width - row.name.0 + 7.0 - 9.0),
            px(band + row.height - ROW),
        ));
    }
    draw_trees(canvas, &card.rows);
    for row in &card.rows {
        draw_row(canvas, row);
    }
    canvas.write(format_args!("</g>"));
}

/// What hangs on what: a line from each device up to the one that it hangs on.
fn draw_trees(canvas: &mut Canvas, rows: &[Row]) {
    // The lowest line that a device of each level may end at.
    let mut above: Vec<(f64, f64)> = Vec::new();
    for row in rows {
        let level = row.branch.level();
        above.truncate(level);
        if let (Some(tie), Some((x, from))) = (row.branch.tie, above.last().copied()) {
            let class = if tie == Hanging::Upper { "tie upper" } else { "tie" };
            let to = row.middle();
            canvas.write(format_args!(
                "<path class=\"{class}\" d=\"M{} {}V{}H{}\"/>",
                px(x),
                px(from),
                px(to),
                px(row.name.0 - 4.0)
            ));
            if let Some(last) = above.last_mut() {
                last.1 = to;
            }
        }
        above.push((row.name.0 + 4.0, row.top + row.height - 4.0));
    }
}

fn draw_row(canvas: &mut Canvas, row: &Row) {
    let line = |number: usize| row.top + baseline(number);
    canvas.label(if row.is_bridge { "name" } else { "" }, row.name.0, line(0), &row.name.1);
    canvas.label("faint", row.kind.0, line(0), &row.kind.1);
    for (number, address) in row.addresses.iter().enumerate() {
        canvas.label("", row.text, line(number), address);
    }
    for &(x, width, mark) in &row.marks {
        let class = match mark {
            Mark::Down => "down",
            Mark::NoCarrier | Mark::PortState(_) => "warn",
            Mark::Promiscuous => "note",
        };
        let (left, top, across) = (px(x), px(row.middle() - 7.5), px(width));
        canvas.write(format_args!(
            "<rect class=\"{class}\" x=\"{left}\" y=\"{top}\" width=\"{across}\" height=\"15\" rx=\"7.5\"/>"
        ));
        canvas.write(format_args!(
            "<text class=\"mark {class}\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            px(x + width / 2.0),
            px(row.middle() + 3.5),
            mark.text()
        ));
    }
    if let Some(remark) = &row.remark {
        let lines = row.addresses.len().max(usize::from(!row.marks.is_empty()));
        canvas.label("faint", row.text, line(lines), remark);
    }
}

/// A cable, or what leads to the device below one.
fn draw_line(canvas: &mut Canvas, layout: &Layout, ends: [End; 2], tie: Tie, number: usize) {
    let place = |end: End| layout.places.get(end.card).copied().unwrap_or_default();
    let centre = |end: End| place(end).x + place(end).width / 2.0;
    let [left, right] = if centre(ends[0]) <= centre(ends[1]) { ends } else { [ends[1], ends[0]] };
    let start = (place(left).right(), left.y);
    let (path, end) = if left.card == right.card {
        let bulge = 22.0 + (right.y - left.y).abs() * 0.15;
        let out = start.0 + bulge.min(70.0);
        canvas.right = canvas.right.max(out);
        let end = (start.0, right.y);
        (
            format!(
                "M{} {}C{out} {1} {out} {3} {2} {3}",
                px(start.0),
                px(start.1),
                px(end.0),
                px(end.1),
                out = px(out)
            ),
            end,
        )
    } else {
        let end = (place(right).x, right.y);
        let mut path = format!("M{} {}", px(start.0), px(start.1));
        let mut from = start;
        let aside = BUNDLE * number.div_ceil(2) as f64 * if number.is_multiple_of(2) { 1.0 } else { -1.0 };
        for passage in layout.passages(left.card, right.card) {
            let to = (passage.left - 6.0, passage.y + aside);
            path.push_str(&curve(from, to));
            from = (passage.right + 6.0, to.1);
            let _ = write!(path, "H{}", px(from.0));
        }
        path.push_str(&curve(from, end));
        (path, end)
    };
    let (class, plug) = match tie {
        Tie::Cable { carrier: true } => ("cable", "plug"),
        Tie::Cable { carrier: false } => ("cable dead", "plug unplugged"),
        Tie::Port | Tie::Upper => ("tie upper", ""),
    };
    canvas.write(format_args!("<path class=\"{class}\" d=\"{path}\"/>"));
    for (x, y) in [start, end].into_iter().filter(|_| !plug.is_empty()) {
        canvas.write(format_args!(
            "<rect class=\"{plug}\" x=\"{}\" y=\"{}\" width=\"10\" height=\"10\" rx=\"2.5\"/>",
            px(x - 5.0),
            px(y - 5.0)
        ));
    }
}

/// From one point to another that lies to the right, leaving and arriving level.
fn curve(from: (f64, f64), to: (f64, f64)) -> String {
    let middle = px((from.0 + to.0) / 2.0);
    format!("C{middle} {} {middle} {} {} {}", px(from.1), px(to.1), px(to.0), px(to.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_text() {
        assert_eq!(escaped("<&>\"'\u{1}\u{ffff}x"), "&lt;&amp;&gt;&quot;&#39;\u{fffd}\u{fffd}x");
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([px(1.0), px(-0.25), px(2.26)], ["1", "-0.2", "2.3"].map(str::to_owned));
    }
}
