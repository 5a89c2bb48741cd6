//! The grammar of a script line. Pure: text in, command out.

use std::time::Duration;

use super::fault_grammar::{self, Fault};
use super::language;
use super::values::{key_value, number, time};
use crate::faults::Claim;
use crate::kubelet::{ContainerSpec, PodSpec};
use crate::pb::{ContainerEventType as Kind, ContainerState as State};
use crate::process::signal_number;

const DEFAULT_LIMIT: Duration = Duration::from_secs(10);
const DEFAULT_GRACE: Duration = Duration::from_secs(2);
const OOM_NOTICED_AFTER: Duration = Duration::from_millis(300);

#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    RunPod(PodSpec),
    Create {
        pod: String,
        container: ContainerSpec,
    },
    Start(String),
    Stop {
        container: String,
        grace: Duration,
    },
    Remove(String),
    StopPod(String),
    RemovePod(String),
    Pod {
        pod: PodSpec,
        containers: Vec<ContainerSpec>,
    },
    Kill {
        name: String,
        signal: i32,
    },
    Oom {
        container: String,
        noticed_after: Duration,
    },
    Tell {
        kind: Kind,
        name: String,
    },
    Wait {
        name: String,
        state: Awaited,
        limit: Duration,
    },
    WaitSubscribed {
        count: u64,
        limit: Duration,
    },
    Sleep(Duration),
    List,
    Stats,
    Restart {
        new_ids: bool,
    },
    Down,
    Up,
    Lose(String),
    Find(String),
    Vanish(String),
    Tag {
        tag: String,
        image: String,
    },
    Untag(String),
    /// A claim; `None`: the truth again.
    Claim {
        name: String,
        claim: Option<Claim>,
    },
    Fault(Fault),
    Quit,
}

/// What `wait` waits for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Awaited {
    Created,
    Running,
    Exited,
    Ready,
    NotReady,
    Gone,
}

/// Parses a line. `None`: an empty line or a comment.
pub fn parse(line: &str) -> Result<Option<Command>, String> {
    let words = words(line)?;
    let Some((verb, rest)) = words.split_first() else {
        return Ok(None);
    };
    if language::command(verb).is_none() {
        return Err(usage(verb));
    }
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let command = match (verb.as_str(), &rest[..]) {
        ("run-pod", [pod, options @ ..]) => Command::RunPod(pod_spec(pod, options)?),
        ("create", [pod, container, rest @ ..]) => create(pod, container, rest)?,
        ("pod", [pod, rest @ ..]) => whole_pod(pod, rest)?,
        ("start", [container]) => Command::Start((*container).into()),
        ("stop", [container]) => Command::Stop { container: (*container).into(), grace: DEFAULT_GRACE },
        ("stop", [container, grace]) => Command::Stop { container: (*container).into(), grace: time(grace)? },
        ("rm", [container]) => Command::Remove((*container).into()),
        ("stop-pod", [pod]) => Command::StopPod((*pod).into()),
        ("rm-pod", [pod]) => Command::RemovePod((*pod).into()),
        ("kill", [name, signal]) => {
            let signal = signal_number(signal).ok_or_else(|| format!("{signal:?} is no signal: want TERM or 15"))?;
            Command::Kill { name: (*name).into(), signal }
        }
        ("oom", [container]) => Command::Oom { container: (*container).into(), noticed_after: OOM_NOTICED_AFTER },
        ("oom", [container, after]) => Command::Oom { container: (*container).into(), noticed_after: time(after)? },
        ("tell", [kind, name]) => Command::Tell { kind: event_type(kind)?, name: (*name).into() },
        ("wait", [name, state]) => wait(name, state, DEFAULT_LIMIT)?,
        ("wait", [name, state, limit]) => wait(name, state, time(limit)?)?,
        ("wait-subscribed", [n]) => Command::WaitSubscribed { count: number(n)?, limit: DEFAULT_LIMIT },
        ("wait-subscribed", [n, limit]) => Command::WaitSubscribed { count: number(n)?, limit: time(limit)? },
        ("sleep", [duration]) => Command::Sleep(time(duration)?),
        ("list", []) => Command::List,
        ("stats", []) => Command::Stats,
        ("restart", []) => Command::Restart { new_ids: false },
        ("restart", ["new-ids"]) => Command::Restart { new_ids: true },
        ("down", []) => Command::Down,
        ("up", []) => Command::Up,
        ("lose", [name]) => Command::Lose((*name).into()),
        ("find", [id]) => Command::Find((*id).into()),
        ("vanish", [container]) => Command::Vanish((*container).into()),
        ("tag", [tag, image]) => Command::Tag { tag: (*tag).into(), image: (*image).into() },
        ("untag", [tag]) => Command::Untag((*tag).into()),
        ("claim", [name, words @ ..]) => Command::Claim { name: (*name).into(), claim: claim(words)? },
        ("fault", words) => Command::Fault(fault_grammar::parse(words)?),
        ("quit", []) => Command::Quit,
        _ => return Err(usage(verb)),
    };
    Ok(Some(command))
}

