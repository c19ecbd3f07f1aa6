//! What users ask for, one thing after the other, and what they were told of it: the history.

use super::clients::bytes;
use super::random::Random;
use super::time::Moment;
use super::world::{Event, Sabotage, World};
use quorate_core::client::{CallId, Operation as Asked, Outcome as Told};
use quorate_core::shard::{WriteAnswer, WriteOp};
use quorate_spec::history::{Call, Operation, Outcome};
use std::time::Duration;

/// What a user does.
#[derive(Clone, Debug)]
pub struct Workload {
    /// How many keys there are.
    pub keys: usize,
    /// How many of them, the first ones, are only appended to: what would be a put there is an append.
    pub appended: usize,
    /// After how long other keys take their place: no key's history grows for ever.
    pub era: Duration,
    /// Of a thousand operations, how many are gets.
    pub gets: u32,
    /// Of a thousand operations, how many are puts. The rest are appends.
    pub puts: u32,
    /// How long a user thinks, at most.
    pub think: Duration,
    /// Of a thousand writes, how many are huge.
    pub huge: u32,
    /// How long a huge value is, in bytes.
    pub huge_bytes: usize,
    /// When the user stops.
    pub until: Moment,
    /// The user's number in the history. It changes after an operation of unknown outcome, which may still be under way.
    pub process: u64,
    /// How many operations the user has begun.
    pub begun: u64,
}

impl Default for Workload {
    fn default() -> Self {
        Self {
            keys: 8,
            appended: 0,
            era: Duration::from_secs(20),
            gets: 450,
            puts: 50,
            think: Duration::from_millis(50),
            huge: 0,
            huge_bytes: 0,
            until: Duration::MAX,
            process: 0,
            begun: 0,
        }
    }
}

impl Workload {
    fn next(&mut self, random: &mut Random, now: Moment) -> (Vec<u8>, Call) {
        self.begun += 1;
        let era = now.as_nanos() / self.era.as_nanos().max(1);
        let number = random.below(self.keys);
        let key = format!("k{era}-{number}").into_bytes();
        let mut token = format!("{}.{};", self.process, self.begun).into_bytes();
        let draw = random.below(1000) as u32;
        if draw < self.gets {
            return (key, Call::Get);
        }
        if random.per_mille(self.huge) {
            token.splice(0..0, std::iter::repeat_n(b'x', self.huge_bytes));
        }
        (
            key,
            if draw < self.gets + self.puts && number >= self.appended {
                Call::Put(token)
            } else {
                Call::Append(token)
            },
        )
    }
}

impl World {
    /// Has a client work for a user from now on.
    pub fn put_to_work(&mut self, client: usize, workload: Workload) {
        self.last_user += 1;
        self.clients[client].workload = Some(Workload { process: self.last_user, ..workload });
        self.queue.push(self.now, Event::Ask { client });
    }

    /// Has all users stop when what they asked for is over.
    pub fn stop_work(&mut self) {
        for client in &mut self.clients {
            client.workload = None;
        }
    }

    /// Whether no user waits for anything.
    pub fn is_quiet(&self) -> bool {
        self.clients.iter().all(|client| client.recorded.is_empty())
    }

    /// Whether a client still waits for a call of the history.
    pub fn is_under_way(&self, client: usize, call: CallId) -> bool {
        self.clients[client].recorded.contains_key(&call)
    }

    pub(super) fn ask(&mut self, client: usize) {
        let now = self.now;
        let it = &mut self.clients[client];
        let Some(workload) = it.workload.as_mut().filter(|workload| workload.until > now) else { return };
        let (key, call) = workload.next(&mut it.random, now);
        let process = workload.process;
        let huge = workload.huge_bytes;
        self.huge_values +=
            u64::from(matches!(&call, Call::Put(value) | Call::Append(value) if huge > 0 && value.len() >= huge));
        self.operate(client, process, &key, call);
    }

    /// Has a client do one operation as part of the history, for the user `process`.
    pub fn operate(&mut self, client: usize, process: u64, key: &[u8], call: Call) -> CallId {
        let operation = match &call {
            Call::Get => Asked::Get { key: bytes(key) },
            Call::Put(value) => Asked::Write { key: bytes(key), op: WriteOp::Put { value: bytes(value) } },
            Call::Append(value) => Asked::Write { key: bytes(key), op: WriteOp::Append { value: bytes(value) } },
        };
        let place = self.history.len();
        let invoked = self.now.as_nanos() as u64;
        let (key, outcome) = (key.to_vec(), Outcome::Unknown);
        self.history.push(Operation { process, key, call, outcome, invoked, returned: None, place: None });
        let id = self.next_call(client);
        self.clients[client].recorded.insert(id, place);
        self.step_client(client, quorate_core::client::Input::Submit { call: id, operation });
        id
    }

    pub(super) fn completed(&mut self, client: usize, call: CallId, told: Told) {
        let it = &mut self.clients[client];
        let Some(place) = it.recorded.remove(&call) else {
            it.outcomes.insert(call, told);
            return;
        };
        let unknown = self.record(place, told);
        let Some(workload) = self.clients[client].workload.as_mut() else { return };
        if unknown {
            self.last_user += 1;
            workload.process = self.last_user;
        }
        let think = workload.think;
        let pause = self.clients[client].random.between(Duration::ZERO, think);
        self.queue.push(self.now + pause, Event::Ask { client });
    }

    /// Writes down what a user was told. Says whether that leaves the outcome open.
    fn record(&mut self, place: usize, told: Told) -> bool {
        // The judges want an answer after its question.
        let now = self.now.as_nanos() as u64;
        let operation = &mut self.history[place];
        let (outcome, at) = match told {
            Told::Value { value, shard, position } => {
                (Outcome::Value(value.map(|value| value.to_vec())), Some((shard, position)))
            }
            Told::Written { answer: WriteAnswer::Done, shard, position } => (Outcome::Done, Some((shard, position))),
            Told::Written { answer: WriteAnswer::ValueTooLarge { .. }, .. }
            | Told::Refused(_)
            | Told::RefusedByController(_)
            | Told::NotExecuted { .. } => (Outcome::Failed, None),
            Told::Unknown { .. } | Told::Timeout { .. } => (Outcome::Unknown, None),
            Told::Changed { .. } | Told::Configuration(_) | Told::TransferStarted | Told::Map { .. } => return false,
        };
        self.digest.add(now ^ place as u64);
        (operation.outcome, operation.place) = (outcome, at);
        if let (Some(sabotage), Outcome::Value(value)) = (self.sabotage, &mut operation.outcome) {
            match sabotage {
                Sabotage::StaleReads => {
                    *value = self.first_reads.entry(operation.key.clone()).or_insert_with(|| value.clone()).clone();
                }
                Sabotage::ShortReads => {
                    *value = value.take().map(|mut long| {
                        long.truncate(6000);
                        long
                    })
                }
                Sabotage::DoublesCount => {}
            }
        }
        let unknown = operation.outcome == Outcome::Unknown;
        operation.returned = (!unknown).then_some(now);
        unknown
    }
}
