//! criwatch engines: the engines of this node.

use criwatch::model::{Candidate, Engines};
use criwatch::watcher::engines;

use super::Example;
use crate::args::Global;
use crate::engine::{Named, config, named, rootless_sockets};
use crate::exit::{Exit, Failure};
use crate::output::{DocumentForm, print_document};
use crate::table::{Column, Table};
use crate::terminal::{Out, complain};
use crate::text::{Look, Word};
use crate::words;

pub const EXAMPLES: &[Example] = &[
    ("engines inside containers (kind), too", "criwatch engines --option discover.nested=true"),
    ("why each was looked at", "criwatch engines -o json | jq -r '.engines[] | .api, .reasons[].text'"),
    ("the containers of all of them", "criwatch ps $(criwatch engines -o name | sed 's/^/-r /')"),
];

/// List the engines of this node
///
/// Lists the engines of this node, the best one first: those that -r or the environment names, then the one that the kubelet
/// uses, then those with pods. The other commands use the first one. All sockets are asked at the same time.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The form
    #[arg(short, long, value_enum, value_name = "FORM", default_value = "table", help_heading = "Output")]
    output: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    Table,
    Json,
    Yaml,
    Name,
}

pub fn run(args: &Args, global: &Global, out: &mut Out) -> Result<Exit, Failure> {
    let named = named(global)?;
    let mut found = look(global, &named)?;
    // A named engine comes first, because the other commands use it.
    found.candidates.sort_by_key(|one| by(one, &named).is_none());
    match args.output {
        Form::Json => print_document(out, found.json().as_str(), DocumentForm::Json)?,
        Form::Yaml => print_document(out, found.json().as_str(), DocumentForm::Yaml)?,
        Form::Name => found.candidates.iter().filter(|one| one.answers()).try_for_each(|one| out.raw_line(&one.api))?,
        Form::Table => {
            out.table(&table(&found.candidates, &named), false)?;
            out.flush()?;
            found.notes.iter().for_each(|note| complain(note));
        }
    }
    if found.candidates.iter().any(Candidate::answers) {
        return Ok(Exit::Ok);
    }
    Err(Failure { exit: Exit::Unreachable, message: "no engine answers on this node".into() })
}

/// Finds the engines. Those that are named are looked at, too.
fn look(global: &Global, named: &[Named]) -> Result<Engines, Failure> {
    let mut config = config(global)?;
    let given = global.option.iter().rev().find(|(key, _)| key == "discover.sockets").map(|(_, value)| value.clone());
    let own = rootless_sockets().iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
    let sockets = given.map_or(own, |given| vec![given]);
    let paths = named.iter().map(|one| path(&one.endpoint).to_owned());
    let all: Vec<String> = paths.chain(sockets).collect();
    if !all.is_empty() {
        config.set("discover.sockets", &all.join(":"))?;
    }
    Ok(engines(&config, Some(global.timeout))?)
}

fn path(endpoint: &str) -> &str {
    endpoint.strip_prefix("unix://").or_else(|| endpoint.strip_prefix("unix:")).unwrap_or(endpoint)
}

/// The variable or option that named this engine.
fn by<'a>(one: &Candidate, named: &'a [Named]) -> Option<&'a str> {
    named.iter().find(|named| path(&named.endpoint) == path(&one.api)).map(|named| &*named.by)
}

fn table(candidates: &[Candidate], named: &[Named]) -> Table {
    let mut rows = Table::new([
        Column::new("ENDPOINT").names(),
        Column::new("ENGINE").late(3),
        Column::new("VERSION").early(2),
        Column::new("PODS").number().late(1),
        Column::new("PID").number().early(1),
        Column::new("WHY").soft().late(2),
    ]);
    for one in candidates {
        let why = match (&one.error, by(one, named)) {
            (Some(error), _) => Word::new(error.message(), Look::Bad),
            (None, Some(named)) => format!("{named} names it").into(),
            (None, None) => Word::from(&*one.rank),
        };
        rows.add([
            Word::new(&*one.api, if one.answers() { Look::Bold } else { Look::Dim }),
            words::text_or_nothing(&one.runtime_name).into(),
            words::text_or_nothing(&one.runtime_version).into(),
            words::or_nothing(one.sandboxes).into(),
            words::or_nothing(one.pid).into(),
            why,
        ]);
    }
    rows
}
