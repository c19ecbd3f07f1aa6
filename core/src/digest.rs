//! A 64-bit digest of a command: what a session keeps of a request to tell a retry from a misuse of its number.
//!
//! FNV-1a over the bytes that the derived `Hash` feeds, every integer in little-endian order and `usize` as 64 bits, so
//! that every replica, whatever its machine, computes the same. Not cryptographic: it guards against a client's bug,
//! never against an adversary.

use core::hash::{Hash, Hasher};

/// The digest of a value: FNV-1a, 64 bits.
pub fn digest_of<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut hasher = Fnv1a(OFFSET_BASIS);
    value.hash(&mut hasher);
    hasher.finish()
}

const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// The running digest.
struct Fnv1a(u64);

/// The default methods of [`Hasher`] feed integers in the machine's own byte order and width: each is overridden.
macro_rules! little_endian {
    ($($method:ident: $from:ty as $to:ty,)*) => {
        $(fn $method(&mut self, value: $from) {
            self.write(&(value as $to).to_le_bytes());
        })*
    };
}

impl Hasher for Fnv1a {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |digest, byte| (digest ^ u64::from(*byte)).wrapping_mul(PRIME));
    }

    little_endian! {
        write_u8: u8 as u8,
        write_u16: u16 as u16,
        write_u32: u32 as u32,
        write_u64: u64 as u64,
        write_u128: u128 as u128,
        write_usize: usize as u64,
        write_i8: i8 as i8,
        write_i16: i16 as i16,
        write_i32: i32 as i32,
        write_i64: i64 as i64,
        write_i128: i128 as i128,
        write_isize: isize as i64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_bytes(bytes: &[u8]) -> u64 {
        let mut hasher = Fnv1a(OFFSET_BASIS);
        hasher.write(bytes);
        hasher.finish()
    }

    #[test]
    fn is_fnv_1a_of_64_bits() {
        assert_eq!(of_bytes(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(of_bytes(b"a"), 0xaf63_dc4c_8601_ec8c, "the published test vector");
        assert_eq!(of_bytes(b"foobar"), 0x8594_4171_f739_67e8, "the published test vector");
    }

    #[test]
    fn integers_are_fed_in_little_endian_order() {
        assert_eq!(digest_of(&0x0102_0304_u32), of_bytes(&[4, 3, 2, 1]));
        assert_eq!(digest_of(&-2_i16), of_bytes(&[0xfe, 0xff]));
        assert_eq!(digest_of(&1_usize), of_bytes(&[1, 0, 0, 0, 0, 0, 0, 0]), "64 bits on every machine");
    }

    #[test]
    fn lengths_keep_neighbours_apart() {
        assert_ne!(digest_of(&("ab", "c")), digest_of(&("a", "bc")));
        assert_ne!(
            digest_of(&([1_u8, 2].as_slice(), [3_u8].as_slice())),
            digest_of(&([1_u8].as_slice(), [2_u8, 3].as_slice()))
        );
    }
}
