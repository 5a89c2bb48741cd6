//! A state machine without an engine: the test feeds its inputs, and reads its states, logs and actions.

use crate::config::Config;
use crate::cri::{EngineEvent, EventKind, Listing, StreamItem, Version};
use crate::error::Error;
use crate::model::*;
use crate::portfolio::{Millis, Now, Portfolio, StatusRequest};
use crate::sync::machine::{Action, Input, Machine};

const EPOCH: Time = 1_700_000_000_000_000_000;

pub struct Talk {
    pub machine: Machine,
    pub portfolio: Portfolio,
    pub mono: Millis,
    /// STATE events, as "state" or "state: message".
    pub states: Vec<String>,
    /// LOG events, as "level message".
    pub logs: Vec<String>,
    /// Events about containers, as "type id flags changed pid code".
    pub reported: Vec<String>,
    pub actions: Vec<Action>,
    /// Status requests that were made and not answered.
    pub requests: Vec<StatusRequest>,
}

impl Talk {
    pub fn new(configure: impl FnOnce(&mut Config)) -> Talk {
        let mut config = Config::default();
        configure(&mut config);
        Talk {
            machine: Machine::new(&config, 1),
            portfolio: Portfolio::new(&config),
            mono: 0,
            states: Vec::new(),
            logs: Vec::new(),
            reported: Vec::new(),
            actions: Vec::new(),
            requests: Vec::new(),
        }
    }

    /// Watches an engine of this version, whose first list shows these ids as running.
    pub fn watching(name: &str, version: &str, running: &[&str]) -> Talk {
        let mut talk = Talk::new(|_| {});
        talk.feed(Input::Watch { packs: false });
        talk.feed(connected(name, version));
        talk.feed(listed(running));
        talk.answer_all();
        talk
    }

    pub fn feed(&mut self, input: Input) {
        let now = Now { mono: self.mono, wall: EPOCH + self.mono as Time * 1_000_000 };
        let out = self.machine.handle(input, &mut self.portfolio, now);
        for pending in &out.news {
            let message = pending.message.as_deref();
            match (pending.event_type, pending.log_level) {
                (EventType::Log, Some(level)) => {
                    self.logs.push(format!("{} {}", level.word(), message.expect("a LOG has a message")));
                }
                (EventType::State, _) => {
                    self.states.push(
                        message.map_or_else(|| pending.state.to_string(), |m| format!("{}: {m}", pending.state.word())),
                    );
                }
                _ => self.reported.extend(pending.container.as_ref().map(|c| {
                    let code = c.exit.as_ref().and_then(|exit| exit.code);
                    let (kind, flags, changed) = (pending.event_type, pending.flags, pending.changed);
                    format!("{kind:?} {} {flags} {changed} {:?} {code:?}", c.id, c.pid)
                })),
            }
        }
        for action in out.actions {
            if let Action::Ask(request) = &action {
                self.requests.push(request.clone());
            }
            self.actions.push(action);
        }
    }

    /// Lets time pass, with a tick whenever the machine wants one.
    pub fn pass(&mut self, millis: Millis) {
        let until = self.mono + millis;
        while let Some(at) = self.machine.deadline(&self.portfolio).filter(|at| *at <= until) {
            self.mono = self.mono.max(at);
            self.feed(Input::Tick);
        }
        self.mono = until;
        self.feed(Input::Tick);
    }

    /// Answers all status requests: each id runs, and has a pid.
    pub fn answer_all(&mut self) {
        while let Some(request) = self.requests.pop() {
            let namespaces = Namespaces { net: 4, ..Namespaces::default() };
            let details = Details { pid: Some(7), pid_start_ticks: Some(1), namespaces, ..Details::default() };
            let status = Observation {
                is_status: true,
                started_at: Some(EPOCH),
                details: Some(details),
                ..running(&request.id)
            };
            self.feed(Input::Answered(request, Ok(Some(status))));
        }
    }

    /// Whether a list was requested since the last call.
    pub fn lists(&mut self) -> bool {
        let lists = self.actions.iter().any(|action| matches!(action, Action::List { .. }));
        self.actions.clear();
        lists
    }

    pub fn last_state(&self) -> &str {
        self.states.last().map_or("", String::as_str)
    }
}

pub fn connected(name: &str, version: &str) -> Input {
    let version =
        Version { runtime_name: name.into(), runtime_version: version.into(), runtime_api_version: "v1".into() };
    Input::Connected { version, can_stream_lists: false, pid_files: false }
}

pub fn running(id: &str) -> Observation {
    let created_at = Some(EPOCH - 1);
    let observation = Observation { state: State::Running, created_at, ..Observation::of(id.into(), Kind::Container) };
    observation.with_pod(Pod::new("pod".into()))
}

/// A list that shows these as running.
pub fn listed(ids: &[&str]) -> Input {
    let containers = ids.iter().map(|id| running(id)).collect();
    Input::Listed(Ok(Listing { sandboxes: Vec::new(), containers, ..Listing::default() }))
}

pub fn list_failed(status: i32, message: &str) -> Input {
    Input::Listed(Err(Error::new(status, message)))
}

/// An event of a start, made now, with its status.
pub fn started(talk: &Talk, id: &str) -> Input {
    let event = EngineEvent {
        kind: Some(EventKind::Started),
        created_at: Some(EPOCH + talk.mono as Time * 1_000_000),
        containers: vec![Observation { is_status: true, ..running(id) }],
        ..EngineEvent::about(id.into())
    };
    Input::Stream(StreamItem::Event(event.into()))
}
