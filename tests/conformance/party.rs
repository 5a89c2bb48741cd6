//! All programmes at once: each line goes to all, and all have to answer the same.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use crate::language::Language;
use crate::normal::{in_order, normal};
use crate::support::wait::{PATIENCE, until};

/// How long a command may wait, as the dialogue writes it: longer than anything takes.
pub const MS: &str = "60000";

/// The programmes.
pub struct Party {
    members: Vec<Member>,
    sent: Vec<String>,
}

/// What all have answered: the data lines, and the last one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub data: Vec<String>,
    pub last: String,
}

impl Party {
    /// Starts the programmes of all languages that this machine has.
    pub fn start() -> Result<Party, String> {
        let languages = Language::ALL.iter().filter(|language| language.available().is_ok());
        let members = languages.map(|language| Member::start(*language)).collect::<Result<_, _>>()?;
        Ok(Party { members, sent: Vec::new() })
    }

    /// Tells all the same line; what they answered, which has to be the same.
    pub fn ask(&mut self, line: &str) -> Result<Answer, String> {
        self.sent.push(line.to_owned());
        for member in &mut self.members {
            member.tell(line)?;
        }
        let is_callback = line.starts_with("callback ");
        let mut first: Option<(Language, Answer)> = None;
        // All answers are taken, also after one that differs: nobody is left in the middle of his.
        let answers =
            self.members.iter().map(|m| m.answer(line).map(|a| (m.language, a))).collect::<Result<Vec<_>, _>>()?;
        for (language, answer) in answers {
            if is_callback && !language.has_callbacks() {
                if answer != Answer::brief("unsupported") {
                    return Err(self.complaint(line, &format!("{language:?} says {answer:#?}")));
                }
                continue;
            }
            match &first {
                None => first = Some((language, answer)),
                Some((other, expected)) if *expected != answer => {
                    return Err(self.complaint(line, &difference((*other, expected), (language, &answer))));
                }
                Some(_) => {}
            }
        }
        Ok(first.ok_or("nobody was asked")?.1)
    }

    /// Asks again until all say the same: how a container was made is learnt later, by each watcher at its own time.
    pub fn agreed(&mut self, line: &str) -> Result<Vec<String>, String> {
        until("equal answers", PATIENCE, || self.ok(line))
    }

    /// The same, and the last line has to be `ok`; the data lines.
    pub fn ok(&mut self, line: &str) -> Result<Vec<String>, String> {
        self.expect(line, "ok")
    }

    /// The same, and the last line has to begin so.
    pub fn expect(&mut self, line: &str, last: &str) -> Result<Vec<String>, String> {
        let answer = self.ask(line)?;
        let holds = answer.last == last || answer.last.starts_with(&format!("{last} "));
        if holds { Ok(answer.data) } else { Err(self.complaint(line, &format!("not {last}, but {answer:#?}"))) }
    }

    fn complaint(&self, line: &str, what: &str) -> String {
        format!("{line:?}: {what}\nafter: {}", self.sent.join(" | "))
    }

    /// Ends all; each has to end well.
    pub fn end(mut self) -> Result<(), String> {
        for member in &mut self.members {
            member.tell("quit")?;
            let status = member.child.wait().map_err(|e| e.to_string())?;
            if !status.success() {
                return Err(format!("{:?} has ended with {status}", member.language));
            }
        }
        Ok(())
    }
}

impl Answer {
    fn brief(last: &str) -> Answer {
        Answer { data: Vec::new(), last: last.to_owned() }
    }
}

fn difference((one, expected): (Language, &Answer), (other, found): (Language, &Answer)) -> String {
    let lines = |answer: &Answer| answer.data.iter().chain([&answer.last]).cloned().collect::<Vec<_>>();
    let (expected, found) = (lines(expected), lines(found));
    let at = expected.iter().zip(&found).position(|(a, b)| a != b).unwrap_or(expected.len().min(found.len()));
    let line = |lines: &[String]| lines.get(at).cloned().unwrap_or_else(|| "(nothing)".into());
    let (left, right) = (line(&expected), line(&found));
    let column = left.bytes().zip(right.bytes()).take_while(|(a, b)| a == b).count();
    // The line after it says of which record that is.
    let show = |line: &str, lines: &[String]| {
        let line = String::from_utf8_lossy(&line.as_bytes()[column.saturating_sub(80)..]).into_owned();
        lines.get(at + 1).map_or(line.clone(), |next| format!("{line}\n    {next}"))
    };
    let before = expected[..at].join("\n");
    let (left, right) = (show(&left, &expected), show(&right, &found));
    format!("{before}\nanswers differ here:\n  {one:?}: ...{left}\n  {other:?}: ...{right}")
}

struct Member {
    language: Language,
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
}

impl Member {
    fn start(language: Language) -> Result<Member, String> {
        let mut command: Command = language.command()?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|e| format!("{command:?}: {e}"))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("a child without pipes".into());
        };
        let (to, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if to.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Member { language, child, stdin, lines })
    }

    fn tell(&mut self, line: &str) -> Result<(), String> {
        writeln!(self.stdin, "{line}").map_err(|e| format!("{:?} does not listen to {line:?}: {e}", self.language))
    }

    fn answer(&self, line: &str) -> Result<Answer, String> {
        let mut data = Vec::new();
        loop {
            // The command's own time may be over first.
            let next = self.lines.recv_timeout(2 * PATIENCE);
            let next = next.map_err(|e| format!("{:?} has no answer to {line:?}: {e}", self.language))?;
            if !next.starts_with("  ") {
                return Ok(Answer { data: in_order(line, data), last: next });
            }
            data.push(normal(&next));
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // Failures say that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
