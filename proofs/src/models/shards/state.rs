//! The state of the shard model: what each group's committed log makes of the group, what could ever be answered, what
//! clients have called, and the ghosts that judge.

use super::script::Script;
use crate::models::pool::Pool;
use quorate_core::shard::{Command, Migrator, ShardGroup, ShardMessage, WriteAnswer};
use quorate_spec::Violation;
use quorate_spec::ids::{ClientId, GroupId, LogIndex, NodeId, Position, Seq, ShardId};
use quorate_spec::oracle::Oracle;
use quorate_spec::views::GroupView;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// How many of its requests each client has called.
    pub called: Vec<u8>,
    /// The groups, in the order of [`Script::groups`]; `None` once retired.
    pub groups: Vec<Option<Arc<Group>>>,
    /// What some replica of some group can say, now and for ever.
    pub offers: Arc<Offers>,
    /// The world of the real drivers; `None` where anybody proposes.
    pub stage: Option<Arc<Stage>>,
    /// What judges.
    pub ghost: Arc<Ghost>,
    /// The first broken property.
    pub violation: Option<Arc<Violation>>,
}

/// A group: its log applied from end to end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    /// The real state machine.
    pub truth: ShardGroup,
    /// How many writes its log has executed. The model numbers log entries by this count: entries that change nothing
    /// are left out of the log, and the others record no index. Indices keep their order, which is all that is made of
    /// them.
    pub writes: u64,
}

impl Group {
    /// The index of the entry that is appended next.
    pub const fn next_index(&self) -> LogIndex {
        LogIndex::new(self.writes + 1)
    }
}

/// Answers that replicas can give.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Offers {
    /// Parts of shards, as the commands that would install them, with the group that would.
    pub parts: Pool<(GroupId, Arc<Command>)>,
    /// Confirmations.
    pub confirmed: Pool<ShardMessage>,
}

/// What remembers the past to judge the present.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ghost {
    /// The store as one user would see it.
    pub store: Oracle,
    /// How often each call took effect.
    pub executions: BTreeMap<(ClientId, Seq), u64>,
    /// What each call that took effect answered, and where it did.
    pub answers: BTreeMap<(ClientId, Seq), (WriteAnswer, Position)>,
    /// Where the last write of each shard took effect.
    pub last: BTreeMap<ShardId, Position>,
}

/// The world of the real drivers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stage {
    /// Per group, its replicas and its driver.
    pub crews: Vec<Arc<Crew>>,
    /// Every message that was ever sent.
    pub mail: Pool<Envelope>,
    /// How often drivers' timers may still fire.
    pub ticks: u8,
    /// How often leaders may still be replaced.
    pub crashes: u8,
}

/// A group's replicas and its driver.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Crew {
    /// The log, without the entries that changed nothing and those that every member has applied.
    pub log: Vec<(LogIndex, Arc<Command>)>,
    /// The replicas.
    pub members: Vec<Member>,
    /// Which of them leads.
    pub leader: usize,
    /// Its driver.
    pub migrator: Migrator,
    /// What drivers ever proposed: each may be committed at any time, in any order, again and again, or never.
    pub proposed: Pool<Command>,
}

/// A replica.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    /// Its node.
    pub node: NodeId,
    /// How many entries of what is left of the log it has applied.
    pub applied: usize,
    /// Its state.
    pub state: ShardGroup,
}

/// A message between groups.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Envelope {
    /// The sender.
    pub from: NodeId,
    /// The receiving node.
    pub to: NodeId,
    /// The group that it is for.
    pub group: GroupId,
    /// What it says.
    pub message: ShardMessage,
}

impl Crew {
    /// Forgets the entries that every member has applied: nobody asks for them again.
    pub(super) fn forget(&mut self) {
        let done = self.members.iter().map(|member| member.applied).min().unwrap_or(self.log.len());
        self.log.drain(..done);
        self.members.iter_mut().for_each(|member| member.applied -= done);
    }
}

impl Envelope {
    /// Whether any replica answers it, from its state alone; what is no question is for the leader.
    pub const fn is_question(&self) -> bool {
        matches!(self.message, ShardMessage::Pull { .. } | ShardMessage::Confirm { .. })
    }
}

impl State {
    /// A group that has not retired.
    pub fn group(&self, script: &Script, group: GroupId) -> Option<&Arc<Group>> {
        self.groups.get(script.place(group)?)?.as_ref()
    }

    /// The groups that have not retired, with their places.
    pub fn living(&self) -> impl Iterator<Item = (usize, &Arc<Group>)> {
        self.groups.iter().enumerate().filter_map(|(place, group)| group.as_ref().map(|group| (place, group)))
    }

    /// The groups that have retired.
    pub fn retired<'a>(&'a self, script: &'a Script) -> impl Iterator<Item = GroupId> + 'a {
        self.groups.iter().zip(&script.groups).filter(|(group, _)| group.is_none()).map(|(_, id)| *id)
    }

    /// The request of a session with this number, if it was called.
    pub fn request<'a>(&self, script: &'a Script, client: ClientId, seq: Seq) -> Option<&'a Arc<Command>> {
        self.requests(script).find(|command| session_of(command) == Some((client, seq)))
    }

    /// All requests that were called: each may arrive anywhere, at any time.
    pub fn requests<'a>(&self, script: &'a Script) -> impl Iterator<Item = &'a Arc<Command>> {
        let called = self.called.clone();
        script.requests.iter().zip(called).flat_map(|(requests, called)| requests.iter().take(usize::from(called)))
    }
}

/// The session and the number of a write.
pub fn session_of(command: &Command) -> Option<(ClientId, Seq)> {
    match command {
        Command::Write { client, seq, .. } => Some((*client, *seq)),
        Command::AdoptConfiguration { .. } | Command::InstallChunk { .. } | Command::Collect { .. } => None,
    }
}

/// What the specification sees of a state: the groups as their logs make them. A step of the model is a step of the
/// specification between two of these, or none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Abstract {
    /// The groups that have not retired.
    pub groups: Vec<GroupView>,
    /// The store.
    pub store: Oracle,
    /// What took effect, and its answer.
    pub answers: BTreeMap<(ClientId, Seq), (WriteAnswer, Position)>,
}

/// What the specification sees of `state`.
pub fn abstract_state(state: &State) -> Abstract {
    Abstract {
        groups: state.living().map(|(_, group)| group.truth.view()).collect(),
        store: state.ghost.store.clone(),
        answers: state.ghost.answers.clone(),
    }
}
