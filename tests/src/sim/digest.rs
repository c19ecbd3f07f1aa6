//! The digest of a run: every event goes in, in order. Two runs of one seed have the same, or something in them came from
//! outside of the seed.

/// A running digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(0x9ae1_6a3b_2f90_404f)
    }
}

impl Digest {
    /// Takes a number in.
    pub fn add(&mut self, number: u64) {
        let mixed = (self.0 ^ number).wrapping_mul(0x9ddf_ea08_eb38_2d69);
        self.0 = (mixed ^ (mixed >> 47)).wrapping_mul(0x9ddf_ea08_eb38_2d69).rotate_left(23);
    }

    /// Takes bytes in.
    pub fn add_bytes(&mut self, bytes: &[u8]) {
        self.add(bytes.len() as u64);
        self.add(u64::from(crc32fast::hash(bytes)));
    }

    /// The digest so far.
    pub fn value(self) -> u64 {
        self.0
    }
}
