//! Every kind of JSON that the library writes, as it writes it of a simulated engine, obeys its committed schema.

#[path = "support/schema.rs"]
mod schema;
#[path = "support/sim.rs"]
mod sim;

use std::fs;
use std::time::Duration;

use criwatch::config::{Config, describe};
use criwatch::error::Result;
use criwatch::hub::{EventQueue, Next};
use criwatch::model::{ALL_MASK, CRI_ENGINE_FOUND, JsonText, json as written};
use criwatch::watcher::{EngineNews, Finder, NextEngine, Watcher, engines};
use serde_json::{Value, json};

const PATIENCE: Option<Duration> = Some(Duration::from_secs(60));

fn obey(text: &JsonText) -> Value {
    schema::obey(text.as_str()).unwrap_or_else(|e| panic!("{e}"))
}

/// The answer, which is no error and no note.
fn given(answer: Result<Option<JsonText>>) -> JsonText {
    answer.expect("no error").expect("an answer")
}

/// Reads events until one of this type is about a container of this name; all have to obey.
fn read_until(queue: &EventQueue, event_type: &str, name: &str) -> Value {
    loop {
        let Next::Event(event) = queue.next(PATIENCE) else {
            panic!("no {event_type} of {name}");
        };
        let value = obey(&written::event(&event, queue.view()));
        if value["type"] == event_type && value["container"]["name"] == name {
            return value;
        }
    }
}

/// An engine where containerd listens, on a node of our own: the answer to a search, and the news of a finder.
fn find_an_engine() {
    let root = tempfile::tempdir().unwrap();
    let socket = root.path().join("run/containerd/containerd.sock");
    fs::create_dir_all(socket.parent().unwrap()).unwrap();
    let _sim = sim::Sim::start_at(&socket, &[]).expect("a simulated engine");
    let mut config = Config::default();
    config.set("host.root", root.path().to_str().unwrap()).unwrap();
    let found = obey(&engines(&config, PATIENCE).unwrap().json());
    assert_eq!(found["engines"][0]["api"], json!(format!("unix://{}", socket.display())), "{found}");
    let finder = Finder::new(config).unwrap();
    let Ok(NextEngine::News(EngineNews::Found(candidate))) = finder.next(PATIENCE) else {
        panic!("no engine was found");
    };
    obey(&written::engine_news(CRI_ENGINE_FOUND, &candidate));
    finder.stop();
}

