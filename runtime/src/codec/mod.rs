//! Bytes on disks and wires: every frame bears a header that is checked before a decoder sees a byte of its body.
//!
//! A frame is a header of [`HEADER_LEN`] bytes (magic, format version, kind, length, checksum; little endian) and a body.
//! The checksum covers header and body. Each [`Kind`] has a limit that is enforced before anything is allocated, and a
//! body is consumed to its last byte or refused. What a body holds is decided by `value`, the only file that names
//! the serialization library.
//!
//! It must never panic, allocate out of proportion or read out of bounds, whatever the bytes are.

mod error;
mod frame;
mod identity;
mod kind;
mod value;

pub use error::CodecError;
pub use frame::{
    Header, begin_frame, check, decode, decode_body, encode, encode_into, finish_frame, is_intact_of_other_version,
    parse_header,
};
pub use identity::{IDENTITY_LEN, Identity, cluster_hash};
pub use kind::Kind;
pub use value::{append_value, take_value};

/// The first bytes of every frame.
pub const MAGIC: [u8; 4] = *b"QRTE";

/// The format of everything that is written and sent. A greater one is refused; there is no older one.
pub const FORMAT_VERSION: u16 = 1;

/// The length of a frame's header, in bytes.
pub const HEADER_LEN: usize = 16;
