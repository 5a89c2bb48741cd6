//! Walks through a tree.

use std::sync::Arc;

use super::node::{Leaf, Node};

/// The leaves of a tree, in order.
pub struct Leaves<'a, T> {
    /// What is still to be visited on each level, the deepest level last.
    levels: Vec<std::slice::Iter<'a, Node<T>>>,
}

impl<'a, T> Leaves<'a, T> {
    pub(super) fn new(root: &'a Node<T>) -> Self {
        Leaves { levels: vec![std::slice::from_ref(root).iter()] }
    }
}

impl<'a, T> Iterator for Leaves<'a, T> {
    type Item = &'a Arc<Leaf<T>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.levels.last_mut()?.next() {
                Some(Node::Leaf(leaf)) => return Some(leaf),
                Some(Node::Branch(branch)) => self.levels.push(branch.children().iter()),
                None => drop(self.levels.pop()),
            }
        }
    }
}

impl<T> Clone for Leaves<'_, T> {
    fn clone(&self) -> Self {
        Leaves { levels: self.levels.clone() }
    }
}

/// The items of a tree, in order.
pub struct Items<'a, T> {
    leaves: Leaves<'a, T>,
    leaf: std::slice::Iter<'a, T>,
}

impl<'a, T> Items<'a, T> {
    pub(super) fn new(leaves: Leaves<'a, T>) -> Self {
        Items { leaves, leaf: [].iter() }
    }
}

impl<'a, T> Iterator for Items<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.leaf.next() {
                return Some(item);
            }
            self.leaf = self.leaves.next()?.items().iter();
        }
    }
}

impl<T> Clone for Items<'_, T> {
    fn clone(&self) -> Self {
        Items { leaves: self.leaves.clone(), leaf: self.leaf.clone() }
    }
}
