//! A watcher of this process, and what it has counted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criwatch::config::Config;
use criwatch::hub::{EventQueue, Next};
use criwatch::model::{Event, EventType};
use criwatch::watcher::Watcher;
use serde_json::Value;

use crate::support::suite::{Outcome, Setup};
use crate::support::wait::{self, PATIENCE};

/// A started watcher and its events.
pub struct Seen {
    pub watcher: Watcher,
    queue: Arc<EventQueue>,
    pub events: Vec<Event>,
}

impl Seen {
    /// Watches the engine there, and waits until the watcher is ready.
    pub fn of(endpoint: &str, options: &[(&str, &str)]) -> Result<Seen, Box<dyn std::error::Error>> {
        let mut config = Config::default();
        for (key, value) in options {
            config.set(key, value)?;
        }
        let watcher = Watcher::new(Some(endpoint), config)?;
        let queue = watcher.subscribe(0, 0, 0)?;
        watcher.start()?;
        watcher.wait_ready(Some(PATIENCE))?;
        Ok(Seen { watcher, queue, events: Vec::new() })
    }

    /// What it has counted.
    pub fn stats(&self) -> Result<Value, Box<dyn std::error::Error>> {
        Ok(serde_json::from_str(self.watcher.stats()?.as_str())?)
    }

    /// One counter.
    pub fn counter(&self, name: &str) -> Result<u64, Box<dyn std::error::Error>> {
        let stats = self.stats()?;
        stats["stats"][name].as_u64().ok_or_else(|| format!("no counter {name} in {stats:#}").into())
    }

    /// How often each RPC was called.
    pub fn calls(&self) -> Result<BTreeMap<String, u64>, Box<dyn std::error::Error>> {
        let stats = self.stats()?;
        let calls = stats["requests"].as_object().ok_or_else(|| format!("no requests in {stats:#}"))?;
        Ok(calls.iter().map(|(name, cost)| (name.clone(), cost["count"].as_u64().unwrap_or_default())).collect())
    }

    /// Takes events until one is as wanted.
    pub fn until(&mut self, what: &str, is_it: impl Fn(&Event) -> bool) -> Result<Event, String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.queue.next(Some(left)) {
                Next::Event(event) => {
                    self.events.push(Event::clone(&event));
                    if is_it(&event) {
                        return Ok(Event::clone(&event));
                    }
                }
                _ => {
                    return Err(format!("waited {PATIENCE:?} for {what}; the last event was {:?}", self.events.last()));
                }
            }
        }
    }

    /// The event of this type about this container.
    pub fn event(&mut self, event_type: EventType, id: &str) -> Result<Event, String> {
        let is_it =
            |event: &Event| event.event_type == event_type && event.container.as_ref().is_some_and(|c| &*c.id == id);
        if let Some(event) = self.events.iter().find(|event| is_it(event)) {
            return Ok(event.clone());
        }
        self.until(&format!("{event_type:?} of {id}"), is_it)
    }

    /// Starts the engine again, and waits until it was asked about everything that was in doubt.
    pub fn engine_returns(&mut self, setup: &mut Setup) -> Outcome {
        setup.engine.containerd.as_mut().ok_or("no engine of our own")?.start_again()?;
        self.watcher.resync(Some(PATIENCE))?;
        wait::until("a status of each", PATIENCE, || match self.counter("openStatusRequests") {
            Ok(0) => Ok(()),
            other => Err(format!("{other:?} open")),
        })?;
        self.watcher.resync(Some(PATIENCE))?;
        self.drain();
        Ok(())
    }

    /// Takes what has come by now.
    pub fn drain(&mut self) {
        while let Next::Event(event) = self.queue.next(Some(Duration::from_millis(100))) {
            self.events.push(Event::clone(&event));
        }
    }

    /// What the host shows, as the engine's description says it.
    pub fn witness(&self) -> Result<Value, Box<dyn std::error::Error>> {
        Ok(serde_json::from_str::<Value>(self.watcher.engine_info()?.as_str())?["engine"]["witness"].take())
    }

    /// Waits until the watcher learns from the host by this means.
    pub fn wait_for_means(&self, means: &str) -> Result<(), String> {
        wait::until(means, PATIENCE, || {
            let witness = self.witness().map_err(|e| e.to_string())?;
            let is_used = witness["means"].as_array().is_some_and(|used| used.iter().any(|it| it == means));
            if is_used { Ok(()) } else { Err(witness.to_string()) }
        })
    }
}
