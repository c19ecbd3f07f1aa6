//! A set that only grows: whatever was once sent can arrive at any later time, again and again, or never.

use quorate_core::digest::digest_of;
use std::hash::Hash;
use std::sync::Arc;

/// A growing set, ordered by digest so that equal sets are equal whatever the order in which they grew.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pool<T> {
    items: Vec<(u64, Arc<T>)>,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self { items: Vec::new() }
    }
}

impl<T: Hash + PartialEq> Pool<T> {
    /// Adds an item; whether it is new. Items of equal digest stand side by side.
    pub fn insert(&mut self, item: T) -> bool {
        let digest = digest_of(&item);
        let first = self.items.partition_point(|(other, _)| *other < digest);
        let known = self.items[first..].iter().take_while(|(other, _)| *other == digest).any(|(_, is)| **is == item);
        if !known {
            self.items.insert(first, (digest, Arc::new(item)));
        }
        !known
    }

    /// Whether the item is in it.
    pub fn contains(&self, item: &T) -> bool {
        let digest = digest_of(item);
        let first = self.items.partition_point(|(other, _)| *other < digest);
        self.items[first..].iter().take_while(|(other, _)| *other == digest).any(|(_, is)| **is == *item)
    }
}

impl<T> Pool<T> {
    /// All items.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.items.iter().map(|(_, item)| item)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_growth_does_not_matter() {
        let (mut one, mut other) = (Pool::default(), Pool::default());
        assert!(one.insert("a") && one.insert("b") && !one.insert("a"));
        assert!(other.insert("b") && other.insert("a"));
        assert_eq!(one, other);
        assert!(one.contains(&"a") && !one.contains(&"c") && one.len() == 2 && !one.is_empty());
    }
}
