//! The engine's bytes as text. Engines do not check that their texts are UTF-8, so nothing here fails. Pure.

use std::borrow::Cow;
use std::sync::Arc;

use super::observed::Pair;
use crate::model::*;

/// Reads the texts of one item, and notes what had to be repaired or cut.
pub(super) struct Reader {
    labels_max: usize,
    flags: u32,
}

impl Reader {
    /// `labels_max`: how many bytes of labels are kept, and of annotations.
    pub fn new(labels_max: usize) -> Self {
        Reader { labels_max, flags: 0 }
    }

    /// The repairs and cuts that were noted: bits of `CRI_CONTAINER_FLAG_*`.
    pub fn flags(&self) -> u32 {
        self.flags
    }

    /// The text; each bad byte becomes U+FFFD.
    fn read<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, str> {
        let text = std::str::from_utf8(bytes).map(Cow::Borrowed);
        text.unwrap_or_else(|_| {
            self.flags |= CRI_CONTAINER_FLAG_TEXT_REPAIRED;
            String::from_utf8_lossy(bytes)
        })
    }

    fn string(&mut self, bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap_or_else(|e| self.read(e.as_bytes()).into_owned())
    }

    /// The text, for sharing.
    pub fn text(&mut self, bytes: impl AsRef<[u8]>) -> Arc<str> {
        match bytes.as_ref() {
            [] => Arc::default(),
            bytes => self.read(bytes).into(),
        }
    }

    /// An id, if there is one.
    pub fn id(&mut self, bytes: impl AsRef<[u8]>) -> Option<Id> {
        let bytes = bytes.as_ref();
        (!bytes.is_empty()).then(|| self.text(bytes))
    }

    /// Labels or annotations, as far as they fit: the first keys in order, with the last value cut.
    pub fn labels(&mut self, pairs: Vec<Pair>) -> Arc<Labels> {
        if pairs.is_empty() {
            return Labels::none();
        }
        let labels: Labels =
            pairs.into_iter().map(|Pair { key, value }| (self.string(key), self.string(value))).collect();
        if labels.size() <= self.labels_max {
            return Arc::new(labels);
        }
        self.flags |= CRI_CONTAINER_FLAG_LABELS_CUT;
        Arc::new(cut(&labels, self.labels_max))
    }
}

/// The entries that fit into `room`, in the order of their keys. The value of the first one that does not fit is cut;
/// the entry is dropped if even its key does not fit.
fn cut(labels: &Labels, mut room: usize) -> Labels {
    let fitting = labels.iter().filter_map(|(key, value)| {
        let left = room.checked_sub(key.len())?;
        let whole = (0..=left.min(value.len())).rev().find(|at| value.is_char_boundary(*at)).unwrap_or(0);
        room = left - whole;
        Some((key, &value[..whole]))
    });
    fitting.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(key: &[u8], value: &[u8]) -> Pair {
        Pair { key: key.into(), value: value.into() }
    }

    #[test]
    fn bad_bytes_are_replaced_and_noted() {
        let mut reader = Reader::new(1000);
        assert_eq!((&*reader.text(b"fine"), reader.flags()), ("fine", 0));
        assert_eq!(&*reader.text([b'a', 0xff, 0xfe, b'b']), "a\u{fffd}\u{fffd}b");
        assert_eq!(reader.flags(), CRI_CONTAINER_FLAG_TEXT_REPAIRED);
        let labels = reader.labels(vec![pair(b"k\xff", b"v"), pair(b"ok", b"\xfe")]);
        assert_eq!((&labels["k\u{fffd}"], &labels["ok"]), ("v", "\u{fffd}"));
    }

    #[test]
    fn labels_are_kept_up_to_the_limit() {
        let long = "é".repeat(50);
        let pairs = || vec![pair(b"a", b"1"), pair(b"b", long.as_bytes()), pair(b"c", b"2")];
        let mut reader = Reader::new(104);
        assert_eq!((reader.labels(pairs()).len(), reader.flags()), (3, CRI_CONTAINER_FLAG_LABELS_CUT));
        for max in 0..110 {
            let labels = Reader::new(max).labels(pairs());
            assert!(labels.size() <= max, "{max}: {labels:?}");
            assert_eq!(labels.get("a").is_some(), max >= 1, "the first ones stay");
        }
        let mut roomy = Reader::new(105);
        assert_eq!((&roomy.labels(pairs())["b"], roomy.flags()), (&*long, 0));
    }
}
