//! Quorate: three nodes that hold both the controller and one group.

use crate::process::last_words;
use crate::store::{Connection, Later, Target};
use bytes::Bytes;
use quorate::client_api::{Client, Options};
use quorate::cluster::{Layout, LocalCluster, Settings};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

const LAYOUT: Layout = Layout { controllers: 3, groups: 1, nodes_per_group: 3, shards: 64 };

/// A running cluster.
pub(crate) struct Cluster(LocalCluster);

impl Cluster {
    pub(crate) async fn start(program: PathBuf, directory: &Path) -> Result<Self, String> {
        let mut settings = Settings::here(directory.to_path_buf(), LAYOUT).map_err(|error| error.to_string())?;
        settings.program = program;
        let mut cluster = LocalCluster::new(settings).map_err(|error| error.to_string())?;
        for node in LAYOUT.controller_nodes() {
            cluster.start(node).map_err(|error| error.to_string())?;
        }
        let mut cluster = Self(cluster);
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some((node, status)) = cluster.0.fallen().map_err(|error| error.to_string())?.first() {
                return Err(format!("node {node} has ended: {status}; {}", cluster.last_words()));
            }
            let members = LAYOUT.controller_nodes().collect();
            let joined =
                async { cluster.client().await?.join([(1, members)].into()).await.map_err(|error| error.to_string()) };
            match joined.await {
                Ok(_) => return Ok(cluster),
                Err(error) if Instant::now() > deadline => {
                    return Err(format!("quorate does not start: {error}; {}", cluster.last_words()));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    async fn client(&self) -> Result<Client, String> {
        Client::connect(Options::new(self.0.seeds())).await.map_err(|error| error.to_string())
    }
}

impl Target for Cluster {
    fn connect(&self) -> Later<'_, Box<dyn Connection>> {
        Box::pin(async {
            let client = self.client().await?;
            // The first write registers the session, which is not what is to be measured.
            client.put("warm-up", "").await.map_err(|error| error.to_string())?;
            Ok(Box::new(Ours(client)) as Box<dyn Connection>)
        })
    }

    fn processes(&self) -> Vec<u32> {
        LAYOUT.controller_nodes().filter_map(|node| self.0.pid(node).ok()).collect()
    }

    fn last_words(&self) -> String {
        let nodes = LAYOUT.controller_nodes();
        nodes.map(|node| last_words(&format!("node {node}"), &self.0.log_path(node))).collect::<Vec<_>>().join("\n")
    }
}

struct Ours(Client);

impl Connection for Ours {
    fn put<'a>(&'a mut self, key: &'a [u8], value: &'a [u8]) -> Later<'a, ()> {
        Box::pin(async move { self.0.put(key, value).await.map(drop).map_err(|error| error.to_string()) })
    }

    fn get<'a>(&'a mut self, key: &'a [u8]) -> Later<'a, Option<Bytes>> {
        Box::pin(async move {
            let read = self.0.get(key).await.map_err(|error| error.to_string())?;
            Ok(read.value.map(Bytes::from))
        })
    }
}
