//! Every device of a namespace, listened to beside a program, as `tcpdump -p -i any` does.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use netloom_machine::{Machine, Netns};

use super::capture::Capture;
use super::frame::{Frame, Link};
use super::options::{Options, SNAPSHOT, Stop};
use super::pcap;
use super::print::{Printer, Style};
use crate::{Context, device};

const SO_RCVBUF: i32 = 8;
const SO_RCVBUFFORCE: i32 = 33;
/// Room for what comes between two looks, in bytes.
const ROOM: i32 = 32 << 20;

/// A capture file as `tcpdump -i any -w FILE` writes it: classic pcap, Linux cooked headers (LINKTYPE_LINUX_SLL2).
pub struct CaptureFile(pcap::Writer<BufWriter<File>>);

impl CaptureFile {
    /// A file without frames.
    pub fn create(path: &Path) -> io::Result<CaptureFile> {
        let file = BufWriter::new(File::create(path)?);
        pcap::Writer::new(file, Link::Cooked, SNAPSHOT as u32).map(CaptureFile)
    }

    /// Writes what was kept back.
    pub fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// One packet socket for all devices of a namespace, also for those that come later. None becomes promiscuous.
pub struct Listener {
    capture: Capture,
    printer: Printer,
    /// Devices' names by index, as they were called last: a frame may outlive its device.
    names: HashMap<u32, String>,
}

impl Listener {
    /// Listens from now on. An error is in tcpdump's words.
    pub fn open(machine: &Machine, netns: &Netns) -> Result<Listener, String> {
        let (out, err) = (&mut io::sink(), &mut io::sink());
        let context = Context { machine, netns: netns.clone(), out, err };
        let options = Options { snapshot: SNAPSHOT, not_promiscuous: true, ..Options::default() };
        let capture = Capture::open(&context, "any", &options).map_err(|Stop { err, .. }| err.trim_end().to_owned())?;
        // What can't be had is done without: lost frames are counted.
        let room = |option| capture.socket().set_option_int(libc::SOL_SOCKET, option, ROOM);
        let _ = room(SO_RCVBUFFORCE).or_else(|_| room(SO_RCVBUF));
        let style = Style { numeric: true, link_level: true, verbose: 1, ..Style::default() };
        Ok(Listener { capture, printer: Printer::new(style), names: HashMap::new() })
    }

    /// Takes the frames that have come: `heard` gets the device's name and the frame in the words of `tcpdump -n -e -v`
    /// without that name, on one line. How many there were.
    pub fn take(&mut self, file: &mut CaptureFile, mut heard: impl FnMut(&str, String)) -> io::Result<usize> {
        let mut looked_up = Vec::new();
        let mut count = 0;
        while let Some(frame) = self.capture.next()? {
            count += 1;
            file.0.write(&frame)?;
            let index = index(&frame);
            if !looked_up.contains(&index) {
                looked_up.push(index);
                if let Ok(name) = device::name(self.capture.socket(), index) {
                    self.names.insert(index, name);
                }
            }
            let (text, _) = self.printer.frame(&frame, |_| String::new());
            let name = self.names.entry(index).or_insert_with(|| format!("if{index}"));
            heard(name, on_one_line(&text, index));
        }
        Ok(count)
    }

    /// How many frames there was no room for since this was asked last.
    pub fn lost(&self) -> u32 {
        self.capture.dropped()
    }
}

fn index(frame: &Frame) -> u32 {
    frame.data.get(4..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

/// Which number the device has is no part of the frame.
fn on_one_line(text: &str, index: u32) -> String {
    let text = text.trim_start().replacen(&format!("ifindex {index} "), "", 1);
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}
