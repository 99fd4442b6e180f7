//! The yardstick: the host's own kernel, asked to do the same things in network namespaces of its own.

use std::fs::{self, File};
use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use nix::ifaddrs::getifaddrs;
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, MultiHeaders, SockFlag, SockProtocol, SockType, SockaddrIn, bind, recv, send,
    sendmmsg, sendto, socket,
};

use crate::lab;

/// How many frames go out with one system call.
const BATCH: usize = 64;

/// e0 - p0 - br0 - p1 - e1 in the host's kernel; e1 is in a namespace of its own.
pub(crate) struct Host {
    far: Child,
    sender: OwnedFd,
    echo: OwnedFd,
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.far.kill();
        let _ = self.far.wait();
    }
}

fn run(program: &str, arguments: &str) -> io::Result<()> {
    let status = Command::new(program).args(arguments.split_whitespace()).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{program} {arguments}: {status}"))) }
}

impl Host {
    /// Moves this process into a fresh namespace and builds there. Who may not is told why.
    pub(crate) fn new() -> io::Result<Host> {
        unshare(CloneFlags::CLONE_NEWNET)?;
        let far = Command::new("unshare").args(["-n", "sleep", "86400"]).spawn()?;
        let pid = far.id();
        // It has a namespace of its own once that isn't ours any more.
        let namespace = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/net"));
        while namespace(&pid.to_string())? == namespace("self")? {
            std::thread::sleep(Duration::from_millis(1));
        }
        for arguments in [
            "link add br0 type bridge",
            "link add e0 type veth peer name p0",
            "link add e1 type veth peer name p1",
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

        let sender = socket(AddressFamily::Packet, SockType::Raw, SockFlag::empty(), None)?;
        let address = getifaddrs()?
            .filter(|entry| entry.interface_name == "e0")
            .find_map(|entry| entry.address?.as_link_addr().copied())
            .ok_or_else(|| io::Error::other("e0 has no address"))?;
        bind(sender.as_raw_fd(), &address)?;
        let echo = socket(AddressFamily::Inet, SockType::Raw, SockFlag::empty(), SockProtocol::Icmp)?;
        Ok(Host { far, sender, echo })
    }

    /// How many frames the far end has received.
    fn received(&self) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/net/dev", self.far.id())).unwrap_or_default();
        let line = text.lines().find_map(|line| line.trim().strip_prefix("e1:"));
        line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or_default()
    }

    /// Nanoseconds for each frame of `length` bytes that reaches the far end.
    pub(crate) fn frames(&self, length: usize) -> f64 {
        let mut frame = vec![0x02, 0, 0, 0, 0, 0x77, 0x02, 0, 0, 0, 0, 0x78, 0x88, 0xb5];
        frame.resize(length, 0x5a);
        let slices = vec![[IoSlice::new(&frame)]; BATCH];
        let addresses: Vec<Option<LinkAddr>> = vec![None; BATCH];
        let mut headers = MultiHeaders::preallocate(BATCH, None);
        let before = self.received();
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(200) {
            let fd = self.sender.as_raw_fd();
            let _ = sendmmsg(fd, &mut headers, slices.iter(), &addresses, [], MsgFlags::empty());
        }
        let elapsed = start.elapsed();
        elapsed.as_nanos() as f64 / (self.received() - before).max(1) as f64
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

/// A netlink socket in a namespace that was made for it, on a thread of its own.
fn in_fresh_namespace<T: Send + 'static>(
    work: impl FnOnce(&OwnedFd) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    // Linux takes namespaces away in the background, and holds the lock that the next measurement needs meanwhile.
    std::thread::sleep(Duration::from_secs(2));
    let thread = std::thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET)?;
        let protocol = SockProtocol::NetlinkRoute;
        let netlink = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::empty(), protocol)?;
        work(&netlink)
    });
    thread.join().map_err(|_| io::Error::other("a measurement failed"))?
}

fn request(netlink: &OwnedFd, bytes: &[u8]) -> io::Result<()> {
    Ok(send(netlink.as_raw_fd(), bytes, MsgFlags::empty()).map(drop)?)
}

/// Nanoseconds for each of `count` veth pairs, and for each link of a list of them afterwards.
pub(crate) fn pairs(count: u32) -> io::Result<(f64, f64)> {
    in_fresh_namespace(move |netlink| {
        let requests = lab::control::pair_requests(0, count);
        let start = Instant::now();
        for datagram in &requests {
            request(netlink, datagram)?;
        }
        let made = start.elapsed();
        let mut buffer = vec![0; 1 << 16];
        let mut list = || -> io::Result<()> {
            request(netlink, &lab::control::dump_request())?;
            loop {
                let length = recv(netlink.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
                if buffer.get(4..6) == Some(&[3, 0]) || length == 0 {
                    return Ok(());
                }
            }
        };
        list()?;
        let start = Instant::now();
        list()?;
        Ok((made.as_nanos() as f64 / f64::from(count), start.elapsed().as_nanos() as f64 / f64::from(2 * count + 1)))
    })
}

/// Nanoseconds for each of `count` namespaces with one end of a cable to a bridge.
pub(crate) fn namespaces(count: u32) -> io::Result<f64> {
    in_fresh_namespace(move |netlink| {
        let home = File::open("/proc/thread-self/ns/net")?;
        request(netlink, &lab::bridge_request("br0"))?;
        let bridge = nix::net::if_::if_nametoindex("br0")?;
        let start = Instant::now();
        let mut held = Vec::new();
        for number in 0..count {
            unshare(CloneFlags::CLONE_NEWNET)?;
            let namespace = File::open("/proc/thread-self/ns/net")?;
            nix::sched::setns(&home, CloneFlags::CLONE_NEWNET)?;
            let fd = namespace.as_raw_fd() as u32;
            request(netlink, &lab::veth_request(&format!("p{number}"), "eth0", Some(fd), Some(bridge)))?;
            held.push(namespace);
        }
        let elapsed = start.elapsed();
        let ports = getifaddrs()?.filter(|entry| {
            entry.interface_name.starts_with('p') && entry.address.is_some_and(|it| it.as_link_addr().is_some())
        });
        if ports.count() < count as usize {
            return Err(io::Error::other("not every port was made"));
        }
        Ok(elapsed.as_nanos() as f64 / f64::from(count))
    })
}
