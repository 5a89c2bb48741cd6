//! criwatch images: the images that the engine has.

use std::collections::BTreeMap;

use criwatch::model::Kind;
use criwatch::watcher::Snapshot;
use serde_json::Value;

use super::Example;
use super::ps::print_list;
use crate::args::{Global, Listing};
use crate::engine::look;
use crate::exit::{Exit, Failure};
use crate::output::{ListForm, parsed};
use crate::select::Picker;
use crate::table::{Column, Table};
use crate::terminal::Out;
use crate::text::{Look, Word};
use crate::words;

pub const EXAMPLES: &[Example] =
    &[("what no container uses", "criwatch images --unused"), ("names for a script", "criwatch images -o name")];

/// List the images that the engine has
///
/// Lists the images of the engine with their sizes, and with the number of containers that use each, in any state.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only images that no container uses
    #[arg(long)]
    unused: bool,
    #[command(flatten)]
    listing: Listing,
}

pub fn run(args: &Args, global: &Global, out: &mut Out) -> Result<Exit, Failure> {
    let watcher = look(global, "images")?;
    let answer = watcher.call("ImageService/ListImages", None, Some(global.timeout))?;
    let mut document = parsed(answer.as_str())?;
    let uses = uses(&*watcher.snapshot()?)?;
    let mut images = document["images"].as_array().cloned().unwrap_or_default();
    let count = |image: &Value| names(image).iter().filter_map(|name| uses.get(*name)).max().copied().unwrap_or(0);
    images.retain(|image| !args.unused || count(image) == 0);
    images.sort_by_key(|image| title(image).to_owned());
    if args.listing.quiet {
        images.iter().try_for_each(|image| out.raw_line(text(&image["id"])))?;
        return Ok(Exit::Ok);
    }
    match args.listing.output {
        ListForm::Name => images.iter().try_for_each(|image| out.line(&[title(image).into()]))?,
        ListForm::Table | ListForm::Wide => {
            let whole = args.listing.no_trunc || args.listing.output == ListForm::Wide;
            let rows: Vec<(&Value, usize)> = images.iter().map(|image| (image, count(image))).collect();
            out.table(&table(&rows, whole), whole)?;
        }
        _ => {
            document["images"] = images.into();
            print_list(&document.to_string(), "images", &args.listing.output, out)?;
        }
    }
    Ok(Exit::Ok)
}

/// How many containers have an image, by each of its names.
fn uses(snapshot: &Snapshot) -> Result<BTreeMap<String, usize>, Failure> {
    let mut uses = BTreeMap::new();
    for one in (Picker { kind: Some(Kind::Container), all: true, ..Picker::default() }).pick(snapshot)? {
        for name in [&one.image.name, &one.image.reference, &one.image.id] {
            *uses.entry(name.to_string()).or_insert(0) += 1;
        }
    }
    uses.remove("");
    Ok(uses)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().map(text).filter(|text| !text.is_empty())
}

/// All names of an image.
fn names(image: &Value) -> Vec<&str> {
    std::iter::once(text(&image["id"])).chain(texts(&image["repoTags"])).chain(texts(&image["repoDigests"])).collect()
}

/// The name to show: a tag, otherwise a digest.
fn title(image: &Value) -> &str {
    let tagged = texts(&image["repoTags"]).next();
    tagged.or_else(|| texts(&image["repoDigests"]).next()).unwrap_or_else(|| text(&image["id"]))
}

fn table(images: &[(&Value, usize)], whole: bool) -> Table {
    let mut rows = Table::new([
        Column::new("IMAGE").names(),
        Column::new("ID").id().late(1),
        Column::new("SIZE").number(),
        Column::new("CONTAINERS").number().early(1),
    ]);
    for (image, count) in images {
        let size = match &image["size"] {
            Value::String(text) => text.parse().ok(),
            other => other.as_u64(),
        };
        let id = text(&image["id"]).trim_start_matches("sha256:");
        rows.add([
            Word::new(words::text_or_nothing(title(image)), Look::Bold),
            words::short_id(words::text_or_nothing(id), whole),
            words::or_nothing(size.map(words::bytes)).into(),
            Word::new(count.to_string(), if *count == 0 { Look::Dim } else { Look::Plain }),
        ]);
    }
    rows
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::table::plain;

    #[test]
    fn images_are_named_by_their_tags() {
        let tagged = json!({"id": "sha256:0123456789abcdef", "repoTags": ["nginx:1.27"], "repoDigests": ["nginx@sha256:f"], "size": "1536"});
        let untagged = json!({"id": "sha256:ff", "repoTags": [], "repoDigests": ["app@sha256:e"]});
        assert_eq!(names(&tagged), ["sha256:0123456789abcdef", "nginx:1.27", "nginx@sha256:f"]);
        let drawn = plain(&table(&[(&tagged, 2), (&untagged, 0)], false), None);
        let expected = "IMAGE         ID             SIZE  CONTAINERS\n\
                        nginx:1.27    0123456789abc  1.5K           2\n\
                        app@sha256:e  ff                -           0";
        assert_eq!(drawn, expected);
    }
}
