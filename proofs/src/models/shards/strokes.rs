//! How a run of the shard model is drawn: a lane per client and per group (with the real drivers: per member).

use super::ShardsModel;
use super::actions::Step;
use super::read::{entry, message};
use super::scopes::Driver;
use super::state::{Envelope, State};
use crate::scenario::{Lane, Stroke, Tone};
use quorate_core::digest::digest_of;
use quorate_core::shard::{Command, ShardMessage};
use quorate_spec::ids::{GroupId, NodeId};
use quorate_spec::views::{GroupView, RoleView};

impl ShardsModel {
    fn lanes_per_group(&self) -> usize {
        if let Driver::Real { lag: true, .. } = self.scope.driver { 2 } else { 1 }
    }

    pub(super) fn lanes_of(&self) -> Vec<Lane> {
        let client =
            |place: usize| Lane { name: format!("client {}", char::from(b'A' + place as u8)), group: "clients".into() };
        let mut lanes: Vec<Lane> = (0..self.scope.clients.len()).map(client).collect();
        let driven = self.scope.driver != Driver::Any;
        for group in &self.script.groups {
            let nodes = super::script::members(group.gid).into_iter().take(self.lanes_per_group());
            if driven {
                lanes.extend(nodes.map(|node| Lane { name: node.to_string(), group: group.to_string() }));
            } else {
                lanes.push(Lane { name: format!("log of {group}"), group: group.to_string() });
            }
        }
        lanes
    }

    fn lane(&self, group: GroupId, node: Option<NodeId>) -> usize {
        let per = self.lanes_per_group();
        let place = self.script.place(group).unwrap_or_default();
        let nodes = super::script::members(group.gid);
        let member = node.and_then(|node| nodes.iter().position(|other| *other == node)).unwrap_or_default();
        self.scope.clients.len() + place * per + member.min(per - 1)
    }

    /// The lane of the node that sent a message: it speaks for the other group in it.
    fn sender_lane(&self, mail: &Envelope) -> usize {
        let group = match &mail.message {
            ShardMessage::Pull { target, .. } | ShardMessage::Confirmed { target, .. } => *target,
            ShardMessage::Part { origin, .. } | ShardMessage::NotHere { origin, .. } => origin.group,
            ShardMessage::Confirm { origin, .. } => origin.group,
        };
        self.lane(group, Some(mail.from))
    }

    pub(super) fn strokes_of(&self, before: &State, step: &Step, after: &State) -> Vec<Stroke> {
        let mut strokes = Vec::new();
        match step {
            Step::Call { client } => {
                let label = self.sentence_in(before, step);
                strokes.push(Stroke::Note { lane: usize::from(*client), label, tone: Tone::Plain });
            }
            Step::Write { group, client, seq } => {
                if let Some(request) = before.request(&self.script, *client, *seq) {
                    let caller = self.caller(request);
                    let (from, to) = (caller, self.lane(*group, None));
                    let name = digest_of(&(client, seq, group));
                    strokes.push(Stroke::Send { message: name, from, to, label: entry(request) });
                    strokes.push(Stroke::Receive { message: name });
                }
            }
            Step::Install { group, part } => {
                if let Command::InstallChunk { shard, origin, .. } = &**part {
                    let (from, to) = (self.lane(origin.group, None), self.lane(*group, None));
                    let (name, label) = (digest_of(&(group, part)), format!("{shard}, frozen by {}", origin.config));
                    strokes.push(Stroke::Send { message: name, from, to, label });
                    strokes.push(Stroke::Receive { message: name });
                }
            }
            Step::Deliver { mail } => strokes.push(Stroke::Receive { message: digest_of(&**mail) }),
            Step::Crash { group } => {
                let lane = self.lane(*group, None);
                strokes.push(Stroke::Note { lane, label: "the leader crashes".into(), tone: Tone::Fault });
            }
            Step::Restore { group } => {
                let lane = self.lane(*group, None);
                strokes.push(Stroke::Note { lane, label: "leads from an image".into(), tone: Tone::Fault });
            }
            Step::Retire { group } => {
                let lane = self.lane(*group, None);
                strokes.push(Stroke::Note { lane, label: "retires".into(), tone: Tone::Strong });
            }
            Step::Adopt { .. }
            | Step::Collect { .. }
            | Step::Commit { .. }
            | Step::Apply { .. }
            | Step::Tick { .. } => {}
        }
        self.roles_drawn(before, after, &mut strokes);
        if let (Some(was), Some(is)) = (&before.stage, &after.stage) {
            for mail in is.mail.iter().filter(|mail| !was.mail.contains(mail)) {
                let (from, to) = (self.sender_lane(mail), self.lane(mail.group, Some(mail.to)));
                strokes.push(Stroke::Send { message: digest_of(&**mail), from, to, label: message(&mail.message) });
            }
        }
        strokes
    }

    fn caller(&self, request: &Command) -> usize {
        let mine = |requests: &Vec<std::sync::Arc<Command>>| requests.iter().any(|other| **other == *request);
        self.script.requests.iter().position(mine).unwrap_or_default()
    }

    /// What became of groups: configurations, freezes, installs, collections, writes.
    fn roles_drawn(&self, before: &State, after: &State, strokes: &mut Vec<Stroke>) {
        for ((was, is), id) in before.groups.iter().zip(&after.groups).zip(&self.script.groups) {
            let (Some(was), Some(is)) = (was, is) else { continue };
            if was == is {
                continue;
            }
            let lane = self.lane(*id, None);
            for (label, tone) in news(&was.truth.view(), &is.truth.view()) {
                strokes.push(Stroke::Note { lane, label, tone });
            }
        }
    }
}

/// What a group's log says that it did not say before.
fn news(was: &GroupView, is: &GroupView) -> Vec<(String, Tone)> {
    let mut news = Vec::new();
    if was.config != is.config {
        news.push((format!("adopts configuration {}", is.config), Tone::Plain));
    }
    for (shard, config) in is.frozen.keys().filter(|copy| !was.frozen.contains_key(copy)) {
        news.push((format!("freezes {shard} under {config}"), Tone::Strong));
    }
    for (shard, config) in was.frozen.keys().filter(|copy| !is.frozen.contains_key(copy)) {
        news.push((format!("drops {shard} of {config}"), Tone::Strong));
    }
    for (shard, role) in &is.roles {
        match (was.roles.get(shard), role) {
            (Some(RoleView::Serving(old)), RoleView::Serving(new)) if old != new => {
                news.push((format!("writes {shard}"), Tone::Plain));
            }
            (Some(RoleView::Serving(_)), RoleView::Serving(_)) => {}
            (_, RoleView::Serving(_)) => news.push((format!("serves {shard}"), Tone::Strong)),
            (Some(RoleView::Awaiting(_)), RoleView::Awaiting(_)) => {}
            (_, RoleView::Awaiting(origin)) => {
                news.push((format!("awaits {shard} from {}", origin.group), Tone::Plain))
            }
            (_, RoleView::Absent) => {}
        }
    }
    news
}
