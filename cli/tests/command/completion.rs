//! Completion, by the protocol of the scripts, and in the shells themselves where they are installed.

use crate::sim::Sim;
use crate::support::*;

/// What is offered for the last word.
fn offered(sim: Option<&Sim>, words: &[&str]) -> Vec<String> {
    let mut command = bare(&[&["--", "criwatch"], words].concat());
    command.env("CRIWATCH_COMPLETE", "fish");
    if let Some(sim) = sim {
        command.env("CRI_RUNTIME_ENDPOINT", sim.endpoint());
    }
    let printed = Ran::of(&command.output().unwrap()).well();
    let all = printed.lines().map(|line| line.split('\t').next().unwrap().to_owned());
    // Options may follow anywhere.
    let is_option = words.last().is_some_and(|word| word.starts_with('-'));
    all.filter(|one| is_option || !one.starts_with('-')).collect()
}

#[test]
fn commands_options_and_values() {
    assert_eq!(offered(None, &["p"]), ["ps", "pods"]);
    assert!(offered(None, &["ps", "--na"]).contains(&"--namespace".to_owned()));
    assert_eq!(offered(None, &["completion", ""]), ["bash", "zsh", "fish"]);
    assert_eq!(offered(None, &["ps", "-o", "j"]), ["json", "jsonl"]);
    assert_eq!(offered(None, &["ps", "--sort", "ne"]), ["newest"]);
}

#[test]
fn names_are_asked_of_the_engine() {
    let (sim, _) = node();
    assert_eq!(offered(Some(&sim), &["inspect", "shop/web/"]), ["shop/web/app", "shop/web/job", "shop/web/proxy"]);
    assert_eq!(offered(Some(&sim), &["ps", "-n", ""]), ["data", "shop"]);
    assert_eq!(offered(Some(&sim), &["pods", "-p", "w"]), ["web"]);
    // The endpoint of the line counts.
    assert_eq!(offered(None, &["-r", sim.endpoint(), "events", "--until-exit", "pro"]), ["proxy"]);
    // A shell has no place for complaints.
    assert!(offered(None, &["-r", "/nowhere", "inspect", "x"]).is_empty());
}

#[test]
fn the_shells_take_the_scripts() {
    let home = tempfile::tempdir().unwrap();
    for (name, line, expected) in [
        ("bash", "source <(criwatch completion bash) && complete -p criwatch", "criwatch"),
        (
            "zsh",
            "autoload -U compinit && compinit -D && source <(criwatch completion zsh) && echo $_comps[criwatch]",
            "criwatch",
        ),
        ("fish", "criwatch completion fish | source; complete -C 'criwatch completion b'", "bash"),
    ] {
        if !has(name) {
            println!("{name} is not installed");
            continue;
        }
        let printed = Ran::of(&shell(name, line, home.path()).output().unwrap()).well();
        assert!(printed.contains(expected), "{name}: {printed}");
    }
}

#[test]
fn the_manual_page_has_every_command() {
    let page = run(&["manual"]).well();
    for command in
        ["PS", "PODS", "INSPECT", "WHOIS", "TREE", "EVENTS", "INFO", "ENGINES", "CALL", "VERSION", "COMPLETION"]
    {
        assert!(page.contains(&format!("CRIWATCH {command}\"")), "{command}");
    }
    assert!(page.contains(".SH \"EXIT STATUS\"") && !page.contains("CRIWATCH MANUAL"), "{page}");
}
