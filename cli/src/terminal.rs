//! The command's output: a terminal with its width and colours, or a pipe; and messages on stderr.

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::AsFd;

use crate::closed_stdout;
use crate::exit::Failure;
use crate::table::{GAP, Layout, Table};
use crate::text::{Look, Word, printable};

/// Stdout.
pub struct Out {
    to: BufWriter<Printer>,
    /// The width of the terminal; `None` in a pipe, or if the width is not known.
    pub width: Option<usize>,
    pub is_terminal: bool,
    has_colours: bool,
}

impl Out {
    /// Stdout as it is.
    pub fn new() -> Self {
        let is_terminal = io::stdout().is_terminal();
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        let wants_none = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Out {
            to: BufWriter::new(Printer::new()),
            width: width_of_terminal(),
            is_terminal,
            has_colours: is_terminal && !is_dumb && !wants_none,
        }
    }

    /// Prints a text as it is, with a line end.
    pub fn raw_line(&mut self, text: &str) -> Result<(), Failure> {
        self.raw(text)?;
        self.raw("\n")
    }

    /// Prints a text as it is.
    pub fn raw(&mut self, text: &str) -> Result<(), Failure> {
        self.to.write_all(text.as_bytes()).map_err(|error| Failure::output(&error))
    }

    /// Prints bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.to.write_all(bytes).map_err(|error| Failure::output(&error))
    }

    /// Prints words with their looks, and a space between them. Nothing in them can move the cursor.
    pub fn line(&mut self, words: &[Word]) -> Result<(), Failure> {
        self.words(words, " ")
    }

    /// Prints a table: fitted to the terminal, unless `whole` is set.
    pub fn table(&mut self, table: &Table, whole: bool) -> Result<Layout, Failure> {
        let layout = table.layout(self.width.filter(|_| !whole));
        for line in table.lines(&layout) {
            self.words(&line, GAP)?;
        }
        Ok(layout)
    }

    /// Prints one row of a table.
    pub fn row(&mut self, cells: &[Word]) -> Result<(), Failure> {
        self.words(cells, GAP)
    }

    fn words(&mut self, words: &[Word], gap: &str) -> Result<(), Failure> {
        let line: Vec<String> = words.iter().map(|word| self.styled(word)).collect();
        let line = line.join(gap);
        self.raw_line(line.trim_end())
    }

    fn styled(&self, word: &Word) -> String {
        let text = printable(&word.text);
        match word.look.sgr() {
            sgr if self.has_colours && !sgr.is_empty() && !text.trim().is_empty() => {
                // Spaces at the end can be cut only if no escape code follows them.
                let kept = text.trim_end();
                format!("\x1b[{sgr}m{kept}\x1b[0m{}", &text[kept.len()..])
            }
            _ => text.into_owned(),
        }
    }

    /// Writes out what is buffered.
    pub fn flush(&mut self) -> Result<(), Failure> {
        self.to.flush().map_err(|error| Failure::output(&error))
    }
}

/// Stdout, unless it was closed at the beginning.
enum Printer {
    Open(StdoutLock<'static>),
    Closed,
}

impl Printer {
    fn new() -> Self {
        if closed_stdout::was_closed() { Printer::Closed } else { Printer::Open(io::stdout().lock()) }
    }
}

impl Write for Printer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Printer::Open(stdout) => stdout.write(bytes),
            Printer::Closed => Err(rustix::io::Errno::BADF.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Printer::Open(stdout) => stdout.flush(),
            Printer::Closed => Ok(()),
        }
    }
}

/// Blocks until nobody reads stdout any more. Needs a thread of its own, because it may never return.
pub fn wait_until_reader_leaves() {
    let stdout = io::stdout();
    loop {
        let mut watched = [PollFd::from_borrowed_fd(stdout.as_fd(), PollFlags::empty())];
        match poll(&mut watched, None) {
            Ok(_) if watched[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) => return,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            // If this cannot be awaited, the next output will notice it.
            Err(_) => loop {
                std::thread::park();
            },
        }
    }
}

/// How many columns the terminal of stdout has.
fn width_of_terminal() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0).then_some(size.ws_col.into())
}

/// The width for the help: the terminal's, or $COLUMNS, or 80; at most 100, because longer lines are hard to read.
pub fn help_width() -> usize {
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    said.or_else(width_of_terminal).unwrap_or(80).clamp(40, 100)
}

/// Prints an error on stderr: broken into lines on a terminal, elsewhere in one line, so that a log has it whole. Text
/// from engines in it cannot control the terminal.
pub fn complain(message: &str) {
    let text = complaint(message, io::stderr().is_terminal());
    // If stderr cannot be written, the message is lost.
    let _ = writeln!(io::stderr(), "criwatch: {text}");
}

fn complaint(message: &str, on_terminal: bool) -> String {
    let lines: Vec<_> = message.trim().lines().map(|line| printable(line.trim()).into_owned()).collect();
    match (&lines[..], on_terminal) {
        ([], _) => String::new(),
        (lines, true) => lines.join("\n  "),
        ([first], _) => first.clone(),
        ([first, more @ ..], _) => format!("{first} {}", more.join("; ")),
    }
}

/// A bar of this width, filled to a share from 0 to 1.
pub fn bar(share: f64, columns: usize) -> Word {
    let filled = ((share.clamp(0.0, 1.0) * columns as f64).round() as usize).min(columns);
    let look = if share >= 0.9 {
        Look::Bad
    } else if share >= 0.7 {
        Look::Caution
    } else {
        Look::Good
    };
    Word::new(format!("{}{}", "█".repeat(filled), "░".repeat(columns - filled)), look)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_are_one_line_in_a_pipe_and_move_no_cursor() {
        let message = "refused: \x1b]0;title\x07\u{9b}2J\nand \x1b[31mmore\nlast";
        assert_eq!(complaint(message, false), "refused: \\x1b]0;title\\x07\\x9b2J and \\x1b[31mmore; last");
        assert_eq!(complaint("a\n  b", true), "a\n  b");
    }

    #[test]
    fn bars() {
        assert_eq!(
            (bar(0.0, 4).text, bar(0.5, 4).text, bar(7.0, 4).text),
            ("░░░░".into(), "██░░".into(), "████".into())
        );
        assert_eq!(bar(0.95, 4).look, Look::Bad);
    }
}
