//! Chooses the engine that a watcher follows: the one that the program named, or the best one, and then a better one as
//! long as that has no sandboxes.

use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::folders::Folders;
use super::places::{EAGER, pause};
use super::rank::{Level, Taken, level};
use super::survey::{Survey, Thoroughness, places, survey};
use crate::config::Config;
use crate::cri::client::{Client, Opened};
use crate::cri::endpoint::Endpoint;
use crate::cri::meter::Meter;
use crate::error::Result;
use crate::model::Candidate;

/// A connection, and what else was found.
pub struct Connection {
    /// The connection.
    pub client: Client,
    /// How the engine was found; `None`: it was named.
    found: Option<(Level, Survey)>,
}

/// Connects to the engine at this endpoint; `None`: to the best one of the node. `meter` counts the requests that this
/// takes. With an endpoint, `opened` is called as [`Client::connect`] does.
pub async fn connect(
    endpoint: Option<&Endpoint>,
    config: &Arc<Config>,
    meter: &Arc<Meter>,
    opened: &Opened<'_>,
) -> Result<Connection> {
    match endpoint {
        Some(endpoint) => {
            let client = Client::connect(endpoint, config, meter, opened).await?;
            Ok(Connection { client, found: None })
        }
        None => {
            let mut survey = survey(config, meter, Thoroughness::Best).await;
            let (client, level) = survey.take_best()?;
            Ok(Connection { client, found: Some((level, survey)) })
        }
    }
}

/// Something that the driver has to act on.
#[derive(Debug)]
pub enum News {
    /// The socket was made, or replaced by a new one: a new connection is worth trying.
    SocketMade,
    /// Another engine is to be followed, for this reason.
    Better(String),
    /// The other engines of the node were looked at, and may have changed.
    Others,
}

/// Chooses the engine.
#[derive(Debug)]
pub struct Chooser {
    config: Arc<Config>,
    meter: Arc<Meter>,
    /// The engine that the program has named.
    named: Option<Endpoint>,
    taken: Option<(Endpoint, Level)>,
    others: Arc<[Candidate]>,
    kubelets_silent: bool,
    /// Where engines may appear.
    places: Vec<Endpoint>,
    is_watching: bool,
    is_up: bool,
    is_empty: bool,
    folders: Folders,
    /// The state for which the watched folders were chosen. If it changes, they are chosen again.
    watched_for: Option<(bool, bool, usize)>,
    /// Whether the connection's socket may have been replaced.
    is_doubted: bool,
    looking: Option<JoinHandle<Survey>>,
    next_look: Instant,
    /// How many quick looks are still to follow. They are needed because an engine makes its socket before it answers.
    eager: u32,
}

impl Chooser {
    /// A chooser for the engine at this endpoint; `None`: for the best one.
    pub fn new(named: Option<Endpoint>, config: Arc<Config>, meter: Arc<Meter>) -> Self {
        Chooser {
            config,
            meter,
            named,
            taken: None,
            others: Arc::new([]),
            kubelets_silent: false,
            places: Vec::new(),
            is_watching: false,
            is_up: false,
            is_empty: true,
            folders: Folders::default(),
            watched_for: None,
            is_doubted: false,
            looking: None,
            next_look: Instant::now(),
            eager: 0,
        }
    }

    /// The endpoint to connect to now; `None`: the best engine has to be found. An engine that was found and is in use
    /// is kept, because another one has other containers.
    pub fn endpoint(&self) -> Option<Endpoint> {
        let kept = self.taken.as_ref().filter(|_| !self.is_empty).map(|(endpoint, _)| endpoint.clone());
        self.named.clone().or(kept)
    }

    /// The other engines that were found, best first.
    pub fn others(&self) -> &Arc<[Candidate]> {
        &self.others
    }

    /// Turns the chooser on: before this, changes are ignored.
    pub fn watch(&mut self) {
        self.is_watching = true;
    }

    /// Notes whether the engine has, as far as is known, nothing that runs.
    pub fn note(&mut self, is_empty: bool) {
        self.is_empty = is_empty;
    }

    /// Notes a connection. If the engine is not the one from before, returns why.
    pub fn connected(&mut self, connection: Connection) -> (Client, Option<String>) {
        let Connection { client, found } = connection;
        (self.is_up, self.is_doubted) = (true, true);
        let endpoint = client.endpoint().clone();
        let left = self.taken.as_ref().filter(|(before, _)| *before != endpoint).map(|(before, _)| before.clone());
        if let Some((level, survey)) = found {
            let why = left.map(|left| leaving(&left, &survey.engines.candidates[0]));
            self.taken = Some((endpoint, level));
            self.surveyed(&survey);
            self.next_look = Instant::now() + self.config.discover_interval;
            return (client, why);
        }
        (client, None)
    }

    /// Notes that there is no connection any more.
    pub fn disconnected(&mut self) {
        self.is_up = false;
        self.next_look = Instant::now() + self.config.discover_interval;
    }

