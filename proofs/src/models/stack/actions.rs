//! What may happen next in the stack, and how likely a walk is to choose it.

use super::scopes::Scope;
use super::script;
use super::state::State;
use quorate_core::input::Timer;
use quorate_core::raft;
use serde::{Deserialize, Serialize};

/// How many of the oldest messages may arrive next: more is reordering that changes little.
const WINDOW: usize = 16;
/// With so much on its way, nothing new is begun.
const CROWD: usize = 160;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Event {
    /// The message at this place arrives.
    Deliver {
        /// Counted from the oldest.
        place: usize,
    },
    /// The message at this place is lost.
    Lose {
        /// Counted from the oldest.
        place: usize,
    },
    /// The message at this place arrives and stays on its way.
    Repeat {
        /// Counted from the oldest.
        place: usize,
    },
    /// Everything that a node has written is durable.
    Sync {
        /// The node.
        node: u64,
    },
    /// The oldest snapshot that a node is writing is durable.
    WriteSnapshot {
        /// The node.
        node: u64,
    },
    /// A node's timer fires.
    Fire {
        /// The node.
        node: u64,
        /// Which one.
        timer: Timer,
    },
    /// A node crashes and starts again. Of what it had not synced, so much is found on its disk.
    Crash {
        /// The node.
        node: u64,
        /// How many of the pending writes.
        keep: usize,
    },
    /// A user asks.
    Submit {
        /// The client.
        client: usize,
        /// The number of the key.
        key: usize,
        /// An append, or a read.
        append: bool,
    },
    /// A client's timer fires.
    FireClient {
        /// The client.
        client: usize,
        /// Its place among the armed ones.
        place: usize,
    },
    /// A client's process ends and another one takes its place, with a session of its own.
    ReplaceClient {
        /// The client.
        client: usize,
    },
    /// The operator asks for the next change of the script.
    Operate,
    /// The operator hands a leadership over.
    Transfer {
        /// The group.
        gid: u64,
        /// The next leader.
        to: u64,
    },
    /// Nothing fails any more: a fair schedule must get everything done. What it does is not kept: it is tried on a copy.
    Calm,
}

impl Event {
    /// How likely a walk chooses it, against the other events.
    pub(super) fn weight(&self, scope: &Scope) -> u32 {
        match self {
            Self::Deliver { .. } => 15_000,
            Self::Sync { .. } => 25_000,
            Self::WriteSnapshot { .. } => 8_000,
            Self::Submit { .. } => 2_000,
            Self::Operate => 120,
            Self::Transfer { .. } | Self::Crash { .. } => 20,
            Self::ReplaceClient { .. } => 40,
            Self::Lose { .. } | Self::Repeat { .. } => 300,
            Self::FireClient { .. } => scope.haste,
            Self::Fire { timer, .. } => match timer {
                Timer::Raft { timer: raft::Timer::Heartbeat, .. } => 600,
                Timer::Raft { timer: raft::Timer::Election | raft::Timer::CheckQuorum, .. } => 50,
                Timer::Drive { .. } => 800,
                Timer::Poll => 300,
            },
            Self::Calm => 1,
        }
    }
}

/// Everything that may happen in a state.
pub(super) fn events(scope: &Scope, state: &State, events: &mut Vec<Event>) {
    if state.violation.is_some() || state.steps >= scope.steps {
        return;
    }
    events.push(Event::Calm);
    if state.steps + 1 == scope.steps {
        return;
    }
    let window = state.network.len().min(WINDOW);
    events.extend((0..window).map(|place| Event::Deliver { place }));
    events.extend((0..window).map(|place| Event::Lose { place }));
    let repeated = |place: &usize| state.network.get(*place).is_some_and(|envelope| envelope.parcel.may_repeat());
    events.extend((0..window).filter(repeated).map(|place| Event::Repeat { place }));
    let crowded = state.network.len() >= CROWD;
    for (place, process) in state.processes.iter().enumerate() {
        let node = place as u64 + 1;
        if !process.pending.is_empty() {
            events.push(Event::Sync { node });
        }
        if !process.snapshots.is_empty() {
            events.push(Event::WriteSnapshot { node });
        }
        if !crowded {
            events.extend(process.timers.keys().map(|timer| Event::Fire { node, timer: *timer }));
        }
        let pending = process.pending.len();
        events.push(Event::Crash { node, keep: 0 });
        if pending > 0 {
            events.extend([Event::Crash { node, keep: pending.div_ceil(2) }, Event::Crash { node, keep: pending }]);
        }
    }
    if crowded {
        return;
    }
    for (client, side) in state.clients.iter().enumerate() {
        events.extend((0..side.timers.len()).map(|place| Event::FireClient { client, place }));
        if side.call.is_some() {
            continue;
        }
        if client == 0 {
            operator(state, events);
            continue;
        }
        for key in 0..state.ghost.truth.len() {
            events.extend([Event::Submit { client, key, append: true }, Event::Submit { client, key, append: false }]);
        }
        events.push(Event::ReplaceClient { client });
    }
}

fn operator(state: &State, events: &mut Vec<Event>) {
    events.push(Event::Operate);
    events.extend(script::MEMBERS.iter().map(|to| Event::Transfer { gid: 0, to: *to }));
    let Some(operator) = state.clients.first() else { return };
    let (config, _) = operator.machine.map();
    for (gid, group) in &config.groups {
        events.extend(group.servers.iter().map(|to| Event::Transfer { gid: gid.get(), to: to.get() }));
    }
}
