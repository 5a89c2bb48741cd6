//! Agents of all engines: a finder, and the examples.

use std::io::{BufRead, BufReader};
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc::channel;
use std::time::Duration;

use criwatch::watcher::{EngineNews, Finder, NextEngine};
use libtest_mimic::{Completion, Failed};

use crate::node::*;
use crate::support::wait::{self, PATIENCE};
use crate::support::{c, go};

pub fn finder() -> Outcome {
    let root = Root::new()?;
    let _mute = mute(root.place(CRIO)?)?;
    let mut one = root.sim(CONTAINERD, &[])?;
    let finder = Finder::new(root.config(&[("connect.timeout_ms", "500")])?)?;
    let next = |what: &str| match finder.next(Some(PATIENCE)) {
        Ok(NextEngine::News(news)) => Ok(news),
        other => Err(Failed::from(format!("{what}: {other:?}"))),
    };
    let is = |news: &EngineNews, path: &str| match news {
        EngineNews::Found(c) => format!("+{}", c.api) == format!("+{}", root.api(path)),
        EngineNews::Changed(c) => format!("~{}", c.api) == format!("~{}", root.api(path)),
        EngineNews::Lost(c) => format!("-{}", c.api) == format!("-{}", root.api(path)),
        _ => false,
    };
    let found = next("the first")?;
    expect("found", &(matches!(found, EngineNews::Found(_)) && is(&found, CONTAINERD)))?;
    one.tell("pod web ns=shop nginx")?;
    let changed = next("it is in use")?;
    expect(
        "changed",
        &(matches!(&changed, EngineNews::Changed(c) if c.sandboxes == Some(1)) && is(&changed, CONTAINERD)),
    )?;
    let two = root.sim(K3S, &[])?;
    let found = next("the second")?;
    expect("found, too", &(matches!(found, EngineNews::Found(_)) && is(&found, K3S)))?;
    drop(two);
    let lost = next("its end")?;
    expect("lost", &(matches!(lost, EngineNews::Lost(_)) && is(&lost, K3S)))?;
    expect("no more", &matches!(finder.next(Some(Duration::ZERO)), Ok(NextEngine::Again)))?;
    wait::for_condition("the descriptor to be quiet", PATIENCE, || {
        let mut poll = libc::pollfd { fd: finder.fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one pollfd of ours.
        unsafe { libc::poll(&mut poll, 1, 0) == 0 }
    })?;
    finder.stop();
    expect("closed", &matches!(finder.next(None), Ok(NextEngine::Closed)))?;
    Ok(Completion::Completed)
}

pub fn example_in_c() -> Outcome {
    let library = c::Library::of_this_build();
    follows_all(|options| {
        let mut command = Command::new(library.build("examples/c/all_engines.c")?);
        command.args(options);
        Ok(command)
    })
}

pub fn example_in_go() -> Outcome {
    if let Err(reason) = go::available() {
        return skipped(&reason);
    }
    let (folder, prefix) = (tempfile::tempdir()?, go::Prefix::shared()?);
    let program = folder.path().join("allengines");
    prefix.build(&c::root().join("examples/go/allengines"), &program)?;
    follows_all(|options| {
        let mut command = prefix.run(&program);
        command.args(options.iter().flat_map(|option| ["-option", option]));
        Ok(command)
    })
}

/// What an agent of all engines prints while two of them, of one id, come and one goes; SIGTERM ends it well.
fn follows_all(program: impl Fn(&[String]) -> Result<Command, Failed>) -> Outcome {
    let root = Root::new()?;
    let mut one = root.sim(CONTAINERD, &[])?;
    one.tell("pod web ns=shop nginx")?;
    let options = ["host.root", "discover.interval_ms", "engine.id"];
    let values = [root.path().to_string_lossy().into_owned(), "100".into(), "node-1".into()];
    let options: Vec<String> = options.iter().zip(values).map(|(key, value)| format!("{key}={value}")).collect();
    let mut child = program(&options)?.stdout(Stdio::piped()).spawn()?;
    let (to, lines) = channel();
    let stdout = BufReader::new(child.stdout.take().ok_or("no stdout")?);
    // Read by a thread of its own, so that a wait for a line has an end.
    std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| to.send(line)));
    let mut seen = Vec::new();
    let mut shows = |wanted: &str| {
        let expected = format!("node-1  {wanted}");
        while let Ok(line) = lines.recv_timeout(PATIENCE) {
            let is = line.starts_with(&expected);
            seen.push(line);
            if is {
                return Ok(());
            }
        }
        Err(format!("it ended without {expected:?}: {seen:#?}"))
    };
    let outcome = (|| {
        shows(&format!("engine found at {} (1 of this id)", root.api(CONTAINERD)))?;
        shows("started  shop/web/nginx  pid ")?;
        let mut two = root.sim(CRIO, &["--profile", "crio"])?;
        shows(&format!("engine found at {} (2 of this id)", root.api(CRIO)))?;
        two.tell("pod db ns=data store")?;
        shows("started  data/db/store  pid ")?;
        one.tell("stop web/nginx")?;
        shows("exited   shop/web/nginx  pid ")?;
        drop(two);
        Ok::<(), Failed>(shows(&format!("engine lost at {} (1 of this id)", root.api(CRIO)))?)
    })();
    // SAFETY: a child of ours that was not waited for.
    unsafe { libc::kill(child.id() as i32, libc::SIGTERM) };
    let status = child.wait()?;
    outcome?;
    expect("it ends well", &status.success())?;
    Ok(Completion::Completed)
}
