//! What goes wrong: one line on stderr, and the exit code that goes with it.

use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;

use crate::sim::Sim;
use crate::support::*;

#[test]
fn what_matches_nothing_is_reported_with_the_nearest_names() {
    let (sim, _) = node();
    for (words, expected) in [
        (&["ps", "--namespace", "shp"][..], "nothing matches --namespace shp: did you mean shop?"),
        (&["ps", "--namespace", "zzz"], "nothing matches --namespace zzz (there is: data, shop)"),
        (&["ps", "-p", "wib"], "nothing matches --pod wib: did you mean web?"),
        (&["ps", "-p", "0123456789abc"], "nothing matches --pod 0123456789abc (there is: data/db, "),
        (&["pods", "-p", "0123456789abc"], "nothing matches --pod 0123456789abc (there is: data/db, "),
        (&["pods", "--namespace", "dat"], "nothing matches --namespace dat: did you mean data?"),
        (&["ps", "--name", "proxi"], "nothing matches --name proxi: did you mean proxy?"),
        (&["ps", "-l", "tier=back"], "nothing matches --label tier=back"),
        (&["ps", "-n", "data", "--name", "app"], "nothing matches --namespace data --name app together"),
        (&["ps", "-s", "created"], "nothing matches --state created"),
        (&["ps", "-p", "old"], "nothing matches --pod old (there is what is exited, notready: -a shows it)"),
        (&["pods", "-p", "old"], "nothing matches --pod old (there is what is exited, notready: -a shows it)"),
        (&["pods", "-s", "unknown"], "nothing matches --state unknown"),
        (&["inspect", "shop/web/ap"], "did you mean shop/web/app"),
        (&["events", "--until-exit", "nothing/there"], "the id or name \"nothing/there\""),
        (&["events", "--until-exit", "prox"], "the id or name \"prox\": did you mean proxy"),
    ] {
        let said = on(&sim, words).complaint(1);
        assert!(said.contains(expected), "{words:?}: {said}");
    }
    // A document is a document, whatever is in it.
    let ran = on(&sim, &["ps", "--name", "none", "-o", "json"]);
    assert_eq!((ran.code, documents(&ran.out)[0]["containers"].to_string()), (1, "[]".into()));
    for words in [&["ps", "--name", "none"][..], &["ps", "--name", "none", "-q"], &["pods", "-p", "none"]] {
        let ran = on(&sim, words);
        assert_eq!((ran.code, &*ran.out), (1, ""), "{words:?}");
    }
}

#[test]
fn a_node_without_containers_is_no_failure() {
    let sim = Sim::start(&[]).unwrap();
    for words in [&["ps"][..], &["ps", "-q"], &["pods", "-a"], &["tree"]] {
        on(&sim, words).well();
    }
    assert_eq!(on(&sim, &["ps", "--namespace", "x"]).complaint(1), "nothing matches --namespace x");
}

#[test]
fn output_that_cannot_be_written() {
    let (sim, _) = node();
    for words in [&["ps"][..], &["inspect", "app"], &["--help"], &["completion", "bash"], &["events", "-t", "started"]]
    {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = bare(words).env("CRI_RUNTIME_ENDPOINT", sim.endpoint()).stdout(full).output().unwrap();
        let ran = Ran::of(&output);
        assert_eq!(ran.complaint(74), "the output cannot be written: No space left on device", "{words:?}");
    }
}

#[test]
fn output_into_a_closed_stdout() {
    let (sim, _) = node();
    let program = env!("CARGO_BIN_EXE_criwatch");
    let closed = |words: &[&str]| {
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", "exec \"$@\" >&-", "sh", program]).args(words);
        Ran::of(&shell.env("CRI_RUNTIME_ENDPOINT", sim.endpoint()).output().unwrap())
    };
    for words in [&["ps"][..], &["inspect", "app"], &["--help"], &["manual"], &["events", "-t", "started"]] {
        assert_eq!(closed(words).complaint(74), "the output cannot be written: Bad file descriptor", "{words:?}");
    }
    // Where there is nothing to print, nothing is lost.
    assert_eq!(closed(&["ps", "-q", "--name", "none"]).code, 1);
    // Who wants no output says so.
    let null = File::options().read(true).write(true).open("/dev/null").unwrap();
    let output = bare(&["ps"]).env("CRI_RUNTIME_ENDPOINT", sim.endpoint()).stdout(null).output().unwrap();
    Ran::of(&output).well();
}

