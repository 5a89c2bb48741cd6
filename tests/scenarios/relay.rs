//! Stands between a watcher and an engine, and breaks their connection in ways that engines do.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::Outcome;
use crate::support::dice::Dice;
use crate::support::sim::Sim;

pub struct Relay {
    folder: tempfile::TempDir,
    links: Arc<Mutex<Vec<Arc<Link>>>>,
    garbler: Arc<Mutex<Garbler>>,
}

/// Changes what the engine says, now and then.
#[derive(Default)]
struct Garbler {
    /// `None`: everything passes as it is.
    dice: Option<Dice>,
    changed: usize,
}

/// One connection.
struct Link {
    watcher: Mutex<UnixStream>,
    engine: UnixStream,
    /// The next message of the engine is cut in its middle.
    cut_next: Mutex<bool>,
    garbler: Arc<Mutex<Garbler>>,
}

const FRAME_HEAD: usize = 9;
const DATA: u8 = 0;
const GOAWAY: u8 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;

impl Relay {
    /// To this engine.
    pub fn to(sim: &Sim) -> Outcome<Relay> {
        let relay = Relay { folder: tempfile::tempdir()?, links: Arc::default(), garbler: Arc::default() };
        let listener = UnixListener::bind(relay.socket())?;
        let (engine, links, garbler) = (sim.socket().to_owned(), relay.links.clone(), relay.garbler.clone());
        // It waits for connections until the test program ends.
        thread::spawn(move || {
            for watcher in listener.incoming().map_while(Result::ok) {
                // Where the engine is away, the watcher sees its connection closed.
                if let Ok(link) = Link::open(watcher, &engine, garbler.clone()) {
                    lock(&links).push(link);
                }
            }
        });
        Ok(relay)
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("relay.sock")
    }

    pub fn endpoint(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Says goodbye in the engine's name as grpc-go does to clients that ping too often, and closes.
    pub fn enhance_your_calm(&self) -> Outcome {
        for link in lock(&self.links).drain(..) {
            let text = b"too_many_pings";
            let mut frame = frame_head(8 + text.len(), GOAWAY).to_vec();
            frame.extend(i32::MAX.to_be_bytes());
            frame.extend(ENHANCE_YOUR_CALM.to_be_bytes());
            frame.extend(text);
            lock(&link.watcher).write_all(&frame)?;
            link.close();
        }
        Ok(())
    }

    /// From now on, some of what the engine says is lost, comes twice or is changed, as this seed has it.
    pub fn garble(&self, seed: u64) {
        *lock(&self.garbler) = Garbler { dice: Some(Dice::new(seed)), changed: 0 };
    }

    /// How many frames were garbled.
    pub fn garbled(&self) -> usize {
        lock(&self.garbler).changed
    }

    /// No more of that, and no connection that has suffered from it.
    pub fn be_honest(&self) {
        lock(&self.garbler).dice = None;
        lock(&self.links).drain(..).for_each(|link| link.close());
    }

    /// The connection breaks in the middle of the engine's next message.
    pub fn cut_the_next_message(&self) {
        for link in lock(&self.links).drain(..) {
            *lock(&link.cut_next) = true;
        }
    }
}

impl Garbler {
    fn pass(&mut self, frame: &mut Vec<u8>) {
        let Some(dice) = &mut self.dice else { return };
        if dice.below(6) > 0 {
            return;
        }
        self.changed += 1;
        match dice.below(4) {
            0 => frame.clear(),
            1 => frame.extend_from_within(..),
            _ => dice.change(frame, &[]),
        }
    }
}

impl Link {
    fn open(watcher: UnixStream, engine: &Path, garbler: Arc<Mutex<Garbler>>) -> io::Result<Arc<Link>> {
        let engine = UnixStream::connect(engine)?;
        let (mut from_watcher, mut to_engine) = (watcher.try_clone()?, engine.try_clone()?);
        let mut from_engine = engine.try_clone()?;
        let link = Arc::new(Link { watcher: Mutex::new(watcher), engine, cut_next: Mutex::default(), garbler });
        let (up, down) = (link.clone(), link.clone());
        thread::spawn(move || {
            // Either end of the connection may go at any time: then the other one goes, too.
            let _ = io::copy(&mut from_watcher, &mut to_engine);
            up.close();
        });
        thread::spawn(move || {
            let _ = down.pass_frames(&mut from_engine);
            down.close();
        });
        Ok(link)
    }

    /// Whole frames only, so that another one fits in between.
    fn pass_frames(&self, from: &mut UnixStream) -> io::Result<()> {
        loop {
            let mut frame = vec![0; FRAME_HEAD];
            from.read_exact(&mut frame)?;
            let length = u32::from_be_bytes([0, frame[0], frame[1], frame[2]]) as usize;
            frame.resize(FRAME_HEAD + length, 0);
            from.read_exact(&mut frame[FRAME_HEAD..])?;
            if frame[3] == DATA && length > 1 && *lock(&self.cut_next) {
                return lock(&self.watcher).write_all(&frame[..FRAME_HEAD + length / 2]);
            }
            lock(&self.garbler).pass(&mut frame);
            lock(&self.watcher).write_all(&frame)?;
        }
    }

    fn close(&self) {
        // What is closed already needs no closing.
        let _ = self.engine.shutdown(Shutdown::Both);
        let _ = lock(&self.watcher).shutdown(Shutdown::Both);
    }
}

fn frame_head(length: usize, kind: u8) -> [u8; FRAME_HEAD] {
    let [_, a, b, c] = (length as u32).to_be_bytes();
    [a, b, c, kind, 0, 0, 0, 0, 0]
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
