//! criwatch events: what changes, a line for each event.

mod line;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap_complete::engine::ArgValueCompleter;
use criwatch::error::CRI_E_NOT_FOUND;
use criwatch::model::*;
use criwatch::watcher::{EventQueue, Next, Query, Watcher};
use serde_json::Value;

use line::{Line, time_of};

use super::{Example, ps};
use crate::args::{Global, Selection, containers};
use crate::duration;
use crate::engine::{follow, look};
use crate::exit::{Exit, Failure};
use crate::output::{DocumentForm, parsed, print_yaml};
use crate::select::{Picker, nothing_matches, unknown_name};
use crate::terminal::{Out, complain, wait_until_reader_leaves};

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
