//! How a person reads a run of the shard model: one sentence per step, one line per change.

use super::ShardsModel;
use super::actions::Step;
use super::judge::shown;
use super::state::{Group, State};
use quorate_core::shard::{Command, Cursor, Outcome, ReadAnswer, Records, ShardMessage, WriteOp, WriteRefusal};
use quorate_spec::ids::ShardId;
use quorate_spec::views::RoleView;

/// A step in the domain's words, without knowing where it is taken.
pub(super) fn sentence(step: &Step) -> String {
    match step {
        Step::Call { client } => format!("client {} calls its next request", letter(*client)),
        Step::Write { group, client, seq } => {
            format!("request {seq} of session {client} reaches {group} and is committed")
        }
        Step::Adopt { group, config } => format!("{group} commits the adoption of configuration {config}"),
        Step::Install { group, part } => format!("{group} commits {}", entry(part)),
        Step::Collect { group, shard, config } => {
            format!("{group} commits the collection of its copy of {shard} frozen by configuration {config}")
        }
        Step::Restore { group } => format!("a replica brought up from an image leads {group}"),
        Step::Retire { group } => format!("{group} retires: it left and holds nothing"),
        Step::Commit { group, entry: command } => format!("{group} commits {}", entry(command)),
        Step::Deliver { mail } => format!("{} receives from {}: {}", mail.to, mail.from, message(&mail.message)),
        Step::Apply { group, node } => format!("{node}, which lags in {group}, applies its next entry"),
        Step::Tick { group } => format!("the driver's timer fires at the leader of {group}"),
        Step::Crash { group } => format!("the leader of {group} crashes, and the next member leads"),
    }
}

fn letter(client: u8) -> char {
    char::from(b'A' + client % 26)
}

/// An entry of a group's log in a few words.
pub(super) fn entry(command: &Command) -> String {
    match command {
        Command::Write { client, seq, key, op, .. } => {
            let (verb, value) = match op {
                WriteOp::Put { value } => ("put", value),
                WriteOp::Append { value } => ("append", value),
            };
            format!("request {seq} of {client}: {verb} {value:?} to {key:?}")
        }
        Command::AdoptConfiguration { config } => format!("the adoption of configuration {}", config.num),
        Command::InstallChunk { shard, origin, from, records, next } => {
            let last = if next.is_none() { "the last part" } else { "a part" };
            let (group, config) = (origin.group, origin.config);
            let what = contents(records);
            format!(
                "{last} of {shard} from the copy that {group} froze by configuration {config}, {}: {what}",
                place(from)
            )
        }
        Command::Collect { shard, config } => {
            format!("the collection of its copy of {shard} frozen by configuration {config}")
        }
    }
}

fn contents(records: &Records) -> String {
    let data = records.data.iter().map(|(key, value)| format!("{key:?} = {value:?}"));
    let sessions = records.sessions.iter().map(|(client, record)| format!("{client} did {}", record.seq));
    let floor = (records.floor.get() > 0).then(|| format!("floor {}", records.floor));
    let items: Vec<String> = data.chain(sessions).chain(floor).collect();
    if items.is_empty() { "nothing in it".into() } else { items.join(", ") }
}

fn place(cursor: &Cursor) -> String {
    match cursor {
        Cursor::Start => "from the beginning".into(),
        Cursor::AfterKey(key) => format!("after key {key:?}"),
        Cursor::Sessions => "from the sessions on".into(),
        Cursor::AfterSession(client) => format!("after session {client}"),
    }
}

/// A message in a few words.
pub(super) fn message(message: &ShardMessage) -> String {
    match message {
        ShardMessage::Pull { target, shard, origin, from } => {
            format!("{target} asks for {shard} as frozen by configuration {}, {}", origin.config, place(from))
        }
        ShardMessage::Part { shard, origin, records, .. } => {
            format!(
                "a part of {shard} as {} froze it by configuration {}: {}",
                origin.group,
                origin.config,
                contents(records)
            )
        }
        ShardMessage::NotHere { shard, origin, .. } => {
            format!("no copy of {shard} frozen by configuration {} here", origin.config)
        }
        ShardMessage::Confirm { target, shard, taken, .. } => {
            format!("has {target} installed {shard}, taken over by configuration {taken}?")
        }
        ShardMessage::Confirmed { target, shard, origin } => {
            format!("{target} has installed {shard}: the copy frozen by configuration {} may go", origin.config)
        }
    }
}

