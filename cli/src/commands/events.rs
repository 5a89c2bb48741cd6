//! criwatch events: what changes, a line for each event.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap_complete::engine::ArgValueCompleter;
use criwatch::error::CRI_E_NOT_FOUND;
use criwatch::model::*;
use criwatch::watcher::{EventQueue, Next, Query, Watcher};
use serde_json::Value;

use super::{Example, ps};
use crate::args::{Global, Selection, containers};
use crate::duration::{self, nanoseconds};
use crate::engine::{follow, look};
use crate::exit::{Exit, Failure};
use crate::output::{DocumentForm, parsed, print_yaml};
use crate::select::{Picker, nothing_matches, unknown_name};
use crate::terminal::{Out, complain, wait_until_reader_leaves};
use crate::text::{Look, Word, begin, cut, cut_in_the_middle, printable, width_of};
use crate::words;

pub const EXAMPLES: &[Example] = &[
    ("names of what exits, from JSON lines", "criwatch events --no-replay -t exited -o json | jq -r .container.name"),
    ("wait until a job has ended", "criwatch events --until-exit batch/report/main"),
];

/// Follow what changes
///
/// Prints a line for each event, until Ctrl-C: first what runs now (marked initial), then every change, without a gap. Each
/// run is reported exactly once: started, then exited. If the engine is lost, a state line says so, and the command tries to
/// reconnect for ever. After an overflow, a new replay shows again what runs.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Only containers with this name
    #[arg(long, value_name = "NAME", help_heading = "Selection")]
    name: Option<String>,
    /// Only these types: started, exited, updated, state, created, removed, log; with commas, or repeated [default: the first
    /// four]
    #[arg(
        short = 't',
        long = "type",
        value_name = "TYPE",
        value_delimiter = ',',
        ignore_case = true,
        hide_possible_values = true
    )]
    types: Vec<Type>,
    /// Only containers, or only pods' sandboxes
    #[arg(long, value_enum, value_name = "KIND")]
    kind: Option<OnlyKind>,
    /// Only changes from now on: no replay at the beginning, and none after an overflow
    #[arg(long)]
    no_replay: bool,
    /// End with exit code 0 when this container has exited, at once if it has already: its id or the beginning of it, its
    /// name, or namespace/pod/container
    #[arg(long, value_name = "NAME", add = names())]
    until_exit: Option<String>,
    /// The form; JSON has one line for each event
    #[arg(short, long, value_enum, value_name = "FORM", default_value = "table", help_heading = "Output")]
    output: DocumentForm,
    /// Do not shorten ids, names and lines
    #[arg(long, help_heading = "Output")]
    no_trunc: bool,
}

fn names() -> ArgValueCompleter {
    containers()
}

/// The types that can be asked for. The begin and the end of a replay are always shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Type {
    Started,
    Exited,
    Updated,
    State,
    Created,
    Removed,
    Log,
}

