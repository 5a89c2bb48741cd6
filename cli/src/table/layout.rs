//! Decides which columns are shown, and how wide each is. Pure.

use super::{Column, GAP, Leave, Shrink};

/// The width to which ids are shortened.
const SHORT_ID: usize = 8;
/// The width to which soft columns are cut before others are dropped.
const SOFT_FLOOR: usize = 16;
/// The width to which names are cut before further columns are dropped.
const NAME_FLOOR: usize = 10;

/// The widths of the columns that are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The width of each column, by its position; `None` if it was dropped.
    widths: Vec<Option<usize>>,
}

impl Layout {
    /// Fits the columns into the width: first ids are shortened, soft columns cut, and early columns dropped; then
    /// names are cut in the middle, and late columns dropped, until all fit.
    pub fn new(columns: &[Column], wanted: &[usize], width: Option<usize>) -> Self {
        let all = Layout { widths: wanted.iter().copied().map(Some).collect() };
        let Some(width) = width else { return all };
        let (early, late) = (
            leaving(columns, |leave| matches!(leave, Leave::Early(_))),
            leaving(columns, |leave| matches!(leave, Leave::Late(_))),
        );
        let shrinking = |shrink| move |at: usize| columns[at].shrink == shrink;
        for gone in 0..=early.len() {
            let mut layout = all.without(&early[..gone]);
            layout.shrink(shrinking(Shrink::Id), SHORT_ID, width);
            layout.shrink(shrinking(Shrink::Soft), SOFT_FLOOR, width);
            if layout.excess(width) == 0 {
                return layout;
            }
        }
        let needed = all.without(&early);
        for gone in 0..=late.len() {
            let mut layout = needed.without(&late[..gone]);
            layout.shrink(shrinking(Shrink::Id), SHORT_ID, width);
            layout.shrink(shrinking(Shrink::Name), NAME_FLOOR, width);
            if layout.excess(width) == 0 {
                return layout;
            }
        }
        needed.without(&late).forced(width)
    }

    /// The columns that are shown, each with its position and width.
    pub fn widths(&self) -> impl Iterator<Item = (usize, usize)> {
        self.widths.iter().enumerate().filter_map(|(at, width)| Some((at, (*width)?)))
    }

    /// Cuts everything, and drops columns without any room, from the right.
    fn forced(mut self, width: usize) -> Self {
        loop {
            self.shrink(|_| true, 3, width);
            let shown: Vec<usize> = self.widths().map(|(at, _)| at).collect();
            match shown[..] {
                _ if self.excess(width) == 0 => return self,
                [] => return self,
                [only] => {
                    self.widths[only] = Some(width);
                    return self;
                }
                [.., last] => self.widths[last] = None,
            }
        }
    }

    fn without(&self, gone: &[usize]) -> Self {
        let stays = |(at, width): (usize, &Option<usize>)| width.filter(|_| !gone.contains(&at));
        Layout { widths: self.widths.iter().enumerate().map(stays).collect() }
    }

    /// By how much the table is too wide.
    fn excess(&self, width: usize) -> usize {
        let count = self.widths().count();
        let total = self.widths().map(|(_, width)| width).sum::<usize>() + GAP.len() * count.saturating_sub(1);
        total.saturating_sub(width)
    }

    /// Makes columns narrower, the widest first, until all fit or have reached `floor`.
    fn shrink(&mut self, which: impl Fn(usize) -> bool, floor: usize, width: usize) {
        for _ in 0..self.excess(width) {
            let can = self.widths().filter(|(at, width)| which(*at) && *width > floor);
            // Of several equally wide columns, the first one.
            let Some((at, widest)) = can.min_by_key(|(at, width)| (std::cmp::Reverse(*width), *at)) else { return };
            self.widths[at] = Some(widest - 1);
        }
    }
}

/// The columns that a phase drops, in their order.
fn leaving(columns: &[Column], is_of_phase: impl Fn(Leave) -> bool) -> Vec<usize> {
    let mut found: Vec<usize> = (0..columns.len()).filter(|at| is_of_phase(columns[*at].leave)).collect();
    found.sort_by_key(|at| columns[*at].leave);
    found
}