impl ShardsModel {
    /// The step, and what it meant in this state.
    pub(super) fn sentence_in(&self, before: &State, step: &Step) -> String {
        let plain = match step {
            Step::Call { client } => {
                let called = before.called.get(usize::from(*client)).copied().unwrap_or_default();
                let requests = self.script.requests.get(usize::from(*client));
                let request = requests.and_then(|requests| requests.get(usize::from(called)));
                let what = request.map_or_else(|| "nothing".into(), |request| entry(request));
                return format!("client {} calls {what}", letter(*client));
            }
            Step::Write { group, client, seq } => {
                let request = before.request(&self.script, *client, *seq);
                let what = request.map_or_else(|| "a request never called".into(), |request| entry(request));
                format!("{group} commits {what}")
            }
            _ => sentence(step),
        };
        match self.meaning(before, step) {
            Some(meaning) => format!("{plain} — {meaning}"),
            None => plain,
        }
    }

    /// What a step comes to in this state.
    fn meaning(&self, before: &State, step: &Step) -> Option<String> {
        let entry = match step {
            Step::Write { group, client, seq } => {
                before.request(&self.script, *client, *seq).map(|request| (*group, Command::clone(request)))
            }
            Step::Adopt { group, config } => self.script.config(*config).map(|config| {
                let config = config.clone();
                (*group, Command::AdoptConfiguration { config })
            }),
            Step::Install { group, part } => Some((*group, Command::clone(part))),
            Step::Collect { group, shard, config } => {
                Some((*group, Command::Collect { shard: *shard, config: *config }))
            }
            Step::Commit { group, entry } => Some((*group, Command::clone(entry))),
            _ => None,
        };
        let Some((group, command)) = entry else {
            return self.take(before, step).is_none().then(|| "without effect".into());
        };
        let Some(group) = before.group(&self.script, group) else {
            return Some("the group is gone".into());
        };
        let mut truth = group.truth.clone();
        let applied = truth.apply(group.next_index(), &command);
        match applied.outcome {
            Some(outcome) => Some(answered(outcome, group)),
            None => (truth == group.truth).then(|| "ignored".into()),
        }
    }

    /// What the step changed, one line each.
    pub(super) fn changes_of(&self, before: &State, after: &State) -> Vec<String> {
        let mut lines = Vec::new();
        for ((was, is), id) in before.groups.iter().zip(&after.groups).zip(&self.script.groups) {
            match (was, is) {
                (Some(was), Some(is)) => {
                    group_changes(was, is, &mut lines);
                    self.reads_changed(was, is, &mut lines);
                }
                (Some(_), None) => lines.push(format!("{id} is gone for good")),
                (None, _) => {}
            }
        }
        for key in &self.script.keys {
            let (was, is) = (before.ghost.store.get(key), after.ghost.store.get(key));
            if was != is {
                lines.push(format!("ghost: {key:?} {} -> {}", shown(was), shown(is)));
            }
        }
        let (was, is) = (before.offers.parts.len(), after.offers.parts.len());
        if was != is {
            lines.push(format!("parts that replicas can give: {was} -> {is}"));
        }
        for message in after.offers.confirmed.iter().filter(|message| !before.offers.confirmed.contains(message)) {
            lines.push(format!("can be said from now on: {}", self::message(message)));
        }
        self.stage_changes(before, after, &mut lines);
        if let (None, Some(violation)) = (&before.violation, &after.violation) {
            lines.push(format!("VIOLATION {violation}"));
        }
        lines
    }

