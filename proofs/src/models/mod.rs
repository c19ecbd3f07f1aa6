//! The models: worlds around the real core.

pub mod client;
pub mod identity;
