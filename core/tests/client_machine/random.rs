//! Random play: requests and replies are delayed, reordered and lost, connections break, leaders change, shards move,
//! sessions end; any armed timer fires at any moment. Judged from outside: how often each user call took effect.

use crate::cluster::{Cluster, Mood};
use crate::support::{CONTROLLERS, Script, Sent, append, get};
use quorate_core::bytes::Bytes;
use quorate_core::client::{CallId, Endpoint, Input, Outcome, Timer};
use quorate_core::message::{Refusal, Reply, Request};
use quorate_spec::ids::Ticket;
use std::collections::{BTreeMap, BTreeSet};

/// A small generator, so that a seed tells the whole run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }

    fn pick(&mut self, length: usize) -> Option<usize> {
        (length > 0).then(|| self.roll(length as u64) as usize)
    }
}

/// What came to pass in all runs: a run in which nothing went wrong proves nothing.
#[derive(Default, Debug)]
struct Seen {
    written: u64,
    unknown: u64,
    not_executed: u64,
    values: u64,
    renewed: u64,
    repeated: u64,
}

struct World {
    script: Script,
    cluster: Cluster,
    dice: Dice,
    /// Sent and not yet at a server.
    requests: Vec<Sent>,
    /// On their way back.
    replies: Vec<(Sent, Reply)>,
    /// The text of each write.
    texts: BTreeMap<CallId, Bytes>,
    /// To which write an attempt belongs.
    owners: BTreeMap<Ticket, Bytes>,
    /// To whom it went.
    targets: BTreeMap<Ticket, Endpoint>,
    /// Attempts without an answer so far, per text.
    open: BTreeMap<Bytes, BTreeSet<Ticket>>,
    /// Writes with an attempt that was given up.
    unanswered: BTreeSet<Bytes>,
    /// The stamps under which a text went.
    stamps: BTreeMap<Bytes, BTreeSet<(u64, u64)>>,
    last_stamp: (u64, u64),
    seen: Seen,
}

