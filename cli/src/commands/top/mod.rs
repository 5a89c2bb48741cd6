//! criwatch top: a live table of pods and containers.

mod draw;
mod lines;
mod view;

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use criwatch::model::{CRI_EVENT_FLAG_INITIAL, Event, EventType, WatcherState};
use criwatch::watcher::{Next, Watcher};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;

use self::draw::{Head, Node, draw, table};
use self::lines::{Line, Order, Shape, lines};
use self::view::{Action, Overlay, View};
use super::{Example, inspect};
use crate::args::{Global, Selection};
use crate::cgroup_usage::Sampler;
use crate::duration;
use crate::engine::{Ends, follow, look};
use crate::exit::{Exit, Failure};
use crate::output::parsed;
use crate::pod_counts::PodWith;
use crate::select::{Picker, nothing_matches};
use crate::terminal::Out;
use crate::text::{Look, Word};

pub const EXAMPLES: &[Example] = &[
    ("one namespace, those that restart first", "criwatch top -n shop --sort restarts"),
    ("the same table once, for a file", "criwatch top --once"),
];

/// Watch pods and containers live
///
/// Shows pods and their containers in a table that follows what changes: state, age (since the state began), CPU and memory,
/// pid, restarts, and how each container last ended. Recent changes are highlighted. The key ? shows all keys: for the cursor,
/// details (enter), a filter (/), orders (s, r), everything (a), end (q).
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Begin with all pods and containers, also those that have ended
    #[arg(short, long, help_heading = "Selection")]
    all: bool,
    /// Begin with this order
    #[arg(long, value_enum, value_name = "ORDER", default_value = "name")]
    sort: Order,
    /// Print the table once, and end; this also works in a pipe
    #[arg(long)]
    once: bool,
}

/// The shortest time between two frames. People cannot see more, and a busy node has thousands of changes.
const PACE: Duration = Duration::from_millis(100);
/// The longest time between two frames, because ages have to advance.
const TICK: Duration = Duration::from_secs(1);
/// How often the usage is read.
const SAMPLE: Duration = Duration::from_secs(2);
/// How long a change is highlighted.
const FRESH: Duration = Duration::from_secs(3);
/// How long `--once` measures.
const ONCE: Duration = Duration::from_millis(500);

pub fn run(args: &Args, global: &Global, out: &mut Out) -> Result<Exit, Failure> {
    if !args.once && !std::io::stdout().is_terminal() {
        return Err(Failure::usage("top needs a terminal: use top --once, ps, or events"));
    }
    let picker = Picker::new(&args.selection).of_all_and_gone();
    let watcher = look(global, "top")?;
    let shape = Shape { everything: args.all, order: args.sort, reversed: false, filter: String::new() };
    let mut node = Shown::new(&watcher, global, picker);
    if args.once {
        node.refresh()?;
        node.sample();
        std::thread::sleep(ONCE);
        node.sample();
        let shown = node.lines(&shape);
        if node.entries.is_empty() && node.picker.is_narrowed() {
            return Err(Failure::nothing(nothing_matches(&*watcher.snapshot()?, &node.picker)));
        }
        out.table(&table(&shown, None, false, capacity(global), &|_| false, duration::now()), false)?;
        return Ok(Exit::Ok);
    }
    let messages = listen(&watcher)?;
    follow(&watcher, global)?;
    let mut terminal = ratatui::try_init().map_err(|error| Failure::output(&error))?;
    let ended = watch(&mut terminal, &mut node, View::new(shape), &messages, global);
    ratatui::restore();
    ended
}

/// A message for the loop.
enum Message {
    Key(KeyEvent),
    /// The terminal has another size.
    Resize,
    Event(Box<Event>),
    Signal(i32),
}

