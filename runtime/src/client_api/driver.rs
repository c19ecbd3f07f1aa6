//! The client machine with its connections and timers: commands and replies in, requests out. It decides nothing.
//!
//! Callers have their commands [taken](Driver::take); one that finds no other waiting has its request written at once. The
//! task [polls](Driver::poll) connections and timers in turn until none has anything, so that what gathers meanwhile
//! leaves in one write.

use super::connection::{Connection, Event, Failure};
use super::contact::{OWN_TICKETS, StatusCall};
use super::timers::Timers;
use super::{Error, Options};
use quorate_core::bytes::Bytes;
use quorate_core::client::{
    CallId, Client as Machine, Effects, Endpoint, Input, Operation, Outcome, Timer, TimerChange, Wait,
};
use quorate_core::controller::{Configuration, Directory};
use quorate_core::message::{Peer, Refusal, Reply, Request};
use quorate_core::status::NodeStatus;
use quorate_spec::ids::Ticket;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// No attempt at the controller waits longer.
const CONTROLLER_PATIENCE: Duration = Duration::from_secs(5);
/// The first back-off, and how often it doubles.
const BACKOFF: Duration = Duration::from_millis(4);
const BACKOFF_DOUBLINGS: u32 = 6;
/// A node that is silent for so many attempts' time with requests waiting gets a new connection.
const SILENT_ATTEMPTS: u32 = 3;

/// The newest configuration and directory.
pub(super) type Map = (Arc<Configuration>, Arc<Directory>);

