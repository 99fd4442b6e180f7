//! Other switches in user space, where Debian's packages of them are installed: the same frames into the same kind of devices.

use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::net::if_::if_nametoindex;

use crate::host::sender::{Sender, frame, received};
use crate::host::{Running, run};

/// The far device's address; a frame from it tells the switch where it is.
const STATION: [u8; 6] = [0x02, 0, 0, 0, 0, 0x79];

/// A switch between two devices of this namespace.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    sender: Sender,
    far: &'static str,
    _programs: Vec<Running>,
    _directory: tempfile::TempDir,
    _runtime: Option<RuntimeDirectory>,
}

impl Peer {
    fn new(
        name: &'static str,
        (near, far): (&'static str, &'static str),
        programs: Vec<Running>,
        directory: tempfile::TempDir,
    ) -> io::Result<Peer> {
        for device in [near, far] {
            run("ip", &format!("link set {device} up"))?;
        }
        let peer =
            Peer { name, sender: Sender::new(near)?, far, _programs: programs, _directory: directory, _runtime: None };
        let mut hello = frame([0xff; 6], 64);
        hello[6..12].copy_from_slice(&STATION);
        Sender::new(far)?.flood(&[hello], || 0);
        Ok(peer)
    }

    /// Nanoseconds for each frame of 64 bytes that reaches the far device.
    pub(crate) fn frames(&self) -> f64 {
        self.sender.flood(&[frame(STATION, 64)], || received("self", self.far))
    }
}

fn installed(program: &str) -> bool {
    Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|it| it.success())
}

fn wait_for(path: &Path) -> io::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !path.exists() {
        if Instant::now() > deadline {
            return Err(io::Error::other(format!("{} doesn't come", path.display())));
        }
        sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn vde() -> io::Result<Peer> {
    let directory = tempfile::tempdir()?;
    let socket = directory.path().join("switch");
    let switch = Running::start("vde_switch", &["-sock", &socket.to_string_lossy(), "-tap", "vde0", "-tap", "vde1"])?;
    wait_for(&socket.join("ctl"))?;
    sleep(Duration::from_millis(200));
    Peer::new("vde_switch between two taps", ("vde0", "vde1"), vec![switch], directory)
}

/// Two cables: NAME0 to NAMEp0, NAME1 to NAMEp1.
fn cables(name: &str) -> io::Result<()> {
    for number in 0..2 {
        if if_nametoindex(format!("{name}{number}").as_str()).is_ok() {
            continue;
        }
        run("ip", &format!("link add {name}{number} type veth peer name {name}p{number}"))?;
        run("ip", &format!("link set {name}p{number} up"))?;
    }
    Ok(())
}

fn open_vswitch() -> io::Result<Peer> {
    let directory = tempfile::tempdir()?;
    let file = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
    let (database, socket) = (file("conf.db"), file("db.sock"));
    run("ovsdb-tool", &format!("create {database} /usr/share/openvswitch/vswitch.ovsschema"))?;
    let server = format!("--remote=punix:{socket}");
    let control = |name: &str| format!("--unixctl={}", file(name));
    let place = format!("OVS_RUNDIR={}", directory.path().display());
    let arguments = [&place, "ovsdb-server", &database, &server, &control("server.ctl"), "--verbose=off"];
    let mut programs = vec![Running::start("env", &arguments)?];
    wait_for(Path::new(&socket))?;
    let remote = format!("unix:{socket}");
    run("ovs-vsctl", &format!("--db={remote} --no-wait init"))?;
    let arguments = [&place, "ovs-vswitchd", &remote, &control("switch.ctl"), "--verbose=off"];
    programs.push(Running::start("env", &arguments)?);
    cables("ovs")?;
    let bridge =
        "add-br ovsbr -- set bridge ovsbr datapath_type=netdev -- add-port ovsbr ovsp0 -- add-port ovsbr ovsp1";
    run("ovs-vsctl", &format!("--timeout=20 --db={remote} {bridge}"))?;
    Peer::new("Open vSwitch, netdev datapath, between two veths", ("ovs0", "ovs1"), programs, directory)
}

/// What testpmd is told: two devices, no huge pages, nothing that others could come across.
fn testpmd_arguments(prefix: &str, devices: [&str; 2], mode: &str) -> Vec<String> {
    let fixed = "--no-huge -m 256 --no-pci --no-shconf --no-telemetry -l 0,1";
    let mut arguments: Vec<String> = fixed.split(' ').map(str::to_owned).collect();
    arguments.push(format!("--file-prefix={prefix}"));
    arguments.extend(devices.map(|device| format!("--vdev={device}")));
    arguments.extend(["--", mode, "--total-num-mbufs=8192", "--stats-period", "1"].map(str::to_owned));
    arguments
}

/// A directory of DPDK's own that goes with this.
struct RuntimeDirectory(String);

impl Drop for RuntimeDirectory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(format!("/var/run/dpdk/{}", self.0));
    }
}