/// Sends the keys, the events and the signals, each from a thread of its own.
fn listen(watcher: &Watcher) -> Result<Receiver<Message>, Failure> {
    let (to, messages) = channel();
    let mask = [
        EventType::Started,
        EventType::Exited,
        EventType::Updated,
        EventType::State,
        EventType::Created,
        EventType::Removed,
    ];
    let queue = watcher.subscribe(mask.iter().fold(0, |mask, one| mask | one.mask()), 0, 0)?;
    let events = to.clone();
    std::thread::spawn(move || {
        while let Next::Event(event) = queue.next(None) {
            if events.send(Message::Event(Box::new(event))).is_err() {
                return;
            }
        }
    });
    let signals = Signals::new([SIGTERM, SIGHUP, SIGCONT]).map_err(|error| Failure::system("signals", &error))?;
    let from_signals = to.clone();
    std::thread::spawn(move || forward(signals, &from_signals));
    std::thread::spawn(move || {
        loop {
            let message = match event::read() {
                Ok(event::Event::Key(key)) if key.kind != KeyEventKind::Release => Message::Key(key),
                Ok(event::Event::Resize(..)) => Message::Resize,
                Ok(_) => continue,
                // The terminal is gone.
                Err(_) => Message::Signal(SIGHUP),
            };
            let is_end = matches!(message, Message::Signal(_));
            if to.send(message).is_err() || is_end {
                return;
            }
        }
    });
    Ok(messages)
}

fn forward(mut signals: Signals, to: &Sender<Message>) {
    for signal in signals.forever() {
        if to.send(Message::Signal(signal)).is_err() {
            return;
        }
    }
}

/// Draws after every change, and once a second for the ages, until q.
fn watch(
    terminal: &mut DefaultTerminal,
    node: &mut Shown<'_>,
    mut view: View,
    messages: &Receiver<Message>,
    global: &Global,
) -> Result<Exit, Failure> {
    let capacity = capacity(global);
    let mut drawn_at: Option<Instant> = None;
    let mut is_dirty = true;
    let mut shown = Vec::new();
    loop {
        let due = drawn_at.map_or_else(Instant::now, |at| at + if is_dirty { PACE } else { TICK });
        match messages.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Err(RecvTimeoutError::Disconnected) => return Ok(Exit::Terminated),
            Err(RecvTimeoutError::Timeout) => {
                node.refresh()?;
                node.sample_if_due();
                shown = node.lines(&view.shape);
                let head = node.head()?;
                let draw = |frame: &mut ratatui::Frame<'_>| {
                    draw(frame, &mut view, &head, &shown, capacity, &|id| node.is_fresh(id), duration::now());
                };
                terminal.draw(draw).map_err(|error| Failure::output(&error))?;
                (drawn_at, is_dirty) = (Some(Instant::now()), false);
            }
            Ok(Message::Event(event)) => {
                node.take(&event);
                is_dirty = true;
            }
            Ok(Message::Resize) => (drawn_at, is_dirty) = (None, true),
            Ok(Message::Signal(SIGCONT)) => {
                *terminal = ratatui::try_init().map_err(|error| Failure::output(&error))?;
                (drawn_at, is_dirty) = (None, true);
            }
            Ok(Message::Signal(_)) => return Ok(Exit::Terminated),
            Ok(Message::Key(key)) => {
                if key.modifiers.contains(KeyModifiers::CONTROL) {
                    match key.code {
                        KeyCode::Char('c') => return Ok(Exit::Interrupted),
                        // Gives the shell a clean terminal. `fg` brings the screen back.
                        KeyCode::Char('z') => {
                            ratatui::restore();
                            signal_hook::low_level::emulate_default_handler(SIGTSTP)
                                .map_err(|error| Failure::system("stop", &error))?;
                        }
                        _ => {}
                    }
                } else {
                    match view.press(key.code, &shown) {
                        Action::Quit => return Ok(Exit::Ok),
                        Action::Inspect(id) => view.overlay = details(node.watcher, &id, global),
                        Action::None => {}
                    }
                }
                // A key's effect is drawn at once.
                (drawn_at, is_dirty) = (None, true);
            }
        }
    }
}

/// The details of a container. An error is shown in their place.
fn details(watcher: &Watcher, id: &str, global: &Global) -> Overlay {
    let facts = inspect::document(watcher, id, 0, global).and_then(|document| parsed(&document));
    match facts {
        Ok(document) => {
            let lines = inspect::summary(&document, duration::now());
            let title = lines.first().map(|(_, name)| name.text.clone()).unwrap_or_default();
            Overlay::Details {
                title,
                lines: lines.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
                top: 0,
            }
        }
        Err(failure) => {
            let lines = vec![("Error".to_owned(), Word::new(failure.message, Look::Bad))];
            Overlay::Details { title: id.to_owned(), lines, top: 0 }
        }
    }
}