/// What a handle asks.
pub(super) enum Command {
    /// A call of the machine.
    Call { operation: Operation, answer: oneshot::Sender<Outcome> },
    /// The state of one node.
    Status { address: String, answer: oneshot::Sender<Result<Arc<NodeStatus>, Error>> },
    /// The newest map, after a refresh.
    Map { answer: oneshot::Sender<Map> },
    /// Word of the first contact with the cluster.
    Connect { answer: oneshot::Sender<Result<(), Error>> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Alarm {
    Machine(Timer),
    Status(u64),
}

/// What waits for the end of a call.
pub(super) enum Waiter {
    Caller(oneshot::Sender<Outcome>),
    Map(oneshot::Sender<Map>),
    Connect(oneshot::Sender<Result<(), Error>>),
}

pub(super) struct Driver {
    pub(super) options: Options,
    /// Wakes the task, once it has begun.
    task: Option<Waker>,
    pub(super) machine: Machine,
    /// What the machine is still to be told, in order.
    inputs: VecDeque<Input>,
    pub(super) waiters: BTreeMap<CallId, Waiter>,
    /// The call that waits for the first contact.
    pub(super) connecting: Option<CallId>,
    last_call: u64,
    pub(super) statuses: BTreeMap<u64, StatusCall>,
    pub(super) last_own: u64,
    pub(super) connections: BTreeMap<Endpoint, Connection>,
    /// Who answers at each of them.
    pub(super) answering: BTreeMap<Endpoint, Peer>,
    /// The last failure of each address that has not been reached since.
    pub(super) failures: BTreeMap<Endpoint, Failure>,
    pub(super) timers: Timers<Alarm>,
    pub(super) now: Instant,
}

impl Driver {
    pub(super) fn new(options: Options) -> Self {
        let seeds = options.seeds.iter().map(|seed| Bytes::from(seed.as_str())).collect();
        let (machine, fx) = Machine::new(seeds);
        let mut driver = Self {
            options,
            task: None,
            machine,
            inputs: VecDeque::new(),
            waiters: BTreeMap::new(),
            connecting: None,
            last_call: 0,
            statuses: BTreeMap::new(),
            last_own: OWN_TICKETS,
            connections: BTreeMap::new(),
            answering: BTreeMap::new(),
            failures: BTreeMap::new(),
            timers: Timers::new(),
            now: Instant::now(),
        };
        driver.perform(fx);
        driver
    }

    /// What wakes the task, once it has begun.
    pub(super) fn task(&self) -> Option<&Waker> {
        self.task.as_ref()
    }

    /// Does what a handle asks. What wakes the task, if that has something left to do for it.
    pub(super) fn take(&mut self, command: Command) -> Option<Waker> {
        self.now = Instant::now();
        self.command(command);
        // With others waiting, more may follow at once: the task sends it all together.
        let alone = self.waiters.len() + self.statuses.len() == 1;
        let finished = alone && self.connections.values_mut().all(Connection::flush) && self.timers.alarm_is_set();
        if finished { None } else { self.task.clone() }
    }

    /// Does what there is to do, and has the task woken when there is more.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) {
        if self.task.as_ref().is_none_or(|task| !task.will_wake(cx.waker())) {
            self.task = Some(cx.waker().clone());
        }
        let mut busy = true;
        while busy {
            self.now = Instant::now();
            busy = self.poll_connections(cx);
            busy |= self.poll_timers(cx).is_ready();
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Call { operation, answer } => {
                self.submit(operation, Waiter::Caller(answer));
            }
            Command::Map { answer } => {
                self.submit(Operation::Map, Waiter::Map(answer));
            }
            Command::Connect { answer } => {
                self.connecting = Some(self.submit(Operation::Map, Waiter::Connect(answer)));
                self.check_first_contact();
            }
            Command::Status { address, answer } => self.ask_status(&address, answer),
        }
    }

    fn submit(&mut self, operation: Operation, waiter: Waiter) -> CallId {
        self.last_call += 1;
        let call = CallId::new(self.last_call);
        self.waiters.insert(call, waiter);
        self.step(Input::Submit { call, operation });
        call
    }

    /// Tells the machine, and then all that follows from it at once.
    pub(super) fn step(&mut self, input: Input) {
        self.inputs.push_back(input);
        while let Some(input) = self.inputs.pop_front() {
            let fx = self.machine.step(input);
            self.perform(fx);
        }
    }

    fn perform(&mut self, fx: Effects) {
        for change in fx.timers {
            match change {
                TimerChange::Arm(timer, wait) => self.timers.arm(Alarm::Machine(timer), self.now + self.draw(wait)),
                TimerChange::Disarm(timer) => self.timers.disarm(&Alarm::Machine(timer)),
            }
        }
        for (endpoint, ticket, request) in fx.sends {
            self.send(endpoint, ticket.get(), request);
        }
        for (call, outcome) in fx.completions {
            self.complete(call, outcome);
        }
        for label in fx.labels {
            tracing::trace!(action = label.name(), step = ?label, "client");
        }
    }

    /// How long a timer waits.
    fn draw(&self, wait: Wait) -> Duration {
        let attempt = self.options.attempt_timeout;
        match wait {
            Wait::Deadline => self.options.deadline,
            Wait::Attempt => attempt,
            Wait::ControllerAttempt => attempt.saturating_mul(2).min(CONTROLLER_PATIENCE),
            Wait::Backoff { round } => {
                let longest = BACKOFF * (1 << round.min(BACKOFF_DOUBLINGS));
                longest.mul_f64(0.5 + fastrand::f64() / 2.0)
            }
        }
    }

    /// Hands a request to the node's connection, opening one if there is none.
    pub(super) fn send(&mut self, endpoint: Endpoint, ticket: u64, request: Request) {
        let (options, now) = (&self.options, self.now);
        let connection = self.connections.entry(endpoint.clone()).or_insert_with_key(|endpoint| {
            // Shorter than an attempt: what was never sent is not mistaken for what went unanswered.
            let patience = options.attempt_timeout / 2;
            Connection::open(String::from_utf8_lossy(endpoint).into_owned(), options.cluster.clone(), patience)
        });
        if let Err(error) = connection.send(ticket, request, now) {
            tracing::debug!(%error, "a request is too large to send");
            let reply =
                Reply::Refused(Refusal::ValueTooLarge { limit: u64::from(crate::codec::Kind::Request.limit()) });
            self.inputs.push_back(Input::Received { from: endpoint, ticket: Ticket::new(ticket), reply });
        }
    }

    fn complete(&mut self, call: CallId, outcome: Outcome) {
        match self.waiters.remove(&call) {
            // Whoever dropped the future does not want to know.
            Some(Waiter::Caller(answer)) => drop(answer.send(outcome)),
            Some(Waiter::Map(answer)) => drop(answer.send(self.machine.map())),
            Some(Waiter::Connect(answer)) => {
                self.connecting = None;
                let reached = matches!(outcome, Outcome::Map { .. });
                drop(answer.send(if reached { Ok(()) } else { Err(self.unreached()) }));
            }
            None => {}
        }
    }

    /// Whether there may be more to do at once.
    fn poll_connections(&mut self, cx: &mut Context<'_>) -> bool {
        let mut replies = Vec::new();
        let mut received = Vec::new();
        let mut events = Vec::new();
        for (endpoint, connection) in &mut self.connections {
            if let Poll::Ready(event) = connection.poll(cx, &mut replies) {
                events.push((endpoint.clone(), event));
            }
            if !replies.is_empty() {
                received.push((endpoint.clone(), std::mem::take(&mut replies)));
            }
        }
        if received.is_empty() && events.is_empty() {
            return false;
        }
        let met = !events.is_empty();
        for (from, replies) in received {
            for frame in replies {
                self.received(&from, frame.ticket, frame.reply);
            }
        }
        for (endpoint, event) in events {
            match event {
                Event::Opened(welcome) => self.opened(endpoint, welcome),
                Event::Closed { unsent, failure } => self.closed(endpoint, unsent, failure),
            }
        }
        met || self.connections.values().any(Connection::has_unsent)
    }

    fn poll_timers(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        ready!(self.timers.poll_alarm(cx));
        self.now = Instant::now();
        while let Some(alarm) = self.timers.take_due(self.now) {
            match alarm {
                Alarm::Machine(timer) => self.fired(timer),
                Alarm::Status(ticket) => self.fail_status(ticket, Failure::new("no answer")),
            }
        }
        Poll::Ready(())
    }

    fn fired(&mut self, timer: Timer) {
        let endpoint = match timer {
            Timer::Attempt { ticket } => self.machine.attempt_endpoint(ticket).cloned(),
            Timer::Retry { .. } | Timer::Deadline { .. } => None,
        };
        self.step(Input::Fired { timer });
        let patience = self.options.attempt_timeout * SILENT_ATTEMPTS;
        let silent = |connection: &Connection| connection.quiet(self.now) >= patience;
        if let Some(endpoint) = endpoint.filter(|endpoint| self.connections.get(endpoint).is_some_and(silent)) {
            self.closed(endpoint, false, Failure::new("the node is silent"));
        }
    }
}
