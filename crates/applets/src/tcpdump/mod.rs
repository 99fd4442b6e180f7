//! `tcpdump`: what passes a device, in words or into a file, as tcpdump 4.99 shows it.

mod capture;
mod clock;
mod devices;
mod filter;
mod frame;
mod listener;
mod options;
mod pcap;
mod print;
mod services;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};

use netloom_machine::interrupt;

use crate::{Context, device};
use capture::Capture;
use clock::Clock;
use filter::Filter;
use frame::{Frame, Link};
pub use listener::{CaptureFile, Listener};
use options::{Options, Stop};
use print::Printer;

pub(crate) fn run(context: &mut Context<'_>, arguments: &[String]) -> i32 {
    let outcome = Options::parse(arguments).and_then(|options| match &options.read {
        _ if options.list_devices => devices::list(context),
        Some(file) => replay(context, &options, file),
        None => capture(context, &options),
    });
    match outcome {
        Ok(status) => status,
        Err(stop) => {
            let _ = context.out.write_all(stop.out.as_bytes());
            let _ = context.out.flush();
            let _ = context.err.write_all(stop.err.as_bytes());
            stop.status
        }
    }
}

/// Where frames go: lines, a file, or a number.
struct Sink<'a> {
    options: &'a Options,
    filter: Filter,
    printer: Printer,
    clock: Clock,
    file: Option<pcap::Writer<Box<dyn Write>>>,
    /// Devices' names by index, for cooked headers.
    names: HashMap<u32, String>,
    matched: u64,
}

fn words(error: &io::Error) -> String {
    error.to_string().split(" (os error").next().unwrap_or_default().to_owned()
}

impl<'a> Sink<'a> {
    fn new(options: &'a Options, link: Link) -> Result<Sink<'a>, Stop> {
        Ok(Sink {
            options,
            filter: filter::parse(&options.expression).map_err(Stop::new)?,
            printer: Printer::new(options.style.clone()),
            clock: Clock::new(options.times),
            file: None,
            names: HashMap::new(),
            matched: 0,
        })
        .and_then(|sink| sink.with_file(link))
    }

    fn with_file(mut self, link: Link) -> Result<Sink<'a>, Stop> {
        let Some(path) = &self.options.write else { return Ok(self) };
        let failed = |error: io::Error| Stop::new(format!("{path}: {}", words(&error)));
        let out: Box<dyn Write> = if path == "-" {
            Box::new(io::stdout())
        } else {
            Box::new(BufWriter::new(File::create(path).map_err(failed)?))
        };
        self.file = Some(pcap::Writer::new(out, link, self.options.snapshot as u32).map_err(failed)?);
        Ok(self)
    }

    fn is_full(&self) -> bool {
        self.options.count.is_some_and(|count| self.matched >= count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), pcap::Writer::flush)
    }

    /// Takes a frame if it is wanted.
    fn take(&mut self, out: &mut dyn Write, frame: &Frame) -> io::Result<()> {
        if self.is_full() || !self.filter.matches(frame) {
            return Ok(());
        }
        self.matched += 1;
        if let Some(file) = &mut self.file {
            file.write(frame)?;
            if !self.options.print {
                return Ok(());
            }
        }
        if self.options.only_count {
            return Ok(());
        }
        let mut text = if self.options.numbered { format!("{:5}  ", self.matched) } else { String::new() };
        text.push_str(&self.clock.text(frame.time));
        let names = &self.names;
        let name = |index: u32| names.get(&index).cloned().unwrap_or_else(|| format!("if{index}"));
        let (line, header) = self.printer.frame(frame, name);
        text.push_str(&line);
        let behind = |wanted: u8| frame.data.get(if wanted > 1 { 0 } else { header }..).unwrap_or_default();
        let bytes = self.options.bytes;
        if bytes.both > 0 {
            text.push_str(&print::hex_and_ascii("\n\t", behind(bytes.both)));
        } else if bytes.hex > 0 {
            text.push_str(&print::hex("\n\t", behind(bytes.hex)));
        } else if bytes.ascii > 0 {
            text.push_str(&print::ascii(behind(bytes.ascii)));
        }
        text.push('\n');
        out.write_all(text.as_bytes())
    }
}