#[test]
fn every_kind_obeys_its_schema() {
    let mut sim = sim::Sim::start(&[]).expect("a simulated engine");
    let mut tell = |line: &str| sim.make(line).unwrap_or_else(|e| panic!("{e}"));
    tell("pod web ns=shop label=app=web annotation=note=x nginx proxy");
    tell("run-pod job ns=batch host-network");
    tell("create job waiting");
    tell("create job brief -- sh -c 'exit 3'");
    tell("create job broken -- no-such-program");
    for labels in ["merged", "separate"] {
        let mut config = Config::default();
        config.set("labels.annotations", labels).unwrap();
        let watcher = Watcher::new(Some(sim.endpoint()), config).unwrap();
        obey(&watcher.engine_info().unwrap());
        obey(&watcher.stats().unwrap());
        let queue = watcher.subscribe(ALL_MASK, 0, 0).unwrap();
        watcher.start().unwrap();
        watcher.wait_ready(PATIENCE).unwrap();

        obey(&given(watcher.list(None)));
        obey(&given(watcher.pods(None)));
        let all = r#"{"all":true,"gone":true}"#;
        let listed = obey(&given(watcher.list(Some(all))));
        obey(&given(watcher.pods(Some(all))));
        let some = obey(&given(watcher.list(Some(r#"{"fields":["pid","missing"]}"#))));
        assert!(some["containers"][0]["labels"].is_null() && some["containers"][0]["id"].is_string());
        let with = obey(&given(watcher.list(Some(r#"{"attributes":"otel","kind":"container"}"#))));
        assert_eq!(with["containers"][0]["attributes"]["k8s.container.name"], with["containers"][0]["name"]);
        let with = obey(&given(watcher.pods(Some(r#"{"attributes":"falco","fields":["attributes"]}"#))));
        assert_eq!(with["pods"][0]["containers"][0]["attributes"]["k8s.ns.name"], with["pods"][0]["namespace"]);
        assert!(listed["containers"][0]["attributes"].is_null(), "{listed}");
        for container in listed["containers"].as_array().unwrap() {
            let id = container["id"].as_str().unwrap();
            obey(&watcher.get(id).unwrap());
            obey(&watcher.inspect(id, 0, PATIENCE).unwrap());
        }
        obey(&watcher.engine_info().unwrap());
        obey(&watcher.stats().unwrap());

        if labels == "merged" {
            sim.tell("start brief").unwrap();
            assert!(sim.tell("start broken").is_err(), "it cannot be started");
            assert_eq!(read_until(&queue, "exited", "brief")["container"]["exitCode"], 3);
            // The engine sends no event for a failed start.
            watcher.resync(PATIENCE).unwrap();
            let flags = read_until(&queue, "exited", "broken")["flags"].take();
            watcher.attach("nginx", Some(r#"{"any": [1, null, "x"]}"#)).unwrap();
            let updated = read_until(&queue, "updated", "nginx");
            assert_eq!(updated["container"]["rucksack"], json!({"any": [1, null, "x"]}));
            obey(&given(watcher.list(None)));
            assert!(flags.as_array().unwrap().contains(&json!("neverStarted")), "{flags}");
        }
        watcher.stop().unwrap();
        while let Next::Event(event) = queue.next(PATIENCE) {
            obey(&written::event(&event, queue.view()));
        }
    }
    schema::obey(&describe()).unwrap();
    find_an_engine();
    let unseen: Vec<_> = schema::seen().into_iter().filter(|(_, times)| *times == 0).collect();
    assert!(unseen.is_empty(), "never written here: {unseen:?}");
}

/// The option is for JSON of every kind; a query stands above it.
#[test]
fn attributes_are_shown_where_they_are_asked_for() {
    let mut sim = sim::Sim::start(&[]).expect("a simulated engine");
    sim.make("pod web ns=shop nginx").unwrap_or_else(|e| panic!("{e}"));
    let mut config = Config::default();
    config.set("attributes", "ecs").unwrap();
    let watcher = Watcher::new(Some(sim.endpoint()), config).unwrap();
    let queue = watcher.subscribe(ALL_MASK, 0, 0).unwrap();
    watcher.start().unwrap();
    watcher.wait_ready(PATIENCE).unwrap();
    let started = read_until(&queue, "started", "nginx");
    let inspected = obey(&watcher.inspect("nginx", 0, PATIENCE).unwrap());
    let got = obey(&watcher.get("nginx").unwrap());
    let list = |query: &str| obey(&given(watcher.list(Some(query))))["containers"][0].take();
    let ecs = ["kubernetes.namespace", "shop"];
    for container in [
        &started["container"],
        &inspected["container"],
        &got["container"],
        &list(r#"{"name":"nginx"}"#),
        &list(r#"{"name":"nginx","attributes":"ecs"}"#),
    ] {
        assert_eq!(container["attributes"][ecs[0]], ecs[1], "{container}");
    }
    let otel = list(r#"{"name":"nginx","attributes":"otel"}"#);
    assert_eq!(
        (&otel["attributes"]["k8s.namespace.name"], &otel["attributes"][ecs[0]]),
        (&json!("shop"), &json!(null))
    );
    assert!(list(r#"{"name":"nginx","attributes":"none"}"#)["attributes"].is_null());
    assert_eq!(
        list(r#"{"name":"nginx"}"#)["attributes"][ecs[0]],
        ecs[1],
        "what a query asks for changes no other answer"
    );
    watcher.stop().unwrap();
}

#[test]
fn what_does_not_obey_is_seen() {
    let base = r#""schema":"criwatch.event/1","type":"state","seq":1,"generation":1,"time":"2026-01-01T00:00:00Z","observed":"2026-01-01T00:00:00Z""#;
    for (rest, fault) in [
        (r#""state":"watching""#, None),
        (r#""state":"sleeping""#, Some("sleeping")),
        (r#""state":"watching","mood":1"#, Some("mood")),
        (r#""state":"watching","flags":["loud"]"#, Some("loud")),
        (r#""state":"watching","container":{}"#, Some("required")),
        (r#""state":"watching","message":null"#, Some("null")),
    ] {
        let outcome = schema::obey(&format!("{{{base},{rest}}}"));
        match fault {
            None => assert!(outcome.is_ok(), "{outcome:?}"),
            Some(fault) => assert!(outcome.is_err_and(|e| e.contains(fault)), "{rest}"),
        }
    }
    assert!(schema::obey(r#"{"schema":"criwatch.nothing/1"}"#).is_err());
    assert!(schema::obey("{}").is_err());
}
