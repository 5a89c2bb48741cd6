//! A watcher on a simulated engine, and a consumer of everything it reports.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use criwatch::config::Config;
use criwatch::model::*;
use criwatch::portfolio::Query;
use criwatch::watcher::Watcher;
use serde_json::Value;

use crate::Outcome;
use crate::reported::{Reported, is_sequence};
use crate::support::sim::Sim;
use crate::support::wait::{self, PATIENCE};

pub struct Scene {
    pub watcher: Watcher,
    pub reported: Reported,
    /// What was logged, and what was removed.
    pub log: Reported,
    pub sim: Sim,
}

/// What shows that events arrive. It is left out of the stories.
const MARKER: &str = "marker";

/// A watcher's options.
pub type Options<'a> = &'a [(&'a str, &'a str)];

impl Scene {
    /// Starts to watch this engine.
    pub fn watching(sim: Sim, options: Options) -> Outcome<Scene> {
        let endpoint = sim.endpoint().to_owned();
        Self::watching_through(&endpoint, sim, options)
    }

    /// As above, by another way than its own socket.
    pub fn watching_through(endpoint: &str, sim: Sim, options: Options) -> Outcome<Scene> {
        // It has no folders, so that the watcher would hear of the containers of all other tests' engines.
        let is_set = options.iter().any(|(key, _)| *key == "host.witness");
        let alone: Options = if sim.profile() == "cri-dockerd" && !is_set { &[("host.witness", "off")] } else { &[] };
        let watcher = watcher(endpoint, &[options, alone].concat())?;
        let reported = Reported::by(watcher.subscribe(0, 0, 0)?);
        let log = Reported::by(watcher.subscribe(1 << CRI_EVENT_LOG | 1 << CRI_EVENT_REMOVED, 0, 1 << 20)?);
        watcher.start()?;
        Ok(Scene { watcher, reported, log, sim })
    }

    /// A watcher that is ready, on an engine with nothing on it.
    pub fn ready(profile: &str, options: Options) -> Outcome<Scene> {
        let scene = Self::watching(Sim::start(&["--profile", profile])?, options)?;
        scene.watcher.wait_ready(Some(PATIENCE))?;
        Ok(scene)
    }

    /// As above, and events are known to arrive; no list is due for a minute.
    pub fn streaming(profile: &str) -> Outcome<Scene> {
        let mut scene = Self::ready(profile, &[])?;
        scene.events_arrive()?;
        Ok(scene)
    }

    /// Waits until an event has come: it proves the subscription, which is followed by a list, too.
    pub fn events_arrive(&mut self) -> Outcome {
        self.sim.tell(&format!("run-pod {MARKER}"))?;
        let arrives = |t: &Reported| t.stories().iter().any(|(name, _)| name == MARKER);
        self.reported.wait_for("the marker", arrives)?;
        self.resync()
    }

    pub fn resync(&mut self) -> Outcome {
        self.watcher.resync(Some(PATIENCE))?;
        self.reported.drain();
        Ok(())
    }

    /// The stories, without the marker's.
    pub fn stories(&mut self) -> Vec<(String, String)> {
        self.reported.drain().stories().into_iter().filter(|(name, _)| name != MARKER).collect()
    }

    /// Waits for these stories, brings everything up to date, and sees that there are no others, that the cache is
    /// what the engine has, and that it is what consumers know of.
    pub fn ends_with(&mut self, stories: &[(&str, &str)]) -> Outcome {
        for (name, story) in stories {
            self.reported.wait_for_events(name, story)?;
        }
        self.ends_with_after_resync(stories)
    }

    /// As above, where only a list can show it.
    pub fn ends_with_after_resync(&mut self, stories: &[(&str, &str)]) -> Outcome {
        self.converges()?;
        let reported = self.stories();
        let is_right = reported.len() == stories.len()
            && reported
                .iter()
                .zip(stories)
                .all(|(reported, right)| reported.0 == right.0 && is_sequence(&reported.1, right.1));
        assert!(is_right, "expected {stories:?}, reported were {reported:?}:\n{:?}", self.reported);
        Ok(())
    }

