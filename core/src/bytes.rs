//! Immutable bytes: keys, values, addresses. A clone never copies more than a few words.
//!
//! Short ones, as keys mostly are, stand where they are used: nothing is allocated for them, and a search among keys that
//! lie side by side waits for memory once and not once for every key. Long ones are shared.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::ops::Deref;

/// The most bytes that are kept in place: what makes three words with their number.
const SHORT: usize = 22;

/// An immutable byte string that is cheap to clone. Compared, ordered and hashed as the slice that it stands for.
#[derive(Clone)]
pub struct Bytes(Kept);

#[derive(Clone)]
enum Kept {
    /// The first `length` of these, at most [`SHORT`].
    Short { length: u8, bytes: [u8; SHORT] },
    /// More than [`SHORT`].
    Long(Arc<[u8]>),
}

impl Default for Bytes {
    fn default() -> Self {
        Self::from([].as_slice())
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kept::Short { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Kept::Long(bytes) => bytes,
        }
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Bytes {}

impl PartialOrd for Bytes {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Bytes {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl Hash for Bytes {
    /// All of the bytes and nothing else, whatever way they are kept: digests of commands are durable.
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl core::borrow::Borrow<[u8]> for Bytes {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        let mut short = [0; SHORT];
        match (u8::try_from(bytes.len()), short.get_mut(..bytes.len())) {
            (Ok(length), Some(place)) => {
                place.copy_from_slice(bytes);
                Self(Kept::Short { length, bytes: short })
            }
            _ => Self(Kept::Long(Arc::from(bytes))),
        }
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from(bytes.as_slice())
    }
}

impl From<&str> for Bytes {
    fn from(text: &str) -> Self {
        Self::from(text.as_bytes())
    }
}

impl fmt::Debug for Bytes {
    /// Text as text (cut at 40 bytes), anything else as escapes: what a person wants to see in a trace.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.get(..40).unwrap_or(self);
        write!(f, "\"{}\"", shown.escape_ascii())?;
        if shown.len() < self.len() { write!(f, "..{} bytes", self.len()) } else { Ok(()) }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes::from(bytes))
            }

            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                Ok(Bytes::from(bytes))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Bytes, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = seq.next_element::<u8>()? {
                    bytes.push(byte);
                }
                Ok(Bytes::from(bytes))
            }
        }
        // Not `byte_buf`: a decoder that borrows then copies once and never allocates for a length it has not seen.
        deserializer.deserialize_bytes(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::digest_of;

    #[test]
    fn short_and_long_ones_are_what_they_were_made_from() {
        let text: Vec<u8> = (0..=255).collect();
        let made: Vec<Bytes> = (0..text.len()).map(|length| Bytes::from(&text[..length])).collect();
        for (length, bytes) in made.iter().enumerate() {
            assert_eq!(**bytes, text[..length]);
            assert_eq!(matches!(bytes.0, Kept::Short { .. }), length <= SHORT);
            assert_eq!(digest_of(bytes), digest_of(&text[..length]));
        }
        assert!(made.is_sorted() && made.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(Bytes::from("b") > Bytes::from([b'a'; 100].as_slice()), "by content, not by how they are kept");
        assert!(size_of::<Bytes>() == 3 * size_of::<usize>());
    }
}
