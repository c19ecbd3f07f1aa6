//! The controller's state and how commands change it.
//!
//! Every replica applies the same commands in the same order and must come to the same state: nothing here depends on
//! anything but the state and the command. Configurations are only ever added.

use super::change::{self, Plan};
use super::sessions::{SessionRecord, Sessions};
use super::types::{Answer, Change, Command, Configuration, Directory, NodeInfo, Refusal};
use crate::digest::digest_of;
use crate::mutants::mutant;
use crate::node::is_same;
use alloc::sync::Arc;
use alloc::vec::Vec;
use quorate_spec::action::Action;
use quorate_spec::ids::{ClientId, ConfigNum, GroupId, NodeId, Seq};
use rpds::VectorSync;

/// The controller's replicated state. A clone shares everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Controller {
    /// Every configuration, by its number. Never empty, except in an image that is still being absorbed.
    pub(super) configurations: VectorSync<Arc<Configuration>>,
    /// Who is where.
    pub(super) directory: Arc<Directory>,
    /// The sessions of clients that change the configuration.
    pub(super) sessions: Sessions,
    /// The order in which maps without order would hold their items here.
    #[cfg(feature = "mutants")]
    pub(super) map_order: crate::mutants::MapOrder,
}

impl Controller {
    /// The state before any command: configuration 0, without groups, all its `shards` with nobody.
    pub fn genesis(shards: u32) -> Self {
        let mut controller = Self::empty();
        controller.configurations.push_back_mut(Arc::new(Configuration::genesis(shards)));
        controller
    }

    /// No configuration at all: only where one is about to be added.
    pub(super) fn empty() -> Self {
        Self {
            configurations: VectorSync::new_sync(),
            directory: Arc::default(),
            sessions: Sessions::genesis(),
            #[cfg(feature = "mutants")]
            map_order: crate::mutants::MapOrder::default(),
        }
    }

    /// Applies a committed command: its answer, and the step's name if it changed the configurations, the directory or
    /// the sessions issued (a repeated, refused or needless command is no step of the specification).
    pub fn apply(&mut self, command: &Command) -> (Answer, Option<Action>) {
        match command {
            Command::RegisterClient { limit } => self.register_client(*limit),
            Command::RegisterNode { node, info } => self.register_node(*node, info),
            Command::Change { client, seq, change } => self.change(*client, *seq, change),
            Command::Retire { group } => self.retire(*group),
        }
    }

    /// The configuration with this number; the latest one for none, or for a number beyond it.
    pub fn query(&self, num: Option<ConfigNum>) -> Arc<Configuration> {
        num.and_then(|num| self.configurations.get(place_of(num))).unwrap_or(self.latest()).clone()
    }

    /// The latest configuration.
    pub fn latest(&self) -> &Arc<Configuration> {
        self.configurations.last().expect("configuration 0 is made at genesis and none is ever removed")
    }

    /// The directory: registered nodes, and every group that exists.
    pub fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// The configurations that follow `config`, in order, `most` of them at the most.
    pub fn configs_after(&self, config: ConfigNum, most: usize) -> Vec<Arc<Configuration>> {
        let first = place_of(config).saturating_add(1);
        (first..self.configurations.len())
            .take(most)
            .filter_map(|place| self.configurations.get(place).cloned())
            .collect()
    }

    /// How many shards the cluster has.
    pub fn shards(&self) -> usize {
        self.latest().shards.len()
    }

    /// Sessions below it have ended.
    pub fn floor(&self) -> ClientId {
        self.latest().floor
    }

    /// The session that the next registration gets.
    pub fn next_client(&self) -> ClientId {
        self.sessions.next
    }

    /// How many sessions were issued and have not ended.
    pub fn live_sessions(&self) -> u64 {
        self.sessions.live(self.floor())
    }

    /// Issues a session, first making room for it if need be.
    fn register_client(&mut self, limit: u64) -> (Answer, Option<Action>) {
        if let Some(floor) = self.sessions.floor_to_make_room(self.floor(), limit) {
            let config = change::raise_floor(floor, self.latest());
            self.commit(config);
        }
        let client = self.sessions.issue();
        if mutant!(SessionIssuedAgain) && client > self.floor() && self.floor() > ClientId::ZERO {
            self.sessions.next = client;
        }
        (Answer::ClientRegistered { client }, Some(Action::RegisterClient { client }))
    }

