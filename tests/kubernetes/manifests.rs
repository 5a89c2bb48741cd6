//! What kustomize makes of deploy/kubernetes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::tools;
use super::{Obstacle, Outcome, c};

/// The oldest Kubernetes whose schemas the manifests have to follow.
const OLDEST: &str = "1.29";

/// Renders a kustomization of deploy/kubernetes into a file.
pub fn render(kustomization: &str) -> Result<PathBuf, Obstacle> {
    let text = c::succeed(&mut tools::check(&["render", &format!("deploy/kubernetes/{kustomization}")])?)?;
    write(&kustomization.replace('/', "-"), &text)
}

/// Renders the kustomization that docs/kubernetes.md has for users, with a gateway at this port.
pub fn render_documented(gateway: u16) -> Result<PathBuf, Obstacle> {
    let document = std::fs::read_to_string(c::root().join("docs/kubernetes.md"))?;
    let blocks = document.split("```yaml\n").skip(1).filter_map(|block| block.split("\n```").next());
    let mut text = blocks.filter(|block| block.contains("kind: Kustomization")).collect::<Vec<_>>().join("\n---\n");
    let folder = tempfile::tempdir_in(tools::folder()?)?;
    // A resource is named from the kustomization's folder.
    let up = "../".repeat(folder.path().canonicalize()?.components().count() - 1);
    let here = format!("{up}{}", c::root().canonicalize()?.display().to_string().trim_start_matches('/'));
    let own = [
        ("../criwatch/", format!("{here}/")),
        ("OTLP_GATEWAY=gateway.observability:4317", format!("OTLP_GATEWAY=127.0.0.1:{gateway}")),
    ];
    for (documented, own) in own {
        if !text.contains(documented) {
            return Err(Obstacle::Fail(format!("docs/kubernetes.md has no kustomization with {documented:?}")));
        }
        text = text.replace(documented, &own);
    }
    std::fs::write(folder.path().join("kustomization.yaml"), text)?;
    write("documented", &c::succeed(tools::check(&["render"])?.arg(folder.path()))?)
}

/// Writes what was rendered, under this name.
pub fn write(name: &str, text: &str) -> Result<PathBuf, Obstacle> {
    let folder = tools::folder()?.join("rendered");
    std::fs::create_dir_all(&folder)?;
    // Tests run side by side, and each writes the same.
    let file = folder.join(name).with_extension("yaml");
    let mut written = tempfile::NamedTempFile::new_in(&folder)?;
    std::io::Write::write_all(&mut written, text.as_bytes())?;
    written.persist(&file).map_err(|error| error.to_string())?;
    Ok(file)
}

/// The names of the overlays.
pub fn overlays() -> Result<Vec<String>, Obstacle> {
    let entries = std::fs::read_dir(c::root().join("deploy/kubernetes/overlays"))?;
    let name = |entry: std::io::Result<std::fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
    let mut names = entries.map(name).collect::<std::io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// The base and every overlay.
fn kustomizations() -> Result<Vec<String>, Obstacle> {
    let overlays = overlays()?.into_iter().map(|name| format!("overlays/{name}"));
    Ok(std::iter::once("base".to_owned()).chain(overlays).collect())
}

fn rendered() -> Result<Vec<PathBuf>, Obstacle> {
    kustomizations()?.iter().map(|name| render(name)).collect()
}

pub fn are_valid_in_every_version() -> Outcome {
    let versions = c::succeed(&mut validate(&rendered()?)?)?;
    // The schemas of each version are there.
    if versions.starts_with(&format!("{OLDEST}.")) { Ok(()) } else { Err(Obstacle::Fail(versions)) }
}

/// The command that validates manifests, and prints the versions of Kubernetes that it knows.
pub fn validate(files: &[PathBuf]) -> Result<Command, Obstacle> {
    let mut command = Command::new(tools::validator()?);
    command.arg(c::root().join("tests/kubernetes/validate.py")).arg(OLDEST).args(files);
    Ok(command)
}

/// The rules of Pod Security that are broken are those that docs/kubernetes.md gives a reason for.
pub fn break_only_the_documented_rules() -> Outcome {
    let mut broken = BTreeSet::new();
    for file in rendered()? {
        broken.append(&mut broken_rules(&file)?);
    }
    let documented = documented_rules()?;
    if broken == documented {
        Ok(())
    } else {
        Err(Obstacle::Fail(format!("broken: {broken:#?}\ndocs/kubernetes.md has: {documented:#?}")))
    }
}

/// The rules of Pod Security that a manifest breaks.
pub fn broken_rules(file: &Path) -> Result<BTreeSet<String>, Obstacle> {
    let told = c::succeed(tools::check(&["policy"])?.arg(file))?;
    let rules = told.lines().filter_map(|line| line.rsplit_once('\t'));
    Ok(rules.map(|(rule, _)| rule.replace('\t', " ")).collect())
}

/// Those that docs/kubernetes.md has in its table.
pub fn documented_rules() -> Result<BTreeSet<String>, Obstacle> {
    let document = std::fs::read_to_string(c::root().join("docs/kubernetes.md"))?;
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    let is_rule = |rule: &&str| rule.starts_with("baseline ") || rule.starts_with("restricted ");
    Ok(rows.map(|(rule, _)| rule).filter(is_rule).map(str::to_owned).collect())
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
    // A pod that waits for a ConfigMap of another namespace waits for ever.
    let good = std::fs::read_to_string(render("overlays/containerd")?)?;
    let elsewhere = folder.path().join("elsewhere.yaml");
    std::fs::write(&elsewhere, without_namespaces_of_config_maps(&good))?;
    let told = c::succeed(tools::check(&["rights"])?.arg(&elsewhere))?;
    if told.matches("there is none").count() != 2 {
        return Err(Obstacle::Fail(format!("ConfigMaps of another namespace are found: {told}")));
    }
    Ok(())
}

fn without_namespaces_of_config_maps(manifest: &str) -> String {
    let objects = manifest.split("\n---\n").map(|object| {
        if object.contains("\nkind: ConfigMap\n") {
            object.replace("\n  namespace: criwatch", "")
        } else {
            object.into()
        }
    });
    objects.collect::<Vec<_>>().join("\n---\n")
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
