//! A criwatch-collector that runs, and what it has written.

#![allow(dead_code)] // Each test binary uses its part.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::agent::Agent;
use super::support::wait;
use super::{Obstacle, build};

/// The program, which is built once.
pub fn program() -> Result<PathBuf, Obstacle> {
    Ok(build::agent("otelcol")?.join("criwatch-collector"))
}

/// A collector whose exporters write files.
pub struct Collector {
    pub agent: Agent,
    pub folder: TempDir,
    port: u16,
}

impl Collector {
    /// Starts one with all our components. `logs`: where the containers' logs are, as a pattern.
    pub fn start(endpoint: &str, logs: &str) -> Result<Collector, Obstacle> {
        Self::start_in(tempfile::tempdir().map_err(|error| error.to_string())?, endpoint, logs)
    }

    /// The same, in the folder of an earlier one: what that has written stays.
    pub fn start_in(folder: TempDir, endpoint: &str, logs: &str) -> Result<Collector, Obstacle> {
        let config = include_str!("otelcol.yaml").replace("ENDPOINT", endpoint).replace("LOGS", logs);
        Self::start_with(&config, folder, free_ports(1)?[0])
    }

    /// Starts one that others send to, by OTLP over gRPC, at this port.
    pub fn gateway(port: u16) -> Result<Collector, Obstacle> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        Self::start_with(include_str!("gateway.yaml"), folder, port)
    }

    fn start_with(config: &str, folder: TempDir, port: u16) -> Result<Collector, Obstacle> {
        let config = config.replace("FOLDER", &folder.path().display().to_string()).replace("PORT", &port.to_string());
        let path = folder.path().join("config.yaml");
        std::fs::write(&path, config).map_err(|error| error.to_string())?;
        let agent = Agent::start(Command::new(program()?).arg("--config").arg(&path))?;
        let mut collector = Collector { agent, folder, port };
        wait::until("the collector to listen", wait::PATIENCE, || collector.is_there())?;
        Ok(collector)
    }

    /// Ends it without a warning; its folder.
    pub fn kill(mut self) -> Result<TempDir, String> {
        self.agent.end(libc::SIGKILL)?;
        // The last line may be half written: what comes next is a line of its own.
        let logs = std::fs::File::options().append(true).open(self.folder.path().join("logs.json"));
        logs.and_then(|mut file| file.write_all(b"\n")).map_err(|error| error.to_string())?;
        Ok(self.folder)
    }

    fn is_there(&mut self) -> Result<(), String> {
        match (TcpStream::connect(("127.0.0.1", self.port)), self.agent.ended()) {
            (Ok(_), _) => Ok(()),
            (Err(error), None) => Err(error.to_string()),
            (Err(_), Some(status)) => Err(format!("it has ended: {status}: {}", self.agent.last_error())),
        }
    }

    /// Sends one log record of a resource, as an SDK does.
    pub fn send(&self, body: &str, resource: &[(&str, &str)]) -> Result<(), String> {
        send(self.port, body, resource)
    }

    /// The log records that it has written.
    pub fn logs(&self) -> Vec<Entry> {
        read(&self.folder.path().join("logs.json"), "resourceLogs", "scopeLogs", "logRecords")
    }

    /// Waits for a log record that fits.
    pub fn log(&mut self, what: &str, fits: impl Fn(&Entry) -> bool) -> Result<Entry, String> {
        wait::until(what, wait::PATIENCE, || {
            let entries = self.logs();
            let told = || entries.iter().map(|e| format!("{} {} {}", e.name, e.body, e.resource)).collect::<Vec<_>>();
            entries
                .iter()
                .find(|entry| fits(entry))
                .cloned()
                .ok_or_else(|| format!("{}\n{}", told().join("\n"), self.agent.last_error()))
        })
    }

    /// Waits for the end of a container with this name.
    pub fn exited(&mut self, container: &str) -> Result<Entry, String> {
        let fits = |e: &Entry| e.name == "criwatch.container.exited" && e.of("k8s.container.name") == container;
        self.log(&format!("the end of {container}"), fits)
    }

    /// Waits for a metric of this name, of a container; "": of the node.
    pub fn metric(&mut self, name: &str, container: &str) -> Result<Entry, String> {
        let path = self.folder.path().join("metrics.json");
        wait::until(name, wait::PATIENCE, || {
            let entries = read(&path, "resourceMetrics", "scopeMetrics", "metrics");
            let of = |entry: &&Entry| entry.whole["name"] == name && entry.of("k8s.container.name") == container;
            entries.iter().find(of).cloned().ok_or_else(|| self.agent.last_error())
        })
    }
}

