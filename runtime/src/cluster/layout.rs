//! Which nodes a local cluster has: the controller's members first, then the groups' nodes, numbered through from 1.

use std::collections::BTreeMap;
use std::ops::Range;

/// The shape of a local cluster. Group `k` (from 1) has nodes of its own, so that no two groups share a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    /// Members of the controller group.
    pub controllers: u64,
    /// Data groups for which there are nodes.
    pub groups: u64,
    /// Nodes of each data group.
    pub nodes_per_group: u64,
    /// Shards of the cluster.
    pub shards: u32,
}

impl Layout {
    /// The most nodes that one machine is asked to run.
    pub const MOST_NODES: u64 = 100;

    /// Refuses shapes that cannot work, in words for whoever typed them.
    pub fn check(&self) -> Result<(), String> {
        if self.controllers == 0 || self.groups == 0 || self.nodes_per_group == 0 {
            return Err("a cluster needs at least one controller, one group and one node per group".into());
        }
        if !(1..=16_384).contains(&self.shards) {
            return Err(format!("{} shards: a cluster has 1 to 16384", self.shards));
        }
        let nodes = self.groups.saturating_mul(self.nodes_per_group).saturating_add(self.controllers);
        if nodes > Self::MOST_NODES {
            return Err(format!("{nodes} processes on one machine: ask for at most {}", Self::MOST_NODES));
        }
        Ok(())
    }

    /// All nodes.
    pub fn nodes(&self) -> Range<u64> {
        1..self.controllers + self.groups * self.nodes_per_group + 1
    }

    /// The controller's members.
    pub fn controller_nodes(&self) -> Range<u64> {
        1..self.controllers + 1
    }

    /// The nodes of group `gid`.
    pub fn group_nodes(&self, gid: u64) -> Vec<u64> {
        let first = self.controllers + 1 + gid.saturating_sub(1) * self.nodes_per_group;
        (first..first + self.nodes_per_group).collect()
    }

    /// What a Join of these groups says.
    pub fn groups(&self, gids: impl IntoIterator<Item = u64>) -> BTreeMap<u64, Vec<u64>> {
        gids.into_iter().map(|gid| (gid, self.group_nodes(gid))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: Layout = Layout { controllers: 3, groups: 4, nodes_per_group: 3, shards: 64 };

    #[test]
    fn groups_share_no_node() {
        assert_eq!(LAYOUT.nodes(), 1..16);
        assert_eq!(LAYOUT.group_nodes(1), [4, 5, 6]);
        assert_eq!(LAYOUT.group_nodes(4), [13, 14, 15]);
        let mut seen: Vec<u64> = LAYOUT.controller_nodes().collect();
        seen.extend(LAYOUT.groups(1..5).into_values().flatten());
        assert_eq!(seen, LAYOUT.nodes().collect::<Vec<_>>());
    }

    #[test]
    fn impossible_layouts_are_refused() {
        assert!(LAYOUT.check().is_ok());
        for wrong in [
            Layout { controllers: 0, ..LAYOUT },
            Layout { shards: 0, ..LAYOUT },
            Layout { shards: 16_385, ..LAYOUT },
            Layout { groups: u64::MAX, ..LAYOUT },
        ] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
    }
}
