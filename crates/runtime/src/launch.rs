//! Starting machines and programs in them.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use netloom_machine::{EmbeddedMachine, MACHINE_VARIABLE, Machine, Netns, packet};

use crate::error::{Doing, Error, Result};
use crate::guard;
use crate::server::{Outcome, Server};
use crate::session::Session;
use crate::supervisor;
use crate::sys::signals::Signals;
use crate::sys::{process, seccomp};

/// A program to run in a machine.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its name, looked up on PATH where it has no slash.
    pub name: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// What its environment has besides this process's own.
    pub environment: Vec<(OsString, OsString)>,
    /// What bash reads before a script; it is put into a file of the machine's, and `BASH_ENV` names it.
    pub bash_environment: Option<&'static str>,
}

impl Program {
    /// The command, with the applets that are beside a machine's socket in front of its PATH.
    pub(crate) fn prepare(&self, socket: &Path) -> io::Result<Command> {
        let mut command = Command::new(&self.name);
        command.args(&self.arguments).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.env("PATH", search_path(socket));
        if let Some(text) = self.bash_environment {
            let file = socket.with_file_name("bash-environment");
            std::fs::write(&file, text)?;
            command.env("BASH_ENV", file);
        }
        Ok(command)
    }
}

/// PATH with the applets of the machine that listens at `socket` in front.
pub fn search_path(socket: &Path) -> OsString {
    let mut path = socket.with_file_name("bin").into_os_string();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into()));
    path
}

/// Seccomp knows one supervisor a process.
const INSIDE: &str = "this is inside a machine already, and there is none inside another one";

/// Why this process can't be supervised.
fn not_supervised(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::EBUSY) => INSIDE.to_owned(),
        _ => format!("this system does not let programs be supervised (seccomp: {error})"),
    }
}

/// A program that has only to be started, and supervised.
struct Start<'a> {
    command: Command,
    filter: Vec<libc::sock_filter>,
    socket: &'a Path,
}

impl Start<'_> {
    /// What can be done ahead: after a fork, every page that is written to is copied first.
    fn prepare<'a>(program: &Program, socket: &'a Path) -> Result<Start<'a>> {
        let mut command = program.prepare(socket).doing("cannot write into the machine's directory")?;
        command.env(MACHINE_VARIABLE, socket);
        Ok(Start { command, filter: supervisor::filter(), socket })
    }

    /// Becomes the program; returns why it couldn't.
    fn start(mut self, hand_over: impl FnOnce(OwnedFd) -> io::Result<()>) -> String {
        match seccomp::install(&self.filter) {
            Ok(listener) => {
                if let Err(error) = hand_over(listener) {
                    return format!("cannot reach the machine: {error}");
                }
            }
            // What is in the machine is supervised by it already.
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) && is_inherited(self.socket) => {}
            Err(error) => return not_supervised(&error),
        }
        let error = self.command.exec();
        format!("cannot run {}: {error}", self.command.get_program().display())
    }
}

/// Whether the environment names that machine.
fn is_inherited(socket: &Path) -> bool {
    std::env::var_os(MACHINE_VARIABLE).is_some_and(|inherited| Path::new(&inherited) == socket)
}

/// Runs a program in a fresh machine with links to `applets` in front of its PATH; its exit status, 128+n after a signal.
/// Everything that it started ends with it. To be called while the process has a single thread.
pub fn run(program: &Program, applets: &[&str]) -> Result<u8> {
    let session = Session::create(None)?;
    let outcome = run_in(&session, program, applets);
    if !matches!(outcome, Ok(Outcome::Ended(_))) {
        process::kill_descendants();
    }
    session.remove();
    // After a program's end the guard alone was left.
    process::kill_descendants();
    match outcome? {
        Outcome::Ended(status) => Ok(process::exit_status(status)),
        Outcome::Failed(why) => Err(Error::Start(why)),
        Outcome::GuardDied => Err(Error::GuardDied),
        Outcome::ShutDown => Ok(0),
    }
}

fn run_in(session: &Session, program: &Program, applets: &[&str]) -> Result<Outcome> {
    supervisor::check_rights().map_err(Error::Start)?;
    let socket = session.socket();
    let start = Start::prepare(program, &socket)?;
    let guard = guard::start(session, |reporter| {
        let hand_over = |listener: OwnedFd| {
            reporter.listener(listener.as_fd());
            Ok(())
        };
        reporter.failed(&start.start(hand_over));
    })?;
    let signals = Signals::new(&[libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGHUP]);
    // The program starts meanwhile: its first call on a path waits until the machine is there.
    session.link_applets(applets)?;
    let listener = packet::listen(socket.as_os_str()).doing("cannot listen")?;
    process::raise_descriptor_limit();
    process::clear_umask();
    let mut server = Server::new(session, listener).doing("cannot start the machine")?;
    signals.and_then(|signals| server.heed_signals(signals)).doing("cannot wait for signals")?;
    server.heed_guard(guard).doing("cannot wait for the program")?;
    server.run().doing("the machine failed")
}

