//! Transcripts: commands, `----`, what is then to be seen. A blank line ends a block; `#` begins a comment.
//!
//! ```text
//! cluster N [trailing=0] [chunk=1] [append=B] [quota=B]      a new group; without one a block goes on with the last
//! elect N | campaign N | heartbeat N | check-quorum N        timers; `elect` also settles
//! win N with A B..                                           N is elected by these alone; what it then sends is on the way
//! deliver A->B [Kind [K]] | again .. | drop ..               the oldest message (of a kind, or the K-th); `again` leaves a copy
//! sync N [K] | crash N before-sync | crash N keeping K       all or K pending writes; what a crash leaves of them
//! restart N | cut N | join N                                 a node comes back; is isolated; is not any more
//! propose N word.. | read N | transfer N to M                what callers want
//! snapshot N | written N                                     begin one; its file is durable
//! settle | forget                                            all comes to rest; all messages are lost
//! state N.. | disk N.. | network | pending N | matched N     what is to be seen, besides the events
//! ```

use crate::words::{self, Word};
use crate::world::{Envelope, Event, World};
use quorate_core::limits::RaftLimits;
use quorate_core::raft::{Input, Proposed, Timer};
use quorate_core::spec::ids::NodeId;
use std::fmt::Write as _;

/// Runs a transcript and compares. A failure shows the transcript as it would have to be.
#[track_caller]
pub(crate) fn play(transcript: &str) {
    let mut script = Script { world: World::new(3, RaftLimits::default()), seen: String::new() };
    let (mut answering, mut expected, mut shown) = (false, String::new(), String::new());
    let mut as_expected = true;
    for line in transcript.lines().chain([""]) {
        let text = line.split('#').next().unwrap_or_default().trim();
        match (text, answering) {
            ("", true) => {
                as_expected &= script.seen == expected;
                shown.push_str(&std::mem::take(&mut script.seen));
                shown.push('\n');
                expected.clear();
                answering = false;
            }
            ("", false) => {}
            ("----", _) => {
                answering = true;
                shown.push_str("----\n");
            }
            (answer, true) => {
                expected.push_str(answer);
                expected.push('\n');
            }
            (command, false) => {
                let _ = writeln!(shown, "{line}", line = line.trim());
                script.run(command);
            }
        }
    }
    assert!(!shown.is_empty() && as_expected && script.seen.is_empty(), "what was seen is:\n\n{shown}");
}

struct Script {
    world: World,
    seen: String,
}

fn node(text: &str) -> NodeId {
    NodeId::new(text.parse().unwrap_or_else(|_| panic!("{text} is not a node")))
}

impl Script {
    fn run(&mut self, command: &str) {
        let parts: Vec<_> = command.split_whitespace().collect();
        let [verb, rest @ ..] = parts.as_slice() else { return };
        match (*verb, rest) {
            ("cluster", [size, options @ ..]) => self.cluster(size, options),
            ("elect", [leader]) => {
                self.world.fire(node(leader), Timer::Election);
                self.world.settle();
            }
            ("campaign", [who]) => self.world.fire(node(who), Timer::Election),
            ("heartbeat", [who]) => self.world.fire(node(who), Timer::Heartbeat),
            ("check-quorum", [who]) => self.world.fire(node(who), Timer::CheckQuorum),
            ("deliver" | "again" | "drop", [path, kind @ ..]) => self.message(verb, path, kind),
            ("sync", [who]) => self.world.sync(node(who), usize::MAX),
            ("sync", [who, count]) => self.world.sync(node(who), count.parse().expect("a number of writes")),
            ("crash", [who, "before-sync"]) => self.world.crash(node(who), 0),
            ("crash", [who, "keeping", count]) => self.world.crash(node(who), count.parse().expect("a number")),
            ("restart", [who]) => self.world.restart(node(who)),
            ("cut", [who]) => self.world.machine(node(who)).isolated = true,
            ("join", [who]) => self.world.machine(node(who)).isolated = false,
            ("win", [who, "with", voters @ ..]) => self.win(who, voters),
            ("propose", [who, words @ ..]) => {
                let payloads = words.iter().map(|word| Word((*word).to_owned())).collect();
                self.world.step(node(who), Input::Propose { payloads });
            }
            ("read", [who]) => self.world.step(node(who), Input::Read),
            ("transfer", [who, "to", to]) => self.world.step(node(who), Input::TransferLeadership { to: node(to) }),
            ("snapshot", [who]) => self.world.snapshot(node(who)),
            ("written", [who]) => self.world.written(node(who)),
            ("settle", []) => self.world.settle(),
            ("forget", []) => self.world.network.clear(),
            ("state", nodes) => nodes.iter().for_each(|who| self.state(node(who))),
            ("disk", nodes) => nodes.iter().for_each(|who| self.disk(node(who))),
            ("pending", nodes) => nodes.iter().for_each(|who| self.pending(node(who))),
            ("matched", [leader]) => self.matched(node(leader)),
            ("network", []) => self.network(),
            _ => panic!("unknown command: {command}"),
        }
        for event in std::mem::take(&mut self.world.events) {
            self.event(event);
        }
    }

