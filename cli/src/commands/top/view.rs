//! What keys change in `top`: cursor, filter, order, help, and details of a container. Pure.

use ratatui::crossterm::event::KeyCode;

use super::lines::{Line, Shape};
use crate::text::Word;

/// What covers the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Overlay {
    None,
    /// The filter is being written.
    Filter,
    Help,
    /// The details of a container, and how far they are scrolled.
    Details {
        title: String,
        lines: Vec<(String, Word)>,
        top: usize,
    },
}

/// What the program has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    None,
    Quit,
    /// Show the details of this id.
    Inspect(String),
}

/// The state of the screen.
#[derive(Debug, Clone)]
pub struct View {
    pub shape: Shape,
    pub overlay: Overlay,
    /// The line with the cursor, and the first visible line.
    pub cursor: usize,
    pub top: usize,
    /// How many lines fit on the screen.
    pub room: usize,
    /// The widths of the columns. They only grow, so that the table does not jump.
    pub widths: Vec<usize>,
}

impl View {
    pub fn new(shape: Shape) -> Self {
        View { shape, overlay: Overlay::None, cursor: 0, top: 0, room: 1, widths: Vec::new() }
    }

    /// Handles a key; `shown` are the lines of the table.
    pub fn press(&mut self, key: KeyCode, shown: &[Line]) -> Action {
        match &mut self.overlay {
            Overlay::Filter => self.write_filter(key),
            Overlay::Help => self.overlay = Overlay::None,
            Overlay::Details { lines, top, .. } => {
                let last = lines.len().saturating_sub(self.room);
                match key {
                    KeyCode::Up | KeyCode::Char('k') => *top = top.saturating_sub(1),
                    KeyCode::Down | KeyCode::Char('j') => *top = (*top + 1).min(last),
                    KeyCode::PageUp => *top = top.saturating_sub(self.room),
                    KeyCode::PageDown | KeyCode::Char(' ') => *top = (*top + self.room).min(last),
                    KeyCode::Home | KeyCode::Char('g') => *top = 0,
                    KeyCode::End | KeyCode::Char('G') => *top = last,
                    KeyCode::Char('q') | KeyCode::Esc | KeyCode::Enter => self.overlay = Overlay::None,
                    _ => {}
                }
            }
            Overlay::None => return self.press_on_table(key, shown),
        }
        Action::None
    }

    fn press_on_table(&mut self, key: KeyCode, shown: &[Line]) -> Action {
        let last = shown.len().saturating_sub(1);
        match key {
            KeyCode::Char('q') => return Action::Quit,
            KeyCode::Enter => {
                return shown.get(self.cursor).map_or(Action::None, |line| Action::Inspect(line.id.clone()));
            }
            KeyCode::Up | KeyCode::Char('k') => self.cursor = self.cursor.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => self.cursor += 1,
            KeyCode::PageUp => self.cursor = self.cursor.saturating_sub(self.room),
            KeyCode::PageDown | KeyCode::Char(' ') => self.cursor += self.room,
            KeyCode::Home | KeyCode::Char('g') => self.cursor = 0,
            KeyCode::End | KeyCode::Char('G') => self.cursor = last,
            KeyCode::Char('a') => self.shape.everything = !self.shape.everything,
            // After sorting, show the beginning of the list.
            KeyCode::Char('s') => {
                self.shape.order = self.shape.order.next();
                (self.cursor, self.top) = (0, 0);
            }
            KeyCode::Char('r') => {
                self.shape.reversed = !self.shape.reversed;
                (self.cursor, self.top) = (0, 0);
            }
            KeyCode::Char('/') => self.overlay = Overlay::Filter,
            KeyCode::Char('?' | 'h') => self.overlay = Overlay::Help,
            KeyCode::Esc => self.shape.filter.clear(),
            _ => {}
        }
        self.cursor = self.cursor.min(last);
        Action::None
    }