    fn surveyed(&mut self, survey: &Survey) {
        let taken = self.taken.as_ref().map(|(endpoint, _)| endpoint.to_string());
        let others = survey.engines.candidates.iter().filter(|c| Some(&*c.api) != taken.as_deref());
        self.others = others.cloned().collect();
        self.kubelets_silent = survey.kubelets_silent();
        self.places.clone_from(&survey.places);
    }

    fn taken_level(&self) -> Option<Taken> {
        let (_, level) = self.taken.as_ref()?;
        Some(Taken { is_empty: self.is_empty, is_up: self.is_up, level: *level })
    }

    /// Whether to look for a better engine while the present one is kept. An engine that is empty and lost is instead
    /// found by connecting again.
    fn looks(&self) -> bool {
        let taken = self.taken_level().filter(|taken| taken.is_up || !taken.is_empty);
        self.is_watching && taken.is_some_and(|taken| taken.may_give_way(self.kubelets_silent))
    }

    /// Waits for news. Dropping the future loses nothing.
    pub async fn news(&mut self, client: Option<&Client>) -> News {
        if !self.is_watching {
            return std::future::pending().await;
        }
        loop {
            self.rearm();
            if std::mem::take(&mut self.is_doubted) && self.is_replaced(client) {
                return News::SocketMade;
            }
            let looks = self.looks();
            let (looking, folders, next_look) = (&mut self.looking, &mut self.folders, self.next_look);
            let idle = looking.is_none();
            let looked = async {
                match looking {
                    Some(looking) => looking.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                made = folders.made() => {
                    if self.heed(&made) {
                        return News::SocketMade;
                    }
                }
                survey = looked => {
                    self.looking = None;
                    // The task is never aborted while it is awaited.
                    if let Ok(survey) = survey {
                        return self.judge(&survey);
                    }
                }
                () = tokio::time::sleep_until(next_look), if looks && idle => self.look(),
            }
        }
    }

    fn rearm(&mut self) {
        let key = (self.looks(), self.is_up, self.places.len());
        if self.watched_for != Some(key) {
            self.watched_for = Some(key);
            self.folders.watch(self.watched());
        }
    }

    /// Handles a new socket. Returns whether a new connection is worth trying now.
    fn heed(&mut self, made: &Endpoint) -> bool {
        let one = self.endpoint();
        match one {
            _ if self.is_up => self.is_doubted = true,
            None => return true,
            Some(one) if one == *made => return true,
            Some(_) => {}
        }
        self.eager = EAGER;
        self.next_look = Instant::now();
        false
    }

    /// The sockets to watch: the engine's own, and all others as long as a better engine may appear.
    fn watched(&self) -> Vec<Endpoint> {
        let one = self.named.as_ref().or(self.taken.as_ref().map(|(endpoint, _)| endpoint));
        match one {
            Some(one) if self.named.is_some() || !self.looks() && self.is_up => vec![one.clone()],
            _ if self.places.is_empty() => places(&self.config),
            one => one.into_iter().chain(&self.places).cloned().collect(),
        }
    }

    /// Whether the socket of this connection was replaced.
    fn is_replaced(&self, client: Option<&Client>) -> bool {
        let Some(client) = client.filter(|_| self.is_up) else {
            return false;
        };
        // A socket that is gone is no reason: the connection may outlive it, and a new socket will be noticed.
        let now = client.endpoint().socket_id().ok();
        now.is_some() && client.socket_id().is_some() && now != client.socket_id()
    }

    fn look(&mut self) {
        self.next_look = Instant::now() + pause(&mut self.eager, self.config.discover_interval);
        let (config, meter) = (self.config.clone(), self.meter.clone());
        self.looking = Some(tokio::spawn(async move { survey(&config, &meter, Thoroughness::Best).await }));
    }

    fn judge(&mut self, survey: &Survey) -> News {
        let best = survey.engines.candidates.first().zip(survey.endpoints.first());
        if let (Some((best, endpoint)), Some((taken, level_before))) = (best, self.taken.clone()) {
            let its = survey.engines.candidates.iter().find(|candidate| *candidate.api == *taken.to_string());
            // The kubelet's settings may name it by now.
            let level_now = its.filter(|it| it.answers()).map_or(level_before, level);
            self.taken = Some((taken.clone(), level_now));
            let gives_way = self.taken_level().is_some_and(|taken| taken.gives_way_to(level(best)));
            if *endpoint != taken && gives_way {
                self.taken = Some((endpoint.clone(), level(best)));
                self.surveyed(survey);
                return News::Better(leaving(&taken, best));
            }
        }
        self.surveyed(survey);
        News::Others
    }
}

fn leaving(left: &Endpoint, best: &Candidate) -> String {
    let why = &best.rank;
    format!(
        "the watcher changes from the engine at {left} to {} {} at {}: {why}",
        best.runtime_name, best.runtime_version, best.api
    )
}

impl Drop for Chooser {
    fn drop(&mut self) {
        if let Some(looking) = &self.looking {
            looking.abort();
        }
    }
}