fn text_of(request: &Request) -> Option<Bytes> {
    match request {
        Request::Write { op: quorate_core::shard::WriteOp::Append { value }, .. } => Some(value.clone()),
        _ => None,
    }
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            script: Script::unmapped(&CONTROLLERS),
            cluster: Cluster::new(),
            dice: Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            requests: Vec::new(),
            replies: Vec::new(),
            texts: BTreeMap::new(),
            owners: BTreeMap::new(),
            targets: BTreeMap::new(),
            open: BTreeMap::new(),
            unanswered: BTreeSet::new(),
            stamps: BTreeMap::new(),
            last_stamp: (0, 0),
            seen: Seen::default(),
        }
    }

    /// Takes over what the client sent, judging the numbers.
    fn collect(&mut self) {
        for sent in std::mem::take(&mut self.script.sent) {
            if let Some(text) = text_of(&sent.request) {
                let stamp = sent.stamp();
                let stamps = self.stamps.entry(text.clone()).or_default();
                if stamps.insert(stamp) {
                    assert!(stamp.1 > self.last_stamp.1, "numbers grow: {stamp:?} after {:?}", self.last_stamp);
                    assert!(!self.unanswered.contains(&text) || stamps.len() == 1, "{text:?} under another number");
                    self.last_stamp = stamp;
                    self.seen.renewed += u64::from(stamps.len() > 1);
                } else {
                    self.seen.repeated += 1;
                }
                self.owners.insert(sent.ticket, text.clone());
                self.targets.insert(sent.ticket, sent.to.clone());
                self.open.entry(text).or_default().insert(sent.ticket);
            }
            self.requests.push(sent);
        }
    }

    fn submit(&mut self) {
        let shard = self.dice.roll(4);
        if self.dice.roll(3) == 0 {
            self.script.submit(get(shard));
        } else {
            let text = format!("w{}", self.texts.len());
            let call = self.script.submit(append(shard, &text));
            self.texts.insert(call, Bytes::from(text.as_str()));
        }
    }

    fn serve(&mut self, at: usize, mood: Mood, hearsay: u64) {
        let sent = self.requests.swap_remove(at);
        let reply = self.cluster.handle(&sent.to, &sent.request, mood, hearsay);
        self.replies.push((sent, reply));
    }

    fn deliver(&mut self, at: usize) {
        let (sent, reply) = self.replies.swap_remove(at);
        if let Some(text) = self.owners.get(&sent.ticket) {
            self.open.get_mut(text).expect("it was sent").remove(&sent.ticket);
            if reply == Reply::Refused(Refusal::LeadershipLost) {
                self.unanswered.insert(text.clone());
            }
        }
        self.script.answer(&sent, reply);
    }

    /// A connection breaks. Requests may have gone through; what comes back has no way.
    fn cut(&mut self, endpoint: Endpoint) {
        self.replies.retain(|(sent, _)| sent.to != endpoint);
        let (through, kept): (Vec<Sent>, _) =
            std::mem::take(&mut self.requests).into_iter().partition(|sent| sent.to == endpoint);
        self.requests = kept;
        for sent in through {
            if self.dice.roll(2) == 0 {
                self.cluster.handle(&sent.to, &sent.request, Mood::Answers, 0);
            } else if text_of(&sent.request).is_some() {
                self.cluster.limbo.push(sent.request);
            }
        }
        for (text, open) in &mut self.open {
            let before = open.len();
            open.retain(|ticket| self.targets[ticket] != endpoint);
            if open.len() < before {
                self.unanswered.insert(text.clone());
            }
        }
        self.script.step(Input::Disconnected { endpoint });
    }

    /// A connection cannot be opened: nothing of what waits for it was sent.
    fn refuse(&mut self, endpoint: Endpoint) {
        if self.replies.iter().any(|(sent, _)| sent.to == endpoint) {
            return; // It is open.
        }
        let (unsent, kept): (Vec<Sent>, _) =
            std::mem::take(&mut self.requests).into_iter().partition(|sent| sent.to == endpoint);
        self.requests = kept;
        for sent in unsent {
            if let Some(text) = self.owners.get(&sent.ticket) {
                self.open.get_mut(text).expect("it was sent").remove(&sent.ticket);
            }
        }
        self.script.step(Input::Unreachable { endpoint });
    }

    fn fire(&mut self, timer: Timer) {
        if let Timer::Attempt { ticket } = timer
            && let Some(text) = self.owners.get(&ticket)
        {
            self.unanswered.insert(text.clone());
        }
        if let Timer::Deadline { call } = timer
            && let Some(text) = self.texts.get(&call)
            && self.open.get(text).is_some_and(|open| !open.is_empty())
        {
            self.unanswered.insert(text.clone());
        }
        self.script.fire(timer);
    }

    fn random_step(&mut self) {
        match self.dice.roll(40) {
            0..=5 => self.submit(),
            6..=17 => {
                if let Some(at) = self.dice.pick(self.requests.len()) {
                    let mood = match self.dice.roll(12) {
                        0 => Mood::LosesLeadership,
                        1 => Mood::IsOverloaded,
                        _ => Mood::Answers,
                    };
                    let hearsay = self.dice.roll(8);
                    self.serve(at, mood, hearsay);
                }
            }
            18..=29 => {
                if let Some(at) = self.dice.pick(self.replies.len()) {
                    self.deliver(at);
                }
            }
            30..=32 => {
                if let Some(at) = self.dice.pick(self.script.armed.len()) {
                    let timer = *self.script.armed.iter().nth(at).expect("in range");
                    self.fire(timer);
                }
            }
            33 => {
                if let Some(at) = self.dice.pick(self.requests.len()) {
                    self.cut(self.requests[at].to.clone());
                }
            }
            34 => {
                if let Some(at) = self.dice.pick(self.requests.len()) {
                    self.refuse(self.requests[at].to.clone());
                }
            }
            35 | 36 => {
                if let Some(at) = self.dice.pick(self.cluster.limbo.len()) {
                    self.cluster.settle_limbo(at);
                }
            }
            37 => self.cluster.elect(self.dice.roll(9)),
            38 => self.cluster.move_shard(self.dice.roll(4)),
            _ => self.cluster.raise_floor(self.dice.roll(4)),
        }
        self.collect();
    }

    /// With nothing failing any more, everything comes to an end without any deadline's help.
    fn settle(&mut self) {
        for _ in 0..20_000 {
            if self.script.armed.is_empty() && self.requests.is_empty() && self.replies.is_empty() {
                break;
            }
            let retries = self.script.armed.iter().find(|timer| matches!(timer, Timer::Retry { .. })).copied();
            if !self.requests.is_empty() {
                self.serve(0, Mood::Answers, 4);
            } else if !self.replies.is_empty() {
                self.deliver(0);
            } else if let Some(timer) = retries {
                self.fire(timer);
            } else {
                panic!("stuck: {:?}", self.script.armed);
            }
            self.collect();
        }
        assert!(self.script.armed.is_empty(), "it ends: {:?}", self.script.armed);
        // What is still on its way in the world arrives, late.
        while !self.cluster.limbo.is_empty() {
            self.cluster.settle_limbo(0);
        }
    }

    fn judge(&mut self) {
        for (call, text) in &self.texts {
            let times = self.cluster.executions(text);
            assert!(times <= 1, "{text:?} took effect {times} times");
            match self.script.outcome(*call).expect("every call ends") {
                Outcome::Written { .. } => {
                    assert_eq!(times, 1, "{text:?} was acknowledged");
                    self.seen.written += 1;
                }
                Outcome::NotExecuted { .. } => {
                    assert_eq!(times, 0, "{text:?} was said not to be executed");
                    self.seen.not_executed += 1;
                }
                Outcome::Unknown { .. } => {
                    let open = self.open.get(text).is_some_and(|open| !open.is_empty());
                    assert!(open || self.unanswered.contains(text), "{text:?}: every attempt was answered");
                    self.seen.unknown += 1;
                }
                other => panic!("{text:?} ended with {other:?}"),
            }
        }
        let values = self.script.ended.values().filter(|outcome| matches!(outcome, Outcome::Value { .. }));
        self.seen.values += values.count() as u64;
    }
}

#[test]
fn every_call_takes_effect_at_most_once_and_is_told_the_truth() {
    let mut all = Seen::default();
    for seed in 1..=600 {
        let mut world = World::new(seed);
        world.collect();
        for _ in 0..400 {
            world.random_step();
        }
        world.settle();
        world.judge();
        all.written += world.seen.written;
        all.unknown += world.seen.unknown;
        all.not_executed += world.seen.not_executed;
        all.values += world.seen.values;
        all.renewed += world.seen.renewed;
        all.repeated += world.seen.repeated;
    }
    let rare = [all.written, all.unknown, all.not_executed, all.values, all.renewed, all.repeated];
    assert!(rare.iter().all(|times| *times >= 100), "every ending is met: {all:?}");
}
