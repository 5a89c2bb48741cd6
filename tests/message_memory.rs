//! One message takes bounded memory when it is decoded, whatever it consists of; and no honest message is refused. An
//! allocator that counts sees what is really taken.

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use criwatch::cri::proto::*;
use criwatch::cri::wire;
use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};

/// What docs/guest.md promises: so much for any message, and so many times its size beyond that.
const FREE: usize = 16 << 20;
const TIMES: usize = 16;

/// The size of the hostile messages.
const SIZE: usize = 2 << 20;

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn took(bytes: usize) {
    let live = LIVE.fetch_add(bytes, Relaxed) + bytes;
    PEAK.fetch_max(live, Relaxed);
}

// SAFETY: all memory is the system allocator's; this one only counts.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LIVE.fetch_sub(layout.size(), Relaxed);
        took(size);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(block, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What `work` takes at most beyond what is taken already, and whether it gave something.
fn measure<T>(work: impl FnOnce() -> Option<T>) -> (usize, bool) {
    let before = LIVE.load(Relaxed);
    PEAK.store(before, Relaxed);
    let given = work();
    (PEAK.load(Relaxed) - before, given.is_some())
}

/// One test at a time: what another one takes would count.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A field with this content.
fn field(number: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_key(number, WireType::LengthDelimited, &mut bytes);
    encode_varint(content.len() as u64, &mut bytes);
    bytes.extend_from_slice(content);
    bytes
}

/// So many bytes that are skipped when they are decoded: they belong to no field of the contract.
fn padding(bytes: usize) -> Vec<u8> {
    if bytes == 0 { Vec::new() } else { field(99, &vec![b'x'; bytes]) }
}

/// `entry` again and again, and what is skipped beside it.
fn repeated(entry: &[u8], skipped: usize) -> Vec<u8> {
    let unit = [entry, &padding(skipped)].concat();
    unit.repeat(SIZE / unit.len() + 1)
}

/// A message that consists of one small thing, again and again.
struct Hostile {
    name: &'static str,
    /// The message, with so many skipped bytes beside each of these things.
    make: fn(usize) -> Vec<u8>,
    decode: fn(&[u8]) -> bool,
}

fn containers(bytes: &[u8]) -> Option<criwatch::cri::Listing> {
    wire::listing(bytes, &[])
}

fn decoded_list(bytes: &[u8]) -> bool {
    containers(bytes).is_some()
}

fn decoded_pods(bytes: &[u8]) -> bool {
    wire::listing(&[], bytes).is_some()
}

fn decoded_event(bytes: &[u8]) -> bool {
    wire::event(bytes).is_some()
}

fn decoded_status(bytes: &[u8]) -> bool {
    wire::container_status(bytes).is_some()
}

const HOSTILE: &[Hostile] = &[
    Hostile { name: "empty containers", make: |skipped| repeated(&field(1, &[]), skipped), decode: decoded_list },
    Hostile {
        name: "containers with nothing but a short id",
        make: |skipped| repeated(&field(1, &field(1, b"a")), skipped),
        decode: decoded_list,
    },
    Hostile { name: "empty pods", make: |skipped| repeated(&field(1, &[]), skipped), decode: decoded_pods },
    Hostile {
        name: "containers that cannot be decoded",
        make: |skipped| repeated(&field(1, &[0x0a, 1, b'a', 0x0f]), skipped),
        decode: decoded_list,
    },
    Hostile {
        name: "empty labels",
        make: |skipped| field(1, &repeated(&field(8, &[]), skipped)),
        decode: decoded_list,
    },
    Hostile {
        name: "short labels",
        make: |skipped| field(1, &repeated(&field(8, &[field(1, b"k"), field(2, b"v")].concat()), skipped)),
        decode: decoded_list,
    },
    Hostile {
        name: "short annotations of pods",
        make: |skipped| field(1, &repeated(&field(6, &[field(1, b"k1"), field(2, b"v1")].concat()), skipped)),
        decode: decoded_pods,
    },
    Hostile { name: "empty statuses", make: |skipped| repeated(&field(5, &[]), skipped), decode: decoded_event },
    Hostile {
        name: "empty mounts in an event",
        make: |skipped| field(5, &repeated(&field(14, &[]), skipped)),
        decode: decoded_event,
    },
    Hostile {
        name: "mounts in a status",
        make: |skipped| field(1, &repeated(&field(14, &field(1, b"/")), skipped)),
        decode: decoded_status,
    },
    Hostile {
        name: "a mount with empty id mappings",
        make: |skipped| field(1, &field(14, &repeated(&field(6, &[]), skipped))),
        decode: decoded_status,
    },
    Hostile {
        name: "a mount with empty options",
        make: |skipped| field(1, &field(14, &repeated(&field(11, &[]), skipped))),
        decode: decoded_status,
    },
    Hostile {
        name: "groups of a user",
        make: |skipped| {
            let groups = field(3, &vec![7; SIZE / (skipped + 1)]);
            field(1, &field(18, &field(1, &[groups, padding(SIZE - SIZE / (skipped + 1))].concat())))
        },
        decode: decoded_status,
    },
    Hostile {
        name: "empty information",
        make: |skipped| [field(1, &field(1, b"a")), repeated(&field(2, &[]), skipped)].concat(),
        decode: decoded_status,
    },
];

/// As they come: refused before anything is decoded.
#[test]
fn a_message_of_tiny_entries_is_refused() {
    let _turn = alone();
    for Hostile { name, make, decode } in HOSTILE {
        let message = make(0);
        let (peak, _) = measure(|| decode(&message).then_some(()));
        println!("{name}: {} bytes, {:.1} times", message.len(), peak as f64 / message.len() as f64);
        assert!(peak <= FREE + TIMES * message.len(), "{name}: {peak} bytes for {}", message.len());
    }
    let (peak, accepted) = measure(|| containers(&repeated(&field(1, &[]), 0)));
    assert!(!accepted, "a list of empty containers, with {peak} bytes");
}

/// With as few skipped bytes between them as makes the message acceptable: nothing that is accepted takes more.
#[test]
fn the_heaviest_message_that_is_accepted_takes_bounded_memory() {
    let _turn = alone();
    for Hostile { name, make, decode } in HOSTILE {
        let paddings = std::iter::successors(Some(0), |n| Some(n + n / 2 + 2));
        let enough = paddings.take_while(|n| *n < 1024).find(|n| decode(&make(*n)));
        let enough = enough.unwrap_or_else(|| panic!("{name}: refused with 1,024 bytes beside each"));
        let message = make(enough);
        let (peak, _) = measure(|| decode(&message).then_some(()));
        println!("{name}, {enough} bytes beside each: {:.1} times", peak as f64 / message.len() as f64);
        assert!(peak <= FREE + TIMES * message.len(), "{name}: {peak} bytes for {}", message.len());
    }
}

fn text_map(entries: impl Iterator<Item = (String, String)>) -> HashMap<String, String> {
    entries.collect()
}

#[test]
fn what_authors_of_pods_write_makes_no_list_too_heavy() {
    let _turn = alone();
    // The shortest keys that are all different, in as many bytes as Kubernetes stores of one object.
    let shortest = || text_map((0..100_000).map(|n| (format!("{n:x}"), String::new())));
    let with_values = || text_map((0..100_000).map(|n| (format!("{n:x}"), "1".into())));
    let pod = |n: usize, labels, annotations| PodSandbox {
        id: format!("{n:064x}"),
        metadata: Some(PodSandboxMetadata { name: "p".into(), uid: "u".into(), namespace: "n".into(), attempt: 0 }),
        labels,
        annotations,
        ..Default::default()
    };
    let items = (0..16).map(|n| pod(n, shortest(), with_values())).collect();
    let listing = wire::listing(&[], &ListPodSandboxResponse { items }.encode_to_vec()).expect("a list");
    assert!(listing.is_complete() && listing.sandboxes.len() == 16);
    assert!(listing.sandboxes.iter().all(|pod| pod.labels.len() == 100_000 && pod.flags == 0));
    // By crictl: without a label, 10,000 of them.
    let items = (0..10_000).map(|n| pod(n, HashMap::new(), HashMap::new())).collect();
    let listing = wire::listing(&[], &ListPodSandboxResponse { items }.encode_to_vec()).expect("a list");
    assert!(listing.is_complete() && listing.sandboxes.len() == 10_000);
}

#[test]
fn big_honest_messages_are_untouched() {
    let _turn = alone();
    let labels = || text_map((0..500).map(|n| (format!("l{n}"), n.to_string())));
    let annotations = || HashMap::from([("last-applied".to_owned(), "x".repeat(256 << 10))]);
    let container = |n: usize| Container {
        id: format!("{n:064x}"),
        pod_sandbox_id: format!("{n:064x}"),
        metadata: Some(ContainerMetadata { name: format!("c{n}"), attempt: 0 }),
        labels: labels(),
        annotations: if n < 20 { annotations() } else { HashMap::new() },
        ..Default::default()
    };
    let list = ListContainersResponse { containers: (0..2_000).map(container).collect() }.encode_to_vec();
    let listing = containers(&list).expect("a list");
    assert!(listing.is_complete() && listing.containers.len() == 2_000);
    for (n, it) in listing.containers.iter().enumerate() {
        assert_eq!((it.labels.len(), it.flags), (500, 0));
        assert_eq!(
            it.annotations.iter().map(|(_, value)| value.len()).sum::<usize>(),
            if n < 20 { 256 << 10 } else { 0 }
        );
    }
    let short = |n: usize| Container { id: format!("c{n}"), ..Default::default() };
    let list = ListContainersResponse { containers: (0..5_000).map(short).collect() }.encode_to_vec();
    assert_eq!(containers(&list).expect("a list").containers.len(), 5_000, "the shortest entries that can be shown");
}