/// The data to show: the library's cache, the usage, and what has changed lately.
struct Shown<'a> {
    watcher: &'a Watcher,
    picker: Picker,
    ends: Ends<'a>,
    timeout: Duration,
    sampler: Sampler,
    sampled_at: Option<Instant>,
    generation: Option<u64>,
    entries: Vec<PodWith>,
    changed: HashMap<String, Instant>,
    trouble: String,
}

impl<'a> Shown<'a> {
    fn new(watcher: &'a Watcher, global: &Global, picker: Picker) -> Self {
        Shown {
            watcher,
            picker,
            ends: Ends::new(watcher, global),
            timeout: global.timeout,
            sampler: Sampler::new(global.host_root()),
            sampled_at: None,
            generation: None,
            entries: Vec::new(),
            changed: HashMap::new(),
            trouble: String::new(),
        }
    }

    /// Takes the present content of the cache.
    fn refresh(&mut self) -> Result<(), Failure> {
        let snapshot = self.watcher.snapshot()?;
        if self.generation.replace(snapshot.generation()) == Some(snapshot.generation()) {
            return Ok(());
        }
        let mut entries = snapshot.by_pod(self.picker.pick(&snapshot)?.into_iter());
        for one in entries.iter_mut().flat_map(|(_, members)| members) {
            *one = self.ends.complete(one);
        }
        self.entries = entries;
        Ok(())
    }

    fn sample(&mut self) {
        let all: Vec<_> =
            self.entries.iter().flat_map(|(_, members)| members).filter(|one| one.is_running()).cloned().collect();
        self.sampler.sample(&all, self.watcher, self.timeout);
        self.sampled_at = Some(Instant::now());
    }

    fn sample_if_due(&mut self) {
        if self.sampled_at.is_none_or(|at| at.elapsed() >= SAMPLE) {
            self.sample();
        }
    }

    fn lines(&self, shape: &Shape) -> Vec<Line> {
        lines(&self.entries, shape, &|id| self.sampler.usage(id).copied())
    }

    fn take(&mut self, event: &Event) {
        if event.event_type == EventType::State {
            let is_lost = event.state == WatcherState::Backoff;
            self.trouble = event.message.as_deref().filter(|_| is_lost).unwrap_or_default().to_owned();
        }
        // A run in the replay is not a change.
        if let Some(container) = event.container.as_ref().filter(|_| event.flags & CRI_EVENT_FLAG_INITIAL == 0) {
            self.changed.insert(container.id.to_string(), Instant::now());
        }
        self.changed.retain(|_, when| when.elapsed() < FRESH);
    }

    fn is_fresh(&self, id: &str) -> bool {
        self.changed.get(id).is_some_and(|when| when.elapsed() < FRESH)
    }

    fn head(&self) -> Result<Head, Failure> {
        let (engine, state) = (self.watcher.engine()?, self.watcher.state());
        let state = match state {
            WatcherState::Watching => Word::new("watching", Look::Good),
            WatcherState::Backoff => Word::new("engine lost, retrying", Look::Bad),
            other => Word::new(other.word(), Look::Caution),
        };
        let by = match (engine.events.reason.is_empty(), engine.events.streaming) {
            (true, _) => "",
            (false, true) => "(event stream)",
            (false, false) => "(polling)",
        };
        let name = if engine.runtime_name.is_empty() { engine.api.to_string() } else { engine.version_line() };
        Ok(Head { engine: name, node: engine.id.to_string(), state, by, trouble: self.trouble.clone() })
    }
}

/// The node's CPUs and memory.
fn capacity(global: &Global) -> Node {
    let cpus = std::thread::available_parallelism().map_or(1.0, |count| count.get() as f64);
    let meminfo = std::fs::read_to_string(global.proc().join("meminfo")).unwrap_or_default();
    let total = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    // Without a total, use the greatest number, because a bar needs something to be a share of.
    Node { cpus, memory: total.map_or(u64::MAX, |kilobytes| kilobytes << 10) }
}