/// The usage of a command that was used wrongly.
fn usage(verb: &str) -> String {
    match language::command(verb) {
        Some(entry) => format!("usage: {}", entry.usage),
        None => format!("unknown command {verb:?}: see --help"),
    }
}

fn claim(words: &[&str]) -> Result<Option<Claim>, String> {
    let state = |text: &str| match text {
        "created" => Ok(State::ContainerCreated),
        "running" => Ok(State::ContainerRunning),
        "exited" => Ok(State::ContainerExited),
        "unknown" => Ok(State::ContainerUnknown),
        other => Err(format!("{other:?} is no state: want created, running, exited or unknown")),
    };
    Ok(Some(match words {
        ["off"] => return Ok(None),
        ["listed", text] => Claim::Listed(state(text)?),
        ["state", text] => Claim::State(state(text)?),
        ["no-status"] => Claim::NoStatus,
        ["no-verbose-status"] => Claim::NoVerboseStatus,
        ["no-started-at"] => Claim::NoStartedAt,
        ["hangs"] => Claim::Hangs,
        ["refused", text] => Claim::Refused((*text).into()),
        ["undecodable"] => Claim::Undecodable,
        ["nameless"] => Claim::Nameless,
        _ => return Err(format!("{:?} is no claim: see --help", words.join(" "))),
    }))
}

fn event_type(text: &str) -> Result<Kind, String> {
    match text {
        "created" => Ok(Kind::ContainerCreatedEvent),
        "started" => Ok(Kind::ContainerStartedEvent),
        "stopped" => Ok(Kind::ContainerStoppedEvent),
        "deleted" => Ok(Kind::ContainerDeletedEvent),
        other => Err(format!("{other:?} is no event: want created, started, stopped or deleted")),
    }
}

fn wait(name: &str, state: &str, limit: Duration) -> Result<Command, String> {
    let state = match state {
        "created" => Awaited::Created,
        "running" => Awaited::Running,
        "exited" => Awaited::Exited,
        "ready" => Awaited::Ready,
        "notready" => Awaited::NotReady,
        "gone" => Awaited::Gone,
        other => {
            return Err(format!("{other:?} is no state: want created, running, exited, ready, notready or gone"));
        }
    };
    Ok(Command::Wait { name: name.into(), state, limit })
}

fn create(pod: &str, container: &str, rest: &[&str]) -> Result<Command, String> {
    let (options, command) = split_command(rest);
    let mut spec = ContainerSpec::new(container);
    spec.command = command;
    for option in options {
        container_option(&mut spec, option)?;
    }
    Ok(Command::Create { pod: pod.into(), container: spec })
}

fn whole_pod(pod: &str, rest: &[&str]) -> Result<Command, String> {
    let (words, command) = split_command(rest);
    let (options, names): (Vec<&str>, Vec<&str>) = words.iter().partition(|w| is_pod_option(w));
    let container = |name: &&str| ContainerSpec { command: command.clone(), ..ContainerSpec::new(name) };
    Ok(Command::Pod { pod: pod_spec(pod, &options)?, containers: names.iter().map(container).collect() })
}

