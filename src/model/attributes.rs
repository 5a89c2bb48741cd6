//! A container under the key names of other projects: flat keys and values, as OpenTelemetry, Falco and ECS name them.
//! Pure.
//!
//! It contains only what CRI reports about a container. The engine's own facts (`container.runtime.name`, Falco's
//! `container.type`) are the same for all its containers, and belong to the engine's record. OpenTelemetry's
//! `container.name` is left out: it is the name that an engine gives to a container of its own, which CRI does not
//! report. `k8s.container.name` is the name that the pod's author wrote.

use super::{Container, Kind, Pod, State};

/// The project whose names are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Schema {
    /// OpenTelemetry's semantic conventions, and the names of its k8sattributes processor.
    Otel,
    /// Falco's fields.
    Falco,
    /// The Elastic Common Schema, and the names of Beats for Kubernetes.
    Ecs,
}

impl Schema {
    /// All of them.
    pub const ALL: [Schema; 3] = [Schema::Otel, Schema::Falco, Schema::Ecs];

    /// The schema's word, as in the option `attributes`.
    pub fn word(self) -> &'static str {
        match self {
            Schema::Otel => "otel",
            Schema::Falco => "falco",
            Schema::Ecs => "ecs",
        }
    }

    /// The schema with this word.
    pub fn of_word(word: &str) -> Option<Schema> {
        Schema::ALL.into_iter().find(|schema| schema.word() == word)
    }
}

/// A key of the schema, and its value.
pub type Attribute = (String, String);

/// All known facts of the container, under the schema's names and in its order. Unknown facts are left out. Where the
/// schema has a list, it contains the one value that is known.
pub fn attributes(container: &Container, schema: Schema) -> Vec<Attribute> {
    let mut to = Attributes(Vec::new());
    match schema {
        Schema::Otel => to.otel(container),
        Schema::Falco => to.falco(container),
        Schema::Ecs => to.ecs(container),
    }
    to.0
}

struct Attributes(Vec<Attribute>);

impl Attributes {
    fn add(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            self.0.push((key.to_owned(), value.to_owned()));
        }
    }

    /// Adds labels. Empty ones are added, too.
    fn add_labels<'a>(&mut self, labels: impl IntoIterator<Item = (&'a str, &'a str)>, key: impl Fn(&str) -> String) {
        self.0.extend(labels.into_iter().map(|(label, value)| (key(label), value.to_owned())));
    }

    fn otel(&mut self, c: &Container) {
        self.add("container.id", &c.id);
        self.add("container.image.name", c.image.repository());
        self.add("container.image.tags", c.image.tag());
        self.add("container.image.id", &c.image.id);
        if c.image.reference.contains('@') {
            self.add("container.image.repo_digests", &c.image.reference);
        }
        if c.kind == Kind::Container {
            self.add("k8s.container.name", &c.name);
            self.add("k8s.container.restart_count", &c.attempt.to_string());
            self.add("k8s.container.status.state", otel_state(c.state));
            self.add("k8s.container.status.reason", c.exit.as_ref().map_or("", |exit| &exit.reason));
        }
        self.add("process.pid", &pid(c));
        if let Some(pod) = c.pod.as_deref() {
            self.add("k8s.namespace.name", &pod.namespace);
            self.add("k8s.pod.name", &pod.name);
            self.add("k8s.pod.uid", &pod.uid);
            self.add("k8s.pod.ip", ip(pod));
            self.add_labels(pod.labels.iter(), |key| format!("k8s.pod.label.{key}"));
            self.add_labels(pod.annotations.iter(), |key| format!("k8s.pod.annotation.{key}"));
        }
        self.add_labels(c.labels.iter(), |key| format!("container.label.{key}"));
    }

    fn falco(&mut self, c: &Container) {
        self.add("container.id", short(&c.id));
        self.add("container.full_id", &c.id);
        self.add("container.name", &c.name);
        self.add("container.image", &c.image.name);
        self.add("container.image.repository", c.image.repository());
        self.add("container.image.tag", c.image.tag());
        self.add("container.image.digest", c.image.digest());
        self.add("container.image.id", c.image.id.trim_start_matches("sha256:"));
        if let Some(pod) = c.pod.as_deref() {
            self.add("container.ip", ip(pod));
            self.add("k8s.ns.name", &pod.namespace);
            self.add("k8s.pod.name", &pod.name);
            self.add("k8s.pod.uid", &pod.uid);
            self.add("k8s.pod.sandbox_id", short(&pod.id));
            self.add("k8s.pod.full_sandbox_id", &pod.id);
            self.add("k8s.pod.ip", ip(pod));
            self.add_labels(pod.labels.iter(), |key| format!("k8s.pod.label[{key}]"));
        }
    }

    fn ecs(&mut self, c: &Container) {
        self.add("container.id", &c.id);
        self.add("container.name", &c.name);
        self.add("container.image.name", c.image.repository());
        self.add("container.image.tag", c.image.tag());
        self.add("container.image.hash.all", c.image.digest());
        self.add("process.pid", &pid(c));
        if let Some(pod) = c.pod.as_deref() {
            if c.kind == Kind::Container {
                self.add("kubernetes.container.name", &c.name);
            }
            self.add("kubernetes.namespace", &pod.namespace);
            self.add("kubernetes.pod.name", &pod.name);
            self.add("kubernetes.pod.uid", &pod.uid);
            self.add("kubernetes.pod.ip", ip(pod));
            self.add("orchestrator.type", "kubernetes");
            self.add("orchestrator.namespace", &pod.namespace);
            self.add("orchestrator.resource.type", "pod");
            self.add("orchestrator.resource.name", &pod.name);
        }
        self.add_labels(c.labels.iter(), |key| format!("container.labels.{key}"));
    }
}

