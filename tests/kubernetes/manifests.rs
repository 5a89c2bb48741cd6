//! What kustomize makes of deploy/kubernetes.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use super::tools;
use super::{Obstacle, Outcome, c};

/// The oldest Kubernetes whose schemas the manifests have to follow.
const OLDEST: &str = "1.29";

/// Renders a kustomization of deploy/kubernetes into a file.
pub fn render(kustomization: &str) -> Result<PathBuf, Obstacle> {
    let text = c::succeed(&mut tools::check(&["render", &format!("deploy/kubernetes/{kustomization}")])?)?;
    let folder = tools::folder()?.join("rendered");
    std::fs::create_dir_all(&folder)?;
    // Tests run side by side, and each writes the same.
    let file = folder.join(kustomization.replace('/', "-")).with_extension("yaml");
    let mut written = tempfile::NamedTempFile::new_in(&folder)?;
    std::io::Write::write_all(&mut written, text.as_bytes())?;
    written.persist(&file).map_err(|error| error.to_string())?;
    Ok(file)
}

/// The base and every overlay.
fn kustomizations() -> Result<Vec<String>, Obstacle> {
    let mut names = vec!["base".to_owned()];
    for entry in std::fs::read_dir(c::root().join("deploy/kubernetes/overlays"))? {
        names.push(format!("overlays/{}", entry?.file_name().to_string_lossy()));
    }
    names.sort();
    Ok(names)
}

fn rendered() -> Result<Vec<PathBuf>, Obstacle> {
    kustomizations()?.iter().map(|name| render(name)).collect()
}

pub fn are_valid_in_every_version() -> Outcome {
    let versions = c::succeed(&mut validate(&rendered()?)?)?;
    // The schemas of each version are there.
    if versions.starts_with(&format!("{OLDEST}.")) { Ok(()) } else { Err(Obstacle::Fail(versions)) }
}

fn validate(files: &[PathBuf]) -> Result<Command, Obstacle> {
    let mut command = Command::new(tools::validator()?);
    command.arg(c::root().join("tests/kubernetes/validate.py")).arg(OLDEST).args(files);
    Ok(command)
}

/// The rules of Pod Security that are broken are those that docs/kubernetes.md gives a reason for.
pub fn break_only_the_documented_rules() -> Outcome {
    let mut broken = BTreeSet::new();
    for file in rendered()? {
        let told = c::succeed(tools::check(&["policy"])?.arg(file))?;
        let rules = told.lines().filter_map(|line| line.rsplit_once('\t'));
        broken.extend(rules.map(|(rule, _)| rule.replace('\t', " ")));
    }
    let document = std::fs::read_to_string(c::root().join("docs/kubernetes.md"))?;
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    let documented: BTreeSet<_> = rows
        .filter(|(rule, _)| rule.starts_with("baseline ") || rule.starts_with("restricted "))
        .map(|(rule, _)| rule.to_owned())
        .collect();
    if broken == documented {
        Ok(())
    } else {
        Err(Obstacle::Fail(format!("broken: {broken:#?}\ndocs/kubernetes.md has: {documented:#?}")))
    }
}

/// What Pod Security has no rule for: read-only mounts, no token.
pub fn keep_the_promises() -> Outcome {
    for file in rendered()? {
        let broken = c::succeed(tools::check(&["rights"])?.arg(&file))?;
        if !broken.is_empty() {
            return Err(Obstacle::Fail(format!("{}: not kept: {broken}", file.display())));
        }
    }
    Ok(())
}

/// The checks of the other tests can fail.
pub fn a_mistake_is_found() -> Outcome {
    let good = std::fs::read_to_string(render("base")?)?;
    let folder = tempfile::tempdir()?;
    let write = |name: &str, from: &str, to: &str| {
        assert!(good.contains(from), "there is no {from:?} in:\n{good}");
        let file = folder.path().join(name);
        std::fs::write(&file, good.replace(from, to)).map(|()| file)
    };
    let unknown = write("unknown.yaml", "enableServiceLinks: false", "enableServiceLinks: false\n      hostPid: true")?;
    let output = validate(std::slice::from_ref(&unknown))?.output()?;
    if output.status.success() || !c::text(&output).contains("hostPid") {
        return Err(Obstacle::Fail(format!("hostPid was not found: {}", c::text(&output))));
    }
    let output = tools::check(&["policy"])?.arg(&unknown).output()?;
    if output.status.success() || !c::text(&output).contains("hostPid") {
        return Err(Obstacle::Fail(format!("hostPid was decoded: {}", c::text(&output))));
    }
    let host = write("host.yaml", "enableServiceLinks: false", "enableServiceLinks: false\n      hostPID: true")?;
    let told = c::succeed(tools::check(&["policy"])?.arg(&host))?;
    if !told.contains("baseline\thost namespaces") {
        return Err(Obstacle::Fail(format!("hostPID is allowed: {told}")));
    }
    let writable = write("writable.yaml", "readOnly: true", "readOnly: false")?;
    let told = c::succeed(tools::check(&["rights"])?.arg(&writable))?;
    if !told.contains("volumes of the host read-only") {
        return Err(Obstacle::Fail(format!("a writable mount is allowed: {told}")));
    }
    Ok(())
}

pub fn name_the_images_of_this_version() -> Outcome {
    let wanted = format!(":{}\n", env!("CARGO_PKG_VERSION"));
    for name in kustomizations()?.iter().filter(|name| *name != "base") {
        let text = std::fs::read_to_string(render(name)?)?;
        let images: Vec<_> =
            text.split_inclusive('\n').filter(|line| line.trim_start().starts_with("image: ")).collect();
        if images.len() != 1 || !images[0].ends_with(&wanted) {
            let why = "set newTag in deploy/kubernetes/agents/*/kustomization.yaml";
            return Err(Obstacle::Fail(format!("{name}: {images:?} are not of this version{wanted}{why}")));
        }
    }
    Ok(())
}
