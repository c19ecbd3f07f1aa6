//! Random command sequences keep what must always hold.

use crate::image::{chunks, restored};
use crate::support::*;
use proptest::prelude::*;
use quorate_core::bytes::Bytes;
use quorate_core::controller::{Answer, Change, Command, Configuration, Controller, NodeInfo};
use quorate_core::spec::action::Action;
use quorate_core::spec::ids::{ClientId, Gid, NodeId, Seq, ShardId, Stamp};
use std::collections::BTreeMap;
use std::sync::Arc;

fn any_change() -> impl Strategy<Value = Change> {
    let servers = prop::collection::vec((1..7_u64).prop_map(NodeId::new), 0..4);
    let some_gid = || (0..6_u64).prop_map(Gid::new);
    prop_oneof![
        4 => prop::collection::btree_map((1..6_u64).prop_map(Gid::new), servers, 0..3)
            .prop_map(|groups| Change::Join { groups }),
        4 => (1..6_u64, 1..5_u64).prop_map(|(gid, server)| join(&[(gid, &[server])])),
        3 => prop::collection::btree_set(some_gid(), 0..3).prop_map(|gids| Change::Leave { gids }),
        3 => (1..6_u64).prop_map(|gid| leave(&[gid])),
        2 => (0..9_u64, some_gid()).prop_map(|(shard, gid)| Change::Move { shard: ShardId::new(shard), gid }),
        1 => (0..12_u64).prop_map(raise_floor),
    ]
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        2 => (0..6_u64).prop_map(|limit| Command::RegisterClient { limit }),
        1 => (1..7_u64, 0..2_u128, 0..2_u8).prop_map(|(number, stamp, address)| {
            let info = NodeInfo { address: Bytes::from([address].as_slice()), stamp: Stamp::new(stamp) };
            Command::RegisterNode { node: NodeId::new(number), info }
        }),
        1 => (0..6_u64, 0..20_u64).prop_map(|(gid, born)| Command::Retire { group: group(gid, born) }),
        12 => (1..12_u64, 1..8_u64, any_change()).prop_map(|(session, seq, change)| Command::Change {
            client: ClientId::new(session), seq: Seq::new(seq), change,
        }),
    ]
}

/// What the test remembers by itself, to judge the controller with.
struct Judge {
    history: Vec<Arc<Configuration>>,
    /// Per session: the last request that was executed, its change and its first answer.
    executed: BTreeMap<ClientId, (Seq, Change, Answer)>,
}

impl Judge {
    fn check(
        &mut self,
        before: &Controller,
        command: &Command,
        answer: &Answer,
        action: Option<Action>,
        after: &Controller,
    ) {
        self.check_history(before, after);
        self.check_directory(after);
        if action.is_none() {
            assert_eq!(before.latest(), after.latest(), "no step, no configuration");
            assert_eq!(before.directory(), after.directory(), "no step, no change of the directory");
        }
        if let Command::Change { client, seq, change } = command {
            self.check_session(before, (*client, *seq, change), answer, action);
        }
        if let Some(Action::Join { .. } | Action::Leave { .. }) = action {
            assert_balanced(after.latest());
        }
    }

    /// Numbers are consecutive, nothing old changes, and owners, origins and groups follow from the step before.
    fn check_history(&mut self, before: &Controller, after: &Controller) {
        for config in after.configs_after(before.latest().num, usize::MAX) {
            let last = self.history.last().expect("configuration 0");
            assert_eq!(config.num, last.num.next());
            check_successor(last, &config);
            self.history.push(config);
        }
        for config in &self.history {
            assert_eq!(after.query(Some(config.num)), *config);
        }
        assert_eq!(after.latest(), self.history.last().expect("configuration 0"));
    }

    fn check_directory(&self, after: &Controller) {
        let (latest, directory) = (after.latest(), after.directory());
        assert_eq!(directory.config, latest.num);
        for group in latest.groups.values() {
            assert_eq!(directory.groups.get(&group.id), Some(&group.servers), "a current group is in the directory");
            assert!(group.servers.iter().all(|server| directory.nodes.contains_key(server)));
        }
        for shard in latest.shards.iter().filter(|shard| shard.owner.is_none()) {
            let kept = shard.origin.is_none_or(|origin| directory.groups.contains_key(&origin.group));
            assert!(kept, "the only holder of a shard retired: {shard:?}");
        }
    }