    fn say(&mut self, line: &str) {
        self.seen.push_str(line.trim_end());
        self.seen.push('\n');
    }

    fn cluster(&mut self, size: &str, options: &[&str]) {
        let mut limits = RaftLimits::default();
        for option in options {
            let (name, value) = option.split_once('=').expect("name=value");
            let value: usize = value.parse().expect("a number");
            match name {
                "append" => limits.append_bytes = value,
                "window" => limits.inflight_appends = value,
                "quota" => limits.uncommitted_bytes = value as u64,
                "chunk" => limits.chunk_bytes = value,
                "trailing" => limits.trailing_entries = value as u64,
                _ => panic!("unknown option: {option}"),
            }
        }
        self.world = World::new(size.parse().expect("a number of nodes"), limits);
    }

    /// An election in which only these voters take part, after each has given up its leader. Nothing else is delivered,
    /// and of what it adds to the network only the new leader's appends stay.
    fn win(&mut self, candidate: &str, voters: &[&str]) {
        let others = std::mem::take(&mut self.world.network);
        voters.iter().for_each(|voter| self.world.fire(node(voter), Timer::Election));
        self.world.network.clear();
        self.world.fire(node(candidate), Timer::Election);
        for (question, answer) in [("PreVote", "PreVoteGranted"), ("RequestVote", "VoteGranted")] {
            self.world.sync(node(candidate), usize::MAX);
            for voter in voters {
                self.message("deliver", &format!("{candidate}->{voter}"), &[question]);
                self.world.sync(node(voter), usize::MAX);
                if !self.world.replica(node(candidate)).is_leader() {
                    self.message("deliver", &format!("{voter}->{candidate}"), &[answer]);
                }
            }
        }
        self.world.network.retain(|envelope| words::kind(&envelope.message) == "Append");
        self.world.network.splice(..0, others);
    }

    /// How far each voter's log is known to match the leader's.
    fn matched(&mut self, leader: NodeId) {
        let matched = self.world.replica(leader).view().matched;
        let each: Vec<_> = matched.iter().map(|(voter, index)| format!("{} up to {index}", voter.get())).collect();
        self.say(&format!("{} counts {}", leader.get(), each.join(", ")));
    }

