//! A frame of the log: the codec's header, then the place that it was written for, then records.

use crate::codec::{self, CodecError, HEADER_LEN, IDENTITY_LEN, Identity, Kind};
use crate::mutants::mutant;

/// Frames begin at multiples of this: what a disk writes whole or not at all. A torn write of one frame cannot damage the
/// one before it.
pub const SECTOR: u64 = 512;

/// The length of the place in a frame's body: identity, generation, offset.
const PLACE_LEN: usize = IDENTITY_LEN + 16;

/// Where a frame was written: what tells it from a stale or misdirected one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Whose log it is.
    pub(super) identity: Identity,
    /// The segment.
    pub(super) generation: u64,
    /// The offset in the segment.
    pub(super) offset: u64,
}

impl Place {
    fn to_bytes(self) -> [u8; PLACE_LEN] {
        let mut bytes = [0; PLACE_LEN];
        let numbers = self.generation.to_le_bytes().into_iter().chain(self.offset.to_le_bytes());
        for (byte, value) in bytes.iter_mut().zip(self.identity.to_bytes().into_iter().chain(numbers)) {
            *byte = value;
        }
        bytes
    }
}

/// What is at an offset.
pub(super) enum Found<'a> {
    /// A frame that was written there.
    Frame {
        /// Its records.
        records: &'a [u8],
        /// Its length without padding.
        length: usize,
    },
    /// An intact frame of another data directory.
    Foreign,
    /// A frame of another format version.
    OtherVersion(CodecError),
    /// Nothing, or damage, or an intact frame that was written for another place.
    Nothing,
}

/// Looks for the frame of `place` at the front of `bytes`.
pub(super) fn find(bytes: &[u8], place: Place) -> Found<'_> {
    let body = match codec::check(Kind::WalFrame, bytes) {
        Ok(body) => body,
        Err(error) if codec::is_intact_of_other_version(bytes) => return Found::OtherVersion(error),
        Err(_) => return Found::Nothing,
    };
    let Some((named, records)) = body.split_at_checked(PLACE_LEN) else {
        return Found::Nothing;
    };
    let place = place.to_bytes();
    let (whose, where_) = place.split_at(IDENTITY_LEN);
    if !named.starts_with(whose) && !mutant!(FrameIdentityUnchecked) {
        return Found::Foreign;
    }
    if !named.ends_with(where_) && !mutant!(FramePlaceUnchecked) {
        return Found::Nothing;
    }
    Found::Frame { records, length: HEADER_LEN + body.len() }
}

/// Begins a frame in an empty buffer; records are appended next, then it is [`finish`]ed.
pub(super) fn begin(buffer: &mut Vec<u8>) {
    buffer.clear();
    codec::begin_frame(buffer);
    buffer.resize(HEADER_LEN + PLACE_LEN, 0);
}

/// Fills in the place and the header, and pads the frame to whole sectors.
pub(super) fn finish(buffer: &mut Vec<u8>, place: Place) -> Result<(), CodecError> {
    for (byte, value) in buffer.iter_mut().skip(HEADER_LEN).zip(place.to_bytes()) {
        *byte = value;
    }
    codec::finish_frame(Kind::WalFrame, buffer, 0)?;
    buffer.resize(padded(buffer.len()), 0);
    Ok(())
}

/// A length rounded up to whole sectors.
pub(super) const fn padded(length: usize) -> usize {
    length.next_multiple_of(SECTOR as usize)
}