    /// A request is executed at most once, and every retry of the last one gets its first answer.
    fn check_session(
        &mut self,
        before: &Controller,
        request: (ClientId, Seq, &Change),
        answer: &Answer,
        action: Option<Action>,
    ) {
        let (client, seq, change) = request;
        let live = client >= before.floor() && client < before.next_client();
        let last = self.executed.get(&client);
        let new = live && last.is_none_or(|(last, ..)| seq > *last);
        if !new {
            assert_eq!(action, None, "an old or foreign request is not executed");
        }
        match last {
            Some((last, known, first)) if live && seq == *last && change == known => assert_eq!(answer, first),
            _ if new => drop(self.executed.insert(client, (seq, change.clone(), answer.clone()))),
            _ => assert!(matches!(answer, Answer::Refused(_)), "{answer:?}"),
        }
    }
}

/// What may differ between one configuration and the next.
fn check_successor(old: &Configuration, new: &Configuration) {
    assert!(new.floor >= old.floor, "the floor never falls");
    assert_eq!(new.shards.len(), old.shards.len());
    for (gid, group) in &new.groups {
        assert!(group.servers.is_sorted_by(|a, b| a < b) && !group.servers.is_empty(), "{group:?}");
        match old.groups.get(gid) {
            Some(known) => assert_eq!(group, known, "a group keeps its identity and servers"),
            None => assert_eq!((group.id.gid, group.id.born), (*gid, new.num), "a new group is born here"),
        }
    }
    for (was, is) in old.shards.iter().zip(&new.shards) {
        let froze = was.owner.filter(|_| was.owner != is.owner);
        match froze {
            Some(group) => assert_eq!(is.origin, origin(group, new.num.get()), "it froze where it was taken from"),
            None => assert_eq!(is.origin, was.origin, "its data is where it was"),
        }
        let listed = is.owner.is_none_or(|owner| new.groups.get(&owner.gid).is_some_and(|group| group.id == owner));
        assert!(listed, "an owner is a group of the configuration");
    }
}

fn assert_balanced(config: &Configuration) {
    let loads = config.groups.values().map(|group| config.shards.iter().filter(|s| s.owner == Some(group.id)).count());
    let loads: Vec<usize> = loads.collect();
    let owned: usize = loads.iter().sum();
    assert_eq!(owned, if loads.is_empty() { 0 } else { config.shards.len() }, "all shards or none are owned");
    let (least, most) = (loads.iter().min().copied(), loads.iter().max().copied());
    assert!(most.unwrap_or(0) - least.unwrap_or(0) <= 1, "{loads:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn what_must_hold_holds_after_every_command(
        shards in 1..9_u32,
        commands in prop::collection::vec(any_command(), 1..120),
        limit in 0..2_000_usize,
    ) {
        let mut controller = Controller::genesis(shards);
        let mut judge = Judge { history: vec![controller.latest().clone()], executed: BTreeMap::new() };
        let setup = (1..5).map(|number| {
            let info = NodeInfo { address: Bytes::from("n"), stamp: Stamp::new(0) };
            Command::RegisterNode { node: NodeId::new(number), info }
        });
        let setup: Vec<Command> = setup.chain((0..3).map(|_| Command::RegisterClient { limit: 9 })).collect();
        for command in setup.iter().chain(&commands) {
            let before = controller.clone();
            let (answer, action) = controller.apply(command);
            judge.check(&before, command, &answer, action, &controller);
        }
        prop_assert_eq!(restored(chunks(&controller, limit)), controller.clone());
        let mut replayed = Controller::genesis(shards);
        for command in setup.iter().chain(&commands) {
            replayed.apply(command);
        }
        prop_assert_eq!(replayed, controller, "the same commands make the same state");
    }
}