fn otel_state(state: State) -> &'static str {
    match state {
        State::Running => "running",
        State::Exited => "terminated",
        State::Created => "waiting",
        State::Unknown => "",
    }
}

fn ip(pod: &Pod) -> &str {
    pod.ips.first().map_or("", |ip| ip)
}

fn pid(c: &Container) -> String {
    c.pid.map(|pid| pid.to_string()).unwrap_or_default()
}

/// An id's first twelve digits, as Falco shows it.
fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Exit, Labels};

    fn container() -> Container {
        let mut pod = Pod::new("f".repeat(64).into());
        (pod.name, pod.namespace, pod.uid) = ("web-1".into(), "shop".into(), "u-1".into());
        pod.ips = vec![Arc::from("10.0.0.7"), Arc::from("fd00::7")].into();
        pod.labels = Arc::new(Labels::from([("app", "web"), ("empty", "")]));
        pod.annotations = Arc::new(Labels::from([("note", "x")]));
        let mut c = Container::new("a".repeat(64).into(), Kind::Container);
        (c.name, c.state, c.attempt, c.pid) = ("nginx".into(), State::Exited, 3, Some(70));
        c.labels = Arc::new(Labels::from([("tier", "front")]));
        c.image.name = "docker.io/library/nginx:1.27".into();
        c.image.reference = format!("docker.io/library/nginx@sha256:{}", "d".repeat(64)).into();
        c.image.id = format!("sha256:{}", "1".repeat(64)).into();
        c.exit = Some(Exit { code: Some(137), reason: "OOMKilled".into(), message: "".into() });
        c.pod = Some(pod.into());
        c
    }

    fn keys(c: &Container, schema: Schema) -> String {
        attributes(c, schema).into_iter().map(|(key, value)| format!("{key}={value}\n")).collect()
    }

    #[test]
    fn the_names_are_the_third_partys() {
        let (id, digest, image, sandbox) = ("a".repeat(64), "d".repeat(64), "1".repeat(64), "f".repeat(64));
        assert_eq!(
            keys(&container(), Schema::Otel),
            format!(
                "container.id={id}\ncontainer.image.name=docker.io/library/nginx\ncontainer.image.tags=1.27\n\
                 container.image.id=sha256:{image}\n\
                 container.image.repo_digests=docker.io/library/nginx@sha256:{digest}\nk8s.container.name=nginx\n\
                 k8s.container.restart_count=3\nk8s.container.status.state=terminated\n\
                 k8s.container.status.reason=OOMKilled\nprocess.pid=70\nk8s.namespace.name=shop\nk8s.pod.name=web-1\n\
                 k8s.pod.uid=u-1\nk8s.pod.ip=10.0.0.7\nk8s.pod.label.app=web\nk8s.pod.label.empty=\n\
                 k8s.pod.annotation.note=x\ncontainer.label.tier=front\n"
            )
        );
        assert_eq!(
            keys(&container(), Schema::Falco),
            format!(
                "container.id=aaaaaaaaaaaa\ncontainer.full_id={id}\ncontainer.name=nginx\n\
                 container.image=docker.io/library/nginx:1.27\ncontainer.image.repository=docker.io/library/nginx\n\
                 container.image.tag=1.27\ncontainer.image.digest=sha256:{digest}\ncontainer.image.id={image}\n\
                 container.ip=10.0.0.7\nk8s.ns.name=shop\nk8s.pod.name=web-1\nk8s.pod.uid=u-1\n\
                 k8s.pod.sandbox_id=ffffffffffff\nk8s.pod.full_sandbox_id={sandbox}\nk8s.pod.ip=10.0.0.7\n\
                 k8s.pod.label[app]=web\nk8s.pod.label[empty]=\n"
            )
        );
        assert_eq!(
            keys(&container(), Schema::Ecs),
            format!(
                "container.id={id}\ncontainer.name=nginx\ncontainer.image.name=docker.io/library/nginx\n\
                 container.image.tag=1.27\ncontainer.image.hash.all=sha256:{digest}\nprocess.pid=70\n\
                 kubernetes.container.name=nginx\nkubernetes.namespace=shop\nkubernetes.pod.name=web-1\n\
                 kubernetes.pod.uid=u-1\nkubernetes.pod.ip=10.0.0.7\norchestrator.type=kubernetes\n\
                 orchestrator.namespace=shop\norchestrator.resource.type=pod\norchestrator.resource.name=web-1\n\
                 container.labels.tier=front\n"
            )
        );
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let c = Container::new("ab".into(), Kind::Sandbox);
        assert_eq!(keys(&c, Schema::Otel), "container.id=ab\n");
        assert_eq!(keys(&c, Schema::Falco), "container.id=ab\ncontainer.full_id=ab\n");
        assert_eq!(keys(&c, Schema::Ecs), "container.id=ab\n");
    }

    #[test]
    fn words_stand_for_schemas() {
        assert!(Schema::ALL.into_iter().all(|schema| Schema::of_word(schema.word()) == Some(schema)));
        assert_eq!(Schema::of_word("OTEL"), None);
    }
}
