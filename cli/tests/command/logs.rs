//! logs, and history: the engine names the file; the tests write it, below a root of their own.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use crate::sim::Sim;
use crate::support::*;

struct Logs {
    sim: Sim,
    /// The folder of the container's logs, below the root.
    folder: PathBuf,
    root: tempfile::TempDir,
}

/// A node with a container, and where its logs are. The pids are not looked for below this root.
fn node() -> Logs {
    let mut sim = Sim::start(&[]).unwrap();
    sim.tell("pod web ns=shop app").unwrap();
    let document = &documents(&on(&sim, &["inspect", "app"]).well())[0];
    let path = document["status"]["logPath"].as_str().unwrap().to_owned();
    assert!(path.ends_with("/app/0.log"), "{path}");
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join(path.trim_start_matches('/').trim_end_matches("/0.log"));
    fs::create_dir_all(&folder).unwrap();
    Logs { sim, folder, root }
}

impl Logs {
    fn write(&self, file: &str, lines: &[&str]) {
        let mut log = fs::File::options().create(true).append(true).open(self.folder.join(file)).unwrap();
        lines.iter().for_each(|line| writeln!(log, "{line}").unwrap());
    }

    fn words<'a>(&'a self, words: &[&'a str]) -> Vec<String> {
        // The engine's socket is not below this root: the folder's own path leads to it.
        let root = format!("host.root={}", self.root.path().display());
        let own = ["logs", "-r", self.sim.endpoint(), "--option", &root];
        own.iter().chain(words).map(|word| (*word).to_owned()).collect()
    }

