//! An ordered map with structural sharing: a clone is a counter, and a change copies only the nodes on its way that are
//! shared. So a snapshot, a frozen copy and the served shard hold what they have in common once.
//!
//! A persistent B+ tree. The crates that are `no_std`, persistent and ordered are binary trees, whose lookups wait for
//! memory three times on each of many levels; here a level is one node with its keys side by side, apart from the values:
//! a search touches few lines of the cache. Nodes are dropped when they are empty but never merged: nothing but the end of sessions and of shards is ever removed, and that empties nodes.
//!
//! Equality and hash are those of the items in order, as `BTreeMap`'s are, never of the tree's shape, which depends on the
//! order of insertions.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::ops::Bound;
use core::slice;

/// A node with so many items is split.
const FULL: usize = 32;

/// An ordered map whose clones share what they have in common.
#[derive(Clone)]
pub struct SharedMap<K, V> {
    /// `None`: empty.
    root: Option<Arc<Node<K, V>>>,
    len: usize,
}

#[derive(Clone)]
enum Node<K, V> {
    /// As many values as keys.
    Leaf { keys: Vec<K>, values: Vec<V> },
    /// One bound less than children: the keys of a child are not less than the bound before it, and less than the one
    /// behind.
    Branch { bounds: Vec<K>, children: Vec<Arc<Node<K, V>>> },
}

/// The upper part of a node that was split, after the bound between both.
type Upper<K, V> = (K, Arc<Node<K, V>>);

impl<K, V> SharedMap<K, V> {
    /// An empty map.
    pub const fn new() -> Self {
        Self { root: None, len: 0 }
    }

    /// How many items it holds.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether it holds none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The items, ascending.
    pub fn iter(&self) -> Iter<'_, K, V> {
        let mut iter = Iter::default();
        iter.descend(self.root.as_deref());
        iter
    }

    /// The keys, ascending.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// The values, by ascending keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// The item with the least key.
    pub fn first(&self) -> Option<(&K, &V)> {
        self.iter().next()
    }
}

impl<K: Ord, V> SharedMap<K, V> {
    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let mut node = self.root.as_deref()?;
        loop {
            match node {
                Node::Branch { bounds, children } => node = children.get(place_of(bounds, key))?,
                Node::Leaf { keys, values } => return values.get(search(keys, key).ok()?),
            }
        }
    }

    /// Whether there is a value of a key.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get(key).is_some()
    }

    /// The items from a key on, ascending.
    pub fn range_from<Q: Ord + ?Sized>(&self, from: Bound<&Q>) -> Iter<'_, K, V>
    where
        K: Borrow<Q>,
    {
        let (Bound::Included(least) | Bound::Excluded(least)) = from else {
            return self.iter();
        };
        let mut iter = Iter::default();
        let mut next = self.root.as_deref();
        while let Some(node) = next.take() {
            match node {
                Node::Branch { bounds, children } => {
                    let mut rest = children.get(place_of(bounds, least)..).unwrap_or_default().iter();
                    next = rest.next().map(|child| &**child);
                    iter.branches.push(rest);
                }
                Node::Leaf { keys, values } => {
                    let first = keys.partition_point(|key| match from {
                        Bound::Excluded(_) => key.borrow() <= least,
                        Bound::Included(_) | Bound::Unbounded => key.borrow() < least,
                    });
                    iter.keys = keys.get(first..).unwrap_or_default().iter();
                    iter.values = values.get(first..).unwrap_or_default().iter();
                }
            }
        }
        iter
    }
}

impl<K: Ord + Clone, V: Clone> SharedMap<K, V> {
    /// The value of a key, to be changed.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let mut node = Arc::make_mut(self.root.as_mut()?);
        loop {
            match node {
                Node::Branch { bounds, children } => node = Arc::make_mut(children.get_mut(place_of(bounds, key))?),
                Node::Leaf { keys, values } => return values.get_mut(search(keys, key).ok()?),
            }
        }
    }

    /// Sets the value of a key.
    pub fn insert(&mut self, key: K, value: V) {
        let Some(root) = &mut self.root else {
            let leaf = Node::Leaf { keys: vec![key], values: vec![value] };
            *self = Self { root: Some(Arc::new(leaf)), len: 1 };
            return;
        };
        let (added, upper) = Arc::make_mut(root).insert(key, value);
        self.len += usize::from(added);
        if let Some((bound, upper)) = upper {
            *root = Arc::new(Node::Branch { bounds: vec![bound], children: vec![Arc::clone(root), upper] });
        }
    }

    /// Takes a key out. `false`: it was not there.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        let Some(root) = &mut self.root else { return false };
        let (removed, empty) = Arc::make_mut(root).remove(key);
        self.len -= usize::from(removed);
        if empty {
            self.root = None;
        }
        while let Some(Node::Branch { children, .. }) = self.root.as_deref()
            && let [only] = children.as_slice()
        {
            self.root = Some(Arc::clone(only));
        }
        removed
    }
}

