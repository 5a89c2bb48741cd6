//! Tables. In a pipe, columns are as wide as their content; on a terminal they are fitted. Their names and order never
//! change. Pure.

mod layout;

use crate::text::{Look, Word, begin, cut, cut_in_the_middle, printable, width_of};

pub use layout::Layout;

/// A column, and what happens to it if there is not enough room.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub name: &'static str,
    /// Whether it contains numbers, which are aligned to the right.
    is_number: bool,
    shrink: Shrink,
    leave: Leave,
}

/// How a column becomes narrower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shrink {
    No,
    /// An id: its first digits are enough.
    Id,
    /// Cut before any column is dropped.
    Soft,
    /// A name: cut in the middle, after the less important columns were dropped.
    Name,
}

/// When a column is dropped. In one phase, the column with the smallest number is dropped first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Leave {
    /// Dropped before a name is cut.
    Early(u8),
    /// Dropped when the names are as short as they may become.
    Late(u8),
    Never,
}

impl Column {
    /// A column that always stays, as wide as its cells.
    pub const fn new(name: &'static str) -> Self {
        Column { name, is_number: false, shrink: Shrink::No, leave: Leave::Never }
    }

    /// Makes it a column of numbers.
    pub const fn number(mut self) -> Self {
        self.is_number = true;
        self
    }

    /// Makes it a column of ids.
    pub const fn id(mut self) -> Self {
        self.shrink = Shrink::Id;
        self
    }

    /// Makes it a column of texts that are cut first.
    pub const fn soft(mut self) -> Self {
        self.shrink = Shrink::Soft;
        self
    }

    /// Makes it a column of names.
    pub const fn names(mut self) -> Self {
        self.shrink = Shrink::Name;
        self
    }

    /// Drops it before a name is cut, in this order.
    pub const fn early(mut self, order: u8) -> Self {
        self.leave = Leave::Early(order);
        self
    }

    /// Drops it when the names are as short as they may become, in this order.
    pub const fn late(mut self, order: u8) -> Self {
        self.leave = Leave::Late(order);
        self
    }
}

/// Rows of cells under the names of their columns.
#[derive(Debug, Clone, Default)]
pub struct Table {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Word>>,
}

impl Table {
    pub fn new(columns: impl Into<Vec<Column>>) -> Self {
        Table { columns: columns.into(), rows: Vec::new() }
    }

    /// Adds a row: a cell for each column.
    pub fn add(&mut self, cells: impl IntoIterator<Item = Word>) {
        let cells = cells.into_iter().map(|cell| Word::new(printable(&cell.text), cell.look)).collect::<Vec<_>>();
        assert_eq!(cells.len(), self.columns.len(), "a cell for each column");
        self.rows.push(cells);
    }

    /// How wide each column wants to be.
    pub fn widths(&self) -> Vec<usize> {
        let of_cells = |at: usize| self.rows.iter().map(move |row| width_of(&row[at].text)).max().unwrap_or(0);
        self.columns.iter().enumerate().map(|(at, column)| of_cells(at).max(column.name.len())).collect()
    }

    /// The widths of the columns, in sum no wider than `width` if that is given.
    pub fn layout(&self, width: Option<usize>) -> Layout {
        Layout::new(&self.columns, &self.widths(), width)
    }

    /// The lines as padded cells, the head first.
    pub fn lines(&self, layout: &Layout) -> Vec<Vec<Word>> {
        let head = self.head(layout);
        std::iter::once(head).chain(self.rows.iter().map(|row| self.line(row, layout))).collect()
    }

    /// The names of the columns.
    pub fn head(&self, layout: &Layout) -> Vec<Word> {
        self.line(&self.columns.iter().map(|column| Word::new(column.name, Look::Bold)).collect::<Vec<_>>(), layout)
    }

    /// One row as padded cells, without spaces at the end.
    pub fn line(&self, row: &[Word], layout: &Layout) -> Vec<Word> {
        let mut cells: Vec<Word> =
            layout.widths().map(|(at, width)| padded(&row[at], &self.columns[at], width)).collect();
        if let Some(last) = cells.last_mut() {
            last.text.truncate(last.text.trim_end().len());
        }
        cells
    }
}

/// The space between columns.
pub const GAP: &str = "  ";

fn padded(cell: &Word, column: &Column, width: usize) -> Word {
    let text = match column.shrink {
        Shrink::Id => begin(&cell.text, width).into(),
        Shrink::Name | Shrink::Soft => cut_in_the_middle(&cell.text, width),
        Shrink::No => cut(&cell.text, width),
    };
    let padding = " ".repeat(width.saturating_sub(width_of(&text)));
    let text = if column.is_number { format!("{padding}{text}") } else { format!("{text}{padding}") };
    Word::new(text, cell.look)
}

/// The table as text, without looks.
#[cfg(test)]
pub fn plain(table: &Table, width: Option<usize>) -> String {
    let lines = table.lines(&table.layout(width));
    let line =
        |words: &Vec<Word>| words.iter().map(|word| &*word.text).collect::<Vec<_>>().join(GAP).trim_end().to_owned();
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table =
            Table::new([Column::new("NAME").names(), Column::new("N").number(), Column::new("IMAGE").soft().early(1)]);
        table.add(["a-rather-long-name", "1", "registry.example/image:1.0"].map(Word::from));
        table.add(["b", "12", "-"].map(Word::from));
        table
    }

    #[test]
    fn in_a_pipe_it_is_as_wide_as_it_needs() {
        assert_eq!(
            plain(&table(), None).split('\n').collect::<Vec<_>>(),
            [
                "NAME                 N  IMAGE",
                "a-rather-long-name   1  registry.example/image:1.0",
                "b                   12  -",
            ]
        );
        assert_eq!(plain(&Table::new([Column::new("A"), Column::new("B")]), None), "A  B");
    }

    #[test]
    fn on_a_terminal_texts_are_cut_then_columns_leave_then_names_are_cut() {
        let first = |width| plain(&table(), Some(width)).split('\n').nth(1).unwrap().to_owned();
        assert_eq!(first(50), "a-rather-long-name   1  registry.example/image:1.0");
        assert_eq!(first(42), "a-rather-long-name   1  registry.…mage:1.0");
        assert_eq!(first(39), "a-rather-long-name   1");
        assert_eq!(first(16), "a-rath…-name   1");
        assert_eq!(first(3), "a…e");
        for width in 1..60 {
            assert!(plain(&table(), Some(width)).split('\n').all(|line| width_of(line) <= width), "{width}");
        }
    }
}
