//! The requests that the library makes: none that changes anything on the engine, unless the program wants that.

use std::collections::BTreeSet;

use libtest_mimic::Failed;

use super::c;

/// Everything that is ever sent without `cri_watcher_call`.
const SENT: &[&str] = &[
    "ContainerStatus",
    "GetContainerEvents",
    "ListContainers",
    "ListPodSandbox",
    "PodSandboxStatus",
    "Status",
    "StreamContainers",
    "StreamPodSandboxes",
    "Version",
];

/// Reads the source: the table of methods, and whatever is called on the generated clients. Only the two files that send
/// requests reach the connection itself.
pub fn are_only_read() -> Result<(), Failed> {
    const SENDERS: &[&str] = &["src/cri/request.rs", "src/cri/call/wire.rs"];
    let methods = methods(&std::fs::read_to_string(c::root().join("proto/api.proto"))?);
    let table = std::fs::read_to_string(c::root().join("src/cri/methods.rs"))?;
    let mut sent: BTreeSet<_> = methods.iter().filter(|m| table.contains(&format!("= \"{m}\""))).cloned().collect();
    for file in sources(&c::root().join("src"))? {
        let text = std::fs::read_to_string(&file)?;
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        if code.contains(".raw()") && !SENDERS.iter().any(|sender| file.ends_with(sender)) {
            return Err(format!("{} sends requests of its own: only {SENDERS:?} may", file.display()).into());
        }
        if !["runtime()", "images()"].iter().any(|client| code.contains(client)) {
            continue;
        }
        sent.extend(methods.iter().filter(|m| code.contains(&format!(".{}(", snake(m)))).cloned());
    }
    let allowed: BTreeSet<String> = SENT.iter().map(|m| (*m).to_owned()).collect();
    if sent == allowed {
        Ok(())
    } else {
        let (new, gone): (Vec<_>, Vec<_>) = (sent.difference(&allowed).collect(), allowed.difference(&sent).collect());
        Err(format!("sent and not on the list: {new:?}; on the list and not sent: {gone:?}").into())
    }
}

/// `cri_watcher_call` can send any; unless the option allows more, only what reads.
pub fn calls_only_read() -> Result<(), Failed> {
    let watcher = criwatch::watcher::Watcher::new(Some("/nowhere"), criwatch::config::Config::default())?;
    let mut allowed = BTreeSet::new();
    for service in ["RuntimeService", "ImageService"] {
        for method in methods(&std::fs::read_to_string(c::root().join("proto/api.proto"))?) {
            let name = format!("{service}/{method}");
            let refused = watcher.call(&name, None, Some(std::time::Duration::ZERO)).err().map(|e| e.status());
            // Let through, it fails for want of an engine or of time.
            if matches!(refused, Some(criwatch::error::CRI_E_CONNECT | criwatch::error::CRI_E_TIMEOUT)) {
                allowed.insert(method);
            }
        }
    }
    let reads = |m: &&String| {
        m.starts_with("List")
            || m.ends_with("Status")
            || m.ends_with("Stats")
            || m.ends_with("Info")
            || ["Version", "RuntimeConfig"].contains(&m.as_str())
    };
    let others: Vec<_> = allowed.iter().filter(|m| !reads(m)).collect();
    if allowed.contains("ListContainers") && others.is_empty() {
        Ok(())
    } else {
        Err(format!("calls that pass without call.allow_mutations: {allowed:?}").into())
    }
}

fn methods(proto: &str) -> BTreeSet<String> {
    let lines = proto.lines().filter_map(|line| line.trim().strip_prefix("rpc "));
    lines.filter_map(|rest| rest.split('(').next()).map(|name| name.trim().to_owned()).collect()
}

fn snake(method: &str) -> String {
    let mut text = String::new();
    for c in method.chars() {
        if c.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(c.to_lowercase());
    }
    text
}

fn sources(folder: &std::path::Path) -> std::io::Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    Ok(found)
}
