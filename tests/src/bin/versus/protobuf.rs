//! As much of protobuf as three calls with a handful of fields need: a compiler for it would be most of this package.

use bytes::{BufMut, Bytes, BytesMut};

/// A message of byte fields.
pub(crate) fn message(fields: &[(u8, &[u8])]) -> Bytes {
    let mut message = BytesMut::with_capacity(fields.iter().map(|(_, bytes)| bytes.len() + 11).sum());
    for (number, bytes) in fields {
        message.put_u8(number << 3 | 2);
        let mut length = bytes.len();
        while length >= 128 {
            message.put_u8(length as u8 & 127 | 128);
            length >>= 7;
        }
        message.put_u8(length as u8);
        message.put_slice(bytes);
    }
    message.freeze()
}

/// A field of a message: its number if it is one, its bytes if it has some.
struct Field<'a> {
    number: u64,
    bytes: &'a [u8],
}

fn field(message: &[u8], wanted: u64) -> Option<Field<'_>> {
    let mut rest = message;
    while !rest.is_empty() {
        let tag = varint(&mut rest)?;
        let number = varint(&mut rest)?;
        let bytes = match tag & 7 {
            0 => &[],
            2 => rest.split_off(..usize::try_from(number).ok()?)?,
            _ => return None,
        };
        if tag >> 3 == wanted {
            return Some(Field { number, bytes });
        }
    }
    None
}

/// The first field with this number, as bytes.
pub(crate) fn bytes(message: &[u8], wanted: u64) -> Option<&[u8]> {
    field(message, wanted).map(|field| field.bytes)
}

/// The first field with this number, as a number.
pub(crate) fn number(message: &[u8], wanted: u64) -> Option<u64> {
    field(message, wanted).map(|field| field.number)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = bytes.split_off_first()?;
        value |= u64::from(byte & 127) << shift;
        if byte & 128 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_encoded_as_protobuf() {
        let long = [7; 300];
        let message = message(&[(1, b"k"), (2, &long)]);
        assert_eq!(&message[..6], [0x0a, 1, b'k', 0x12, 0xac, 0x02]);
        assert_eq!(bytes(&message, 2), Some(long.as_slice()));
        assert_eq!(number(&[0x10, 0x96, 0x01], 2), Some(150), "the example of the protobuf manual");
    }

    #[test]
    fn a_message_that_is_cut_has_no_such_field() {
        let whole = message(&[(1, b"key"), (2, b"value")]);
        for length in 0..whole.len() {
            assert_eq!(bytes(&whole[..length], 2), None, "cut after {length} bytes");
        }
    }
}
