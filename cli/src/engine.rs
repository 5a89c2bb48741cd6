//! Makes the watchers that the sub-commands use.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use criwatch::config::Config;
use criwatch::error::CRI_E_NOT_FOUND;
use criwatch::model::{CRI_MISSING_EXIT, CRI_SUBSCRIBE_LIVE_ONLY, Container, EventType, Exit, State};
use criwatch::watcher::{Next, Watcher};
use serde_json::Value;

use crate::args::Global;
use crate::duration::nanoseconds;
use crate::exit::Failure;

/// The variables that crictl also reads; the first one that is set counts.
pub const ENDPOINT_VARIABLES: [&str; 2] = ["CRI_RUNTIME_ENDPOINT", "CONTAINER_RUNTIME_ENDPOINT"];

/// Sockets of rootless engines in $XDG_RUNTIME_DIR.
const ROOTLESS: [&str; 3] = ["k3s/containerd/containerd.sock", "containerd/containerd.sock", "crio/crio.sock"];

/// How long an engine that did not answer is not asked again.
const QUIET: Duration = Duration::from_secs(30);

/// An endpoint, and the option or variable that named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub endpoint: String,
    pub by: String,
}

/// The endpoints that the command line names, otherwise the environment's; empty if the best engine of the node is to
/// be used.
pub fn named(global: &Global) -> Result<Vec<Named>, Failure> {
    let given = global.runtime_endpoint.iter().map(|given| (given.clone(), "-r".to_owned()));
    let mut named: Vec<(String, String)> = given.collect();
    if named.is_empty() {
        let set = ENDPOINT_VARIABLES.iter().filter_map(|name| Some((std::env::var(name).ok()?, format!("${name}"))));
        named.extend(set.filter(|(value, _)| !value.is_empty()).take(1));
    }
    let folder = std::env::current_dir().unwrap_or_default();
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for (endpoint, by) in named {
        if endpoint.trim().is_empty() {
            return Err(Failure::usage(
                "the endpoint is empty: give a socket, e.g. -r unix:///run/containerd/containerd.sock",
            ));
        }
        let endpoint = whole(&endpoint, &folder);
        if seen.insert(endpoint.clone()) {
            all.push(Named { endpoint, by });
        }
    }
    Ok(all)
}

/// An endpoint with an absolute path, because people name sockets as they name files.
fn whole(endpoint: &str, folder: &Path) -> String {
    let path = endpoint.strip_prefix("unix://").or_else(|| endpoint.strip_prefix("unix:")).unwrap_or(endpoint);
    let has_scheme = path.split_once(':').is_some_and(|(scheme, _)| scheme.bytes().all(|b| b.is_ascii_lowercase()));
    if path.is_empty() || path.starts_with('/') || has_scheme {
        return endpoint.to_owned();
    }
    let path = folder.join(path.strip_prefix("./").unwrap_or(path));
    format!("unix://{}", path.display())
}

/// The library's options: those given, the timeout, and where this user's own engines may listen.
pub fn config(global: &Global) -> Result<Config, Failure> {
    let milliseconds = global.timeout.as_millis().to_string();
    let mut config = Config::default();
    config.set("connect.timeout_ms", &milliseconds)?;
    config.set("request.timeout_ms", &milliseconds)?;
    // A command that ends at once cannot wait for details that come later.
    config.set("details", "full")?;
    let own: Vec<String> = rootless_sockets().iter().map(|path| path.display().to_string()).collect();
    if !own.is_empty() {
        config.set("discover.sockets", &own.join(":"))?;
    }
    for (key, value) in &global.option {
        config.set(key, value)?;
    }
    Ok(config)
}

/// Where this user's own engines may listen. The library reads no environment variables, but looks below /run/user by
/// itself.
pub fn rootless_sockets() -> Vec<PathBuf> {
    let folder = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let folder = folder.filter(|folder| !folder.to_string_lossy().contains(':'));
    folder.map_or_else(Vec::new, |folder| {
        ROOTLESS.iter().map(|name| folder.join(name)).filter(|path| path.exists()).collect()
    })
}

/// A watcher of the one engine to use. It has made no request yet.
pub fn connect(global: &Global, command: &str) -> Result<Watcher, Failure> {
    let named = named(global)?;
    if named.len() > 1 {
        return Err(Failure::usage(format!("{command} looks at one engine: give -r once (ps and pods take several)")));
    }
    Ok(Watcher::new(named.first().map(|one| &*one.endpoint), config(global)?)?)
}

/// As `connect`, with a fresh cache. The error says what prevents that, and what to do.
pub fn look(global: &Global, command: &str) -> Result<Watcher, Failure> {
    let watcher = connect(global, command)?;
    watcher.resync(Some(global.timeout))?;
    Ok(watcher)
}

/// As `look`, with a watcher for each engine that is named.
pub fn look_at_all(global: &Global) -> Result<Vec<Watcher>, Failure> {
    let named = named(global)?;
    if named.is_empty() {
        return Ok(vec![look_at(None, global)?]);
    }
    named.iter().map(|one| look_at(Some(&one.endpoint), global)).collect()
}

fn look_at(endpoint: Option<&str>, global: &Global) -> Result<Watcher, Failure> {
    let watcher = Watcher::new(endpoint, config(global)?)?;
    watcher.resync(Some(global.timeout))?;
    Ok(watcher)
}

