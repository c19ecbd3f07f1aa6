//! A 64-bit digest of a command: what a session keeps of a request to tell a retry from a misuse of its number, and what
//! the invariants see of an entry.
//!
//! It takes in the words that the derived `Hash` feeds, eight bytes at a time: each is mixed in by a multiplication to 128
//! bits whose halves are folded together, so that every bit of the state depends on every bit before. A byte at a time
//! (FNV) took half of what applying a write costs. Integers count as 64 bits and bytes as little-endian words, so that
//! every replica, whatever its machine, computes the same. Not cryptographic: it guards against a client's bug, never
//! against an adversary.

use core::hash::{Hash, Hasher};

/// The digest of a value.
pub fn digest_of<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut hasher = Folded(SEED);
    value.hash(&mut hasher);
    hasher.finish()
}

/// Where it begins: any number that is not zero.
const SEED: u64 = 0xcbf2_9ce4_8422_2325;
/// Odd, with its bits spread evenly: 2^64 divided by the golden ratio.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
/// The bytes of a word.
const WORD: usize = size_of::<u64>();

/// The running digest.
struct Folded(u64);

impl Folded {
    fn feed(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word).wrapping_mul(u128::from(MULTIPLIER));
        self.0 = (product as u64) ^ ((product >> 64) as u64);
    }
}

/// The default methods of [`Hasher`] feed integers in the machine's own byte order and width: each is overridden.
macro_rules! one_word {
    ($($method:ident: $from:ty as $signed:ty,)*) => {
        $(fn $method(&mut self, value: $from) {
            self.feed(value as $signed as u64);
        })*
    };
}

impl Hasher for Folded {
    fn finish(&self) -> u64 {
        self.0
    }

    /// The last word, if it is not full, bears the number of its bytes.
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<WORD>();
        for word in words {
            self.feed(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let bytes = rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
            self.feed(bytes | (rest.len() as u64) << 56);
        }
    }

    one_word! {
        write_u8: u8 as u64,
        write_u16: u16 as u64,
        write_u32: u32 as u64,
        write_u64: u64 as u64,
        write_usize: usize as u64,
        write_i8: i8 as i64,
        write_i16: i16 as i64,
        write_i32: i32 as i64,
        write_i64: i64 as i64,
        write_isize: isize as i64,
    }

    fn write_u128(&mut self, value: u128) {
        self.feed(value as u64);
        self.feed((value >> 64) as u64);
    }

    fn write_i128(&mut self, value: i128) {
        self.write_u128(value as u128);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_bytes(bytes: &[u8]) -> u64 {
        let mut hasher = Folded(SEED);
        hasher.write(bytes);
        hasher.finish()
    }

    /// It is part of what is stored and compared between versions.
    #[test]
    fn never_changes() {
        assert_eq!(of_bytes(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(of_bytes(b"a"), 0x711e_e734_3483_9592);
        assert_eq!(of_bytes(b"foobar"), 0xdcf0_8f75_6d3e_fdd5);
        assert_eq!(of_bytes(b"quorate, quorum"), 0x75c5_0386_cd1e_b671);
    }

    #[test]
    fn integers_count_as_64_bits() {
        assert_eq!(digest_of(&0x0102_0304_u32), of_bytes(&[4, 3, 2, 1, 0, 0, 0, 0]));
        assert_eq!(digest_of(&-2_i16), digest_of(&-2_i64));
        assert_eq!(digest_of(&1_usize), of_bytes(&[1, 0, 0, 0, 0, 0, 0, 0]), "64 bits on every machine");
        assert_eq!(digest_of(&(7_u128 << 64 | 9)), digest_of(&(9_u64, 7_u64)));
    }

    #[test]
    fn lengths_keep_neighbours_apart() {
        assert_ne!(digest_of(&("ab", "c")), digest_of(&("a", "bc")));
        assert_ne!(
            digest_of(&([1_u8, 2].as_slice(), [3_u8].as_slice())),
            digest_of(&([1_u8].as_slice(), [2_u8, 3].as_slice()))
        );
        assert_ne!(of_bytes(&[0; 3]), of_bytes(&[0; 4]), "zeros count");
    }

    #[test]
    fn every_bit_and_every_place_matters() {
        let original: alloc::vec::Vec<u8> = (0..67).collect();
        let mut seen = alloc::collections::BTreeSet::from([of_bytes(&original)]);
        for bit in 0..original.len() * 8 {
            let mut flipped = original.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(seen.insert(of_bytes(&flipped)), "bit {bit}");
        }
        let mut swapped = original.clone();
        swapped.rotate_left(8);
        assert!(seen.insert(of_bytes(&swapped)), "the same words in another order");
    }
}
