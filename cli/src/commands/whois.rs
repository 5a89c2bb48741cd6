//! criwatch whois: to which container a process, a cgroup or a namespace belongs.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use criwatch::error::{CRI_E_NOT_FOUND, CRI_E_UNSUPPORTED};
use criwatch::model::{Container, Kind, View, json};
use criwatch::watcher::{NamespaceKind, Owner, Snapshot, Unproven};
use serde_json::{Value, json};

use super::Example;
use crate::args::Global;
use crate::engine::look;
use crate::exit::{Exit, Failure};
use crate::output::{DocumentForm, parsed, print_document};
use crate::processes::{Process, by_container, tree};
use crate::terminal::{Out, complain};
use crate::text::{Look, Word, cut, cut_in_the_middle, printable};
use crate::{duration, words};

pub const EXAMPLES: &[Example] = &[
    ("the processes of a container", "criwatch whois $(criwatch inspect -o table nginx | awk '/^Pid/ {print $2}')"),
    (
        "the pod of a cgroup",
        "criwatch whois -o json $(criwatch inspect -o table nginx | awk '/^Cgroup/ {print $2}') | jq -r .container.pod.name",
    ),
];

/// Find the container of a process, a cgroup or a namespace
///
/// Says to which container a process, a cgroup or a namespace belongs, and which processes that container has. If it belongs to
/// no container, the command says so on stderr, and the exit code is 1. A number is a pid if there is such a process, and
/// otherwise the id of a cgroup (v2, as eBPF and fanotify give it).
///
/// JSON has one document in each line. Its keys: "asked", the argument; "by", what the argument was taken for (pid, cgroupId,
/// cgroupPath, namespace); "owner", which is container, host, notYet (a container that the engine does not have) or unknown
/// (there is no such thing); "how", how it was found, or why it has no container. For a container also "container" (as in
/// docs/json.md), "processes" (pid, parent, startTicks, command), and, for a namespace, "sharing": how many containers and
/// sandboxes are in it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A PID, the id or the path of a cgroup (also a line of /proc/PID/cgroup), or a namespace: 4711, /kubepods/pod5b0c2f1e,
    /// net:[4026532281]
    #[arg(required = true, value_name = "WHAT")]
    asked: Vec<Asked>,
    /// The form
    #[arg(short, long, value_enum, value_name = "FORM", default_value = "table", help_heading = "Output")]
    output: DocumentForm,
    /// Do not shorten lines
    #[arg(long, help_heading = "Output")]
    no_trunc: bool,
}

/// The kernel's greatest pid (PID_MAX_LIMIT).
const LAST_PID: u64 = 4_194_304;

/// The thing to look up.
#[derive(Debug, Clone)]
pub struct Asked {
    text: String,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Path(String),
    Namespace(NamespaceKind, u64),
    /// A pid, or the id of a cgroup.
    Number(u64),
}

impl FromStr for Asked {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        what(text).map(|what| Asked { text: text.into(), what }).ok_or_else(|| {
            let kinds = NamespaceKind::ALL.map(NamespaceKind::file).join(", ");
            format!(
                "it is no PID, id of a cgroup, path of a cgroup (/...), or namespace ({kinds}, as net:[4026532281])"
            )
        })
    }
}

fn what(text: &str) -> Option<What> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if text.starts_with('/') {
        return Some(What::Path(text.into()));
    }
    if is_number(text) {
        return text.parse().ok().filter(|number| *number > 0).map(What::Number);
    }
    let (begin, rest) = text.split_once(':')?;
    // A line of /proc/PID/cgroup.
    if is_number(begin) {
        let (_, path) = rest.split_once(':')?;
        return path.starts_with('/').then(|| What::Path(path.into()));
    }
    let kind = NamespaceKind::ALL.into_iter().find(|kind| kind.file() == begin)?;
    let inode = rest.strip_prefix('[')?.strip_suffix(']').filter(|inode| is_number(inode))?;
    Some(What::Namespace(kind, inode.parse().ok()?))
}

/// The owner, and how it was found.
#[derive(Debug)]
struct Answer {
    asked: String,
    /// The pid, if the word was taken for one.
    pid: Option<i32>,
    /// What the word was taken for: pid, cgroupId, cgroupPath or namespace.
    by: &'static str,
    /// container, host, notYet or unknown.
    owner: &'static str,
    /// How it was found, or why it is not a container's, in a few words.
    how: String,
    container: Option<Arc<Container>>,
    /// For a namespace: how many share it.
    sharing: usize,
    processes: Vec<Process>,
}

