//! criwatch ps: containers.

use std::sync::Arc;

use criwatch::model::{Container, Kind};
use criwatch::watcher::Watcher;

use super::Example;
use crate::args::{Global, Listing, Selection};
use crate::engine::{Ends, look_at_all};
use crate::exit::{Exit, Failure};
use crate::output::{ListForm, parsed, print_json, print_yaml, restricted};
use crate::select::{Picker, nothing_matches, states};
use crate::table::{Column, Table};
use crate::terminal::Out;
use crate::text::{Look, Word};
use crate::{duration, words};

pub const EXAMPLES: &[Example] = &[
    ("everything in one namespace, also what has exited", "criwatch ps -a -n shop"),
    ("ids for a script", "criwatch ps -q -l app=web"),
    ("pids by name", "criwatch ps -o json | jq -r '.containers[] | \"\\(.pod.name)/\\(.name) \\(.pid)\"'"),
    ("the same as a table", "criwatch ps -o custom-columns=POD:.pod.name,NAME:.name,PID:.pid"),
    ("what was restarted most, of all namespaces of the system", "criwatch ps -n 'kube-*' --sort restarts"),
];

/// List containers
///
/// Lists the containers that run, sorted by namespace, pod and name.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Only containers with this name
    #[arg(long, value_name = "NAME", help_heading = "Selection")]
    name: Option<String>,
    /// Only containers of this image: its name, with or without registry and tag, or a pattern with * and ?; may be repeated
    #[arg(long, value_name = "IMAGE", help_heading = "Selection")]
    image: Vec<String>,
    /// Containers in any state
    #[arg(short, long, help_heading = "Selection")]
    all: bool,
    /// Only these states: created, running, exited, unknown; with commas, or repeated
    #[arg(short, long, value_name = "STATE", help_heading = "Selection")]
    state: Vec<String>,
    /// Also the pods' sandboxes (pause containers)
    #[arg(long, help_heading = "Selection")]
    sandboxes: bool,
    /// Only the container that was created last, in any state
    #[arg(short = 'L', long, help_heading = "Selection", conflicts_with = "last")]
    latest: bool,
    /// Only the N containers that were created last, in any state
    #[arg(long, value_name = "N", help_heading = "Selection")]
    last: Option<usize>,
    /// The order
    #[arg(long, value_enum, value_name = "ORDER", help_heading = "Output")]
    sort: Option<Order>,
    /// After the table, print a row for each container that changes, until Ctrl-C
    #[arg(short, long, help_heading = "Output", conflicts_with_all = ["sort", "last", "latest"])]
    watch: bool,
    #[command(flatten)]
    listing: Listing,
}

/// An order of containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Order {
    /// By namespace, pod and name
    Name,
    /// The newest first
    Newest,
    /// The oldest first
    Oldest,
    /// Those with the most restarts first
    Restarts,
    /// Those that ended most recently first
    Exit,
    /// By image
    Image,
    /// By state
    State,
}

pub fn run(args: &Args, global: &Global, out: &mut Out) -> Result<Exit, Failure> {
    let picker = args.picker()?;
    let watchers = look_at_all(global)?;
    if args.watch {
        return watch(args, global, &picker, &watchers, out);
    }
    let mut rows = table(args.is_wide());
    let mut matches = false;
    for watcher in &watchers {
        let snapshot = watcher.snapshot()?;
        let chosen = args.arranged(picker.pick(&snapshot)?);
        matches = matches || !chosen.is_empty();
        if args.listing.quiet || args.listing.output != ListForm::Table && !args.is_wide() {
            // Prints one document for each engine. Each document names its engine.
            print_for_programs(&args.listing, watcher, &picker, &chosen, out)?;
        } else {
            let mut ends = Ends::new(watcher, global);
            let now = duration::now();
            for container in chosen {
                rows.add(row(&ends.complete(container), args.is_whole(), args.is_wide(), now));
            }
        }
    }
    if !matches && picker.is_narrowed() {
        return Err(Failure::nothing(nothing_matches(&*watchers[0].snapshot()?, &picker)));
    }
    if !args.listing.quiet && (args.listing.output == ListForm::Table || args.is_wide()) {
        out.table(&rows, args.is_whole())?;
    }
    Ok(Exit::Ok)
}

impl Args {
    fn picker(&self) -> Result<Picker, Failure> {
        Ok(Picker {
            name: self.name.clone(),
            images: self.image.clone(),
            states: states(&self.state)?,
            // The newest containers may have ended.
            all: self.all || self.latest || self.last.is_some(),
            kind: (!self.sandboxes).then_some(Kind::Container),
            ..Picker::new(&self.selection)
        })
    }

    fn is_wide(&self) -> bool {
        self.listing.output == ListForm::Wide
    }

