//! What `ip` and `bridge` share besides their printing: a session with rtnetlink, arguments, failures, device names.

pub(crate) mod address;
mod arguments;
pub(crate) mod batch;
mod heading;
mod links;
pub(crate) mod names;
pub(crate) mod nsids;
pub(crate) mod options;
mod timestamp;

use std::io::Write;

use netloom_machine::netlink::{Dump, Error, Message, Netlink, Reply, Request, Stage};
use netloom_machine::{Machine, Netns};

pub(crate) use arguments::{
    Arguments, duplicate, duplicate_or_garbage, invalid_argument, matches, number, signed_number,
};
pub(crate) use heading::{print_flags, print_name, print_name_column};
pub(crate) use links::{IFINFOMSG, Links};
pub(crate) use timestamp::timestamp;

use crate::print::{Format, strerror};

/// Why a command ended early. What there was to say has been said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The command failed with this exit status; a batch may go on.
    Command(i32),
    /// The whole program ends with this exit status, within a batch too: wrong usage, mostly.
    Exit(i32),
}

/// How a command ends.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// A command at work: its machine and namespace, its output and options, and its rtnetlink socket.
pub(crate) struct Session<'a> {
    /// The kernel that answers.
    pub(crate) machine: &'a Machine,
    /// Where sockets are opened.
    pub(crate) netns: Netns,
    /// Standard output.
    pub(crate) out: &'a mut dyn Write,
    /// Standard error.
    pub(crate) err: &'a mut dyn Write,
    /// The output options.
    pub(crate) format: Format,
    /// `-4`, `-6`, `-f` …; `AF_UNSPEC` (0) where none was given.
    pub(crate) family: u8,
    /// `-all`: every namespace.
    pub(crate) all: bool,
    /// `-l`: how often a flush is tried again; 0 is for ever.
    pub(crate) loops: u32,
    /// The socket that requests go through.
    pub(crate) netlink: Netlink,
    /// Devices by name and index, through a socket of its own (so that a name can be asked for within a dump).
    pub(crate) links: Links<'a>,
    /// The names of namespaces by id.
    pub(crate) nsids: nsids::Nsids,
}

impl<'a> Session<'a> {
    /// Opens the rtnetlink socket; says why when that fails.
    pub(crate) fn open(
        machine: &'a Machine,
        netns: Netns,
        out: &'a mut dyn Write,
        err: &'a mut dyn Write,
        format: Format,
        family: u8,
    ) -> Outcome<Session<'a>> {
        match Netlink::open(machine, &netns, libc::NETLINK_ROUTE) {
            Ok(netlink) => {
                let links = Links::new(machine, netns.clone());
                Ok(Session {
                    machine,
                    netns,
                    out,
                    err,
                    format,
                    family,
                    all: false,
                    loops: 10,
                    netlink,
                    links,
                    nsids: nsids::Nsids::default(),
                })
            }
            Err(error) => {
                let _ = writeln!(err, "{}", cannot_open(&netns, &error));
                Err(Failure::Exit(255))
            }
        }
    }

    /// Sends a request and waits for its acknowledgement; a refusal is reported and is exit status 2.
    pub(crate) fn request(&mut self, request: &mut Request) -> Outcome {
        match self.netlink.request(request) {
            Ok(warning) => {
                if let Some(warning) = warning {
                    let _ = writeln!(self.err, "{}", with_full_stop("Warning: ", &warning));
                }
                Ok(())
            }
            Err(error) => {
                report(self.err, &error);
                Err(Failure::Command(2))
            }
        }
    }

    /// Asks for one object; a refusal is reported and is exit status 2.
    pub(crate) fn get(&mut self, request: &mut Request) -> Outcome<Reply> {
        self.netlink.get(request).map_err(|error| {
            report(self.err, &error);
            Failure::Command(2)
        })
    }

    /// Dumps objects; a refusal is reported and is exit status 1.
    ///
    /// Where `each` needs the session's other fields, use [`Netlink::dump`] and [`finish_dump`] instead.
    pub(crate) fn dump(&mut self, request: &mut Request, each: impl FnMut(Message<'_>)) -> Outcome {
        let result = self.netlink.dump(request, each);
        finish_dump(self.err, result)
    }

    /// Says that there is no such device, and gives the exit status.
    pub(crate) fn no_device(&mut self, name: &str) -> Failure {
        let _ = writeln!(self.err, "Cannot find device \"{name}\"");
        Failure::Command(1)
    }

    /// A device's index; where there is none, says so with exit status 1.
    pub(crate) fn index(&mut self, name: &str) -> Outcome<u32> {
        match self.links.index(name) {
            Some(index) => Ok(index),
            None => Err(self.no_device(name)),
        }
    }

    /// Flushes what was printed, and says something on standard error.
    pub(crate) fn complain(&mut self, text: &str) {
        let _ = self.out.flush();
        let _ = writeln!(self.err, "{text}");
    }
}

/// Why there is no socket: a namespace whose name cannot be opened, one that is none, or the socket itself.
pub(crate) fn cannot_open(netns: &Netns, error: &std::io::Error) -> String {
    let text = strerror(error.raw_os_error().unwrap_or(libc::EIO));
    let name = match netns {
        Netns::Named(name) => name.clone(),
        Netns::Path(path) => path.display().to_string(),
        Netns::Current | Netns::Pid(_) => return format!("Cannot open netlink socket: {text}"),
    };
    match error.raw_os_error() {
        Some(libc::EINVAL | libc::EPERM) => format!("setting the network namespace \"{name}\" failed: {text}"),
        _ => format!("Cannot open network namespace \"{name}\": {text}"),
    }
}

/// What is said of a dump's end: why it failed, or that it may be inconsistent.
pub(crate) fn finish_dump(err: &mut dyn Write, result: Result<Dump, Error>) -> Outcome {
    match result {
        Ok(dump) => {
            if dump.interrupted {
                let _ = writeln!(err, "Dump was interrupted and may be inconsistent.");
            }
            Ok(())
        }
        Err(error) => {
            report(err, &error);
            let _ = writeln!(err, "Dump terminated");
            Err(Failure::Command(1))
        }
    }
}

/// Says why the kernel refused: in its own words where it has some, otherwise the errno's.
pub(crate) fn report(err: &mut dyn Write, error: &Error) {
    let _ = match (&error.message, error.stage) {
        (Some(message), _) => writeln!(err, "{}", with_full_stop("Error: ", message)),
        (None, Stage::Dump) if matches!(error.errno, libc::ENOENT | libc::EOPNOTSUPP) => Ok(()),
        (None, Stage::Transport) => writeln!(err, "Cannot talk to rtnetlink: {}", strerror(error.errno)),
        (None, _) => writeln!(err, "RTNETLINK answers: {}", strerror(error.errno)),
    };
}

fn with_full_stop(prefix: &str, message: &str) -> String {
    let stop = if message.ends_with('.') { "" } else { "." };
    format!("{prefix}{message}{stop}")
}
