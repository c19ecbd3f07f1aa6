//! What the log says, all groups together: the fold of its records. Recovery builds it; the running log keeps it, to
//! restate it when a segment opens.

use super::record::{Birth, Record, RecordRef, Restated};
use super::replica::{Placed, ReplicaLog};
use super::usage::{Live, Usage};
use crate::codec;
use crate::mutants::mutant;
use quorate_core::controller::{self, NodeInfo};
use quorate_core::effect::Write;
use quorate_core::shard;
use quorate_core::spec::ids::{GroupId, NodeId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The fold of a node's writes, without images.
#[derive(Debug, Default)]
pub struct Fold {
    /// The pinned peers.
    pub peers: BTreeMap<NodeId, NodeInfo>,
    /// Groups whose replica here was destroyed.
    pub tombstones: BTreeSet<GroupId>,
    /// The controller group's replica, if there is one.
    pub controller: Option<ReplicaLog<controller::Command>>,
    /// The data groups' replicas.
    pub data: BTreeMap<GroupId, ReplicaLog<shard::Command>>,
    usage: Usage,
}

impl Fold {
    /// Takes a write in, in the order of the lane. `bytes` is its length in `segment`.
    ///
    /// # Errors
    /// Why it cannot follow what came before.
    pub(super) fn apply(&mut self, write: &Write, placed: Placed) -> Result<(), String> {
        let usage = &mut self.usage;
        match write {
            Write::CreateController { mark, shards } => {
                self.check_new(GroupId::CONTROLLER)?;
                self.controller = Some(ReplicaLog::born(Birth::Controller { shards: *shards }, mark.clone()));
                Ok(())
            }
            Write::CreateData { group, mark, config } => {
                self.check_new(*group)?;
                let birth = Birth::Data { config: Arc::clone(config) };
                self.data.insert(*group, ReplicaLog::born(birth, mark.clone()));
                Ok(())
            }
            Write::Controller(write) => match &mut self.controller {
                Some(replica) => replica.apply(write, placed, usage).map_err(named(GroupId::CONTROLLER)),
                None => Err("a write of the controller group, which has no replica here".into()),
            },
            Write::Data { group, write } => match self.data.get_mut(group) {
                Some(replica) => replica.apply(write, placed, usage).map_err(named(*group)),
                None => Err(format!("a write of group {group}, which has no replica here")),
            },
            Write::Tombstone { group } => {
                if let Some(mut replica) = self.data.remove(group) {
                    replica.forget(usage);
                }
                if *group == GroupId::CONTROLLER
                    && let Some(mut replica) = self.controller.take()
                {
                    replica.forget(usage);
                }
                self.tombstones.insert(*group);
                Ok(())
            }
            Write::Pin { node, info } => {
                self.peers.insert(*node, info.clone());
                Ok(())
            }
        }
    }

    fn check_new(&self, group: GroupId) -> Result<(), String> {
        let here = self.data.contains_key(&group) || (group == GroupId::CONTROLLER && self.controller.is_some());
        match (here, self.tombstones.contains(&group)) {
            (false, false) => Ok(()),
            (true, _) => Err(format!("group {group} is created twice")),
            (false, true) => Err(format!("group {group} is created after it was destroyed")),
        }
    }

    /// Takes a record in, as it is read back. A list of needed segments is not for the fold.
    pub(super) fn absorb(&mut self, record: Record, placed: Placed) -> Result<(), String> {
        match record {
            Record::Write(write) => {
                self.apply(&write, placed)?;
                if mutant!(ReplicaRecreated) {
                    self.tombstones.clear();
                }
                Ok(())
            }
            Record::Needed(_) => Ok(()),
            Record::Restated(restated) => {
                self.restate(restated);
                Ok(())
            }
            Record::ControllerEntries { first, entries } => match &mut self.controller {
                Some(replica) => {
                    replica.hold(first, &entries, placed, &mut self.usage);
                    Ok(())
                }
                None => Err("entries of the controller group, which has no replica here".into()),
            },
            Record::DataEntries { group, first, entries } => match self.data.get_mut(&group) {
                Some(replica) => {
                    replica.hold(first, &entries, placed, &mut self.usage);
                    Ok(())
                }
                None => Err(format!("entries of group {group}, which has no replica here")),
            },
        }
    }

    fn restate(&mut self, restated: Restated) {
        let usage = &mut self.usage;
        if restated.group == GroupId::CONTROLLER {
            match &mut self.controller {
                Some(replica) => replica.restate(restated, usage),
                None => self.controller = Some(ReplicaLog::from_restated(restated)),
            }
        } else {
            match self.data.get_mut(&restated.group) {
                Some(replica) => replica.restate(restated, usage),
                None => {
                    self.data.insert(restated.group, ReplicaLog::from_restated(restated));
                }
            }
        }
    }

    /// What is alive in a segment.
    pub(super) fn live(&self, segment: u64) -> Live {
        self.usage.live(segment)
    }

    /// Forgets segments that are gone.
    pub(super) fn forget_segments(&mut self, kept: impl Fn(u64) -> bool) {
        self.usage.forget_segments(kept);
    }

    /// Frees some of the entries that were let go of.
    pub(super) fn free_some(&mut self) {
        self.usage.free_some();
    }

    /// Appends the records of an opening: everything but the entries, and the entries that lie in `moved` segments.
    ///
    /// # Errors
    /// What the encoder says.
    pub(super) fn encode_opening(&self, needed: &[u64], moved: &[u64], out: &mut Vec<u8>) -> Result<(), String> {
        codec::append_value(&RecordRef::Needed(needed), out)?;
        for (node, info) in &self.peers {
            let pin = Write::Pin { node: *node, info: info.clone() };
            codec::append_value(&RecordRef::Write(&pin), out)?;
        }
        for group in &self.tombstones {
            codec::append_value(&RecordRef::Write(&Write::Tombstone { group: *group }), out)?;
        }
        if let Some(replica) = &self.controller {
            codec::append_value(&RecordRef::Restated(&replica.restated(GroupId::CONTROLLER)), out)?;
            for (first, entries) in replica.runs_in(moved) {
                codec::append_value(&RecordRef::ControllerEntries { first, entries: &entries }, out)?;
            }
        }
        for (group, replica) in &self.data {
            let mut restated = replica.restated(*group);
            if mutant!(IdleGroupVotePurged) && replica.entries().next().is_none() {
                restated.hard = Default::default();
            }
            codec::append_value(&RecordRef::Restated(&restated), out)?;
            for (first, entries) in replica.runs_in(moved) {
                codec::append_value(&RecordRef::DataEntries { group: *group, first, entries: &entries }, out)?;
            }
        }
        Ok(())
    }

    /// The entries of `moved` segments now lie in `segment`.
    pub(super) fn relocate(&mut self, moved: &[u64], segment: u64) {
        let usage = &mut self.usage;
        if let Some(replica) = &mut self.controller {
            replica.relocate(moved, segment, usage);
        }
        for replica in self.data.values_mut() {
            replica.relocate(moved, segment, usage);
        }
    }

    /// Checks that no live entry is missing.
    ///
    /// # Errors
    /// The first group of which one is.
    pub(super) fn check_whole(&self) -> Result<(), String> {
        let missing = |group: GroupId, error| Err(format!("entry {error} of group {group} is missing"));
        if let Some(Err(index)) = self.controller.as_ref().map(ReplicaLog::check_whole) {
            return missing(GroupId::CONTROLLER, index);
        }
        for (group, replica) in &self.data {
            if let Err(index) = replica.check_whole() {
                return missing(*group, index);
            }
        }
        Ok(())
    }
}

fn named(group: GroupId) -> impl FnOnce(String) -> String {
    move |what| format!("group {group}: {what}")
}
