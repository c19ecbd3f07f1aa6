//! The shared map is a `BTreeMap` whose clones stay what they were, whatever its shape.

use proptest::prelude::*;
use quorate_core::digest::digest_of;
use quorate_core::shared_map::SharedMap;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Enough keys for three levels.
const KEYS: u16 = 3_000;

#[derive(Clone, Debug)]
enum Step {
    Insert(u16),
    Change(u16),
    Remove(u16),
    /// Takes out all keys below one, as a session floor does.
    RemoveBelow(u16),
    /// Inserts many in order, as a snapshot does.
    InsertFrom(u16),
    Clone,
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0..KEYS;
    prop_oneof![
        8 => key.clone().prop_map(Step::Insert),
        4 => key.clone().prop_map(Step::Change),
        4 => key.clone().prop_map(Step::Remove),
        1 => key.clone().prop_map(Step::RemoveBelow),
        2 => key.prop_map(Step::InsertFrom),
        1 => Just(Step::Clone),
    ]
}

fn same(map: &SharedMap<u16, usize>, model: &BTreeMap<u16, usize>) {
    assert_eq!(map.len(), model.len());
    assert_eq!(map.is_empty(), model.is_empty());
    assert_eq!(map.first(), model.first_key_value());
    assert!(map.iter().eq(model.iter()), "{map:?} is not {model:?}");
    assert!(map.keys().eq(model.keys()) && map.values().eq(model.values()));
}

proptest! {
    #[test]
    fn is_an_ordered_map(steps in prop::collection::vec(step(), 0..400), probes in prop::collection::vec(0..KEYS, 20)) {
        let (mut map, mut model) = (SharedMap::new(), BTreeMap::new());
        let mut clones = Vec::new();
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Insert(key) => {
                    map.insert(key, number);
                    model.insert(key, number);
                }
                Step::Change(key) => {
                    let value = model.get_mut(&key);
                    prop_assert_eq!(map.get_mut(&key).copied(), value.as_deref().copied());
                    if let (Some(value), Some(shared)) = (value, map.get_mut(&key)) {
                        (*value, *shared) = (number, number);
                    }
                }
                Step::Remove(key) => prop_assert_eq!(map.remove(&key), model.remove(&key).is_some()),
                Step::RemoveBelow(key) => {
                    let below: Vec<u16> = map.keys().copied().take_while(|it| *it < key).collect();
                    below.iter().for_each(|key| assert!(map.remove(key)));
                    model = model.split_off(&key);
                }
                Step::InsertFrom(key) => {
                    for key in key..(key + 400).min(KEYS) {
                        map.insert(key, number);
                        model.insert(key, number);
                    }
                }
                Step::Clone => clones.push((map.clone(), model.clone())),
            }
        }
        clones.iter().for_each(|(map, model)| same(map, model));
        same(&map, &model);
        for key in probes {
            prop_assert_eq!(map.get(&key), model.get(&key));
            prop_assert_eq!(map.contains_key(&key), model.contains_key(&key));
            for from in [Bound::Included(&key), Bound::Excluded(&key), Bound::Unbounded] {
                prop_assert!(map.range_from(from).eq(model.range((from.cloned(), Bound::Unbounded))));
            }
        }
        // The same items in another order: another shape.
        let mut descending = SharedMap::new();
        model.iter().rev().for_each(|(key, value)| descending.insert(*key, *value));
        prop_assert_eq!(&descending, &map);
        prop_assert_eq!(digest_of(&descending), digest_of(&map));
        if let Some(value) = model.keys().next().and_then(|key| map.get_mut(key)) {
            *value += 1;
            prop_assert_ne!(&descending, &map);
            prop_assert_ne!(digest_of(&descending), digest_of(&map));
        }
    }
}
