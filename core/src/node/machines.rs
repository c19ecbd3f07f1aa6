//! How the two state machines answer through a group: commands to replies, questions to replies.

use crate::bytes::Bytes;
use crate::controller::{self, Controller};
use crate::group::Machine;
use crate::message::{Refusal, Reply};
use crate::shard::{self, Outcome, ReadAnswer, ShardGroup, WriteRefusal};
use alloc::vec::Vec;
use quorate_spec::Violation;
use quorate_spec::action::Action;
use quorate_spec::ids::{ConfigNum, LogIndex};
use quorate_spec::invariants;

impl Machine for Controller {
    type Command = controller::Command;
    type Question = Option<ConfigNum>;

    fn execute(&mut self, _index: LogIndex, command: &controller::Command, actions: &mut Vec<Action>) -> Reply {
        let (answer, action) = self.apply(command);
        actions.extend(action);
        Reply::Controller(answer)
    }

    fn question(&self, num: &Option<ConfigNum>, _applied: LogIndex, _actions: &mut Vec<Action>) -> Reply {
        Reply::Controller(controller::Answer::Configuration(self.query(*num)))
    }

    fn bytes(&self) -> u64 {
        // Every configuration is kept; what one shard takes in one is about this much.
        (self.latest().num.get() + 1) * self.shards() as u64 * 48
    }

    fn frees(&self, _command: &controller::Command) -> u64 {
        0
    }

    fn judge_step(before: &Self, after: &Self) -> Result<(), Violation> {
        if before.latest().num == after.latest().num {
            return Ok(());
        }
        invariants::configurations(&before.latest().view(), &after.latest().view())
    }

    fn stirs(_command: &controller::Command) -> bool {
        true
    }
}

impl Machine for ShardGroup {
    type Command = shard::Command;
    type Question = Bytes;

    fn execute(&mut self, index: LogIndex, command: &shard::Command, actions: &mut Vec<Action>) -> Reply {
        let applied = self.apply(index, command);
        actions.extend(applied.actions);
        match applied.outcome {
            Some(Outcome::Written { answer, shard, position }) => Reply::Written { answer, shard, position },
            Some(Outcome::Refused(refusal)) => Reply::Refused(refused(refusal)),
            None => Reply::Refused(Refusal::LeadershipLost),
        }
    }

    fn question(&self, key: &Bytes, applied: LogIndex, actions: &mut Vec<Action>) -> Reply {
        let shard = self.shard_of(key);
        match self.read(key, applied) {
            ReadAnswer::Value { value, position } => {
                actions.push(Action::Read { shard, index: applied });
                Reply::Value { value, shard, position }
            }
            ReadAnswer::Refused(reason) => Reply::Refused(refused(reason)),
        }
    }

    fn bytes(&self) -> u64 {
        self.data_bytes()
    }

    fn frees(&self, command: &shard::Command) -> u64 {
        match command {
            shard::Command::Collect { shard, config } => self.frozen_bytes(*shard, *config),
            shard::Command::Write { .. }
            | shard::Command::AdoptConfiguration { .. }
            | shard::Command::InstallChunk { .. } => 0,
        }
    }

    fn judge_step(before: &Self, after: &Self) -> Result<(), Violation> {
        invariants::group_step(&before.view(), &after.view())
    }

    fn stirs(command: &shard::Command) -> bool {
        !matches!(command, shard::Command::Write { .. })
    }
}

/// A data group's refusal in the words of the client protocol.
pub(super) fn refused(refusal: impl Into<WriteRefusal>) -> Refusal {
    match refusal.into() {
        WriteRefusal::WrongGroup { config } => Refusal::WrongGroup { config },
        WriteRefusal::NotYetHere { config } => Refusal::NotYetHere { config },
        WriteRefusal::SessionExpired => Refusal::SessionExpired,
        WriteRefusal::Superseded => Refusal::Superseded,
        WriteRefusal::SeqReused => Refusal::SeqReused,
    }
}
