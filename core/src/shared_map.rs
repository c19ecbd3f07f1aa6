//! An ordered map with structural sharing: a clone is a counter, and a change copies only the nodes on its way that are
//! shared. So a snapshot, a frozen copy and the served shard hold what they have in common once.
//!
//! A persistent B+ tree. The crates that are `no_std`, persistent and ordered are binary trees, whose lookups wait for
//! memory three times on each of many levels; here a level is one node with its keys side by side. Nodes are dropped when
//! they are empty but never merged: nothing but the end of sessions and of shards is ever removed, and that empties nodes.
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
    Leaf(Vec<(K, V)>),
    Branch(Vec<Child<K, V>>),
}

/// A lower bound of the keys in a node, and the node. The bound of a branch's first child does not count.
type Child<K, V> = (K, Arc<Node<K, V>>);

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
        let mut iter = Iter { branches: Vec::new(), items: [].iter() };
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
                Node::Branch(children) => node = &children.get(place_of(children, key))?.1,
                Node::Leaf(items) => return items.get(search(items, key).ok()?).map(|(_, value)| value),
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
        let mut iter = Iter { branches: Vec::new(), items: [].iter() };
        let mut next = self.root.as_deref();
        while let Some(node) = next.take() {
            match node {
                Node::Branch(children) => {
                    let mut rest = children.get(place_of(children, least)..).unwrap_or_default().iter();
                    next = rest.next().map(|(_, child)| &**child);
                    iter.branches.push(rest);
                }
                Node::Leaf(items) => {
                    let before = |(key, _): &(K, V)| match from {
                        Bound::Excluded(_) => key.borrow() <= least,
                        Bound::Included(_) | Bound::Unbounded => key.borrow() < least,
                    };
                    iter.items = items.get(items.partition_point(before)..).unwrap_or_default().iter();
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
                Node::Branch(children) => {
                    let place = place_of(children, key);
                    node = Arc::make_mut(&mut children.get_mut(place)?.1);
                }
                Node::Leaf(items) => {
                    let place = search(items, key).ok()?;
                    return items.get_mut(place).map(|(_, value)| value);
                }
            }
        }
    }

    /// Sets the value of a key.
    pub fn insert(&mut self, key: K, value: V) {
        let Some(root) = &mut self.root else {
            *self = Self { root: Some(Arc::new(Node::Leaf(vec![(key, value)]))), len: 1 };
            return;
        };
        // Should the root be split, its lower half becomes the first child, whose bound does not count.
        let any = key.clone();
        let (added, upper) = Arc::make_mut(root).insert(key, value);
        self.len += usize::from(added);
        if let Some(upper) = upper {
            *root = Arc::new(Node::Branch(vec![(any, Arc::clone(root)), upper]));
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
        while let Some(Node::Branch(children)) = self.root.as_deref()
            && let [(_, only)] = children.as_slice()
        {
            self.root = Some(Arc::clone(only));
        }
        removed
    }
}

impl<K: Ord + Clone, V: Clone> Node<K, V> {
    /// Sets the value of a key. Whether the key is new, and the upper part of this node if it had to be split.
    fn insert(&mut self, key: K, value: V) -> (bool, Option<Child<K, V>>) {
        match self {
            Self::Leaf(items) => match search(items, &key) {
                Ok(place) => {
                    items.get_mut(place).expect("invariant: the key was found there").1 = value;
                    (false, None)
                }
                Err(place) => {
                    items.insert(place, (key, value));
                    (true, split(items, place).map(|(least, upper)| (least, Arc::new(Self::Leaf(upper)))))
                }
            },
            Self::Branch(children) => {
                let place = place_of(children, &key);
                let (_, child) = children.get_mut(place).expect("invariant: a branch has children");
                let (added, upper) = Arc::make_mut(child).insert(key, value);
                let Some(upper) = upper else { return (added, None) };
                children.insert(place + 1, upper);
                (added, split(children, place + 1).map(|(least, upper)| (least, Arc::new(Self::Branch(upper)))))
            }
        }
    }

    /// Takes a key out. Whether it was there, and whether nothing is left here.
    fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> (bool, bool)
    where
        K: Borrow<Q>,
    {
        match self {
            Self::Leaf(items) => {
                let found = search(items, key).map(|place| items.remove(place));
                (found.is_ok(), items.is_empty())
            }
            Self::Branch(children) => {
                let place = place_of(children, key);
                let (_, child) = children.get_mut(place).expect("invariant: a branch has children");
                let (removed, empty) = Arc::make_mut(child).remove(key);
                if empty {
                    children.remove(place);
                }
                (removed, children.is_empty())
            }
        }
    }
}

/// Where a key is among the items of a leaf, or where it would be.
fn search<K: Ord + Borrow<Q>, V, Q: Ord + ?Sized>(items: &[(K, V)], key: &Q) -> Result<usize, usize> {
    items.binary_search_by(|(it, _)| it.borrow().cmp(key))
}

/// Which child of a branch a key belongs to.
fn place_of<K: Ord + Borrow<Q>, V, Q: Ord + ?Sized>(children: &[Child<K, V>], key: &Q) -> usize {
    children.get(1..).unwrap_or_default().partition_point(|(least, _)| least.borrow() <= key)
}

/// The upper half of a node that has become full by the item at `place`, with its least key. Of one that grows at its end
/// only the last item: what comes in order fills its nodes.
fn split<K: Clone, T>(items: &mut Vec<(K, T)>, place: usize) -> Option<(K, Vec<(K, T)>)> {
    if items.len() < FULL {
        return None;
    }
    let at = if place + 1 == items.len() { place } else { FULL / 2 };
    let upper = items.split_off(at);
    upper.first().map(|(least, _)| least.clone()).map(|least| (least, upper))
}

/// The items of a map, ascending.
pub struct Iter<'a, K, V> {
    /// What is still to come of each branch on the way to the leaf.
    branches: Vec<slice::Iter<'a, Child<K, V>>>,
    /// What is still to come of the leaf.
    items: slice::Iter<'a, (K, V)>,
}

impl<'a, K, V> Iter<'a, K, V> {
    /// Goes to the first leaf below a node.
    fn descend(&mut self, mut next: Option<&'a Node<K, V>>) {
        while let Some(node) = next.take() {
            match node {
                Node::Leaf(items) => self.items = items.iter(),
                Node::Branch(children) => {
                    let mut rest = children.iter();
                    next = rest.next().map(|(_, child)| &**child);
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
            if let Some((key, value)) = self.items.next() {
                return Some((key, value));
            }
            match self.branches.last_mut()?.next() {
                Some((_, child)) => self.descend(Some(child)),
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
