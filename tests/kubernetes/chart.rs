//! The Helm chart of deploy/helm: the same objects as deploy/kubernetes, as far as both have them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::manifests::{self, validate};
use super::tools;
use super::{Obstacle, Outcome, c};

const CHART: &str = "deploy/helm/criwatch";

/// The files of values by which the chart is tested; those of an overlay have its name.
fn values() -> Result<Vec<PathBuf>, Obstacle> {
    let folder = c::root().join(CHART).join("ci");
    let mut files = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}

fn stem(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// What one of check's commands says of the chart with these values.
fn ask(command: &str, values: &Path) -> Result<String, Obstacle> {
    Ok(c::succeed(tools::check(&[command, CHART])?.arg(values))?)
}

/// Renders the chart into a file.
fn render(values: &Path) -> Result<PathBuf, Obstacle> {
    manifests::write(&format!("chart-{}", stem(values)), &ask("chart", values)?)
}

fn rendered() -> Result<Vec<PathBuf>, Obstacle> {
    values()?.iter().map(|file| render(file)).collect()
}

fn nothing(what: &str, told: &str) -> Outcome {
    if told.is_empty() { Ok(()) } else { Err(Obstacle::Fail(format!("{what}: {told}"))) }
}

/// Each overlay, and the chart with its values.
pub fn makes_what_kustomize_makes() -> Outcome {
    let values = values()?;
    for name in manifests::overlays()? {
        let missing = || Obstacle::Fail(format!("{CHART}/ci has no values for overlays/{name}"));
        let file = values.iter().find(|file| stem(file) == name).ok_or_else(missing)?;
        let kustomized = manifests::render(&format!("overlays/{name}"))?;
        nothing(&name, &c::succeed(tools::check(&["compare"])?.arg(kustomized).arg(render(file)?))?)?;
    }
    Ok(())
}

pub fn is_valid_in_every_version() -> Outcome {
    c::succeed(&mut validate(&rendered()?)?)?;
    Ok(())
}

/// Also with values that no overlay has.
pub fn keeps_the_promises() -> Outcome {
    let documented = manifests::documented_rules()?;
    for file in rendered()? {
        nothing(&stem(&file), &c::succeed(tools::check(&["rights"])?.arg(&file))?)?;
        let broken: BTreeSet<_> = manifests::broken_rules(&file)?.difference(&documented).cloned().collect();
        if !broken.is_empty() {
            return Err(Obstacle::Fail(format!("{}: breaks {broken:?}", stem(&file))));
        }
    }
    Ok(())
}

pub fn passes_lint() -> Outcome {
    for file in values()? {
        nothing(&stem(&file), &ask("lint", &file)?)?;
    }
    Ok(())
}

pub fn explains_each_value() -> Outcome {
    nothing(CHART, &c::succeed(&mut tools::check(&["values", CHART])?)?)
}

/// What Helm says after an installation fits a terminal, and names the objects that there are.
pub fn tells_what_comes_next() -> Outcome {
    for file in values()? {
        let notes = ask("notes", &file)?;
        let long: Vec<_> = notes.lines().filter(|line| line.chars().count() > 80).collect();
        if !long.is_empty() || !notes.contains("daemonset/criwatch") {
            return Err(Obstacle::Fail(format!("{}: {notes}", stem(&file))));
        }
    }
    Ok(())
}

/// The values that docs/kubernetes.md has for users, with an image.
pub fn takes_the_documented_values() -> Outcome {
    let document = std::fs::read_to_string(c::root().join("docs/kubernetes.md"))?;
    let missing = || Obstacle::Fail("docs/kubernetes.md has no my-values.yaml".into());
    let rest = document.split("```yaml\n# my-values.yaml\n").nth(1).ok_or_else(missing)?;
    let values = rest.split("\n```").next().unwrap_or_default();
    let digest = format!("sha256:{}", "0".repeat(64));
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("my-values.yaml");
    std::fs::write(&file, values.replace("sha256:...", &digest))?;
    let told = ask("chart", &file)?;
    let wanted = [format!("image: registry.my.example/criwatch-collector@{digest}"), "OTLP_INSECURE: \"true\"".into()];
    match wanted.iter().find(|wanted| !told.contains(*wanted)) {
        None => Ok(()),
        Some(wanted) => Err(Obstacle::Fail(format!("no {wanted} in: {told}"))),
    }
}

/// The chart has one version with the programs; an image of another one would be another program.
pub fn is_of_this_version() -> Outcome {
    let file = format!("{CHART}/Chart.yaml");
    let text = std::fs::read_to_string(c::root().join(&file))?;
    for key in ["version", "appVersion"] {
        let line = format!("{key}: {}", env!("CARGO_PKG_VERSION"));
        if !text.lines().any(|one| one == line) {
            return Err(Obstacle::Fail(format!("{file} has no line with: {line}")));
        }
    }
    Ok(())
}

/// The checks of the other tests can fail, and what a user forgets is named.
pub fn a_mistake_is_found() -> Outcome {
    let folder = tempfile::tempdir()?;
    let good = std::fs::read_to_string(c::root().join(CHART).join("ci/containerd.yaml"))?;
    let with = |from: &str, to: &str| -> Result<PathBuf, Obstacle> {
        assert!(good.contains(from), "there is no {from:?} in:\n{good}");
        let file = folder.path().join("values.yaml");
        std::fs::write(&file, good.replace(from, to))?;
        Ok(file)
    };
    let refusals = [
        ("agent: collector", "agent: collector\nagnet: command", "agnet"),
        ("name: containerd", "name: docker", "/engine/name"),
        ("name: containerd", "socket: engine.sock", "/engine/socket"),
        ("repository: registry.example/criwatch-collector", "tag: latest", "image.repository: set it to"),
        ("endpoint: gateway.observability:4317", "insecure: true", "gateway.endpoint: set it to"),
    ];
    for (from, to, told) in refusals {
        let output = tools::check(&["chart", CHART])?.arg(with(from, to)?).output()?;
        if output.status.success() || !c::text(&output).contains(told) {
            return Err(Obstacle::Fail(format!("{to}: is not refused with {told:?}: {}", c::text(&output))));
        }
    }
    let other = render(&with("agent: collector", "agent: collector\nmaxUnavailable: 2")?)?;
    let kustomized = manifests::render("overlays/containerd")?;
    let told = c::succeed(tools::check(&["compare"])?.arg(kustomized).arg(other))?;
    if !told.ends_with("rollingUpdate/maxUnavailable: kustomize has 10%, the chart 2\n") || told.lines().count() > 1 {
        return Err(Obstacle::Fail(format!("another maxUnavailable was not found: {told}")));
    }
    Ok(())
}
