//! How JSON shows containers.

use super::LabelView;
use super::attributes::Schema;

/// How JSON shows containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct View {
    /// How it shows labels and annotations (option `labels.annotations`).
    pub labels: LabelView,
    /// The schema of the attributes (option `attributes`); `None`: no attributes are shown.
    pub attributes: Option<Schema>,
}

impl View {
    /// The view for these values of the options.
    pub fn new(merge_annotations: bool, attributes: Option<&str>) -> View {
        let labels = if merge_annotations { LabelView::Merged } else { LabelView::Separate };
        View { labels, attributes: attributes.and_then(Schema::of_word) }
    }

    /// The same view with these attributes.
    pub fn with_attributes(self, attributes: Option<Schema>) -> View {
        View { attributes, ..self }
    }
}

impl From<LabelView> for View {
    fn from(labels: LabelView) -> View {
        View { labels, attributes: None }
    }
}
