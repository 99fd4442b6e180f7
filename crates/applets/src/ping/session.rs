//! A session of `ping`: when the next request goes out, what is told about each answer, and when it is over.

use std::io::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use netloom_machine::interrupt;

use super::options::Options;
use super::probe::{Arrival, Failure, HEADER, Probe, STAMP, control, micros, stamp, words};
use super::resolve;
use super::route_options::RouteOptions;
use super::statistics::{Statistics, milliseconds};

/// Requests that nobody answers leave no faster than this where there is no interval.
const SLOWEST_FLOOD: Duration = Duration::from_millis(10);
const SO_TIMESTAMP: i32 = 29;
/// Room for the IP header with options.
const LONGEST_IP_HEADER: usize = 60;

/// Where a session prints to.
pub(super) struct Console<'a> {
    pub(super) out: &'a mut dyn Write,
    pub(super) err: &'a mut dyn Write,
}

/// A session from its first request to its summary.
pub(super) struct Session<'a> {
    probe: &'a dyn Probe,
    options: &'a Options,
    console: Console<'a>,
    /// Answers are named.
    names: bool,
    statistics: Statistics,
    routes: RouteOptions,
    started: Instant,
    /// When the last request went out.
    last: Instant,
    interval: Duration,
    /// How much of intervals has been saved up: a request costs one.
    credit: Duration,
    /// When to give up.
    expiry: Option<Instant>,
    /// How often the device's queue was full.
    overflows: u32,
    queued_errors: bool,
    /// Nobody reads the output any more.
    broken: bool,
}

