//! What must hold in the world whatever happens: at most once, one order of effect, one server per shard, nothing lost.

use super::{SHARDS, World};
use quorate_core::bytes::Bytes;
use quorate_core::shard::{Outcome, ReadAnswer, WriteOp, WriteRefusal};
use quorate_core::spec::ids::{GroupId, ShardId};

impl World {
    /// At most once, one order of effect, and first answers on every retry.
    pub(super) fn judge(&mut self, request: (u64, u64), key: &Bytes, op: &WriteOp, outcome: Outcome, executed: bool) {
        let (shard, position) = match outcome {
            Outcome::Written { shard, position, .. } => (shard, position),
            Outcome::Refused(WriteRefusal::WrongGroup { .. }) => return self.reach("WrongGroup"),
            Outcome::Refused(WriteRefusal::NotYetHere { .. }) => return self.reach("NotYetHere"),
            Outcome::Refused(WriteRefusal::SessionExpired) => return self.reach("SessionExpired"),
            Outcome::Refused(WriteRefusal::Superseded) => return self.reach("Superseded"),
            Outcome::Refused(WriteRefusal::SeqReused) => panic!("no client uses a number twice"),
        };
        if !executed {
            assert_eq!(self.executed.get(&request), Some(&outcome), "the first answer, again");
            return;
        }
        assert!(self.executed.insert(request, outcome).is_none(), "{request:?} took effect twice");
        let last = self.positions.insert(shard, position);
        assert!(last.is_none_or(|last| last < position), "{shard}: {position} after {last:?}");
        let value = self.values.entry(key.clone()).or_default();
        if let WriteOp::Put { .. } = op {
            value.clear();
        }
        value.extend_from_slice(op.value());
        self.judge_values();
    }

    /// Whoever serves a shard has everything that was written to it.
    pub(super) fn judge_values(&self) {
        for group in self.groups.values() {
            for (key, expected) in &self.values {
                if let ReadAnswer::Value { value, .. } = group.truth.state.read(key, group.truth.index) {
                    assert_eq!(value.as_deref(), Some(expected.as_slice()), "{key:?}");
                }
            }
        }
    }

    pub(super) fn judge_ownership(&mut self, changed: GroupId) {
        for shard in (0..u64::from(SHARDS)).map(ShardId::new) {
            let serving = self.groups.values().filter(|group| group.truth.state.serves(shard)).count();
            assert!(serving <= 1, "{shard} is served by {serving} groups");
            let state = &self.groups[&changed].truth.state;
            if state.frozen().filter(|(frozen, ..)| *frozen == shard).count() > 1 {
                self.reach("copies of two configurations");
            }
        }
        self.judge_values();
    }
}
