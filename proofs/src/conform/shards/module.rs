//! A run of data groups as a TLA+ module: `TraceData`, with the constants that `TraceShardKV` needs for it.

use super::super::module::{Generated, choice, quoted, render};
use super::{Content, Event, Holding, Made, Mark, Place, Request, Run};
use quorate_spec::ids::{ConfigNum, GroupId};
use quorate_spec::views::Origin;

/// The modules that a run is checked with, the one that is explored last.
const MODULES: &[&str] = &["KV", "ShardKV", "TraceShardKV"];
/// What is checked on the way.
const CHECKED: &str = "OneOwner NoShardLost SessionOrder AtMostOnce ConfigurationWellFormed ConfigurationBalanced";

/// The first events of a run as a module.
pub(super) fn generate(run: &Run, events: usize) -> Generated {
    let lines: Vec<String> = run.events.iter().take(events).map(record).collect();
    let shard_of = run.keys.iter().map(|(key, shard)| format!("{key} |-> {shard}"));
    let programs = run.programs.iter().map(|program| sequence(program.iter().map(request)));
    let data = format!(
        "---- MODULE TraceData ----\nEXTENDS Naturals, Sequences\n\nTraceShardOf == [{}]\n\nTraceProgram == {}\n\n\
         Count == {}\n\nEvent(i) ==\n{}\n====\n",
        joined(shard_of),
        sequence(programs),
        lines.len(),
        choice(1, &lines)
    );
    let config = format!(
        "CONSTANTS\n    Key = {}\n    Shard = {}\n    ShardOf <- TraceShardOf\n    Program <- TraceProgram\n    \
         Script <- NoScript\nSPECIFICATION TraceSpec\nINVARIANTS {CHECKED} NotAccepted\n\
         PROPERTIES ConfigStep FrozenImmutable\nCHECK_DEADLOCK FALSE\n",
        set(run.keys.keys().map(|key| quoted(key))),
        set((0..run.shards).map(|shard| shard.to_string())),
    );
    Generated { modules: MODULES, data, config, depth: lines.len() + 10 }
}

fn record(event: &Event) -> String {
    let mut fields = vec![("name", quoted(event.name))];
    fields.extend(event.group.map(|id| ("group", group(id))));
    fields.extend(event.told.iter().map(|(name, number)| (*name, number.to_string())));
    fields.push(("gids", set(event.gids.iter().map(u64::to_string))));
    fields.push(("value", value(&event.value)));
    fields.push(("made", sequence(event.made.as_ref().map(made))));
    fields.push(("after", sequence(event.after.as_ref().map(holding))));
    render(&fields)
}

fn request(request: &Request) -> String {
    render(&[("op", quoted(request.op)), ("key", quoted(&request.key))])
}

fn group(id: GroupId) -> String {
    format!("<<{}, {}>>", id.gid.get(), id.born.get())
}

fn value(marks: &[Mark]) -> String {
    sequence(marks.iter().map(|(client, seq)| format!("<<{client}, {seq}>>")))
}

/// Nobody is <<0, 0>>, and what never had an owner froze with nobody.
fn made(made: &Made) -> String {
    let owner = |owner: &Option<GroupId>| group(owner.unwrap_or(GroupId::CONTROLLER));
    let origin = |origin: &Option<Origin>| {
        let origin = origin.unwrap_or(Origin { group: GroupId::CONTROLLER, config: ConfigNum::ZERO });
        render(&[("group", group(origin.group)), ("config", origin.config.to_string())])
    };
    let pairs = |which: &dyn Fn(&Place) -> String| {
        set(made.shards.iter().enumerate().map(|(shard, place)| format!("<<{shard}, {}>>", which(place))))
    };
    render(&[
        ("members", set(made.members.iter().map(|id| group(*id)))),
        ("owners", pairs(&|(it, _)| owner(it))),
        ("origins", pairs(&|(_, it)| origin(it))),
        ("floor", made.floor.to_string()),
    ])
}

fn holding(holding: &Holding) -> String {
    let serving = holding.serving.iter().map(|(shard, copy)| format!("<<{shard}, {}>>", content(copy)));
    let frozen = holding.frozen.iter();
    let frozen = frozen.map(|((shard, config), copy)| format!("<<{shard}, {config}, {}>>", content(copy)));
    render(&[("config", holding.config.to_string()), ("serving", set(serving)), ("frozen", set(frozen))])
}

fn content(content: &Content) -> String {
    let data = content.data.iter().map(|(key, marks)| format!("<<{}, {}>>", quoted(key), value(marks)));
    let last = content.last.iter().map(|(client, seq)| format!("<<{client}, {seq}>>"));
    render(&[("data", set(data)), ("last", set(last)), ("floor", content.floor.to_string())])
}

fn set(items: impl IntoIterator<Item = String>) -> String {
    format!("{{{}}}", joined(items))
}

fn sequence(items: impl IntoIterator<Item = String>) -> String {
    format!("<<{}>>", joined(items))
}

fn joined(items: impl IntoIterator<Item = String>) -> String {
    items.into_iter().collect::<Vec<_>>().join(", ")
}
