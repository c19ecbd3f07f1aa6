//! Raft: one group of a few servers, told what to do by name, as the lab's tester does.

mod agreement;
mod churn;
mod elections;
mod persistence;
mod snapshots;

use crate::lab::{Lab, User, ms};
use quorate_core::bytes::Bytes;
use quorate_core::message::Request;
use quorate_core::shard::WriteOp;
use quorate_spec::history::{Call, Outcome};
use quorate_spec::ids::{ClientId, GroupId, LogIndex, Seq, Term};
use quorate_tests::sim::disk::Outage;
use quorate_tests::sim::network::Links;
use quorate_tests::sim::setup::Setup;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

/// The longest time that servers wait for a leader before they elect one.
const ELECTION: u64 = 600;

/// The servers of the group, by their processes: 1 and following.
pub(crate) struct Servers {
    pub(crate) lab: Lab,
    user: User,
    group: GroupId,
    count: usize,
    cut: BTreeSet<usize>,
    started: u64,
}

impl Servers {
    pub(crate) fn new(count: usize, seed: u64) -> Self {
        Self::with(count, Setup { seed, ..Setup::default() })
    }

    pub(crate) fn with(count: usize, setup: Setup) -> Self {
        let mut lab = Lab::one_group(count, Setup { shards: 1, ..setup });
        let (user, group) = (lab.user(), lab.id(1));
        Self { lab, user, group, count, cut: BTreeSet::new(), started: 0 }
    }

    pub(crate) fn all(&self) -> RangeInclusive<usize> {
        1..=self.count
    }

    /// The server so many places after another one, around the circle.
    pub(crate) fn after(&self, server: usize, places: usize) -> usize {
        (server - 1 + places) % self.count + 1
    }

    pub(crate) fn run(&mut self, milliseconds: u64) {
        self.lab.run(milliseconds);
    }

    /// Cuts servers off from everybody.
    pub(crate) fn cut(&mut self, servers: &[usize]) {
        self.cut.extend(servers);
        self.reconnect();
    }

    /// Lets servers back.
    pub(crate) fn back(&mut self, servers: &[usize]) {
        self.cut.retain(|server| !servers.contains(server));
        self.reconnect();
    }

    fn reconnect(&mut self) {
        self.lab.world.network.heal();
        for server in &self.cut {
            self.lab.world.isolate(*server, true, true);
        }
    }

    /// The power of a server's machine fails.
    pub(crate) fn crash(&mut self, server: usize) {
        self.lab.world.crash(server, Outage::Power { kept: 500 });
    }

    pub(crate) fn restart(&mut self, server: usize) {
        self.lab.world.start(server);
    }

    /// Whether a server is up and reached by the others.
    pub(crate) fn is_there(&self, server: usize) -> bool {
        !self.cut.contains(&server) && self.lab.world.process(server).is_up()
    }

    pub(crate) fn leads(&self, server: usize) -> bool {
        self.lab.replica(server, self.group).is_some_and(|replica| replica.is_leader())
    }

    pub(crate) fn term(&self, server: usize) -> Term {
        self.lab.replica(server, self.group).map_or(Term::ZERO, |replica| replica.term())
    }

    pub(crate) fn last(&self, server: usize) -> LogIndex {
        self.lab.replica(server, self.group).map_or(LogIndex::ZERO, |replica| replica.last().index)
    }

    pub(crate) fn commit(&self, server: usize) -> LogIndex {
        self.lab.replica(server, self.group).map_or(LogIndex::ZERO, |replica| replica.commit())
    }

    /// Who leads those that are there, in the latest of their terms.
    fn current(&self) -> Option<usize> {
        let there = || self.all().filter(|server| self.is_there(*server));
        let term = there().map(|server| self.term(server)).max()?;
        there().find(|server| self.leads(*server) && self.term(*server) == term)
    }

    /// Waits until those that are there have a leader in the latest of their terms.
    #[track_caller]
    pub(crate) fn leader(&mut self) -> usize {
        for _ in 0..500 {
            if let Some(leader) = self.current() {
                return leader;
            }
            self.run(10);
        }
        panic!("within 5 s a leader is elected");
    }

    /// After a while none of those that are there leads: they have no majority.
    #[track_caller]
    pub(crate) fn nobody_leads(&mut self) {
        self.run(2 * ELECTION);
        assert_eq!(self.all().find(|server| self.is_there(*server) && self.leads(*server)), None);
    }

    /// Hands a server a command, as the lab's `Start`. Says where it is in the server's log, if the server leads.
    pub(crate) fn start(&mut self, server: usize) -> Option<LogIndex> {
        self.start_large(server, 0)
    }

    /// The same with a command of so many bytes more.
    pub(crate) fn start_large(&mut self, server: usize, bytes: usize) -> Option<LogIndex> {
        if !self.leads(server) {
            return None;
        }
        self.started += 1;
        let value = Bytes::from(vec![b'v'; bytes].as_slice());
        let (client, seq) = (ClientId::new(1 << 40), Seq::new(self.started));
        let (key, op) = (Bytes::from("started"), WriteOp::Put { value });
        let before = self.last(server);
        self.lab.ask_node(server, Request::Write { group: self.group, client, seq, key, op });
        let index = self.last(server);
        (index > before).then_some(index)
    }

    /// On how many servers an index is committed, whoever hears of it.
    pub(crate) fn committed(&self, index: LogIndex) -> usize {
        self.all().filter(|server| self.commit(*server) >= index).count()
    }

    /// Waits until an index is committed on so many servers.
    #[track_caller]
    pub(crate) fn spread(&mut self, index: LogIndex, copies: usize) {
        for _ in 0..1000 {
            if self.committed(index) >= copies {
                return;
            }
            self.run(10);
        }
        panic!("within 10 s {index:?} is committed on {copies} servers, not only on {}", self.committed(index));
    }

    /// A user's write is acknowledged, and committed on so many servers. Says where.
    #[track_caller]
    pub(crate) fn agree(&mut self, copies: usize) -> LogIndex {
        let value = self.lab.token(&self.user);
        self.agree_on(value, copies)
    }

    /// The same with a value of the caller's.
    #[track_caller]
    pub(crate) fn agree_on(&mut self, value: Vec<u8>, copies: usize) -> LogIndex {
        let begun = self.lab.world.now();
        let operation = self.lab.perform(&mut self.user, "x", Call::Put(value));
        assert_eq!(operation.outcome, Outcome::Done, "{operation:?}");
        let index = operation.place.map(|(_, position)| position.index).expect("an answer has its place");
        self.spread(index, copies);
        assert!(self.lab.world.now() - begun <= Duration::from_secs(10), "agreement takes at most 10 s");
        index
    }

    /// The same number of commands of one batch, one after the other.
    pub(crate) fn agree_times(&mut self, times: usize, copies: usize) {
        for _ in 0..times {
            self.agree(copies);
        }
    }

    /// So many commands that the leader cannot commit.
    pub(crate) fn start_times(&mut self, leader: usize, times: usize) {
        for _ in 0..times {
            self.start(leader).expect("a leader takes commands until it knows better");
        }
    }

    /// The end: all are back and agree, and the judges are content.
    #[track_caller]
    pub(crate) fn pass(mut self) {
        self.lab.world.network.links = Links::reliable();
        self.all().for_each(|server| self.restart(server));
        self.cut.clear();
        self.reconnect();
        self.agree(self.count);
        self.lab.pass();
    }

    /// Waits for a condition of the servers.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let end = self.lab.world.now() + ms(10_000);
        while !done(self) {
            assert!(self.lab.world.now() < end, "within 10 s: {what}");
            self.run(10);
        }
    }
}
