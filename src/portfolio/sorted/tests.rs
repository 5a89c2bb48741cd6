use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;

impl Sorted for u32 {
    fn order(&self, other: &Self) -> Ordering {
        self.cmp(other)
    }
}

fn items(tree: &SortedTree<u32>) -> Vec<u32> {
    tree.iter().copied().collect()
}

/// Checks that the tree has what the set has, and finds it.
fn is_like(tree: &SortedTree<u32>, set: &BTreeSet<u32>) -> Result<(), TestCaseError> {
    prop_assert_eq!(items(tree), set.iter().copied().collect::<Vec<_>>());
    for item in set {
        prop_assert_eq!(tree.get_by(|other| other.cmp(item)), Some(item));
    }
    prop_assert_eq!(tree.get_by(|other| other.cmp(&u32::MAX)), None);
    Ok(())
}

proptest! {
    /// Inserts and removes items, with copies in between that must not change.
    #[test]
    fn it_is_a_set_and_copies_stay(steps in proptest::collection::vec((0..3u32, 0..400u32), 0..1500)) {
        let (mut tree, mut set) = (SortedTree::default(), BTreeSet::new());
        let mut copies = Vec::new();
        for (at, (what, item)) in steps.into_iter().enumerate() {
            match what {
                // Long runs of one kind fill and empty nodes.
                0 => prop_assert_eq!(tree.remove(&item), set.remove(&item)),
                _ if at % 1000 > 700 => prop_assert_eq!(tree.remove(&item), set.remove(&item)),
                _ => {
                    tree.insert(item);
                    set.insert(item);
                }
            }
            if at % 100 == 0 {
                copies.push((tree.clone(), set.clone()));
            }
        }
        is_like(&tree, &set)?;
        for (tree, set) in &copies {
            is_like(tree, set)?;
        }
    }

    #[test]
    fn sorted_items_make_the_same_tree_at_once(set in proptest::collection::btree_set(0..5000u32, 0..2000)) {
        let mut tree = SortedTree::of_sorted(set.iter().copied());
        is_like(&tree, &set)?;
        for item in &set {
            prop_assert!(tree.remove(item));
        }
        prop_assert!(tree.iter().next().is_none() && tree.leaves().count() == 1);
    }
}

#[test]
fn a_change_leaves_all_leaves_but_a_few_shared() {
    let before = SortedTree::of_sorted(0..10_000u32);
    let mut after = before.clone();
    after.remove(&5_000);
    after.insert(5_000);
    let old: BTreeSet<_> = before.leaves().map(Arc::as_ptr).collect();
    let new = after.leaves().filter(|leaf| !old.contains(&Arc::as_ptr(leaf))).count();
    assert!(new == 1 && old.len() > 300, "{new} of {}", old.len());
}

#[test]
fn what_is_derived_from_a_leaf_goes_with_its_change() {
    let mut tree = SortedTree::of_sorted(0..100u32);
    let sum = |leaf: &Leaf<u32>| *leaf.memo.get_ref(|| Arc::new(leaf.items().iter().sum::<u32>()));
    let total = |tree: &SortedTree<u32>| tree.leaves().map(|leaf| sum(leaf)).sum::<u32>();
    assert_eq!(total(&tree), 4950);
    tree.remove(&50);
    assert_eq!(total(&tree), 4900);
    tree.insert(1000);
    assert_eq!(total(&tree), 5900);
}
