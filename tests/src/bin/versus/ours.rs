//! Quorate: three nodes that hold both the controller and one group.

use crate::load::{Connection, Later, Target};
use quorate::client_api::{Client, Options};
use quorate::cluster::{Layout, LocalCluster, Settings};
use quorate_tests::world::binary;
use std::path::Path;
use std::time::{Duration, Instant};

/// A running cluster.
pub(crate) struct Cluster(LocalCluster);

impl Cluster {
    pub(crate) async fn start(directory: &Path) -> Result<Self, String> {
        let layout = Layout { controllers: 3, groups: 1, nodes_per_group: 3, shards: 64 };
        let mut settings = Settings::here(directory.to_path_buf(), layout).map_err(|error| error.to_string())?;
        settings.program = binary();
        let mut cluster = LocalCluster::new(settings).map_err(|error| error.to_string())?;
        for node in layout.controller_nodes() {
            cluster.start(node).map_err(|error| error.to_string())?;
        }
        let cluster = Self(cluster);
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let joined =
                async { cluster.client().await?.join([(1, vec![1, 2, 3])].into()).await.map_err(|e| e.to_string()) };
            match joined.await {
                Ok(_) => return Ok(cluster),
                Err(error) if Instant::now() > deadline => return Err(format!("quorate does not start: {error}")),
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    async fn client(&self) -> Result<Client, String> {
        Client::connect(Options::new(self.0.seeds())).await.map_err(|error| error.to_string())
    }
}

impl Target for Cluster {
    fn connect(&mut self) -> Later<'_, Box<dyn Connection>> {
        Box::pin(async {
            let client = self.client().await?;
            // The first write registers the session, which is not what is to be measured.
            client.put("warm-up", "").await.map_err(|error| error.to_string())?;
            Ok(Box::new(Ours(client)) as Box<dyn Connection>)
        })
    }
}

struct Ours(Client);

impl Connection for Ours {
    fn put<'a>(&'a mut self, key: &'a [u8], value: &'a [u8]) -> Later<'a, ()> {
        Box::pin(async move { self.0.put(key, value).await.map(drop).map_err(|error| error.to_string()) })
    }

    fn get<'a>(&'a mut self, key: &'a [u8]) -> Later<'a, ()> {
        Box::pin(async move { self.0.get(key).await.map(drop).map_err(|error| error.to_string()) })
    }
}
