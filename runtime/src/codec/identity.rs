//! Whose bytes these are: what every durable frame names, so that a file of another node is not taken for one's own.

use quorate_core::spec::ids::{NodeId, Stamp};

/// The length of an encoded [`Identity`], in bytes.
pub const IDENTITY_LEN: usize = 32;

/// A data directory's identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The hash of the cluster's name.
    pub cluster: u64,
    /// The node.
    pub node: NodeId,
    /// The data directory.
    pub stamp: Stamp,
}

impl Identity {
    /// The identity of the directory `stamp` of node `node` in the cluster of this name.
    pub fn new(cluster: &str, node: NodeId, stamp: Stamp) -> Self {
        Self { cluster: cluster_hash(cluster), node, stamp }
    }

    /// As the fixed bytes that frames begin with.
    pub fn to_bytes(self) -> [u8; IDENTITY_LEN] {
        let mut bytes = [0; IDENTITY_LEN];
        let fields = self.cluster.to_le_bytes().into_iter().chain(self.node.get().to_le_bytes());
        for (byte, value) in bytes.iter_mut().zip(fields.chain(self.stamp.get().to_le_bytes())) {
            *byte = value;
        }
        bytes
    }
}

/// A cluster name's hash (FNV-1a, 64 bits): the same on every machine and in every version.
pub fn cluster_hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
