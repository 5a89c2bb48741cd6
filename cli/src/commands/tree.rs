//! criwatch tree: pods, their containers, and the containers' processes.

use std::collections::BTreeMap;

use criwatch::model::Kind;
use serde_json::Value;

use super::Example;
use super::whois::process_json;
use crate::args::{Global, Selection};
use crate::engine::look;
use crate::exit::{Exit, Failure};
use crate::output::{DocumentForm, parsed, print_document, restricted};
use crate::pod_counts::PodWith;
use crate::processes::{self, Process, by_container};
use crate::select::{Picker, nothing_matches};
use crate::terminal::Out;
use crate::text::{Look, Word, cut, cut_in_the_middle, printable, width_of};
use crate::{duration, words};

pub const EXAMPLES: &[Example] = &[
    ("one pod", "criwatch tree -p shop/web-5d9c7b6f4-x2x7q"),
    ("the shape without processes", "criwatch tree --no-processes"),
];

/// Show pods, containers and processes as a tree
///
/// Shows the pods that are ready, below each pod its containers, and below each container its processes, as /proc of this node
/// shows them. A process that was started in the container by exec is shown next to the container's first process.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Also pods and containers that have ended
    #[arg(short, long, help_heading = "Selection")]
    all: bool,
    /// Do not show processes
    #[arg(long)]
    no_processes: bool,
    /// The form; JSON and YAML have the library's pods, and "processes" in each container
    #[arg(short, long, value_enum, value_name = "FORM", default_value = "table", help_heading = "Output")]
    output: DocumentForm,
    /// Do not shorten lines
    #[arg(long, help_heading = "Output")]
    no_trunc: bool,
}

pub fn run(args: &Args, global: &Global, out: &mut Out) -> Result<Exit, Failure> {
    let picker = Picker { all: args.all, ..Picker::new(&args.selection) };
    let watcher = look(global, "tree")?;
    let snapshot = watcher.snapshot()?;
    let pods = snapshot.by_pod(picker.pick(&snapshot)?.into_iter());
    if pods.is_empty() && picker.is_narrowed() {
        return Err(Failure::nothing(nothing_matches(&snapshot, &picker)));
    }
    let running = if args.no_processes { BTreeMap::new() } else { by_container(&snapshot, &global.proc()) };
    if args.output == DocumentForm::Table {
        let width = out.width.filter(|_| !args.no_trunc);
        return lines(&pods, &running, width, duration::now())
            .iter()
            .try_for_each(|line| out.line(line))
            .map(|()| Exit::Ok);
    }
    let ids: Vec<&str> = pods.iter().map(|(pod, _)| &*pod.id).collect();
    let document = watcher.pods(Some(&picker.query()))?.expect("the query names no generation");
    let mut document = parsed(&restricted(document.as_str(), "pods", &ids)?)?;
    document["schema"] = "criwatch.tree/1".into();
    for container in document["pods"]
        .as_array_mut()
        .into_iter()
        .flatten()
        .filter_map(|pod| pod["containers"].as_array_mut())
        .flatten()
    {
        let members = running.get(container["id"].as_str().unwrap_or_default()).map_or(&[][..], Vec::as_slice);
        container["processes"] = members.iter().map(process_json).collect::<Vec<Value>>().into();
    }
    print_document(out, &document.to_string(), args.output)?;
    Ok(Exit::Ok)
}

/// The lines, no wider than `width`. Names are cut in the middle, command lines at their end.
fn lines(pods: &[PodWith], running: &BTreeMap<String, Vec<Process>>, width: Option<usize>, now: i64) -> Vec<Vec<Word>> {
    let mut lines = Vec::new();
    for (pod, members) in pods {
        let name = format!("{}/{}", pod.namespace, pod.name);
        lines.push(named("", &name, Look::Heading, &[words::pod_state(pod)], width));
        let inside: Vec<_> =
            members.iter().filter(|one| one.kind == Kind::Container || running.contains_key(&*one.id)).collect();
        for (number, one) in inside.iter().enumerate() {
            let is_last = number + 1 == inside.len();
            let (mark, further) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            let of_it = running.get(&*one.id).map_or(&[][..], Vec::as_slice);
            if let (Kind::Sandbox, [only]) = (one.kind, of_it) {
                let line = printable(&format!("{mark}sandbox: {} {}", only.pid, only.command)).into_owned();
                lines.push(vec![Word::new(
                    width.map_or(line.clone(), |width| cut(&line, width).into_owned()),
                    Look::Dim,
                )]);
                continue;
            }
            let age = words::age(words::since(one), now);
            let (name, facts) = match one.kind {
                Kind::Sandbox => ("sandbox".to_owned(), vec![]),
                _ => (one.name.to_string(), vec![words::state(one), Word::from(age)]),
            };
            lines.push(named(mark, &name, Look::Bold, &facts, width));
            lines.extend(processes::tree(of_it).into_iter().map(|(drawn, process)| {
                let line = printable(&format!("{further}{drawn}{} {}", process.pid, process.command)).into_owned();
                vec![Word::from(width.map_or(line.clone(), |width| cut(&line, width).into_owned()))]
            }));
        }
    }
    lines
}

/// A mark, a name, and facts about it. The name is cut if there is not enough room.
fn named(mark: &str, name: &str, look: Look, facts: &[Word], width: Option<usize>) -> Vec<Word> {
    let name = printable(name).into_owned();
    let others = width_of(mark) + facts.iter().map(|fact| width_of(&fact.text) + 1).sum::<usize>();
    let name = match width {
        Some(width) => cut_in_the_middle(&name, width.saturating_sub(others).max(3)).into_owned(),
        None => name,
    };
    let mut line = vec![Word::new(format!("{mark}{name}"), look)];
    line.extend(facts.iter().cloned());
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn screens() {
        let node = sample::node();
        let mut running = BTreeMap::new();
        let process = |pid, parent, command: &str| Process { pid, parent, start_ticks: 9, command: command.into() };
        for one in node.iter().flat_map(|(_, members)| members).filter(|one| one.is_running()) {
            let pid = one.pid.unwrap();
            let members = match &*one.name {
                "nginx" => vec![
                    process(pid, 1, "nginx: master process /usr/sbin/nginx -c /etc/nginx/nginx.conf -g daemon off;"),
                    process(pid + 1000, pid, "nginx: worker process"),
                    process(pid + 1001, pid, "nginx: worker process"),
                    process(pid + 1002, 2, "sh"),
                ],
                _ if one.kind == Kind::Sandbox => vec![process(pid, 1, "/pause")],
                name => vec![process(pid, 1, &format!("/usr/local/bin/{name} --verbose"))],
            };
            running.insert(one.id.to_string(), members);
        }
        sample::golden("tree", |width| {
            let lines = lines(&node, &running, Some(width), sample::NOW);
            let line = |words: &Vec<Word>| words.iter().map(|word| &*word.text).collect::<Vec<_>>().join(" ");
            lines.iter().map(line).collect::<Vec<_>>().join("\n")
        });
    }
}