fn is_pod_option(word: &str) -> bool {
    word.contains('=') || word == "host-network"
}

fn split_command<'a>(words: &'a [&'a str]) -> (&'a [&'a str], Vec<String>) {
    match words.iter().position(|w| *w == "--") {
        Some(at) => (&words[..at], words[at + 1..].iter().map(|w| (*w).to_owned()).collect()),
        None => (words, Vec::new()),
    }
}

fn pod_spec(pod: &str, options: &[&str]) -> Result<PodSpec, String> {
    let mut spec = PodSpec::new(pod);
    for option in options {
        match option.split_once('=') {
            Some(("ns", value)) => spec.namespace = value.into(),
            Some(("uid", value)) => spec.uid = value.into(),
            Some(("attempt", value)) => spec.attempt = number(value)?,
            Some(("label", pair)) => spec.labels.extend([key_value(pair)?]),
            Some(("annotation", pair)) => spec.annotations.extend([key_value(pair)?]),
            Some(("cgroup-parent", value)) => spec.cgroup_parent = Some(value.into()),
            None if *option == "host-network" => spec.host_network = true,
            _ => return Err(format!("{option:?} is no option of a pod: see --help")),
        }
    }
    Ok(spec)
}

fn container_option(spec: &mut ContainerSpec, option: &str) -> Result<(), String> {
    match option.split_once('=') {
        Some(("image", value)) => spec.image = value.into(),
        Some(("user-image", value)) => spec.user_image = value.into(),
        Some(("mount", paths)) => {
            let (host, inside) = paths.split_once(':').ok_or_else(|| format!("{paths:?}: want HOST-PATH:PATH"))?;
            spec.mounts.push((host.into(), inside.into()));
        }
        Some(("attempt", value)) => spec.attempt = number(value)?,
        Some(("label", pair)) => spec.labels.extend([key_value(pair)?]),
        Some(("annotation", pair)) => spec.annotations.extend([key_value(pair)?]),
        Some(("env", pair)) => spec.env.push(key_value(pair)?),
        _ => return Err(format!("{option:?} is no option of a container: see --help")),
    }
    Ok(())
}

/// The words of a line, split as a shell does: 'quoted', "quoted", # comment.
fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(q), _) if c == q => quote = None,
            (Some(_), _) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, _) if c.is_whitespace() => words.extend(word.take()),
            (None, _) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err("a quote is not closed".into());
    }
    words.extend(word);
    Ok(words.into_iter().map(|word| with_marks(&word)).collect())
}

