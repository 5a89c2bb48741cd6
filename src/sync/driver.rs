//! Carries out what the machine decides. Only this module makes requests to the engine and reads clocks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinSet};

use super::command::Command;
use super::inspection::{Inspect, inspect};
use super::machine::{Action, Input, Machine};
use super::packer::{PackerQueue, pack};
use super::processes::{answered_by, look_for};
use super::publisher::Publisher;
use super::shared_state::{SharedState, wall_clock};
use super::waiters::WaiterId;
use crate::config::Config;
use crate::cri::{
    Chooser, Client, Connection, Endpoint, Folders, Hint, Listing, News, Outlet, PidResolver, StreamItem, Witness,
    backlog, connect,
};
use crate::error::{CRI_E_STOPPED, CRI_E_TIMEOUT, Error, Result};
use crate::hub::Hub;
use crate::model::*;
use crate::portfolio::{Found, Lookup, Millis, Now, StatusRequest};
use crate::test_hooks::may_panic;

/// The result of a request.
#[allow(clippy::large_enum_variant, reason = "one at a time, for a moment")]
pub(super) enum Reply {
    /// The socket accepts. This is the pid of the process that made it.
    Opened(Option<i32>),
    Connected(Result<Connection>),
    Listed(Result<Listing>),
    Answered(StatusRequest, Result<Option<Box<Observation>>>),
    Packed(StatusRequest, Result<Option<JsonText>>),
    Folders(Option<Arc<Folders>>),
    Found(Vec<Found>),
    ProcessesGone(Vec<(Id, i32, u64)>),
    Served {
        waited: Millis,
        error: Option<Error>,
    },
}

/// The watcher's main loop; it runs on the `cri-io` thread.
pub struct Driver {
    pub(super) chooser: Chooser,
    pub(super) config: Arc<Config>,
    pub(super) shared: Arc<SharedState>,
    publisher: Publisher,
    packer_queue: Arc<PackerQueue>,
    commands: UnboundedReceiver<Command>,
    waiting: Vec<(WaiterId, oneshot::Sender<Result<()>>)>,
    began: Instant,
    pub(super) client: Option<Client>,
    pub(super) pids: Arc<PidResolver>,
    /// The engine's pid, and what will be `pids`, while the engine makes its first reply.
    pub(super) opened: Option<(Option<i32>, Arc<PidResolver>)>,
    /// Whether the engine is to be asked for its folders once the watcher is ready.
    pub(super) asks_folders: bool,
    pub(super) witness: Witness,
    means: WitnessMeans,
    /// Requests under way on this connection.
    pub(super) tasks: JoinSet<()>,
    /// The replies on this connection. Each connection has its own channel, so that late replies of an earlier one are
    /// dropped.
    pub(super) replies: (UnboundedSender<Reply>, UnboundedReceiver<Reply>),
    pub(super) events: Option<Outlet>,
}

impl Driver {
    /// A driver for the engine at this endpoint. With `None`, it looks for engines and follows the best one.
    pub fn new(
        endpoint: Option<Endpoint>,
        config: Arc<Config>,
        shared: Arc<SharedState>,
        hub: Arc<Hub>,
        packer_queue: Arc<PackerQueue>,
        commands: UnboundedReceiver<Command>,
    ) -> Self {
        Driver {
            publisher: Publisher::new(Machine::new(&config, wall_clock() as u64), shared.clone(), hub),
            pids: Arc::new(PidResolver::new(&config, None)),
            opened: None,
            asks_folders: false,
            witness: Witness::new(&config),
            means: WitnessMeans::default(),
            chooser: Chooser::new(endpoint, config.clone(), shared.meter().clone()),
            config,
            shared,
            packer_queue,
            commands,
            waiting: Vec::new(),
            began: Instant::now(),
            client: None,
            tasks: JoinSet::new(),
            replies: unbounded_channel(),
            events: None,
        }
    }

