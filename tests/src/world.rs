//! A cluster of real processes for a test: started, joined, asked and read back.

use crate::islands::Islands;
use crate::ledger::Ledger;
use crate::place::Place;
use crate::records::Records;
use quorate::client_api::{Client, Options};
use quorate::cluster::{Layout, LocalCluster, Settings, watch};
use quorate_core::status::{NodeStatus, ReplicaStatus};
use quorate_spec::ids::Gid;
use quorate_spec::views::Role;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up: generous, for slow machines. Never an assertion about speed.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// The shipped binary. Built alone by `tests/run`, so that it has only its own features.
pub fn binary() -> PathBuf {
    find_binary().expect("the shipped binary is built before it is tested")
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace");
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// The same, or how to build it.
///
/// # Errors
/// It has not been built.
pub fn find_binary() -> Result<PathBuf, String> {
    let binary = std::env::var_os("QUORATE_BIN").map_or_else(|| target().join("release/quorate"), PathBuf::from);
    if binary.exists() {
        return Ok(binary);
    }
    Err(format!("{} is missing: run 'cargo build --release -p quorate' first", binary.display()))
}

/// A running cluster in a directory of its own. When it is over, what every node recorded is replayed: the core must do
/// the same again, effect by effect.
#[derive(Debug)]
pub struct World {
    /// The processes.
    pub cluster: LocalCluster,
    /// What the nodes record: never on a disk that a test cuts or fills.
    pub records: Records,
    // Removed last: it stays if the records do.
    directory: Option<Place>,
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        self.cluster.kill_all().expect("every node is killed");
    }
}

impl World {
    /// Starts `layout` with these `limits` (lines of the configuration file's table) and waits until every node is
    /// registered. No group has joined yet.
    pub async fn start(layout: Layout, limits: &str) -> Self {
        let directory = Place::default();
        let mut world = Self::start_in(directory.path(), layout, limits).await;
        world.directory = Some(directory);
        world
    }

    /// The same, in a directory that outlives the world.
    pub async fn start_in(directory: &Path, layout: Layout, limits: &str) -> Self {
        let mut world = Self::launch(directory, layout, limits, None, &[]);
        world.stand().await;
        world
    }

    /// Starts a node on every host, and lets the first `joined` groups join.
    pub async fn on(islands: &Islands, joined: u64, limits: &str) -> Self {
        let directory = Place::default();
        let mut world = Self::on_in(directory.path(), islands, joined, limits).await;
        world.directory = Some(directory);
        world
    }

    /// The same, in a directory that outlives the world.
    pub async fn on_in(directory: &Path, islands: &Islands, joined: u64, limits: &str) -> Self {
        let mut world = Self::launch(directory, islands.layout(), limits, Some(islands), &[]);
        world.stand().await;
        world.join_first(joined).await;
        world
    }

    /// The same, or nothing if it does not stand within `patience`.
    pub async fn start_within(directory: &Path, layout: Layout, limits: &str, patience: Duration) -> Option<Self> {
        let mut world = Self::launch(directory, layout, limits, None, &[]);
        tokio::time::timeout(patience, world.stand()).await.ok()?;
        Some(world)
    }

    /// The same as [`World::start`], whose nodes write what they do into a folder.
    pub async fn traced(layout: Layout, traces: &Path) -> Self {
        let directory = Place::default();
        let arguments = ["--trace".to_owned(), traces.display().to_string()];
        let mut world = Self::launch(directory.path(), layout, "", None, &arguments);
        world.stand().await;
        world.directory = Some(directory);
        world
    }

    async fn stand(&mut self) {
        self.until("every node is registered", Self::registered).await;
        self.records.wanted = true;
    }

    async fn registered(&self) -> Option<()> {
        let client = self.try_client(PATIENCE).await?;
        let nodes = self.cluster.addresses().len();
        (client.map().await.1.nodes.len() == nodes).then_some(())
    }

    fn launch(directory: &Path, layout: Layout, limits: &str, islands: Option<&Islands>, arguments: &[String]) -> Self {
        let file = directory.join("limits.toml");
        std::fs::write(&file, format!("[limits]\n{limits}\n")).expect("the directory can be written");
        let mut settings = Settings::here(directory.to_path_buf(), layout).expect("free ports");
        settings.program = binary();
        let records = Records::default();
        settings.arguments = vec!["--config".into(), file.display().to_string()];
        settings.arguments.extend(Records::arguments(records.path()));
        settings.arguments.extend_from_slice(arguments);
        if let Some(islands) = islands {
            islands.settle(&mut settings, directory);
        }
        let mut cluster = LocalCluster::new(settings).expect("a cluster");
        cluster.start_all().expect("every node starts");
        Self { cluster, records, directory: None }
    }

