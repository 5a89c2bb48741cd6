//! Labels or annotations, in as little memory as they need.

use std::fmt;
use std::ops::Index;
use std::sync::{Arc, LazyLock};

use serde::{Serialize, Serializer};

/// Labels or annotations: texts by keys, sorted by key. All are kept in one text, with a NUL after each key and each
/// value, so that C can be shown them as they are.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Labels {
    text: Box<str>,
    /// Where each value ends. Its key begins after the value before it.
    spans: Box<[Span]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    key_end: u32,
    end: u32,
}

impl Labels {
    /// No labels. All records without labels share this value.
    pub fn none() -> Arc<Labels> {
        static NONE: LazyLock<Arc<Labels>> = LazyLock::new(Arc::default);
        NONE.clone()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        let at = self.position(key)?;
        Some(self.at(at).1)
    }

    /// Whether this key is there.
    pub fn contains_key(&self, key: &str) -> bool {
        self.position(key).is_some()
    }

    /// Keys and values, in the order of the keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone {
        (0..self.len()).map(|at| self.at(at))
    }

    /// The same, each with the NUL that follows it.
    pub fn with_nul(&self) -> impl ExactSizeIterator<Item = (&[u8], &[u8])> {
        let bytes = self.text.as_bytes();
        (0..self.len()).map(move |at| {
            let (begin, Span { key_end, end }) = (self.begin(at), self.spans[at]);
            (&bytes[begin..=key_end as usize], &bytes[key_end as usize + 1..=end as usize])
        })
    }

    /// The bytes of all keys and values.
    pub fn size(&self) -> usize {
        self.text.len() - 2 * self.len()
    }

    fn position(&self, key: &str) -> Option<usize> {
        // Binary search: with so few labels, it is faster than hashing.
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.at(middle).0.cmp(key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    fn begin(&self, at: usize) -> usize {
        at.checked_sub(1).map_or(0, |before| self.spans[before].end as usize + 1)
    }

    fn at(&self, at: usize) -> (&str, &str) {
        let (begin, Span { key_end, end }) = (self.begin(at), self.spans[at]);
        (&self.text[begin..key_end as usize], &self.text[key_end as usize + 1..end as usize])
    }
}

impl<K: AsRef<str>, V: AsRef<str>> FromIterator<(K, V)> for Labels {
    /// If a key is repeated, its last value counts.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut pairs: Vec<(K, V)> = pairs.into_iter().collect();
        // The sort is stable, so that the last of several equal keys stays the last.
        pairs.sort_by(|a, b| a.0.as_ref().cmp(b.0.as_ref()));
        let is_last = |at: usize| pairs.get(at + 1).is_none_or(|next| next.0.as_ref() != pairs[at].0.as_ref());
        let kept: Vec<(&str, &str)> =
            (0..pairs.len()).filter(|at| is_last(*at)).map(|at| (pairs[at].0.as_ref(), pairs[at].1.as_ref())).collect();
        let mut text = String::with_capacity(kept.iter().map(|(key, value)| key.len() + value.len() + 2).sum());
        let end = |text: &String| u32::try_from(text.len()).expect("labels are cut long before that");
        let spans = kept.iter().map(|(key, value)| {
            text.push_str(key);
            let key_end = end(&text);
            text.extend(["\0", value]);
            let span = Span { key_end, end: end(&text) };
            text.push('\0');
            span
        });
        let spans = spans.collect();
        Labels { text: text.into(), spans }
    }
}

impl<K: AsRef<str>, V: AsRef<str>, const N: usize> From<[(K, V); N]> for Labels {
    fn from(pairs: [(K, V); N]) -> Self {
        pairs.into_iter().collect()
    }
}

impl Index<&str> for Labels {
    type Output = str;

    fn index(&self, key: &str) -> &str {
        self.get(key).unwrap_or_else(|| panic!("there is no label {key:?}"))
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// It behaves like a sorted map of texts, for any texts.
        #[test]
        fn it_is_a_map(pairs in proptest::collection::vec(("[a-c\0é]{0,3}", "[a-z\0]{0,5}"), 0..12)) {
            let labels: Labels = pairs.iter().cloned().collect();
            let map: BTreeMap<String, String> = pairs.into_iter().collect();
            let all: Vec<_> = labels.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
            prop_assert_eq!(&all, &map.clone().into_iter().collect::<Vec<_>>());
            for (key, value) in &map {
                prop_assert_eq!(labels.get(key), Some(&**value));
            }
            prop_assert!(!labels.contains_key("no such key") && labels.len() == map.len());
            prop_assert_eq!(labels.size(), map.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>());
            let with_nul = labels.with_nul().all(|(k, v)| k.ends_with(b"\0") && v.ends_with(b"\0"));
            prop_assert!(with_nul && labels.with_nul().len() == map.len());
            prop_assert_eq!(serde_json::to_string(&labels).unwrap(), serde_json::to_string(&map).unwrap());
        }
    }
}
