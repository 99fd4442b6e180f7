//! Mermaid's flowcharts: <https://mermaid.js.org/syntax/flowchart.html>.

use super::{Drawing, Tie};
use crate::topology::{At, printable};

impl Drawing<'_> {
    /// The whole as a flowchart, one subgraph a namespace.
    pub(super) fn mermaid(&self) -> String {
        let mut text = "flowchart LR\n".to_owned();
        for (number, namespace) in self.topology.namespaces.iter().enumerate() {
            let mut title = vec![namespace.title()];
            title.extend(self.remarks(number));
            text.push_str(&format!("  subgraph n{number}[{}]\n", quoted(&title)));
            let devices = self.devices(number);
            if devices.is_empty() {
                // Without a node it would be one itself.
                text.push_str(&format!("    e{number}[\"no devices\"]\n"));
            }
            for (branch, device) in devices {
                let mut words = vec![device.name.clone()];
                words.extend(self.words(branch.at, device));
                let [open, close] = if device.kind == "bridge" { ["[[", "]]"] } else { ["(", ")"] };
                text.push_str(&format!("    {}{open}{}{close}\n", id(branch.at), quoted(&words)));
            }
            text.push_str("  end\n");
        }
        for (a, b, tie) in self.ties() {
            let line = match tie {
                Tie::Cable { carrier: true } => "===",
                Tie::Cable { carrier: false } => "==\"no carrier\"===",
                Tie::Port => "---",
                Tie::Upper => "-.-",
            };
            text.push_str(&format!("  {} {line} {}\n", id(a), id(b)));
        }
        text
    }
}

fn id(at: At) -> String {
    format!("n{}d{}", at.namespace, at.device)
}

/// Lines as a string; whatever might be syntax is a character's number.
fn quoted(lines: &[String]) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '.' | ':' | '/' | '-' | '_' | ',');
    let line = |line: &String| -> String {
        let characters = printable(line).chars().collect::<Vec<_>>();
        characters.iter().map(|&c| if plain(c) { c.to_string() } else { format!("#{};", u32::from(c)) }).collect()
    };
    format!("\"{}\"", lines.iter().map(line).collect::<Vec<_>>().join("<br/>"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn nothing_is_markup_but_the_ends_of_lines() {
        let lines = ["veth0", "10.0.0.1/24 2001:db8::1/64", "\"]<b>`&#x"].map(str::to_owned);
        let expected = "\"veth0<br/>10.0.0.1/24 2001:db8::1/64<br/>#34;#93;#60;b#62;#96;#38;#35;x\"";
        assert_eq!(quoted(&lines), expected);
    }
}
