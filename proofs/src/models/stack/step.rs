//! One event of the stack: the real machines step, and the world carries their effects.

use super::actions::Event;
use super::ghost::{self, Ghost};
use super::scopes::Scope;
use super::script;
use super::state::{Call, ClientSide, Disk, Envelope, Parcel, Process, State, Token, address, key_name, node_at};
use crate::scenario::Fired;
use quorate_core::client::{self, CallId, Client, Operation};
use quorate_core::effect::{Effects, TimerChange};
use quorate_core::input::{Input, Restarted};
use quorate_core::limits::{Limits, RaftLimits};
use quorate_core::message::{Peer, Refusal, Reply};
use quorate_core::node::Node;
use quorate_core::shard::WriteOp;
use quorate_spec::Violation;
use quorate_spec::ids::{Boot, Gid, NodeId, Stamp, Ticket};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Rare things, counted over all walks.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    /// Crashes of nodes.
    pub(super) crashes: AtomicU64,
    /// Sessions that ended under a client.
    pub(super) expiries: AtomicU64,
    /// Calls that ended with an answer.
    pub(super) answered: AtomicU64,
    /// Calls whose outcome stayed unknown.
    pub(super) unknown: AtomicU64,
    /// All states in which walks ended, in one number: the same for the same seeds, whatever the threads.
    pub(super) digest: AtomicU64,
}

impl Tallies {
    fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Limits small enough that snapshots, chunks, windows and expired sessions all come into play.
fn limits() -> Limits {
    Limits {
        raft: RaftLimits {
            append_bytes: 300,
            inflight_appends: 3,
            chunk_bytes: 120,
            trailing_entries: 4,
            ..RaftLimits::default()
        },
        sessions: 6,
        shard_chunk_bytes: 60,
        snapshot_log_bytes: 1500,
        snapshot_state_percent: 100,
        ..Limits::default()
    }
}

/// The stack's part of the scenario that a step needs.
pub(super) struct World<'a> {
    pub(super) scope: Scope,
    pub(super) fired: &'a Fired,
    pub(super) tallies: &'a Tallies,
}

