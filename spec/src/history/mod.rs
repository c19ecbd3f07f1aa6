//! x
/// c
pub enum Call { /// g
Get, /// p
Put(alloc::vec::Vec<u8>), /// a
Append(alloc::vec::Vec<u8>) }