    /// Records a node, or its new address. A known node keeps its stamp for ever (`wiped-disk-votes`).
    fn register_node(&mut self, node: NodeId, info: &NodeInfo) -> (Answer, Option<Action>) {
        let known = self.directory.nodes.get(&node);
        if known.is_some_and(|known| !is_same(known.stamp, info.stamp)) && !mutant!(StampReplaced) {
            return (Answer::Refused(Refusal::OtherStamp { node }), None);
        }
        if known == Some(info) {
            return (Answer::NodeRegistered, None);
        }
        let directory = self.next_directory();
        directory.nodes.insert(node, info.clone());
        (Answer::NodeRegistered, Some(Action::RegisterNode { node }))
    }

    /// Executes a change once per session and number, and answers every retry as the first time.
    fn change(&mut self, client: ClientId, seq: Seq, change: &Change) -> (Answer, Option<Action>) {
        let digest = digest_of(change);
        if let Some(answer) = self.sessions.settled(client, seq, digest, self.floor()) {
            return (answer, None);
        }
        let plan = change::plan(change, self.latest(), &self.directory, self.next_client());
        #[cfg(feature = "mutants")]
        let plan = match plan {
            Ok(Some((config, action))) if self.map_order.is_other() => {
                Ok(Some((change::in_other_order(self.latest(), config), action)))
            }
            plan => plan,
        };
        let (answer, action) = self.carry_out(plan);
        // A client may have ended its own session: nothing below the floor is kept.
        if client >= self.floor() {
            self.sessions.record(client, SessionRecord { seq, digest, answer: answer.clone() });
        }
        (answer, action)
    }

    fn carry_out(&mut self, plan: Plan) -> (Answer, Option<Action>) {
        match plan {
            Ok(Some((config, action))) => {
                self.commit(config);
                (Answer::Changed { config: self.latest().num }, Some(action))
            }
            Ok(None) => (Answer::Unchanged { config: self.latest().num }, None),
            Err(refusal) => (Answer::Refused(refusal), None),
        }
    }

    /// Takes a group that left and holds nothing any more out of the directory.
    fn retire(&mut self, group: GroupId) -> (Answer, Option<Action>) {
        let needed = self.latest().needs(group) && !mutant!(RetiredWhileNeeded);
        if group == GroupId::CONTROLLER || needed {
            return (Answer::Refused(Refusal::NotRetirable), None);
        }
        if !self.directory.groups.contains_key(&group) {
            return (Answer::Retired, None);
        }
        self.next_directory().groups.remove(&group);
        (Answer::Retired, Some(Action::Retire { group }))
    }

    /// Makes a configuration the latest one, with all that follows from it.
    fn commit(&mut self, config: Configuration) {
        let latest = self.latest();
        assert_eq!(config.num, latest.num.next(), "configurations are numbered without gaps");
        assert_eq!(config.shards.len(), latest.shards.len(), "the number of shards is a constant of the cluster");
        assert!(latest.floor <= config.floor && config.floor <= self.sessions.next, "the floor rises, over issued ids");
        if mutant!(ConfigurationRewritten) && latest.floor < config.floor {
            let num = latest.num;
            _ = self.configurations.set_mut(place_of(num), Arc::new(Configuration { num, ..config }));
            return;
        }
        self.sessions.prune(config.floor);
        let directory = self.next_directory();
        directory.config = config.num;
        for group in config.groups.values().filter(|group| group.id.born == config.num) {
            directory.groups.insert(group.id, group.servers.clone());
        }
        self.configurations.push_back_mut(Arc::new(config));
    }

    /// The directory, to be changed: under a new version.
    fn next_directory(&mut self) -> &mut Directory {
        let directory = Arc::make_mut(&mut self.directory);
        directory.version = directory.version.next();
        directory
    }
}

/// The place of a configuration in the history.
fn place_of(num: ConfigNum) -> usize {
    usize::try_from(num.get()).unwrap_or(usize::MAX)
}
