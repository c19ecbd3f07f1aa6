//! Histories as JSON lines in Jepsen's shape, and the one place that judges them ([`judge`]).
//!
//! Each line is an event: `{"process","type":"invoke|ok|fail|info","f":"get|put|append","key","value","time"}`, bytes in
//! base64, time in nanoseconds since the recording began. An `ok` also carries `shard`, `config` and `index`: where the
//! operation took effect. `fail` means that it had no effect; whatever is uncertain is `info`. After an `info` the
//! process number is not used again, because its operation may still be under way.

mod judgement;

pub use judgement::{Judgement, describe, judge};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quorate_spec::history::{Call, Operation, Outcome};
use quorate_spec::ids::{ConfigNum, LogIndex, Position, ShardId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, Write};

/// What an event says about its operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Invoke,
    Ok,
    Fail,
    Info,
}

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Function {
    Get,
    Put,
    Append,
}

/// One line of a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    process: u64,
    #[serde(rename = "type")]
    kind: Kind,
    f: Function,
    key: String,
    value: Option<String>,
    time: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shard: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    config: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    index: Option<u64>,
}

/// Why a history cannot be read.
#[derive(Debug)]
pub enum ReadError {
    /// The file cannot be read.
    Io(io::Error),
    /// A line is not an event, or does not fit the lines before it. Lines count from 1.
    Line(usize, String),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the history cannot be read: {error}"),
            Self::Line(line, why) => write!(f, "line {line} of the history: {why}"),
        }
    }
}

impl std::error::Error for ReadError {}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn function_and_value(call: &Call) -> (Function, Option<String>) {
    match call {
        Call::Get => (Function::Get, None),
        Call::Put(value) => (Function::Put, Some(STANDARD.encode(value))),
        Call::Append(value) => (Function::Append, Some(STANDARD.encode(value))),
    }
}

fn write_event(out: &mut impl Write, event: &Event) -> io::Result<()> {
    serde_json::to_writer(&mut *out, event)?;
    out.write_all(b"\n")
}

/// Writes the line that an operation begins with.
pub fn write_invoke(out: &mut impl Write, process: u64, key: &[u8], call: &Call, time: u64) -> io::Result<()> {
    let (f, value) = function_and_value(call);
    let key = STANDARD.encode(key);
    let event = Event { process, kind: Kind::Invoke, f, key, value, time, shard: None, config: None, index: None };
    write_event(out, &event)
}

/// Writes the line that an operation ends with.
pub fn write_return(
    out: &mut impl Write,
    process: u64,
    key: &[u8],
    call: &Call,
    outcome: &Outcome,
    place: Option<(ShardId, Position)>,
    time: u64,
) -> io::Result<()> {
    let (f, asked) = function_and_value(call);
    let (kind, value) = match outcome {
        Outcome::Value(value) => (Kind::Ok, value.as_ref().map(|value| STANDARD.encode(value))),
        Outcome::Done => (Kind::Ok, asked),
        Outcome::Failed => (Kind::Fail, asked),
        Outcome::Unknown => (Kind::Info, asked),
    };
    let (shard, config, index) = match place {
        Some((shard, at)) => (Some(shard.get()), Some(at.config.get()), Some(at.index.get())),
        None => (None, None, None),
    };
    write_event(out, &Event { process, kind, f, key: STANDARD.encode(key), value, time, shard, config, index })
}

/// Writes a whole history, its events in the order of time.
pub fn write(out: &mut impl Write, operations: &[Operation]) -> io::Result<()> {
    let mut ends: Vec<(u64, bool, &Operation)> = Vec::with_capacity(2 * operations.len());
    for operation in operations {
        ends.push((operation.invoked, false, operation));
        ends.extend(operation.returned.map(|returned| (returned, true, operation)));
    }
    ends.sort_by_key(|(time, is_return, _)| (*time, *is_return));
    for (time, is_return, Operation { process, key, call, outcome, place, .. }) in ends {
        if is_return {
            write_return(out, *process, key, call, outcome, *place, time)?;
        } else {
            write_invoke(out, *process, key, call, time)?;
        }
    }
    Ok(())
}

/// Reads a history. An operation that never returned is one whose outcome is unknown.
///
/// # Errors
/// A line that is not an event, a return without its invocation, or an invocation while the process is still busy.
pub fn read(input: impl BufRead) -> Result<Vec<Operation>, ReadError> {
    let mut operations: Vec<Operation> = Vec::new();
    let mut open: BTreeMap<u64, usize> = BTreeMap::new();
    for (number, line) in input.lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let event = serde_json::from_str(&line).map_err(|error| ReadError::Line(number + 1, error.to_string()))?;
        take_event(&mut operations, &mut open, event).map_err(|why| ReadError::Line(number + 1, why))?;
    }
    Ok(operations)
}

fn decode(text: &str) -> Result<Vec<u8>, String> {
    STANDARD.decode(text).map_err(|error| format!("not base64: {error}"))
}

fn take_event(operations: &mut Vec<Operation>, open: &mut BTreeMap<u64, usize>, event: Event) -> Result<(), String> {
    let key = decode(&event.key)?;
    let value = event.value.as_deref().map(decode).transpose()?;
    if event.kind == Kind::Invoke {
        if open.contains_key(&event.process) {
            return Err(format!("process {} invokes while its last operation is open", event.process));
        }
        open.insert(event.process, operations.len());
        operations.push(invoked(&event, key, value)?);
        return Ok(());
    }
    let operation = match event.kind {
        Kind::Info => open.get(&event.process).copied(), // Still open: it may take effect later.
        _ => open.remove(&event.process),
    };
    let operation = operation
        .and_then(|at| operations.get_mut(at))
        .ok_or_else(|| format!("process {} returns without having invoked", event.process))?;
    if operation.key != key || function_and_value(&operation.call).0 != event.f {
        return Err(format!("process {} returns from another operation than it invoked", event.process));
    }
    returned(operation, &event, value)
}

fn invoked(event: &Event, key: Vec<u8>, value: Option<Vec<u8>>) -> Result<Operation, String> {
    let call = match (event.f, value) {
        (Function::Get, _) => Call::Get,
        (Function::Put, Some(value)) => Call::Put(value),
        (Function::Append, Some(value)) => Call::Append(value),
        (Function::Put | Function::Append, None) => return Err("a write without a value".into()),
    };
    let (process, outcome, invoked) = (event.process, Outcome::Unknown, event.time);
    Ok(Operation { process, key, call, outcome, invoked, returned: None, place: None })
}

fn returned(operation: &mut Operation, event: &Event, value: Option<Vec<u8>>) -> Result<(), String> {
    if event.time < operation.invoked {
        return Err(format!("process {} returns before it invoked", event.process));
    }
    operation.place = match (event.shard, event.config, event.index) {
        (Some(shard), Some(config), Some(index)) => {
            let position = Position { config: ConfigNum::new(config), index: LogIndex::new(index) };
            Some((ShardId::new(shard), position))
        }
        (None, None, None) => None,
        _ => return Err("shard, config and index come together or not at all".into()),
    };
    operation.outcome = match (event.kind, event.f) {
        (Kind::Ok, Function::Get) => Outcome::Value(value),
        (Kind::Ok, Function::Put | Function::Append) => Outcome::Done,
        (Kind::Fail, _) => Outcome::Failed,
        (Kind::Info | Kind::Invoke, _) => Outcome::Unknown,
    };
    // An unknown operation has no end: whatever comes after it may still come before its effect.
    operation.returned = (operation.outcome != Outcome::Unknown).then_some(event.time);
    Ok(())
}

#[cfg(test)]
mod tests;
