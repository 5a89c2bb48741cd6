//! Text and bytes that nobody would write: the short form of fuzz/, the same targets without a compiler's help. Each input
//! is one of the corpus, changed at random. `CRI_FUZZ_RUNS` says how many, `CRI_FUZZ_SEED` repeats a run.

#[path = "support/dice.rs"]
mod dice;
#[path = "../fuzz/src/targets.rs"]
mod targets;

use std::panic::catch_unwind;
use std::path::Path;

use criwatch::cri::proto::*;
use dice::Dice;
use prost::Message;
use targets::TARGETS;

#[test]
fn verbose_info() {
    fuzz("verbose_info");
}

#[test]
fn query() {
    fuzz("query");
}

#[test]
fn options() {
    fuzz("options");
}

#[test]
fn engine() {
    fuzz("engine");
}

/// The corpus has what these functions make, so that the fuzzer has it, too: `CRI_BLESS=1` writes it anew.
#[test]
fn the_corpus_has_the_inputs_that_are_made_here() {
    for (name, short) in [("short", true), ("long", false)] {
        let file = corpus("engine").join(name);
        if std::env::var_os("CRI_BLESS").is_some() {
            std::fs::write(&file, sequence(short)).expect("the corpus can be written");
        }
        assert!(
            std::fs::read(&file).is_ok_and(|bytes| bytes == sequence(short)),
            "{}: CRI_BLESS=1 makes it",
            file.display()
        );
    }
}

/// What happens on a small node, as `replay` reads it.
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

fn corpus(target: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

fn fuzz(name: &str) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("a target");
    let seeds: Vec<Vec<u8>> = std::fs::read_dir(corpus(name))
        .expect("a corpus")
        .map(|file| std::fs::read(file.expect("a file").path()).expect("an input"))
        .collect();
    assert!(!seeds.is_empty(), "{name}: an empty corpus");
    let number = |key: &str| std::env::var(key).ok().and_then(|n| n.parse::<u64>().ok());
    let seed = number("CRI_FUZZ_SEED").unwrap_or_else(|| std::process::id().into());
    let runs = number("CRI_FUZZ_RUNS").unwrap_or(5000);
    for seed in &seeds {
        target(seed);
    }
    let mut dice = Dice::new(seed);
    for _ in 0..runs {
        let mut input = seeds[dice.below(seeds.len())].clone();
        dice.change(&mut input, &seeds);
        if catch_unwind(|| target(&input)).is_err() {
            panic!("{name}: CRI_FUZZ_SEED={seed} repeats this; the input: {:?}", String::from_utf8_lossy(&input));
        }
    }
    println!("{name}: {runs} inputs, seed {seed}");
}
