//! Makes a connection, and begins the search for the containers' processes.

use std::sync::Arc;

use tokio::sync::mpsc::unbounded_channel;

use super::driver::{Driver, Reply};
use super::machine::Input;
use crate::config::Config;
use crate::cri::{
    Client, Connection, Endpoint, Folders, PidResolver, Version, connect, engine_id, engine_of_socket, streams_lists,
};
use crate::model::*;

impl Driver {
    pub(super) fn connect(&mut self) {
        let (endpoint, config, to) = (self.chooser.endpoint(), self.config.clone(), self.replies.0.clone());
        let meter = self.shared.meter().clone();
        // What an earlier attempt found may be another engine's.
        self.opened = None;
        self.witness.forget_search();
        self.tasks.spawn(async move {
            // Sending fails if the driver has ended.
            let opened = |peer_pid| drop(to.send(Reply::Opened(peer_pid)));
            let connection = connect(endpoint.as_ref(), &config, &meter, &opened).await;
            let _ = to.send(Reply::Connected(connection));
        });
    }

    /// Begins the search for pid files beside the socket, which needs no reply of the engine.
    pub(super) fn opened(&mut self, peer_pid: Option<i32>) {
        let (engine_pid, pids) = self.resolver(peer_pid);
        if let Some(endpoint) = self.chooser.endpoint() {
            self.look_ahead(&pids, &endpoint);
        }
        self.opened = Some((engine_pid, pids));
    }

    /// The pid of the engine whose socket this process made, and what finds its containers' processes.
    fn resolver(&self, peer_pid: Option<i32>) -> (Option<i32>, Arc<PidResolver>) {
        let engine_pid = self.config.engine_pid.or_else(|| engine_of_socket(peer_pid, &self.config));
        (engine_pid, Arc::new(PidResolver::new(&self.config, engine_pid)))
    }

    /// Looks for processes before the lists name the containers.
    fn look_ahead(&mut self, pids: &Arc<PidResolver>, endpoint: &Endpoint) {
        if pids.reads_files() && !self.shared.read().portfolio.is_synced() {
            self.witness.look_ahead(pids, Folders::likely(endpoint.path_in_root()));
        }
    }

    pub(super) fn connected(&mut self, connection: Connection) -> Input {
        let (client, left) = self.chooser.connected(connection);
        if let Some(reason) = left {
            self.handle(Input::Leave(reason));
        }
        let (engine_pid, pids) = self.opened.take().unwrap_or_else(|| {
            // This engine was found among others: no search began when its socket was opened.
            let (engine_pid, pids) = self.resolver(client.peer_pid());
            self.look_ahead(&pids, client.endpoint());
            (engine_pid, pids)
        });
        self.pids = pids;
        let version = client.version().clone();
        let namespaces = engine_pid.map(|pid| self.pids.namespaces(pid)).unwrap_or_default();
        let engine = Engine { namespaces, ..describe(&client, engine_pid, &self.config) };
        let mut cached = self.shared.write();
        let (events, candidates) = (cached.status.engine.events.clone(), self.chooser.others().clone());
        cached.status.engine = Arc::new(Engine { events, candidates, ..engine });
        drop(cached);
        let pid_files = self.pids.reads_files_of(&client);
        self.client = Some(client);
        self.watch_folders(pid_files, &version);
        Input::Connected { can_stream_lists: streams_lists(&version), pid_files, version }
    }

    /// Watches the engine's folders: those beside its socket, if they have containers, and otherwise those that it names.
    fn watch_folders(&mut self, pid_files: bool, version: &Version) {
        self.asks_folders = false;
        if !pid_files {
            return self.witness.watch_folders(&self.pids, None);
        }
        let Some(folders) = self.witness.take_up_search(version) else { return self.ask_folders() };
        self.pids.assume(folders.clone());
        self.witness.watch_folders(&self.pids, Some(folders));
        // Until READY, the engine's time is better spent on the lists: this answer takes it 1 ms.
        self.asks_folders = true;
    }

    /// Asks the engine for its folders after READY, if those beside its socket served until then.
    pub(super) fn ask_folders_when_ready(&mut self) {
        if self.asks_folders && self.shared.read().status.ready {
            self.asks_folders = false;
            self.ask_folders();
        }
    }

    fn ask_folders(&mut self) {
        let pids = self.pids.clone();
        self.request(move |client| async move { Reply::Folders(pids.named_folders(&client).await) });
    }

    /// Watches the folders that the engine has named, unless they are watched already.
    pub(super) fn folders_named(&mut self, folders: Option<Arc<Folders>>) {
        if folders.is_none() || folders.as_ref() != self.witness.folders() {
            self.witness.watch_folders(&self.pids, folders);
        }
        if !self.shared.read().portfolio.is_synced() {
            self.witness.look_around();
        }
        self.note_means();
    }

    pub(super) fn disconnect(&mut self) {
        self.tasks.abort_all();
        self.replies = unbounded_channel();
        self.events = None;
        self.client = None;
        self.asks_folders = false;
        self.chooser.disconnected();
    }
}

/// The description of the engine.
fn describe(client: &Client, pid: Option<i32>, config: &Config) -> Engine {
    let version = client.version();
    Engine {
        runtime_name: version.runtime_name.as_str().into(),
        runtime_version: version.runtime_version.as_str().into(),
        runtime_api_version: version.runtime_api_version.as_str().into(),
        api: client.endpoint().to_string().into(),
        id: engine_id(config, pid).into(),
        pid,
        ..Engine::default()
    }
}