impl World<'_> {
    /// All nodes booted for the first time, all clients new.
    pub(super) fn begin(&self) -> State {
        let mut state = State {
            processes: Vec::new(),
            network: VecDeque::new(),
            clients: Vec::new(),
            ghost: Arc::new(Ghost::new(self.scope.keys)),
            steps: 0,
            round: 0,
            script: 0,
            sent: 0,
            violation: None,
        };
        for node in (1..=script::NODES).map(NodeId::new) {
            let (process, effects) = boot(&self.scope, node, Boot::new(1), Disk::default());
            state.processes.push(Arc::new(process));
            self.perform(&mut state, node, None, effects);
        }
        for client in 0..=self.scope.clients {
            let (side, effects) = ClientSide::new(0);
            state.clients.push(Arc::new(side));
            self.perform_client(&mut state, client, effects);
        }
        state
    }

    /// Carries out an event. `None` if there is nothing that it could happen to.
    pub(super) fn apply(&self, state: &mut State, event: &Event) -> Option<()> {
        match event {
            Event::Deliver { place } => {
                let envelope = state.network.remove(*place)?;
                self.arrive(state, &envelope);
            }
            Event::Lose { place } => drop(state.network.remove(*place)?),
            Event::Repeat { place } => {
                let envelope = state.network.get(*place).cloned()?;
                self.arrive(state, &envelope);
            }
            Event::Sync { node } => self.sync(state, NodeId::new(*node)),
            Event::WriteSnapshot { node } => self.write_snapshot(state, NodeId::new(*node)),
            Event::Fire { node, timer } => {
                let node = NodeId::new(*node);
                state.change(node, |process| process.timers.remove(timer));
                self.input(state, node, Input::Fired { timer: *timer });
            }
            Event::Crash { node, keep } => self.crash(state, NodeId::new(*node), *keep),
            Event::Submit { client, key, append } => self.submit(state, *client, *key, *append),
            Event::FireClient { client, place } => {
                let side = Arc::make_mut(state.clients.get_mut(*client)?);
                let timer = *side.timers.keys().nth(*place)?;
                side.timers.remove(&timer);
                self.client(state, *client, client::Input::Fired { timer });
            }
            Event::ReplaceClient { client } => {
                let calls = state.clients.get(*client)?.calls;
                let (side, effects) = ClientSide::new(calls);
                state.clients[*client] = Arc::new(side);
                self.perform_client(state, *client, effects);
            }
            Event::Operate => {
                let own = state.clients.first()?.machine.session();
                self.operate(state, Operation::Change(script::change(state.script, own)));
            }
            Event::Transfer { gid, to } => {
                let operation = Operation::TransferLeadership { gid: Gid::new(*gid), to: NodeId::new(*to) };
                self.operate(state, operation);
            }
            Event::Calm => {
                if let Some(violation) = self.stuck(state) {
                    state.violate(violation);
                }
            }
        }
        Some(())
    }

    fn arrive(&self, state: &mut State, envelope: &Envelope) {
        match &envelope.parcel {
            Parcel::Peer { from, to, message } => {
                self.input(state, *to, Input::Received { from: *from, message: message.clone() });
            }
            Parcel::Request { client, ticket, to, request } => {
                let ticket = Ticket::new(((*client as u64) << 32) | ticket.get());
                self.input(state, *to, Input::Requests { requests: vec![(ticket, request.clone())] });
            }
            Parcel::Reply { from, client, ticket, reply } => {
                if matches!(reply, Reply::Refused(Refusal::SessionExpired)) {
                    Tallies::count(&self.tallies.expiries);
                }
                let input = client::Input::Received { from: address(*from), ticket: *ticket, reply: reply.clone() };
                self.client(state, *client, input);
            }
        }
    }

    fn input(&self, state: &mut State, node: NodeId, input: Input) {
        let before = state.process(node).map(Arc::clone);
        let effects = state.change(node, |process| process.node.step(input));
        self.perform(state, node, before.as_deref(), effects);
    }

    /// Carries out what a node wants, then judges its step.
    fn perform(&self, state: &mut State, node: NodeId, before: Option<&Process>, effects: Effects) {
        let Effects { writes, sends, timers, replies, snapshots, halt, labels, .. } = effects;
        // A refusal goes back to the run that sent the message; that one is over, or the message would not be refused.
        let round = state.round;
        let me = state.change(node, |process| {
            process.pending.extend(writes);
            process.snapshots.extend(snapshots);
            for change in timers {
                match change {
                    TimerChange::Arm(timer) => process.timers.insert(timer, round),
                    TimerChange::Disarm(timer) => process.timers.remove(&timer),
                };
            }
            process.node.me()
        });
        for (to, message) in sends {
            state.send(Parcel::Peer { from: me, to, message });
        }
        for (ticket, reply) in replies {
            let (client, ticket) = ((ticket.get() >> 32) as usize, Ticket::new(ticket.get() & u64::from(u32::MAX)));
            state.send(Parcel::Reply { from: node, client, ticket, reply });
        }
        self.fired.count(labels.iter().map(|label| &label.action));
        if let Some(halt) = halt {
            state.violate(Violation::new(ghost::PROGRESS, format!("{node} stops although it is healthy: {halt:?}")));
        }
        let verdict = ghost::judge(state, node, before, &labels);
        state.accept(verdict);
    }

    fn sync(&self, state: &mut State, node: NodeId) {
        let last = state.change(node, |process| {
            let disk = Arc::make_mut(&mut process.disk);
            process
                .pending
                .drain(..)
                .map(|(id, write)| {
                    disk.fold(write);
                    id
                })
                .last()
        });
        if let Some(write) = last {
            self.input(state, node, Input::Synced { write });
        }
    }

    fn write_snapshot(&self, state: &mut State, node: NodeId) {
        let written = state.change(node, |process| {
            let work = process.snapshots.pop_front()?;
            Some(Arc::make_mut(&mut process.disk).keep(work))
        });
        if let Some((group, last)) = written {
            self.input(state, node, Input::SnapshotWritten { group, last });
        }
    }

    /// Loses everything volatile and all but the first `keep` of the pending writes; starts again at once.
    fn crash(&self, state: &mut State, node: NodeId, keep: usize) {
        Tallies::count(&self.tallies.crashes);
        let (boot_number, disk) = state.change(node, |process| {
            let disk = Arc::make_mut(&mut process.disk);
            process.pending.drain(..).take(keep).for_each(|(_, write)| disk.fold(write));
            (process.boot.next(), disk.clone())
        });
        let (process, effects) = boot(&self.scope, node, boot_number, disk);
        state.change(node, |old| *old = process);
        self.perform(state, node, None, effects);
    }

    fn submit(&self, state: &mut State, client: usize, key: usize, append: bool) {
        let floor = state.ghost.truth[key].len();
        let number = state.clients[client].calls + 1;
        let token = Token { client, call: number };
        let (call, operation) = if append {
            let op = WriteOp::Append { value: token.bytes() };
            (Call::Append { key, token }, Operation::Write { key: key_name(key), op })
        } else {
            (Call::Get { key, floor }, Operation::Get { key: key_name(key) })
        };
        self.call(state, client, call, operation);
    }

    fn operate(&self, state: &mut State, operation: Operation) {
        self.call(state, 0, Call::Operate, operation);
    }

    fn call(&self, state: &mut State, client: usize, call: Call, operation: Operation) {
        let side = Arc::make_mut(&mut state.clients[client]);
        side.calls += 1;
        let id = CallId::new(side.calls);
        side.call = Some((id, call));
        self.client(state, client, client::Input::Submit { call: id, operation });
    }

    fn client(&self, state: &mut State, client: usize, input: client::Input) {
        let Some(side) = state.clients.get_mut(client) else { return };
        let effects = Arc::make_mut(side).machine.step(input);
        self.perform_client(state, client, effects);
    }

    fn perform_client(&self, state: &mut State, client: usize, effects: client::Effects) {
        let client::Effects { sends, timers, completions, labels } = effects;
        let side = Arc::make_mut(&mut state.clients[client]);
        for change in timers {
            match change {
                client::TimerChange::Arm(timer, _) => side.timers.insert(timer, state.round),
                client::TimerChange::Disarm(timer) => side.timers.remove(&timer),
            };
        }
        for (to, ticket, request) in sends {
            if let Some(to) = node_at(&to) {
                state.send(Parcel::Request { client, ticket, to, request });
            }
        }
        self.fired.count(&labels);
        for (id, outcome) in completions {
            self.completed(state, client, id, &outcome);
        }
    }

    fn completed(&self, state: &mut State, client: usize, id: CallId, outcome: &client::Outcome) {
        let side = Arc::make_mut(&mut state.clients[client]);
        let Some((_, call)) = side.call.take_if(|(waiting, _)| *waiting == id) else { return };
        match outcome {
            client::Outcome::Value { .. } | client::Outcome::Written { .. } => {
                side.answered += 1;
                Tallies::count(&self.tallies.answered);
            }
            // The script goes on when its change was made, or cannot be, or when nobody can tell.
            client::Outcome::Changed { .. } | client::Outcome::RefusedByController(_) => state.script += 1,
            client::Outcome::Unknown { .. } => {
                Tallies::count(&self.tallies.unknown);
                state.script += usize::from(call == Call::Operate);
            }
            _ => {}
        }
        let verdict = ghost::completed(state, &call, outcome);
        state.accept(verdict);
    }
}

