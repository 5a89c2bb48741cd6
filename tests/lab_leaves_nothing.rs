//! The test-suite's own engines leave nothing behind: no process, mount, cgroup, shim's socket or file; neither when a
//! test panics, nor when the engine died first, nor when a whole test program was killed.

mod support;

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use support::engines::{self, Candidate, Engine, Source};
use support::lab;
use support::leftovers;
use support::pods::{ContainerSpec, PodSpec};

/// Makes this program start an engine of that name, print its folder, and be killed.
const TO_BE_KILLED: &str = "CRI_LAB_TO_BE_KILLED";

type Test = fn(&Candidate, &Source);

fn main() {
    let arguments = Arguments::from_args();
    let candidates = engines::candidates();
    if let Ok(name) = std::env::var(TO_BE_KILLED) {
        let candidate = candidates.iter().find(|candidate| candidate.name == name).expect("the parent has just had it");
        be_killed(candidate.source.as_ref().expect("the parent has just had it"));
    }
    let own = candidates.iter().filter(|candidate| !matches!(candidate.source, Ok(Source::Endpoint(_))));
    let tests: [(&str, Test); 3] = [
        ("after_a_panic", after_a_panic),
        ("after_the_engine_died_first", after_the_engine_died_first),
        ("after_the_test_program_was_killed", after_the_test_program_was_killed),
    ];
    let trials = own.flat_map(|candidate| tests.map(|(name, test)| trial(candidate.clone(), name, test)));
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

fn trial(candidate: Candidate, name: &str, test: Test) -> Trial {
    Trial::ignorable_test(format!("{}::{name}", candidate.name), move || match &candidate.source {
        Ok(source) => {
            test(&candidate, source);
            Ok(Completion::Completed)
        }
        Err(reason) if lab::is_required() => Err(Failed::from(reason)),
        Err(reason) => Ok(Completion::ignored_with(reason)),
    })
}

/// An engine with a pod of two containers, and its folder.
fn busy(source: &Source) -> (Engine, PathBuf) {
    let engine = source.start().unwrap();
    let pod = engine.pods.run_pod(&PodSpec::new("cri-lab", "busy")).unwrap();
    engine.pods.run(&pod, &ContainerSpec::lasting("one")).unwrap();
    engine.pods.run(&pod, &ContainerSpec::lasting("two")).unwrap();
    let dir = engine.containerd.as_ref().expect("it is ours").dir().to_owned();
    // Else the test would find nothing in the end because it cannot see it.
    assert!(leftovers::processes(&dir).len() >= 5, "containerd, a shim, and three containers: {:?}", traces(&dir));
    assert!(!leftovers::mount_points(&dir).is_empty() && !cgroups(&dir).is_empty(), "{:?}", traces(&dir));
    (engine, dir)
}

fn after_a_panic(_: &Candidate, source: &Source) {
    let (engine, dir) = busy(source);
    let result = panic::catch_unwind(AssertUnwindSafe(move || {
        let _engine = engine;
        panic::resume_unwind(Box::new("a test's failure"));
    }));
    assert!(result.is_err());
    assert_eq!(traces(&dir), Vec::<String>::new());
}

fn after_the_engine_died_first(_: &Candidate, source: &Source) {
    let (mut engine, dir) = busy(source);
    engine.containerd.as_mut().expect("it is ours").kill().unwrap();
    let sockets = leftovers::shim_sockets(&dir);
    assert!(!sockets.is_empty(), "its shims listen");
    drop(engine);
    assert_eq!(traces(&dir), Vec::<String>::new());
    sockets.iter().for_each(|socket| assert!(!socket.exists(), "{} is still there", socket.display()));
}

fn after_the_test_program_was_killed(candidate: &Candidate, source: &Source) {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program).env(TO_BE_KILLED, &candidate.name).output().unwrap();
    assert_eq!(output.status.signal(), Some(libc::SIGKILL), "{}", String::from_utf8_lossy(&output.stderr));
    let dir = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
    // It was there; another test that starts an engine at this moment may be removing it already.
    assert!(dir.is_absolute(), "{dir:?}");
    drop(source.start().unwrap());
    support::wait::until("another test's removal", support::wait::PATIENCE, || match traces(&dir) {
        left if left.is_empty() => Ok(()),
        left => Err(format!("{left:?}")),
    })
    .unwrap();
}

fn be_killed(source: &Source) -> ! {
    let (_engine, dir) = busy(source);
    println!("{}", dir.display());
    // SAFETY: kill takes plain numbers; this is our own pid.
    unsafe { libc::kill(std::process::id() as i32, libc::SIGKILL) };
    unreachable!("SIGKILL cannot be survived")
}

/// Everything of the engine of `dir` that is still there.
fn traces(dir: &Path) -> Vec<String> {
    let processes = leftovers::processes(dir).into_iter().map(|pid| {
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        format!("process {pid}: {}", String::from_utf8_lossy(&command).replace('\0', " "))
    });
    let mounts = leftovers::mount_points(dir).into_iter().map(|point| format!("mount {point}"));
    let folder = dir.exists().then(|| dir.display().to_string());
    processes.chain(mounts).chain(cgroups(dir)).chain(folder).collect()
}

fn cgroups(dir: &Path) -> Vec<String> {
    let parent = leftovers::cgroup_parent(dir);
    let places = leftovers::cgroup_mounts().into_iter().map(|mount| mount.join(&parent));
    places.filter(|place| place.exists()).map(|place| place.display().to_string()).collect()
}
