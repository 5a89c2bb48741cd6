//! What a container's command does: the few programs that the simulated node has.

use std::time::Duration;

/// What an image runs by default: a server that never ends.
pub const ENTRYPOINT: &str = "/server";

/// What the container's process does: it sleeps (for ever if `None`), then exits with a code.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    pub run_time: Option<Duration>,
    pub code: u8,
    /// The code with which SIGTERM ends it; `None`: it is killed by the signal.
    pub on_term: Option<u8>,
}

impl Plan {
    pub const FOR_EVER: Plan = Plan { run_time: None, code: 0, on_term: None };

    /// The arguments that give a `--child` process its plan.
    pub fn to_args(self) -> [String; 3] {
        let run_time = self.run_time.map_or("infinity".to_owned(), |d| d.as_secs_f64().to_string());
        [run_time, self.code.to_string(), self.on_term.map_or("-".to_owned(), |code| code.to_string())]
    }

    pub fn from_args([run_time, code, on_term]: [&str; 3]) -> Option<Plan> {
        let on_term = if on_term == "-" { None } else { Some(on_term.parse().ok()?) };
        Some(Plan { run_time: seconds(run_time)?, code: code.parse().ok()?, on_term })
    }
}

/// The plan of `command` followed by `args`. `Err` names the program that does not exist.
/// If both are empty, the image's own entrypoint runs.
pub fn plan(command: &[String], args: &[String]) -> Result<Plan, String> {
    let words: Vec<&str> = command.iter().chain(args).map(String::as_str).collect();
    let Some((&program, rest)) = words.split_first() else {
        return Ok(Plan::FOR_EVER);
    };
    let missing = || program.to_owned();
    match (base_name(program), rest) {
        ("sh" | "bash" | "ash", [flag, text, ..]) if *flag == "-c" => shell(text).ok_or_else(missing),
        _ => simple(&words).ok_or_else(missing),
    }
}

fn base_name(program: &str) -> &str {
    ["/usr/local/bin/", "/usr/bin/", "/bin/", "/"].iter().find_map(|dir| program.strip_prefix(dir)).unwrap_or(program)
}

fn simple(words: &[&str]) -> Option<Plan> {
    let (program, args) = words.split_first()?;
    let now = |code| Some(Plan { run_time: Some(Duration::ZERO), code, on_term: None });
    match (base_name(program), args) {
        ("pause" | "server", []) => Some(Plan::FOR_EVER),
        ("true" | ":", _) => now(0),
        ("false", _) => now(1),
        ("exit", []) => now(0),
        ("exit", [code]) => now(code.parse().ok()?),
        ("sleep", [_, ..]) => {
            // Several operands add up, as in coreutils.
            let run_time = args.iter().map(|a| seconds(a)).sum::<Option<Option<Duration>>>()?;
            Some(Plan { run_time, code: 0, on_term: None })
        }
        _ => None,
    }
}

/// Parses `sleep 2; exit 3` and the like: a sequence of simple commands. The last one (or `exit`) gives the exit code.
/// `trap 'exit 3' TERM; sleep 9 & wait` ends with 3 when it is asked to stop.
fn shell(text: &str) -> Option<Plan> {
    if let Some((code, rest)) = text.strip_prefix("trap 'exit ").and_then(|rest| rest.split_once("' TERM;")) {
        let waits = rest.trim().strip_suffix("& wait")?;
        return Some(Plan { on_term: Some(code.parse().ok()?), ..shell(waits)? });
    }
    let mut total = Plan { run_time: Some(Duration::ZERO), code: 0, on_term: None };
    for part in text.replace("&&", ";").split(';').map(str::trim).filter(|p| !p.is_empty()) {
        let words: Vec<&str> = part.split_whitespace().map(|w| w.trim_matches(['\'', '"'])).collect();
        let words = if words[0] == "exec" { &words[1..] } else { &words[..] };
        let step = simple(words)?;
        total = Plan { run_time: total.run_time.zip(step.run_time).map(|(a, b)| a + b), ..step };
        if words[0] == "exit" || total.run_time.is_none() {
            break;
        }
    }
    Some(total)
}

/// Parses the operand of coreutils' sleep: a fraction, a suffix s, m, h or d, or `infinity`. The outer `None` means: not a time.
fn seconds(text: &str) -> Option<Option<Duration>> {
    if matches!(text, "infinity" | "inf") {
        return Some(None);
    }
    let (digits, factor) = match text.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(digits) if text.ends_with('m') => (digits, 60.0),
        Some(digits) if text.ends_with('h') => (digits, 3600.0),
        Some(digits) if text.ends_with('d') => (digits, 86400.0),
        Some(digits) => (digits, 1.0),
        None => (text, 1.0),
    };
    let value: f64 = digits.parse().ok()?;
    Some(Some(Duration::try_from_secs_f64(value * factor).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> Result<Plan, String> {
        plan(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>(), &[])
    }

    fn after(secs: f64, code: u8) -> Result<Plan, String> {
        Ok(Plan { run_time: Some(Duration::from_secs_f64(secs)), code, on_term: None })
    }

    #[test]
    fn known_programs() {
        assert_eq!(of(&[]), Ok(Plan::FOR_EVER));
        assert_eq!(of(&["/bin/sleep", "infinity"]), Ok(Plan::FOR_EVER));
        assert_eq!(of(&["sleep", "0.25"]), after(0.25, 0));
        assert_eq!(of(&["sleep", "1m", "2"]), after(62.0, 0));
        assert_eq!(of(&["true"]), after(0.0, 0));
        assert_eq!(of(&["/usr/bin/false"]), after(0.0, 1));
        assert_eq!(of(&["exit", "42"]), after(0.0, 42));
        assert_eq!(of(&["sh", "-c", "exit 7"]), after(0.0, 7));
        assert_eq!(of(&["/bin/sh", "-c", "sleep 1.5; exit 3"]), after(1.5, 3));
        assert_eq!(of(&["sh", "-c", "sleep 1 && false"]), after(1.0, 1));
        assert_eq!(of(&["sh", "-c", "exec sleep infinity"]), Ok(Plan::FOR_EVER));
    }

    #[test]
    fn unknown_programs_are_named() {
        assert_eq!(of(&["nope", "1"]), Err("nope".into()));
        assert_eq!(of(&["sleep"]), Err("sleep".into()));
        assert_eq!(of(&["sleep", "-1"]), Err("sleep".into()));
        assert_eq!(of(&["exit", "300"]), Err("exit".into()));
        assert_eq!(of(&["sh", "-c", "exec"]), Err("sh".into()));
    }

    #[test]
    fn a_trap_is_a_code_for_sigterm() {
        let plan = of(&["sh", "-c", "trap 'exit 3' TERM; sleep 9 & wait"]).unwrap();
        assert_eq!((plan.run_time, plan.on_term), (Some(Duration::from_secs(9)), Some(3)));
        assert!(of(&["sh", "-c", "trap 'exit 3' TERM; sleep 9"]).is_err());
    }

    #[test]
    fn plans_survive_the_command_line() {
        for plan in [Plan::FOR_EVER, Plan { run_time: Some(Duration::from_millis(1234)), code: 9, on_term: Some(3) }] {
            let args = plan.to_args();
            assert_eq!(Plan::from_args(args.each_ref().map(String::as_str)), Some(plan));
        }
    }
}