impl<'a> Session<'a> {
    pub(super) fn new(probe: &'a dyn Probe, options: &'a Options, console: Console<'a>, names: bool) -> Session<'a> {
        let now = Instant::now();
        Session {
            probe,
            options,
            console,
            names,
            statistics: Statistics::new(),
            routes: RouteOptions::default(),
            started: now,
            last: now,
            interval: options.interval,
            credit: options.interval * options.preload,
            expiry: options.deadline.map(|deadline| now + deadline),
            overflows: 0,
            queued_errors: false,
            broken: false,
        }
    }

    /// Runs to the end; the exit status.
    pub(super) fn run(mut self, host: &str) -> i32 {
        let heading = self.probe.heading(host, self.options);
        self.print(&heading);
        // Without it round-trip times include how long this process slept.
        let _ = self.probe.socket().set_option_int(libc::SOL_SOCKET, SO_TIMESTAMP, 1);
        while !self.is_over() {
            let next = self.transmit();
            self.listen(next);
        }
        self.finish(host)
    }

    fn is_over(&mut self) -> bool {
        if interrupt::take(libc::SIGQUIT) {
            let status = self.statistics.status(self.is_timing());
            let _ = self.console.err.write_all(status.as_bytes());
        }
        let back = self.statistics.received + self.statistics.errors;
        self.broken
            || interrupt::take(libc::SIGINT)
            || self.options.count.is_some_and(|count| back >= count)
            || (self.options.deadline.is_some() && self.statistics.errors > 0)
            || self.expiry.is_some_and(|expiry| Instant::now() >= expiry)
    }

    fn is_timing(&self) -> bool {
        self.options.size >= STAMP
    }

    fn print(&mut self, text: &str) {
        self.broken |= self.console.out.write_all(text.as_bytes()).is_err();
    }

    /// Sends what is due; when to come back.
    fn transmit(&mut self) -> Option<Instant> {
        loop {
            let all_sent = self.options.count.is_some_and(|count| self.statistics.transmitted >= count);
            if all_sent && self.options.deadline.is_none() {
                return None;
            }
            let now = Instant::now();
            if self.statistics.transmitted > 0
                && let Some(due) = self.wait_for_turn(now)
            {
                return Some(due);
            }
            if self.statistics.transmitted == 0 && self.overflows == 0 {
                self.started = now;
                self.credit = self.credit.saturating_sub(self.interval);
            }
            self.last = now;
            if self.options.outstanding {
                self.report_outstanding();
            }
            match self.send() {
                Sent::Gone => {}
                Sent::Later(pause) => return Some(now + pause),
            }
            if self.broken || self.options.count == Some(self.statistics.transmitted) && self.options.deadline.is_none()
            {
                self.expiry = Some(now + self.lingering());
                return None;
            }
            // A flood must not keep answers and signals waiting.
            if self.interval.is_zero() || self.options.adaptive {
                return Some(now + SLOWEST_FLOOD);
            }
        }
    }

    /// When the next request may go out, unless now.
    fn wait_for_turn(&mut self, now: Instant) -> Option<Instant> {
        let since = now.saturating_duration_since(self.last);
        let preload = u16::try_from(self.options.preload).unwrap_or(u16::MAX);
        let waiting = self.statistics.in_flight() >= preload;
        if self.interval.is_zero() || self.options.adaptive {
            let pause = if self.interval.is_zero() { SLOWEST_FLOOD } else { self.interval.max(SLOWEST_FLOOD) };
            return (waiting && since < pause).then(|| self.last + pause);
        }
        let credit = (self.credit + since).min(self.interval * self.options.preload);
        if credit < self.interval {
            return Some(now + (self.interval - credit));
        }
        self.credit = credit - self.interval;
        None
    }

    fn report_outstanding(&mut self) {
        let last = self.statistics.transmitted;
        if last > 0 && !self.statistics.is_answered(last as u16) {
            let time = self.time_of_day();
            self.print(&format!("{time}no answer yet for icmp_seq={last}\n"));
        }
    }

    fn data(&self) -> Vec<u8> {
        let mut data: Vec<u8> = match &*self.options.pattern {
            [] => (0..self.options.size).map(|at| at as u8).collect(),
            pattern => pattern.iter().copied().cycle().take(self.options.size).collect(),
        };
        if let Some(room) = data.get_mut(..STAMP) {
            room.copy_from_slice(&stamp());
        }
        data
    }

    fn send(&mut self) -> Sent {
        let sequence = (self.statistics.transmitted + 1) as u16;
        let message = self.probe.request(sequence, &self.data());
        let to = crate::sockaddr::bytes(&self.probe.target());
        let Err(error) = self.probe.socket().send(&message, &to, 0) else {
            self.statistics.sent();
            if self.options.flood && !self.options.quiet {
                self.print(".");
            }
            return Sent::Gone;
        };
        match error.raw_os_error() {
            Some(libc::ENOBUFS | libc::ENOMEM) => {
                // A full queue may empty; a device that is stuck must not stop the session for ever.
                self.credit = Duration::ZERO;
                self.overflows += 1;
                let step = (self.interval / 2).min(Duration::from_millis(500));
                if step * self.overflows < self.options.linger {
                    return Sent::Later(self.interval.max(SLOWEST_FLOOD));
                }
                self.statistics.sent();
                self.complain_or_mark(&format!("ping: sendmsg: {}\n", words(&error)));
            }
            Some(libc::EAGAIN) => {
                self.credit += self.interval;
                return Sent::Later(SLOWEST_FLOOD);
            }
            _ => {
                // The reason stands in the error queue. An ICMP error there means an earlier request, so this one waits.
                if self.read_errors(1) {
                    self.credit += self.interval;
                    return Sent::Later(SLOWEST_FLOOD);
                }
                self.statistics.sent();
                self.credit = Duration::ZERO;
            }
        }
        Sent::Gone
    }

    fn complain_or_mark(&mut self, text: &str) {
        if self.options.quiet {
        } else if self.options.flood {
            self.print("E");
        } else {
            let _ = self.console.out.flush();
            let _ = self.console.err.write_all(text.as_bytes());
        }
    }

    /// How long to wait for answers once everything is sent.
    fn lingering(&self) -> Duration {
        if self.statistics.received == 0 {
            return self.options.linger;
        }
        (self.statistics.longest() * 2).max(self.interval)
    }

    /// Takes in what comes until `next`, or the end.
    fn listen(&mut self, next: Option<Instant>) {
        self.broken |= self.console.out.flush().is_err();
        let now = Instant::now();
        // Once everything is sent, an end that is reached already (a local error's) shows after an interval.
        let next = next.unwrap_or(now + self.interval.max(SLOWEST_FLOOD));
        let until = self.expiry.map_or(next, |expiry| expiry.min(next));
        let timeout = Some(until.saturating_duration_since(now));
        // A signal ends the wait; the loop around asks which.
        if !matches!(self.probe.socket().wait(timeout), Ok(true)) {
            return;
        }
        let room = LONGEST_IP_HEADER + HEADER + self.options.size;
        let mut nothing = true;
        loop {
            match self.probe.socket().receive(room.max(128), libc::MSG_DONTWAIT) {
                Ok(received) => self.take(received),
                // What woke us up is an error that a failed request has taken from the socket already.
                Err(error) if error.raw_os_error() == Some(libc::EAGAIN) && nothing => {
                    self.read_errors(usize::MAX);
                    break;
                }
                Err(error) if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EINTR)) => break,
                Err(_) => {
                    self.read_errors(usize::MAX);
                }
            }
            nothing = false;
            let back = self.statistics.received + self.statistics.errors;
            if self.options.flood || self.options.adaptive || self.options.count.is_some_and(|count| back >= count) {
                break;
            }
        }
    }

    /// Reads the error queue; whether it held an ICMP error of a request of ours.
    fn read_errors(&mut self, at_most: usize) -> bool {
        let mut icmp = false;
        for _ in 0..at_most {
            let flags = libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT;
            let Ok(received) = self.probe.socket().receive(HEADER, flags) else { break };
            match self.probe.failure(&received) {
                Failure::Local { errno, mtu } => {
                    self.statistics.errors += 1;
                    let why = match errno {
                        libc::EMSGSIZE => self.probe.too_long(mtu),
                        _ => words(&std::io::Error::from_raw_os_error(errno)),
                    };
                    self.complain_or_mark(&format!("ping: local error: {why}\n"));
                }
                Failure::Icmp { from, sequence, text } => {
                    icmp = true;
                    if !std::mem::replace(&mut self.queued_errors, true) {
                        self.probe.errors_come_queued();
                    }
                    self.statistics.errors += 1;
                    self.statistics.acknowledge(sequence);
                    if self.options.quiet {
                    } else if self.options.flood {
                        self.print("\x08E");
                    } else {
                        let line =
                            format!("{}From {} icmp_seq={sequence} {text}\n", self.time_of_day(), self.name(&from));
                        self.print(&line);
                    }
                }
                Failure::Foreign => {}
            }
        }
        icmp
    }

    fn name(&self, from: &SocketAddr) -> String {
        if self.names { resolve::named(from, self.probe.socket()) } else { resolve::text(from, self.probe.socket()) }
    }

    fn time_of_day(&self) -> String {
        if !self.options.timestamps {
            return String::new();
        }
        let micros = micros(&stamp()).unwrap_or(0);
        format!("[{}.{:06}] ", micros / 1_000_000, micros % 1_000_000)
    }

    fn take(&mut self, received: netloom_machine::Received) {
        let arrived = control(&received.control, libc::SOL_SOCKET, SO_TIMESTAMP)
            .filter(|_| !self.options.user_latency)
            .and_then(micros)
            .or_else(|| micros(&stamp()));
        match self.probe.arrival(received) {
            Arrival::Answer { from, sequence, message, ttl, bad_checksum, options } => {
                let answer = Answer { from, sequence, message, ttl, bad_checksum, options };
                self.answer(answer, arrived);
            }
            Arrival::Notice { from, sequence, text } => {
                if !self.options.quiet && !self.options.flood {
                    let line = format!("{}From {}: icmp_seq={sequence} {text}\n", self.time_of_day(), self.name(&from));
                    self.print(&line);
                }
            }
            Arrival::Foreign => {}
        }
    }

    fn answer(&mut self, answer: Answer, arrived: Option<i64>) {
        let sequence = answer.sequence;
        let data = answer.message.get(HEADER..).unwrap_or_default();
        self.statistics.acknowledge(sequence);
        let time = arrived.zip(micros(data)).filter(|_| self.is_timing()).map(|(arrived, sent)| arrived - sent);
        if let Some(time) = time.filter(|&time| time < 0) {
            let text = format!("ping: Warning: time of day goes back ({time}us), taking countermeasures\n");
            let _ = self.console.err.write_all(text.as_bytes());
        }
        let time = time.map(|time| time.max(0));
        if let Some(time) = time.filter(|_| !answer.bad_checksum) {
            self.statistics.time(time);
            if self.options.adaptive {
                self.interval = self.statistics.moving_average();
            }
        }
        let duplicate = self.statistics.answer(sequence, answer.bad_checksum);
        if self.options.quiet {
            return;
        }
        if self.options.flood {
            self.print(if answer.bad_checksum { "\x08C" } else { "\x08 \x08" });
            return;
        }
        let mut line = format!(
            "{}{} bytes from {}: icmp_seq={sequence}",
            self.time_of_day(),
            answer.message.len(),
            self.name(&answer.from)
        );
        if let Some(ident) = self.probe.ident().filter(|_| self.options.verbose) {
            line.push_str(&format!(" ident={ident}"));
        }
        if let Some(ttl) = answer.ttl {
            line.push_str(&format!(" ttl={ttl}"));
        }
        if data.len() < self.options.size {
            line.push_str(" (truncated)\n");
            self.print(&line);
            return;
        }
        if let Some(time) = time {
            line.push_str(&format!(" time={} ms", milliseconds(time)));
        }
        for (applies, text) in [
            (duplicate, " (DUP!)"),
            (answer.bad_checksum, " (BAD CHECKSUM!)"),
            (!self.probe.expects(&answer.from), " (DIFFERENT ADDRESS!)"),
        ] {
            if applies {
                line.push_str(text);
            }
        }
        line.push_str(&self.routes.text(&answer.options));
        if self.options.audible {
            line.push('\x07');
        }
        line.push('\n');
        self.print(&line);
    }

    fn finish(mut self, host: &str) -> i32 {
        let elapsed = self.last.saturating_duration_since(self.started);
        let spacing = self.options.interval.is_zero() || self.options.flood || self.options.adaptive;
        let summary = self.statistics.summary(host, elapsed, self.is_timing(), spacing);
        self.print("\n");
        self.print(&summary);
        let all = self.options.count.unwrap_or(0);
        let missed = self.options.deadline.is_some() && self.statistics.received < all;
        i32::from(self.statistics.received == 0 || missed)
    }
}

/// What became of a request.
enum Sent {
    /// Sent, or counted as if.
    Gone,
    /// Not yet.
    Later(Duration),
}

struct Answer {
    from: SocketAddr,
    sequence: u16,
    message: Vec<u8>,
    ttl: Option<u8>,
    bad_checksum: bool,
    options: Vec<u8>,
}