    /// Runs until it is stopped.
    pub async fn run(&mut self) {
        loop {
            let (deadline, is_empty) = (self.deadline(), self.shared.read().portfolio.present().next().is_none());
            self.chooser.note(is_empty);
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(Command::Stop) | None => return self.stop(),
                    Some(command) => self.command(command),
                },
                item = next_event(&mut self.events) => self.handle(Input::Stream(item)),
                hints = self.witness.next() => self.hints(hints),
                Some(reply) = self.replies.1.recv() => self.reply(reply),
                Some(ended) = self.tasks.join_next() => pass_panic_on(ended),
                news = self.chooser.news(self.client.as_ref()) => self.news(news),
                () = tokio::time::sleep_until(deadline.into()) => self.handle(Input::Tick),
            }
        }
    }

    fn deadline(&self) -> Instant {
        const FAR: Duration = Duration::from_secs(86_400);
        let deadline = self.publisher.deadline();
        deadline.map_or_else(|| Instant::now() + FAR, |at| self.began + Duration::from_millis(at))
    }

    fn now(&self) -> Now {
        // Rounded up, so that the machine does not find the deadline still ahead when the timer fires.
        let nanos = self.began.elapsed().as_nanos();
        Now { mono: nanos.div_ceil(1_000_000) as Millis, wall: wall_clock() }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Watch => {
                self.chooser.watch();
                self.handle(Input::Watch { packs: self.packer_queue.has_packer() });
            }
            Command::Resync { id, reply } => {
                self.waiting.push((id, reply));
                self.handle(Input::Resync(id));
            }
            Command::Forget(id) => {
                self.waiting.retain(|(waiting, _)| *waiting != id);
                self.handle(Input::Forget(id));
            }
            Command::Inspect { what, reply } => self.inspect(what, reply),
            Command::Attach { id, rucksack, reply } => {
                self.handle(Input::Attach(id, rucksack));
                // Sending fails if the caller no longer waits.
                let _ = reply.send(Ok(()));
            }
            Command::Call { rpc, patience, reply } => {
                self.serve(reply, move |client, _, _| async move { client.call(rpc, patience).await });
            }
            Command::Stop => unreachable!("ends the loop"),
        }
    }

    fn reply(&mut self, reply: Reply) {
        let input = match reply {
            Reply::Opened(peer_pid) => return self.opened(peer_pid),
            Reply::Connected(Ok(connection)) => self.connected(connection),
            Reply::Connected(Err(error)) => Input::ConnectFailed(error),
            Reply::Listed(result) => Input::Listed(result),
            Reply::Answered(request, answer) => Input::Answered(request, answer.map(|found| found.map(|it| *it))),
            Reply::Folders(folders) => return self.folders_named(folders),
            Reply::Packed(about, rucksack) => Input::Packed(about, rucksack),
            Reply::Found(found) => Input::Found(found),
            Reply::ProcessesGone(gone) => Input::ProcessesGone(gone),
            Reply::Served { waited, error } => Input::Served { waited, error },
        };
        self.handle(input);
    }

    fn hints(&mut self, hints: Vec<Hint>) {
        if !hints.is_empty() {
            self.handle(Input::Hints(hints));
        }
        self.note_means();
    }

    /// What the host has shown so far.
    pub(super) fn note_means(&mut self) {
        let means = self.witness.means();
        if means != self.means {
            self.means = means.clone();
            self.handle(Input::Means(means));
        }
    }

    pub(super) fn handle(&mut self, input: Input) {
        may_panic("sync");
        let (actions, finished) = self.publisher.handle(input, self.now());
        for (id, result) in finished {
            if let Some(at) = self.waiting.iter().position(|(waiting, _)| *waiting == id) {
                // Sending fails if the caller no longer waits.
                let _ = self.waiting.swap_remove(at).1.send(result);
            }
        }
        actions.into_iter().for_each(|action| self.act(action));
        self.ask_folders_when_ready();
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Connect => self.connect(),
            Action::Disconnect => self.disconnect(),
            Action::Subscribe => self.subscribe(),
            Action::List { streamed } => {
                self.request(move |client| async move { Reply::Listed(client.list(streamed).await) })
            }
            Action::Ask(request) => {
                let pids = self.pids.clone();
                self.request(move |client| async move {
                    let answer = client.status(&request.id, request.kind, &pids).await;
                    Reply::Answered(request, answer.map(|found| found.map(Box::new)))
                });
            }
            Action::Follow(follows) => self.witness.follow(follows),
            Action::FindProcesses(lookups) => self.find_processes(lookups),
            Action::CheckProcesses(mut processes) => {
                processes.retain(|(id, pid, start)| !self.witness.is_followed(id, (*pid, *start)));
                if !processes.is_empty() {
                    let pids = self.pids.clone();
                    self.request(move |_| async move { Reply::ProcessesGone(pids.gone(processes).await) });
                }
            }
            Action::Pack(about) => {
                let (packer_queue, shared, config) =
                    (self.packer_queue.clone(), self.shared.clone(), self.config.clone());
                self.request(move |client| async move {
                    let rucksack = pack(&client, &about, &packer_queue, &shared, &config).await;
                    Reply::Packed(about, rucksack)
                });
            }
        }
    }

    /// Handles what the chooser has seen: a reason for a new connection, or something to report.
    fn news(&mut self, news: News) {
        match news {
            News::SocketMade => self.handle(Input::SocketMade),
            News::Better(reason) => self.handle(Input::Leave(reason)),
            News::Others => self.tell_others(),
        }
    }

    fn tell_others(&mut self) {
        let mut cached = self.shared.write();
        if cached.status.engine.candidates != *self.chooser.others() {
            let candidates = self.chooser.others().clone();
            cached.status.engine = Arc::new(Engine { candidates, ..Engine::clone(&cached.status.engine) });
        }
    }

    fn subscribe(&mut self) {
        let Some(client) = self.client.clone() else {
            return;
        };
        let (to, events) = backlog();
        self.events = Some(events);
        self.tasks.spawn(client.follow(to));
    }

    pub(super) fn request<F>(&mut self, make: impl FnOnce(Client) -> F)
    where
        F: Future<Output = Reply> + Send + 'static,
    {
        let Some(client) = self.client.clone() else {
            return;
        };
        let (to, reply) = (self.replies.0.clone(), make(client));
        self.tasks.spawn(async move {
            may_panic("request");
            // Sending fails if this connection was given up.
            let _ = to.send(reply.await);
        });
    }

    fn find_processes(&mut self, lookups: Vec<Lookup>) {
        let Some(client) = self.client.clone() else {
            return;
        };
        let (to, pids) = (self.replies.0.clone(), self.pids.clone());
        // Sending fails if this connection was given up.
        let tell = move |found: Vec<Found>| drop(to.send(Reply::Found(found)));
        let (found, open) = answered_by(self.witness.look_no_more(), lookups);
        if !found.is_empty() {
            tell(found);
        }
        if !open.is_empty() {
            self.tasks.spawn(async move {
                may_panic("request");
                look_for(open, client, pids, tell).await;
            });
        }
    }

    fn inspect(&mut self, what: Inspect, reply: oneshot::Sender<Result<JsonText>>) {
        self.serve(reply, move |client, shared, config| async move { inspect(&client, &what, &shared, &config).await });
    }

    /// Makes a request for a waiting caller. The caller decides how long to wait, so the request does not end with the
    /// connection.
    fn serve<T, F>(
        &mut self,
        mut reply: oneshot::Sender<Result<T>>,
        make: impl FnOnce(Client, Arc<SharedState>, Arc<Config>) -> F + Send + 'static,
    ) where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let (client, endpoint, config) = (self.client.clone(), self.chooser.endpoint(), self.config.clone());
        let shared = self.shared.clone();
        // A request on a connection of its own shows nothing about this connection.
        let to = client.is_some().then(|| self.replies.0.clone());
        tokio::spawn(async move {
            may_panic("serve");
            let began = Instant::now();
            let served = |error: Option<Error>| {
                let waited = began.elapsed();
                if let Some(to) = to {
                    // Sending fails if the driver has ended, or has another connection by now.
                    let _ = to.send(Reply::Served { waited: waited.as_millis() as Millis, error });
                }
            };
            let work = async {
                let client = match client {
                    Some(client) => client,
                    None => connect(endpoint.as_ref(), &config, shared.meter(), &|_| ()).await?.client,
                };
                make(client, shared, config).await
            };
            tokio::select! {
                answer = work => {
                    served(answer.as_ref().err().cloned());
                    // Sending fails if the caller no longer waits.
                    drop(reply.send(answer));
                }
                () = reply.closed() => {
                    let waited = began.elapsed().as_millis();
                    let message = format!("a caller's request got no answer from the engine within {waited} ms");
                    served(Some(Error::new(CRI_E_TIMEOUT, message).retriable()));
                }
            }
        });
    }

    fn stop(&mut self) {
        self.end(Error::new(CRI_E_STOPPED, "the watcher has been stopped"));
    }

    /// Ends the driver. Every waiting caller gets this error.
    pub fn end(&mut self, reason: Error) {
        self.disconnect();
        self.publisher.end(&reason, wall_clock());
        self.packer_queue.close();
        for (_, reply) in self.waiting.drain(..) {
            let _ = reply.send(Err(reason.clone()));
        }
    }
}

/// Passes on the panic of a request, which ends the watcher. Otherwise the machine would wait for its reply for ever. An
/// aborted request is ignored.
fn pass_panic_on(ended: std::result::Result<(), JoinError>) {
    if let Some(panic) = ended.err().and_then(|e| e.try_into_panic().ok()) {
        std::panic::resume_unwind(panic);
    }
}

/// The next item of the event stream. Without a subscription, it waits for ever.
async fn next_event(events: &mut Option<Outlet>) -> StreamItem {
    match events {
        Some(outlet) => match outlet.take().await {
            Some(item) => item,
            None => {
                *events = None;
                std::future::pending().await
            }
        },
        None => std::future::pending().await,
    }
}
