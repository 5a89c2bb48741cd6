//! A sorted collection that is cheap to copy. Copies share what they have in common, and a change copies only the nodes
//! on the path to it. It is a B+ tree whose nodes are reference-counted.
//!
//! A copy costs one reference, and a change O(log n). A walk visits items in their order, a leaf at a time.

mod node;
#[cfg(test)]
mod tests;
mod walk;

use std::cmp::Ordering;
use std::fmt;

pub use node::Leaf;
use node::Node;
pub use walk::{Items, Leaves};

/// What can be sorted. No two items of one collection are equal.
pub trait Sorted: Clone {
    /// The order of two items.
    fn order(&self, other: &Self) -> Ordering;
}

/// A sorted collection. A clone shares its memory.
#[derive(Clone)]
pub struct SortedTree<T> {
    root: Node<T>,
}

impl<T: Sorted> SortedTree<T> {
    /// A collection of items that are sorted already.
    pub fn of_sorted(items: impl IntoIterator<Item = T>) -> Self {
        SortedTree { root: Node::of_sorted(items) }
    }

    /// Adds an item. It replaces an equal one.
    pub fn insert(&mut self, item: T) {
        if let Some(right) = self.root.insert(item) {
            let left = std::mem::take(&mut self.root);
            self.root = Node::over(vec![left, right]);
        }
    }

    /// Removes the item that is equal to this one, if there is one.
    pub fn remove(&mut self, item: &T) -> bool {
        // Looks first, so that nothing is copied in vain.
        if self.get_by(|other| other.order(item)).is_none() {
            return false;
        }
        self.root.remove(item);
        while let Some(only) = self.root.only_child() {
            self.root = only;
        }
        true
    }

    /// Finds the item for which `compare` is `Equal`. It has to be `Less` for all items before it, and `Greater` for
    /// all after it.
    pub fn get_by(&self, compare: impl Fn(&T) -> Ordering) -> Option<&T> {
        self.root.get_by(&compare)
    }

    /// All items, in order.
    pub fn iter(&self) -> Items<'_, T> {
        Items::new(self.leaves())
    }

    /// The leaves, in order. Two collections share a leaf where nothing in it differs.
    pub fn leaves(&self) -> Leaves<'_, T> {
        Leaves::new(&self.root)
    }
}

impl<T> Default for SortedTree<T> {
    fn default() -> Self {
        SortedTree { root: Node::default() }
    }
}

impl<T: Sorted + fmt::Debug> fmt::Debug for SortedTree<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
