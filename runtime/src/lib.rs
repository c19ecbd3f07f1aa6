//! The runtime.

pub mod codec;
pub mod config;
pub mod driver;
pub mod server;
pub mod trace;
pub mod transport;
