//! The system calls of the library: those of packaging/seccomp/criwatch.seccomp.json, and no other.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use libtest_mimic::{Completion, Failed};
use serde_json::Value;

use super::c::{self, Library};
use super::program::{self, Argument, Program};

const PROGRAM: Program = Program::new("tests/guest/seccomp.c", Some(Argument::Simulated(&[])));
const PROFILE: &str = "packaging/seccomp/criwatch.seccomp.json";

/// Runs the library under a filter that is made from the profile.
pub fn the_profile_is_enough() -> Result<Completion, Failed> {
    if !seccomp_works() {
        return Ok(Completion::ignored_with("this kernel, or what surrounds this process, has no seccomp filters"));
    }
    run(&allowed()?, |path| Command::new(path))?;
    // A filter that stops nothing would make every profile a good one. The second call is made once `cri-proofs` exists.
    for refused in ["connect", "sched_setaffinity"] {
        let others: BTreeSet<String> = allowed()?.into_iter().filter(|name| name != refused).collect();
        match run(&others, |path| Command::new(path)) {
            Err(message) if message.contains("on thread cri-io is not in the profile") => {}
            other => return Err(format!("without {refused}, a watcher does not end: {other:?}").into()),
        }
    }
    Ok(Completion::Completed)
}

/// An agent in a pod has another UTS namespace than the engine. The library does not enter the engine's, and does not take
/// the pod's name for the host's.
pub fn it_is_enough_in_a_pod() -> Result<Completion, Failed> {
    const IN_A_POD: &str = "echo agent-pod > /proc/sys/kernel/hostname && exec \"$@\"";
    let in_a_pod = |program: &Path| {
        let mut command = Command::new("unshare");
        command.args(["--uts", "sh", "-c", IN_A_POD, "sh"]).arg(program);
        command
    };
    if !seccomp_works() || !in_a_pod(Path::new("true")).output().is_ok_and(|output| output.status.success()) {
        return Ok(Completion::ignored_with("no seccomp filters, or no right to make a UTS namespace (CAP_SYS_ADMIN)"));
    }
    run(&allowed()?, |path| in_a_pod(path))?;
    Ok(Completion::Completed)
}

/// SECURITY.md lists the same calls, and the one that an option adds.
pub fn the_page_names_the_calls() -> Result<(), Failed> {
    let page = std::fs::read_to_string(c::root().join("SECURITY.md"))?;
    let (_, after) = page.split_once("## System calls").ok_or("SECURITY.md has no list of system calls")?;
    let table = after.split("\n## ").next().unwrap_or_default();
    let cells = table.lines().filter(|line| line.starts_with('|')).filter_map(|line| line.split('|').nth(2));
    let named: BTreeSet<String> =
        cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect();
    let allowed = allowed()?;
    if named == allowed {
        return Ok(());
    }
    let (missing, odd): (Vec<_>, Vec<_>) = (allowed.difference(&named).collect(), named.difference(&allowed).collect());
    Err(format!("SECURITY.md lacks {missing:?} of {PROFILE}, and has {odd:?} beside").into())
}

fn run(names: &BTreeSet<String>, start: impl Fn(&Path) -> Command) -> Result<String, String> {
    let numbers = numbers(names)?;
    program::run(&PROGRAM, &Library::of_this_build(), |path| {
        let mut command = start(path);
        command.env("CRI_TEST_ALLOWED", &numbers);
        // The library's test hooks look for a file at every step.
        command.env_remove("CRIWATCH_TEST_PANIC");
        command
    })
}

/// The names that the profile allows.
fn allowed() -> Result<BTreeSet<String>, Failed> {
    let profile: Value = serde_json::from_str(&std::fs::read_to_string(c::root().join(PROFILE))?)?;
    let rules = profile["syscalls"].as_array().ok_or("a profile has syscalls")?;
    let names =
        rules.iter().filter(|rule| rule["action"] == "SCMP_ACT_ALLOW").filter_map(|rule| rule["names"].as_array());
    Ok(names.flatten().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// Their numbers on this machine, as the C headers have them. A call that another architecture has is left out.
fn numbers(names: &BTreeSet<String>) -> Result<String, String> {
    let lines: String = names.iter().map(|name| format!("call: SYS_{name}\n")).collect();
    let mut command = Command::new(c::cc());
    command.args(["-E", "-P", "-x", "c", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|e| format!("{command:?}: {e}"))?;
    let mut stdin = child.stdin.take().ok_or("a child without pipes")?;
    stdin.write_all(format!("#include <sys/syscall.h>\n{lines}").as_bytes()).map_err(|e| e.to_string())?;
    drop(stdin);
    let output = child.wait_with_output().map_err(|e| format!("{command:?}: {e}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers = text.lines().filter_map(|line| line.strip_prefix("call: "));
    let numbers: Vec<&str> = numbers.map(str::trim).filter(|word| word.parse::<u32>().is_ok()).collect();
    if numbers.len() < 30 {
        Err(format!("the compiler knows too few system calls: {text}"))
    } else {
        Ok(numbers.join(" "))
    }
}

/// Whether this process may have a filter: asked without making one.
fn seccomp_works() -> bool {
    std::fs::read_to_string("/proc/sys/kernel/seccomp/actions_avail").is_ok_and(|actions| actions.contains("trap"))
}
