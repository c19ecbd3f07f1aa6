//! Storage: the write-ahead log, snapshots, recovery; on a disk in memory that tears, fails, fills up and crashes.

mod data_dir;
mod disk;
mod lane;
mod recovery;
mod snapshot;
mod wal_crash;
mod wal_damage;
mod wal_space;
mod wal_thread;
