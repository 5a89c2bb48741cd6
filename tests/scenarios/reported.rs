//! One consumer, and all that it got.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use criwatch::hub::{EventQueue, Next};
use criwatch::model::*;

use crate::Outcome;
use crate::support::wait::PATIENCE;

pub struct Reported {
    queue: Arc<EventQueue>,
    pub events: Vec<Event>,
}

impl Reported {
    pub fn by(queue: Arc<EventQueue>) -> Reported {
        Reported { queue, events: Vec::new() }
    }

    /// Takes all that waits.
    pub fn drain(&mut self) -> &mut Reported {
        while let Next::Event(event) = self.queue.next(Some(Duration::ZERO)) {
            self.events.push(event);
        }
        self
    }

    /// Takes until what was reported is as it should be.
    pub fn wait_for(&mut self, what: &str, is_so: impl Fn(&Reported) -> bool) -> Outcome {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(self) {
            match self.queue.next(Some(deadline.saturating_duration_since(Instant::now()))) {
                Next::Event(event) => self.events.push(event),
                nothing => return Err(format!("{nothing:?} instead of {what}; reported:\n{self:?}").into()),
            }
        }
        Ok(())
    }

    /// Waits until this is the story of what is called so.
    pub fn wait_for_events(&mut self, name: &str, story: &str) -> Outcome {
        let is_it = |(of, reported): &(String, String)| of == name && is_sequence(reported, story);
        self.wait_for(&format!("{name}: {story}"), |reported| reported.stories().iter().any(is_it))
    }

    /// The runs that were reported: for each id its name and its events in order, by name.
    pub fn stories(&self) -> Vec<(String, String)> {
        let mut order: Vec<&Id> = Vec::new();
        let mut stories: BTreeMap<&Id, (String, Vec<String>)> = BTreeMap::new();
        for event in &self.events {
            let Some(container) = &event.container else { continue };
            let (name, story) = stories.entry(&container.id).or_insert_with(|| {
                order.push(&container.id);
                Default::default()
            });
            // What is reported early may not have its name yet.
            if container.pod.is_some() && !container.name.is_empty() {
                *name = short_path(container);
            }
            story.extend(word(event));
        }
        let reported = order.iter().filter_map(|id| stories.remove(id)).filter(|(_, story)| !story.is_empty());
        let mut reported: Vec<_> = reported.map(|(name, story)| (name, story.join(" "))).collect();
        reported.sort_by(|a, b| a.0.cmp(&b.0));
        reported
    }

    /// The newest record of the container with this name.
    pub fn newest(&self, name: &str) -> &Arc<Container> {
        let containers = self.events.iter().rev().filter_map(|event| event.container.as_ref());
        let mut called = containers.filter(|c| short_path(c) == name);
        called.next().unwrap_or_else(|| panic!("nothing was reported of {name}; reported:\n{self:?}"))
    }

    /// Those that were reported as started and not as exited.
    pub fn living(&self) -> BTreeSet<String> {
        let mut living = BTreeSet::new();
        for event in &self.events {
            match (event.event_type, &event.container) {
                (EventType::ReplayBegin, _) => living.clear(),
                (EventType::Started, Some(container)) => drop(living.insert(container.id.to_string())),
                (EventType::Exited, Some(container)) => drop(living.remove(&*container.id)),
                _ => {}
            }
        }
        living
    }

    /// How often this was reported of what is called so.
    pub fn count(&self, name: &str, is_such: impl Fn(&Event) -> bool) -> usize {
        let of_it = |e: &&Event| e.container.as_ref().is_some_and(|c| short_path(c) == name);
        self.events.iter().filter(of_it).filter(|e| is_such(e)).count()
    }

    /// Of each id first STARTED, then EXITED, and again only after that; numbers that grow.
    pub fn is_well_formed(&self) -> Outcome {
        if !self.events.is_sorted_by(|a, b| a.seq < b.seq) {
            return Err(format!("the numbers do not grow; reported:\n{self:?}").into());
        }
        for (name, story) in self.stories() {
            let runs = story.split(' ').collect::<Vec<_>>();
            let alternates = |(n, word): (usize, &&str)| word.starts_with(["STARTED", "EXITED"][n % 2]);
            if story != "EXITED(never-started)"
                && story != "EXITED(synthetic,never-started)"
                && !runs.iter().enumerate().all(alternates)
            {
                return Err(format!("{name} was reported as {story:?}; reported:\n{self:?}").into());
            }
        }
        Ok(())
    }
}

/// Whether this story was reported. `EXITED(?)` stands for both: where a run is so short that its first status request
/// finds it over, the answer may come before the event.
pub fn is_sequence(reported: &str, expected: &str) -> bool {
    let is_step = |(reported, expected): (&str, &str)| match expected.strip_suffix("(?)") {
        Some(name) => reported.strip_suffix("(synthetic)").unwrap_or(reported) == name,
        None => reported == expected,
    };
    reported.split(' ').count() == expected.split(' ').count()
        && reported.split(' ').zip(expected.split(' ')).all(is_step)
}

/// Without the namespace, where that is the default one.
fn short_path(container: &Container) -> String {
    let path = container.path();
    path.strip_prefix("default/").map_or(path.clone(), str::to_owned)
}

/// A start or an exit, with its flags. (Whether an exit is provisional follows from its reason.)
fn word(event: &Event) -> Option<String> {
    let name = match event.event_type {
        EventType::Started => "STARTED",
        EventType::Exited => "EXITED",
        _ => return None,
    };
    let flags = [
        (CRI_EVENT_FLAG_SYNTHETIC, "synthetic"),
        (CRI_EVENT_FLAG_INITIAL, "initial"),
        (CRI_EVENT_FLAG_REAPPEARED, "reappeared"),
        (CRI_EVENT_FLAG_NEVER_STARTED, "never-started"),
    ];
    let set: Vec<_> = flags.iter().filter(|(bit, _)| event.flags & bit != 0).map(|(_, word)| *word).collect();
    Some(if set.is_empty() { name.into() } else { format!("{name}({})", set.join(",")) })
}

impl std::fmt::Debug for Reported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for e in &self.events {
            let of = e.container.as_ref().map(|c| format!("{} {} {:?} {:?}", c.path(), &c.id[..6], c.pid, c.exit));
            let (what, about) = (e.event_type, of.or_else(|| e.message.as_ref().map(ToString::to_string)));
            writeln!(
                f,
                "  {} {what:?} {:#x} {:#x} {:?} {}",
                e.seq,
                e.flags,
                e.changed,
                e.state,
                about.unwrap_or_default()
            )?;
        }
        Ok(())
    }
}