/// Reads a capture file.
fn replay(context: &mut Context<'_>, options: &Options, path: &str) -> Result<i32, Stop> {
    let input: Box<dyn Read> = if path == "-" {
        Box::new(io::stdin())
    } else {
        let file = File::open(path).map_err(|error| Stop::new(format!("{path}: {}", words(&error))))?;
        Box::new(BufReader::new(file))
    };
    let mut reader = pcap::Reader::new(input).map_err(Stop::new)?;
    let name = if path == "-" { "-" } else { path };
    let _ = writeln!(
        context.err,
        "reading from file {name}, link-type {}, snapshot length {}",
        reader.link.description(),
        reader.snapshot
    );
    let mut sink = Sink::new(options, reader.link)?;
    let mut broken = None;
    while !sink.is_full() {
        match reader.next() {
            Ok(Some(frame)) => {
                if sink.take(&mut *context.out, &frame).is_err() {
                    break;
                }
            }
            Ok(None) => break,
            Err(why) => {
                broken = Some(why);
                break;
            }
        }
    }
    let _ = sink.flush();
    if options.only_count {
        let plural = if sink.matched == 1 { "" } else { "s" };
        let _ = writeln!(context.out, "{} packet{plural}", sink.matched);
    }
    let _ = context.out.flush();
    match broken {
        Some(why) => Err(Stop { status: 1, err: format!("tcpdump: pcap_loop: {why}\n"), ..Stop::default() }),
        None => Ok(0),
    }
}

/// Listens until it is interrupted or has enough.
fn capture(context: &mut Context<'_>, options: &Options) -> Result<i32, Stop> {
    let name = match &options.device {
        Some(name) => name.clone(),
        None => devices::default(context).unwrap_or_else(|| "any".to_owned()),
    };
    let capture = Capture::open(context, &name, options)?;
    if capture.link == Link::Cooked {
        let _ = writeln!(context.err, "tcpdump: data link type LINUX_SLL2");
    }
    let mut sink = Sink::new(options, capture.link)?;
    interrupt::catch(&[libc::SIGINT, libc::SIGTERM]).map_err(|error| Stop::new(words(&error)))?;
    let listening = format!(
        "listening on {name}, link-type {}, snapshot length {} bytes\n",
        capture.link.description(),
        options.snapshot
    );
    let heading = if options.style.verbose > 0 || options.write.is_some() {
        format!("tcpdump: {listening}")
    } else {
        format!("tcpdump: verbose output suppressed, use -v[v]... for full protocol decode\n{listening}")
    };
    let _ = context.err.write_all(heading.as_bytes());

    let interrupted = listen(context, &capture, &mut sink)?;
    let _ = sink.flush();
    if interrupted && options.write.is_none() {
        // Below the terminal's `^C`.
        let _ = context.out.write_all(b"\n");
    }
    let _ = context.out.flush();
    let packets = |number: u64| if number == 1 { "1 packet".to_owned() } else { format!("{number} packets") };
    let (matched, dropped) = (packets(sink.matched), packets(capture.dropped().into()));
    let summary = format!("{matched} captured\n{matched} received by filter\n{dropped} dropped by kernel\n");
    let _ = context.err.write_all(summary.as_bytes());
    Ok(0)
}

/// Whether it was interrupted, and not done.
fn listen(context: &mut Context<'_>, capture: &Capture, sink: &mut Sink<'_>) -> Result<bool, Stop> {
    loop {
        if sink.is_full() {
            return Ok(false);
        }
        if interrupt::take(libc::SIGINT) | interrupt::take(libc::SIGTERM) {
            return Ok(true);
        }
        // Whoever reads along sees every line at once.
        if context.out.flush().is_err() || sink.flush().is_err() {
            return Ok(false);
        }
        match capture.socket().wait(None) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Stop::new(format!("pcap_loop: {}", words(&error)))),
        }
        loop {
            match capture.next() {
                Ok(Some(frame)) => {
                    learn_name(capture, sink, &frame);
                    if sink.take(&mut *context.out, &frame).is_err() {
                        return Ok(false);
                    }
                }
                Ok(None) => break,
                Err(error) if error.raw_os_error() == Some(libc::ENETDOWN) => {
                    return Err(Stop::new("pcap_loop: The interface disappeared"));
                }
                Err(error) => return Err(Stop::new(format!("pcap_loop: {}", words(&error)))),
            }
            if sink.is_full() {
                break;
            }
        }
    }
}

fn learn_name(capture: &Capture, sink: &mut Sink<'_>, frame: &Frame) {
    if frame.link != Link::Cooked {
        return;
    }
    let index = frame.data.get(4..8).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes);
    if let Some(index) = index.filter(|index| !sink.names.contains_key(index))
        && let Ok(name) = device::name(capture.socket(), index)
    {
        sink.names.insert(index, name);
    }
}
