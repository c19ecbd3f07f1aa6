//! The flags of `quorate node`.

use clap::{Args, ValueEnum};
use serde::Deserialize;
use std::path::PathBuf;
use std::str::FromStr;

/// The flags of `quorate node`. Each but the last two has a setting of the same name in the file of `--config`, and
/// overrides it.
#[derive(Args, Clone, Debug, Default)]
pub struct NodeArgs {
    /// Data directory; made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Where to listen, for nodes and clients alike.
    #[arg(long, value_name = "HOST:PORT")]
    pub listen: Option<String>,

    /// Where others reach this node [default: where it listens].
    #[arg(long, value_name = "HOST:PORT")]
    pub advertise: Option<String>,

    /// This node's id, at least 1, never given to another data directory.
    #[arg(long, value_name = "N")]
    pub id: Option<u64>,

    /// The nodes that hold the controller, the same on every node for ever.
    #[arg(long, value_name = "ID=HOST:PORT", value_delimiter = ',')]
    pub controllers: Vec<Member>,

    /// The cluster's name; nodes and clients of another are refused [default: quorate].
    #[arg(long, value_name = "NAME")]
    pub cluster: Option<String>,

    /// How many shards the cluster has, the same on every node for ever [default: 64].
    #[arg(long, value_name = "N")]
    pub shards: Option<u32>,

    /// Election time-out in milliseconds [default: 300].
    #[arg(long, value_name = "MS")]
    pub election_ms: Option<u64>,

    /// How log lines look, on standard error [default: text].
    #[arg(long, value_enum)]
    pub log: Option<LogFormat>,

    /// Which log lines are written [default: info].
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub log_level: Option<LogLevel>,

    /// Write what happens to this node into files here, for `quorate-sim replay` [default: nowhere].
    #[arg(long, value_name = "DIR")]
    pub record: Option<PathBuf>,

    /// How long the record of one run may be [default: 64 MiB].
    #[arg(long, value_name = "BYTES")]
    pub record_bytes: Option<u64>,

    /// Write every step of the protocol into DIR/node-ID.trace, for the specification to judge: short runs only.
    #[arg(long, value_name = "DIR")]
    pub trace: Option<PathBuf>,

    /// A TOML file with these settings, and a table `limits`.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// One member of the controller, as written in `--controllers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The node's id.
    pub node: u64,
    /// Its address.
    pub address: String,
}

impl FromStr for Member {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('=').and_then(|(node, address)| Some((node.trim().parse().ok()?, address.trim())));
        match parsed {
            Some((node, address)) => Ok(Self { node, address: address.to_owned() }),
            None => Err("write ID=HOST:PORT, as in 1=10.0.0.1:7001, several with commas between".to_owned()),
        }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// Which log lines are written: those of this level and the graver ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What ends the node.
    Error,
    /// What an operator should look at.
    Warn,
    /// Elections, configurations, replicas coming and going.
    #[default]
    Info,
    /// Every rare protocol step.
    Debug,
    /// Every protocol step.
    Trace,
}
