//! Frames: a checked header and a body of one kind.

use super::value::{append_value, take_value};
use super::{CodecError, FORMAT_VERSION, HEADER_LEN, Kind, MAGIC};
use crate::mutants::mutant;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How much of the header the checksum covers: all but itself.
const SUMMED_HEADER: usize = HEADER_LEN - 4;

/// A header whose magic, version, kind and length were checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the frame is.
    pub kind: Kind,
    /// The length of its body in bytes: at most the kind's limit.
    pub length: u32,
    /// The checksum of the header before it and the body.
    pub crc: u32,
}

impl Header {
    /// The length of the whole frame in bytes.
    pub const fn frame_len(self) -> usize {
        HEADER_LEN + self.length as usize
    }
}

/// The bytes `[at, at + N)`, or how many are missing.
fn field<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], CodecError> {
    let short = CodecError::Short { have: bytes.len(), need: HEADER_LEN };
    bytes.get(at..at + N).and_then(|slice| slice.try_into().ok()).ok_or(short)
}

/// Reads the header at the front of `bytes`. The checksum is for [`check`]: the body may not be there yet.
///
/// # Errors
/// Too few bytes, not a frame, another version, an unknown kind, a length over the kind's limit.
pub fn parse_header(bytes: &[u8]) -> Result<Header, CodecError> {
    if field::<4>(bytes, 0)? != MAGIC && !mutant!(CodecMagicIgnored) {
        return Err(CodecError::BadMagic);
    }
    let version = u16::from_le_bytes(field(bytes, 4)?);
    if version != FORMAT_VERSION && !mutant!(CodecVersionIgnored) {
        return Err(CodecError::OtherVersion { found: version });
    }
    let number = u16::from_le_bytes(field(bytes, 6)?);
    let kind = Kind::from_number(number).ok_or(CodecError::UnknownKind { found: number })?;
    let length = u32::from_le_bytes(field(bytes, 8)?);
    if length > kind.limit() && !mutant!(CodecLengthUnlimited) {
        return Err(CodecError::TooLong { kind, length: u64::from(length) });
    }
    Ok(Header { kind, length, crc: u32::from_le_bytes(field(bytes, SUMMED_HEADER)?) })
}

/// The body of the frame at the front of `bytes`, if it is whole, of this kind and undamaged. `bytes` may go on after it.
///
/// # Errors
/// Those of [`parse_header`], another kind, too few bytes, damage.
pub fn check(kind: Kind, bytes: &[u8]) -> Result<&[u8], CodecError> {
    let header = parse_header(bytes)?;
    if header.kind != kind && !mutant!(CodecKindIgnored) {
        return Err(CodecError::WrongKind { expected: kind, found: header.kind });
    }
    let short = CodecError::Short { have: bytes.len(), need: header.frame_len() };
    let body = bytes.get(HEADER_LEN..header.frame_len()).ok_or(short)?;
    let summed = bytes.get(..SUMMED_HEADER).unwrap_or_default();
    if checksum(summed, body) != header.crc && !mutant!(CodecChecksumIgnored) {
        return Err(CodecError::Checksum { kind });
    }
    Ok(body)
}

fn checksum(header: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(header);
    hasher.update(body);
    hasher.finalize()
}

/// Decodes one whole frame.
///
/// # Errors
/// Those of [`check`]; a body that is not a `T`, or more than one; bytes after the frame.
pub fn decode<T: DeserializeOwned>(kind: Kind, frame: &[u8]) -> Result<T, CodecError> {
    let body = check(kind, frame)?;
    let extra = frame.len().saturating_sub(HEADER_LEN + body.len());
    if extra > 0 && !mutant!(CodecFrameTrailingIgnored) {
        return Err(CodecError::TrailingBytes { kind, extra });
    }
    decode_body(kind, body)
}

/// Decodes a body that was [`check`]ed.
///
/// # Errors
/// A body that is not a `T`, or more than one.
pub fn decode_body<T: DeserializeOwned>(kind: Kind, body: &[u8]) -> Result<T, CodecError> {
    let mut rest = body;
    let value = take_value(&mut rest).map_err(|what| CodecError::Malformed { kind, what })?;
    if rest.is_empty() || mutant!(CodecBodyTrailingIgnored) {
        Ok(value)
    } else {
        Err(CodecError::TrailingBytes { kind, extra: rest.len() })
    }
}

/// One frame of a value.
///
/// # Errors
/// The body is over the kind's limit.
pub fn encode<T: Serialize + ?Sized>(kind: Kind, value: &T) -> Result<Vec<u8>, CodecError> {
    let mut out = Vec::with_capacity(256);
    encode_into(kind, value, &mut out)?;
    Ok(out)
}

/// Appends one frame of a value to `out`. On an error `out` is as it was.
///
/// # Errors
/// The body is over the kind's limit.
pub fn encode_into<T: Serialize + ?Sized>(kind: Kind, value: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
    let start = begin_frame(out);
    let result = append_value(value, out)
        .map_err(|what| CodecError::Malformed { kind, what })
        .and_then(|()| finish_frame(kind, out, start));
    if result.is_err() {
        out.truncate(start);
    }
    result
}

/// Leaves room for a header. The body is appended next, then [`finish_frame`] called with what this returned.
pub fn begin_frame(out: &mut Vec<u8>) -> usize {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_LEN]);
    start
}

/// Fills in the header of the frame that begins at `start` and ends with `out`.
///
/// # Errors
/// The body is over the kind's limit.
pub fn finish_frame(kind: Kind, out: &mut [u8], start: usize) -> Result<(), CodecError> {
    let have = out.len();
    let short = CodecError::Short { have, need: start + HEADER_LEN };
    let (header, body) = out.get_mut(start..).and_then(|f| f.split_at_mut_checked(HEADER_LEN)).ok_or(short)?;
    let too_long = CodecError::TooLong { kind, length: body.len() as u64 };
    let length = u32::try_from(body.len()).ok().filter(|length| *length <= kind.limit()).ok_or(too_long)?;
    let (summed, crc) = header.split_at_mut(SUMMED_HEADER);
    let fields = MAGIC
        .into_iter()
        .chain(FORMAT_VERSION.to_le_bytes())
        .chain((kind as u16).to_le_bytes())
        .chain(length.to_le_bytes());
    for (byte, value) in summed.iter_mut().zip(fields) {
        *byte = value;
    }
    crc.copy_from_slice(&checksum(summed, body).to_le_bytes());
    Ok(())
}

/// Whether an intact frame of another format version is at the front of `bytes`: not damage, and nothing to be cut.
pub fn is_intact_of_other_version(bytes: &[u8]) -> bool {
    let read = || {
        let length = u32::from_le_bytes(field(bytes, 8).ok()?) as usize;
        let body = bytes.get(HEADER_LEN..HEADER_LEN.checked_add(length)?)?;
        let crc = u32::from_le_bytes(field(bytes, SUMMED_HEADER).ok()?);
        Some(crc == checksum(bytes.get(..SUMMED_HEADER)?, body))
    };
    matches!(parse_header(bytes), Err(CodecError::OtherVersion { .. })) && read() == Some(true)
}
