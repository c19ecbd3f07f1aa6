//! Keys, slots and shards: slot = CRC16(key, or its {hash tag}) mod 16384; shards are contiguous, even ranges of slots.
//!
//! The same rule as Redis Cluster, so that `{user1}:a` and `{user1}:b` live together.

use quorate_spec::ids::{ShardId, Slot};

/// How many hash slots there are.
pub const SLOTS: u64 = 16_384;

/// CRC-16/XMODEM, bit by bit over a nibble table.
fn crc16(bytes: &[u8]) -> u16 {
    const TABLE: [u16; 16] = [
        0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5, 0x60c6, 0x70e7, 0x8108, 0x9129, 0xa14a, 0xb16b, 0xc18c, 0xd1ad,
        0xe1ce, 0xf1ef,
    ];
    let feed = |crc: u16, nibble: u8| {
        let row = TABLE.get(usize::from((crc >> 12) as u8 ^ nibble) & 15).copied().unwrap_or(0);
        (crc << 4) ^ row
    };
    bytes.iter().fold(0, |crc, byte| feed(feed(crc, byte >> 4), byte & 15))
}

/// The part of a key that is hashed: between the first `{` and the next `}` if that is not empty, else all of it.
fn hash_tag(key: &[u8]) -> &[u8] {
    let tag = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let rest = key.get(open + 1..)?;
        let close = rest.iter().position(|byte| *byte == b'}')?;
        rest.get(..close).filter(|tag| !tag.is_empty())
    });
    tag.unwrap_or(key)
}

/// The slot of a key.
pub fn slot_of(key: &[u8]) -> Slot {
    Slot::new(u64::from(crc16(hash_tag(key))) % SLOTS)
}

/// The shard of a key in a cluster of `shards` shards (1 to 16384).
pub fn shard_of(key: &[u8], shards: u32) -> ShardId {
    ShardId::new(slot_of(key).get() * u64::from(shards.clamp(1, SLOTS as u32)) / SLOTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc16_is_xmodem() {
        assert_eq!(crc16(b"123456789"), 0x31c3, "the check value of CRC-16/XMODEM");
        assert_eq!(slot_of(b"123456789").get(), 12_739, "the example of the Redis Cluster specification");
    }

    #[test]
    fn hash_tags_keep_keys_together() {
        assert_eq!(slot_of(b"{user1}:a"), slot_of(b"{user1}:b"));
        assert_eq!(slot_of(b"{}:a"), Slot::new(u64::from(crc16(b"{}:a")) % SLOTS), "an empty tag is no tag");
        assert_eq!(slot_of(b"{a"), Slot::new(u64::from(crc16(b"{a")) % SLOTS), "an open tag is no tag");
    }

    #[test]
    fn shards_are_even_contiguous_ranges() {
        for shards in [1, 3, 10, 64, 16_384_u32] {
            let mut sizes = alloc::vec![0_u64; shards as usize];
            let mut last = 0;
            for slot in 0..SLOTS {
                let shard = slot * u64::from(shards) / SLOTS;
                assert!(shard == last || shard == last + 1);
                last = shard;
                sizes[shard as usize] += 1;
            }
            let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
            assert!(most - least <= 1, "{shards} shards: {least}..{most}");
        }
    }
}
