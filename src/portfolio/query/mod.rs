//! A query, read from JSON: it selects the containers that a caller wants to see.

mod parse;
mod selector;

use super::lookup::is_prefix;
use crate::error::{CRI_E_QUERY, Error, Result};
use crate::model::attributes::Schema;
use crate::model::{Container, Kind, Pod, State};
use selector::Selector;

/// Which containers to show, and how much of each.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    states: States,
    gone: bool,
    kind: Option<Kind>,
    namespace: Option<String>,
    pod: Option<String>,
    uid: Option<String>,
    name: Option<String>,
    selector: Selector,
    fields: Option<Vec<&'static str>>,
    attributes: Option<Option<Schema>>,
    if_generation: Option<u64>,
}

/// The states in which a container is selected, if the engine has it.
#[derive(Debug, Clone, PartialEq, Default)]
enum States {
    /// Running ones only.
    #[default]
    Running,
    All,
    These(Vec<State>),
}

impl Query {
    /// Reads a query from its JSON; `None` is the query for everything that runs. The error names the key, the value
    /// and what is allowed.
    pub fn parse(text: Option<&str>) -> Result<Query> {
        text.map_or(Ok(Query::default()), parse::parse)
    }

    /// Whether the query asks for all running containers, with all their keys.
    pub fn is_for_the_list(&self) -> bool {
        *self == Query { if_generation: self.if_generation, ..Query::default() }
    }

    /// Whether the caller already has this generation, and so wants no answer.
    pub fn is_satisfied_by(&self, generation: u64) -> bool {
        self.if_generation == Some(generation)
    }

    /// The keys of a container to show; `None`: all.
    pub fn fields(&self) -> Option<&[&'static str]> {
        self.fields.as_deref()
    }

    /// The schema that names the containers' attributes. `None`: the query does not say. `Some(None)`: no attributes.
    pub fn attributes(&self) -> Option<Option<Schema>> {
        self.attributes
    }

    /// Whether the query selects this container. `present` says that the engine has it; otherwise it is only
    /// remembered.
    pub fn selects(&self, c: &Container, present: bool) -> bool {
        let is = |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|wanted| *wanted == *value);
        let pod = c.pod.as_deref();
        let in_pod = || self.pod.as_ref().is_none_or(|it| pod.is_some_and(|p| names_pod(it, p)));
        self.wants_state(c.state, present)
            && self.kind.is_none_or(|kind| kind == c.kind)
            && is(&self.namespace, c.namespace())
            && in_pod()
            && is(&self.uid, pod.map_or("", |p| &p.uid))
            && is(&self.name, &c.name)
            && self.selector.matches(c)
    }

    fn wants_state(&self, state: State, present: bool) -> bool {
        match &self.states {
            _ if !present => self.gone,
            States::Running => state == State::Running,
            States::All => true,
            States::These(states) => states.contains(&state),
        }
    }
}

/// Whether the text is the pod's name, `namespace/name`, its id, or the beginning of its id.
fn names_pod(text: &str, pod: &Pod) -> bool {
    let path =
        || text.split_once('/').is_some_and(|(namespace, name)| *pod.namespace == *namespace && *pod.name == *name);
    *pod.name == *text || *pod.id == *text || (is_prefix(text) && pod.id.starts_with(text)) || path()
}

fn refuse(message: impl std::fmt::Display) -> Error {
    Error::new(CRI_E_QUERY, format!("query: {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Labels;

    fn labels(pairs: &[(&str, &str)]) -> std::sync::Arc<Labels> {
        pairs.iter().copied().collect::<Labels>().into()
    }

    fn container() -> Container {
        let mut pod = Pod::new("f".repeat(64).into());
        (pod.name, pod.namespace, pod.uid) = ("web-1".into(), "shop".into(), "u-1".into());
        pod.labels = labels(&[("app", "web"), ("tier", "of-the-pod")]);
        let mut c = Container::new("a".repeat(64).into(), Kind::Container);
        (c.name, c.state, c.pod) = ("nginx".into(), State::Running, Some(pod.into()));
        c.labels = labels(&[("tier", "front")]);
        c.annotations = labels(&[("note", "x")]);
        c
    }

    fn selects(query: &str, c: &Container) -> bool {
        Query::parse(Some(query)).unwrap().selects(c, true)
    }

    #[test]
    fn each_key_narrows() {
        let c = container();
        for yes in [
            r#"{}"#,
            r#"{"kind":"container"}"#,
            r#"{"namespace":"shop","pod":"web-1","uid":"u-1","name":"nginx"}"#,
            r#"{"states":["running","exited"]}"#,
            r#"{"selector":"app=web"}"#,
            r#"{"selector":"tier=front,tier!=of-the-pod"}"#,
            r#"{"selector":"io.kubernetes.pod.name=web-1,io.kubernetes.annotation/note=x"}"#,
        ] {
            assert!(selects(yes, &c), "{yes}");
        }
        for pod in ["f".repeat(64), "f".repeat(13), "f".repeat(6), "web-1".into(), "shop/web-1".into()] {
            assert!(selects(&format!(r#"{{"pod":"{pod}"}}"#), &c), "{pod}");
        }
        for no in [
            r#"{"kind":"sandbox"}"#,
            r#"{"namespace":"shop2"}"#,
            r#"{"pod":"web"}"#,
            r#"{"pod":"fffff"}"#,
            r#"{"pod":"ffffffe"}"#,
            r#"{"pod":"test/web-1"}"#,
            r#"{"name":"ngin"}"#,
            r#"{"uid":"u"}"#,
            r#"{"states":["exited"]}"#,
            r#"{"states":[]}"#,
            r#"{"selector":"io.kubernetes.sandbox"}"#,
        ] {
            assert!(!selects(no, &c), "{no}");
        }
    }

    #[test]
    fn the_dead_are_shown_on_demand() {
        let mut c = container();
        c.state = State::Exited;
        let shown = |query, present| Query::parse(Some(query)).unwrap().selects(&c, present);
        for (query, while_present, when_gone) in [
            ("{}", false, false),
            (r#"{"all":true}"#, true, false),
            (r#"{"gone":true}"#, false, true),
            (r#"{"all":true,"gone":true}"#, true, true),
            (r#"{"all":true,"gone":true,"namespace":"other"}"#, false, false),
        ] {
            assert_eq!((shown(query, true), shown(query, false)), (while_present, when_gone), "{query}");
        }
    }

    #[test]
    fn a_generation_alone_asks_for_the_list() {
        let query = Query::parse(Some(r#"{"ifGeneration":7}"#)).unwrap();
        assert!(query.is_for_the_list() && query.is_satisfied_by(7) && !query.is_satisfied_by(8));
        assert!(!Query::parse(Some(r#"{"fields":["pid"]}"#)).unwrap().is_for_the_list());
        assert!(Query::parse(None).unwrap().is_for_the_list());
    }
}