    fn write_filter(&mut self, key: KeyCode) {
        match key {
            KeyCode::Enter => self.overlay = Overlay::None,
            KeyCode::Esc => {
                self.shape.filter.clear();
                self.overlay = Overlay::None;
            }
            KeyCode::Backspace => {
                self.shape.filter.pop();
            }
            KeyCode::Char(c) => self.shape.filter.push(c),
            _ => {}
        }
        (self.cursor, self.top) = (0, 0);
    }

    /// Scrolls so that the cursor is visible.
    pub fn fit(&mut self, count: usize, room: usize) {
        self.room = room.max(1);
        self.cursor = self.cursor.min(count.saturating_sub(1));
        let earliest = (self.cursor + 1).saturating_sub(self.room);
        self.top = self.top.clamp(earliest, self.cursor).min(count.saturating_sub(self.room));
    }
}

#[cfg(test)]
mod tests {
    use super::super::lines::{Order, lines};
    use super::*;
    use crate::sample;

    fn view() -> (View, Vec<Line>) {
        let shape = Shape { everything: true, order: Order::Name, reversed: false, filter: String::new() };
        let shown = lines(&sample::node(), &shape, &|_| None);
        let mut view = View::new(shape);
        view.fit(shown.len(), 5);
        (view, shown)
    }

    #[test]
    fn the_cursor_stays_visible() {
        let (mut view, shown) = view();
        for (key, cursor, top) in [
            (KeyCode::Down, 1, 0),
            (KeyCode::PageDown, 6, 2),
            (KeyCode::Up, 5, 2),
            (KeyCode::End, shown.len() - 1, shown.len() - 5),
            (KeyCode::Down, shown.len() - 1, shown.len() - 5),
            (KeyCode::Home, 0, 0),
            (KeyCode::Up, 0, 0),
        ] {
            assert_eq!(view.press(key, &shown), Action::None);
            view.fit(shown.len(), 5);
            assert_eq!((view.cursor, view.top), (cursor, top), "{key:?}");
        }
        // There are fewer lines than before.
        view.press(KeyCode::End, &shown);
        view.fit(3, 5);
        assert_eq!((view.cursor, view.top), (2, 0));
        view.fit(0, 5);
        assert_eq!((view.cursor, view.top), (0, 0));
    }

    #[test]
    fn sorting_returns_to_the_first_row() {
        for key in ['s', 'r'] {
            let (mut view, shown) = view();
            view.press(KeyCode::End, &shown);
            view.press(KeyCode::Char(key), &shown);
            assert_eq!((view.cursor, view.top), (0, 0));
        }
    }

    #[test]
    fn a_filter_is_written_and_cleared() {
        let (mut view, shown) = view();
        for key in ['/', 'n', 'q', 'x'] {
            assert_eq!(view.press(KeyCode::Char(key), &shown), Action::None);
        }
        view.press(KeyCode::Backspace, &shown);
        view.press(KeyCode::Enter, &shown);
        assert_eq!((&*view.shape.filter, &view.overlay), ("nq", &Overlay::None));
        view.press(KeyCode::Esc, &shown);
        assert_eq!(view.shape.filter, "");
        assert_eq!(view.press(KeyCode::Char('q'), &shown), Action::Quit);
    }

    #[test]
    fn enter_asks_for_the_one_under_the_cursor() {
        let (mut view, shown) = view();
        view.press(KeyCode::Down, &shown);
        assert_eq!(view.press(KeyCode::Enter, &shown), Action::Inspect(shown[1].id.clone()));
        assert_eq!(view.press(KeyCode::Enter, &[]), Action::None);
        let lines = vec![(String::new(), Word::default()); 7];
        view.overlay = Overlay::Details { title: String::new(), lines, top: 0 };
        for _ in 0..9 {
            view.press(KeyCode::Down, &shown);
        }
        assert!(matches!(view.overlay, Overlay::Details { top: 2, .. }));
        view.press(KeyCode::Esc, &shown);
        assert_eq!(view.overlay, Overlay::None);
    }
}
