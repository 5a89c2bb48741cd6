//! Text and bytes that nobody would write: the short form of fuzz/, the same targets without a compiler's help. Each input
//! is one of a few good ones, changed at random. `CRI_FUZZ_RUNS` says how many, `CRI_FUZZ_SEED` repeats a run.

use std::panic::catch_unwind;

use criwatch::config::Config;
use criwatch::cri::proto::*;
use criwatch::cri::wire;
use criwatch::portfolio::Query;
use criwatch::sync::replay;
use prost::Message;

#[test]
fn verbose_information() {
    let seeds: &[&str] = &[
        r#"{"sandboxID":"abc","pid":4711,"runtimeSpec":{"process":{"env":["A=b","C"]}}}"#,
        r#"{"config":{"envs":[{"key":"A","value":"b"}]},"pid":-1,"x":[[[[[1e999]]]]]}"#,
        r#""\ud800" {"pid":1.5,"env":[{"value":null}],"envs":["A=b"]}"#,
    ];
    fuzz("verbose information", &texts(seeds), |bytes| {
        if let Ok(text) = std::str::from_utf8(bytes) {
            let shown = wire::verbose_info(text);
            serde_json::from_str::<serde_json::Value>(&shown).expect("what is shown is JSON");
        }
    });
}

#[test]
fn queries_and_selectors() {
    let seeds: &[&str] = &[
        r#"{"states":["running","exited"],"kind":"container","namespace":"shop","fields":["id","pid"]}"#,
        r#"{"all":true,"selector":"app=web,tier!=db,!x,y,weight>5,z in (a,b),q notin (c)","ifGeneration":7}"#,
        r#"{"pod":"web","uid":"u","name":"nginx","selector":"a==b , c < -9223372036854775808"}"#,
    ];
    fuzz("queries", &texts(seeds), |bytes| {
        if let Ok(text) = std::str::from_utf8(bytes) {
            // An error is as good as a query.
            let _ = Query::parse(Some(text));
            let _ = Query::parse(Some(&serde_json::json!({ "selector": text }).to_string()));
        }
    });
}

#[test]
fn options() {
    let seeds: &[&str] = &["relist.interval_ms=60000", "events=auto", "engine.id=\u{0}x", "message.max_bytes=1e9", "="];
    fuzz("options", &texts(seeds), |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let (key, value) = text.split_once('=').unwrap_or((&text, ""));
        let mut config = Config::default();
        if let Err(error) = config.set(key, value) {
            assert!(!error.message().is_empty());
        }
        let _ = config.set("relist.interval_ms", value);
        let _ = config.set("pid.source", value);
    });
}

#[test]
fn engines() {
    fuzz("sequences of an engine's messages", &[sequence(false), sequence(true)], replay);
}

/// A small node's life, as `replay` reads it.
fn sequence(short: bool) -> Vec<u8> {
    let (time, later) = (1_700_000_000_000_000_000_i64, 1_700_000_001_000_000_000_i64);
    let status = |state: i32| ContainerStatus {
        id: "c1".into(),
        metadata: Some(ContainerMetadata { name: "app".into(), attempt: 1 }),
        state,
        created_at: later,
        started_at: later,
        finished_at: if state == 2 { later + 5 } else { 0 },
        ..Default::default()
    };
    let event = |kind: i32, state: i32| ContainerEventResponse {
        container_id: "c1".into(),
        container_event_type: kind,
        created_at: later,
        pod_sandbox_status: Some(PodSandboxStatus { id: "p1".into(), created_at: time, ..Default::default() }),
        containers_statuses: vec![status(state)],
    };
    let listed =
        Container { id: "c0".into(), pod_sandbox_id: "p1".into(), state: 1, created_at: time, ..Default::default() };
    let list = ListContainersResponse { containers: vec![listed] }.encode_to_vec();
    let info = [("info".to_owned(), r#"{"pid":7,"sandboxID":"p1"}"#.to_owned())].into();
    let answer = ContainerStatusResponse { status: Some(status(1)), info }.encode_to_vec();
    let mut bytes = Vec::new();
    let mut piece = |what: u8, message: &[u8]| {
        bytes.extend([what, message.len() as u8]);
        bytes.extend(message);
    };
    piece(0, &[]);
    piece(3, &list);
    piece(6, &[200]);
    piece(1, &event(1, 1).encode_to_vec());
    piece(4, &answer);
    if !short {
        piece(6, &[10]);
        piece(1, &event(2, 2).encode_to_vec());
        piece(7, &[1]);
        piece(3, &list);
        piece(2, &event(3, 2).encode_to_vec());
        piece(3, &[]);
        piece(6, &[250]);
    }
    bytes
}

fn texts(seeds: &[&str]) -> Vec<Vec<u8>> {
    seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect()
}

fn fuzz(name: &str, seeds: &[Vec<u8>], target: impl Fn(&[u8]) + std::panic::RefUnwindSafe) {
    let number = |key: &str| std::env::var(key).ok().and_then(|n| n.parse::<u64>().ok());
    let seed = number("CRI_FUZZ_SEED").unwrap_or_else(|| std::process::id().into());
    let runs = number("CRI_FUZZ_RUNS").unwrap_or(5000);
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    for seed in seeds {
        target(seed);
    }
    for _ in 0..runs {
        let input = dice.change(seeds);
        if catch_unwind(|| target(&input)).is_err() {
            panic!("{name}: CRI_FUZZ_SEED={seed} repeats this; the input: {:?}", String::from_utf8_lossy(&input));
        }
    }
    println!("{name}: {runs} inputs, seed {seed}");
}

/// Marsaglia's xorshift: it only has to be varied.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }

    fn change(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = seeds[self.below(seeds.len())].clone();
        for _ in 0..1 + self.below(8) {
            let at = self.below(input.len());
            let end = (at + 1 + self.below(16)).min(input.len());
            match self.below(6) {
                0 if !input.is_empty() => input[at] ^= 1 << self.below(8),
                1 => input.insert(at, self.below(256) as u8),
                2 if at < end => drop(input.drain(at..end)),
                3 if at < end => {
                    let copy = input[at..end].to_vec();
                    let to = self.below(input.len());
                    input.splice(to..to, copy);
                }
                4 => {
                    let other = &seeds[self.below(seeds.len())];
                    let from = self.below(other.len());
                    input.truncate(at);
                    input.extend(&other[from..]);
                }
                _ if !input.is_empty() => input[at] = [0, 0x7f, 0x80, 0xff, b'[', b'"', b'\\', b'{'][self.below(8)],
                _ => {}
            }
        }
        input
    }
}
