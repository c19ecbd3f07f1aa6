//! `GID=NODE,NODE,..`: the groups of a Join.

use std::collections::BTreeMap;

/// One group and its nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GroupArg {
    gid: u64,
    nodes: Vec<u64>,
}

impl std::str::FromStr for GroupArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shape = "a group is GID=NODE,NODE,.. such as 3=10,11,12";
        let (gid, nodes) = text.split_once('=').ok_or(shape)?;
        let gid = gid.parse().map_err(|_| shape)?;
        let nodes: Result<Vec<u64>, _> = nodes.split(',').map(str::parse).collect();
        Ok(Self { gid, nodes: nodes.map_err(|_| shape)? })
    }
}

/// All groups of one Join; each gid once.
pub(super) fn groups(arguments: Vec<GroupArg>) -> Result<BTreeMap<u64, Vec<u64>>, String> {
    let mut groups = BTreeMap::new();
    for GroupArg { gid, nodes } in arguments {
        if groups.insert(gid, nodes).is_some() {
            return Err(format!("group {gid} is named twice"));
        }
    }
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_name_their_nodes() {
        let parsed = groups(vec!["3=10,11".parse().unwrap(), "4=12".parse().unwrap()]).unwrap();
        assert_eq!(parsed, BTreeMap::from([(3, vec![10, 11]), (4, vec![12])]));
        for wrong in ["3", "3=", "=1", "3=a", "x=1", "3=1,"] {
            assert!(wrong.parse::<GroupArg>().is_err(), "{wrong}");
        }
        assert!(groups(vec!["3=1".parse().unwrap(), "3=2".parse().unwrap()]).is_err());
    }
}
