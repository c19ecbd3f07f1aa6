//! What the client machine is told and what it wants done: the whole surface besides [`super::Client`].

use crate::bytes::Bytes;
use crate::controller::{self, Change, Configuration, Directory};
use crate::message::{Refusal, Reply, Request};
use crate::shard::{WriteAnswer, WriteOp};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use quorate_spec::action::Action;
use quorate_spec::ids::{ConfigNum, Gid, NodeId, Position, ShardId, Ticket};

/// Where a node is reached: `host:port`.
pub type Endpoint = Bytes;

/// What the driver calls one user call. Later calls have greater ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(u64);

impl CallId {
    /// Wraps a raw number.
    pub const fn new(raw: u64) -> Self {
        Self(raw)
    }

    /// The raw number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// What a user asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// The value of a key.
    Get {
        /// The key.
        key: Bytes,
    },
    /// A write, at most once.
    Write {
        /// The key.
        key: Bytes,
        /// What to do.
        op: WriteOp,
    },
    /// A change of the configuration, at most once.
    Change(Change),
    /// The configuration of this number, or the latest; linearizable.
    Query {
        /// Which one.
        num: Option<ConfigNum>,
    },
    /// Hand a group's leadership over.
    TransferLeadership {
        /// The group, by its operators' number; 0 is the controller.
        gid: Gid,
        /// To whom.
        to: NodeId,
    },
    /// Ask some node for a newer map and end with the newest one known. Not linearizable: `Query` is.
    Map,
}

impl Operation {
    /// Whether it may have an effect, so that its outcome can be unknown.
    pub const fn mutates(&self) -> bool {
        match self {
            Self::Write { .. } | Self::Change(_) | Self::TransferLeadership { .. } => true,
            Self::Get { .. } | Self::Query { .. } | Self::Map => false,
        }
    }
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// A read's answer.
    Value {
        /// The value; `None` for a missing key.
        value: Option<Bytes>,
        /// The shard.
        shard: ShardId,
        /// The state that it was read from.
        position: Position,
    },
    /// A write was executed, once.
    Written {
        /// What it answered.
        answer: WriteAnswer,
        /// The shard.
        shard: ShardId,
        /// Where it took effect.
        position: Position,
    },
    /// A change was executed, once.
    Changed {
        /// The configuration that it made, or that already was so.
        config: ConfigNum,
        /// Whether it made one.
        changed: bool,
    },
    /// A query's answer.
    Configuration(Arc<Configuration>),
    /// The transfer was begun, or its target leads already.
    TransferStarted,
    /// The newest map known.
    Map {
        /// The configuration.
        config: Arc<Configuration>,
        /// The directory.
        directory: Arc<Directory>,
    },
    /// Refused for good by a node. It has no effect, now or later.
    Refused(Refusal),
    /// Refused for good by the controller. It has no effect, now or later.
    RefusedByController(controller::Refusal),
    /// The deadline passed. No attempt was or will be executed.
    NotExecuted {
        /// What stood in the way last.
        trouble: Trouble,
    },
    /// The deadline passed, or a refusal came, after an attempt went unanswered: it may have taken effect, may still, or
    /// may never.
    Unknown {
        /// What stood in the way last.
        trouble: Trouble,
    },
    /// The deadline of a call without effect passed.
    Timeout {
        /// What stood in the way last.
        trouble: Trouble,
    },
}

/// What last stood in the way of a call: for messages to people, never for decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trouble {
    /// Nothing yet: it waited for its turn or its answer.
    Waiting,
    /// No node has told where shards are.
    NoMap,
    /// No group serves the shard.
    NoOwner,
    /// The group is not known, or none of its servers' addresses.
    UnknownGroup,
    /// No connection to a server.
    Unreachable,
    /// A server did not answer.
    Silent,
    /// No server leads the group.
    NoLeader,
    /// The shard is on its way to another group.
    Moving,
    /// Too much is uncommitted.
    Overloaded,
    /// A server's disk is full.
    DiskFull,
    /// The session ended.
    SessionEnded,
    /// An answer that does not fit the question.
    Nonsense,
}

/// On whose behalf an attempt is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Task {
    /// A user's call.
    Call(CallId),
    /// The client's own: a session.
    Register,
    /// The client's own: a newer map.
    Refresh,
}

/// The client's timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// The attempt has waited long enough for its answer.
    Attempt {
        /// The attempt.
        ticket: Ticket,
    },
    /// The back-off is over.
    Retry {
        /// Whose.
        task: Task,
    },
    /// The user waits no longer.
    Deadline {
        /// For what.
        call: CallId,
    },
}

/// How long a timer waits. The driver draws the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wait {
    /// The user's patience.
    Deadline,
    /// The time to wait for the answer of a data group, or for a map.
    Attempt,
    /// The time to wait for the controller's answer.
    ControllerAttempt,
    /// A jittered back-off that grows with the round (from 0).
    Backoff {
        /// How many came before in a row.
        round: u32,
    },
}

/// What to do with a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimerChange {
    /// Start it.
    Arm(Timer, Wait),
    /// Stop it.
    Disarm(Timer),
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// A user asks.
    Submit {
        /// What the call is named.
        call: CallId,
        /// What for.
        operation: Operation,
    },
    /// An answer came.
    Received {
        /// From whom.
        from: Endpoint,
        /// To which attempt.
        ticket: Ticket,
        /// What it says.
        reply: Reply,
    },
    /// A connection broke: attempts outstanding there are unanswered.
    Disconnected {
        /// With whom.
        endpoint: Endpoint,
    },
    /// A connection could not be opened: attempts outstanding there were never sent.
    Unreachable {
        /// To whom.
        endpoint: Endpoint,
    },
    /// An armed timer fired.
    Fired {
        /// Which one.
        timer: Timer,
    },
}

/// Everything that a step wants done.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// Requests to send, in order.
    pub sends: Vec<(Endpoint, Ticket, Request)>,
    /// Timers to arm and disarm, in order.
    pub timers: Vec<TimerChange>,
    /// Calls that ended.
    pub completions: Vec<(CallId, Outcome)>,
    /// What was done, in the specification's words.
    pub labels: Vec<Action>,
}

impl fmt::Debug for Effects {
    /// One line per effect: what a test wants to show.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (endpoint, ticket, request) in &self.sends {
            writeln!(f, "send {ticket} to {endpoint:?}: {request:?}")?;
        }
        for timer in &self.timers {
            writeln!(f, "{timer:?}")?;
        }
        for (call, outcome) in &self.completions {
            writeln!(f, "{call:?} ends: {outcome:?}")?;
        }
        Ok(())
    }
}
