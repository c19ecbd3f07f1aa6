//! Clients: the core's client machine, with simulated connections to nodes. What its users are told is the history.

use super::network::{Arrival, End};
use super::process::Asker;
use super::random::Random;
use super::steps::FRAMES;
use super::time::Moment;
use super::workload::Workload;
use super::world::{Event, Sabotage, World};
use quorate::codec::{self, Kind};
use quorate::transport::wire::{ClientFrame, ReplyFrame};
use quorate_core::bytes::Bytes;
use quorate_core::client::{CallId, Client, Effects, Endpoint, Input, Operation, Outcome, Timer, TimerChange, Wait};
use quorate_core::input::Input as NodeInput;
use quorate_core::message::{Refusal, Reply, Request};
use quorate_spec::ids::Ticket;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// The first back-off, and how often it doubles: as the runtime has them.
const BACKOFF: Duration = Duration::from_millis(4);
const BACKOFF_DOUBLINGS: u32 = 6;
const CONTROLLER_PATIENCE: Duration = Duration::from_secs(5);
/// Who asks a node directly, by no connection.
const NOBODY: usize = usize::MAX;

/// A client and its user.
pub struct SimClient {
    pub(super) machine: Client,
    timers: BTreeMap<Timer, Moment>,
    connections: BTreeMap<Endpoint, Connection>,
    last_call: u64,
    /// What became of the calls that are not part of the history.
    pub(super) outcomes: BTreeMap<CallId, Outcome>,
    /// The calls under way that are, and where in it.
    pub(super) recorded: BTreeMap<CallId, usize>,
    pub(super) workload: Option<Workload>,
    pub(super) random: Random,
}

/// A connection, as the client sees it.
#[derive(Clone, Copy, Debug)]
struct Connection {
    number: u64,
    process: usize,
    /// The life that it leads to; `None`: it was dialled in vain, and the client will hear of it.
    life: Option<u64>,
}

impl World {
    /// Adds a client that knows the controller's members. Says its number.
    pub fn add_client(&mut self) -> usize {
        let number = self.clients.len();
        let seeds = self.processes.iter().take(self.setup.controllers).map(|process| process.address.clone()).collect();
        let (machine, effects) = Client::new(seeds);
        self.clients.push(SimClient {
            machine,
            timers: BTreeMap::new(),
            connections: BTreeMap::new(),
            last_call: 0,
            outcomes: BTreeMap::new(),
            recorded: BTreeMap::new(),
            workload: None,
            random: Random::new(self.setup.seed, 1000 + number as u64),
        });
        self.perform_client(number, effects);
        number
    }

    /// How many clients there are.
    pub fn client_count(&self) -> usize {
        self.clients.len()
    }

    /// Has a client call something that is not part of the history. [`World::outcome`] tells what became of it.
    pub fn call(&mut self, client: usize, operation: Operation) -> CallId {
        let call = self.next_call(client);
        self.step_client(client, Input::Submit { call, operation });
        call
    }

    pub(super) fn next_call(&mut self, client: usize) -> CallId {
        let it = &mut self.clients[client];
        it.last_call += 1;
        CallId::new(it.last_call)
    }

    /// What became of a call, if it is over.
    pub fn outcome(&self, client: usize, call: CallId) -> Option<&Outcome> {
        self.clients[client].outcomes.get(&call)
    }

    /// Whether all calls of a client that are not part of the history are over.
    pub fn is_answered(&self, client: usize) -> bool {
        let it = &self.clients[client];
        (it.outcomes.len() + it.recorded.len()) as u64 == it.last_call
    }

    /// Calls and runs the world until the call is over (its deadline ends it at the latest).
    pub fn call_and_wait(&mut self, client: usize, operation: Operation) -> Option<Outcome> {
        let call = self.call(client, operation);
        let patience = self.setup.deadline * 2;
        self.run_until(patience, |world| world.outcome(client, call).is_some());
        self.outcome(client, call).cloned()
    }

    /// The machine of a client.
    pub fn client_machine(&self, client: usize) -> &Client {
        &self.clients[client].machine
    }

