//! What the comparisons with real tools share.

use std::thread::sleep;
use std::time::{Duration, Instant};

use netloom_applets::Context;
use netloom_machine::{HostMachine, Machine, Netns};

fn ip(netns: &Netns, arguments: &[&str]) -> String {
    let (machine, mut out, mut err) = (Machine::Host(HostMachine), Vec::new(), Vec::new());
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    let ip = netloom_applets::find("ip").expect("there is an ip");
    let mut context = Context { machine: &machine, netns: netns.clone(), out: &mut out, err: &mut err };
    (ip.run)(&mut context, &arguments);
    String::from_utf8_lossy(&out).into_owned()
}

/// Whether a device that is up has the operational state that follows from its carrier.
fn is_settled(line: &str) -> bool {
    let flags = line.split(['<', '>']).nth(1).unwrap_or_default();
    let has = |name: &str| flags.split(',').any(|flag| flag == name);
    let state = line.split(" state ").nth(1).and_then(|rest| rest.split(' ').next());
    !has("UP") || has("LOWER_UP") == matches!(state, Some("UP" | "UNKNOWN"))
}

/// Waits until the kernel's link watch has been through: it may be a second late, and until then flags and routes are
/// others than they are going to be.
pub(crate) fn settle(netns: &Netns) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !ip(netns, &["-o", "link"]).lines().all(is_settled) {
        assert!(Instant::now() < deadline, "devices never settled: {}", ip(netns, &["link"]));
        sleep(Duration::from_millis(5));
    }
    // A question about one device waits for the kernel's lock, and so until the link watch has told everybody.
    ip(netns, &["link", "show", "dev", "lo"]);
}