impl State {
    /// A node's process.
    pub(super) fn process(&self, node: NodeId) -> Option<&Arc<Process>> {
        self.processes.get((node.get() as usize).checked_sub(1)?)
    }

    fn change<T>(&mut self, node: NodeId, change: impl FnOnce(&mut Process) -> T) -> T {
        let place = (node.get() as usize).checked_sub(1).expect("nodes count from 1");
        change(Arc::make_mut(&mut self.processes[place]))
    }

    fn send(&mut self, parcel: Parcel) {
        self.sent += 1;
        self.network.push_back(Arc::new(Envelope { id: self.sent, parcel }));
    }

    fn violate(&mut self, violation: Violation) {
        self.violation.get_or_insert(violation);
    }

    fn accept(&mut self, verdict: Result<(), Violation>) {
        if let Err(violation) = verdict {
            self.violate(violation);
        }
    }
}

impl ClientSide {
    fn new(calls: u64) -> (Self, client::Effects) {
        let (machine, effects) = Client::new((1..=script::NODES).map(|node| address(NodeId::new(node))).collect());
        (Self { machine, timers: BTreeMap::new(), call: None, calls, answered: 0 }, effects)
    }
}

fn boot(scope: &Scope, node: NodeId, boot: Boot, disk: Disk) -> (Process, Effects) {
    let me = Peer { node, stamp: Stamp::new(u128::from(node.get()) + 1000), boot };
    let controllers = script::MEMBERS.iter().map(|member| NodeId::new(*member)).map(|id| (id, address(id))).collect();
    let durable = disk.durable.clone();
    let restarted = Restarted { me, address: address(node), controllers, shards: scope.shards, durable };
    let (machine, effects) = Node::new(restarted, limits());
    let (pending, timers, snapshots) = (VecDeque::new(), BTreeMap::new(), VecDeque::new());
    (Process { node: machine, boot, disk: Arc::new(disk), pending, timers, snapshots }, effects)
}
