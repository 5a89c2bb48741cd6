//! Counts the instructions of the hot paths with callgrind: numbers that do not depend on the machine's mood.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use super::c;
use super::sim::Sim;

/// In pods of two, which have a sandbox each: 201 records in all.
const CONTAINERS: usize = 134;

/// The paths, and how often paths.c goes each in its phase.
pub const PATHS: [(&str, u64); 6] =
    [("lookup_cgroup", 1000), ("lookup_pid", 1000), ("snapshot", 1000), ("list", 10), ("relist", 10), ("started", 20)];

/// The instructions of each path, once; of the library that programs link in this folder. 0 of what cannot be gone here: ids of
/// cgroups take root's rights.
pub fn instructions(library: &Path) -> Result<BTreeMap<String, u64>, String> {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let root = folder.path().join("root");
    let mut sim = Sim::start(&["--containers", &CONTAINERS.to_string(), "--fake-tree", &root.display().to_string()])?;
    sim.tell("pod budgets ns=budgets app")?;
    let starts = PATHS.iter().find(|(name, _)| *name == "started").map_or(0, |(_, times)| *times) + 1;
    for n in 0..starts {
        sim.tell(&format!("create budgets/budgets run-{n}"))?;
    }
    let program = folder.path().join("paths");
    build(library, &program)?;
    run(&program, folder.path(), &mut sim, &root)?;
    let counted = counted(folder.path())?;
    let of = |(name, times): (&str, u64)| {
        let all = counted.get(name).ok_or_else(|| format!("callgrind has counted nothing of {name}: {counted:?}"))?;
        // To come and go alone takes less than one instruction each time.
        Ok((name.to_owned(), all / times))
    };
    PATHS.into_iter().map(of).collect()
}

fn build(library: &Path, program: &Path) -> Result<(), String> {
    let mut cc = Command::new(c::cc());
    cc.args(["-std=c99", "-O2"]).args(c::STRICT).arg(c::root().join("tests/budgets/paths.c")).args(c::includes());
    cc.arg("-L").arg(library).arg(format!("-Wl,-rpath,{}", library.display()));
    c::succeed(cc.args(["-lcriwatch", "-o"]).arg(program)).map(drop)
}

/// Runs it under callgrind, and does what it asks for.
fn run(program: &Path, folder: &Path, sim: &mut Sim, root: &Path) -> Result<(), String> {
    let mut command = Command::new("valgrind");
    // It runs one thread at a time: without turns, a busy one starves all others.
    command.args(["--quiet", "--fair-sched=try", "--tool=callgrind", "--dump-before=phase_*"]);
    command.arg(format!("--callgrind-out-file={}", folder.join("counts").display()));
    // Of system calls that it does not know it tells each time.
    let messages = folder.join("messages");
    let to_file = fs::File::create(&messages).map_err(|e| e.to_string())?;
    command.arg(program).stderr(to_file).arg(sim.endpoint()).arg(root).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|e| format!("{command:?}: {e}"))?;
    let (mut input, output) = (child.stdin.take().ok_or("no input")?, child.stdout.take().ok_or("no output")?);
    let obeyed = BufReader::new(output).lines().enumerate().try_for_each(|(n, line)| match line.as_deref() {
        Ok("start") => {
            sim.tell(&format!("start run-{n}"))?;
            writeln!(input, "done").map_err(|e| format!("the program does not listen: {e}"))
        }
        other => Err(format!("the program said {other:?}")),
    });
    drop(input);
    let status = child.wait().map_err(|e| e.to_string())?;
    obeyed?;
    if status.success() {
        return Ok(());
    }
    let text = fs::read_to_string(&messages).unwrap_or_default();
    let last: Vec<&str> = text.lines().filter(|line| !line.starts_with("--")).collect();
    Err(format!("{command:?}: {status}\n{}", last.join("\n")))
}

/// What was counted in each phase: it is written when the next one begins.
fn counted(folder: &Path) -> Result<BTreeMap<String, u64>, String> {
    let mut counted = BTreeMap::new();
    let mut previous: Option<String> = None;
    for number in 1.. {
        let Ok(text) = fs::read_to_string(folder.join(format!("counts.{number}"))) else {
            break;
        };
        let field = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
        let begins = field("desc: Trigger: --dump-before=phase_").unwrap_or_default().to_owned();
        let all = field("totals: ").or_else(|| field("summary: ")).and_then(|all| all.trim().parse().ok());
        if let Some(ended) = previous.replace(begins) {
            counted.insert(ended, all.ok_or_else(|| format!("counts.{number} has no sum"))?);
        }
    }
    Ok(counted)
}
