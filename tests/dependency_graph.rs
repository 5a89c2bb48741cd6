//! The crates beneath the library, development included, hold no gRPC or HTTP server (one changes the status codes
//! that tonic's client gives), no TLS, and nothing that would be a logger to the whole process.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};

/// (crate, features that must be off); no features: the crate must not be there at all.
const UNWANTED: &[(&str, &[&str])] = &[
    ("tonic", &["server", "router", "transport", "tls-ring", "tls-aws-lc", "tls-native-roots", "tls-webpki-roots"]),
    ("hyper", &["server"]),
    ("hyper-util", &["server", "server-auto", "server-graceful"]),
    ("axum", &[]),
    ("rustls", &[]),
    ("openssl-sys", &[]),
    ("env_logger", &[]),
    ("tracing-subscriber", &[]),
];

#[test]
fn no_server_no_tls_no_logger() {
    let metadata = metadata();
    let graph = features(&metadata);
    assert!(graph.contains_key("tonic") && graph.contains_key("hyper"), "the graph is the library's: {graph:?}");
    assert_eq!(unwanted(&graph), Vec::<String>::new());
}

#[test]
fn unwanted_crates_and_features_are_seen() {
    let graph = |nodes: Value| unwanted(&features(&json!({"resolve": {"nodes": nodes}})));
    let node = |id: &str, features: &[&str]| json!({"id": id, "features": features});
    assert_eq!(graph(json!([node("registry+x#tonic@0.14.9", &["channel", "codegen"])])), Vec::<String>::new());
    assert_eq!(graph(json!([node("registry+x#tonic@0.14.9", &["channel", "server"])])), ["tonic: feature server"]);
    assert_eq!(graph(json!([node("registry+x#axum@0.8.1", &[])])), ["axum"]);
    // Two versions of one crate: either counts.
    let twice = json!([node("registry+x#hyper@1.0.0", &["server"]), node("registry+x#hyper@0.14.0", &[])]);
    assert_eq!(graph(twice), ["hyper: feature server"]);
}

fn unwanted(graph: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut found = Vec::new();
    for (name, off) in UNWANTED {
        let Some(on) = graph.get(*name) else { continue };
        if off.is_empty() {
            found.push((*name).to_owned());
        }
        found.extend(off.iter().filter(|f| on.iter().any(|o| o == *f)).map(|f| format!("{name}: feature {f}")));
    }
    found
}

/// Every crate of the resolved graph with the features that are on in it.
fn features(metadata: &Value) -> BTreeMap<String, Vec<String>> {
    let mut graph = BTreeMap::<String, Vec<String>>::new();
    for node in metadata["resolve"]["nodes"].as_array().expect("cargo metadata resolves the graph") {
        let id = node["id"].as_str().expect("a node has an id");
        // registry+...#name@version, or path+...#version for ourselves.
        let name = id.rsplit('#').next().and_then(|tail| tail.split_once('@')).map_or(id, |(name, _)| name);
        let on = node["features"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
        graph.entry(name.to_owned()).or_default().extend(on);
    }
    graph
}

/// Cargo's metadata of the graph, for the platform it builds on, so that nothing needs to be downloaded for this.
fn metadata() -> Value {
    let version = output(Command::new("rustc").arg("-vV"));
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host");
    let json = output(
        Command::new(std::env::var_os("CARGO").expect("cargo runs the tests"))
            .args(["metadata", "--format-version", "1", "--locked", "--offline", "--all-features"])
            .args(["--filter-platform", host])
            .current_dir(env!("CARGO_MANIFEST_DIR")),
    );
    serde_json::from_str(&json).expect("cargo metadata is JSON")
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("its output is text")
}
