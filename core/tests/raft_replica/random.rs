//! Seeded random schedules: loss, duplication, reordering, partial syncs, crashes that keep a prefix of what was not synced,
//! snapshots, transfers, partitions. The world judges every step; here the logs are compared, and in the end the group
//! heals: it elects, catches everybody up, and nothing that was acknowledged is missing.

use crate::words::Word;
use crate::world::World;
use quorate_core::limits::RaftLimits;
use quorate_core::raft::{Input, Timer};
use quorate_core::spec::ids::NodeId;
use quorate_core::spec::views::{ReplicaView, Role};
use std::collections::BTreeSet;

/// xorshift64*: enough to choose schedules with.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % sides.max(1)
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.roll(100) < percent
    }
}

struct Schedule {
    world: World,
    dice: Dice,
    words: usize,
    /// Snapshots are left out of some schedules, so that those go deeper into long logs.
    snapshots: bool,
    /// How much goes wrong, from nothing to much.
    faults: usize,
    /// How often elections are contested: in calm schedules logs grow, in stormy ones they conflict.
    storm: usize,
}

impl Schedule {
    fn new(seed: u64, size: u64) -> Self {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let limits = RaftLimits {
            append_bytes: 20 + dice.roll(80),
            inflight_appends: 1 + dice.roll(4),
            uncommitted_bytes: 400,
            chunk_bytes: 1 + dice.roll(12),
            trailing_entries: dice.roll(4) as u64,
        };
        let (snapshots, faults, storm) = (dice.chance(60), dice.roll(5), [4, 15, 50, 90][dice.roll(4)]);
        Self {
            world: World::new(size, limits),
            dice,
            words: 0,
            snapshots,
            faults,
            storm,
        }
    }

    fn some_node(&mut self) -> NodeId {
        NodeId::new(1 + self.dice.roll(self.world.machines.len()) as u64)
    }

    /// One thing happens.
    fn step(&mut self) {
        let node = self.some_node();
        if self.dice.roll(10_000) < self.storm * 3 {
            self.contest();
        }
        if self.faults > 0 && !self.world.machine(node).pending.is_empty() && self.dice.roll(3_000) < self.storm {
            let kept = self.dice.roll(self.world.machine(node).pending.len());
            self.world.crash(node, kept);
            self.world.restart(node);
        }
        match self.dice.roll(100) {
            0..60 => self.network(),
            60..75 => {
                let count = self.dice.roll(self.world.machine(node).pending.len() + 2);
                self.world.sync(node, count);
            }
            75..80 => {
                let armed = &self.world.machine(node).armed;
                let timers: Vec<_> = armed.iter().copied().collect();
                if let Some(timer) = timers.get(self.dice.roll(timers.len()))
                    && (*timer == Timer::Heartbeat || self.dice.chance(4 + self.storm / 8))
                {
                    self.world.fire(node, *timer);
                }
            }
            80..90 => {
                let leader = self.world.leader().filter(|_| self.dice.chance(80)).unwrap_or(node);
                self.propose(leader);
            }
            90..93 => self.world.step(node, Input::Read),
            93..95 if self.snapshots => self.world.snapshot(node),
            95..97 => self.world.written(node),
            97 => {
                let to = self.some_node();
                if self.dice.chance(10) {
                    self.world.step(node, Input::TransferLeadership { to });
                }
            }
            _ => self.fault(node),
        }
        self.world.events.clear();
    }

    /// Several nodes lose their leader and campaign at the same time.
    fn contest(&mut self) {
        for node in self.world.machines.keys().copied().collect::<Vec<_>>() {
            if self.dice.chance(80) {
                self.world.fire(node, Timer::Election);
            }
        }
    }

    /// A message arrives, out of order, or twice, or is lost; more of them if many are on the way.
    fn network(&mut self) {
        for _ in 0..1 + self.world.network.len() / 20 {
            let on_the_way = self.world.network.len();
            if on_the_way == 0 {
                return;
            }
            let at = if self.dice.chance(60) {
                0
            } else {
                self.dice.roll(on_the_way)
            };
            if self.dice.chance(1 + 3 * self.faults) {
                self.world.network.remove(at);
            } else {
                let again = self.dice.chance(5);
                self.world.deliver(at, again);
            }
        }
    }

    fn propose(&mut self, node: NodeId) {
        let count = 1 + self.dice.roll(3);
        let payloads = (0..count)
            .map(|offset| Word(format!("w{}", self.words + offset)))
            .collect();
        self.words += count;
        self.world.step(node, Input::Propose { payloads });
    }

    fn fault(&mut self, node: NodeId) {
        if !self.dice.chance(10 * self.faults) {
            return;
        }
        if self.world.machine(node).replica.is_none() {
            self.world.restart(node);
        } else if self.dice.chance(30) {
            let machine = self.world.machine(node);
            machine.isolated = !machine.isolated;
        } else {
            let kept = self.dice.roll(self.world.machine(node).pending.len() + 1);
            self.world.crash(node, kept);
            if self.dice.chance(70) {
                self.world.restart(node);
            }
        }
    }