    fn is_whole(&self) -> bool {
        self.listing.no_trunc || self.is_wide()
    }

    fn arranged<'a>(&self, mut chosen: Vec<&'a Arc<Container>>) -> Vec<&'a Arc<Container>> {
        if let Some(most) = if self.latest { Some(1) } else { self.last } {
            sort(&mut chosen, Order::Newest);
            chosen.truncate(most);
        }
        if let Some(order) = self.sort {
            sort(&mut chosen, order);
        }
        chosen
    }
}

/// Sorts containers. They come in the library's order, by namespace, pod and name, which stays if nothing else decides.
fn sort(containers: &mut [&Arc<Container>], order: Order) {
    use std::cmp::Reverse;
    match order {
        Order::Name => containers.sort_by_key(|one| one.path()),
        Order::Newest => containers.sort_by_key(|one| Reverse(one.created_at)),
        Order::Oldest => containers.sort_by_key(|one| one.created_at),
        Order::Restarts => containers.sort_by_key(|one| Reverse(one.attempt)),
        Order::Exit => containers.sort_by_key(|one| Reverse(one.finished_at)),
        Order::Image => containers.sort_by(|a, b| a.image.name.cmp(&b.image.name)),
        Order::State => containers.sort_by_key(|one| one.state.number()),
    }
}

/// A list as a document, as ids or as names.
fn print_for_programs(
    listing: &Listing,
    watcher: &Watcher,
    picker: &Picker,
    chosen: &[&Arc<Container>],
    out: &mut Out,
) -> Result<(), Failure> {
    if listing.quiet {
        return chosen.iter().try_for_each(|one| out.raw_line(&one.id));
    }
    if listing.output == ListForm::Name {
        return chosen.iter().try_for_each(|one| out.line(&[one.path().into()]));
    }
    let ids: Vec<&str> = chosen.iter().map(|one| &*one.id).collect();
    let document = watcher.list(Some(&picker.query()))?.expect("the query names no generation");
    print_list(&restricted(document.as_str(), "containers", &ids)?, "containers", &listing.output, out)
}

/// Prints the list under `key` of a document, in one of the forms for programs.
pub fn print_list(document: &str, key: &str, form: &ListForm, out: &mut Out) -> Result<(), Failure> {
    let list = |document: &str| Ok::<_, Failure>(parsed(document)?[key].as_array().cloned().unwrap_or_default());
    match form {
        ListForm::Yaml => print_yaml(out, document),
        ListForm::JsonLines => list(document)?.iter().try_for_each(|one| out.raw_line(&one.to_string())),
        ListForm::Custom(columns) => columns.lines(&list(document)?).iter().try_for_each(|line| out.raw_line(line)),
        ListForm::Json | ListForm::Table | ListForm::Wide | ListForm::Name => print_json(out, document),
    }
}

const COLUMNS: [Column; 10] = [
    Column::new("NAME").names(),
    Column::new("POD").names(),
    Column::new("NAMESPACE").names().late(2),
    Column::new("ID").id().late(3),
    Column::new("STATE").late(4),
    Column::new("AGE").late(1),
    Column::new("PID").number().early(3),
    Column::new("RESTARTS").number().early(2),
    Column::new("EXIT").early(1),
    Column::new("IMAGE").soft().early(4),
];

/// The columns that `-o wide` adds.
const WIDE: [Column; 4] = [Column::new("IP"), Column::new("CREATED"), Column::new("LAST-EXIT"), Column::new("CGROUP")];

/// An empty table of containers.
pub fn table(is_wide: bool) -> Table {
    let wide = if is_wide { &WIDE[..] } else { &[] };
    Table::new([&COLUMNS[..], wide].concat())
}

/// A container as a row.
pub fn row(container: &Container, whole: bool, is_wide: bool, now: i64) -> Vec<Word> {
    let pod = container.pod.as_deref();
    let mut cells = vec![
        Word::new(&*container.name, Look::Bold),
        words::text_or_nothing(container.pod_name()).into(),
        words::text_or_nothing(container.namespace()).into(),
        words::short_id(&container.id, whole),
        words::state(container),
        words::age(words::since(container), now).into(),
        words::or_nothing(words::pid(container)).into(),
        words::restarts(container.attempt),
        words::end(container),
        Word::new(words::text_or_nothing(&container.image.name), Look::Dim),
    ];
    if is_wide {
        let address = pod.and_then(|pod| pod.ips.first()).map(|ip| ip.to_string());
        let is_hosts = pod.is_some_and(|pod| pod.host_network == Some(true));
        let last = container.previous.as_deref();
        cells.extend([
            words::or_nothing(address.or_else(|| is_hosts.then(|| "host".into()))).into(),
            words::or_nothing(container.created_at.map(words::moment)).into(),
            last.map_or_else(|| words::NOTHING.into(), |last| words::exit_word(last.exit_code, &last.reason)),
            words::or_nothing(container.cgroup_path.as_deref()).into(),
        ]);
    }
    cells
}