#[test]
fn errors_are_one_line_in_a_pipe() {
    // Nothing listens below this root, so that the message has all that was tried.
    let root = tempfile::tempdir().unwrap();
    let said = run(&["ps", "--option", &format!("host.root={}", root.path().display())]).complaint(3);
    assert!(
        said.contains("containerd.sock: ") && said.contains("; connect ") && said.contains("crio.sock: "),
        "{said}"
    );
}

#[test]
fn nothing_asked_for_is_answered_by_the_help() {
    let bare = run(&[]).well();
    assert_eq!(bare, run(&["--help"]).well());
    assert!(bare.contains("\n  ps ") && bare.contains("\nExit codes:\n    0  done\n"), "{bare}");
}

#[test]
fn help_fits() {
    let commands =
        ["", "ps", "pods", "inspect", "whois", "tree", "events", "info", "engines", "call", "version", "completion"];
    for columns in [60_usize, 80, 100, 120] {
        for name in commands.iter().copied() {
            let words = if name.is_empty() { vec!["--help"] } else { vec![name, "--help"] };
            let output = bare(&words).env("COLUMNS", columns.to_string()).output().unwrap();
            let help = Ran::of(&output).well();
            // Commands are there to be copied.
            let (text, examples) = help.split_once("\nExamples:\n").unwrap_or((&help, ""));
            for line in text.lines() {
                assert!(line.chars().count() <= columns, "{name} at {columns}: {line}");
            }
            assert!(examples.lines().skip(1).step_by(2).all(|line| !line.is_empty()));
        }
    }
}

#[test]
fn wrong_command_lines() {
    let (sim, _) = node();
    for (words, expected) in [
        (&["nosuch"][..], "unrecognized subcommand 'nosuch'"),
        (&["ps", "-o", "xml"], "custom-columns= (see criwatch ps --help)"),
        (&["ps", "--no-such"], "'--no-such' found; a similar argument exists: '--no-trunc' (see criwatch ps --help)"),
        (&["ps", "--nosuch"], "--nosuch"),
        (&["ps", "-o", "xml"], "none of table, wide, json"),
        (&["ps", "-s", "alive"], "none of created, running, exited, unknown"),
        (&["pods", "-s", "running"], "none of ready, notready, unknown"),
        (&["ps", "-l", "a in ("], "selector"),
        (&["ps", "--timeout", "soon"], "no time from 1ms to 60m"),
        (&["ps", "--option", "nosuch=1"], "option \"nosuch\" is unknown"),
        (&["ps", "--option", "nosuch"], "not KEY=VALUE"),
        (&["inspect"], "NAME"),
        (&["ps", "--watch", "-o", "json"], "criwatch events -o json"),
    ] {
        let said = on(&sim, words).complaint(2);
        assert!(said.contains(expected), "{words:?}: {said}");
    }
    assert!(run(&["ps", "-r", ""]).complaint(2).contains("the endpoint is empty"));
}

#[test]
fn an_engine_that_is_not_there() {
    for command in ["ps", "pods", "events", "info", "tree", "version"] {
        let ran = run(&[command, "-r", "unix:///nowhere/cri.sock"]);
        assert!(ran.complaint(3).contains("/nowhere/cri.sock"), "{command}");
    }
}

#[test]
fn an_engine_that_does_not_answer() {
    let mut sim = Sim::start(&[]).unwrap();
    sim.tell("fault stall on").unwrap();
    let ran = on(&sim, &["ps", "--timeout", "100ms"]);
    assert_eq!(ran.out, "");
    ran.complaint(3);
}

#[test]
fn a_refused_permission_is_reported_at_once_with_what_to_do() {
    let sim = Sim::start(&[]).unwrap();
    let is_root = rustix::process::getuid().is_root();
    std::fs::set_permissions(sim.socket(), std::fs::Permissions::from_mode(0o0)).unwrap();
    std::fs::set_permissions(sim.socket().parent().unwrap(), std::fs::Permissions::from_mode(0o755)).unwrap();
    // Another user must be able to read the program.
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("criwatch");
    std::fs::copy(env!("CARGO_BIN_EXE_criwatch"), &program).unwrap();
    for command in ["ps", "events", "info"] {
        let mut other = std::process::Command::new(&program);
        other.args([command, "-r", sim.endpoint()]);
        if is_root {
            other.uid(65534).gid(65534);
        }
        let ran = Ran::of(&other.output().unwrap());
        let said = ran.complaint(4);
        assert!(
            said.contains("permission denied") && said.contains("run as root or join the socket's group"),
            "{said}"
        );
    }
}
