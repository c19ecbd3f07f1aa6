//! What a node is started with.

use std::path::PathBuf;

/// The settings of one node.
#[derive(Clone, Debug, clap::Args)]
pub struct NodeArgs {
    /// The data directory.
    #[arg(long)]
    pub data: PathBuf,
    /// Where to listen.
    #[arg(long)]
    pub listen: String,
    /// The address that others are told.
    #[arg(long)]
    pub advertise: Option<String>,
    /// The node's number.
    #[arg(long)]
    pub id: u64,
    /// The controller's members: `1=host:port,2=host:port`.
    #[arg(long)]
    pub controllers: String,
    /// The cluster's name.
    #[arg(long)]
    pub cluster: Option<String>,
    /// How many shards the cluster has.
    #[arg(long)]
    pub shards: Option<u32>,
}

/// The settings of one node, complete.
#[derive(Clone, Debug)]
pub struct NodeConfig;

impl NodeConfig {
    /// Completes the settings.
    pub fn from_args(_: NodeArgs) -> Result<Self, String> {
        Ok(Self)
    }
}