pub fn run(args: &Args, global: &Global, out: &mut Out) -> Result<Exit, Failure> {
    let watcher = look(global, "whois")?;
    let snapshot = watcher.snapshot()?;
    let answers =
        args.asked.iter().map(|asked| answer(&snapshot, &global.proc(), asked)).collect::<Result<Vec<_>, _>>()?;
    let is_table = args.output == DocumentForm::Table;
    for (number, one) in answers.iter().filter(|one| one.container.is_some() || !is_table).enumerate() {
        if !is_table {
            print_document(out, &one.json()?, args.output)?;
            continue;
        }
        if number > 0 {
            out.raw("\n")?;
        }
        for (key, value) in one.lines(out.width.filter(|_| !args.no_trunc), duration::now()) {
            out.line(&[key, value])?;
        }
    }
    out.flush()?;
    let strangers: Vec<&Answer> = answers.iter().filter(|one| one.container.is_none()).collect();
    strangers.iter().for_each(|one| complain(&format!("{}: {}", one.asked, one.how)));
    Ok(if strangers.is_empty() { Exit::Ok } else { Exit::NotFound })
}

fn answer(snapshot: &Snapshot, proc: &Path, asked: &Asked) -> Result<Answer, Failure> {
    let pid = match asked.what {
        What::Number(number) if number <= LAST_PID && proc.join(number.to_string()).exists() => {
            i32::try_from(number).ok()
        }
        _ => None,
    };
    let by = match (&asked.what, pid) {
        (What::Path(_), _) => "cgroupPath",
        (What::Namespace(..), _) => "namespace",
        (What::Number(_), Some(_)) => "pid",
        (What::Number(_), None) => "cgroupId",
    };
    let mut answer = Answer {
        asked: asked.text.clone(),
        pid,
        by,
        owner: "unknown",
        how: String::new(),
        container: None,
        sharing: 0,
        processes: Vec::new(),
    };
    let owner = match (&asked.what, pid) {
        (What::Path(path), _) => Ok(snapshot.find_cgroup_path(path)),
        (What::Number(_), Some(pid)) => snapshot.find_pid(pid, 0),
        (What::Number(number), None) => snapshot.find_cgroup(*number),
        (What::Namespace(kind, inode), _) => snapshot.find_namespace(*kind, *inode).map(|(owner, sharing)| {
            answer.sharing = sharing;
            owner
        }),
    };
    match owner {
        Ok(Owner::Container(container)) => {
            answer.owner = "container";
            answer.how = how(asked, pid, container, answer.sharing);
            answer.processes = by_container(snapshot, proc).remove(&*container.id).unwrap_or_default();
            answer.container = Some(container.clone());
        }
        Ok(Owner::NotYet) => {
            answer.owner = "notYet";
            answer.how =
                "it is in a container or pod that this engine does not have, or not yet; another engine may have it"
                    .into();
        }
        Ok(_) => {
            answer.owner = "host";
            answer.how = "it belongs to the host: to no container of this engine".into();
        }
        Err(why) => answer.how = unknown(asked, why)?,
    }
    Ok(answer)
}

/// The text for a thing that does not exist. An error with another reason is returned.
fn unknown(asked: &Asked, why: Unproven) -> Result<String, Failure> {
    let error = why.about(&asked.text);
    match asked.what {
        // A number that is no pid may not be meant as a cgroup's id.
        What::Number(number)
            if number <= LAST_PID && [CRI_E_NOT_FOUND, CRI_E_UNSUPPORTED].contains(&error.status()) =>
        {
            Ok(format!("there is no process with this pid, and no cgroup ({why})"))
        }
        _ if error.status() == CRI_E_NOT_FOUND => Ok(why.to_string()),
        _ => Err(error.into()),
    }
}

fn how(asked: &Asked, pid: Option<i32>, container: &Container, sharing: usize) -> String {
    match &asked.what {
        What::Path(_) => "the path of its cgroup".into(),
        What::Number(_) if pid.is_some() && container.pid == pid => "its first process".into(),
        What::Number(_) if pid.is_some() => "a process in its cgroup".into(),
        What::Number(number) if container.cgroup_id == Some(*number) => "its own cgroup".into(),
        What::Number(_) => "a cgroup within its own".into(),
        What::Namespace(kind, _) if sharing > 1 => {
            format!("its {} namespace, shared by {sharing} containers and sandboxes", kind.file())
        }
        What::Namespace(kind, _) => format!("its {} namespace", kind.file()),
    }
}

/// The width of the keys.
const KEYS: usize = "Container".len();

impl Answer {
    fn json(&self) -> Result<String, Failure> {
        let mut document = json!({"asked": self.asked, "by": self.by, "owner": self.owner, "how": self.how});
        if self.sharing > 0 {
            document["sharing"] = self.sharing.into();
        }
        if let Some(container) = &self.container {
            document["container"] = parsed(json::container(container, View::default()).as_str())?;
            document["processes"] = self.processes.iter().map(process_json).collect::<Vec<_>>().into();
        }
        Ok(document.to_string())
    }