impl<K: Ord + Clone, V: Clone> Node<K, V> {
    /// Sets the value of a key. Whether the key is new, and the upper part of this node if it had to be split.
    fn insert(&mut self, key: K, value: V) -> (bool, Option<Upper<K, V>>) {
        match self {
            Self::Leaf { keys, values } => match search(keys, &key) {
                Ok(place) => {
                    *values.get_mut(place).expect("invariant: as many values as keys") = value;
                    (false, None)
                }
                Err(place) => {
                    keys.insert(place, key);
                    values.insert(place, value);
                    (true, split_at(keys.len(), place).and_then(|at| self.split(at)))
                }
            },
            Self::Branch { bounds, children } => {
                let place = place_of(bounds, &key);
                let child = children.get_mut(place).expect("invariant: one bound less than children");
                let (added, upper) = Arc::make_mut(child).insert(key, value);
                let Some((bound, upper)) = upper else { return (added, None) };
                bounds.insert(place, bound);
                children.insert(place + 1, upper);
                (added, split_at(children.len(), place + 1).and_then(|at| self.split(at)))
            }
        }
    }

    /// Takes out what begins at place `at`, which is not the first.
    fn split(&mut self, at: usize) -> Option<Upper<K, V>> {
        match self {
            Self::Leaf { keys, values } => {
                let (keys, values) = (keys.split_off(at), values.split_off(at));
                Some((keys.first()?.clone(), Arc::new(Self::Leaf { keys, values })))
            }
            Self::Branch { bounds, children } => {
                let upper = Self::Branch { bounds: bounds.split_off(at), children: children.split_off(at) };
                Some((bounds.pop()?, Arc::new(upper)))
            }
        }
    }

    /// Takes a key out. Whether it was there, and whether nothing is left here.
    fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> (bool, bool)
    where
        K: Borrow<Q>,
    {
        match self {
            Self::Leaf { keys, values } => {
                let found = search(keys, key);
                if let Ok(place) = found {
                    keys.remove(place);
                    values.remove(place);
                }
                (found.is_ok(), keys.is_empty())
            }
            Self::Branch { bounds, children } => {
                let place = place_of(bounds, key);
                let child = children.get_mut(place).expect("invariant: one bound less than children");
                let (removed, empty) = Arc::make_mut(child).remove(key);
                if empty {
                    children.remove(place);
                    // With the first child goes the bound behind it, with any other the one before.
                    if !bounds.is_empty() {
                        bounds.remove(place.saturating_sub(1));
                    }
                }
                (removed, children.is_empty())
            }
        }
    }
}

/// Where a key is among those of a leaf, or where it would be.
fn search<K: Borrow<Q>, Q: Ord + ?Sized>(keys: &[K], key: &Q) -> Result<usize, usize> {
    keys.binary_search_by(|it| it.borrow().cmp(key))
}

/// Which child of a branch a key belongs to.
fn place_of<K: Borrow<Q>, Q: Ord + ?Sized>(bounds: &[K], key: &Q) -> usize {
    bounds.partition_point(|bound| bound.borrow() <= key)
}

/// Where to split a node that has grown to `len` at `place`, if it is full: in the middle, or if it grew at its end, before
/// what it grew by, so that what comes in order fills its nodes.
fn split_at(len: usize, place: usize) -> Option<usize> {
    (len >= FULL).then_some(if place + 1 == len { place } else { FULL / 2 })
}

/// The items of a map, ascending.
pub struct Iter<'a, K, V> {
    /// What is still to come of each branch on the way to the leaf.
    branches: Vec<slice::Iter<'a, Arc<Node<K, V>>>>,
    /// What is still to come of the leaf.
    keys: slice::Iter<'a, K>,
    values: slice::Iter<'a, V>,
}

impl<K, V> Default for Iter<'_, K, V> {
    fn default() -> Self {
        Self { branches: Vec::new(), keys: [].iter(), values: [].iter() }
    }
}

impl<'a, K, V> Iter<'a, K, V> {
    /// Goes to the first leaf below a node.
    fn descend(&mut self, mut next: Option<&'a Node<K, V>>) {
        while let Some(node) = next.take() {
            match node {
                Node::Leaf { keys, values } => (self.keys, self.values) = (keys.iter(), values.iter()),
                Node::Branch { children, .. } => {
                    let mut rest = children.iter();
                    next = rest.next().map(|child| &**child);
                    self.branches.push(rest);
                }
            }
        }
    }
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let (Some(key), Some(value)) = (self.keys.next(), self.values.next()) {
                return Some((key, value));
            }
            match self.branches.last_mut()?.next() {
                Some(child) => self.descend(Some(child)),
                None => _ = self.branches.pop(),
            }
        }
    }
}

impl<K, V> Default for SharedMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for SharedMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<K: Eq, V: Eq> Eq for SharedMap<K, V> {}

impl<K: Hash, V: Hash> Hash for SharedMap<K, V> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.len.hash(state);
        self.iter().for_each(|item| item.hash(state));
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for SharedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
