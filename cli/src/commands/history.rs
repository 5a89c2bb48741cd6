//! criwatch history: the runs of a name.

use std::sync::Arc;

use clap_complete::engine::ArgValueCompleter;
use criwatch::error::CRI_E_NOT_FOUND;
use criwatch::model::{Container, Kind, State};

use super::Example;
use super::ps::print_list;
use crate::args::{Global, Listing, containers};
use crate::engine::{Ends, look};
use crate::exit::{Exit, Failure};
use crate::output::{ListForm, restricted};
use crate::select::{Picker, unknown_name};
use crate::table::{Column, Table};
use crate::terminal::Out;
use crate::text::{Look, Word};
use crate::{duration, words};

pub const EXAMPLES: &[Example] =
    &[("how the runs of a container ended", "criwatch history shop/web-5d9c7b6f4-x2x7q/nginx")];

/// Show the runs of a container: when, how long, and how each ended
///
/// Shows the runs of a container in its pod that the engine still has, the newest first, and how the run before them ended, if
/// that is known. The kubelet keeps only one ended run of each container.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The container: its name, namespace/pod/container, an id, or the beginning of an id
    #[arg(value_name = "NAME", add = names())]
    name: String,
    #[command(flatten)]
    listing: Listing,
}

fn names() -> ArgValueCompleter {
    containers()
}

pub fn run(args: &Args, global: &Global, out: &mut Out) -> Result<Exit, Failure> {
    let watcher = look(global, "history")?;
    let snapshot = watcher.snapshot()?;
    let one = match snapshot.find(&args.name) {
        Ok(one) => one,
        Err(error) if error.status() == CRI_E_NOT_FOUND => return Err(unknown_name(&snapshot, &args.name, &error)),
        Err(error) => return Err(error.into()),
    };
    let picker = Picker { kind: Some(one.kind), ..Picker::default() }.of_all_and_gone();
    let of_same_name =
        |other: &&Arc<Container>| other.path() == one.path() && one.kind == Kind::Container || other.id == one.id;
    let mut ends = Ends::new(&watcher, global);
    let mut runs: Vec<Arc<Container>> =
        picker.pick(&snapshot)?.into_iter().filter(of_same_name).map(|one| ends.complete(one)).collect();
    runs.sort_by_key(|one| std::cmp::Reverse((one.attempt, one.created_at)));
    if args.listing.quiet {
        runs.iter().try_for_each(|one| out.raw_line(&one.id))?;
        return Ok(Exit::Ok);
    }
    match args.listing.output {
        ListForm::Table | ListForm::Wide => {
            out.line(&[Word::new(one.path(), Look::Heading)])?;
            out.table(&table(&runs, args.listing.no_trunc, duration::now()), args.listing.no_trunc)?;
        }
        ListForm::Name => runs.iter().try_for_each(|one| out.line(&[one.path().into()]))?,
        _ => {
            let ids: Vec<&str> = runs.iter().map(|one| &*one.id).collect();
            let document = watcher.list(Some(&picker.query()))?.expect("the query names no generation");
            print_list(&restricted(document.as_str(), "containers", &ids)?, "containers", &args.listing.output, out)?;
        }
    }
    Ok(Exit::Ok)
}

/// The runs as a table, the newest first.
fn table(runs: &[Arc<Container>], whole: bool, now: i64) -> Table {
    let mut rows = Table::new([
        Column::new("RUN").number(),
        Column::new("STATE").late(2),
        Column::new("STARTED").late(1),
        Column::new("FINISHED").early(2),
        Column::new("RAN").number(),
        Column::new("EXIT"),
        Column::new("ID").id().early(1),
    ]);
    let moment =
        |time: Option<i64>| Word::from(words::or_nothing(time.map(|time| words::moment(time)[..19].to_owned() + "Z")));
    for one in runs {
        let end = one.finished_at.filter(|_| one.state == State::Exited);
        let ran = one.started_at.map(|began| words::span(began, end.unwrap_or(now)));
        rows.add([
            one.attempt.to_string().into(),
            words::state(one),
            moment(one.started_at),
            moment(end),
            words::or_nothing(ran.filter(|_| one.state != State::Exited || end.is_some())).into(),
            words::end(one),
            words::short_id(&one.id, whole),
        ]);
    }
    // The engine has dropped this run, and the next one still has its end.
    if let Some((previous, next)) = runs.last().and_then(|oldest| Some((oldest.previous.as_deref()?, oldest.attempt))) {
        rows.add([
            next.saturating_sub(1).to_string().into(),
            Word::new("removed", Look::Dim),
            words::NOTHING.into(),
            moment(previous.finished_at),
            words::NOTHING.into(),
            words::exit_word(previous.exit_code, &previous.reason),
            words::NOTHING.into(),
        ]);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{self, NOW};
    use crate::table::plain;

    #[test]
    fn screens() {
        let mut runs: Vec<_> = sample::containers().into_iter().filter(|one| &*one.name == "config-reloader").collect();
        runs.sort_by_key(|one| std::cmp::Reverse(one.attempt));
        sample::golden("history", |width| plain(&table(&runs, false, NOW), Some(width)));
    }
}
