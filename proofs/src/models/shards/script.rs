//! What a scope fixes before anything happens: the configurations, made by the real controller; the clients' requests as
//! commands; and the questions that groups can ever ask each other.
//!
//! *Reduction: configurations are published from the start.* A group that has not heard of a configuration behaves as one
//! that has and whose proposal to adopt it is not committed yet; so hearing late is among the behaviours of hearing at
//! once. What depends on the latest configuration alone (who may retire) is asked of the controller's last state.

use super::scopes::{Ask, Call, Scope};
use quorate_core::bytes::Bytes;
use quorate_core::controller::{Answer, Change, Command as Order, Configuration, Controller, Directory, NodeInfo};
use quorate_core::keyspace::shard_of;
use quorate_core::shard::{Command, Cursor, ShardMessage, WriteOp};
use quorate_spec::ids::{ClientId, ConfigNum, Gid, GroupId, NodeId, Seq, ShardId, Stamp};
use quorate_spec::views::ConfigurationView;
use std::sync::Arc;

/// The most that a value may grow to, in bytes: never reached.
const VALUE_LIMIT: u64 = 1 << 20;

/// Everything that does not change while a scope is explored.
#[derive(Clone, Debug)]
pub struct Script {
    /// The controller after all the operators' requests.
    pub controller: Controller,
    /// Its configurations, by number.
    pub configs: Vec<Arc<Configuration>>,
    /// The same as the invariants see them.
    pub config_views: Vec<ConfigurationView>,
    /// Every group that ever exists, in the order of their identities.
    pub groups: Vec<GroupId>,
    /// Per group, the questions that it can ever be asked: pulls from its frozen copies, each from the beginning.
    pub pulls: Vec<Vec<ShardMessage>>,
    /// Per group, the confirmations that it can ever be asked for.
    pub confirms: Vec<Vec<ShardMessage>>,
    /// Per client, its requests as commands.
    pub requests: Vec<Vec<Arc<Command>>>,
    /// The keys that are written.
    pub keys: Vec<Bytes>,
}

impl Script {
    /// Plays the scope's history.
    pub fn new(scope: &Scope) -> Self {
        let controller = play(scope);
        let configs = history(&controller);
        let mut groups: Vec<GroupId> =
            configs.iter().flat_map(|config| config.groups.values().map(|info| info.id)).collect();
        groups.sort_unstable();
        groups.dedup();
        let (mut pulls, mut confirms) = (vec![Vec::new(); groups.len()], vec![Vec::new(); groups.len()]);
        let place = |group: GroupId| groups.iter().position(|other| *other == group).expect("an owner is listed");
        for pair in configs.windows(2) {
            for (number, (was, is)) in pair[0].shards.iter().zip(&pair[1].shards).enumerate() {
                let taken_over = (is.owner != was.owner).then_some(is.owner.zip(is.origin)).flatten();
                if let Some((target, origin)) = taken_over {
                    let (shard, taken) = (ShardId::new(number as u64), pair[1].num);
                    pulls[place(origin.group)].push(ShardMessage::Pull { target, shard, origin, from: Cursor::Start });
                    confirms[place(target)].push(ShardMessage::Confirm { target, taken, shard, origin });
                }
            }
        }
        let requests: Vec<Vec<_>> =
            scope.clients.iter().map(|calls| calls.iter().map(|call| Arc::new(write(scope, call))).collect()).collect();
        let mut keys: Vec<Bytes> = requests.iter().flatten().filter_map(|command| key(command).cloned()).collect();
        keys.sort_unstable();
        keys.dedup();
        let config_views = configs.iter().map(|config| config.view()).collect();
        Self { controller, configs, config_views, groups, pulls, confirms, requests, keys }
    }

    /// The configuration with this number, if it is ever made.
    pub fn config(&self, num: ConfigNum) -> Option<&Arc<Configuration>> {
        usize::try_from(num.get()).ok().and_then(|place| self.configs.get(place))
    }

    /// The last configuration.
    pub fn last(&self) -> &Configuration {
        self.controller.latest()
    }

    /// Where a group stands in [`Self::groups`].
    pub fn place(&self, group: GroupId) -> Option<usize> {
        self.groups.iter().position(|other| *other == group)
    }

    /// Who is where once these groups have retired.
    pub fn directory(&self, retired: impl IntoIterator<Item = GroupId>) -> Directory {
        let mut controller = self.controller.clone();
        for group in retired {
            controller.apply(&Order::Retire { group });
        }
        Directory::clone(controller.directory())
    }

    /// Whether the controller lets this group retire.
    pub fn may_retire(&self, group: GroupId) -> bool {
        self.controller.clone().apply(&Order::Retire { group }).0 == Answer::Retired
    }
}

/// The members of a group, whatever its identity: two nodes of its own.
pub fn members(gid: Gid) -> Vec<NodeId> {
    (1..=2).map(|member| NodeId::new(gid.get() * 10 + member)).collect()
}

/// The key of a write.
pub fn key(command: &Command) -> Option<&Bytes> {
    match command {
        Command::Write { key, .. } => Some(key),
        Command::AdoptConfiguration { .. } | Command::InstallChunk { .. } | Command::Collect { .. } => None,
    }
}

fn play(scope: &Scope) -> Controller {
    let mut controller = Controller::genesis(scope.shards);
    // Enough sessions for every client, and one for the operator.
    for _ in 0..9 {
        controller.apply(&Order::RegisterClient { limit: 100 });
    }
    for gid in 1..=9 {
        for node in members(Gid::new(gid)) {
            let info = NodeInfo { address: Bytes::default(), stamp: Stamp::new(u128::from(node.get())) };
            controller.apply(&Order::RegisterNode { node, info });
        }
    }
    for (place, ask) in scope.history.iter().enumerate() {
        let (client, seq) = (ClientId::new(9), Seq::new(place as u64 + 1));
        let (answer, _) = controller.apply(&Order::Change { client, seq, change: change(ask) });
        let made = matches!(answer, Answer::Changed { config } if config.get() == place as u64 + 1);
        assert!(made, "scope {}: {ask:?} is answered {answer:?}", scope.name);
    }
    controller
}

fn change(ask: &Ask) -> Change {
    match ask {
        Ask::Join(gids) => {
            Change::Join { groups: gids.iter().map(|gid| (Gid::new(*gid), members(Gid::new(*gid)))).collect() }
        }
        Ask::Leave(gids) => Change::Leave { gids: gids.iter().copied().map(Gid::new).collect() },
        Ask::Move(shard, gid) => Change::Move { shard: ShardId::new(*shard), gid: Gid::new(*gid) },
        Ask::Floor(floor) => Change::RaiseFloor { floor: ClientId::new(*floor) },
    }
}

fn history(controller: &Controller) -> Vec<Arc<Configuration>> {
    (0..=controller.latest().num.get()).map(|num| controller.query(Some(ConfigNum::new(num)))).collect()
}

fn write(scope: &Scope, call: &Call) -> Command {
    let keys = (0..).map(|n: u32| format!("k{n}"));
    let mut mine = keys.filter(|key| shard_of(key.as_bytes(), scope.shards).get() == call.shard);
    let key = Bytes::from(mine.nth(call.key).expect("keys never run out").as_str());
    let op = match call.value.strip_prefix('=') {
        Some(value) => WriteOp::Put { value: Bytes::from(value) },
        None => WriteOp::Append { value: Bytes::from(call.value) },
    };
    Command::Write { client: ClientId::new(call.session), seq: Seq::new(call.seq), key, op, value_limit: VALUE_LIMIT }
}
