//! Asks everything that may be an engine, all at once, and finds the best one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::evidence::gather;
use super::rank::{Level, hope, level, rank};
use super::suspects::{Suspect, suspects};
use crate::config::Config;
use crate::cri::client::Client;
use crate::cri::endpoint::Endpoint;
use crate::cri::identity::{engine_id, engine_of_socket};
use crate::cri::meter::Meter;
use crate::cri::observed::ListPodSandboxResponse;
use crate::cri::proto::ListPodSandboxRequest;
use crate::cri::{failure, methods};
use crate::error::{CRI_E_CONNECT, CRI_E_PERMISSION, Error, Result};
use crate::model::{Candidate, Engines, Evidence};

/// What was found, and the connections to what answers.
#[derive(Debug, Default)]
pub struct Survey {
    /// What was found, best first.
    pub engines: Engines,
    /// The endpoints of the engines, in the same order.
    pub(super) endpoints: Vec<Endpoint>,
    /// All endpoints at which an engine may appear.
    pub(super) places: Vec<Endpoint>,
    clients: HashMap<Arc<str>, Client>,
    /// The errors for well-known sockets that do not exist.
    absent: Vec<Error>,
}

/// How long a survey takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thoroughness {
    /// Until the best engine is almost certain.
    Best,
    /// Until all have answered, or `connect.timeout_ms` has passed.
    All,
}

/// After the first answer, others that could at most be equally good get this fraction of `connect.timeout_ms`.
const GRACE: u32 = 10;

/// Finds the node's engines. One that has not answered by the end is a candidate with an error.
pub async fn survey(config: &Arc<Config>, meter: &Arc<Meter>, thoroughness: Thoroughness) -> Survey {
    let mut clues = gather(config);
    let (absent, suspects): (Vec<_>, Vec<_>) = suspects(&mut clues).into_iter().partition(|s| s.is_absent);
    let mut survey =
        Survey { places: absent.iter().chain(&suspects).map(|s| s.endpoint.clone()).collect(), ..Survey::default() };
    survey.engines.notes = clues.notes;
    for suspect in absent {
        let nowhere = failure::connect(&suspect.endpoint, &std::io::Error::from_raw_os_error(libc::ENOENT));
        match suspect.evidence() {
            // These name an engine that should be there.
            Evidence::Kubelet | Evidence::NestedKubelet | Evidence::Crictl => survey.add(suspect, Err(nowhere), config),
            _ => {
                survey.engines.absent.push(suspect.endpoint.to_string().into());
                survey.absent.push(nowhere);
            }
        }
    }
    for (suspect, answer) in ask_all(suspects, config, meter, thoroughness).await {
        survey.add(suspect, answer, config);
    }
    survey.sort();
    survey
}

/// All endpoints at which an engine may be, or appear.
pub(super) fn places(config: &Config) -> Vec<Endpoint> {
    suspects(&mut gather(config)).into_iter().map(|suspect| suspect.endpoint).collect()
}

type Answer = Result<Asked>;

/// An engine that answers.
struct Asked {
    client: Client,
    sandboxes: Result<u64>,
}

async fn ask_all(
    suspects: Vec<Suspect>,
    config: &Arc<Config>,
    meter: &Arc<Meter>,
    thoroughness: Thoroughness,
) -> Vec<(Suspect, Answer)> {
    let began = Instant::now();
    let mut asking = JoinSet::new();
    for (at, suspect) in suspects.iter().enumerate() {
        let (endpoint, config, meter) = (suspect.endpoint.clone(), config.clone(), meter.clone());
        asking.spawn(async move { (at, ask(&endpoint, &config, &meter).await) });
    }
    let mut answers: Vec<Option<Answer>> = suspects.iter().map(|_| None).collect();
    let mut deadline = None;
    while !asking.is_empty() {
        let next = match deadline {
            Some(deadline) => match tokio::time::timeout_at(deadline, asking.join_next()).await {
                Ok(next) => next,
                Err(_) => break,
            },
            None => asking.join_next().await,
        };
        match next {
            Some(Ok((at, answer))) => answers[at] = Some(answer),
            // No task is aborted while it is awaited. A panic in a task is passed on to the caller.
            Some(Err(ended)) => ended.try_into_panic().map_or((), |panic| std::panic::resume_unwind(panic)),
            None => break,
        }
        if thoroughness == Thoroughness::Best && is_decided(&suspects, &answers) {
            let grace = deadline.unwrap_or_else(|| tokio::time::Instant::now() + config.connect_timeout / GRACE);
            deadline = Some(grace);
        }
    }
    let late = |suspect: &Suspect| {
        let late = failure::timeout("Version", began.elapsed());
        Err(late.context(format!("connect {}", suspect.endpoint)))
    };
    suspects
        .into_iter()
        .zip(answers)
        .map(|(suspect, answer)| {
            let answer = answer.unwrap_or_else(|| late(&suspect));
            (suspect, answer)
        })
        .collect()
}

/// Whether no suspect without an answer can still become the best by a kubelet's settings.
fn is_decided(suspects: &[Suspect], answers: &[Option<Answer>]) -> bool {
    let all = || suspects.iter().zip(answers);
    let best = all().filter_map(|(suspect, answer)| Some(level_of(suspect, answer.as_ref()?))).min();
    let Some(best) = best.filter(|best| *best < Level::Silent) else {
        return false;
    };
    let outstanding = all().filter(|(_, answer)| answer.is_none()).map(|(suspect, _)| hope(suspect.evidence()));
    outstanding.filter(|hope| *hope < Level::InUse).all(|hope| hope >= best)
}