/// Prints the table, and then a row for each container that changes.
fn watch(args: &Args, global: &Global, picker: &Picker, watchers: &[Watcher], out: &mut Out) -> Result<Exit, Failure> {
    let [watcher] = watchers else {
        return Err(Failure::usage("ps --watch looks at one engine: give -r once"));
    };
    if args.listing.quiet || !matches!(args.listing.output, ListForm::Table | ListForm::Wide) {
        return Err(Failure::usage("ps --watch prints a table: for programs, there is criwatch events -o json"));
    }
    super::events::rows(watcher, global, picker, out, args.is_wide(), args.is_whole())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::sample::{self, NOW, SECOND};
    use crate::table::plain;
    use crate::text::width_of;

    fn drawn(containers: &[Arc<Container>]) -> Table {
        let mut rows = table(false);
        containers.iter().for_each(|one| rows.add(row(one, false, false, NOW)));
        rows
    }

    #[test]
    fn screens() {
        let rows = drawn(&sample::containers());
        sample::golden("ps", |width| plain(&rows, Some(width)));
    }

    #[test]
    fn names_are_whole_before_a_column_leaves_and_rows_of_one_pod_are_alike() {
        let mut short = sample::containers();
        short.retain(|one| ["shop", "kube-system"].contains(&one.namespace()));
        let rows = drawn(&short);
        for width in 40..200 {
            let text = plain(&rows, Some(width));
            let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
            let columns = &lines[0];
            if columns.contains(&"IMAGE") {
                // No name is cut as long as a column can be dropped.
                for (one, line) in short.iter().zip(&lines[1..]) {
                    assert_eq!((line[0], line[1]), (&*one.name, one.pod_name()), "{width}");
                }
            }
            let order = ["EXIT", "RESTARTS", "PID", "IMAGE"];
            let gone: Vec<&str> = order.into_iter().filter(|name| !columns.contains(name)).collect();
            assert_eq!(gone, order[..gone.len()], "{width}");
            // The pods of one deployment can still be told apart, and the rows of one pod belong together.
            let mut shown: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
            for (one, line) in short.iter().zip(&lines[1..]) {
                shown.entry(one.pod_name()).or_default().insert(line[1]);
            }
            assert!(shown.values().all(|each| each.len() == 1), "{width}");
            assert_eq!(shown.values().flatten().collect::<BTreeSet<_>>().len(), shown.len(), "{width}");
        }
    }

    #[test]
    fn many_fit_too() {
        let many: Vec<Arc<Container>> = (0..750)
            .map(|n| {
                let pod = Arc::new(sample::pod(
                    n.into(),
                    &format!("team-{}", n % 7),
                    &format!("service-{}-5d9c7b6f4-{n:05x}", n % 30),
                ));
                Arc::new(sample::container(n, &pod, &format!("main-{n}"), n.into()))
            })
            .collect();
        let rows = drawn(&many);
        for width in sample::WIDTHS {
            let text = plain(&rows, Some(width));
            assert_eq!(text.lines().count(), 751);
            assert!(text.lines().all(|line| width_of(line) <= width));
        }
    }

    #[test]
    fn no_cell_is_empty_or_has_a_space() {
        let mut strange = sample::container(1, &Arc::new(sample::pod(1, "", "")), "x", 1);
        (strange.pod, strange.image, strange.created_at, strange.started_at) = (None, Default::default(), None, None);
        let mut all = sample::containers();
        all.push(strange.into());
        for is_wide in [false, true] {
            for one in &all {
                for cell in row(one, false, is_wide, NOW) {
                    assert!(!cell.text.is_empty() && !cell.text.contains(' '), "{cell:?}");
                }
            }
        }
    }

    #[test]
    fn orders() {
        let all = sample::containers();
        let sorted = |order| {
            let mut them: Vec<_> = all.iter().collect();
            sort(&mut them, order);
            them.iter().map(|one| (one.name.to_string(), one.attempt)).collect::<Vec<_>>()
        };
        assert_eq!(sorted(Order::Restarts)[0], ("config-reloader".into(), 12));
        assert_eq!(sorted(Order::Newest)[0].0, "envoy-sidecar-proxy");
        assert_eq!(sorted(Order::Oldest)[0].0, "kube-proxy");
        assert!(all.iter().any(|one| one.finished_at == Some(NOW - 42 * SECOND)));
        assert!(["config-reloader", "envoy-sidecar-proxy", "main"].contains(&&*sorted(Order::Exit)[0].0));
    }
}
