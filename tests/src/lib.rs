//! Worlds for tests: real processes of the shipped binary, clients that keep a ledger of what they were promised, and
//! disks that can be cut off. What the tests claim is judged from outside, by what clients saw.

pub mod campaign;
pub mod chapter;
pub mod command;
pub mod hosts;
pub mod inject;
pub mod islands;
pub mod ledger;
pub mod load;
pub mod loop_disk;
pub mod place;
pub mod raw;
pub mod recorder;
pub mod records;
pub mod replay;
pub mod say;
pub mod shell;
pub mod sim;
pub mod small_disk;
pub mod story;
pub mod world;