/// Replaces the placeholders for characters that a script cannot contain.
fn with_marks(word: &str) -> String {
    word.replace("{bad-bytes}", "\u{10fffd}").replace("{esc}", "\u{1b}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(line: &str) -> Command {
        parse(line).unwrap().unwrap()
    }

    #[test]
    fn nothing_to_do() {
        assert_eq!(parse(""), Ok(None));
        assert_eq!(parse("  # a comment"), Ok(None));
    }

    #[test]
    fn pods_and_containers() {
        let Command::RunPod(pod) =
            command("run-pod web ns=shop attempt=2 label=app=web annotation=a='b c' host-network")
        else {
            panic!("not run-pod")
        };
        assert_eq!(
            (pod.name.as_str(), pod.namespace.as_str(), pod.attempt, pod.host_network),
            ("web", "shop", 2, true)
        );
        assert_eq!((&pod.labels["app"], &pod.annotations["a"]), (&"web".to_owned(), &"b c".to_owned()));

        let Command::Create { pod, container } =
            command("create web app image=nginx env=A=1 -- sh -c 'sleep 1; exit 3'")
        else {
            panic!("not create")
        };
        assert_eq!((pod.as_str(), container.name.as_str(), container.image.as_str()), ("web", "app", "nginx"));
        assert_eq!(container.command, ["sh", "-c", "sleep 1; exit 3"]);

        let Command::Pod { pod, containers } = command("pod web ns=shop a b -- sleep 1") else { panic!("not pod") };
        assert_eq!(pod.namespace, "shop");
        assert_eq!(containers.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert!(containers.iter().all(|c| c.command == ["sleep", "1"]));
    }

    #[test]
    fn signals_and_times() {
        assert_eq!(command("kill a SIGKILL"), Command::Kill { name: "a".into(), signal: 9 });
        assert_eq!(command("sleep 200ms"), Command::Sleep(Duration::from_millis(200)));
        assert_eq!(command("sleep 2m"), Command::Sleep(Duration::from_secs(120)));
        let wait = Command::Wait { name: "a".into(), state: Awaited::Exited, limit: Duration::from_millis(1500) };
        assert_eq!(command("wait a exited 1.5s"), wait);
    }

    #[test]
    fn every_command_of_the_language_is_understood() {
        for entry in language::COMMANDS.iter().flat_map(|chapter| chapter.entries) {
            let usage = entry.usage.replace("[-- COMMAND ARG...]", "[COMMAND]");
            let words = usage.split(' ').filter(|word| !word.starts_with('['));
            let spoken: Vec<&str> = words
                .map(|word| match word {
                    "N" => "3",
                    "TIME" => "50ms",
                    "SIGNAL" => "TERM",
                    "STATE" => "exited",
                    "TYPE" => "created",
                    "CLAIM" => "hangs",
                    "NAME|all" => "all",
                    "CONTAINER..." => "app",
                    other => other,
                })
                .collect();
            // The name of a fault is part of its syntax; faults have a test of their own.
            let line = if spoken[0] == "fault" { "fault stall on".into() } else { spoken.join(" ") };
            assert!(parse(&line).is_ok_and(|command| command.is_some()), "{line}: {:?}", parse(&line));
        }
    }

    #[test]
    fn every_option_of_the_language_is_understood() {
        let value = |usage: &str| usage.replace("=N", "=3").replace(":PATH", ":/inside");
        for (chapter, begin) in
            [(language::POD_OPTIONS, "run-pod web"), (language::CONTAINER_OPTIONS, "create web app")]
        {
            for entry in chapter.entries {
                let usage = if entry.usage == "ns=NAMESPACE" { entry.usage.into() } else { value(entry.usage) };
                let line = format!("{begin} {usage}");
                assert!(parse(&line).is_ok_and(|command| command.is_some()), "{line}: {:?}", parse(&line));
            }
        }
    }

    #[test]
    fn every_program_of_the_language_exists() {
        for entry in language::PROGRAMS.entries {
            let line = format!("create web app -- {}", entry.usage.replace("TIME", "1").replace(" N", " 3"));
            let Ok(Some(Command::Create { container, .. })) = parse(&line) else { panic!("{line}") };
            assert!(crate::command::plan(&container.command, &[]).is_ok(), "{line}");
        }
    }

    #[test]
    fn claims() {
        for entry in language::CLAIMS.entries {
            let usage = entry.usage.replace("STATE", "exited");
            assert!(matches!(command(&usage), Command::Claim { claim: Some(_), .. }), "{usage}");
        }
        assert_eq!(command("claim all off"), Command::Claim { name: "all".into(), claim: None });
        assert!(parse("claim app odd").unwrap_err().contains("odd"));
        let text = Claim::Refused("a \u{1b}[31m".into());
        assert_eq!(
            command("claim app refused 'a {esc}[31m'"),
            Command::Claim { name: "app".into(), claim: Some(text) }
        );
    }

    #[test]
    fn errors_say_what_is_wanted() {
        assert_eq!(parse("fly"), Err("unknown command \"fly\": see --help".into()));
        assert_eq!(parse("start"), Err("usage: start CONTAINER".into()));
        assert!(parse("kill a NOPE").unwrap_err().contains("NOPE"));
        assert!(parse("run-pod web colour=red").unwrap_err().contains("colour=red"));
        assert!(parse("sleep soon").unwrap_err().contains("soon"));
        assert!(parse("create web app label=x").unwrap_err().contains("KEY=VALUE"));
        assert!(parse("create web 'app").is_err());
    }
}