    /// What happens to a message on a path.
    fn message(&mut self, verb: &str, path: &str, choice: &[&str]) {
        let (from, to) = path.split_once("->").expect("A->B");
        let (from, to) = (node(from), node(to));
        let kind = choice.first().copied();
        let nth = choice.get(1).map_or(1, |nth| nth.parse::<usize>().expect("which one"));
        let wanted = |(_, envelope): &(usize, &Envelope)| {
            envelope.from == from && envelope.to == to && kind.is_none_or(|kind| words::kind(&envelope.message) == kind)
        };
        let at = self.world.network.iter().enumerate().filter(wanted).nth(nth - 1).map(|(at, _)| at);
        let Some(at) = at else {
            self.network();
            panic!("no such message: {path} {kind:?}; on the way:\n{}", self.seen);
        };
        match verb {
            "drop" => drop(self.world.network.remove(at)),
            _ => self.world.deliver(at, verb == "again"),
        }
    }

    fn state(&mut self, who: NodeId) {
        let machine = &self.world.machines[&who];
        let Some(replica) = &machine.replica else {
            self.say(&format!("{}: down", who.get()));
            return;
        };
        let view = replica.view();
        let base = if view.log.base_index.get() > 0 {
            format!("({}) ", words::position(replica.base()))
        } else {
            String::new()
        };
        let leader = match replica.leader() {
            Some(leader) if leader == who => String::new(),
            Some(leader) => format!(" of {}", leader.get()),
            None => String::new(),
        };
        let vote = view.voted_for.map_or("nobody".to_owned(), |node| node.get().to_string());
        let line = format!(
            "{}: {:?}{leader}, term {}, voted for {vote}, commit {}, log {base}{}",
            who.get(),
            view.role,
            view.term,
            view.commit,
            words::entries(&self.world.folded(who).entries),
        );
        self.say(&line);
    }

    fn disk(&mut self, who: NodeId) {
        let durable = &self.world.machines[&who].durable;
        let vote = durable.hard.voted_for.map_or("nobody".to_owned(), |node| node.get().to_string());
        let snapshot = match durable.mark.last.index.get() {
            0 => String::new(),
            _ => format!(", snapshot {} [{}]", words::position(durable.mark.last), durable.image.0.join(" ")),
        };
        let log = words::entries(&durable.entries);
        let base =
            if durable.base.index.get() > 0 { format!("({}) ", words::position(durable.base)) } else { String::new() };
        let line =
            format!("{} durable: term {}, voted for {vote}{snapshot}, log {base}{log}", who.get(), durable.hard.term);
        self.say(&line);
    }

    fn pending(&mut self, who: NodeId) {
        let writes: Vec<_> = self.world.machines[&who].pending.iter().map(|(_, write)| words::write(write)).collect();
        self.say(&format!("{} has not synced: {}", who.get(), writes.join(", ")));
    }

    fn network(&mut self) {
        let lines: Vec<_> = self
            .world
            .network
            .iter()
            .map(|Envelope { from, to, message }| format!("{}->{} {}", from.get(), to.get(), words::describe(message)))
            .collect();
        lines.iter().for_each(|line| self.say(line));
    }

    fn event(&mut self, event: Event) {
        let line = match event {
            Event::Leads(who, term) => format!("{}: leads term {term}", who.get()),
            Event::SteppedDown(who) => format!("{}: stepped down", who.get()),
            Event::Proposed(who, Proposed::Accepted { first, count, .. }) => {
                format!("{}: took {count} from {first} on", who.get())
            }
            Event::Proposed(who, Proposed::NotLeader { leader }) => {
                format!(
                    "{}: not the leader, ask {}",
                    who.get(),
                    leader.map_or("around".to_owned(), |it| it.get().to_string())
                )
            }
            Event::Read(who, Ok(context)) => format!("{}: reads as {context}", who.get()),
            Event::Read(who, Err(leader)) => {
                format!(
                    "{}: cannot read, ask {}",
                    who.get(),
                    leader.map_or("around".to_owned(), |it| it.get().to_string())
                )
            }
            Event::Ready(who, context, index) => format!("{}: {context} is ready at {index}", who.get()),
            Event::Installed(who, position) => format!("{}: installed {}", who.get(), words::position(position)),
        };
        self.say(&line);
    }
}