/// Becomes a program in a machine that is running already, in one of its namespaces; returns why it couldn't.
pub fn execute(socket: &Path, netns: Option<&str>, program: &Program) -> Error {
    match enter(socket, netns) {
        Ok((machine, pid)) => {
            process::let_trace(pid);
            if process::only_ancestors_trace() {
                eprintln!(
                    "netloom: kernel.yama.ptrace_scope is set: what {} starts sees the host's files under /sys and /proc",
                    program.name.display()
                );
            }
            match Start::prepare(program, socket) {
                Ok(start) => Error::Start(start.start(|listener| machine.supervise(listener.as_fd()))),
                Err(error) => error,
            }
        }
        Err(error) => error,
    }
}

fn enter(socket: &Path, netns: Option<&str>) -> Result<(EmbeddedMachine, u32)> {
    let connect = || EmbeddedMachine::connect(socket.as_os_str()).map_err(|error| Error::Start(error.to_string()));
    let machine = connect()?;
    let (_, pid) = machine.identify().doing("cannot ask the machine")?;
    if let Some(name) = netns {
        let entered = Machine::Embedded(machine).enter(&Netns::parse(name));
        entered.map_err(|error| Error::Namespace { name: name.to_owned(), error })?;
        return Ok((connect()?, pid));
    }
    Ok((machine, pid))
}

/// Starts a machine that lives until it is shut down; returns once it listens.
pub fn up(name: &str, applets: &[&str]) -> Result<()> {
    if is_inside().doing("cannot fork")? {
        return Err(Error::Start(INSIDE.to_owned()));
    }
    let session = Session::create(Some(name))?;
    let (ours, theirs) = packet::pair().doing("cannot make a socket pair")?;
    if process::fork().doing("cannot fork")?.is_none() {
        drop(ours);
        // The one who asks for the end hears of it when the connections close: with the server, after the directory.
        let _server = daemon(&session, applets, &theirs);
        session.remove();
        process::exit_now(0);
    }
    drop(theirs);
    let mut answer = Vec::new();
    packet::receive(ours.as_fd(), &mut answer, 0).doing("cannot hear from the machine")?;
    match answer.split_first() {
        Some((b'+', _)) => Ok(()),
        Some((_, why)) => Err(Error::Start(String::from_utf8_lossy(why).into_owned())),
        None => Err(Error::Start("it died".to_owned())),
    }
}

/// Whether this process is in a machine, which a machine that it starts would not outlive.
fn is_inside() -> io::Result<bool> {
    process::spawn(|| process::exit_now(i32::from(seccomp::is_supervised())))?;
    Ok(process::reap(true)?.is_some_and(|ended| ended.status != 0))
}

fn daemon(session: &Session, applets: &[&str], parent: &OwnedFd) -> Option<Server> {
    let tell = |text: &str| drop(packet::send(parent.as_fd(), text.as_bytes(), &[], 0));
    match prepare(session, applets, parent) {
        Ok(mut server) => {
            tell("+");
            let _ = server.run();
            server.end_programs();
            Some(server)
        }
        Err(error) => {
            tell(&format!("-{error}"));
            None
        }
    }
}

fn prepare(session: &Session, applets: &[&str], parent: &OwnedFd) -> Result<Server> {
    use std::os::fd::AsRawFd;
    process::leave_session();
    process::close_all_but(&[session.lock_descriptor(), parent.as_raw_fd()]);
    // Before the guard is forked off: whoever reads what this command prints must see its end.
    process::forget_standard_descriptors().doing("cannot leave the terminal")?;
    supervisor::check_rights().map_err(Error::Start)?;
    session.link_applets(applets)?;
    let guard = guard::start_without_program(session)?;
    std::env::set_current_dir("/").doing("cannot leave the directory")?;
    process::raise_descriptor_limit();
    process::clear_umask();
    let listener = packet::listen(session.socket().as_os_str()).doing("cannot listen")?;
    let mut server = Server::new(session, listener).doing("cannot start the machine")?;
    let signals = Signals::new(&[libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGHUP]);
    signals.and_then(|signals| server.heed_signals(signals)).doing("cannot wait for signals")?;
    server.keep_guard(guard);
    Ok(server)
}

/// Shuts a machine down; returns once it has gone.
pub fn down(socket: &Path) -> Result<()> {
    let machine = EmbeddedMachine::connect(OsStr::new(socket)).map_err(|error| Error::Start(error.to_string()))?;
    machine.shut_down().doing("the machine refused")
}
