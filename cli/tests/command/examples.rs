//! The examples of the help do what they say, in a shell, on a node that has what they name.

use std::collections::BTreeSet;
use std::path::Path;

use crate::sim::Sim;
use crate::support::*;

/// What each must print; "": nothing has to be printed.
const EXPECTED: &[(&str, &str)] = &[
    ("criwatch ps -a -n shop", "nginx "),
    ("criwatch ps -q -l app=web", "\n"),
    (r#"criwatch ps -o json | jq -r '.containers[] | "\(.pod.name)/\(.name) \(.pid)"'"#, "web-5d9c7b6f4-x2x7q/nginx "),
    ("criwatch ps -o custom-columns=POD:.pod.name,NAME:.name,PID:.pid", "web-5d9c7b6f4-x2x7q  nginx"),
    ("criwatch ps -n 'kube-*' --sort restarts", "kube-proxy"),
    ("criwatch pods -a", "report "),
    (r#"criwatch pods -o json | jq -r '.pods[] | "\(.name) \(.ips[0])"'"#, "web-5d9c7b6f4-x2x7q 10."),
    ("criwatch inspect -o table shop/web-5d9c7b6f4-x2x7q/nginx", "Name        shop/web-5d9c7b6f4-x2x7q/nginx\n"),
    ("criwatch inspect nginx | jq .info.runtimeSpec.linux.cgroupsPath", "\"\n"),
    ("criwatch inspect nginx | jq -r .status.logPath", "/"),
    ("criwatch whois $(criwatch inspect -o table nginx | awk '/^Pid/ {print $2}')", "Container nginx\n"),
    (
        "criwatch whois -o json $(criwatch inspect -o table nginx | awk '/^Cgroup/ {print $2}') | jq -r .container.pod.name",
        "web-5d9c7b6f4-x2x7q\n",
    ),
    ("criwatch tree -p shop/web-5d9c7b6f4-x2x7q", "nginx running"),
    ("criwatch tree --no-processes", "nginx running"),
    ("criwatch events --no-replay -t exited -o json | jq -r .container.name", "late\n"),
    ("criwatch events --until-exit batch/report/main", "batch/report/main exit=137"),
    ("criwatch top -n shop --sort restarts", "  nginx "),
    ("criwatch top --once", "shop/web-5d9c7b6f4-x2x7q "),
    ("criwatch stats --sort memory", "nginx "),
    ("criwatch stats -o jsonl --interval 100ms | jq '{name, cpus}'", "nginx"),
    ("criwatch logs -f --tail 20 shop/web-5d9c7b6f4-x2x7q/nginx", "two\n"),
    ("criwatch logs --previous nginx", "one\n"),
    ("criwatch logs --since 10m --timestamps nginx", "Z two\n"),
    ("criwatch history shop/web-5d9c7b6f4-x2x7q/nginx", "running"),
    ("criwatch images --unused", "IMAGE"),
    ("criwatch images -o name", "nginx"),
    ("criwatch doctor -o json | jq -r '.findings[] | select(.grade != \"good\") | .text'", ""),
    ("criwatch info -o json | jq -r .engine.events", "stream\n"),
    ("criwatch engines --option discover.nested=true", " containerd "),
    ("criwatch engines -o json | jq -r '.engines[] | .api, .reasons[].text'", "option discover.sockets"),
    ("criwatch ps $(criwatch engines -o name | sed 's/^/-r /')", "nginx "),
    ("criwatch call Version", "containerd"),
    ("criwatch call ImageService/ListImages '{}' | jq -r '.images[].repoTags[]'", "nginx"),
    ("source <(criwatch completion bash)", ""),
    ("source <(criwatch completion zsh)", ""),
    ("criwatch completion fish > ~/.config/fish/completions/criwatch.fish", ""),
];

/// All examples of the help, as it prints them.
fn examples() -> Vec<String> {
    let mut all = Vec::new();
    for command in COMMANDS {
        let help = run(&[command, "--help"]).well();
        let examples = help.split_once("\nExamples:\n").map_or("", |(_, examples)| examples);
        all.extend(examples.lines().filter(|line| !line.starts_with("  # ")).map(|line| line.trim().to_owned()));
    }
    all
}

#[test]
fn every_example_is_tried() {
    let shown: BTreeSet<String> = examples().into_iter().collect();
    let tried: BTreeSet<String> = EXPECTED.iter().map(|(example, _)| (*example).to_owned()).collect();
    assert_eq!(shown, tried);
}

#[test]
fn examples_do_what_they_say() {
    if !has("jq") {
        println!("jq is not installed");
    }
    for (example, expected) in EXPECTED {
        if example.contains("completion zsh") || (example.contains("| jq") && !has("jq")) {
            // Tried by zsh itself where it is installed.
            continue;
        }
        if example.contains(" logs ") {
            // The simulated engine writes no logs, and /var/log is not the tests': logs.rs tries the same below another root.
            continue;
        }
        tried(example, expected);
    }
}

/// A node of its own for each example, so that what one has done is not seen by the next.
fn tried(example: &str, expected: &str) {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join(".config/fish/completions")).unwrap();
    std::fs::create_dir_all(home.path().join("containerd")).unwrap();
    let mut sim = Sim::start(&[]).unwrap();
    for line in [
        "pod web-5d9c7b6f4-x2x7q ns=shop label=app=web nginx",
        "pod kube-proxy-b9d7m ns=kube-system kube-proxy",
        "pod report ns=batch",
        "create report main -- sh -c 'sleep 300; exit 3'",
        "start main",
    ] {
        sim.tell(line).unwrap();
    }
    // Where this user's own engines listen.
    std::os::unix::fs::symlink(sim.socket(), home.path().join("containerd/containerd.sock")).unwrap();
    let follows = example.contains(" events ");
    // A live screen needs a terminal.
    let example =
        if example.contains(" top ") && !example.contains("--once") { &format!("{example} --once") } else { example };
    let line = if follows { example.replace("jq ", "jq --unbuffered ") } else { (*example).to_owned() };
    let mut command = shell("bash", &format!("set -o pipefail; {line}"), home.path());
    command.env("XDG_RUNTIME_DIR", home.path()).env("CRI_RUNTIME_ENDPOINT", sim.endpoint());
    if !follows {
        let printed = Ran::of(&command.output().unwrap()).well();
        assert!(printed.contains(expected) && !printed.contains("null"), "{example}: {printed}");
        return;
    }
    let mut running = Running::start(command);
    sim.tell("wait-subscribed 1 60s").unwrap();
    if example.contains("--until-exit") {
        sim.tell("kill main KILL").unwrap();
    } else {
        sim.tell("pod short ns=shop late").unwrap();
        sim.tell("kill late KILL").unwrap();
    }
    running.until(|line| format!("{line}\n").contains(expected));
    end_tree(&running);
}

/// Ends what a shell has started: the reader of a pipe leaves.
fn end_tree(running: &Running) {
    let children = format!("/proc/{0}/task/{0}/children", running.child.id());
    let children = std::fs::read_to_string(Path::new(&children)).unwrap_or_default();
    for child in children.split_whitespace() {
        // It may have ended.
        let _ = std::process::Command::new("kill").arg(child).status();
    }
}
