//! The runtime.
pub mod client_api;
