//! Parses the lines of a container's log, in the format that the kubelet requires of engines:
//! `2016-10-06T00:17:09.669794202Z stdout F message`. Pure.

use std::collections::VecDeque;

use crate::duration::nanoseconds;

/// One line that the container wrote. It may take several lines of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The time, as the file has it.
    pub time: String,
    pub stream: Stream,
    /// The text, without the line end.
    pub message: Vec<u8>,
}

impl Entry {
    /// The time in nanoseconds since 1970.
    pub fn nanoseconds(&self) -> Option<i64> {
        nanoseconds(&self.time)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Out,
    Err,
}

/// A line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part<'a> {
    time: &'a str,
    stream: Stream,
    /// Whether the container's line continues in the stream's next line of the file.
    is_partial: bool,
    message: &'a [u8],
}

fn parse(line: &[u8]) -> Option<Part<'_>> {
    let mut fields = line.splitn(4, |byte| *byte == b' ');
    let time = std::str::from_utf8(fields.next()?).ok().filter(|time| nanoseconds(time).is_some())?;
    let stream = match fields.next()? {
        b"stdout" => Stream::Out,
        b"stderr" => Stream::Err,
        _ => return None,
    };
    // Tags may follow, with colons in between.
    let tag = fields.next()?.split(|byte| *byte == b':').next()?;
    let is_partial = match tag {
        b"P" => true,
        b"F" => false,
        _ => return None,
    };
    Some(Part { time, stream, is_partial, message: fields.next().unwrap_or_default() })
}

/// Joins lines of the file to entries. Bytes may come in portions of any size.
#[derive(Debug, Default)]
pub struct Assembler {
    /// A line that has no end yet.
    rest: Vec<u8>,
    /// The incomplete entry of each stream.
    open: [Option<Entry>; 2],
    /// How many lines are not in the format.
    pub unreadable: u64,
}

impl Assembler {
    /// The entries that these bytes complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Entry> {
        let mut complete = Vec::new();
        self.rest.extend_from_slice(bytes);
        let all = std::mem::take(&mut self.rest);
        let mut lines = all.split(|byte| *byte == b'\n').peekable();
        while let Some(line) = lines.next() {
            if lines.peek().is_none() {
                self.rest = line.to_vec();
            } else if !line.is_empty() {
                complete.extend(self.line(line));
            }
        }
        complete
    }

    fn line(&mut self, line: &[u8]) -> Option<Entry> {
        let Some(part) = parse(line) else {
            self.unreadable += 1;
            return None;
        };
        let open = &mut self.open[part.stream as usize];
        let mut entry =
            open.take().unwrap_or_else(|| Entry { time: part.time.into(), stream: part.stream, message: Vec::new() });
        entry.message.extend_from_slice(part.message);
        if part.is_partial {
            *open = Some(entry);
            return None;
        }
        Some(entry)
    }
}

/// Keeps the last entries: at most so many, and none older than a given time.
#[derive(Debug)]
pub struct Tail {
    most: Option<usize>,
    since: Option<i64>,
    kept: VecDeque<Entry>,
    /// Whether an entry was left out, as too old or too early.
    has_left_out: bool,
}

impl Tail {
    pub fn new(most: Option<usize>, since: Option<i64>) -> Self {
        Tail { most, since, kept: VecDeque::new(), has_left_out: false }
    }

    /// The entries that can be printed at once; others are kept until the end of the file.
    pub fn take(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let since = self.since;
        let count = entries.len();
        let mut new: Vec<Entry> = entries;
        new.retain(|entry| since.is_none_or(|since| entry.nanoseconds().is_some_and(|time| time >= since)));
        self.has_left_out |= new.len() < count;
        let Some(most) = self.most else { return new };
        self.kept.extend(new);
        while self.kept.len() > most {
            self.kept.pop_front();
            self.has_left_out = true;
        }
        Vec::new()
    }

    /// Whether a file that was last written at this time can be skipped. Ask for the oldest file first.
    pub fn passes_over(&mut self, written: i64) -> bool {
        let is_older = self.since.is_some_and(|since| written < since);
        self.has_left_out |= is_older;
        is_older
    }

