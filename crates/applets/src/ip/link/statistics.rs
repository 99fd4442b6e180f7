//! A device's counters, in columns that are as wide as their longest number.

use netloom_machine::netlink::Table;

use super::print::IFLA_COUNT;
use crate::print::{Format, Printer};

/// `struct rtnl_link_stats64`, by name.
#[derive(Clone, Copy, Default)]
struct Counters {
    rx_packets: u64,
    tx_packets: u64,
    rx_bytes: u64,
    tx_bytes: u64,
    rx_errors: u64,
    tx_errors: u64,
    rx_dropped: u64,
    tx_dropped: u64,
    multicast: u64,
    collisions: u64,
    rx_length_errors: u64,
    rx_over_errors: u64,
    rx_crc_errors: u64,
    rx_frame_errors: u64,
    rx_fifo_errors: u64,
    rx_missed_errors: u64,
    tx_aborted_errors: u64,
    tx_carrier_errors: u64,
    tx_fifo_errors: u64,
    tx_heartbeat_errors: u64,
    tx_window_errors: u64,
    rx_compressed: u64,
    tx_compressed: u64,
    rx_nohandler: u64,
}

impl Counters {
    /// From the kernel's structure, in which every counter has `width` bytes; what it does not have is 0.
    fn parse(bytes: &[u8], width: usize) -> Counters {
        let mut numbers = bytes.chunks_exact(width).map(|chunk| match (chunk.first_chunk(), chunk.first_chunk()) {
            (Some(wide), _) => u64::from_ne_bytes(*wide),
            (None, Some(narrow)) => u64::from(u32::from_ne_bytes(*narrow)),
            (None, None) => 0,
        });
        let mut next = || numbers.next().unwrap_or(0);
        Counters {
            rx_packets: next(),
            tx_packets: next(),
            rx_bytes: next(),
            tx_bytes: next(),
            rx_errors: next(),
            tx_errors: next(),
            rx_dropped: next(),
            tx_dropped: next(),
            multicast: next(),
            collisions: next(),
            rx_length_errors: next(),
            rx_over_errors: next(),
            rx_crc_errors: next(),
            rx_frame_errors: next(),
            rx_fifo_errors: next(),
            rx_missed_errors: next(),
            tx_aborted_errors: next(),
            tx_carrier_errors: next(),
            tx_fifo_errors: next(),
            tx_heartbeat_errors: next(),
            tx_window_errors: next(),
            rx_compressed: next(),
            tx_compressed: next(),
            rx_nohandler: next(),
        }
    }
}

/// Prints the statistics that a device's message holds, if it does.
pub(crate) fn print(printer: &mut Printer<'_>, attributes: &Table<'_, IFLA_COUNT>, format: &Format) {
    let counters = match (attributes.bytes(libc::IFLA_STATS64), attributes.bytes(libc::IFLA_STATS)) {
        (Some(bytes), _) => Counters::parse(bytes, 8),
        (None, Some(bytes)) => Counters::parse(bytes, 4),
        (None, None) => return,
    };
    let changes = attributes.u32(libc::IFLA_CARRIER_CHANGES).map(u64::from);
    if printer.is_json() {
        let key = if attributes.has(libc::IFLA_STATS64) { "stats64" } else { "stats" };
        json(printer, key, &counters, changes, format.statistics > 1);
    } else {
        text(printer, &counters, changes, format);
    }
}

fn json(printer: &mut Printer<'_>, key: &str, s: &Counters, changes: Option<u64>, detailed: bool) {
    let object = |printer: &mut Printer<'_>, key: &str, numbers: &[(&str, Option<u64>)]| {
        printer.open_object(key);
        for (name, number) in numbers {
            if let Some(number) = number {
                printer.json(name, *number);
            }
        }
        printer.close_object();
    };
    let more = |number: u64| detailed.then_some(number);
    let nonzero = |number: u64| Some(number).filter(|&number| number != 0);
    printer.open_object(key);
    object(
        printer,
        "rx",
        &[
            ("bytes", Some(s.rx_bytes)),
            ("packets", Some(s.rx_packets)),
            ("errors", Some(s.rx_errors)),
            ("dropped", Some(s.rx_dropped)),
            ("over_errors", Some(s.rx_over_errors)),
            ("multicast", Some(s.multicast)),
            ("compressed", nonzero(s.rx_compressed)),
            ("length_errors", more(s.rx_length_errors)),
            ("crc_errors", more(s.rx_crc_errors)),
            ("frame_errors", more(s.rx_frame_errors)),
            ("fifo_errors", more(s.rx_fifo_errors)),
            ("missed_errors", more(s.rx_missed_errors)),
            ("nohandler", nonzero(s.rx_nohandler).filter(|_| detailed)),
        ],
    );
    object(
        printer,
        "tx",
        &[
            ("bytes", Some(s.tx_bytes)),
            ("packets", Some(s.tx_packets)),
            ("errors", Some(s.tx_errors)),
            ("dropped", Some(s.tx_dropped)),
            ("carrier_errors", Some(s.tx_carrier_errors)),
            ("collisions", Some(s.collisions)),
            ("compressed", nonzero(s.tx_compressed)),
            ("aborted_errors", more(s.tx_aborted_errors)),
            ("fifo_errors", more(s.tx_fifo_errors)),
            ("window_errors", more(s.tx_window_errors)),
            ("heartbeat_errors", more(s.tx_heartbeat_errors)),
            ("carrier_changes", changes.filter(|_| detailed)),
        ],
    );
    printer.close_object();
}