/// Sends one log record of a resource to an OTLP receiver (HTTP) of this machine.
pub fn send(port: u16, body: &str, resource: &[(&str, &str)]) -> Result<(), String> {
    let attributes: Vec<_> =
        resource.iter().map(|(key, value)| json!({"key": key, "value": {"stringValue": value}})).collect();
    let logs = json!({"resourceLogs": [{
        "resource": {"attributes": attributes},
        "scopeLogs": [{"logRecords": [{"body": {"stringValue": body}}]}],
    }]});
    let body = logs.to_string();
    let head =
        format!("POST /v1/logs HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    let reply = request(port, &head, &body).map_err(|error| error.to_string())?;
    if reply.starts_with("HTTP/1.1 200 ") { Ok(()) } else { Err(reply) }
}

/// The status that a probe gets.
pub fn status(port: u16) -> Result<String, String> {
    let reply = request(port, "GET / HTTP/1.1\r\n", "").map_err(|error| error.to_string())?;
    Ok(reply.split(' ').nth(1).unwrap_or_default().to_owned())
}

fn request(port: u16, head: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    write!(stream, "{head}Host: localhost\r\nConnection: close\r\n\r\n{body}")?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    Ok(reply)
}

/// Free ports; all are held until all are found.
pub fn free_ports(count: usize) -> Result<Vec<u16>, String> {
    let listen = |_| TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string());
    let listeners = (0..count).map(listen).collect::<Result<Vec<_>, _>>()?;
    let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
    listeners.iter().map(port).collect::<Result<_, _>>().map_err(|error| error.to_string())
}

/// A log record or metric, and the attributes of its resource.
#[derive(Clone)]
pub struct Entry {
    pub name: String,
    pub body: String,
    pub resource: Value,
    pub attributes: Value,
    pub whole: Value,
}

impl Entry {
    /// An attribute of the resource; "" where there is none.
    pub fn of(&self, key: &str) -> &str {
        self.resource[key].as_str().unwrap_or_default()
    }
}

/// What the file exporter has written: a line of OTLP's JSON for each batch.
fn read(path: &Path, resources: &str, scopes: &str, entries: &str) -> Vec<Entry> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    // The last line may be half written.
    let batches = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut found = Vec::new();
    for batch in batches {
        for resource in list(&batch[resources]) {
            for scope in list(&resource[scopes]) {
                found.extend(list(&scope[entries]).iter().map(|one| Entry {
                    name: one["eventName"].as_str().unwrap_or_default().into(),
                    body: one["body"]["stringValue"].as_str().unwrap_or_default().into(),
                    resource: flat(&resource["resource"]["attributes"]),
                    attributes: flat(&one["attributes"]),
                    whole: one.clone(),
                }));
            }
        }
    }
    found
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// OTLP's list of attributes as an object: {"key": value}.
fn flat(attributes: &Value) -> Value {
    let plain = |one: &Value| one["value"].as_object().and_then(|typed| typed.values().next()).cloned();
    let pairs = list(attributes).iter();
    pairs.map(|one| (one["key"].as_str().unwrap_or_default().to_owned(), plain(one).unwrap_or_default())).collect()
}