    pub(super) fn step_client(&mut self, client: usize, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let effects = self.clients[client].machine.step(input);
            let SimClient { machine, recorded, .. } = &self.clients[client];
            for (call, place) in recorded {
                if let Some(stamp) = machine.stamp(*call) {
                    self.watch.sent(stamp, *place);
                }
            }
            inputs.extend(self.perform_client(client, effects));
        }
    }

    /// Does what a client wants done. Says what it must be told at once.
    fn perform_client(&mut self, client: usize, effects: Effects) -> Vec<Input> {
        let mut told = Vec::new();
        for change in effects.timers {
            match change {
                TimerChange::Arm(timer, wait) => {
                    let due = self.now + self.client_time(client, wait);
                    self.clients[client].timers.insert(timer, due);
                    self.queue.push(due, Event::ClientDue { client, timer });
                }
                TimerChange::Disarm(timer) => _ = self.clients[client].timers.remove(&timer),
            }
        }
        for (endpoint, ticket, request) in effects.sends {
            let frame = ClientFrame { ticket: ticket.get(), request };
            match codec::encode(Kind::Request, &frame) {
                Ok(bytes) => self.send_request(client, &endpoint, bytes),
                Err(_) => {
                    let limit = u64::from(Kind::Request.limit());
                    let reply = Reply::Refused(Refusal::ValueTooLarge { limit });
                    told.push(Input::Received { from: endpoint, ticket, reply });
                }
            }
        }
        for (call, outcome) in effects.completions {
            self.completed(client, call, outcome);
        }
        told
    }

    fn client_time(&mut self, client: usize, wait: Wait) -> Duration {
        match wait {
            Wait::Deadline => self.setup.deadline,
            Wait::Attempt => self.setup.attempt,
            Wait::ControllerAttempt => (self.setup.attempt * 2).min(CONTROLLER_PATIENCE),
            Wait::Backoff { round } => {
                let longest = BACKOFF * (1 << round.min(BACKOFF_DOUBLINGS));
                self.clients[client].random.between(longest / 2, longest)
            }
        }
    }

    fn send_request(&mut self, client: usize, endpoint: &Endpoint, bytes: Vec<u8>) {
        let Some(connection) = self.connection(client, endpoint) else { return };
        let Connection { number, process, life: Some(life) } = connection else { return };
        for arrival in self.network.send(End::Client(client), End::Process(process), bytes.len()) {
            let Arrival { delay, damage, again } = arrival;
            let (damaged, frame) = (damage.is_some(), self.network.carry(bytes.clone(), damage));
            let event = Event::Request { process, life, client, connection: number, frame, damaged, again };
            self.queue.push(self.now + delay, event);
        }
    }

    /// The connection to a node, dialled if there is none. A node that is down or out of reach is noticed after a while.
    fn connection(&mut self, client: usize, endpoint: &Endpoint) -> Option<Connection> {
        if let Some(connection) = self.clients[client].connections.get(endpoint) {
            return Some(*connection);
        }
        let process = *self.addresses.get(endpoint)?;
        self.last_connection += 1;
        let (here, there) = (End::Client(client), End::Process(process));
        let reached = self.network.reaches(here, there) && self.network.reaches(there, here);
        if !reached {
            self.network.meet_cut(here, there);
            self.network.meet_cut(there, here);
        }
        let life = self.processes[process].life().filter(|_| reached);
        let connection = Connection { number: self.last_connection, process, life };
        self.clients[client].connections.insert(endpoint.clone(), connection);
        if life.is_none() {
            let (number, wait) = (connection.number, self.network.delay(here, there) + self.setup.attempt / 4);
            self.queue.push(self.now + wait, Event::Closed { client, process, connection: number, unsent: true });
        }
        Some(connection)
    }

    /// All connections to a process break.
    pub(super) fn break_connections(&mut self, process: usize) {
        for client in 0..self.clients.len() {
            let broken =
                self.clients[client].connections.values().find(|it| it.process == process && it.life.is_some());
            if let Some(connection) = broken.map(|connection| connection.number) {
                let delay = self.network.delay(End::Process(process), End::Client(client));
                self.queue.push(self.now + delay, Event::Closed { client, process, connection, unsent: false });
            }
        }
    }

    pub(super) fn closed(&mut self, client: usize, process: usize, connection: u64, unsent: bool) {
        let endpoint = self.processes[process].address.clone();
        let connections = &mut self.clients[client].connections;
        if connections.get(&endpoint).is_some_and(|it| it.number == connection) {
            connections.remove(&endpoint);
            self.step_client(
                client,
                if unsent { Input::Unreachable { endpoint } } else { Input::Disconnected { endpoint } },
            );
        }
    }

    pub(super) fn client_due(&mut self, client: usize, timer: Timer) {
        let it = &mut self.clients[client];
        if it.timers.get(&timer).is_some_and(|due| *due <= self.now) {
            it.timers.remove(&timer);
            self.step_client(client, Input::Fired { timer });
        }
    }

    pub(super) fn request_arrives(
        &mut self,
        process: usize,
        life: u64,
        client: usize,
        connection: u64,
        frame: &[u8],
        (damaged, again): (bool, bool),
    ) {
        if self.processes[process].life() != Some(life) {
            return;
        }
        self.digest.add(u64::from(crc32fast::hash(frame)));
        let Ok(ClientFrame { ticket, request }) = codec::decode(Kind::Request, frame) else {
            // The node closes a connection on which it reads nonsense.
            self.counts.refused_frames += 1;
            return self.closed(client, process, connection, false);
        };
        if damaged {
            return self.fail(FRAMES, format!("process {process} takes a damaged frame for {request:?}"));
        }
        if let (true, Some(Sabotage::DoublesCount), Request::Write { key, op, .. }) = (again, self.sabotage, &request) {
            let operation = Operation::Write { key: key.clone(), op: op.clone() };
            let other = self.add_client();
            self.call(other, operation);
        }
        if let Some(ticket) = self.ticket(process, Asker { client, connection, ticket }) {
            self.step(process, NodeInput::Requests { requests: vec![(ticket, request)] });
        }
    }

    /// A node answers.
    pub(super) fn reply(&mut self, process: usize, ticket: Ticket, reply: Reply) {
        let Some(running) = self.processes[process].running.as_mut() else { return };
        let Some(Asker { client, connection, ticket }) = running.tickets.remove(&ticket) else { return };
        if client == NOBODY {
            self.answer = Some(reply);
            return;
        }
        let Ok(bytes) = codec::encode(Kind::Reply, &ReplyFrame { ticket, reply }) else { return };
        for Arrival { delay, damage, .. } in self.network.send(End::Process(process), End::Client(client), bytes.len())
        {
            let (damaged, frame) = (damage.is_some(), self.network.carry(bytes.clone(), damage));
            self.queue.push(self.now + delay, Event::Reply { client, process, connection, frame, damaged });
        }
    }

    pub(super) fn reply_arrives(
        &mut self,
        client: usize,
        process: usize,
        connection: u64,
        frame: &[u8],
        damaged: bool,
    ) {
        let from = self.processes[process].address.clone();
        let known = self.clients[client].connections.get(&from);
        if known.is_none_or(|it| it.number != connection) {
            return;
        }
        self.digest.add(u64::from(crc32fast::hash(frame)));
        let Ok(ReplyFrame { ticket, reply }) = codec::decode(Kind::Reply, frame) else {
            self.counts.refused_frames += 1;
            return self.closed(client, process, connection, false);
        };
        if damaged {
            return self.fail(FRAMES, format!("client {client} takes a damaged frame for {reply:?}"));
        }
        self.step_client(client, Input::Received { from, ticket: Ticket::new(ticket), reply });
    }

    /// Has a node asked something directly, as an operator would; the answer is not waited for.
    pub fn ask_node(&mut self, process: usize, request: Request) {
        let nobody = Asker { client: NOBODY, connection: 0, ticket: 0 };
        if let Some(ticket) = self.ticket(process, nobody) {
            let running = self.processes[process].running.as_mut();
            running.map(|running| running.tickets.remove(&ticket));
            self.step(process, NodeInput::Requests { requests: vec![(ticket, request)] });
        }
    }

    /// The same, and waits for the answer for a while: what a client with beliefs of its own would be told.
    pub fn answer_of(&mut self, process: usize, request: Request, patience: Duration) -> Option<Reply> {
        self.answer = None;
        let ticket = self.ticket(process, Asker { client: NOBODY, connection: 0, ticket: 0 })?;
        self.step(process, NodeInput::Requests { requests: vec![(ticket, request)] });
        self.run_until(patience, |world| world.answer.is_some());
        self.answer.take()
    }
}

/// Bytes of a text.
pub(super) fn bytes(text: &[u8]) -> Bytes {
    Bytes::from(text)
}