/// Makes the watcher follow changes from now on.
pub fn follow(watcher: &Watcher, global: &Global) -> Result<(), Failure> {
    watcher.start()?;
    Ok(watcher.wait_ready(Some(global.timeout))?)
}

/// As `follow`, and waits until it is known how changes are noticed, or until the timeout.
pub fn follow_until_settled(watcher: &Watcher, global: &Global) -> Result<(), Failure> {
    let deadline = Instant::now() + global.timeout;
    let states = watcher.subscribe(EventType::State.mask(), CRI_SUBSCRIBE_LIVE_ONLY, 0)?;
    follow(watcher, global)?;
    while watcher.engine()?.events.reason.is_empty() {
        let left = deadline.saturating_duration_since(Instant::now());
        if !matches!(states.next(Some(left)), Next::Event(_)) {
            break;
        }
    }
    Ok(())
}

/// Finds out how containers ended. For those that had exited before the first list, the library does not ask at once.
pub struct Ends<'a> {
    watcher: &'a Watcher,
    timeout: Duration,
    known: HashMap<String, Option<Ending>>,
    quiet_until: Option<Instant>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Ending {
    exit: Option<(Option<i32>, String, String)>,
    started_at: Option<i64>,
    finished_at: Option<i64>,
}

impl<'a> Ends<'a> {
    pub fn new(watcher: &'a Watcher, global: &Global) -> Self {
        Ends { watcher, timeout: global.timeout, known: HashMap::new(), quiet_until: None }
    }

    /// The container with the code, reason and times of its end, as far as the engine still has them.
    pub fn complete(&mut self, container: &Arc<Container>) -> Arc<Container> {
        if container.state != State::Exited || container.missing & CRI_MISSING_EXIT == 0 {
            return container.clone();
        }
        if !self.known.contains_key(&*container.id) {
            if self.quiet_until.is_some_and(|until| Instant::now() < until) {
                return container.clone();
            }
            let ending = match self.watcher.inspect(&container.id, 0, Some(self.timeout)) {
                Ok(document) => Ending::of_inspection(document.as_str()),
                // The container is gone, so its end cannot be known any more.
                Err(error) if error.status() == CRI_E_NOT_FOUND => None,
                Err(_) => {
                    // The engine does not answer. It is not asked again for a while, and "-" is shown.
                    self.quiet_until = Some(Instant::now() + QUIET);
                    return container.clone();
                }
            };
            self.known.insert(container.id.to_string(), ending);
        }
        match self.known.get(&*container.id) {
            Some(Some(ending)) => ending.applied(container),
            _ => container.clone(),
        }
    }
}

impl Ending {
    fn of_inspection(document: &str) -> Option<Ending> {
        let document: Value = serde_json::from_str(document).ok()?;
        let container = document.get("container")?;
        let time = |key: &str| container.get(key).and_then(Value::as_str).and_then(nanoseconds);
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let code = container.get("exitCode").and_then(Value::as_i64).and_then(|code| code.try_into().ok());
        let reason = text(container, "reason");
        let exit = (code.is_some() || !reason.is_empty()).then(|| (code, reason, text(container, "message")));
        Some(Ending { exit, started_at: time("startedAt"), finished_at: time("finishedAt") })
    }

    fn applied(&self, container: &Container) -> Arc<Container> {
        let mut ended = container.clone();
        if let Some((code, reason, message)) = &self.exit {
            let mut exit = Exit::gone();
            (exit.code, exit.reason, exit.message) = (*code, reason.as_str().into(), message.as_str().into());
            ended.exit = Some(exit);
        }
        ended.started_at = self.started_at.or(ended.started_at);
        ended.finished_at = self.finished_at.or(ended.finished_at);
        ended.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_named_as_files_are() {
        let folder = Path::new("/home/me");
        for (given, expected) in [
            ("/run/x.sock", "/run/x.sock"),
            ("unix:///run/x.sock", "unix:///run/x.sock"),
            ("unix:/run/x.sock", "unix:/run/x.sock"),
            ("x.sock", "unix:///home/me/x.sock"),
            ("./x.sock", "unix:///home/me/x.sock"),
            ("../x.sock", "unix:///home/me/../x.sock"),
            ("unix://x.sock", "unix:///home/me/x.sock"),
            ("unix:x.sock", "unix:///home/me/x.sock"),
            ("unix://run/x.sock", "unix:///home/me/run/x.sock"),
            ("tcp://1.2.3.4:5", "tcp://1.2.3.4:5"),
            ("unix://", "unix://"),
        ] {
            assert_eq!(whole(given, folder), expected, "{given}");
        }
    }

    #[test]
    fn an_end_is_read_from_an_inspection() {
        let document = r#"{"container":{"exitCode":3,"reason":"Error","finishedAt":"1970-01-01T00:00:07Z"}}"#;
        let ending = Ending::of_inspection(document).unwrap();
        let mut container = Container::new("a".into(), criwatch::model::Kind::Container);
        container.state = State::Exited;
        let ended = ending.applied(&container);
        assert_eq!(crate::words::end(&ended).text, "Error(3)");
        assert_eq!((ended.started_at, ended.finished_at), (None, Some(7_000_000_000)));
    }
}