    /// After a resync, the cache has what the engine has, and what consumers know of.
    pub fn converges(&mut self) -> Outcome {
        self.resync()?;
        self.reported.is_well_formed()?;
        let engine: BTreeMap<_, _> = self.sim.living()?.into_iter().map(|thing| (thing.id.clone(), thing)).collect();
        let engine_ids: BTreeSet<&String> = engine.keys().collect();
        // What is not urgent, such as the time of a start that a list shows, is asked for a little later.
        wait::until("nothing to be missing", PATIENCE, || {
            let cache = self.watcher.containers().map_err(|e| e.to_string())?;
            cache.iter().find(|c| c.missing != 0).map_or(Ok(()), |c| Err(format!("{c:?}")))
        })?;
        let cache = self.watcher.containers()?;
        let ids: BTreeSet<String> = cache.iter().map(|c| c.id.to_string()).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>(), engine_ids, "the cache; reported:\n{:?}", self.reported);
        assert_eq!(self.reported.living(), ids, "what consumers know of; reported:\n{:?}", self.reported);
        for c in cache {
            let there = &engine[&*c.id];
            // Where sandboxes have pids is another test's question.
            let is_right = c.pid.map_or(c.kind == Kind::Sandbox, |pid| pid == there.pid);
            assert!(is_right, "{there:?} is shown as {c:?}");
        }
        Ok(())
    }

    pub fn wait_for_state(&self, state: WatcherState) -> Outcome {
        let is_so = || self.watcher.state() == state;
        Ok(wait::for_condition(&format!("{state:?} ({:?})", self.watcher), PATIENCE, is_so)?)
    }

    /// `events` and `eventsReason` of the engine's description.
    pub fn engine(&self) -> Outcome<Value> {
        Ok(serde_json::from_str::<Value>(self.watcher.engine_info()?.as_str())?["engine"].take())
    }

    /// Waits until no request is planned or under way.
    pub fn wait_until_nothing_is_open(&self) -> Outcome {
        Ok(wait::until("no open request", PATIENCE, || match self.counter("openStatusRequests") {
            Ok(0) => Ok(()),
            other => Err(format!("{other:?}")),
        })?)
    }

    /// One of the watcher's own numbers.
    pub fn counter(&self, name: &str) -> Outcome<u64> {
        let stats: Value = serde_json::from_str(self.watcher.stats()?.as_str())?;
        let number = find(&stats, name).and_then(Value::as_u64);
        number.ok_or_else(|| format!("no number {name} in {stats}").into())
    }

    /// Waits until one of the watcher's own numbers is at least this.
    pub fn wait_for_counter(&self, name: &str, at_least: u64) -> Outcome {
        let enough = || match self.counter(name) {
            Ok(n) if n >= at_least => Ok(()),
            Ok(n) => Err(format!("{n}")),
            Err(error) => Err(error.to_string()),
        };
        Ok(wait::until(&format!("{name} of {at_least}"), PATIENCE, enough)?)
    }

    /// Waits for all events that the engine has reported, but for those that a fault has swallowed.
    pub fn hears_all_but(&mut self, lost: u64) -> Outcome {
        let reported = self.sim.stat("events")?;
        self.wait_for_counter("engineEvents", reported - lost)
    }

    /// The warnings so far that have this in them.
    pub fn warnings(&mut self, with: &str) -> Vec<String> {
        let is_warning = |e: &&Event| e.log_level == Some(LogLevel::Warn);
        let lines = self.log.drain().events.iter().filter(is_warning).filter_map(|e| e.message.as_deref());
        lines.filter(|line| line.contains(with)).map(str::to_owned).collect()
    }

    /// How often what is called so was reported as removed.
    pub fn removals(&mut self, name: &str) -> usize {
        self.log.drain().count(name, |e| e.event_type == EventType::Removed)
    }

    /// Everything that the engine has, in any state, as far as is known.
    pub fn records(&self) -> Outcome<Vec<Arc<Container>>> {
        let query = Query::parse(Some(r#"{"all":true}"#))?;
        Ok(self.watcher.snapshot()?.select(&query).cloned().collect())
    }

    /// The one of them with this path, with or without the default namespace.
    pub fn record(&self, path: &str) -> Outcome<Arc<Container>> {
        let is_it = |c: &Arc<Container>| c.path() == path || c.path() == format!("default/{path}");
        let found: Vec<_> = self.records()?.into_iter().filter(is_it).collect();
        match &found[..] {
            [one] => Ok(one.clone()),
            many => Err(format!("{} records of {path}: {many:?}", many.len()).into()),
        }
    }

    /// Waits for so many more lists.
    pub fn relists(&mut self, lists: u64) -> Outcome {
        self.wait_for_counter("lists", self.counter("lists")? + lists)?;
        self.reported.drain();
        Ok(())
    }

    /// Waits until twenty relists have brought nothing: no event, no warning, no status request. At most this many
    /// status requests were made until then.
    pub fn falls_silent(&mut self, most_questions: u64) -> Outcome {
        const WINDOWS: usize = 20;
        let mut before = None;
        for _ in 0..WINDOWS {
            let now = (self.happened(), self.warnings("").len(), self.questions()?);
            if before == Some(now) {
                assert!(now.2 <= most_questions, "{} status requests; reported:\n{:?}", now.2, self.reported);
                return Ok(());
            }
            before = Some(now);
            self.relists(20)?;
        }
        let log = self.warnings("");
        let stats = self.watcher.stats()?;
        Err(format!("it never falls silent: {before:?}; {stats}; reported:\n{:?}\nlogged: {log:#?}", self.reported)
            .into())
    }

    /// How many events of containers were reported.
    fn happened(&mut self) -> usize {
        let of_containers = |reported: &Reported| reported.events.iter().filter(|e| e.container.is_some()).count();
        of_containers(self.reported.drain()) + of_containers(self.log.drain())
    }

    /// How often the engine was asked for one status.
    pub fn questions(&mut self) -> Outcome<u64> {
        Ok(self.sim.stat("ContainerStatus")? + self.sim.stat("PodSandboxStatus")?)
    }
}

/// A watcher with these options.
pub fn watcher(endpoint: &str, options: Options) -> Outcome<Watcher> {
    let mut config = Config::default();
    // Where pids are waited for, a busy machine may take its time.
    config.set("ready.pid_wait_ms", "60000")?;
    for (key, value) in options {
        config.set(key, value)?;
    }
    Ok(Watcher::new(Some(endpoint), config)?)
}

/// Where the /proc of thousands of processes that are none is written: in memory, where that can be had.
pub fn folder_in_memory() -> std::io::Result<tempfile::TempDir> {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())
}

/// For what is expected not to come.
pub const BRIEFLY: Option<Duration> = Some(Duration::from_millis(100));

fn find<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let Value::Object(map) = value else { return None };
    map.get(name).or_else(|| map.values().find_map(|inner| find(inner, name)))
}