    /// Starts `layout` and joins its first `joined` groups.
    pub async fn joined(layout: Layout, joined: u64, limits: &str) -> Self {
        let world = Self::start(layout, limits).await;
        world.join_first(joined).await;
        world
    }

    /// Lets the first `joined` groups join.
    pub async fn join_first(&self, joined: u64) {
        let groups = self.cluster.layout().groups(1..=joined);
        self.client().await.join(groups).await.expect("the groups join");
        self.settled().await;
    }

    /// The nodes that the layout has for a group.
    pub fn servers(&self, gid: u64) -> Vec<u64> {
        self.cluster.layout().group_nodes(gid)
    }

    async fn try_client(&self, deadline: Duration) -> Option<Client> {
        let options = Options { deadline, ..Options::new(self.cluster.seeds()) };
        Client::connect(options).await.ok()
    }

    /// A client with a session of its own.
    pub async fn client(&self) -> Client {
        self.client_for(PATIENCE).await
    }

    /// A client whose requests give up after `deadline`.
    pub async fn client_for(&self, deadline: Duration) -> Client {
        self.until("a client connects", async |world| world.try_client(deadline).await).await
    }

    /// Repeats `attempt` until it gives something.
    pub async fn until<T>(&self, what: &str, attempt: impl AsyncFn(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = attempt(self).await {
                return found;
            }
            assert!(Instant::now() < deadline, "gave up waiting: {what}\n{}", self.last_words());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The state of one node, if it answers.
    pub async fn status(&self, node: u64) -> Option<Arc<NodeStatus>> {
        let client = self.try_client(PATIENCE).await?;
        let address = self.cluster.addresses().get(&node)?;
        tokio::time::timeout(Duration::from_secs(2), client.status(address)).await.ok()?.ok()
    }

    /// A group's state as its leader sees it.
    pub async fn leader(&self, gid: u64) -> (u64, ReplicaStatus) {
        let client = self.client().await;
        self.until("a group has a leader", async |world| {
            let statuses = watch::statuses(&client, world.cluster.addresses()).await;
            let node = watch::leader(&statuses, gid)?;
            let mut replicas = statuses.get(&node)?.replicas.iter();
            let leads = |replica: &&ReplicaStatus| replica.group.gid == Gid::new(gid) && replica.role == Role::Leader;
            Some((node, replicas.rfind(leads)?.clone()))
        })
        .await
    }

    /// Waits until every group of the latest configuration has adopted it and awaits nothing.
    pub async fn settled(&self) {
        let settled = watch::settle(&self.client().await, self.cluster.addresses(), PATIENCE).await;
        if let Err(why) = settled {
            panic!("{why}\n{}", self.last_words());
        }
    }

    /// The shards that a group owns in the latest configuration.
    pub async fn shards_of(&self, gid: u64) -> BTreeSet<u64> {
        let config = self.client().await.query(None).await.expect("the controller answers");
        let owned = config
            .shards
            .iter()
            .zip(0..)
            .filter(|(assignment, _)| assignment.owner.is_some_and(|owner| owner.gid == Gid::new(gid)));
        owned.map(|(_, shard)| shard).collect()
    }

    /// Reads every ledger's key back: every promise must be kept.
    pub async fn check(&self, ledgers: &[Ledger]) {
        if let Err(broken) = self.kept(ledgers).await {
            panic!("{broken}\n{}", self.last_words());
        }
    }

    /// Reads every ledger's key back. `Err` says which promise is broken.
    pub async fn kept(&self, ledgers: &[Ledger]) -> Result<(), String> {
        let client = self.client_for(PATIENCE / 3).await;
        for ledger in ledgers {
            let read = client.get(&ledger.key).await.map_err(|error| format!("{}: {error}", ledger.key))?;
            ledger.check(&read.value.unwrap_or_default())?;
        }
        Ok(())
    }

    /// The end of every node's log, for a failed test's report.
    pub fn last_words(&self) -> String {
        let mut words = String::new();
        for node in self.cluster.addresses().keys() {
            let log = std::fs::read_to_string(self.cluster.log_path(*node)).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let from = lines.len().saturating_sub(4);
            words += &format!("node {node}:\n  {}\n", lines[from..].join("\n  "));
        }
        words
    }
}

/// A small layout: three controllers, groups of three, ten shards.
pub const fn layout(groups: u64) -> Layout {
    Layout { controllers: 3, groups, nodes_per_group: 3, shards: 10 }
}

/// Keys, one per shard of a cluster of `shards` shards.
pub fn key_per_shard(shards: u32, prefix: &str) -> BTreeMap<u64, String> {
    let mut keys = BTreeMap::new();
    for number in 0.. {
        let key = format!("{prefix}{number}");
        keys.entry(quorate_core::keyspace::shard_of(key.as_bytes(), shards).get()).or_insert(key);
        if keys.len() == shards as usize {
            break;
        }
    }
    keys
}
