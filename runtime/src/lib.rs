//! # quorate: the runtime around quorate-core

pub mod cli;
pub mod client_api;
pub mod cluster;
pub mod config;
pub mod demo;
pub mod history;
pub mod server;