    /// What clients find at a group that they did not find before.
    fn reads_changed(&self, was: &Group, is: &Group, lines: &mut Vec<String>) {
        let id = is.truth.group();
        let found = |group: &Group, key| match group.truth.read(key, group.next_index()) {
            ReadAnswer::Value { value, .. } => Some(shown(value.as_deref())),
            ReadAnswer::Refused(_) => None,
        };
        for key in &self.script.keys {
            match (found(was, key), found(is, key)) {
                (was, Some(is)) if was.as_ref() != Some(&is) => {
                    lines.push(format!("{id}: a read of {key:?} finds {is}"))
                }
                (Some(_), None) => lines.push(format!("{id}: answers no reads of {key:?} any more")),
                _ => {}
            }
        }
    }

    fn stage_changes(&self, before: &State, after: &State, lines: &mut Vec<String>) {
        let (Some(was), Some(is)) = (&before.stage, &after.stage) else { return };
        for mail in is.mail.iter().filter(|mail| !was.mail.contains(mail)) {
            lines.push(format!("sent {} to {}: {}", mail.from, mail.to, message(&mail.message)));
        }
        for ((was, is), group) in was.crews.iter().zip(&is.crews).zip(&self.script.groups) {
            for command in is.proposed.iter().filter(|command| !was.proposed.contains(command)) {
                lines.push(format!("{group} proposes {}", entry(command)));
            }
            for (_, is) in was.members.iter().zip(&is.members).filter(|(was, is)| was.state != is.state) {
                lines.push(format!("{} has applied another entry of {group}", is.node));
            }
        }
    }
}

fn answered(outcome: Outcome, group: &Group) -> String {
    match outcome {
        Outcome::Written { position, .. } if position.index == group.next_index() => {
            format!("answered as executed at {position}")
        }
        Outcome::Written { position, .. } => format!("answered again with its first position {position}"),
        Outcome::Refused(WriteRefusal::WrongGroup { config }) => {
            format!("refused: another group's shard as of configuration {config}")
        }
        Outcome::Refused(WriteRefusal::NotYetHere { config }) => {
            format!("refused: the shard of configuration {config} has not arrived")
        }
        Outcome::Refused(WriteRefusal::SessionExpired) => "refused: the session has ended".into(),
        Outcome::Refused(WriteRefusal::Superseded) => "refused: the session executed a later request".into(),
        Outcome::Refused(WriteRefusal::SeqReused) => "refused: the number was used for another command".into(),
    }
}

fn group_changes(was: &Group, is: &Group, lines: &mut Vec<String>) {
    let id = is.truth.group();
    let (before, after) = (was.truth.view(), is.truth.view());
    if before.config != after.config {
        lines.push(format!("{id}: configuration {} -> {}", before.config, after.config));
    }
    for (shard, role) in &after.roles {
        let earlier = before.roles.get(shard);
        if earlier != Some(role) {
            let earlier = earlier.map_or_else(|| "absent".into(), role_in_words);
            lines.push(format!("{id}: {shard} {earlier} -> {}", role_in_words(role)));
        }
    }
    let named = |(shard, config): &(ShardId, _)| format!("copy of {shard} frozen by configuration {config}");
    for (copy, _) in after.frozen.iter().filter(|(copy, _)| !before.frozen.contains_key(copy)) {
        lines.push(format!("{id}: keeps the {}", named(copy)));
    }
    for (copy, content) in &before.frozen {
        match after.frozen.get(copy) {
            None => lines.push(format!("{id}: drops the {}", named(copy))),
            Some(now) if now != content => lines.push(format!("{id}: CHANGES the {}", named(copy))),
            Some(_) => {}
        }
    }
}

fn role_in_words(role: &RoleView) -> String {
    match role {
        RoleView::Absent => "absent".into(),
        RoleView::Serving(copy) => {
            let sessions: Vec<String> =
                copy.sessions.iter().map(|(client, seq)| format!("{client} did {seq}")).collect();
            let floor = if copy.floor.get() > 0 { format!(", floor {}", copy.floor) } else { String::new() };
            let known = if sessions.is_empty() { "no sessions".into() } else { sessions.join(", ") };
            format!("served ({known}{floor})")
        }
        RoleView::Awaiting(origin) => format!("awaited from {} (configuration {})", origin.group, origin.config),
    }
}
