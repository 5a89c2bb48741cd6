//! Texts on a terminal: how wide they are, how they are cut, and that nothing in them moves the cursor. Pure.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The look of a text on a terminal, named by its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Look {
    #[default]
    Plain,
    Bold,
    Dim,
    Good,
    Bad,
    Caution,
    Odd,
    Change,
    Id,
    Heading,
}

impl Look {
    /// The codes of a terminal (SGR); "" for none.
    pub fn sgr(self) -> &'static str {
        match self {
            Look::Plain => "",
            Look::Bold => "1",
            Look::Dim => "2",
            Look::Good => "32",
            Look::Bad => "31",
            Look::Caution => "33",
            Look::Odd => "35",
            Look::Change => "34",
            Look::Id => "36",
            Look::Heading => "1;36",
        }
    }
}

/// A text with its look.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Word {
    pub text: String,
    pub look: Look,
}

impl Word {
    pub fn new(text: impl Into<String>, look: Look) -> Self {
        Word { text: text.into(), look }
    }
}

impl From<String> for Word {
    fn from(text: String) -> Self {
        Word::new(text, Look::Plain)
    }
}

impl From<&str> for Word {
    fn from(text: &str) -> Self {
        Word::new(text, Look::Plain)
    }
}

/// Whether a character only takes its place. Characters that are invisible or change the direction do not.
fn is_printable(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1345f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}')
}

/// The text without anything that could move the cursor or break a line, because engines pass on what the authors of
/// pods wrote.
pub fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, |c| format!("\\x{:02x}", c as u32))
}

/// The text, with `spelled` giving the replacement of each character that is not printable; line ends stay.
pub fn escaped_lines(text: &str, spelled: impl Fn(char) -> String) -> Cow<'_, str> {
    escaped(text, |c| if c == '\n' { "\n".into() } else { spelled(c) })
}

fn escaped(text: &str, spelled: impl Fn(char) -> String) -> Cow<'_, str> {
    if text.chars().all(is_printable) {
        return Cow::Borrowed(text);
    }
    text.chars().map(|c| if is_printable(c) { c.to_string() } else { spelled(c) }).collect::<String>().into()
}

/// How many columns of a terminal a text takes.
pub fn width_of(text: &str) -> usize {
    text.width()
}

/// The text, no wider than this: its beginning, and a sign that there is more.
pub fn cut(text: &str, width: usize) -> Cow<'_, str> {
    if width_of(text) <= width {
        return Cow::Borrowed(text);
    }
    if width == 0 {
        return Cow::Borrowed("");
    }
    format!("{}…", begin(text, width - 1)).into()
}

/// The text, no wider than this: its beginning and its end, because the names of pods differ at the end.
pub fn cut_in_the_middle(text: &str, width: usize) -> Cow<'_, str> {
    if width_of(text) <= width {
        return Cow::Borrowed(text);
    }
    if width < 3 {
        return cut(text, width);
    }
    let begin = begin(text, width / 2);
    let end = end(text, width - 1 - width_of(begin));
    format!("{begin}…{end}").into()
}

/// As much of the beginning as fits.
pub fn begin(text: &str, width: usize) -> &str {
    let mut used = 0;
    for (at, cluster) in text.grapheme_indices(true) {
        used += width_of(cluster);
        if used > width {
            return &text[..at];
        }
    }
    text
}

fn end(text: &str, width: usize) -> &str {
    let mut used = 0;
    for (at, cluster) in text.grapheme_indices(true).rev() {
        used += width_of(cluster);
        if used > width {
            return &text[at + cluster.len()..];
        }
    }
    text
}

/// Running text in lines no wider than this, except for single long words.
pub fn filled(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("there is one");
        if !last.is_empty() && width_of(last) + 1 + width_of(word) > width {
            lines.push(word.to_owned());
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

/// A key and its text. On a terminal it is filled to this width, except for single words such as paths, which are there
/// to be copied. Further lines are aligned with the first line's text.
pub fn entry(key: Word, value: &Word, width: Option<usize>) -> Vec<Vec<Word>> {
    const AT_LEAST: usize = 20;
    let before = width_of(&key.text) + 1;
    let Some(width) = width else { return vec![vec![key, value.clone()]] };
    let lines = filled(&value.text, width.saturating_sub(before).max(AT_LEAST)).into_iter();
    let blank = Word::from(" ".repeat(before - 1));
    lines
        .enumerate()
        .map(|(number, line)| vec![if number == 0 { key.clone() } else { blank.clone() }, Word::new(line, value.look)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts() {
        assert_eq!(cut("a-rather-long-name", 8), "a-rathe…");
        assert_eq!((cut("abc", 3), cut("abc", 0), cut("abc", 1)), ("abc".into(), "".into(), "…".into()));
        assert_eq!(cut_in_the_middle("web-frontend-5d9c7b6f4-x2x7q", 16), "web-fron…4-x2x7q");
        assert_eq!(cut_in_the_middle("abcdef", 2), "a…");
        // A wide character is not halved, and marks stay with their letter.
        assert_eq!(cut_in_the_middle("決済サービス", 6), "決…ス");
        assert_eq!(cut("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
        for width in 0..30 {
            for text in ["web-frontend-5d9c7b6f4-x2x7q", "決済サービス-7c9b-ｋ8ｚｑ", "💳-cache"] {
                assert!(width_of(&cut(text, width)) <= width && width_of(&cut_in_the_middle(text, width)) <= width);
            }
        }
    }

    #[test]
    fn nothing_moves_the_cursor() {
        assert_eq!(printable("a\x1b[2J\n\u{9b}b"), "a\\x1b[2J\\x0a\\x9bb");
        assert_eq!(printable("\u{202e}\u{2028}\u{e0001}"), "\\x202e\\x2028\\xe0001");
        assert_eq!(printable("決済 💳 é"), "決済 💳 é");
    }

    #[test]
    fn what_is_said_of_a_key_stands_below_itself() {
        let said = |width| -> Vec<String> {
            let lines = entry("  key ".into(), &Word::new("the first of some long words", Look::Bad), width);
            lines.iter().map(|line| format!("{} {}", line[0].text, line[1].text)).collect()
        };
        assert_eq!(said(None), ["  key  the first of some long words"]);
        assert_eq!(said(Some(80)), said(None));
        assert_eq!(said(Some(27)), ["  key  the first of some", "       long words"]);
        assert_eq!(said(Some(5)), said(Some(27)), "a narrower column cannot be read");
    }

    #[test]
    fn running_text_is_filled() {
        assert_eq!(filled("a bc def ghij", 6), ["a bc", "def", "ghij"]);
        assert_eq!(filled("", 6), [""]);
    }
}
