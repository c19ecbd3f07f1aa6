//! The steps of the shard model, and which of them a state offers.
//!
//! # How it is reduced, and why nothing is lost
//!
//! A group's log is a [`LogSpec`](crate::log_spec::LogSpec): an entry is appended at its end, and at every moment some
//! replica may stand at any prefix of it.
//!
//! - **Answers are given at once, and for ever.** A replica may stand at every prefix for ever, so what any prefix could
//!   say to any question may be said at any later time. So after every entry the group is asked every question that it
//!   can ever be asked, and the answers join a set that only grows. This is stale leaders, lagging replicas, crashes that
//!   take a cursor back, and lost, late, repeated and reordered messages, without a single state for any of them.
//! - **Anybody proposes** ([`Driver::Any`](super::scopes::Driver)). A driver proposes from what it remembers and from the
//!   answers that reached it; any of that may be lost, late and repeated. So any configuration may be proposed, any
//!   offered part installed, any confirmed copy collected, at any time. The scopes with the real drivers show that they
//!   propose nothing beyond this (a test compares the states that the two reach).
//! - **Requests arrive anywhere.** A client that retries, follows a stale map or gave up is a request that may arrive at
//!   any group at any later time, again and again.
//! - **A step that changes nothing is none.** An ignored entry would only move log indices, which are numbered without it.
//! - **Reads cost no states.** Every read that any group could answer now is compared with the abstract store after each
//!   entry. That is the strongest reading: a value that is wrong now would be a wrong answer to a read called now.

use super::scopes::Driver;
use super::state::{Envelope, State};
use super::{ShardsModel, state};
use quorate_core::shard::{Command, ShardMessage};
use quorate_spec::ids::{ClientId, ConfigNum, GroupId, NodeId, Seq, ShardId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// A client calls its next request. What came of the one before is no matter: it may have given up on it.
    Call {
        /// Which client, from 0 on.
        client: u8,
    },
    /// A group commits a request that reached it, for the first time or again.
    Write {
        /// The group.
        group: GroupId,
        /// The session.
        client: ClientId,
        /// The request's number.
        seq: Seq,
    },
    /// A group commits the adoption of a configuration.
    Adopt {
        /// The group.
        group: GroupId,
        /// Its number.
        config: ConfigNum,
    },
    /// A group commits a part that some replica of the origin can give.
    Install {
        /// The group.
        group: GroupId,
        /// The part.
        part: Arc<Command>,
    },
    /// A group commits the end of a frozen copy that some replica of the taker can confirm.
    Collect {
        /// The group.
        group: GroupId,
        /// The shard.
        shard: ShardId,
        /// The configuration that froze it.
        config: ConfigNum,
    },
    /// A replica that was brought up from an image of the group's state leads: what the image left out is gone.
    Restore {
        /// The group.
        group: GroupId,
    },
    /// The controller takes a group that left out of the directory, and its replicas end.
    Retire {
        /// The group.
        group: GroupId,
    },
    /// A group commits what its driver once proposed.
    Commit {
        /// The group.
        group: GroupId,
        /// The entry.
        entry: Arc<Command>,
    },
    /// A message arrives, for the first time or again.
    Deliver {
        /// The message.
        mail: Arc<Envelope>,
    },
    /// A lagging member applies its next entry.
    Apply {
        /// The group.
        group: GroupId,
        /// The member.
        node: NodeId,
    },
    /// The driver's timer fires at a group's leader.
    Tick {
        /// The group.
        group: GroupId,
    },
    /// The leader crashes and another member, or itself again, leads: a driver without a memory.
    Crash {
        /// The group.
        group: GroupId,
    },
}

impl ShardsModel {
    /// Every step that may be taken; many of them change nothing.
    pub(super) fn offered(&self, state: &State, steps: &mut Vec<Step>) {
        if state.violation.is_some() {
            return;
        }
        for (client, (called, requests)) in state.called.iter().zip(&self.script.requests).enumerate() {
            if usize::from(*called) < requests.len() {
                steps.push(Step::Call { client: client as u8 });
            }
        }
        for (place, group) in state.living() {
            let group_id = self.script.groups[place];
            for request in state.requests(&self.script) {
                if let Some((client, seq)) = state::session_of(request) {
                    steps.push(Step::Write { group: group_id, client, seq });
                }
            }
            match self.scope.driver {
                Driver::Any => self.any(state, group_id, steps),
                Driver::Real { .. } => self.driven(state, place, steps),
            }
            if self.scope.images {
                steps.push(Step::Restore { group: group_id });
            }
            if group.truth.finished() {
                steps.push(Step::Retire { group: group_id });
            }
        }
        if let Some(stage) = &state.stage {
            let answers = stage.mail.iter().filter(|mail| !mail.is_question());
            steps.extend(answers.map(|mail| Step::Deliver { mail: Arc::clone(mail) }));
        }
    }

    fn any(&self, state: &State, group: GroupId, steps: &mut Vec<Step>) {
        let configs = self.script.configs.iter().map(|config| config.num).filter(|num| *num >= group.born);
        steps.extend(configs.map(|config| Step::Adopt { group, config }));
        let parts = state.offers.parts.iter().filter(|part| part.0 == group);
        steps.extend(parts.map(|part| Step::Install { group, part: Arc::clone(&part.1) }));
        for confirmed in state.offers.confirmed.iter() {
            if let ShardMessage::Confirmed { shard, origin, .. } = **confirmed
                && origin.group == group
            {
                steps.push(Step::Collect { group, shard, config: origin.config });
            }
        }
    }

    fn driven(&self, state: &State, place: usize, steps: &mut Vec<Step>) {
        let Some(stage) = &state.stage else { return };
        let (group, crew) = (self.script.groups[place], &stage.crews[place]);
        steps.extend(crew.proposed.iter().map(|entry| Step::Commit { group, entry: Arc::clone(entry) }));
        let behind = crew.members.iter().filter(|member| member.applied < crew.log.len());
        steps.extend(behind.map(|member| Step::Apply { group, node: member.node }));
        if stage.ticks > 0 {
            steps.push(Step::Tick { group });
        }
        if stage.crashes > 0 {
            steps.push(Step::Crash { group });
        }
    }
}
