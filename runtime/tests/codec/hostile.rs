//! Bytes that nobody here made: never a panic, never memory out of proportion, always one line that says what is wrong.

use crate::samples::{messages, replies, requests, writes};
use proptest::prelude::*;
use quorate::codec::{self, CodecError, HEADER_LEN, Kind};
use quorate_core::effect::Write;
use quorate_core::message::{Message, Reply, Request};
use quorate_core::raft::{self, LogPosition};
use quorate_core::spec::ids::{LogIndex, Term};

fn samples() -> Vec<Vec<u8>> {
    let mut frames: Vec<_> = messages().iter().map(|value| codec::encode(Kind::Peer, value).unwrap()).collect();
    frames.extend(requests().iter().map(|value| codec::encode(Kind::Request, value).unwrap()));
    frames.extend(replies().iter().map(|value| codec::encode(Kind::Reply, value).unwrap()));
    frames.extend(writes().iter().map(|value| codec::encode(Kind::WalFrame, value).unwrap()));
    frames
}

/// Decodes as every kind; says whether it was refused as all of them.
fn refused(frame: &[u8]) -> bool {
    let errors = [
        codec::decode::<Message>(Kind::Peer, frame).err(),
        codec::decode::<Request>(Kind::Request, frame).err(),
        codec::decode::<Reply>(Kind::Reply, frame).err(),
        codec::decode::<Write>(Kind::WalFrame, frame).err(),
    ];
    for error in errors.iter().flatten() {
        let text = error.to_string();
        assert!(!text.is_empty() && !text.contains('\n'), "{text}");
    }
    errors.iter().all(Option::is_some)
}

/// A frame with a right header around any body.
fn framed(kind: Kind, body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    let start = codec::begin_frame(&mut frame);
    frame.extend_from_slice(body);
    codec::finish_frame(kind, &mut frame, start).unwrap();
    frame
}

/// What the decoders make of a body whose header is right: anything but a panic.
fn decode_any(body: &[u8]) {
    let _ = codec::decode::<Message>(Kind::Peer, &framed(Kind::Peer, body));
    let _ = codec::decode::<Request>(Kind::Request, &framed(Kind::Request, body));
    let _ = codec::decode::<Reply>(Kind::Reply, &framed(Kind::Reply, body));
    let _ = codec::decode::<Write>(Kind::WalFrame, &framed(Kind::WalFrame, body));
}

#[test]
fn every_bit_of_every_sample_counts() {
    for frame in samples() {
        for bit in 0..(frame.len() * 8).min(4_000) {
            let mut bytes = frame.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(refused(&bytes), "bit {bit}");
        }
    }
}

#[test]
fn every_cut_and_every_addition_is_refused() {
    for frame in samples() {
        for length in 0..frame.len() {
            assert!(refused(&frame[..length]), "cut at {length}");
        }
        assert!(refused(&[&frame[..], &[0]].concat()), "a byte after the frame");
        let body = &frame[HEADER_LEN..];
        let kind = codec::parse_header(&frame).unwrap().kind;
        assert!(refused(&framed(kind, &[body, &[0]].concat())), "a byte after the value");
        for length in 0..body.len() {
            assert!(refused(&framed(kind, &body[..length])), "a value cut at {length}");
        }
    }
}

/// A length that the header or the body claims is not believed.
#[test]
fn huge_lengths_allocate_nothing() {
    for kind in Kind::ALL {
        let mut frame = framed(kind, b"");
        frame[8..12].copy_from_slice(&(kind.limit() + 1).to_le_bytes());
        let refused = codec::parse_header(&frame);
        assert!(matches!(refused, Err(CodecError::TooLong { .. })), "{kind}");
    }
    let before = peak_mebibytes();
    for frame in samples() {
        let body = &frame[HEADER_LEN..];
        for at in 0..body.len().min(300) {
            // Every byte becomes a length of 2^16 to 2^64.
            for (tag, width) in [(251_u8, 2), (252, 4), (253, 8)] {
                let mut bytes = body.to_vec();
                bytes.splice(at..=at, [tag].into_iter().chain(std::iter::repeat_n(0xff, width)));
                decode_any(&bytes);
            }
        }
    }
    let grown = peak_mebibytes() - before;
    assert!(grown < 512, "{grown} MiB for frames of a few KiB");
}

/// The most memory that this process ever asked for.
fn peak_mebibytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmPeak:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

#[test]
fn what_is_too_long_is_not_made() {
    let request = Request::Get { group: crate::samples::group(), key: vec![1; 5 << 20].into() };
    let mut out = b"kept".to_vec();
    let error = codec::encode_into(Kind::Request, &request, &mut out).unwrap_err();
    assert_eq!(error.to_string(), "frame of kind Request is 6 MiB, limit 4 MiB: send less at once");
    assert_eq!(out, b"kept");
}

#[test]
fn another_version_says_who_must_upgrade() {
    let mut frame = framed(Kind::Request, b"");
    frame[4] = 2;
    let error = codec::parse_header(&frame).unwrap_err().to_string();
    assert_eq!(error, "made by format version 2, this is 1: upgrade this program");
    assert!(!codec::is_intact_of_other_version(&frame), "its checksum covers the version");
}

proptest! {
    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        prop_assert!(refused(&bytes));
        decode_any(&bytes);
    }

    #[test]
    fn mutated_bodies(
        number in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let frames = samples();
        let mut body = number.get(&frames)[HEADER_LEN..].to_vec();
        for (at, byte) in edits {
            if !body.is_empty() {
                let at = at.index(body.len());
                body[at] = byte;
            }
        }
        decode_any(&body);
    }
}

#[test]
fn a_counter_that_nothing_reaches_is_refused() {
    let vote = |term| {
        let last = LogPosition { term: Term::new(1), index: LogIndex::new(1) };
        let election = raft::Election::RequestVote { term: Term::new(term), last };
        let message: Message = Message::Controller(raft::Message::Election(election));
        codec::encode(Kind::Peer, &message).unwrap()
    };
    assert!(codec::decode::<Message>(Kind::Peer, &vote((1 << 63) - 1)).is_ok());
    for term in [1 << 63, u64::MAX] {
        let error = codec::decode::<Message>(Kind::Peer, &vote(term)).unwrap_err().to_string();
        assert!(error.contains("below 2^63"), "{error}");
    }
}
