//! Graphviz's language: <https://graphviz.org/doc/info/lang.html>.

use super::{Drawing, Tie};
use crate::topology::{At, printable};

impl Drawing<'_> {
    /// The whole as a graph without directions, one cluster a namespace.
    pub(super) fn dot(&self) -> String {
        let mut text = "graph networks {\n".to_owned();
        text.push_str(
            "  graph [rankdir=LR fontname=\"sans-serif\" style=\"rounded\" color=\"#8a94a6\" labeljust=l];\n",
        );
        text.push_str("  node [shape=box style=rounded fontname=\"monospace\" fontsize=11 color=\"#8a94a6\"];\n");
        text.push_str("  edge [color=\"#8a94a6\"];\n");
        for (number, namespace) in self.topology.namespaces.iter().enumerate() {
            let mut title = vec![namespace.title()];
            title.extend(self.remarks(number));
            text.push_str(&format!("  subgraph cluster_{number} {{\n    label={};\n", quoted(&title)));
            let devices = self.devices(number);
            if devices.is_empty() {
                // A cluster without nodes isn't drawn.
                text.push_str(&format!("    e{number} [label=\"no devices\" shape=plaintext];\n"));
            }
            for (branch, device) in devices {
                let mut words = vec![device.name.clone()];
                words.extend(self.words(branch.at, device));
                let bold = if device.kind == "bridge" { " penwidth=2" } else { "" };
                text.push_str(&format!("    {} [label={}{bold}];\n", id(branch.at), quoted(&words)));
            }
            text.push_str("  }\n");
        }
        for (a, b, tie) in self.ties() {
            let style = match tie {
                Tie::Cable { carrier: true } => " [color=\"#2f7fd1\" penwidth=2]",
                Tie::Cable { carrier: false } => " [color=\"#2f7fd1\" penwidth=2 style=dashed]",
                Tie::Port => "",
                Tie::Upper => " [style=dotted]",
            };
            text.push_str(&format!("  {} -- {}{style};\n", id(a), id(b)));
        }
        text.push_str("}\n");
        text
    }
}

fn id(at: At) -> String {
    format!("n{}d{}", at.namespace, at.device)
}

/// Lines as a string in which nothing is an escape sequence or an HTML entity.
fn quoted(lines: &[String]) -> String {
    let line = |line: &String| printable(line).replace('\\', "\\\\").replace('"', "\\\"").replace('&', "&amp;");
    format!("\"{}\"", lines.iter().map(line).collect::<Vec<_>>().join("\\n"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn nothing_ends_a_string_or_is_taken_for_something_else() {
        let lines = ["\\N\"];", "&lt;", "a\nb"].map(str::to_owned);
        assert_eq!(quoted(&lines), "\"\\\\N\\\"];\\n&amp;lt;\\na\u{fffd}b\"");
    }
}
