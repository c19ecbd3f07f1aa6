//! Local clients: each request is checked, then handed to its group in one batch per group.
//!
//! A refusal made here is made before anything is proposed: the attempt was not and will not be executed.

use super::{Asked, Node};
use crate::bytes::Bytes;
use crate::controller;
use crate::effect::Effects;
use crate::message::{Refusal, Reply, Request};
use crate::shard::{self, WriteOp};
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use quorate_spec::ids::{ConfigNum, DirectoryVersion, GroupId, NodeId, Ticket};

/// A batch sorted by where it goes.
#[derive(Default)]
struct Sorted {
    commands: Asked<controller::Command>,
    queries: Asked<Option<ConfigNum>>,
    writes: BTreeMap<GroupId, Asked<shard::Command>>,
    reads: BTreeMap<GroupId, Asked<Bytes>>,
}

impl Node {
    pub(super) fn requests(&mut self, requests: Vec<(Ticket, Request)>, effects: &mut Effects) {
        let mut sorted = Sorted::default();
        for (ticket, request) in requests {
            self.sort(ticket, request, &mut sorted, effects);
        }
        self.ask_controller(sorted.commands, sorted.queries, effects);
        for (group, writes) in sorted.writes {
            let proposals = writes.into_iter().map(|(ticket, command)| (Some(ticket), command)).collect();
            self.with_data(group, effects, |group, limits| group.propose(proposals, limits));
        }
        for (group, keys) in sorted.reads {
            self.with_data(group, effects, |group, limits| group.read(keys, limits));
        }
    }

    fn sort(&mut self, ticket: Ticket, request: Request, sorted: &mut Sorted, effects: &mut Effects) {
        let refusal = match request {
            Request::Map { config, version } => return effects.replies.push((ticket, self.newer_map(config, version))),
            Request::Status => {
                let status = Reply::Status(Arc::new(self.status()));
                return effects.replies.push((ticket, status));
            }
            Request::Query { num } => return sorted.queries.push((ticket, num)),
            Request::TransferLeadership { group, to } => return self.transfer(ticket, group, to, effects),
            Request::RegisterClient | Request::Change { .. } | Request::Write { .. } if self.disk_full => {
                Refusal::DiskFull
            }
            Request::RegisterClient => {
                let limit = self.limits.sessions;
                return sorted.commands.push((ticket, controller::Command::RegisterClient { limit }));
            }
            Request::Change { client, seq, change } => {
                return sorted.commands.push((ticket, controller::Command::Change { client, seq, change }));
            }
            Request::Get { group, key } => match self.refusal(group, &key, 0) {
                Some(refusal) => refusal,
                None => return sorted.reads.entry(group).or_default().push((ticket, key)),
            },
            Request::Write { group, client, seq, key, op } => {
                let (WriteOp::Put { value } | WriteOp::Append { value }) = &op;
                match self.refusal(group, &key, value.len()) {
                    Some(refusal) => refusal,
                    None => {
                        let value_limit = self.limits.value_bytes as u64;
                        let command = shard::Command::Write { client, seq, key, op, value_limit };
                        return sorted.writes.entry(group).or_default().push((ticket, command));
                    }
                }
            }
        };
        effects.replies.push((ticket, Reply::Refused(refusal)));
    }

    /// Why a request on a key cannot even be proposed: sizes, no such group, not its leader, or the leader's applied
    /// state does not serve the shard (which only saves the way through the log: ownership is decided when applied).
    fn refusal(&self, group: GroupId, key: &Bytes, value_bytes: usize) -> Option<Refusal> {
        if key.len() > self.limits.key_bytes {
            return Some(Refusal::KeyTooLarge { limit: self.limits.key_bytes as u64 });
        }
        if value_bytes > self.limits.value_bytes {
            return Some(Refusal::ValueTooLarge { limit: self.limits.value_bytes as u64 });
        }
        let Some(data) = self.data.get(&group) else { return Some(Refusal::NoSuchGroup) };
        let replica = data.group.replica();
        if !replica.is_leader() {
            return Some(Refusal::NotLeader { leader: replica.leader() });
        }
        data.group.machine().not_served(key).map(super::machines::refused)
    }

    fn ask_controller(
        &mut self,
        commands: Asked<controller::Command>,
        queries: Asked<Option<ConfigNum>>,
        effects: &mut Effects,
    ) {
        if self.controller.is_none() {
            let tickets =
                commands.into_iter().map(|(ticket, _)| ticket).chain(queries.into_iter().map(|(ticket, _)| ticket));
            return effects.replies.extend(tickets.map(|ticket| (ticket, Reply::Refused(Refusal::NoSuchGroup))));
        }
        if !commands.is_empty() {
            let proposals = commands.into_iter().map(|(ticket, command)| (Some(ticket), command)).collect();
            self.with_controller(effects, |group, limits| group.propose(proposals, limits));
        }
        if !queries.is_empty() {
            self.with_controller(effects, |group, limits| group.read(queries, limits));
        }
    }

    fn transfer(&mut self, ticket: Ticket, group: GroupId, to: NodeId, effects: &mut Effects) {
        if group == GroupId::CONTROLLER && self.controller.is_some() {
            self.with_controller(effects, |group, limits| group.transfer(ticket, to, limits));
        } else if self.data.contains_key(&group) {
            self.with_data(group, effects, |group, limits| group.transfer(ticket, to, limits));
        } else {
            effects.replies.push((ticket, Reply::Refused(Refusal::NoSuchGroup)));
        }
    }

    fn newer_map(&self, config: ConfigNum, version: DirectoryVersion) -> Reply {
        let latest = self.map.latest().filter(|latest| latest.num > config || version == DirectoryVersion::ZERO);
        let directory = self.map.directory();
        let newer = directory.version > version;
        Reply::Map { config: latest.cloned(), directory: newer.then(|| Arc::clone(directory)) }
    }
}
