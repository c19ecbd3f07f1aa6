//! The models: small worlds around the real core, one per part of it.

pub mod controller;
#[cfg(test)]
mod explore;
pub mod pool;
pub mod shards;
