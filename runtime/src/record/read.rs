//! Reading a record back, frame by frame.

use super::{Item, Start};
use crate::codec::{self, CodecError, HEADER_LEN, Kind};
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// A record that is read front to back.
#[derive(Debug)]
pub struct Reader<R = BufReader<File>> {
    input: R,
    start: Start,
    torn: bool,
}

/// Why a file cannot be read as a record.
#[derive(Debug)]
pub enum RecordError {
    /// It cannot be read.
    Io(io::Error),
    /// A frame is not whole, not intact or not understood.
    Codec(CodecError),
    /// It does not begin with a start.
    NoStart,
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Codec(error) => error.fmt(f),
            Self::NoStart => {
                f.write_str("it does not begin as a record: give a file that 'quorate node --record' wrote")
            }
        }
    }
}

impl std::error::Error for RecordError {}

impl Reader {
    /// Opens a file and reads its start.
    ///
    /// # Errors
    /// It cannot be read or is no record.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        Self::new(BufReader::new(File::open(path).map_err(RecordError::Io)?))
    }
}

impl<R: Read> Reader<R> {
    /// Reads the start.
    ///
    /// # Errors
    /// It cannot be read or is no record.
    pub fn new(mut input: R) -> Result<Self, RecordError> {
        match read_item(&mut input)? {
            Some(Item::Start(start)) => Ok(Self { input, start: *start, torn: false }),
            _ => Err(RecordError::NoStart),
        }
    }

    /// What the core was constructed from.
    pub fn start(&self) -> &Start {
        &self.start
    }

    /// Whether the file ended within a frame: the process was killed while it wrote.
    pub fn is_torn(&self) -> bool {
        self.torn
    }

    /// The next frame; `None` at the end.
    ///
    /// # Errors
    /// It cannot be read, or is damaged.
    pub fn read(&mut self) -> Result<Option<Item>, RecordError> {
        match read_item(&mut self.input) {
            Err(RecordError::Codec(CodecError::Short { .. })) => {
                self.torn = true;
                Ok(None)
            }
            item => item,
        }
    }
}

fn read_item(input: &mut impl Read) -> Result<Option<Item>, RecordError> {
    let mut frame = Vec::new();
    if take(input, HEADER_LEN, &mut frame)? == 0 {
        return Ok(None);
    }
    let header = codec::parse_header(&frame).map_err(RecordError::Codec)?;
    take(input, header.length as usize, &mut frame)?;
    codec::decode(Kind::Record, &frame).map(Some).map_err(RecordError::Codec)
}

/// Reads up to `count` bytes to the end of `frame`, fewer only at the end of the input. Says how many.
fn take(input: &mut impl Read, count: usize, frame: &mut Vec<u8>) -> Result<usize, RecordError> {
    input.by_ref().take(count as u64).read_to_end(frame).map_err(RecordError::Io)
}
