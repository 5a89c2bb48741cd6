//! Text and bytes that nobody would write: the short form of fuzz/, the same targets without a compiler's help. Each input
//! is one of the corpus, changed at random. `CRI_FUZZ_RUNS` says how many, `CRI_FUZZ_SEED` repeats a run.

#[path = "support/dice.rs"]
mod dice;
#[path = "../fuzz/src/targets.rs"]
mod targets;

use std::panic::catch_unwind;
use std::path::Path;

use criwatch::cri::proto::*;
use criwatch::cri::wire;
use criwatch::model::State;
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

/// What stands for random bytes in the strings of a message: no number is made of it.
const HOLE: u8 = b'Q';
const SHORTEST_HOLE: usize = 4;

/// Random bytes in every string of every message: all items are there, and each is one that can be shown.
#[test]
fn whatever_the_bytes_of_strings_are_every_item_is_read() {
    let number = |key: &str| std::env::var(key).ok().and_then(|n| n.parse::<u64>().ok());
    let seed = number("CRI_FUZZ_SEED").unwrap_or_else(|| std::process::id().into());
    let runs = number("CRI_FUZZ_RUNS").unwrap_or(5000) / 10;
    println!("CRI_FUZZ_SEED={seed}");
    let mut dice = Dice::new(seed);
    for _ in 0..runs {
        let (containers, sandboxes) = (1 + dice.below(5), 1 + dice.below(5));
        let list = ListContainersResponse { containers: (0..containers).map(|_| container(&mut dice)).collect() };
        let pods = ListPodSandboxResponse { items: (0..sandboxes).map(|_| sandbox(&mut dice)).collect() };
        let listing = wire::listing(&filled(&list, &mut dice), &filled(&pods, &mut dice)).expect("two lists");
        assert_eq!((listing.containers.len(), listing.sandboxes.len()), (containers, sandboxes));
        assert!(listing.unreadable.is_empty() && listing.is_complete(), "{:?}", listing.unreadable);

        let event = ContainerEventResponse {
            container_id: hole(&mut dice),
            created_at: 1,
            pod_sandbox_status: Some(sandbox_status(&mut dice)),
            containers_statuses: (0..containers).map(|_| container_status(&mut dice)).collect(),
            ..Default::default()
        };
        let event = wire::event(&filled(&event, &mut dice)).expect("an event");
        assert_eq!((event.containers.len(), event.sandbox.is_some()), (containers, true));
        assert!(event.unreadable.is_empty(), "{:?}", event.unreadable);

        let info = || [("QQQQQQ".to_owned(), r#"{"pid":7,"config":{"image":{"image":"QQQQQ"}}}"#.to_owned())].into();
        let reply = ContainerStatusResponse { status: Some(container_status(&mut dice)), info: info() };
        let status = wire::container_status(&filled(&reply, &mut dice)).expect("a status");
        assert_eq!((status.state, status.started_at), (State::Exited, Some(2)));
        let reply = PodSandboxStatusResponse {
            status: Some(sandbox_status(&mut dice)),
            info: info(),
            containers_statuses: vec![container_status(&mut dice)],
            ..Default::default()
        };
        let status = wire::sandbox_status(&filled(&reply, &mut dice)).expect("a status");
        assert_eq!(status.pod.expect("a pod").attempt, 3);
    }
}

/// A string to be filled.
fn hole(dice: &mut Dice) -> String {
    char::from(HOLE).to_string().repeat(SHORTEST_HOLE + dice.below(8))
}

fn holes(dice: &mut Dice) -> std::collections::HashMap<String, String> {
    (0..dice.below(4)).map(|_| (hole(dice), hole(dice))).collect()
}

/// The message's bytes, with random ones in every hole.
fn filled(message: &impl Message, dice: &mut Dice) -> Vec<u8> {
    let mut bytes = message.encode_to_vec();
    let runs: Vec<&mut [u8]> = bytes.chunk_by_mut(|a, b| (*a == HOLE) == (*b == HOLE)).collect();
    for run in runs.into_iter().filter(|run| run[0] == HOLE && run.len() >= SHORTEST_HOLE) {
        run.fill_with(|| dice.below(256) as u8);
    }
    bytes
}

fn image(dice: &mut Dice) -> Option<ImageSpec> {
    Some(ImageSpec {
        image: hole(dice),
        user_specified_image: hole(dice),
        runtime_handler: hole(dice),
        image_ref: hole(dice),
        annotations: holes(dice),
    })
}

fn container(dice: &mut Dice) -> Container {
    Container {
        id: hole(dice),
        pod_sandbox_id: hole(dice),
        metadata: Some(ContainerMetadata { name: hole(dice), attempt: 1 }),
        image: image(dice),
        image_ref: hole(dice),
        state: 1,
        created_at: 1,
        labels: holes(dice),
        annotations: holes(dice),
        image_id: hole(dice),
    }
}

fn container_status(dice: &mut Dice) -> ContainerStatus {
    let mount = Mount { container_path: hole(dice), host_path: hole(dice), ..Default::default() };
    let linux = LinuxContainerResources { cpuset_cpus: hole(dice), cpuset_mems: hole(dice), ..Default::default() };
    ContainerStatus {
        id: hole(dice),
        metadata: Some(ContainerMetadata { name: hole(dice), attempt: 1 }),
        state: 2,
        created_at: 1,
        started_at: 2,
        finished_at: 3,
        image: image(dice),
        image_ref: hole(dice),
        reason: hole(dice),
        message: hole(dice),
        labels: holes(dice),
        annotations: holes(dice),
        mounts: vec![mount],
        log_path: hole(dice),
        resources: Some(ContainerResources { linux: Some(linux), ..Default::default() }),
        image_id: hole(dice),
        ..Default::default()
    }
}

fn metadata(dice: &mut Dice) -> Option<PodSandboxMetadata> {
    Some(PodSandboxMetadata { name: hole(dice), uid: hole(dice), namespace: hole(dice), attempt: 3 })
}

fn sandbox(dice: &mut Dice) -> PodSandbox {
    PodSandbox {
        id: hole(dice),
        metadata: metadata(dice),
        labels: holes(dice),
        annotations: holes(dice),
        runtime_handler: hole(dice),
        ..Default::default()
    }
}

fn sandbox_status(dice: &mut Dice) -> PodSandboxStatus {
    let network = PodSandboxNetworkStatus { ip: hole(dice), additional_ips: vec![PodIp { ip: hole(dice) }] };
    PodSandboxStatus {
        id: hole(dice),
        metadata: metadata(dice),
        network: Some(network),
        labels: holes(dice),
        annotations: holes(dice),
        runtime_handler: hole(dice),
        ..Default::default()
    }
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