/// Columns no narrower than the heads that stand over them.
const NARROWEST: [usize; 7] = [10, 7, 6, 7, 7, 7, 10];

fn text(printer: &mut Printer<'_>, s: &Counters, changes: Option<u64>, format: &Format) {
    let transitions = changes.unwrap_or(0);
    let rx = [s.rx_bytes, s.rx_packets, s.rx_errors, s.rx_dropped, s.rx_missed_errors, s.multicast, s.rx_compressed];
    let tx = [s.tx_bytes, s.tx_packets, s.tx_errors, s.tx_dropped, s.tx_carrier_errors, s.collisions, s.tx_compressed];
    let rx_more =
        [0, s.rx_length_errors, s.rx_crc_errors, s.rx_frame_errors, s.rx_fifo_errors, s.rx_over_errors, s.rx_nohandler];
    let tx_more = [0, s.tx_aborted_errors, s.tx_fifo_errors, s.tx_window_errors, s.tx_heartbeat_errors, transitions, 0];
    let detailed = format.statistics > 1;
    let mut widths = NARROWEST;
    let rows: &[[u64; 7]] = if detailed { &[rx, tx, rx_more, tx_more] } else { &[rx, tx] };
    for row in rows {
        for (width, number) in widths.iter_mut().zip(row) {
            *width = (*width).max(number.to_string().len());
        }
    }

    head(printer, "RX:", &widths, &["bytes", "packets", "errors", "dropped", "missed", "mcast"]);
    tail(printer, "compressed", widths[6], s.rx_compressed != 0);
    numbers(printer, format, &widths, &rx, false, s.rx_compressed != 0);
    if detailed {
        printer.line_break();
        head(printer, "RX errors:", &widths, &["", "length", "crc", "frame", "fifo", "overrun"]);
        printer.text(format_args!("{}", if s.rx_nohandler != 0 { " nohandler" } else { "" }));
        numbers(printer, format, &widths, &rx_more, true, s.rx_nohandler != 0);
    }
    printer.line_break();
    head(printer, "TX:", &widths, &["bytes", "packets", "errors", "dropped", "carrier", "collsns"]);
    tail(printer, "compressed", widths[6], s.tx_compressed != 0);
    numbers(printer, format, &widths, &tx, false, s.tx_compressed != 0);
    if detailed {
        printer.line_break();
        let names = ["", "aborted", "fifo", "window", "heartbt", "transns"];
        head(printer, "TX errors:", &widths, &names[..if changes.is_some() { 6 } else { 5 }]);
        numbers(printer, format, &widths[..if changes.is_some() { 7 } else { 6 }], &tx_more, true, false);
    }
}

/// `    LABEL` and the heads; the first column is as much narrower as the label is long.
fn head(printer: &mut Printer<'_>, label: &str, widths: &[usize], names: &[&str]) {
    printer.text(format_args!("    {label}"));
    for (at, (name, width)) in names.iter().zip(widths).enumerate() {
        if at == 0 {
            if !name.is_empty() {
                printer.text(format_args!(" {name:>width$}", width = width.saturating_sub(label.len() + 1)));
            } else {
                printer.text(format_args!("{:width$}", "", width = width.saturating_sub(label.len())));
            }
        } else {
            printer.text(format_args!(" {name:>width$}"));
        }
    }
}

/// The last head, blank where there is nothing to count.
fn tail(printer: &mut Printer<'_>, name: &str, width: usize, present: bool) {
    printer.text(format_args!(" {:>width$}", if present { name } else { "" }));
}

/// A row of numbers; a breakdown has none in its first column. The last one is printed where `last`.
fn numbers(printer: &mut Printer<'_>, format: &Format, widths: &[usize], row: &[u64; 7], breakdown: bool, last: bool) {
    printer.line_break();
    printer.text(format_args!("    "));
    let count = if last { 7 } else { widths.len().min(7) - 1 };
    for (at, (number, width)) in row.iter().zip(widths).take(count).enumerate() {
        let number = if at == 0 && breakdown { String::new() } else { quantity(*number, format) };
        printer.text(format_args!("{number:>width$} "));
    }
}

/// A number, with a unit where `-h` asks for one.
pub(crate) fn quantity(number: u64, format: &Format) -> String {
    let base: u64 = if format.iec { 1024 } else { 1000 };
    if !format.human || number < base {
        return number.to_string();
    }
    let mut unit = 1u64;
    let mut letter = ' ';
    for candidate in "kMGTPE".chars() {
        if number / unit < base {
            break;
        }
        unit = unit.saturating_mul(base);
        letter = candidate;
    }
    let decimals = match number / unit {
        0..10 => 2,
        10..100 => 1,
        _ => 0,
    };
    let suffix = if format.iec { "i" } else { "" };
    format!("{:.decimals$}{letter}{suffix}", number as f64 / unit as f64)
}
