//! Writing a snapshot: parts in order, then sync, rename, sync of the directory.

use super::{Head, SnapshotError, Snapshots, Trailer, UNFINISHED, snapshot_name};
use crate::codec::{self, Kind};
use crate::disk::{Disk, DiskFile};
use crate::mutants::mutant;
use quorate_core::raft::{Image, Payload, SnapshotWork};
use quorate_core::shard;
use quorate_core::spec::ids::GroupId;
use serde::Serialize;
use std::any::Any;

/// Synced at the latest after so many bytes, so that the log's own syncs never wait behind a whole snapshot.
const SYNC_BYTES: u64 = 4 << 20;

impl<D: Disk> Snapshots<D> {
    /// Makes a group's snapshot durable under its final name, and returns that.
    ///
    /// # Errors
    /// The disk fails or is full; then there is no file of it.
    pub fn write<P: Payload>(&self, group: GroupId, work: &SnapshotWork<P>) -> Result<String, SnapshotError>
    where
        <P::Image as Image>::Chunk: Serialize + 'static,
    {
        let name = snapshot_name(group, work.mark.last);
        let unfinished = format!("{name}{UNFINISHED}");
        let written = self.write_parts(&unfinished, group, work);
        if written.is_err() {
            // Nobody waits for this file, and its error is lesser news than the one that is returned.
            let _ = self.disk.remove(&unfinished);
        }
        written?;
        self.disk.rename(&unfinished, &name).map_err(SnapshotError::io(&name))?;
        if !mutant!(SnapshotNameNotSynced) {
            self.disk.sync_dir().map_err(SnapshotError::io(&name))?;
        }
        Ok(name)
    }

    fn write_parts<P: Payload>(&self, file: &str, group: GroupId, work: &SnapshotWork<P>) -> Result<(), SnapshotError>
    where
        <P::Image as Image>::Chunk: Serialize + 'static,
    {
        let mut out = Output::<D>::create(&self.disk, file)?;
        let (cluster, node, stamp) = (self.identity.cluster, self.identity.node, self.identity.stamp);
        out.part(Kind::SnapshotHeader, &Head { cluster, node, stamp, group, mark: work.mark.clone() })?;
        let mut cursor = Some(Default::default());
        let mut chunks = 0_u64;
        while let Some(from) = cursor {
            let (mut chunk, next) = work.image.chunk(&from, self.chunk_bytes);
            if mutant!(SnapshotDropsSessions) {
                drop_sessions(&mut chunk);
            }
            out.part(Kind::SnapshotChunk, &(chunks, chunk))?;
            chunks += 1;
            cursor = next;
        }
        let trailer = Trailer { chunks, bytes: out.offset, crc: out.sum.clone().finalize() };
        out.part(Kind::SnapshotTrailer, &trailer)?;
        if mutant!(SnapshotNotSynced) { Ok(()) } else { out.sync() }
    }
}

/// The bug of `snapshot-drops-sessions`.
fn drop_sessions(chunk: &mut dyn Any) {
    if let Some(shard::Chunk::Part { records, .. }) = chunk.downcast_mut() {
        records.sessions.clear();
    }
}

/// A file that grows.
struct Output<'a, D: Disk> {
    name: &'a str,
    file: D::File,
    offset: u64,
    synced: u64,
    sum: crc32fast::Hasher,
    buffer: Vec<u8>,
}

impl<'a, D: Disk> Output<'a, D> {
    fn create(disk: &D, name: &'a str) -> Result<Self, SnapshotError> {
        let file = disk.create(name).map_err(SnapshotError::io(name))?;
        Ok(Self { name, file, offset: 0, synced: 0, sum: crc32fast::Hasher::new(), buffer: Vec::new() })
    }

    fn part<T: Serialize>(&mut self, kind: Kind, value: &T) -> Result<(), SnapshotError> {
        self.buffer.clear();
        let coded = codec::encode_into(kind, value, &mut self.buffer);
        coded.map_err(|error| SnapshotError::Codec { file: self.name.into(), error })?;
        self.sum.update(&self.buffer);
        self.file.write_at(self.offset, &self.buffer).map_err(SnapshotError::io(self.name))?;
        self.offset += self.buffer.len() as u64;
        if self.offset - self.synced >= SYNC_BYTES { self.sync() } else { Ok(()) }
    }

    fn sync(&mut self) -> Result<(), SnapshotError> {
        self.file.sync_data().map_err(SnapshotError::io(self.name))?;
        self.synced = self.offset;
        Ok(())
    }
}
