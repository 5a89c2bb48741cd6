//! What the options select: a query of the library, which defines the meaning of labels, pods and states, and globs,
//! which only the command has. Pure.

mod nearest;

use criwatch::model::{Container, Kind, State};
use criwatch::watcher::{Query, Snapshot};
use serde_json::{Map, Value};
use std::sync::Arc;
use wildmatch::WildMatch;

use crate::args::Selection;
use crate::exit::Failure;

pub use nearest::{nothing_matches, unknown_name};

/// A selection.
#[derive(Debug, Clone, Default)]
pub struct Picker {
    /// Globs; empty: all namespaces.
    pub namespaces: Vec<String>,
    pub pod: Option<String>,
    pub name: Option<String>,
    /// Globs; empty: all images.
    pub images: Vec<String>,
    pub labels: Vec<String>,
    /// The states; empty: running containers, or every state with `all`.
    pub states: Vec<State>,
    pub all: bool,
    /// Whether to include containers that the engine no longer has.
    pub gone: bool,
    pub kind: Option<Kind>,
}

impl Picker {
    pub fn new(selection: &Selection) -> Self {
        Picker {
            namespaces: selection.namespace.clone(),
            pod: selection.pod.clone(),
            labels: selection.label.clone(),
            ..Picker::default()
        }
    }

    /// The same selection, in every state.
    pub fn of_all(&self) -> Self {
        Picker { states: Vec::new(), all: true, ..self.clone() }
    }

    /// The same selection, in every state, including removed containers.
    pub fn of_all_and_gone(&self) -> Self {
        Picker { gone: true, ..self.of_all() }
    }

    /// Whether it selects by anything but states.
    pub fn is_narrowed(&self) -> bool {
        !(self.namespaces.is_empty() && self.images.is_empty() && self.labels.is_empty())
            || self.pod.is_some()
            || self.name.is_some()
            || !self.states.is_empty()
    }

    /// The library's part of the selection, as JSON.
    pub fn query(&self) -> String {
        let mut query = Map::new();
        let mut put = |key: &str, value: Option<Value>| query.extend(value.map(|value| (key.to_owned(), value)));
        put("pod", self.pod.clone().map(Value::from));
        put("name", self.name.clone().map(Value::from));
        put("selector", (!self.labels.is_empty()).then(|| self.labels.join(",").into()));
        put("kind", self.kind.map(|kind| kind.word().into()));
        put("gone", self.gone.then_some(true.into()));
        match self.states.is_empty() {
            true => put("all", self.all.then_some(true.into())),
            false => put(
                "states",
                Some(self.states.iter().map(|state| Value::from(state.word())).collect::<Vec<_>>().into()),
            ),
        }
        Value::from(query).to_string()
    }

    /// The selected containers of a snapshot.
    pub fn pick<'a>(&self, snapshot: &'a Snapshot) -> Result<Vec<&'a Arc<Container>>, Failure> {
        let query = Query::parse(Some(&self.query()))?;
        Ok(snapshot.select(&query).filter(|container| self.takes(container)).collect())
    }

    /// Whether the command's part of the selection takes this container.
    pub fn takes(&self, container: &Container) -> bool {
        let any = |globs: &[String], value: &str| {
            globs.is_empty() || globs.iter().any(|glob| WildMatch::new(glob).matches(value))
        };
        any(&self.namespaces, container.namespace()) && self.takes_image(container)
    }

    /// Whether the image matches. It is given by its name, with or without tag and registry, or by a glob.
    fn takes_image(&self, container: &Container) -> bool {
        let image = &container.image;
        let names = [&*image.name, image.repository(), &*image.reference, &*image.id];
        let is = |wanted: &String| {
            let glob = WildMatch::new(wanted);
            names.iter().any(|name| {
                let is_end = name.strip_suffix(wanted.as_str()).is_some_and(|before| before.ends_with('/'));
                !name.is_empty() && (is_end || glob.matches(name))
            })
        };
        self.images.is_empty() || self.images.iter().any(is)
    }
}

/// The states of the option --state: lists with commas, also with crictl's capital letters.
pub fn states(given: &[String]) -> Result<Vec<State>, Failure> {
    given.iter().flat_map(|list| list.split(',')).map(state).collect()
}

fn state(word: &str) -> Result<State, Failure> {
    match &*word.trim().to_ascii_lowercase() {
        "created" => Ok(State::Created),
        "running" => Ok(State::Running),
        "exited" => Ok(State::Exited),
        "unknown" => Ok(State::Unknown),
        other => Err(Failure::usage(format!("--state: {other:?} is none of created, running, exited, unknown"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_query_has_what_was_given() {
        assert_eq!(Picker::default().query(), "{}");
        let picker = Picker {
            pod: Some("web".into()),
            labels: vec!["a=b".into(), "!c".into()],
            states: vec![State::Exited],
            kind: Some(Kind::Container),
            all: true,
            ..Picker::default()
        };
        assert_eq!(picker.query(), r#"{"pod":"web","selector":"a=b,!c","kind":"container","states":["exited"]}"#);
    }

    #[test]
    fn globs() {
        let node = sample::node();
        let all: Vec<_> = node.iter().flat_map(|(_, containers)| containers).collect();
        let count = |picker: Picker| all.iter().filter(|one| picker.takes(one)).count();
        let spaces = |globs: &[&str]| {
            count(Picker { namespaces: globs.iter().map(|it| (*it).into()).collect(), ..Picker::default() })
        };
        assert_eq!(
            (spaces(&[]), spaces(&["shop"]), spaces(&["kube-*", "batch"]), spaces(&["sho"])),
            (all.len(), 6, 4, 0)
        );
        let images = |glob: &str| count(Picker { images: vec![glob.into()], ..Picker::default() });
        assert_eq!(images("nginx"), 2);
        assert_eq!((images("nginx:1.27.5"), images("team/nginx"), images("*ngin*"), images("ginx")), (1, 2, 2, 0));
    }

    #[test]
    fn states_are_words() {
        assert_eq!(
            states(&["Running,exited".into(), "created".into()]).unwrap(),
            [State::Running, State::Exited, State::Created]
        );
        assert!(states(&["alive".into()]).is_err());
    }
}