    /// For people: a key and a value in each line, no wider than `width`; names are cut in the middle.
    fn lines(&self, width: Option<usize>, now: i64) -> Vec<(Word, Word)> {
        let line = |(key, value): (&str, Word)| {
            let text = printable(&value.text);
            let text = match width.map(|width| width.saturating_sub(KEYS + 1).max(1)) {
                None => text.into_owned(),
                Some(room) if ["Container", "Sandbox", "Pod", "Image"].contains(&key) => {
                    cut_in_the_middle(&text, room).into_owned()
                }
                Some(room) => cut(&text, room).into_owned(),
            };
            (Word::new(format!("{key:<KEYS$}"), Look::Bold), Word::new(text, value.look))
        };
        self.facts(now).into_iter().map(line).collect()
    }

    fn facts(&self, now: i64) -> Vec<(&'static str, Word)> {
        let Some(container) = &self.container else { return Vec::new() };
        let is_sandbox = container.kind == Kind::Sandbox;
        let pod = container.pod.as_deref().map(|pod| format!("{}/{}", pod.namespace, pod.name));
        let mut facts = vec![
            (if is_sandbox { "Sandbox" } else { "Container" }, Word::new(&*container.name, Look::Bold)),
            ("Pod", words::or_nothing(pod).into()),
        ];
        if !is_sandbox {
            facts.push(("Image", words::text_or_nothing(&container.image.name).into()));
        }
        facts.extend([
            ("State", words::state(container)),
            ("Age", words::age(words::since(container), now).into()),
            ("Id", Word::new(&*container.id, Look::Id)),
            ("Found by", self.how.clone().into()),
        ]);
        for (number, (drawn, one)) in tree(&self.processes).into_iter().enumerate() {
            let look = if self.pid == Some(one.pid) { Look::Bold } else { Look::Plain };
            let line = Word::new(format!("{drawn}{} {}", one.pid, one.command), look);
            facts.push((if number == 0 { "Processes" } else { "" }, line));
        }
        facts
    }
}

/// A process in JSON.
pub fn process_json(one: &Process) -> Value {
    json!({"pid": one.pid, "parent": one.parent, "startTicks": one.start_ticks, "command": one.command})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn words_mean_something() {
        assert_eq!(what("4711"), Some(What::Number(4711)));
        assert_eq!(what("/kubepods/pod1"), Some(What::Path("/kubepods/pod1".into())));
        assert_eq!(what("0::/k8s.io/x"), Some(What::Path("/k8s.io/x".into())));
        assert_eq!(what("7:cpu,cpuacct:/k8s.io/x"), Some(What::Path("/k8s.io/x".into())));
        assert_eq!(what("net:[4026532281]"), Some(What::Namespace(NamespaceKind::Net, 4_026_532_281)));
        for text in
            ["", "web", "-7", "0", "net:[x]", "net:[]", "disk:[7]", "net:7", "18446744073709551616", "12 ", "1:x"]
        {
            assert_eq!(what(text), None, "{text}");
        }
    }

    #[test]
    fn screens() {
        let everything: Vec<_> = sample::node().into_iter().flat_map(|(_, containers)| containers).collect();
        let find = |is: &dyn Fn(&Container) -> bool| everything.iter().find(|one| is(one)).unwrap().clone();
        let of_long = find(&|one| &*one.name == "config-reloader" && one.is_running());
        let pods_own = find(&|one| one.kind == Kind::Sandbox && one.namespace() == "店舗");
        let process = |pid, parent, command: &str| Process { pid, parent, start_ticks: 9, command: command.into() };
        let of_process = Answer {
            asked: "4711".into(),
            pid: Some(4711),
            by: "pid",
            owner: "container",
            how: "a process in its cgroup".into(),
            container: Some(of_long),
            sharing: 0,
            processes: vec![
                process(4704, 1, "config-reloader: 主进程 --watch /etc/prometheus/rules --listen 0.0.0.0:8080"),
                process(
                    4710,
                    4704,
                    "sh -c while true; do sleep 5; reload --endpoint http://127.0.0.1:9090/-/reload; done",
                ),
                process(4711, 4710, "sleep 5"),
                process(4712, 4704, "[sh]"),
                process(4799, 2, "sh"),
            ],
        };
        let of_network = Answer {
            asked: "net:[4026532281]".into(),
            pid: None,
            by: "namespace",
            owner: "container",
            how: "its net namespace, shared by 3 containers and sandboxes".into(),
            container: Some(pods_own),
            sharing: 3,
            processes: vec![process(4604, 1, "/pause")],
        };
        sample::golden("whois", |width| {
            let lines = |answer: &Answer| {
                let lines = answer.lines(Some(width), sample::NOW);
                lines
                    .iter()
                    .map(|(key, value)| format!("{} {}", key.text, value.text).trim_end().to_owned())
                    .collect::<Vec<_>>()
            };
            [lines(&of_process), vec![String::new()], lines(&of_network)].concat().join("\n")
        });
    }
}