    /// Where two logs have the same term at an index they are the same up to there; and a leader has all that was
    /// committed in its term and before.
    fn compare_logs(&self) {
        let up = self
            .world
            .machines
            .iter()
            .filter(|(_, machine)| machine.replica.is_some())
            .map(|(node, _)| *node);
        up.clone().for_each(|node| self.world.compare_with_disk(node));
        let views: Vec<ReplicaView> = up.map(|node| self.world.replica(node).view()).collect();
        for (one, other) in views.iter().flat_map(|one| views.iter().map(move |other| (one, other))) {
            let mut last = one.log.last_index().min(other.log.last_index());
            let first = one.log.base_index.max(other.log.base_index);
            while last > first && one.log.term_at(last) != other.log.term_at(last) {
                last = last.prev();
            }
            while last > first {
                assert_eq!(one.log.get(last), other.log.get(last), "LogMatching at {last}");
                last = last.prev();
            }
        }
        for leader in views.iter().filter(|view| view.role == Role::Leader) {
            for (index, entry) in &self.world.committed {
                let held = *index <= leader.log.base_index || leader.log.term_at(*index) == Some(entry.term);
                let later = self.world.committed_in[index] <= leader.term;
                assert!(held || !later, "LeaderCompleteness: {} lacks {index}", leader.node);
            }
        }
    }

    /// All nodes are up and connected: a leader is found, everybody catches up, a new word is committed everywhere.
    fn heal(&mut self) {
        let nodes: Vec<_> = self.world.machines.keys().copied().collect();
        for node in &nodes {
            self.world.machine(*node).isolated = false;
            if self.world.machine(*node).replica.is_none() {
                self.world.restart(*node);
            }
        }
        for round in 0..60 {
            self.world.settle();
            match self.world.leader() {
                None => self.world.fire(nodes[round % nodes.len()], Timer::Election),
                Some(leader) => {
                    let payloads = vec![Word(format!("healed{round}"))];
                    self.world.step(leader, Input::Propose { payloads });
                    self.world.settle();
                    self.world.fire(leader, Timer::Heartbeat);
                    self.world.settle();
                    // A transfer that hangs is given up.
                    self.world.fire(leader, Timer::CheckQuorum);
                    self.world.settle();
                    let texts: BTreeSet<_> = self.world.machines.values().map(|machine| &machine.text.0).collect();
                    let new = |text: &Vec<String>| text.last().is_some_and(|word| word.starts_with("healed"));
                    if round > 30 && texts.len() == 1 && texts.iter().all(|text| new(text)) {
                        return;
                    }
                }
            }
        }
        panic!("no progress after the faults have ended");
    }

    /// Every word that was ever committed anywhere is in every text, once, in the order of the log.
    fn nothing_is_lost(&self) {
        let words: Vec<_> = self
            .world
            .committed
            .values()
            .filter_map(|entry| entry.payload())
            .map(|word| &word.0)
            .collect();
        for machine in self.world.machines.values() {
            assert_eq!(
                machine.text.0.iter().collect::<Vec<_>>(),
                words,
                "an acknowledged word is lost"
            );
        }
        let distinct: BTreeSet<_> = words.iter().collect();
        assert_eq!(distinct.len(), words.len(), "a word is committed twice");
    }
}

fn run(seed: u64, size: u64, steps: usize) -> BTreeSet<&'static str> {
    let mut schedule = Schedule::new(seed, size);
    for step in 0..steps {
        schedule.step();
        if step % 50 == 0 {
            schedule.compare_logs();
        }
    }
    schedule.heal();
    schedule.compare_logs();
    schedule.nothing_is_lost();
    schedule.world.fired
}

/// Runs many seeds and names the one that fails, and demands that every action of Raft was seen.
fn campaign(size: u64, seeds: std::ops::Range<u64>, steps: usize) {
    let mut fired = BTreeSet::new();
    for seed in seeds {
        let result = std::panic::catch_unwind(|| run(seed, size, steps));
        match result {
            Ok(actions) => fired.extend(actions),
            Err(panic) => {
                eprintln!("seed {seed} of {size} nodes, {steps} steps");
                std::panic::resume_unwind(panic);
            }
        }
    }
    let raft = quorate_core::spec::action::Action::NAMES
        .iter()
        .take_while(|name| **name != "Join");
    let never: Vec<_> = raft.filter(|name| !fired.contains(**name)).collect();
    assert!(never.is_empty(), "never seen: {never:?}");
}

#[test]
fn three_nodes_survive_random_schedules() {
    campaign(3, 0..300, 3_000);
}

#[test]
fn five_nodes_survive_random_schedules() {
    campaign(5, 0..150, 4_000);
}

#[test]
fn a_single_node_survives_random_schedules() {
    for seed in 0..50 {
        run(seed, 1, 1_000);
    }
}
