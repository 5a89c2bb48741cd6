//! The message if nothing matches: which option excludes everything, and what there is instead.

use std::collections::BTreeSet;
use std::sync::Arc;

use criwatch::error::Error;
use criwatch::model::{Container, State};
use criwatch::watcher::Snapshot;

use super::Picker;
use crate::exit::Failure;
use crate::words;

/// How many names are offered at most.
const MOST: usize = 5;
/// The least similarity of names to offer; 1 means equal.
const ALIKE: f64 = 0.5;

/// Why the selection is empty, with the nearest names.
pub fn nothing_matches(snapshot: &Snapshot, picker: &Picker) -> String {
    match explained(snapshot, picker) {
        Ok(text) => text,
        Err(failure) => failure.message,
    }
}

fn explained(snapshot: &Snapshot, picker: &Picker) -> Result<String, Failure> {
    let given = given(picker);
    // Everything that the engine has, in any state and of any kind, and what is gone.
    let there = Picker { all: true, gone: true, ..Picker::default() }.pick(snapshot)?;
    for (flag, value, part) in &given {
        if part.of_all_and_gone().pick(snapshot)?.is_empty() {
            return Ok(format!("nothing matches {flag} {value}{}", offer(value, &names(flag, &there))));
        }
    }
    let matched = Picker { kind: None, ..picker.of_all() }.pick(snapshot)?;
    let options = given.iter().map(|(flag, value, _)| format!("{flag} {value}")).collect::<Vec<_>>();
    if !given.is_empty() && matched.is_empty() {
        return Ok(format!("nothing matches {} together", options.join(" ")));
    }
    let others = matched.iter().filter(|one| one.state != State::Running).map(|one| words::state(one).text);
    let others: BTreeSet<String> = others.collect();
    let hint = match picker.states.is_empty() && !others.is_empty() {
        true => format!(" (there is what is {}: -a shows it)", others.into_iter().collect::<Vec<_>>().join(", ")),
        false => String::new(),
    };
    let mut options = options;
    if !picker.states.is_empty() {
        options
            .push(format!("--state {}", picker.states.iter().map(|state| state.word()).collect::<Vec<_>>().join(",")));
    }
    Ok(if options.is_empty() {
        format!("nothing runs{hint}")
    } else {
        format!("nothing matches {}{hint}", options.join(" "))
    })
}

/// The library's message for an unknown name, with the nearest names.
pub fn unknown_name(snapshot: &Snapshot, name: &str, error: &Error) -> Failure {
    let there = Picker { all: true, gone: true, ..Picker::default() }.pick(snapshot).unwrap_or_default();
    let names = there.iter().flat_map(|one| [one.path(), one.name.to_string()]).collect();
    Failure::nothing(format!("{error}{}", offer(name, &names)))
}

/// The given options, each with what it alone selects.
fn given(picker: &Picker) -> Vec<(&'static str, String, Picker)> {
    let mut all = Vec::new();
    if !picker.namespaces.is_empty() {
        let part = Picker { namespaces: picker.namespaces.clone(), ..Picker::default() };
        all.push(("--namespace", picker.namespaces.join(","), part));
    }
    if let Some(pod) = &picker.pod {
        all.push(("--pod", pod.clone(), Picker { pod: picker.pod.clone(), ..Picker::default() }));
    }
    if let Some(name) = &picker.name {
        all.push(("--name", name.clone(), Picker { name: picker.name.clone(), ..Picker::default() }));
    }
    if !picker.images.is_empty() {
        all.push(("--image", picker.images.join(","), Picker { images: picker.images.clone(), ..Picker::default() }));
    }
    if !picker.labels.is_empty() {
        all.push(("--label", picker.labels.join(","), Picker { labels: picker.labels.clone(), ..Picker::default() }));
    }
    all
}

/// The values that an option could have had.
fn names(flag: &str, there: &[&Arc<Container>]) -> BTreeSet<String> {
    let pods = there.iter().filter_map(|one| one.pod.as_deref());
    match flag {
        "--namespace" => pods.map(|pod| pod.namespace.to_string()).collect(),
        "--pod" => pods.flat_map(|pod| [pod.name.to_string(), format!("{}/{}", pod.namespace, pod.name)]).collect(),
        "--name" => there.iter().map(|one| one.name.to_string()).collect(),
        "--image" => there.iter().map(|one| one.image.name.to_string()).filter(|name| !name.is_empty()).collect(),
        _ => BTreeSet::new(),
    }
}

/// The names to offer. Names that begin with the value or contain it come first, because pods' names end in digits that
/// nobody types.
fn offer(value: &str, names: &BTreeSet<String>) -> String {
    let begins = names.iter().filter(|name| name.starts_with(value));
    let holds = names.iter().filter(|name| name.contains(value));
    let mut alike: Vec<(f64, &String)> = names
        .iter()
        .map(|name| (strsim::normalized_damerau_levenshtein(value, name), name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    let mut near: Vec<&str> = Vec::new();
    for name in begins.chain(holds).chain(alike.into_iter().map(|(_, name)| name)) {
        if near.len() < MOST && !near.contains(&&**name) {
            near.push(name);
        }
    }
    if !near.is_empty() {
        return format!(": did you mean {}?", near.join(" or "));
    }
    let shown = names.iter().take(MOST).map(|name| &**name).collect::<Vec<_>>().join(", ");
    let rest = names.len().saturating_sub(MOST);
    match (names.is_empty(), rest) {
        (true, _) => String::new(),
        (_, 0) => format!(" (there is: {shown})"),
        _ => format!(" (there is: {shown} and {rest} more)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_are_offered() {
        let names: BTreeSet<String> = ["data", "shop", "shop-test"].map(str::to_owned).into();
        assert_eq!(offer("shp", &names), ": did you mean shop?");
        assert_eq!(offer("sho", &names), ": did you mean shop or shop-test?");
        assert_eq!(offer("zzz", &names), " (there is: data, shop, shop-test)");
        assert_eq!(offer("zzz", &BTreeSet::new()), "");
        let many = (0..8).map(|n| format!("name-{n}")).collect();
        assert_eq!(offer("q", &many), " (there is: name-0, name-1, name-2, name-3, name-4 and 3 more)");
    }
}