    fn run(&self, words: &[&str]) -> Ran {
        let words = self.words(words);
        run(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

const LINES: [&str; 4] = [
    "2026-01-01T00:00:01.5Z stdout F one",
    "2026-01-01T00:00:02Z stderr P tw",
    "2026-01-01T00:00:03Z stderr F o",
    "2026-01-01T00:00:04+00:00 stdout F three",
];

#[test]
fn a_log_is_printed() {
    let logs = node();
    logs.write("0.log", &LINES);
    for name in ["app", "shop/web/app", "web"] {
        assert_eq!(logs.run(&[name]).well(), "one\ntwo\nthree\n");
    }
    assert_eq!(logs.run(&["app", "--tail", "2"]).well(), "two\nthree\n");
    assert_eq!(logs.run(&["app", "--tail", "0"]).well(), "");
    assert_eq!(logs.run(&["app", "--since", "2026-01-01T00:00:02Z"]).well(), "two\nthree\n");
    assert_eq!(logs.run(&["app", "--since", "1m"]).well(), "");
    let timed = logs.run(&["app", "--timestamps", "--tail", "1"]).well();
    assert_eq!(timed, "2026-01-01T00:00:04+00:00 three\n");
    assert!(logs.run(&["app", "--previous"]).complaint(1).contains("no run before"));
    assert!(logs.run(&["appp"]).complaint(1).contains("did you mean app"));
    logs.run(&["app", "--since", "soon"]).complaint(2);
}

#[test]
fn what_is_no_log_is_told() {
    let logs = node();
    assert!(logs.run(&["app"]).complaint(1).contains("0.log: No such file or directory (the engine names this file;"));
    logs.write("0.log", &["{}", LINES[0]]);
    let ran = logs.run(&["app"]);
    assert_eq!((ran.code, &*ran.out), (0, "one\n"));
    assert!(ran.err.contains("1 lines are none of a CRI log"), "{}", ran.err);
}

#[test]
fn rotated_files_belong_to_the_log() {
    let logs = node();
    logs.write("0.log.20260101-000002", &LINES[..2]);
    logs.write("0.log.20260101-000003", &LINES[2..3]);
    for other in ["0.log.20260101-000001.tmp", "10.log.20260101-000001", "0.log.old"] {
        logs.write(other, &["2026-01-01T00:00:00Z stdout F other"]);
    }
    // Between rename and creation, there is no 0.log.
    assert_eq!(logs.run(&["app"]).well(), "one\ntwo\n");
    logs.write("0.log", &LINES[3..]);
    // A line that goes on in the next file is one.
    assert_eq!(logs.run(&["app"]).well(), "one\ntwo\nthree\n");
    assert_eq!(logs.run(&["app", "--tail", "2"]).well(), "two\nthree\n");
    assert_eq!(logs.run(&["app", "--since", "2026-01-01T00:00:02Z"]).well(), "two\nthree\n");
    // Compressed ones are named, where they could have what is wanted.
    fs::write(logs.folder.join("0.log.20260101-000001.gz"), "").unwrap();
    let ran = logs.run(&["app"]);
    assert_eq!((ran.code, &*ran.out), (0, "one\ntwo\nthree\n"));
    assert!(ran.err.starts_with("criwatch: 1 older file is compressed, and not read: zcat /"), "{}", ran.err);
    assert!(ran.err.ends_with("/app/0.log.20260101-000001.gz\n"), "{}", ran.err);
    assert_eq!(logs.run(&["app", "--tail", "3"]).well(), "one\ntwo\nthree\n");
    assert_eq!(logs.run(&["app", "--since", "2026-01-01T00:00:02Z"]).well(), "two\nthree\n");
    assert!(logs.run(&["app", "--tail", "4"]).err.contains("zcat"));
    // What was written last before that moment is not even read.
    fs::File::open(logs.folder.join("0.log.20260101-000002")).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(logs.run(&["app", "--since", "1970-01-01T00:00:01Z"]).well(), "o\nthree\n");
}

#[test]
fn following_misses_no_file_of_several_rotations() {
    let logs = node();
    logs.write("0.log", &[LINES[0]]);
    let words = logs.words(&["app", "-f"]);
    let mut running = Running::start(bare(&words.iter().map(String::as_str).collect::<Vec<_>>()));
    running.until(|line| line == "one");
    let mut expected = Vec::new();
    for second in 10..30 {
        fs::rename(logs.folder.join("0.log"), logs.folder.join(format!("0.log.20260101-0000{second}"))).unwrap();
        logs.write("0.log", &[&*format!("2026-01-01T00:00:{second}Z stdout F {second}")]);
        expected.push(second.to_string());
    }
    assert_eq!(running.until(|line| line == "29"), expected);
}

#[test]
fn following_goes_on_over_rotations_and_restarts() {
    let logs = node();
    logs.write("0.log", &LINES);
    let words = logs.words(&["app", "-f", "--tail", "1"]);
    let mut running = Running::start(bare(&words.iter().map(String::as_str).collect::<Vec<_>>()));
    assert_eq!(running.until(|line| line == "three"), ["three"]);
    logs.write("0.log", &["2026-01-01T00:00:05Z stdout F four"]);
    running.until(|line| line == "four");
    // As the kubelet rotates.
    fs::rename(logs.folder.join("0.log"), logs.folder.join("0.log.20260101-000006")).unwrap();
    logs.write("0.log", &["2026-01-01T00:00:06Z stdout F five"]);
    running.until(|line| line == "five");
    logs.write("1.log", &["2026-01-01T00:00:07Z stdout F six"]);
    running.until(|line| line == "six");
}

#[test]
fn the_run_before() {
    let mut logs = node();
    logs.sim.tell("kill app KILL").unwrap();
    logs.sim.tell("wait app exited").unwrap();
    logs.sim.tell("create web app attempt=1").unwrap();
    logs.sim.tell("start app").unwrap();
    logs.write("0.log", &[LINES[0]]);
    logs.write("1.log", &[LINES[3]]);
    assert_eq!(logs.run(&["app"]).well(), "three\n");
    assert_eq!(logs.run(&["app", "--previous"]).well(), "one\n");
    fs::rename(logs.folder.join("0.log"), logs.folder.join("0.log.20260101-000002")).unwrap();
    assert_eq!(logs.run(&["app", "--previous"]).well(), "one\n");
    let history = on(&logs.sim, &["history", "app"]).well();
    let lines: Vec<Vec<&str>> = history.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!((lines[0][0], lines[1][0], lines.len()), ("shop/web/app", "RUN", 4));
    assert_eq!(
        (&lines[2][..2], &lines[3][..2], lines[3][5]),
        (&["1", "running"][..], &["0", "exited"][..], "Error(137)")
    );
    let runs = documents(&on(&logs.sim, &["history", "app", "-o", "jsonl"]).well());
    assert_eq!(runs.iter().map(|run| run["attempt"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 0]);
    assert!(on(&logs.sim, &["history", "ap"]).complaint(1).contains("did you mean app"));
}
