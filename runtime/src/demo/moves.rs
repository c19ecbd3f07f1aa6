//! Counts shard moves: what the controller's configurations say, not what was asked for.

use quorate_core::controller::Configuration;
use quorate_spec::ids::NodeId;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Shards that went from one group to another between consecutive configurations, the two sharing no process.
/// `configs` are all configurations in order.
pub(super) fn between_disjoint_groups(configs: &[Arc<Configuration>]) -> u64 {
    let pairs = configs.iter().zip(configs.iter().skip(1));
    pairs.map(|(before, after)| moved(before, after)).sum()
}

fn moved(before: &Configuration, after: &Configuration) -> u64 {
    let owners = before.shards.iter().zip(&after.shards);
    let moves = owners.filter_map(|(from, to)| Some((from.owner?, to.owner?))).filter(|(from, to)| from != to);
    let servers = |config: &Configuration, gid| -> BTreeSet<NodeId> {
        config.groups.get(&gid).map(|group| group.servers.iter().copied().collect()).unwrap_or_default()
    };
    let disjoint = moves.filter(|(from, to)| {
        let (from, to) = (servers(before, from.gid), servers(after, to.gid));
        !from.is_empty() && !to.is_empty() && from.is_disjoint(&to)
    });
    disjoint.count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_core::controller::{Assignment, GroupInfo};
    use quorate_spec::ids::{ConfigNum, Gid, GroupId};

    fn config(num: u64, owners: &[Option<u64>]) -> Arc<Configuration> {
        let id = |gid| GroupId::new(Gid::new(gid), ConfigNum::new(1));
        let group = |gid: u64, node: u64| (Gid::new(gid), GroupInfo { id: id(gid), servers: vec![NodeId::new(node)] });
        Arc::new(Configuration {
            num: ConfigNum::new(num),
            shards: owners.iter().map(|owner| Assignment { owner: owner.map(id), origin: None }).collect(),
            groups: [group(1, 1), group(2, 2), group(3, 2)].into(),
            ..Configuration::default()
        })
    }

    #[test]
    fn only_moves_between_disjoint_groups_count() {
        let configs = [
            config(1, &[None, Some(1), Some(2)]),
            config(2, &[Some(1), Some(2), Some(3)]), // from nobody, from 1 to 2, between groups of one node
            config(3, &[Some(1), Some(1), None]),    // back, and to nobody
        ];
        assert_eq!(between_disjoint_groups(&configs), 2);
        assert_eq!(between_disjoint_groups(&configs[..1]), 0);
    }
}
