//! The fuzz targets: functions that take any bytes and must neither panic nor break what they promise. The coverage-guided
//! fuzzer (main.rs) and the short test without one (../../tests/fuzz.rs) both read this table.

use criwatch::config::Config;
use criwatch::cri::wire;
use criwatch::portfolio::Query;

/// A target's name, which is its folder in `corpus`, and what it does.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: &[Target] =
    &[("verbose_info", verbose_info), ("query", query), ("options", options), ("engine", criwatch::sync::replay)];

/// The JSON that engines put into verbose replies. Whatever it is, what is shown of it is JSON.
fn verbose_info(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let shown = wire::verbose_info(text);
        serde_json::from_str::<serde_json::Value>(&shown).expect("what is shown is JSON");
    }
}

/// Queries, and the label selectors in them. An error is as good as a query.
fn query(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let selector = serde_json::json!({ "selector": text }).to_string();
        for query in [text, &selector] {
            if let Err(error) = Query::parse(Some(query)) {
                assert!(!error.message().is_empty());
            }
        }
    }
}

/// `KEY=VALUE`, and the value for every key that there is.
fn options(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (key, value) = text.split_once('=').unwrap_or((&text, ""));
    let mut config = Config::default();
    for key in [key, "relist.interval_ms", "pid.source", "host.root", "engine.pid"] {
        if let Err(error) = config.set(key, value) {
            assert!(!error.message().is_empty());
        }
    }
}
