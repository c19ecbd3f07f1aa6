//! The models: small worlds around the real core, one per part of it.

pub mod shards;
