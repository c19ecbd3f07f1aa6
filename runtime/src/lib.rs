//! # quorate: the thin runtime
//!
//! Performs what the core decides: a [write-ahead log](wal), [snapshots](snapshot), [frames over TCP](transport), timers
//! and the [driver]; the [data directory](data_dir) and its identity; the asynchronous [client](client_api); local
//! [clusters](cluster) of child processes; and the [command line](cli) of the binary `quorate`.
//!
//! What is absent: any protocol decision. If a behaviour matters for safety it lives in `quorate-core`, where the checker
//! sees it.
#![forbid(unsafe_code)]

pub mod cli;
pub mod client_api;
pub mod cluster;
pub mod codec;
pub mod config;
pub mod data_dir;
pub mod demo;
pub mod disk;
pub mod driver;
pub mod history;
pub mod mutants;
pub mod record;
pub mod recovery;
pub mod server;
pub mod snapshot;
pub mod trace;
pub mod transport;
pub mod wal;
