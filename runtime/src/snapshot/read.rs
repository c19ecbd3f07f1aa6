//! Reading a snapshot back: every part checked, all of them there, nothing after them.

use super::{Head, SnapshotError, Snapshots, Trailer, snapshot_name};
use crate::codec::{self, CodecError, HEADER_LEN, Kind};
use crate::disk::{Disk, DiskFile};
use crate::mutants::mutant;
use quorate_core::raft::{Image, LogPosition, Mark, Payload};
use quorate_core::spec::ids::GroupId;
use serde::de::DeserializeOwned;

impl<D: Disk> Snapshots<D> {
    /// Reads the snapshot of a group at a position.
    ///
    /// # Errors
    /// The file is missing, unreadable, damaged, of another directory, group or position.
    pub fn read<P: Payload>(&self, group: GroupId, last: LogPosition) -> Result<(Mark, P::Image), SnapshotError>
    where
        <P::Image as Image>::Chunk: DeserializeOwned,
    {
        let mut input = Input::<D>::open(&self.disk, snapshot_name(group, last))?;
        let head: Head = input.part(Kind::SnapshotHeader)?;
        if (head.cluster, head.node, head.stamp) != (self.identity.cluster, self.identity.node, self.identity.stamp) {
            return Err(input.damaged("it belongs to another node or data directory"));
        }
        if (head.group, head.mark.last) != (group, last) {
            return Err(input.damaged("it has another snapshot's name"));
        }
        let mut image = P::Image::blank();
        let mut chunks = 0;
        while !(mutant!(SnapshotEndUnchecked) && input.offset == input.length)
            && input.next_kind()? == Kind::SnapshotChunk
        {
            let (number, chunk): (u64, <P::Image as Image>::Chunk) = input.part(Kind::SnapshotChunk)?;
            if number != chunks {
                return Err(input.damaged("a part is missing or out of order"));
            }
            image.absorb(chunk);
            chunks += 1;
        }
        if mutant!(SnapshotEndUnchecked) {
            return Ok((head.mark, image));
        }
        let expected = Trailer { chunks, bytes: input.offset, crc: input.sum.clone().finalize() };
        if input.part::<Trailer>(Kind::SnapshotTrailer)? != expected {
            return Err(input.damaged("the parts are not those that were written"));
        }
        if input.offset != input.length {
            return Err(input.damaged("there are bytes after its end"));
        }
        Ok((head.mark, image))
    }
}

/// A file that is read front to back.
struct Input<D: Disk> {
    name: String,
    file: D::File,
    offset: u64,
    length: u64,
    sum: crc32fast::Hasher,
}

impl<D: Disk> Input<D> {
    fn open(disk: &D, name: String) -> Result<Self, SnapshotError> {
        let file = disk.open(&name).map_err(SnapshotError::io(&name))?;
        let length = file.size().map_err(SnapshotError::io(&name))?;
        Ok(Self { name, file, offset: 0, length, sum: crc32fast::Hasher::new() })
    }

    fn damaged(&self, what: &'static str) -> SnapshotError {
        SnapshotError::Damaged { file: self.name.clone(), what }
    }

    fn wrong(&self) -> impl FnOnce(CodecError) -> SnapshotError {
        let file = self.name.clone();
        move |error| SnapshotError::Codec { file, error }
    }

    fn read(&self, length: usize) -> Result<Vec<u8>, SnapshotError> {
        let left = usize::try_from(self.length - self.offset).unwrap_or(usize::MAX);
        if length > left {
            return Err(self.wrong()(CodecError::Short { have: left, need: length }));
        }
        let mut bytes = vec![0; length];
        let read = self.file.read_at(self.offset, &mut bytes).map_err(SnapshotError::io(&self.name))?;
        if read < length { Err(self.wrong()(CodecError::Short { have: read, need: length })) } else { Ok(bytes) }
    }

    fn next_kind(&self) -> Result<Kind, SnapshotError> {
        Ok(codec::parse_header(&self.read(HEADER_LEN)?).map_err(self.wrong())?.kind)
    }

    fn part<T: DeserializeOwned>(&mut self, kind: Kind) -> Result<T, SnapshotError> {
        let header = codec::parse_header(&self.read(HEADER_LEN)?).map_err(self.wrong())?;
        let frame = self.read(header.frame_len())?;
        let value = codec::decode(kind, &frame).map_err(self.wrong())?;
        self.sum.update(&frame);
        self.offset += frame.len() as u64;
        Ok(value)
    }
}
