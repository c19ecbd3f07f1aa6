//! An image as one value for serde: its chunks, in order. For bytes whose checksum was checked: an image trusts its chunks.

use super::types::Image;
use alloc::vec::Vec;
use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

/// The size of a chunk, in bytes.
const CHUNK_BYTES: usize = 1 << 20;

pub(super) fn serialize<I: Image, S: Serializer>(image: &I, serializer: S) -> Result<S::Ok, S::Error>
where
    I::Chunk: Serialize,
{
    let mut chunks = Vec::new();
    let mut cursor = Some(I::Cursor::default());
    while let Some(from) = cursor {
        let (chunk, next) = image.chunk(&from, CHUNK_BYTES);
        chunks.push(chunk);
        cursor = next;
    }
    chunks.serialize(serializer)
}

pub(super) fn deserialize<'de, I: Image, D: Deserializer<'de>>(deserializer: D) -> Result<I, D::Error>
where
    I::Chunk: Deserialize<'de>,
{
    let mut image = I::blank();
    for chunk in Vec::<I::Chunk>::deserialize(deserializer)? {
        image.absorb(chunk);
    }
    Ok(image)
}
