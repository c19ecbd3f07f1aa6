//! Placeholder of the codec, for this branch to compile.
use serde::{Serialize, de::DeserializeOwned};
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    Hello = 1,
    HelloReply = 2,
    Peer = 3,
    Request = 4,
    Reply = 5,
}

impl Kind {
    pub const fn limit(self) -> u32 {
        match self {
            Self::Hello | Self::HelloReply => 4 << 10,
            Self::Peer => 32 << 20,
            Self::Request | Self::Reply => 4 << 20,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodecError(pub String);

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CodecError {}

pub const HEADER_LEN: usize = 13;

#[derive(Clone, Copy, Debug)]
pub struct Header {
    pub kind: Kind,
    pub length: u32,
    pub crc: u32,
}

pub fn encode_into<T: Serialize>(kind: Kind, value: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
    let start = out.len();
    out.extend_from_slice(b"QURT");
    out.push(kind as u8);
    out.extend_from_slice(&[0; 8]);
    let mut body =
        bincode::serde::encode_to_vec(value, bincode::config::standard()).map_err(|e| CodecError(e.to_string()))?;
    if body.len() > kind.limit() as usize {
        out.truncate(start);
        return Err(CodecError("too large".into()));
    }
    out[start + 5..start + 9].copy_from_slice(&(body.len() as u32).to_le_bytes());
    out[start + 9..start + 13].copy_from_slice(&crc32fast::hash(&body).to_le_bytes());
    out.append(&mut body);
    Ok(())
}

pub fn parse_header(bytes: &[u8]) -> Result<Header, CodecError> {
    if bytes.len() < HEADER_LEN || &bytes[..4] != b"QURT" {
        return Err(CodecError("bad magic".into()));
    }
    let kind = match bytes[4] {
        1 => Kind::Hello,
        2 => Kind::HelloReply,
        3 => Kind::Peer,
        4 => Kind::Request,
        5 => Kind::Reply,
        _ => return Err(CodecError("bad kind".into())),
    };
    let length = u32::from_le_bytes(bytes[5..9].try_into().unwrap());
    if length > kind.limit() {
        return Err(CodecError("over the limit".into()));
    }
    Ok(Header {
        kind,
        length,
        crc: u32::from_le_bytes(bytes[9..13].try_into().unwrap()),
    })
}

pub fn decode<T: DeserializeOwned>(kind: Kind, frame: &[u8]) -> Result<T, CodecError> {
    let header = parse_header(frame)?;
    let body = &frame[HEADER_LEN..];
    if header.kind != kind || crc32fast::hash(body) != header.crc {
        return Err(CodecError("damaged".into()));
    }
    let (value, used) =
        bincode::serde::decode_from_slice(body, bincode::config::standard()).map_err(|e| CodecError(e.to_string()))?;
    if used != body.len() {
        return Err(CodecError("trailing".into()));
    }
    Ok(value)
}
