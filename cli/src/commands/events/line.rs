//! The line that shows an event: all words in a pipe, and what fits on a terminal.

use serde_json::Value;

use crate::duration::nanoseconds;
use crate::text::{Look, Word, begin, cut, cut_in_the_middle, printable, width_of};
use crate::words;

/// The widths from which there is room for ids, and for whole ids and milliseconds.
const MEDIUM: usize = 100;
const WIDE: usize = 140;
/// The lengths to which an id and a container's path are cut on a narrow terminal.
const SHORT_ID: usize = 8;
const SHORTEST_PATH: usize = 16;
/// Names are cut to leave room for so many details, the exit code and its reason. Those that follow are cut before names.
const MAIN_DETAILS: usize = 2;

/// The line that shows an event.
#[derive(Debug, Clone)]
pub struct Line {
    time: Word,
    kind: Word,
    /// The container's id; "" if the event is not about a container.
    id: Word,
    path: Word,
    /// The details, as key=value.
    details: Vec<Word>,
}

impl Line {
    /// The line of an event in the library's JSON.
    pub fn of(event: &Value, whole: bool) -> Line {
        let kind = event["type"].as_str().unwrap_or_default();
        let look = match kind {
            "started" => Look::Good,
            "exited" | "overflow" => Look::Bad,
            "updated" => Look::Change,
            "state" => Look::Odd,
            _ => Look::Dim,
        };
        let time = Word::new(words::moment(time_of(event)), Look::Dim);
        let kind = Word::new(format!("{kind:<8}"), look);
        let container = &event["container"];
        if !container.is_object() {
            return Line { time, kind, id: Word::default(), path: Word::default(), details: of_watcher(event) };
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let pod = format!("{}/{}", text(&container["pod"]["namespace"]), text(&container["pod"]["name"]));
        let path = if container["kind"] == "sandbox" { pod } else { format!("{pod}/{}", text(&container["name"])) };
        let id = words::short_id(&text(&container["id"]), whole);
        Line { time, kind, id, path: Word::new(path, Look::Bold), details: details(event, container) }
    }

    /// All words, for a pipe.
    pub fn words(&self) -> Vec<Word> {
        let all = [&self.time, &self.kind, &self.id, &self.path].into_iter().chain(&self.details);
        all.filter(|word| !word.text.is_empty()).map(|word| Word::new(printable(&word.text), word.look)).collect()
    }

    /// The words that fit into this width: ids and milliseconds if there is room, names cut in the middle so that the main
    /// details fit, then the rest. What is left out depends only on the width, so that the columns stay aligned.
    pub fn fitted(&self, width: usize) -> Vec<Word> {
        // On a terminal, the day is left out.
        let time = self.time.text.split_once('T').map_or("", |(_, time)| time);
        let mut line = self.clone();
        line.time.text = if width >= WIDE { time } else { begin(time, "00:00:00".len()) }.to_owned();
        line.id.text = match width {
            WIDE.. => self.id.text.clone(),
            MEDIUM.. => begin(&self.id.text, SHORT_ID).to_owned(),
            _ => String::new(),
        };
        let further = line.details.iter().skip(MAIN_DETAILS).map(|word| 1 + width_of(&printable(&word.text))).sum();
        let all = total(&line.words()).saturating_sub(further);
        let others = all.saturating_sub(width_of(&printable(&line.path.text)));
        let room = width.saturating_sub(others).max(SHORTEST_PATH);
        line.path.text = cut_in_the_middle(&printable(&line.path.text), room).into_owned();
        let mut kept: Vec<Word> = Vec::new();
        for word in line.words() {
            let used = if kept.is_empty() { 0 } else { total(&kept) + 1 };
            let left = width.saturating_sub(used);
            if left < width_of(&word.text) {
                kept.push(Word::new(cut(&word.text, left), word.look));
                break;
            }
            kept.push(word);
        }
        kept
    }
}

/// When it happened, in nanoseconds since 1970.
pub fn time_of(event: &Value) -> i64 {
    event["time"].as_str().and_then(nanoseconds).unwrap_or_default()
}

fn total(words: &[Word]) -> usize {
    words.iter().map(|word| width_of(&word.text)).sum::<usize>() + words.len().saturating_sub(1)
}

fn of_watcher(event: &Value) -> Vec<Word> {
    let mut words = Vec::new();
    match event["type"].as_str() {
        Some("overflow") => words.push(format!("lost={}", event["lost"].as_u64().unwrap_or(0)).into()),
        Some("state") => words.push(Word::new(event["state"].as_str().unwrap_or_default(), Look::Bold)),
        _ => {}
    }
    words.extend(event["message"].as_str().map(Word::from));
    words
}

fn details(event: &Value, container: &Value) -> Vec<Word> {
    let list =
        |key: &str| event[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(",");
    let (flags, changed) = (list("flags"), list("changed"));
    let kind = event["type"].as_str().unwrap_or_default();
    let mut words = Vec::new();
    if container["kind"] == "sandbox" {
        words.push(Word::new("sandbox", Look::Dim));
    }
    if !changed.is_empty() {
        words.push(format!("changed={changed}").into());
    }
    let pid = container["pid"].as_i64().filter(|_| container["state"] != "exited");
    if let (Some(pid), "started" | "updated") = (pid, kind) {
        words.push(format!("pid={pid}").into());
    }
    if let (Some(attempt @ 1..), "started") = (container["attempt"].as_u64(), kind) {
        words.push(Word::new(format!("restarts={attempt}"), Look::Caution));
    }
    if kind == "exited" || changed.split(',').any(|one| one == "exit") {
        words.extend(end(container));
    }
    if !flags.is_empty() {
        words.push(Word::new(format!("({flags})"), Look::Dim));
    }
    words
}

fn end(container: &Value) -> Vec<Word> {
    let code = container["exitCode"].as_i64();
    let reason = container["reason"].as_str().unwrap_or_default();
    let look = words::exit_word(code.and_then(|code| code.try_into().ok()), reason).look;
    let mut words = Vec::new();
    words.extend(code.map(|code| Word::new(format!("exit={code}"), look)));
    if !reason.is_empty() {
        words.push(Word::new(format!("reason={reason}"), look));
    }
    let time = |key: &str| container[key].as_str().and_then(nanoseconds);
    if let (Some(from), Some(to)) = (time("startedAt"), time("finishedAt"))
        && to >= from
    {
        words.push(format!("ran={}", words::span(from, to)).into());
    }
    words
}

#[cfg(test)]
mod tests {
    use criwatch::model::{Container, View, json};
    use serde_json::json;

    use super::*;
    use crate::sample;

    fn reported(kind: &str, about: Option<&Container>, more: &Value) -> Value {
        let mut event = json!({"type": kind, "time": "2023-11-14T22:13:20.007Z", "state": "watching"});
        for (key, value) in more.as_object().unwrap() {
            event[key] = value.clone();
        }
        if let Some(container) = about {
            event["container"] = serde_json::from_str(json::container(container, View::default()).as_str()).unwrap();
        }
        event
    }

    /// Events of that node.
    fn happened() -> Vec<Value> {
        let node: Vec<_> = sample::node().into_iter().flat_map(|(_, containers)| containers).collect();
        let reloader = |attempt| {
            node.iter().find(|one| &*one.name == "config-reloader" && one.attempt == attempt).map(|one| &**one)
        };
        let why = "connect unix:///run/containerd/containerd.sock: no such socket (is the engine running?)";
        let mut all = vec![
            reported("state", None, &json!({"message": why, "state": "backoff"})),
            reported("state", None, &json!({})),
        ];
        all.extend(node[..4].iter().map(|one| reported("started", Some(one), &json!({"flags": ["initial"]}))));
        all.push(reported("exited", reloader(11), &json!({"flags": ["provisional"]})));
        all.push(reported("started", reloader(12), &json!({})));
        all.push(reported("updated", reloader(12), &json!({"changed": ["pid", "startedAt"]})));
        all.extend(
            node.iter().filter(|one| one.namespace() == "店舗").map(|one| reported("started", Some(one), &json!({}))),
        );
        all.push(reported("overflow", None, &json!({"lost": 1234})));
        all
    }

    #[test]
    fn screens() {
        sample::golden("events", |width| {
            let line = |event: &Value| {
                let words = Line::of(event, false).fitted(width);
                words.iter().map(|word| &*word.text).collect::<Vec<_>>().join(" ").trim_end().to_owned()
            };
            happened().iter().map(line).collect::<Vec<_>>().join("\n")
        });
    }

    #[test]
    fn a_line_of_a_pipe_has_everything() {
        let events = happened();
        let line = |event: &Value| {
            Line::of(event, false).words().iter().map(|word| word.text.clone()).collect::<Vec<_>>().join(" ")
        };
        let exited = events.iter().find(|event| event["type"] == "exited").unwrap();
        assert!(
            line(exited).ends_with("/config-reloader exit=137 reason=OOMKilled ran=9m18s (provisional)"),
            "{}",
            line(exited)
        );
        assert_eq!(line(&events[1]), "2023-11-14T22:13:20.007Z state    watching");
    }
}
