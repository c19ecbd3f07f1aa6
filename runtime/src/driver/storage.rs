//! What the driver needs of the disk: a lane for writes, a background for snapshots. Neither may block.

use quorate_core::effect::{SnapshotWork, Write};
use quorate_core::status::HostStatus;
use quorate_spec::ids::WriteId;

/// The disk as the driver sees it. What becomes of the work is reported as events.
pub trait Storage {
    /// Adds writes to the lane, in order.
    fn submit(&mut self, writes: Vec<(WriteId, Write)>);

    /// All writes up to this one are durable: snapshots that only older ones needed may go.
    fn synced(&mut self, write: WriteId);

    /// Has a snapshot written in the background.
    fn write_snapshot(&mut self, work: SnapshotWork);

    /// What is known of the process and its disk, for `status`. As last measured: asking touches no disk.
    fn host(&self) -> HostStatus;
}
