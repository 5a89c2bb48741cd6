//! criwatch stats: what containers use.

use std::sync::Arc;
use std::time::Duration;

use criwatch::model::{Container, Kind};
use serde_json::json;

use super::Example;
use super::ps::print_list;
use crate::args::{Global, Listing, Selection};
use crate::cgroup_usage::{Sampler, Usage};
use crate::engine::look;
use crate::exit::{Exit, Failure};
use crate::output::ListForm;
use crate::select::{Picker, nothing_matches};
use crate::table::{Column, Table};
use crate::terminal::Out;
use crate::text::{Look, Word};
use crate::{duration, words};

pub const EXAMPLES: &[Example] = &[
    ("what uses most memory", "criwatch stats --sort memory"),
    ("CPUs for a script", "criwatch stats -o jsonl --interval 100ms | jq '{name, cpus}'"),
];

/// Show what containers use: CPU and memory
///
/// Reads the files of the containers' cgroups twice, and shows the CPU that was used in between, and the memory that the kernel
/// cannot take back (the working set, as the kubelet counts it), with the shares of the limits. If it cannot read the cgroups,
/// it asks the engine (ListContainerStats). CPU is in CPUs: 250m is a quarter of one.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Only containers with this name
    #[arg(long, value_name = "NAME", help_heading = "Selection")]
    name: Option<String>,
    /// How long to measure
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration::limit)]
    interval: Duration,
    /// The order
    #[arg(long, value_enum, value_name = "ORDER", default_value = "cpu", help_heading = "Output")]
    sort: Order,
    #[command(flatten)]
    listing: Listing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Order {
    /// Those that use the most CPU first
    Cpu,
    /// Those that use the most memory first
    Memory,
    /// By namespace, pod and name
    Name,
}

type Measured = (Arc<Container>, Usage);

pub fn run(args: &Args, global: &Global, out: &mut Out) -> Result<Exit, Failure> {
    let picker = Picker { name: args.name.clone(), kind: Some(Kind::Container), ..Picker::new(&args.selection) };
    let watcher = look(global, "stats")?;
    let snapshot = watcher.snapshot()?;
    let containers: Vec<Arc<Container>> = picker.pick(&snapshot)?.into_iter().cloned().collect();
    if containers.is_empty() && picker.is_narrowed() {
        return Err(Failure::nothing(nothing_matches(&snapshot, &picker)));
    }
    let mut sampler = Sampler::new(global.host_root());
    sampler.sample(&containers, &watcher, global.timeout);
    std::thread::sleep(args.interval);
    sampler.sample(&containers, &watcher, global.timeout);
    let usage = |one: Arc<Container>| {
        let usage = sampler.usage(&one.id).copied().unwrap_or_default();
        (one, usage)
    };
    let mut measured: Vec<Measured> = containers.into_iter().map(usage).collect();
    match args.sort {
        Order::Cpu => measured.sort_by(|a, b| b.1.cpu.unwrap_or(-1.0).total_cmp(&a.1.cpu.unwrap_or(-1.0))),
        Order::Memory => measured.sort_by_key(|(_, usage)| std::cmp::Reverse(usage.memory)),
        Order::Name => {}
    }
    print(args, &measured, out)
}

fn print(args: &Args, measured: &[Measured], out: &mut Out) -> Result<Exit, Failure> {
    let whole = args.listing.no_trunc || args.listing.output == ListForm::Wide;
    if args.listing.quiet {
        measured.iter().try_for_each(|(one, _)| out.raw_line(&one.id))?;
    } else if args.listing.output == ListForm::Name {
        measured.iter().try_for_each(|(one, _)| out.line(&[one.path().into()]))?;
    } else if matches!(args.listing.output, ListForm::Table | ListForm::Wide) {
        out.table(&table(measured), whole)?;
    } else {
        let all: Vec<_> = measured.iter().map(document).collect();
        let document = json!({"schema": "criwatch.usage/1", "containers": all}).to_string();
        print_list(&document, "containers", &args.listing.output, out)?;
    }
    Ok(Exit::Ok)
}

fn document((one, usage): &Measured) -> serde_json::Value {
    let mut document = json!({
        "id": &*one.id, "name": &*one.name, "pod": {"name": one.pod_name(), "namespace": one.namespace()}
    });
    let known = [
        ("cpus", usage.cpu.map(serde_json::Value::from)),
        ("cpuLimit", usage.cpu_limit.map(serde_json::Value::from)),
        ("memoryBytes", usage.memory.map(serde_json::Value::from)),
        ("memoryLimitBytes", usage.memory_limit.map(serde_json::Value::from)),
    ];
    // Unknown values are absent, as in the library's documents.
    for (key, value) in known {
        if let Some(value) = value {
            document[key] = value;
        }
    }
    document
}

fn table(measured: &[Measured]) -> Table {
    let number = |name| Column::new(name).number();
    let mut rows = Table::new([
        Column::new("NAME").names(),
        Column::new("POD").names(),
        Column::new("NAMESPACE").names().late(1),
        number("CPU"),
        number("CPU%").early(2),
        number("MEMORY"),
        number("MEM%").late(2),
        number("LIMIT").early(1),
    ]);
    for (one, usage) in measured {
        rows.add([
            Word::new(&*one.name, Look::Bold),
            words::text_or_nothing(one.pod_name()).into(),
            words::text_or_nothing(one.namespace()).into(),
            words::or_nothing(usage.cpu.map(words::cpus)).into(),
            share(usage.cpu_share()),
            words::or_nothing(usage.memory.map(words::bytes)).into(),
            share(usage.memory_share()),
            words::or_nothing(usage.memory_limit.map(words::bytes)).into(),
        ]);
    }
    rows
}

/// A share of a limit. One that is near the limit is highlighted.
pub fn share(share: Option<f64>) -> Word {
    let Some(share) = share else { return words::NOTHING.into() };
    let look = if share >= 0.9 {
        Look::Bad
    } else if share >= 0.7 {
        Look::Caution
    } else {
        Look::Plain
    };
    Word::new(format!("{:.0}%", share * 100.0), look)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use crate::table::plain;

    #[test]
    fn screens() {
        let usage = |number: usize| Usage {
            cpu: (number != 3).then_some(0.07 * number as f64),
            cpu_limit: number.is_multiple_of(2).then_some(0.5),
            memory: (number != 3).then_some(7 << (18 + number)),
            memory_limit: number.is_multiple_of(3).then_some(9 << (18 + number)),
        };
        let running = sample::containers().into_iter().filter(|one| one.is_running());
        let measured: Vec<Measured> = running.enumerate().map(|(number, one)| (one, usage(number))).collect();
        sample::golden("stats", |width| plain(&table(&measured), Some(width)));
    }
}