/// The level of a suspect by its answer.
fn level_of(suspect: &Suspect, answer: &Answer) -> Level {
    let sandboxes = answer.as_ref().ok().and_then(|asked| asked.sandboxes.as_ref().ok().copied());
    let error = answer.as_ref().err().cloned();
    level(&Candidate { reasons: suspect.reasons.clone(), sandboxes, error, ..Candidate::default() })
}

async fn ask(endpoint: &Endpoint, config: &Config, meter: &Arc<Meter>) -> Answer {
    let began = Instant::now();
    let client = Client::connect(endpoint, config, meter, &|_| ()).await?;
    let left = config.connect_timeout.saturating_sub(began.elapsed()).max(Duration::from_millis(1));
    let list = client.ask_within(methods::LIST_SANDBOXES, left, ListPodSandboxRequest::default());
    let sandboxes = list.await.map(|listed: ListPodSandboxResponse| listed.items.len() as u64);
    Ok(Asked { client, sandboxes })
}

fn candidate(suspect: &Suspect, answer: &Answer, config: &Config) -> Candidate {
    let it = Candidate {
        api: suspect.endpoint.to_string().into(),
        reasons: suspect.reasons.clone(),
        ..Candidate::default()
    };
    match answer {
        Ok(Asked { client, sandboxes }) => {
            let (version, pid) = (client.version(), engine_of_socket(client.peer_pid(), config));
            Candidate {
                runtime_name: version.runtime_name.as_str().into(),
                runtime_version: version.runtime_version.as_str().into(),
                runtime_api_version: version.runtime_api_version.as_str().into(),
                id: engine_id(config, pid).into(),
                pid,
                sandboxes: sandboxes.as_ref().ok().copied(),
                ..it
            }
        }
        Err(error) => Candidate { error: Some(error.clone()), ..it },
    }
}

impl Survey {
    fn add(&mut self, suspect: Suspect, answer: Answer, config: &Config) {
        let it = candidate(&suspect, &answer, config);
        if let Ok(Asked { client, sandboxes }) = answer {
            if let Err(error) = sandboxes {
                self.engines.notes.push(format!("{}: its sandboxes are not known: {error}", it.api).into());
            }
            self.clients.insert(it.api.clone(), client);
        }
        self.engines.candidates.push(it);
        self.endpoints.push(suspect.endpoint);
    }

    fn sort(&mut self) {
        let endpoints: HashMap<_, _> =
            self.engines.candidates.iter().map(|c| c.api.clone()).zip(std::mem::take(&mut self.endpoints)).collect();
        rank(&mut self.engines.candidates);
        let sorted = self.engines.candidates.iter().filter_map(|candidate| endpoints.get(&candidate.api));
        self.endpoints = sorted.cloned().collect();
    }

    /// Takes the connection to the best engine, with its level.
    pub(super) fn take_best(&mut self) -> Result<(Client, Level)> {
        let best = self.engines.candidates.first().filter(|best| best.answers());
        let found = best.and_then(|best| Some((self.clients.remove(&best.api)?, level(best))));
        found.ok_or_else(|| self.nobody())
    }

    /// The connection to this candidate; `None` if it does not answer.
    pub fn client(&self, candidate: &Candidate) -> Option<&Client> {
        self.clients.get(&candidate.api)
    }

    /// Whether a kubelet names an engine that does not answer.
    pub(super) fn kubelets_silent(&self) -> bool {
        let named = |candidate: &&Candidate| candidate.reasons.iter().any(|r| r.evidence == Evidence::Kubelet);
        self.engines.candidates.iter().filter(named).any(|candidate| !candidate.answers())
    }

    fn nobody(&self) -> Error {
        let asked = self.engines.candidates.iter().filter_map(|candidate| candidate.error.clone());
        none_answers(&asked.chain(self.absent.iter().cloned()).collect::<Vec<_>>())
    }
}

fn none_answers(failures: &[Error]) -> Error {
    let each: Vec<_> = failures.iter().map(|e| format!("\n  {e}")).collect();
    let message = format!("no engine answers on the well-known sockets, and no endpoint is given:{}", each.concat());
    // A refused permission comes first, because it is the one cause that the user can fix at once.
    let refused = failures.iter().find(|e| e.status() == CRI_E_PERMISSION);
    let reported = refused.or_else(|| failures.iter().rfind(|e| e.os_code() != Some(libc::ENOENT)));
    let it = Error::new(reported.map_or(CRI_E_CONNECT, Error::status), message);
    it.with_os_code(reported.or(failures.first()).and_then(Error::os_code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_permission_stands_out_among_absent_sockets() {
        let absent = Error::new(CRI_E_CONNECT, "connect unix:///a: no such socket").with_os_code(Some(libc::ENOENT));
        let refused =
            Error::new(CRI_E_PERMISSION, "connect unix:///b: permission denied").with_os_code(Some(libc::EACCES));
        let all = none_answers(&[absent.clone(), refused, absent.clone()]);
        assert_eq!((all.status(), all.os_code()), (CRI_E_PERMISSION, Some(libc::EACCES)));
        assert_eq!(all.message().lines().count(), 4);
        assert_eq!(none_answers(&[absent]).status(), CRI_E_CONNECT);
    }
}
