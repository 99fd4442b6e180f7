//! `ip address`: addresses of IP on devices.

mod change;
mod filter;
mod flush;
mod glob;
pub(super) mod print;
pub(super) mod show;

pub(super) use filter::Filter;

use crate::rtnl::{Failure, Outcome, Session, matches};

/// The length of `struct ifaddrmsg`.
const IFADDRMSG: usize = 8;

/// Runs `ip address` with the words after it.
pub(super) fn run(session: &mut Session<'_>, words: &[String]) -> Outcome {
    let Some((command, rest)) = words.split_first() else { return super::link::show::run(session, &[], false) };
    let is = |name| matches(command, name);
    let (create, exclusive, replace) = (libc::NLM_F_CREATE as u16, libc::NLM_F_EXCL as u16, libc::NLM_F_REPLACE as u16);
    match () {
        () if is("add") => change::run(session, rest, libc::RTM_NEWADDR, create | exclusive),
        () if is("change") || command == "chg" => change::run(session, rest, libc::RTM_NEWADDR, replace),
        () if is("replace") => change::run(session, rest, libc::RTM_NEWADDR, create | replace),
        () if is("delete") => change::run(session, rest, libc::RTM_DELADDR, 0),
        () if is("show") || is("lst") || is("list") => super::link::show::run(session, rest, false),
        () if is("flush") => flush::run(session, rest),
        () if is("help") => super::usage(session.err, include_str!("../usage/address.txt")),
        () => {
            session.complain(&format!("Command \"{command}\" is unknown, try \"ip address help\"."));
            Err(Failure::Exit(255))
        }
    }
}

/// `struct ifaddrmsg`.
fn header(family: u8, length: u8, flags: u8, scope: u8, index: u32) -> [u8; IFADDRMSG] {
    let mut header = [family, length, flags, scope, 0, 0, 0, 0];
    header[4..].copy_from_slice(&index.to_ne_bytes());
    header
}
