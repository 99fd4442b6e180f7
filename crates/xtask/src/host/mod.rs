//! The yardstick: the host's own kernel, asked to do the same things in network namespaces of its own.

pub(crate) mod control;
pub(crate) mod router;
pub(crate) mod sender;

use std::os::fd::{AsRawFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, io};

use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, recv, sendto, socket};

use crate::lab;
use sender::Sender;

/// The address of the bridge's far station, which the bridge has learned.
const STATION: [u8; 6] = [0x02, 0, 0, 0, 0, 0x78];

/// A program that runs until this is dropped, or until we are gone.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn start(program: &str, arguments: &[&str]) -> io::Result<Running> {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", program]).args(arguments);
        // Some programs end with their input.
        Ok(Running(command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// e0 - p0 - br0 - p1 - e1 in the host's kernel; e1 is in a namespace of its own.
pub(crate) struct Host {
    far: Running,
    sender: Sender,
    echo: OwnedFd,
}

/// Runs a program to its end.
pub(crate) fn run(program: &str, arguments: &str) -> io::Result<()> {
    let status = Command::new(program).args(arguments.split_whitespace()).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{program} {arguments}: {status}"))) }
}

impl Host {
    /// Moves this process into a fresh namespace and builds there. Who may not is told why.
    pub(crate) fn new() -> io::Result<Host> {
        unshare(CloneFlags::CLONE_NEWNET)?;
        let far = Running::start("unshare", &["-n", "sleep", "86400"])?;
        let pid = far.0.id();
        // It has a namespace of its own once that isn't ours any more.
        let namespace = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/net"));
        while namespace(&pid.to_string())? == namespace("self")? {
            std::thread::sleep(Duration::from_millis(1));
        }
        for arguments in [
            "link add br0 type bridge",
            "link add e0 type veth peer name p0",
            "link add e1 address 02:00:00:00:00:78 type veth peer name p1",
            "link set p0 master br0 up",
            "link set p1 master br0 up",
            "link set br0 up",
            "address add 10.0.0.1/24 dev e0",
            "link set e0 up",
            &format!("link set e1 netns {pid}"),
        ] {
            run("ip", arguments)?;
        }
        run("nsenter", &format!("-t {pid} -n ip address add 10.0.0.2/24 dev e1"))?;
        run("nsenter", &format!("-t {pid} -n ip link set e1 up"))?;
        run("ping", "-q -c 1 -W 5 10.0.0.2")?;

        let sender = Sender::new("e0")?;
        let echo = socket(AddressFamily::Inet, SockType::Raw, SockFlag::empty(), SockProtocol::Icmp)?;
        Ok(Host { far, sender, echo })
    }

    /// Nanoseconds for each frame of `length` bytes that reaches the far end.
    pub(crate) fn frames(&self, length: usize) -> f64 {
        let received = || sender::received(&self.far.0.id().to_string(), "e1");
        self.sender.flood(&[sender::frame(STATION, length)], received)
    }

    /// Nanoseconds for an ICMP echo request from a raw socket and the reply to it; the median of many.
    pub(crate) fn echo(&self) -> f64 {
        let request = lab::echo::request();
        let to = SockaddrIn::new(10, 0, 0, 2, 0);
        let mut buffer = [0; 256];
        let mut times: Vec<u128> = (0..5_000)
            .filter_map(|_| {
                let start = Instant::now();
                sendto(self.echo.as_raw_fd(), &request, &to, MsgFlags::empty()).ok()?;
                recv(self.echo.as_raw_fd(), &mut buffer, MsgFlags::empty()).ok()?;
                Some(start.elapsed().as_nanos())
            })
            .collect();
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or_default() as f64
    }
}
