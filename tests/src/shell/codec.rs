//! Frames with one thing wrong and everything else right, the checksum too: each is refused.

use super::Broken;
use quorate::codec::{self, HEADER_LEN, Kind};

/// Where the fields of a header are.
const VERSION: usize = 4;
const KIND: usize = 6;
const LENGTH: usize = 8;
const CHECKSUM: usize = 12;

type Value = (u64, Vec<u8>);

pub(super) fn check(seed: u64) -> Result<u64, Broken> {
    let mut random = fastrand::Rng::with_seed(seed);
    let value: Value = (random.u64(..), (0..random.usize(..40)).map(|_| random.u8(..)).collect());
    let mut frames = 0;
    for kind in Kind::ALL {
        let good = codec::encode(kind, &value).expect("it is small");
        if codec::decode::<Value>(kind, &good).ok().as_ref() != Some(&value) {
            return Err(Broken::new("Accepts", frames, format!("a good frame of kind {kind} is refused")));
        }
        for (what, frame) in wrong(&good, &mut random) {
            frames += 1;
            if codec::decode::<Value>(kind, &frame).is_ok() {
                return Err(Broken::new("WrongFrameRefused", frames, format!("kind {kind}: {what} is accepted")));
            }
        }
        let mut long = good[..HEADER_LEN].to_vec();
        long[LENGTH..LENGTH + 4].copy_from_slice(&(kind.limit() + 1).to_le_bytes());
        if codec::parse_header(&long).is_ok() {
            return Err(Broken::new(
                "LengthLimited",
                frames,
                format!("kind {kind}: {} bytes are let in", kind.limit() + 1),
            ));
        }
    }
    Ok(frames)
}

/// A good frame, spoilt in one way each.
fn wrong(good: &[u8], random: &mut fastrand::Rng) -> Vec<(&'static str, Vec<u8>)> {
    let spoilt = |spoil: &dyn Fn(&mut Vec<u8>)| {
        let mut frame = good.to_vec();
        spoil(&mut frame);
        frame
    };
    let magic = random.usize(..VERSION);
    let bit = random.usize(HEADER_LEN * 8..good.len() * 8);
    vec![
        ("another magic", summed(spoilt(&|frame| frame[magic] ^= 1))),
        ("another version", summed(spoilt(&|frame| frame[VERSION] ^= 2))),
        ("another kind", summed(spoilt(&|frame| frame[KIND] = frame[KIND] % 10 + 1))),
        (
            "a body with a byte too many",
            summed(spoilt(&|frame| {
                frame.push(0);
                let length = (frame.len() - HEADER_LEN) as u32;
                frame[LENGTH..LENGTH + 4].copy_from_slice(&length.to_le_bytes());
            })),
        ),
        ("a byte after the frame", spoilt(&|frame| frame.push(0))),
        ("a frame that ends early", spoilt(&|frame| frame.truncate(frame.len() - 1))),
        // Only the last field's bytes: any of them decodes.
        ("a flipped bit", spoilt(&|frame| frame[bit / 8] ^= 1 << (bit % 8))),
        ("another checksum", spoilt(&|frame| frame[CHECKSUM] ^= 1)),
    ]
}

/// The frame with the checksum that it ought to have.
fn summed(mut frame: Vec<u8>) -> Vec<u8> {
    let covered: Vec<u8> = frame[..CHECKSUM].iter().chain(&frame[HEADER_LEN..]).copied().collect();
    frame[CHECKSUM..HEADER_LEN].copy_from_slice(&crc32(&covered).to_le_bytes());
    frame
}

/// CRC-32 (IEEE 802.3), bit by bit: not the library that is checked.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}
