//! A realistic node for tests: pods of one deployment whose names differ only at the end, crashes, jobs, other scripts;
//! and golden screens.

use std::path::PathBuf;
use std::sync::Arc;

use criwatch::model::{CRI_MISSING_EXIT, Container, Exit, Kind, Pod, PodState, State};

use crate::text::width_of;

pub const SECOND: i64 = 1_000_000_000;
pub const NOW: i64 = 1_700_000_000 * SECOND;

/// The terminal widths that are tested.
pub const WIDTHS: [usize; 4] = [40, 80, 120, 200];

/// A pod with its containers.
pub type PodWith = (Arc<Pod>, Vec<Arc<Container>>);

fn id(number: u128) -> String {
    let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    format!("{mixed:064x}").chars().rev().collect()
}

pub fn pod(number: u128, namespace: &str, name: &str) -> Pod {
    let mut pod = Pod::new(id(number).into());
    (pod.name, pod.namespace, pod.uid) = (name.into(), namespace.into(), format!("uid-{number}").into());
    pod.state = PodState::Ready;
    pod.ips = [Arc::from("10.244.1.17")].into();
    pod
}

/// A running container, started so many seconds ago.
pub fn container(number: u32, pod: &Arc<Pod>, name: &str, age: i64) -> Container {
    let mut c = Container::new(id(100 + u128::from(number)).into(), Kind::Container);
    (c.name, c.pod, c.state) = (name.into(), Some(pod.clone()), State::Running);
    c.pid = Some(4700 + number as i32);
    c.image.name = format!("registry.example/team/{name}:1.27.{number}").into();
    c.created_at = Some(NOW - (age + 2) * SECOND);
    c.started_at = Some(NOW - age * SECOND);
    c
}

pub fn sandbox(number: u32, pod: &Arc<Pod>, age: i64) -> Container {
    let mut c = Container::new(pod.id.clone(), Kind::Sandbox);
    (c.name, c.pod) = (pod.name.clone(), Some(pod.clone()));
    c.state = if pod.state == PodState::Ready { State::Running } else { State::Exited };
    c.pid = Some(4600 + number as i32);
    c.created_at = Some(NOW - age * SECOND);
    c
}

pub fn ended(mut c: Container, attempt: u32, exit: Option<(i32, &str)>) -> Container {
    (c.state, c.pid, c.attempt) = (State::Exited, None, attempt);
    c.finished_at = Some(NOW - 42 * SECOND);
    match exit {
        Some((code, reason)) => {
            let mut how = Exit::gone();
            (how.code, how.reason) = (Some(code), reason.into());
            c.exit = Some(how);
        }
        None => c.missing = CRI_MISSING_EXIT,
    }
    c
}

fn attempt(mut c: Container, attempt: u32) -> Container {
    c.attempt = attempt;
    c
}

pub fn node() -> Vec<PodWith> {
    let web: Vec<Arc<Pod>> = [(1, "x2x7q"), (2, "9k4zt")]
        .map(|(number, end)| Arc::new(pod(number, "shop", &format!("web-frontend-5d9c7b6f4-{end}"))))
        .into();
    let long = Arc::new(pod(3, "observability-platform", "prometheus-kube-state-metrics-collector-7f8c9d6b54-qwert"));
    let mut wide = pod(4, "店舗", "決済サービス-7c9b-ｋ8ｚｑ");
    wide.ips = Arc::default();
    let wide = Arc::new(wide);
    let mut job = pod(5, "batch", "report-28311840-t5hvw");
    job.state = PodState::NotReady;
    let job = Arc::new(job);
    let mut system = pod(6, "kube-system", "kube-proxy-b9d7m");
    system.ips = [Arc::from("2001:db8:85a3::8a2e:370:7334")].into();
    let system = Arc::new(system);
    let mut pay = container(9, &wide, "決済", 58);
    pay.image.name = "例え.example/決済:最新".into();
    let in_pods = [
        (&system, 500_000, vec![container(1, &system, "kube-proxy", 500_000)]),
        (
            &long,
            90_061,
            vec![
                container(2, &long, "kube-state-metrics-and-a-rather-long-name-for-a-container", 90_000),
                attempt(container(3, &long, "config-reloader", 300), 12),
                ended(container(4, &long, "config-reloader", 600), 11, Some((137, "OOMKilled"))),
            ],
        ),
        (
            &web[0],
            3_700,
            vec![container(5, &web[0], "nginx", 3_661), container(6, &web[0], "envoy-sidecar-proxy", 3_660)],
        ),
        (
            &web[1],
            125,
            vec![
                container(7, &web[1], "nginx", 121),
                ended(container(8, &web[1], "envoy-sidecar-proxy", 5), 3, Some((1, "Error"))),
            ],
        ),
        (&wide, 59, vec![pay, container(10, &wide, "💳-cache", 7)]),
        (&job, 400, vec![ended(container(11, &job, "main", 380), 0, None)]),
    ];
    let with = |(number, (pod, age, inside)): (usize, (&Arc<Pod>, i64, Vec<Container>))| {
        let all = std::iter::once(sandbox(number as u32, pod, age)).chain(inside);
        (pod.clone(), all.map(Arc::new).collect())
    };
    in_pods.into_iter().enumerate().map(with).collect()
}

/// The containers of the sample node, without sandboxes.
pub fn containers() -> Vec<Arc<Container>> {
    let all = node().into_iter().flat_map(|(_, containers)| containers);
    all.filter(|one| one.kind == Kind::Container).collect()
}

/// Compares the drawing at each width with tests/golden; CRI_BLESS=1 writes it anew. Nothing may be wider than the
/// terminal.
pub fn golden(name: &str, draw: impl Fn(usize) -> String) {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden"));
    for width in WIDTHS {
        let screen = draw(width) + "\n";
        for line in screen.lines() {
            assert!(width_of(line) <= width, "{name} at {width}: {line}");
        }
        let path = folder.join(format!("{name}-{width}.txt"));
        if std::env::var_os("CRI_BLESS").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &screen).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(screen, committed, "{} (CRI_BLESS=1 writes it anew)", path.display());
    }
}

/// The screens in docs/command.md are those that are drawn.
#[test]
fn the_screens_of_the_documents_are_golden() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("../docs/command.md")).unwrap();
    let golden = std::fs::read_dir(root.join("tests/golden")).unwrap();
    let golden: Vec<String> = golden.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    // Every second part is code. A shell's output is marked.
    let screens: Vec<&str> = page.split("```").skip(1).step_by(2).filter_map(|code| code.strip_prefix('\n')).collect();
    assert!(screens.len() > 4, "{screens:?}");
    for screen in screens {
        assert!(golden.iter().any(|drawn| drawn.contains(screen)), "docs/command.md: no test draws\n{screen}");
    }
}
