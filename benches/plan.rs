//! What is to be measured, and how often.

use std::path::PathBuf;

/// The plan of one run of the harness.
#[derive(Debug)]
pub struct Plan {
    pub runs: usize,
    /// How many pods, of one container each, the real engine runs.
    pub pods: Vec<usize>,
    /// How many containers the simulated engine has.
    pub containers: Vec<usize>,
    /// How many starts each run of a latency has.
    pub events: usize,
    pub idle_seconds: u64,
    only: Option<Vec<String>>,
    /// The folder for the results.
    pub out: PathBuf,
}

impl Plan {
    pub fn parse(arguments: &[String]) -> Result<Plan, String> {
        let mut plan = Plan {
            runs: 9,
            pods: vec![100],
            containers: vec![10, 200, 1_000, 10_000, 50_000],
            events: 100,
            idle_seconds: 60,
            only: None,
            out: "benches/results".into(),
        };
        for pair in arguments.chunks(2) {
            let [option, value] = pair else {
                return Err(format!("{} has no value", pair[0]));
            };
            match option.as_str() {
                "--runs" => plan.runs = number(value)?,
                "--pods" => plan.pods = value.split(',').map(number).collect::<Result<_, _>>()?,
                "--containers" => plan.containers = value.split(',').map(number).collect::<Result<_, _>>()?,
                "--events" => plan.events = number(value)?,
                "--idle" => plan.idle_seconds = number(value)? as u64,
                "--only" => plan.only = Some(sections(value)?),
                "--out" => plan.out = value.into(),
                other => return Err(format!("{other} is no option: benches/main.rs lists them")),
            }
        }
        Ok(plan)
    }

    /// Whether this section is wanted.
    pub fn has(&self, section: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.iter().any(|one| one == section))
    }
}

/// What can be measured by itself.
const SECTIONS: [&str; 7] = ["library", "instructions", "lookups", "scale", "sync", "idle", "events"];

fn sections(text: &str) -> Result<Vec<String>, String> {
    let known = |one: &str| match SECTIONS.contains(&one) {
        true => Ok(one.to_owned()),
        false => Err(format!("{one} is no section: {}", SECTIONS.join(", "))),
    };
    text.split(',').map(known).collect()
}

fn number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("{text:?} is no number"))
}
