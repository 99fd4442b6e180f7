//! Netloom's own verbs.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::{Parser, Subcommand};
use miette::{IntoDiagnostic, Result, bail};
use netloom_machine::MACHINE_VARIABLE;

use crate::{diff, graph, machines, peers, program, run, shell, show};

/// Linux's virtual Ethernet for everybody: veth pairs, bridges and network namespaces without privileges.
#[derive(Debug, Parser)]
#[command(name = "netloom", version, after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// The machine that is meant: a name from `netloom ls`, or the path of its socket.
    #[arg(short, long, global = true, value_name = "NAME")]
    machine: Option<String>,
    #[command(subcommand)]
    verb: Verb,
}

const AFTER_HELP: &str = "\
Every applet is a verb, too: netloom ip link, netloom -m NAME brctl show. Applets: \
arp arping brctl bridge dmesg ethtool ifconfig ip netstat nstat ping route sysctl tcpdump.
Without -m and outside of a machine they speak to the host's own kernel.";

#[derive(Debug, Subcommand)]
// Only the arguments of the verb that is meant are built.
#[command(defer = true)]
enum Verb {
    /// Run a bash script in a fresh machine, which ends with it.
    Run(run::Run),
    /// An interactive shell in a fresh machine, which ends with it.
    Shell {
        /// On the host's own kernel, in namespaces apart from the host's: as root, or where users may have user namespaces.
        #[arg(long)]
        host: bool,
    },
    /// Run a bash script on both kernels and show where they part.
    Diff(diff::Diff),
    /// Show for every veth device of the host where its peer is, and whose.
    Peers(peers::Peers),
    /// Show the networks of a machine, or of the host, as a picture: namespaces, devices, cables, addresses.
    Show(show::Show),
    /// Draw the networks of a machine, or of the host: as SVG, for Graphviz, for Mermaid, or as JSON.
    Graph(graph::Graph),
    /// What `diff` runs inside of a machine.
    #[command(hide = true)]
    Record(diff::recorder::Record),
    /// Run one command in a machine.
    Exec {
        /// The namespace to run it in.
        #[arg(short, long, value_name = "NS")]
        netns: Option<String>,
        /// The command and its arguments.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "CMD")]
        command: Vec<OsString>,
    },
    /// Start a machine that stays until `netloom down`.
    Up {
        /// Its name.
        name: String,
    },
    /// End a machine.
    Down {
        /// Its name.
        name: String,
    },
    /// List the machines that are running.
    Ls,
    /// Print what makes a shell use a machine: eval "$(netloom env NAME)".
    Env {
        /// Its name.
        name: String,
    },
    /// Link every applet into a directory.
    InstallApplets {
        /// Where to.
        directory: PathBuf,
    },
    /// What the shell's prompt shows: machine and namespace.
    #[command(hide = true)]
    Prompt,
    #[command(external_subcommand)]
    Applet(Vec<OsString>),
}

pub(crate) fn run() -> ExitCode {
    let arguments = Arguments::parse();
    // A path that is broken in two can't be copied.
    let plain = |_: &_| -> Box<dyn miette::ReportHandler> {
        Box::new(miette::MietteHandlerOpts::new().wrap_lines(false).build())
    };
    let _ = miette::set_hook(Box::new(plain));
    match dispatch(arguments) {
        Ok(status) => ExitCode::from(status),
        Err(report) => {
            eprintln!("{report:?}");
            ExitCode::from(1)
        }
    }
}

fn dispatch(Arguments { machine, verb }: Arguments) -> Result<u8> {
    let machine = machine.as_deref();
    match verb {
        Verb::Run(run) => run.run(machine),
        Verb::Shell { host } => shell::shell(machine, host),
        Verb::Diff(diff) => Ok(diff.diff(machine)),
        Verb::Peers(peers) => peers.run(machine),
        Verb::Show(show) => show.run(machine),
        Verb::Graph(graph) => graph.run(machine),
        Verb::Record(record) => record.record(),
        Verb::Exec { netns, command } => program::exec(machine, netns.as_deref(), command),
        Verb::Up { name } => machines::up(&name),
        Verb::Down { name } => machines::down(&name),
        Verb::Ls => machines::list(),
        Verb::Env { name } => machines::environment(&name),
        Verb::InstallApplets { directory } => machines::install_applets(&directory),
        Verb::Prompt => shell::prompt(),
        Verb::Applet(command) => applet(machine, &command),
    }
}

/// `netloom -m NAME ip …`: the applet again, in the environment of the machine, which what it executes inherits.
fn applet(machine: Option<&str>, command: &[OsString]) -> Result<u8> {
    let Some((name, arguments)) = command.split_first() else { bail!("no command") };
    if crate::named(name).is_none() {
        bail!("there is no command {:?}; `netloom help` lists them", name.display().to_string());
    }
    let mut applet = Command::new(std::env::current_exe().into_diagnostic()?);
    applet.arg0(name).args(arguments);
    if let Some(machine) = machine {
        let socket = netloom_runtime::find(machine).into_diagnostic()?;
        applet.env("PATH", netloom_runtime::search_path(&socket)).env(MACHINE_VARIABLE, socket);
    }
    Err(applet.exec()).into_diagnostic()
}
