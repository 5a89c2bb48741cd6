//! The nodes, and how they change.

use std::cmp::Ordering;
use std::sync::Arc;

use super::Sorted;
use crate::model::Memo;

/// The most items of a leaf, or children of a branch. A change copies one node of each level.
const MOST: usize = 32;

/// A node with fewer items is joined with a neighbour, if both fit into one.
const FEW: usize = MOST / 4;

/// How full a node is that is made of sorted items. It leaves room for a few more.
const FILL: usize = MOST * 3 / 4;

/// A leaf: some neighbouring items.
pub struct Leaf<T> {
    items: Vec<T>,
    /// Data derived from the items. Each change of them drops it.
    pub memo: Memo,
}

impl<T> Leaf<T> {
    fn of(items: Vec<T>) -> Self {
        Leaf { items, memo: Memo::default() }
    }

    /// The items.
    pub fn items(&self) -> &[T] {
        &self.items
    }
}

impl<T: Clone> Clone for Leaf<T> {
    fn clone(&self) -> Self {
        // The copy is about to change, perhaps by one more item.
        let mut items = Vec::with_capacity(MOST);
        items.extend_from_slice(&self.items);
        Leaf::of(items)
    }
}

pub(super) struct Branch<T> {
    children: Vec<Node<T>>,
}

impl<T> Clone for Branch<T> {
    fn clone(&self) -> Self {
        Branch { children: self.children.clone() }
    }
}

impl<T> Branch<T> {
    pub fn children(&self) -> &[Node<T>] {
        &self.children
    }
}

pub(super) enum Node<T> {
    Leaf(Arc<Leaf<T>>),
    Branch(Arc<Branch<T>>),
}

impl<T> Clone for Node<T> {
    fn clone(&self) -> Self {
        match self {
            Node::Leaf(leaf) => Node::Leaf(leaf.clone()),
            Node::Branch(branch) => Node::Branch(branch.clone()),
        }
    }
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Node::Leaf(Arc::new(Leaf::of(Vec::new())))
    }
}

impl<T> Node<T> {
    /// A branch with these children.
    pub fn over(children: Vec<Node<T>>) -> Self {
        Node::Branch(Arc::new(Branch { children }))
    }

    /// The child of a branch that has only one.
    pub fn only_child(&self) -> Option<Node<T>> {
        match self {
            Node::Branch(branch) => match &branch.children[..] {
                [only] => Some(only.clone()),
                _ => None,
            },
            Node::Leaf(_) => None,
        }
    }

    /// How many items or children the node itself has.
    fn width(&self) -> usize {
        match self {
            Node::Leaf(leaf) => leaf.items.len(),
            Node::Branch(branch) => branch.children.len(),
        }
    }

    fn first(&self) -> Option<&T> {
        let mut node = self;
        loop {
            match node {
                Node::Leaf(leaf) => return leaf.items.first(),
                Node::Branch(branch) => node = branch.children.first()?,
            }
        }
    }
}

/// The child that may hold the `Equal` item: the last one whose first item is not `Greater`.
fn child<T>(children: &[Node<T>], compare: &impl Fn(&T) -> Ordering) -> usize {
    let is_before = |node: &Node<T>| node.first().is_some_and(|first| compare(first).is_le());
    children.partition_point(is_before).saturating_sub(1)
}

impl<T: Sorted> Node<T> {
    pub fn of_sorted(items: impl IntoIterator<Item = T>) -> Self {
        let mut items = items.into_iter().peekable();
        let mut level = Vec::new();
        while items.peek().is_some() {
            level.push(Node::Leaf(Arc::new(Leaf::of(items.by_ref().take(FILL).collect()))));
        }
        while level.len() > 1 {
            let mut below = level.into_iter().peekable();
            level = Vec::new();
            while below.peek().is_some() {
                level.push(Node::over(below.by_ref().take(FILL).collect()));
            }
        }
        level.pop().unwrap_or_default()
    }

    pub fn get_by(&self, compare: &impl Fn(&T) -> Ordering) -> Option<&T> {
        match self {
            Node::Leaf(leaf) => leaf.items.binary_search_by(compare).ok().map(|at| &leaf.items[at]),
            Node::Branch(branch) => branch.children.get(child(&branch.children, compare))?.get_by(compare),
        }
    }

    /// Adds an item. If the node gets too full, its right half is returned.
    pub fn insert(&mut self, item: T) -> Option<Node<T>> {
        match self {
            Node::Leaf(leaf) => {
                let leaf = Arc::make_mut(leaf);
                leaf.memo = Memo::default();
                match leaf.items.binary_search_by(|other| other.order(&item)) {
                    Ok(at) => leaf.items[at] = item,
                    Err(at) => leaf.items.insert(at, item),
                }
                let half = MOST / 2;
                (leaf.items.len() > MOST).then(|| Node::Leaf(Arc::new(Leaf::of(leaf.items.split_off(half)))))
            }
            Node::Branch(branch) => {
                let branch = Arc::make_mut(branch);
                let at = child(&branch.children, &|other: &T| other.order(&item));
                if let Some(right) = branch.children[at].insert(item) {
                    branch.children.insert(at + 1, right);
                }
                (branch.children.len() > MOST).then(|| Node::over(branch.children.split_off(MOST / 2)))
            }
        }
    }

    /// Removes an item that is there.
    pub fn remove(&mut self, item: &T) {
        match self {
            Node::Leaf(leaf) => {
                let leaf = Arc::make_mut(leaf);
                leaf.memo = Memo::default();
                if let Ok(at) = leaf.items.binary_search_by(|other| other.order(item)) {
                    leaf.items.remove(at);
                }
            }
            Node::Branch(branch) => {
                let branch = Arc::make_mut(branch);
                let at = child(&branch.children, &|other: &T| other.order(item));
                branch.children[at].remove(item);
                if branch.children[at].width() < FEW {
                    join(&mut branch.children, at);
                }
            }
        }
    }

    /// Appends the items of the next node, which is of the same level.
    fn append(&mut self, next: Node<T>) {
        match (self, next) {
            (Node::Leaf(left), Node::Leaf(right)) => {
                let left = Arc::make_mut(left);
                left.memo = Memo::default();
                left.items.extend_from_slice(&right.items);
            }
            (Node::Branch(left), Node::Branch(right)) => {
                let left = Arc::make_mut(left);
                left.children.extend_from_slice(&right.children);
            }
            _ => unreachable!("children of one branch are of one level"),
        }
    }
}

/// Joins a small child with a neighbour, if both fit into one node. Drops it if it is empty.
fn join<T: Sorted>(children: &mut Vec<Node<T>>, at: usize) {
    if children[at].width() == 0 && children.len() > 1 {
        children.remove(at);
        return;
    }
    let fits = |left: usize| children.get(left + 1).is_some_and(|r| children[left].width() + r.width() <= MOST);
    let left = [Some(at), at.checked_sub(1)].into_iter().flatten().find(|left| fits(*left));
    if let Some(left) = left {
        let right = children.remove(left + 1);
        children[left].append(right);
    }
}
