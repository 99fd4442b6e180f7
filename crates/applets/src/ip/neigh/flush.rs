//! `ip neigh flush`: deletes what a selector finds, round after round until nothing is left.

use netloom_machine::netlink::Request;

use super::{Entry, Filter, NUD_FAILED, NUD_NOARP, NUD_PERMANENT};
use crate::print::Printer;
use crate::rtnl::{Failure, Outcome, Session, finish_dump};

/// More rounds than this mean that the entries come back as fast as they go.
const ROUNDS: u32 = 10;

pub(super) fn run(session: &mut Session<'_>, words: &[String]) -> Outcome {
    if words.is_empty() {
        session.complain("Flush requires arguments.");
        return Err(Failure::Command(1));
    }
    let words = if words == ["all"] { &[] } else { words };
    let mut filter = Filter::parse(session, words, !(NUD_PERMANENT | NUD_NOARP))?;
    for round in 0..ROUNDS {
        let deleted = delete_all(session, &filter)?;
        let loud = session.format.statistics > 0;
        if deleted == 0 {
            if loud && round == 0 {
                let _ = writeln!(session.out, "Nothing to flush.");
            } else if loud {
                let rounds = if round > 1 { "s" } else { "" };
                let _ = writeln!(session.out, "*** Flush is complete after {round} round{rounds} ***");
            }
            return Ok(());
        }
        if loud {
            let round = round + 1;
            let _ = writeln!(session.out, "\n*** Round {round}, deleting {deleted} entries ***");
            let _ = session.out.flush();
        }
        // An entry that is in use stays as a failed one; it needn't be deleted again.
        filter.state &= !NUD_FAILED;
    }
    let _ = writeln!(session.out, "*** Flush not complete bailing out after {ROUNDS} rounds");
    Err(Failure::Command(1))
}

/// One round; how many entries were to be deleted.
fn delete_all(session: &mut Session<'_>, filter: &Filter) -> Outcome<usize> {
    let mut requests = Vec::new();
    let Session { netlink, links, out, err, format, .. } = session;
    let mut printer = Printer::new(*out, format);
    let dump = netlink.dump(&mut filter.request(), |message| {
        let Some(entry) = Entry::parse(&message).filter(|entry| filter.passes(entry)) else { return };
        let mut request = Request::new(libc::RTM_DELNEIGH, 0);
        request.put(message.payload);
        requests.push(request);
        if format.statistics > 1 {
            entry.print(&mut printer, links, format, filter.device.is_some());
        }
    });
    drop(printer);
    finish_dump(*err, dump)?;
    for request in &mut requests {
        // An entry may have gone meanwhile; the next round tells.
        let _ = netlink.request(request);
    }
    Ok(requests.len())
}