    /// Whether entries older than all so far would be wanted.
    pub fn wants_older(&self) -> bool {
        !self.has_left_out && self.most.is_none_or(|most| self.kept.len() < most)
    }

    /// Ends the file, and returns the kept entries. From here on, every entry is printed at once.
    pub fn end(&mut self) -> Vec<Entry> {
        self.most = None;
        std::mem::take(&mut self.kept).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: &str = "2016-10-06T00:17:09.669794202Z";

    fn messages(entries: &[Entry]) -> Vec<String> {
        entries.iter().map(|entry| String::from_utf8_lossy(&entry.message).into_owned()).collect()
    }

    #[test]
    fn lines_are_put_together_whatever_the_portions() {
        let text = format!(
            "{TIME} stdout P hel\n{TIME} stderr F oh\n{TIME} stdout F lo \n{TIME} stdout F \n{TIME} stdout F:x a  b\n"
        );
        for size in 1..text.len() {
            let mut assembler = Assembler::default();
            let all: Vec<Entry> = text.as_bytes().chunks(size).flat_map(|portion| assembler.feed(portion)).collect();
            assert_eq!(messages(&all), ["oh", "hello ", "", "a  b"], "{size}");
            assert_eq!((all[0].stream, all[1].stream, assembler.unreadable), (Stream::Err, Stream::Out, 0));
        }
    }

    #[test]
    fn what_is_no_log_is_counted() {
        let mut assembler = Assembler::default();
        let text = format!(
            "{{\"log\":\"docker\"}}\n\n{TIME} stdout X a\n{TIME} stdin F a\nlater stdout F a\n{TIME} stdout F ok\n{TIME} stdout F no end"
        );
        assert_eq!(messages(&assembler.feed(text.as_bytes())), ["ok"]);
        assert_eq!(assembler.unreadable, 4);
        assert_eq!(messages(&assembler.feed(b"\n")), ["no end"]);
    }

    #[test]
    fn the_last_ones() {
        let entry = |second: u32| Entry {
            time: format!("1970-01-01T00:00:{second:02}Z"),
            stream: Stream::Out,
            message: vec![],
        };
        let times = |entries: Vec<Entry>| {
            entries.iter().map(|entry| entry.nanoseconds().unwrap() / 1_000_000_000).collect::<Vec<_>>()
        };
        let mut tail = Tail::new(Some(2), Some(2_000_000_000));
        assert!(tail.take((0..3).map(entry).collect()).is_empty());
        assert!(tail.take((3..6).map(entry).collect()).is_empty());
        assert_eq!(times(tail.end()), [4, 5]);
        assert_eq!(times(tail.take(vec![entry(6)])), [6]);
        let mut all = Tail::new(None, Some(1_000_000_000));
        assert_eq!(times(all.take((0..3).map(entry).collect())), [1, 2]);
        assert!(all.end().is_empty());
        assert!(times(Tail::new(Some(0), None).take(vec![entry(1)])).is_empty());
    }

    #[test]
    fn older_ones_are_wanted_until_something_is_left_out() {
        let entry = |second: u32| Entry {
            time: format!("1970-01-01T00:00:{second:02}Z"),
            stream: Stream::Out,
            message: vec![],
        };
        let wants_older = |most, since| {
            let mut tail = Tail::new(most, since);
            tail.take(vec![entry(2), entry(3)]);
            tail.wants_older()
        };
        assert!(wants_older(None, None) && wants_older(Some(3), None) && wants_older(None, Some(1_000_000_000)));
        assert!(!wants_older(Some(2), None) && !wants_older(Some(1), None) && !wants_older(Some(0), None));
        assert!(!wants_older(None, Some(3_000_000_000)));
        let mut tail = Tail::new(None, Some(3_000_000_000));
        assert!(!tail.passes_over(3_000_000_000) && tail.wants_older());
        assert!(tail.passes_over(2_999_999_999) && !tail.wants_older());
    }
}
