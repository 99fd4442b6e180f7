//! `ip address flush`: deletes every address that passes a filter, again until none is left.

use std::collections::HashMap;

use netloom_machine::netlink::Request;

use super::print::{self, Address, IFA_F_SECONDARY, Layout};
use super::{Filter, header, show};
use crate::print::{Printer, strerror};
use crate::rtnl::{Failure, Outcome, Session, finish_dump};

/// Runs `ip address flush` with the words after it.
pub(super) fn run(session: &mut Session<'_>, words: &[String]) -> Outcome {
    if words.is_empty() {
        session.complain("Flush requires arguments.");
        return Err(Failure::Command(1));
    }
    let mut filter = Filter::parse(session, words, session.family)?;
    filter.index = show::device_index(session, &filter)?;
    let loud = session.format.statistics > 0;
    let mut round = 0;
    while session.loops == 0 || round < session.loops {
        let mut doomed = collect(session, &filter)?;
        if doomed.is_empty() {
            if loud && round == 0 {
                let _ = writeln!(session.out, "Nothing to flush.");
            } else if loud {
                let plural = if round > 1 { "s" } else { "" };
                let _ = writeln!(session.out, "*** Flush is complete after {round} round{plural} ***");
            }
            return Ok(());
        }
        round += 1;
        if loud {
            let _ = writeln!(session.out, "\n*** Round {round}, deleting {} addresses ***", doomed.len());
        }
        // A primary address may take its secondary ones along.
        doomed.sort_by_key(|(secondary, _)| !secondary);
        for (_, request) in &mut doomed {
            match session.netlink.request(request) {
                Ok(_) => {}
                Err(error) if error.errno == libc::EADDRNOTAVAIL => {}
                Err(error) => {
                    session.complain(&format!("Failed to send flush request: {}", strerror(error.errno)));
                    return Err(Failure::Command(1));
                }
            }
        }
    }
    let rounds = session.loops;
    session.complain(&format!("*** Flush remains incomplete after {rounds} rounds. ***"));
    Err(Failure::Command(1))
}

/// The requests that delete what passes: whether it is a secondary address, and its own message turned around.
fn collect(session: &mut Session<'_>, filter: &Filter) -> Outcome<Vec<(bool, Request)>> {
    let mut request = Request::new(libc::RTM_GETADDR, 0);
    request.put(&header(filter.family, 0, 0, 0, filter.index.unwrap_or(0)));
    let mut doomed = Vec::new();
    let mut up = HashMap::new();
    let mut printer = Printer::new(session.out, &session.format);
    let result = session.netlink.dump(&mut request, |message| {
        let Some(address) = Address::parse(&message) else { return };
        let name = session.links.name(address.index);
        let is_up = !filter.up
            || *up.entry(address.index).or_insert_with(|| {
                session.links.get(address.index).is_some_and(|link| link.flags & libc::IFF_UP as u32 != 0)
            });
        if !is_up || !filter.admits_address(&address, &name) {
            return;
        }
        let mut delete = Request::new(libc::RTM_DELADDR, 0);
        delete.put(message.payload);
        doomed.push((address.flags & IFA_F_SECONDARY != 0, delete));
        if session.format.statistics > 1 {
            print::address(&mut printer, &mut session.links, &address, Layout { named: true, ..Layout::default() });
            printer.text(format_args!("\n"));
        }
    });
    drop(printer);
    finish_dump(session.err, result)?;
    Ok(doomed)
}
