//! What the shell offers as names. The engine is asked for them.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::time::Duration;

use clap_complete::CompletionCandidate;
use criwatch::model::Kind;
use criwatch::watcher::Query;

use super::Global;
use crate::engine;

/// The kind of names to complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Containers,
    ContainersAndPods,
    Pods,
    Namespaces,
}

/// The longest wait after a key.
const PATIENCE: Duration = Duration::from_secs(2);

/// The names that begin with this text. If no engine answers there are none, because a shell cannot show an error here.
pub fn candidates(what: What, begin: &OsStr) -> Vec<CompletionCandidate> {
    let begin = begin.to_string_lossy();
    let all = names(what).unwrap_or_default();
    all.into_iter().filter(|name| name.starts_with(&*begin)).map(CompletionCandidate::new).collect()
}

fn names(what: What) -> Option<BTreeSet<String>> {
    let global = Global { runtime_endpoint: endpoints(std::env::args()), timeout: PATIENCE, option: Vec::new() };
    let watcher = engine::look(&global, "completion").ok()?;
    let snapshot = watcher.snapshot().ok()?;
    let everything = Query::parse(Some(r#"{"all":true}"#)).ok()?;
    let mut names = BTreeSet::new();
    for container in snapshot.select(&everything) {
        let is_container = container.kind == Kind::Container;
        match what {
            What::Containers if !is_container => {}
            What::Pods if is_container => {}
            What::Containers | What::ContainersAndPods => {
                names.insert(container.path());
                names.insert(container.name.to_string());
            }
            What::Pods => {
                names.insert(container.path());
                names.insert(container.name.to_string());
            }
            What::Namespaces => {
                names.insert(container.namespace().to_owned());
            }
        }
    }
    names.remove("");
    Some(names)
}

/// The endpoints in the line that is being completed.
fn endpoints(words: impl Iterator<Item = String>) -> Vec<String> {
    let words: Vec<String> = words.collect();
    let is_flag = |word: &str| word == "-r" || word == "--runtime-endpoint";
    let apart = words.windows(2).filter(|pair| is_flag(&pair[0])).map(|pair| pair[1].clone());
    let joined = words.iter().filter_map(|word| word.strip_prefix("--runtime-endpoint=").map(str::to_owned));
    apart.chain(joined).filter(|one| !one.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_of_the_line_count() {
        let words = "criwatch -- criwatch ps -r unix:///x --runtime-endpoint=y -n".split(' ').map(str::to_owned);
        assert_eq!(endpoints(words), ["unix:///x", "y"]);
    }
}