/// DPDK's testpmd between two veths. It asks its devices without a pause and leaves no processor to others: to be dropped soon.
/// `Ok(None)`: it isn't installed.
pub(crate) fn testpmd_on_veths() -> io::Result<Option<Peer>> {
    if !installed("dpdk-testpmd") {
        return Ok(None);
    }
    let runtime = RuntimeDirectory(format!("netloom-af-packet-{}", std::process::id()));
    cables("dpdk")?;
    let devices = ["net_af_packet0,iface=dpdkp0", "net_af_packet1,iface=dpdkp1"];
    let arguments = testpmd_arguments(&runtime.0, devices, "--forward-mode=io");
    let program = Running::start("dpdk-testpmd", &arguments.iter().map(String::as_str).collect::<Vec<_>>())?;
    sleep(Duration::from_secs(3));
    let name = "DPDK testpmd, io, af_packet on two veths";
    let peer = Peer::new(name, ("dpdk0", "dpdk1"), vec![program], tempfile::tempdir()?)?;
    Ok(Some(Peer { _runtime: Some(runtime), ..peer }))
}

/// Those that are here; what isn't is said.
pub(crate) fn all() -> Vec<Peer> {
    let mut peers = Vec::new();
    for (program, package, start) in
        [("vde_switch", "vde2", vde as fn() -> io::Result<Peer>), ("ovs-vswitchd", "openvswitch-switch", open_vswitch)]
    {
        if !installed(program) {
            eprintln!("left out: {program} (Debian's {package}) is not installed");
            continue;
        }
        match start() {
            Ok(peer) => peers.push(peer),
            Err(error) => eprintln!("left out: {program}: {error}"),
        }
    }
    peers
}

/// Nanoseconds for a frame of 64 bytes whose addresses DPDK's testpmd swaps, from one null device to another on one processor.
/// `Ok(None)`: it isn't installed.
pub(crate) fn testpmd() -> io::Result<Option<f64>> {
    if !installed("dpdk-testpmd") {
        return Ok(None);
    }
    let runtime = RuntimeDirectory(format!("netloom-null-{}", std::process::id()));
    let mut child = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "dpdk-testpmd"])
        .args(testpmd_arguments(&runtime.0, ["net_null0,size=64", "net_null1,size=64"], "--forward-mode=macswap"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let output = BufReader::new(child.stdout.take().ok_or_else(|| io::Error::other("no pipe"))?);
    let _program = Running(child);
    // Two ports report each second; the first reports are from before it runs.
    let mut reports: Vec<f64> = Vec::new();
    for line in output.split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        let Some(rate) = line.trim().strip_prefix("Rx-pps:") else { continue };
        reports.extend(rate.split_whitespace().next().and_then(|rate| rate.parse::<f64>().ok()));
        if reports.len() == 10 {
            break;
        }
    }
    let best = reports.chunks_exact(2).map(|ports| ports[0] + ports[1]).fold(0.0, f64::max);
    if best > 0.0 { Ok(Some(1e9 / best)) } else { Err(io::Error::other("dpdk-testpmd forwards nothing")) }
}
