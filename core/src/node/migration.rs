//! Moving shards between groups: routes what groups say to each other, and looks after a leading group's work.

use super::Node;
use crate::effect::{Effects, Label, TimerChange};
use crate::input::Timer;
use crate::message::{DirectoryMessage, Message};
use crate::shard::{Drive, Known, Migrator, ShardMessage};
use alloc::sync::Arc;
use quorate_spec::action::Action;
use quorate_spec::ids::{GroupId, NodeId};

impl Node {
    /// A group said something about a moving shard. Questions are answered by any replica from its applied state; answers
    /// concern the leader of the group that asked.
    pub(super) fn shard_message(&mut self, from: NodeId, message: ShardMessage, effects: &mut Effects) {
        let (to, question) = match &message {
            ShardMessage::Pull { origin, .. } => (origin.group, true),
            ShardMessage::Confirm { target, .. } => (*target, true),
            ShardMessage::Part { target, .. } | ShardMessage::NotHere { target, .. } => (*target, false),
            ShardMessage::Confirmed { origin, .. } => (origin.group, false),
        };
        let Some(data) = self.data.get_mut(&to) else { return };
        if question {
            if let Some(answer) = data.group.machine().answer(&message, self.limits.shard_chunk_bytes) {
                if let ShardMessage::Part { shard, origin, .. } = &answer {
                    let action = Action::SendChunk { shard: *shard, config: origin.config, to: from };
                    effects.labels.push(Label { group: Some(to), action });
                }
                self.send(from, Message::Shard(answer), effects);
            }
        } else if data.group.replica().is_leader() {
            let drive = data.migrator.received(data.group.machine(), from, &message);
            self.perform(to, drive, effects);
        }
    }

    /// Looks after a data group's work, if it leads: the next configuration, shards to pull, copies to collect, the end.
    /// Everything is derived from the replicated state; a tick repeats what may have been lost.
    pub(super) fn drive(&mut self, id: GroupId, tick: bool, effects: &mut Effects) {
        #[cfg(feature = "mutants")]
        self.act_outside_log(id);
        let Some(data) = self.data.get_mut(&id) else { return };
        if !data.group.replica().is_leader() {
            data.migrator = Migrator::new();
            return;
        }
        let machine = data.group.machine();
        let directory = Arc::clone(self.map.directory());
        let next = self.map.get(machine.config().num.next());
        let known = Known { next, directory: &directory };
        let holds = !machine.settled() || machine.frozen().next().is_some();
        let busy = next.is_some() || holds || machine.finished();
        let drive = data.migrator.drive(self.me.node, machine, known, tick);
        if busy && !data.driven {
            data.driven = true;
            effects.timers.push(TimerChange::Arm(Timer::Drive { group: id }));
        }
        let retire = drive.retire && tick;
        self.perform(id, drive, effects);
        if retire {
            self.tell_controller(DirectoryMessage::Retire { group: id }, effects);
        }
    }

    /// The mutants that change a leader's state by what its node has heard, without an entry of the log.
    #[cfg(feature = "mutants")]
    fn act_outside_log(&mut self, id: GroupId) {
        let latest = self.map.latest().cloned();
        let Some(data) = self.data.get_mut(&id).filter(|data| data.group.replica().is_leader()) else { return };
        let next = self.map.get(data.group.machine().config().num.next()).cloned();
        if crate::mutants::mutant!(ConfigOutsideLog)
            && let Some(config) = next
        {
            let index = data.group.applied();
            let _ = data.group.machine_mut().apply(index, &crate::shard::Command::AdoptConfiguration { config });
        }
        if crate::mutants::mutant!(SessionExpiryByLocalClock)
            && let Some(latest) = latest
        {
            data.group.machine_mut().end_sessions(latest.floor);
        }
    }

    fn perform(&mut self, id: GroupId, drive: Drive, effects: &mut Effects) {
        for (_, to, message) in drive.sends {
            if let ShardMessage::Pull { shard, origin, .. } = &message {
                let action = Action::Pull { shard: *shard, config: origin.config, from: origin.group };
                effects.labels.push(Label { group: Some(id), action });
            }
            self.send(to, Message::Shard(message), effects);
        }
        if !drive.propose.is_empty() {
            let proposals = drive.propose.into_iter().map(|command| (None, command)).collect();
            self.with_data(id, effects, |group, limits| group.propose(proposals, limits));
        }
    }
}
