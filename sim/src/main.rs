//! cri-sim: a simulated CRI engine. This file starts its parts, waits for a reason to end, and cleans up.

mod command;
mod engine;
mod events;
mod faults;
mod help;
mod host;
mod kubelet;
mod options;
mod pb;
mod process;
mod profile;
mod reference;
mod rng;
mod script;
mod server;
mod store;
mod workload;

use std::error::Error;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use engine::Engine;
use host::{Cgroups, FakeTree, Host};
use options::{Options, Source};
use rng::Rng;
use script::{Flow, Runner};
use server::{Serving, Socket};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|a| a == process::CHILD_FLAG) {
        process::child_main(&args[1..]);
    }
    let options = Options::parse();
    let done = if options.manual { print_manual().map_err(Into::into) } else { simulate(options) };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("cri-sim: {e}");
            ExitCode::FAILURE
        }
    }
}

fn print_manual() -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(&reference::manual())?;
    out.flush()
}

/// Runs on one thread, because children end with the thread that made them.
#[tokio::main(flavor = "current_thread")]
async fn simulate(options: Options) -> Result<(), Box<dyn Error>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    for script in &options.scripts {
        script.check()?;
    }
    // This comes first: a second engine on the same socket must not touch the state of the first.
    let cannot = |e| format!("cannot listen on {}: {e}", options.socket.display());
    let (socket, connections) = Socket::bind(&options.socket).map_err(cannot)?;
    let host = match host(&options) {
        Ok(host) => host,
        Err(e) => {
            socket.close();
            return Err(e);
        }
    };
    let mut rng = Rng::new(options.seed);
    let draws = rng.fork();
    let engine = Engine::new(options.profile.clone(), rng, host);
    if let Err(e) = workload::populate(&engine, options.containers).await {
        socket.close();
        engine.shutdown().await;
        return Err(e.into());
    }
    let serving = Arc::new(server::serve(Arc::clone(&engine), socket, connections));
    if let Err(e) = print_line(&ready(&options, &engine)) {
        eprintln!("cri-sim: nobody reads that it is ready: {e}");
    }

    let workload = options.workload().map(|w| tokio::spawn(workload::run(Arc::clone(&engine), w, draws)));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = scripts(&options.scripts, &engine, &serving) => {}
        () = time_is_over(options.duration) => {}
    }
    if let Some(workload) = workload {
        workload.abort();
    }
    serving.socket.close();
    engine.shutdown().await;
    Ok(())
}

fn host(options: &Options) -> Result<Host, Box<dyn Error>> {
    let (state, family) = (options.state(), options.profile.family);
    let no_state = |e| format!("cannot make the state folder {}: {e}", options.state().display());
    let Some(dir) = &options.fake_tree else {
        let cgroups = if options.cgroups() { Cgroups::find() } else { None };
        return Ok(Host::real(cgroups, state, family).map_err(no_state)?);
    };
    let tree = FakeTree::new(dir).map_err(|e| format!("cannot make the fake tree in {}: {e}", dir.display()))?;
    Ok(Host::fake(tree, state, family).map_err(no_state)?)
}

fn ready(options: &Options, engine: &Engine) -> String {
    let cgroups =
        engine.host.cgroups().map_or("none".into(), |c| format!("{}:{}", c.hierarchy(), c.folder().display()));
    let (socket, profile) = (options.socket.display(), options.profile.name);
    format!("ready unix://{socket} profile={profile} cgroups={cgroups} seed={}", options.seed)
}

fn print_line(answer: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{answer}")?;
    out.flush()
}

async fn time_is_over(duration: Option<std::time::Duration>) {
    match duration {
        Some(duration) => tokio::time::sleep(duration).await,
        None => std::future::pending().await,
    }
}

/// Runs the scripts. Returns when the program has to end: at `quit`, and at the end of stdin, so that it never outlives
/// the test that drives it.
async fn scripts(sources: &[Source], engine: &Arc<Engine>, serving: &Arc<Serving>) {
    let runner = Runner::new(Arc::clone(engine), Arc::clone(serving));
    for source in sources {
        let mut lines = read(source.clone());
        while let Some(line) = lines.recv().await {
            let (answer, flow) = runner.line(&line).await;
            let printed = if answer.is_empty() { Ok(()) } else { print_line(&answer) };
            // If nobody reads the answers, the driver is gone.
            if printed.is_err() || flow == Flow::Quit {
                return;
            }
        }
        if *source == Source::Stdin {
            return;
        }
    }
    std::future::pending().await
}

/// Reads on its own thread, because stdin may block for ever.
fn read(source: Source) -> mpsc::Receiver<String> {
    let (to, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        let input: Box<dyn BufRead> = match &source {
            Source::Stdin => Box::new(std::io::stdin().lock()),
            Source::File(path) => match std::fs::File::open(path) {
                Ok(file) => Box::new(std::io::BufReader::new(file)),
                Err(e) => return eprintln!("cri-sim: cannot read the script {}: {e}", path.display()),
            },
        };
        for line in input.lines() {
            match line {
                Ok(line) => {
                    if to.blocking_send(line).is_err() {
                        return;
                    }
                }
                Err(e) => return eprintln!("cri-sim: the script ends here: {e}"),
            }
        }
    });
    lines
}
