//! criwatch pods: pods.

use std::sync::Arc;

use criwatch::model::PodState;

use super::Example;
use super::ps::print_list;
use crate::args::{Global, PodListing, Selection};
use crate::engine::look_at_all;
use crate::exit::{Exit, Failure};
use crate::output::{ListForm, restricted};
use crate::pod_counts::{PodWith, counts, created};
use crate::select::{Picker, nothing_matches};
use crate::table::{Column, Table};
use crate::terminal::Out;
use crate::text::{Look, Word};
use crate::{duration, words};

pub const EXAMPLES: &[Example] = &[
    ("all pods that the engine has", "criwatch pods -a"),
    ("addresses by name", "criwatch pods -o json | jq -r '.pods[] | \"\\(.name) \\(.ips[0])\"'"),
];

/// List pods
///
/// Lists the pods that are ready, with how many of their containers run, sorted by namespace and name.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Pods in any state
    #[arg(short, long, help_heading = "Selection")]
    all: bool,
    /// Only these states: ready, notready, unknown; with commas, or repeated
    #[arg(short, long, value_name = "STATE", help_heading = "Selection")]
    state: Vec<String>,
    #[command(flatten)]
    listing: PodListing,
}

pub fn run(args: &Args, global: &Global, out: &mut Out) -> Result<Exit, Failure> {
    // A query can only select the states of containers.
    let picker = Picker { all: true, ..Picker::new(&args.selection) };
    let states = args.states()?;
    let is_wide = args.listing.output == ListForm::Wide;
    let is_table = !args.listing.quiet && (is_wide || args.listing.output == ListForm::Table);
    let whole = args.listing.no_trunc || is_wide;
    let (mut rows, mut matches) = (table(is_wide), false);
    let watchers = look_at_all(global)?;
    for watcher in &watchers {
        let snapshot = watcher.snapshot()?;
        let mut pods = snapshot.by_pod(picker.pick(&snapshot)?.into_iter());
        pods.retain(|(pod, _)| states.as_ref().is_none_or(|states| states.contains(&pod.state)));
        matches = matches || !pods.is_empty();
        if is_table {
            let now = duration::now();
            pods.iter().for_each(|entry| rows.add(row(entry, whole, is_wide, now)));
        } else if args.listing.quiet {
            pods.iter().try_for_each(|(pod, _)| out.raw_line(&pod.id))?;
        } else if args.listing.output == ListForm::Name {
            pods.iter().try_for_each(|(pod, _)| out.line(&[format!("{}/{}", pod.namespace, pod.name).into()]))?;
        } else {
            let ids: Vec<&str> = pods.iter().map(|(pod, _)| &*pod.id).collect();
            let document = watcher.pods(Some(&picker.query()))?.expect("the query names no generation");
            print_list(&restricted(document.as_str(), "pods", &ids)?, "pods", &args.listing.output, out)?;
        }
    }
    if !matches && (picker.is_narrowed() || !args.state.is_empty()) {
        return Err(Failure::nothing(args.nothing(&nothing_matches(&*watchers[0].snapshot()?, &picker))));
    }
    if is_table {
        out.table(&rows, whole)?;
    }
    Ok(Exit::Ok)
}

impl Args {
    /// The requested states; `None`: all.
    fn states(&self) -> Result<Option<Vec<PodState>>, Failure> {
        let words = self.state.iter().flat_map(|list| list.split(','));
        let states = words.map(|word| match &*word.trim().to_ascii_lowercase() {
            "ready" => Ok(PodState::Ready),
            "notready" => Ok(PodState::NotReady),
            "unknown" => Ok(PodState::Unknown),
            other => Err(Failure::usage(format!("--state: {other:?} is none of ready, notready, unknown"))),
        });
        let states = states.collect::<Result<Vec<_>, _>>()?;
        Ok(match (states.is_empty(), self.all) {
            (true, true) => None,
            (true, false) => Some(vec![PodState::Ready]),
            (false, _) => Some(states),
        })
    }

    fn nothing(&self, said: &str) -> String {
        match self.state.is_empty() {
            true => said.to_owned(),
            false => format!("nothing matches --state {}", self.state.join(",")),
        }
    }
}

const COLUMNS: [Column; 8] = [
    Column::new("NAME").names(),
    Column::new("NAMESPACE").names(),
    Column::new("ID").id().late(2),
    Column::new("STATE").late(4),
    Column::new("AGE").late(1),
    Column::new("RUNNING").late(3),
    Column::new("RESTARTS").number().early(1),
    Column::new("IP").early(2),
];

/// The columns that `-o wide` adds.
const WIDE: [Column; 4] = [Column::new("UID"), Column::new("CREATED"), Column::new("HANDLER"), Column::new("CGROUP")];

/// An empty table of pods.
fn table(is_wide: bool) -> Table {
    let wide = if is_wide { &WIDE[..] } else { &[] };
    Table::new([&COLUMNS[..], wide].concat())
}

fn row(entry: &PodWith, whole: bool, is_wide: bool, now: i64) -> Vec<Word> {
    let (pod, containers) = entry;
    let counts = counts(containers);
    let address = pod.ips.first().map(Arc::to_string);
    let address = address.or_else(|| (pod.host_network == Some(true)).then(|| "host".into()));
    let is_whole = counts.running == counts.total;
    let mut cells = vec![
        Word::new(&*pod.name, Look::Bold),
        Word::from(words::text_or_nothing(&pod.namespace)),
        words::short_id(&pod.id, whole),
        words::pod_state(pod),
        words::age(created(entry), now).into(),
        Word::new(format!("{}/{}", counts.running, counts.total), if is_whole { Look::Plain } else { Look::Caution }),
        words::restarts(counts.restarts),
        words::or_nothing(address).into(),
    ];
    if is_wide {
        cells.extend([
            words::text_or_nothing(&pod.uid).into(),
            words::or_nothing(created(entry).map(words::moment)).into(),
            words::text_or_nothing(&pod.runtime_handler).into(),
            words::or_nothing(pod.cgroup_path.as_deref()).into(),
        ]);
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{self, NOW};
    use crate::table::plain;

    #[test]
    fn screens() {
        let mut rows = table(false);
        sample::node().iter().for_each(|entry| rows.add(row(entry, false, false, NOW)));
        sample::golden("pods", |width| plain(&rows, Some(width)));
    }
}
