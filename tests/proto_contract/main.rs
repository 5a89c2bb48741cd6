//! proto/api.proto says what the published CRI contract says. `scripts/compare-proto` runs this with a published
//! file; without one, only the comparison itself is tested.

mod contract;

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;

use contract::{Contract, Difference};
use libtest_mimic::{Arguments, Completion, Failed, Trial};

/// Path of the published api.proto.
const PUBLISHED: &str = "CRI_PROTO_PUBLISHED";
/// The release it belongs to, such as v0.37.2; unset: unknown.
const PUBLISHED_VERSION: &str = "CRI_PROTO_PUBLISHED_VERSION";
/// The line of proto/api.proto that names the release it follows.
const CONTRACT_LINE: &str = "// Contract: k8s.io/cri-api ";

fn main() {
    let trials = vec![
        Trial::test("a_difference_of_any_kind_is_seen", every_kind_is_seen),
        Trial::test("comments_options_and_order_do_not_count", prose_does_not_count),
        Trial::ignorable_test("ours_is_the_published_contract", ours_is_the_published_one),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn ours_is_the_published_one() -> Result<Completion, Failed> {
    let Some(path) = env::var_os(PUBLISHED) else {
        return Ok(Completion::ignored_with(format!("{PUBLISHED} is not set: scripts/compare-proto sets it")));
    };
    let version = env::var(PUBLISHED_VERSION).unwrap_or_else(|_| "of unknown version".into());
    let published = read(Path::new(&path))?;
    let (ours, our_version) = ours()?;
    let differences = ours.differences(&published);
    println!("\nours       {our_version}: {}", ours.counts());
    println!("published  {version}: {}", published.counts());
    println!("{} differences, {} of them on the wire", differences.len(), on_the_wire(&differences));
    print!("{}", contract::digest(&differences));

    // Another release may differ in what it has and how it names it, but both must be readable.
    let other_release = version.starts_with('v') && version != our_version;
    let bad = if other_release { on_the_wire(&differences) } else { differences.len() };
    if bad == 0 { Ok(Completion::Completed) } else { Err(format!("{bad} differences matter: see above").into()) }
}

fn on_the_wire(differences: &[Difference]) -> usize {
    differences.iter().filter(|d| d.breaks_the_wire()).count()
}

fn ours() -> Result<(Contract, String), Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto/api.proto");
    let text = fs::read_to_string(&path)?;
    let version = text.lines().find_map(|line| line.strip_prefix(CONTRACT_LINE));
    let version = version.ok_or_else(|| format!("{}: no line {CONTRACT_LINE:?}", path.display()))?;
    Ok((Contract::parse(&text)?, version.to_owned()))
}

fn read(path: &Path) -> Result<Contract, Box<dyn Error>> {
    let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(Contract::parse(&text)?)
}

const SAMPLE: &str = r#"
    syntax = "proto3";
    package runtime.v1;
    service S { rpc Get(A) returns (B) {} rpc Watch(A) returns (stream B) {} }
    message A { string name = 1; repeated int32 n = 2; map<string, string> m = 3; oneof which { B b = 4; bool c = 5; } }
    message B { optional uint64 v = 1; E e = 2; message Inner { bool x = 1; } Inner inner = 3; reserved 7; }
    enum E { ZERO = 0; ONE = 1; }
"#;

fn every_kind_is_seen() -> Result<(), Failed> {
    // (what to replace in the sample, by what, whether an old reader would misread it)
    let changes = [
        ("string name = 1", "string label = 1", false),
        ("string name = 1", "bytes name = 1", false),
        ("string name = 1", "fixed32 name = 1", true),
        ("string name = 1", "string name = 9", false),
        ("repeated int32", "int32", true),
        ("map<string, string>", "map<string, int32>", true),
        ("oneof which { B b = 4; bool c = 5; }", "B b = 4; bool c = 5;", false),
        ("optional uint64", "uint64", false),
        ("Inner inner = 3", "B inner = 3", true),
        ("message Inner { bool x = 1; }", "message Inner { bool x = 1; bool y = 2; }", false),
        ("reserved 7;", "", false),
        ("ONE = 1", "ICH = 1", false),
        ("ONE = 1;", "ONE = 1; TWO = 2;", false),
        ("returns (stream B)", "returns (B)", true),
        ("rpc Get(A)", "rpc Get(B)", true),
        ("rpc Get(A) returns (B) {}", "", false),
        ("package runtime.v1", "package runtime.v2", true),
    ];
    let sample = Contract::parse(SAMPLE)?;
    for (from, to, breaks) in changes {
        let differences = sample.differences(&Contract::parse(&SAMPLE.replacen(from, to, 1))?);
        if differences.is_empty() || breaks != differences.iter().any(Difference::breaks_the_wire) {
            return Err(format!("{from:?} -> {to:?}: expected breaks = {breaks}, got {differences:?}").into());
        }
    }
    Ok(())
}

fn prose_does_not_count() -> Result<(), Failed> {
    let other = SAMPLE
        .replace("package runtime.v1;", "package runtime.v1; option go_package = \"elsewhere\"; // words")
        .replace(
            "string name = 1; repeated int32 n = 2;",
            "repeated int32 n = 2; /* n */ string name = 1 [deprecated = true];",
        );
    let differences = Contract::parse(SAMPLE)?.differences(&Contract::parse(&other)?);
    if differences.is_empty() { Ok(()) } else { Err(format!("{differences:?}").into()) }
}
