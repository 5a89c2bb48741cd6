use super::*;

const GO_ZERO_TIME: i64 = -6_795_364_578_871_345_152;
const LIMITS: Limits = Limits { labels_max: 1 << 20 };

#[test]
fn garbage_times_are_unknown() {
    let pod = sandbox_status(wire::PodSandboxStatus { created_at: GO_ZERO_TIME, ..Default::default() }, LIMITS);
    assert_eq!(pod.created_at, None);
    let c = wire::ContainerStatus { state: 2, started_at: GO_ZERO_TIME, finished_at: 0, ..Default::default() };
    let c = container_status(c, None, LIMITS);
    assert_eq!((c.started_at, c.finished_at), (None, None));
}

#[test]
fn exit_facts_are_only_those_of_the_exited() {
    let running = wire::ContainerStatus { state: 1, finished_at: 7, exit_code: 1, ..Default::default() };
    let running = container_status(running, None, LIMITS);
    assert_eq!((running.finished_at, running.exit), (None, None));
    let unknown_code = wire::ContainerStatus { state: 2, exit_code: -1, ..Default::default() };
    assert_eq!(container_status(unknown_code, None, LIMITS).exit.unwrap().code, None);
}

#[test]
fn states_that_are_not_in_the_contract_are_unknown() {
    let container = wire::Container { state: 99, ..Default::default() }.encode_to_vec();
    assert_eq!(listed_container(container.into(), LIMITS).unwrap().state, State::Unknown);
    let sandbox = wire::PodSandbox { state: 99, ..Default::default() }.encode_to_vec();
    assert_eq!(listed_sandbox(sandbox.into(), LIMITS).unwrap().state, State::Unknown);
}

#[test]
fn a_pod_has_all_its_addresses() {
    let network = wire::PodSandboxNetworkStatus {
        ip: "10.0.0.7".into(),
        additional_ips: vec![wire::PodIp { ip: "fd00::7".into() }],
    };
    let status = wire::PodSandboxStatus { network: Some(network), ..Default::default() };
    let pod = sandbox_status(status, LIMITS).pod.unwrap();
    assert_eq!(pod.ips.iter().map(|ip| &**ip).collect::<Vec<_>>(), ["10.0.0.7", "fd00::7"]);
}

#[test]
fn image_names_are_distinguished_by_their_shape() {
    let hash = "ab".repeat(32);
    let digest = format!("sha256:{hash}");
    let reference = format!("repo/app@{digest}");
    let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    let spec = |image: &str| Some(wire::ImageSpec { image: bytes(image), ..Default::default() });
    for (name, image_ref, image_id, is) in [
        // containerd: a list, the status of an image with a repository digest, and the status of one without.
        ("repo/app:1", &*digest, "", ("repo/app:1", "", &*digest)),
        ("repo/app:1", &*reference, &*digest, ("repo/app:1", &*reference, &*digest)),
        (&*digest, &*digest, "", (&*digest, "", &*digest)),
        // CRI-O: the id has no algorithm.
        ("repo/app:1", &*hash, "", ("repo/app:1", "", &*digest)),
    ] {
        let names = image(&mut Reader::new(0), spec(name), bytes(image_ref), bytes(image_id));
        assert_eq!((&*names.engine, &*names.reference, &*names.id), is, "{name} {image_ref} {image_id}");
    }
}

#[test]
fn a_broken_item_still_names_itself() {
    let good = wire::Container { id: b"c1"[..].into(), ..Default::default() }.encode_to_vec();
    let broken: Vec<u8> = good.iter().copied().chain([0x1a, 0x7f]).collect();
    let refused = listed_container(broken.into(), LIMITS).unwrap_err();
    assert_eq!(refused.id.as_deref(), Some("c1"));
    assert!(!refused.reason.is_empty());
    for nameless in [vec![0x1a, 0x7f], vec![0x0a, 0x7f, b'x'], vec![0x0a, 1, 0xff, 0xff]] {
        assert_eq!(listed_container(nameless.into(), LIMITS).unwrap_err().id, None);
    }
}

#[test]
fn bad_bytes_spoil_no_item() {
    let metadata = wire::ContainerMetadata { name: b"app\xff"[..].into(), attempt: 1 };
    let labels = vec![wire::Pair { key: b"k"[..].into(), value: vec![0xff, 0xfe] }];
    let c = wire::Container { id: b"c1"[..].into(), metadata: Some(metadata), labels, ..Default::default() };
    let seen = listed_container(c.encode_to_vec().into(), LIMITS).unwrap();
    assert_eq!((&*seen.name, &seen.labels["k"]), ("app\u{fffd}", "\u{fffd}\u{fffd}"));
    assert_eq!(seen.flags, CRI_CONTAINER_FLAG_TEXT_REPAIRED);
}