impl Type {
    fn event_type(self) -> EventType {
        match self {
            Type::Started => EventType::Started,
            Type::Exited => EventType::Exited,
            Type::Updated => EventType::Updated,
            Type::State => EventType::State,
            Type::Created => EventType::Created,
            Type::Removed => EventType::Removed,
            Type::Log => EventType::Log,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum OnlyKind {
    Container,
    Sandbox,
}

pub fn run(args: &Args, global: &Global, out: &mut Out) -> Result<Exit, Failure> {
    let types = if args.types.is_empty() {
        vec![Type::Started, Type::Exited, Type::Updated, Type::State]
    } else {
        args.types.clone()
    };
    let asked = types.iter().fold(0, |mask, one| mask | one.event_type().mask());
    // Exits have to be received even if they are not shown.
    let heard = if args.until_exit.is_some() { asked | EventType::Exited.mask() } else { asked };
    let picker = Picker {
        name: args.name.clone(),
        kind: args.kind.map(|kind| if kind == OnlyKind::Container { Kind::Container } else { Kind::Sandbox }),
        ..Picker::new(&args.selection)
    };
    let watcher = look(global, "events")?;
    let awaited = args.until_exit.as_deref().map(|name| awaited(&watcher, name)).transpose()?;
    let filter = Filter::new(&watcher, &picker)?;
    let queue = watcher.subscribe(heard, if args.no_replay { CRI_SUBSCRIBE_LIVE_ONLY } else { 0 }, 0)?;
    // The watcher starts only now, after the queue was made, so that no change is missed in between.
    follow(&watcher, global)?;
    if awaited.as_ref().is_some_and(|id| has_ended(&watcher, id)) {
        return Ok(Exit::Ok);
    }
    let mut printer = Printer { form: args.output, whole: args.no_trunc, replay: None };
    each(&queue, out, |event, out| {
        let is_control = CONTROL_MASK & event.event_type.mask() != 0;
        let is_wanted = is_control || asked & event.event_type.mask() != 0;
        if is_wanted && event.container.as_ref().is_none_or(|container| filter.selects(container)) {
            printer.show(json::event(event, queue.view()).as_str(), out)?;
        }
        let is_end = event.event_type == EventType::Exited;
        Ok(is_end && awaited.is_some() && event.container.as_ref().map(|one| &one.id) == awaited.as_ref())
    })
}

/// After a table of what exists now, prints a row for each container that changes.
pub fn rows(
    watcher: &Watcher,
    global: &Global,
    picker: &Picker,
    out: &mut Out,
    is_wide: bool,
    whole: bool,
) -> Result<Exit, Failure> {
    let mask = [EventType::Created, EventType::Started, EventType::Exited, EventType::Updated];
    let queue = watcher.subscribe(mask.iter().fold(0, |mask, one| mask | one.mask()), CRI_SUBSCRIBE_LIVE_ONLY, 0)?;
    follow(watcher, global)?;
    let mut table = ps::table(is_wide);
    let snapshot = watcher.snapshot()?;
    picker.pick(&snapshot)?.iter().for_each(|one| table.add(ps::row(one, whole, is_wide, duration::now())));
    let layout = out.table(&table, whole)?;
    // A container that has exited is shown, too, because that is a change.
    let filter = Filter::new(watcher, picker)?;
    each(&queue, out, |event, out| {
        let Some(container) = event.container.as_ref().filter(|container| filter.selects(container)) else {
            return Ok(false);
        };
        table.rows.clear();
        table.add(ps::row(container, whole, is_wide, duration::now()));
        // In a pipe, the columns grow with their content; on a terminal they keep their widths.
        let layout = if out.width.is_none() || whole { &table.layout(None) } else { &layout };
        out.row(&table.line(&table.rows[0], layout))?;
        Ok(false)
    })
}

/// Gives each event to `take`, until it returns that it has enough. Output is flushed before every wait, and the loop
/// ends when nobody reads the output any more.
fn each(
    queue: &Arc<EventQueue>,
    out: &mut Out,
    mut take: impl FnMut(&Event, &mut Out) -> Result<bool, Failure>,
) -> Result<Exit, Failure> {
    let has_left = Arc::new(AtomicBool::new(false));
    let (left, closed) = (has_left.clone(), queue.clone());
    std::thread::spawn(move || {
        wait_until_reader_leaves();
        left.store(true, Ordering::SeqCst);
        closed.close();
    });
    loop {
        let next = match queue.next(Some(Duration::ZERO)) {
            Next::Again => {
                out.flush()?;
                queue.next(None)
            }
            next => next,
        };
        match next {
            Next::Event(event) => {
                if take(&event, out)? {
                    return Ok(Exit::Ok);
                }
            }
            Next::Again => {}
            Next::Closed if has_left.load(Ordering::SeqCst) => {
                return Err(Failure::output(&std::io::ErrorKind::BrokenPipe.into()));
            }
            Next::Closed => return Ok(Exit::Ok),
        }
    }
}

/// Decides whether a container is selected, including containers that have ended.
struct Filter {
    picker: Picker,
    query: Query,
}

impl Filter {
    /// A filter for this selection. If nothing matches yet, a message says so, because something may come later.
    fn new(watcher: &Watcher, picker: &Picker) -> Result<Self, Failure> {
        let everything = picker.of_all_and_gone();
        let snapshot = watcher.snapshot()?;
        if picker.is_narrowed() && everything.pick(&snapshot)?.is_empty() {
            complain(&format!("{} (waiting for what comes)", nothing_matches(&snapshot, &everything)));
        }
        Ok(Filter { query: Query::parse(Some(&everything.query()))?, picker: everything })
    }

    fn selects(&self, container: &Container) -> bool {
        self.query.selects(container, true) && self.picker.takes(container)
    }
}

/// The id of the container whose end is awaited. An unknown name is an error, because the wait would never end.
fn awaited(watcher: &Watcher, name: &str) -> Result<Id, Failure> {
    match watcher.find(name) {
        Ok(container) => Ok(container.id.clone()),
        Err(error) if error.status() == CRI_E_NOT_FOUND => Err(unknown_name(&*watcher.snapshot()?, name, &error)),
        Err(error) => Err(error.into()),
    }
}

/// Whether it had ended before the subscription.
fn has_ended(watcher: &Watcher, id: &str) -> bool {
    watcher.find(id).map_or(true, |container| container.state == State::Exited)
}

/// Prints events. For people, a replay is sorted, the oldest first; everything else is printed as it comes.
struct Printer {
    form: DocumentForm,
    whole: bool,
    replay: Option<Vec<Value>>,
}

impl Printer {
    fn show(&mut self, document: &str, out: &mut Out) -> Result<(), Failure> {
        match self.form {
            // On a terminal, too, each event is one line.
            DocumentForm::Json => return out.raw_line(document),
            DocumentForm::Yaml => return print_yaml(out, document),
            DocumentForm::Table => {}
        }
        let event = parsed(document)?;
        match (event["type"].as_str(), &mut self.replay) {
            (Some("replayBegin"), _) => self.replay = Some(Vec::new()),
            (Some("replayEnd"), _) => {
                // The order in the library's replay has no meaning.
                let mut kept = self.replay.take().unwrap_or_default();
                kept.sort_by_key(time_of);
                kept.iter().try_for_each(|one| self.print(one, out))?;
            }
            (_, Some(kept)) => kept.push(event),
            (_, None) => self.print(&event, out)?,
        }
        Ok(())
    }

    fn print(&self, event: &Value, out: &mut Out) -> Result<(), Failure> {
        let line = Line::of(event, self.whole);
        match out.width.filter(|_| !self.whole) {
            Some(width) => out.line(&line.fitted(width)),
            None => out.line(&line.words()),
        }
    }
}

fn time_of(event: &Value) -> i64 {
    event["time"].as_str().and_then(nanoseconds).unwrap_or_default()
}

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
struct Line {
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
    fn of(event: &Value, whole: bool) -> Line {
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
    fn words(&self) -> Vec<Word> {
        let all = [&self.time, &self.kind, &self.id, &self.path].into_iter().chain(&self.details);
        all.filter(|word| !word.text.is_empty()).map(|word| Word::new(printable(&word.text), word.look)).collect()
    }

    /// The words that fit into this width: ids and milliseconds if there is room, names cut in the middle so that the main
    /// details fit, then the rest. What is left out depends only on the width, so that the columns stay aligned.
    fn fitted(&self, width: usize) -> Vec<Word> {
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
