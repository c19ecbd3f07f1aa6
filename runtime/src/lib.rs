//! The runtime.

pub mod codec;
pub mod data_dir;
pub mod disk;
pub mod recovery;
pub mod snapshot;
pub mod wal;
