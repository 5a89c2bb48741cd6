//! The command line, defined once: help and manual page are made from it.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::help;
use crate::profile::Profile;

/// What is simulated, and how.
#[derive(Clone, Debug, Parser)]
#[command(name = "cri-sim", version, about = help::ABOUT, long_about = help::LONG_ABOUT)]
#[command(after_help = help::MORE, after_long_help = help::script_help(), max_term_width = 100)]
pub struct Options {
    /// The socket [default: cri-sim-PID.sock in the folder for temporary files]
    #[arg(long, value_name = "PATH", default_value_os_t = default_socket(), hide_default_value = true)]
    pub socket: PathBuf,
    /// The engine's state folder, made at the start and removed at the end [default: SOCKET.state]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// The engine to behave like
    #[arg(long, value_name = "NAME", default_value = "containerd-2", value_parser = profile, help = profile_help())]
    pub profile: Profile,
    /// Run the script in this file, then go on serving; `-` is stdin, whose end ends the program; may be repeated: the scripts
    /// run one after the other
    #[arg(long = "script", value_name = "FILE", value_parser = source)]
    pub scripts: Vec<Source>,
    /// Run a random workload, like that of a busy node
    #[arg(long = "workload")]
    has_workload: bool,
    /// How many pods the workload keeps
    #[arg(long, value_name = "N", default_value_t = 12)]
    pods: usize,
    /// The workload does something every TIME on average
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = time)]
    pace: Duration,
    /// The same seed gives the same ids and the same workload [default: a new one, printed at the start]
    #[arg(long, value_name = "N", default_value_t = new_seed(), hide_default_value = true)]
    pub seed: u64,
    /// Do not give each process a cgroup, even if that is possible
    #[arg(long)]
    no_cgroups: bool,
    /// Run N containers from the start, two in each pod
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub containers: usize,
    /// Make no processes, only their entries in DIR/proc (made at the start, removed at the end), for clients that have an
    /// option for the host's root; use it for e.g. --containers 10000
    #[arg(long, value_name = "DIR")]
    pub fake_tree: Option<PathBuf>,
    /// End after this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub duration: Option<Duration>,
    /// Print the manual page cri-sim(1)
    #[arg(long, hide = true)]
    pub manual: bool,
}

/// Where a script comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    File(PathBuf),
    Stdin,
}

impl Source {
    /// Checks that the script exists, before anything is started.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Source::File(path) if !path.exists() => Err(format!("there is no script {}", path.display())),
            _ => Ok(()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Workload {
    pub pods: usize,
    pub pace: Duration,
}

impl Options {
    /// The engine's state folder.
    pub fn state(&self) -> PathBuf {
        self.state.clone().unwrap_or_else(|| {
            let mut beside = self.socket.clone().into_os_string();
            beside.push(".state");
            beside.into()
        })
    }

    /// The workload; `None`: there is none.
    pub fn workload(&self) -> Option<Workload> {
        self.has_workload.then_some(Workload { pods: self.pods, pace: self.pace })
    }

    /// Whether processes get cgroups where that is possible.
    pub fn cgroups(&self) -> bool {
        !self.no_cgroups
    }
}

fn default_socket() -> PathBuf {
    std::env::temp_dir().join(format!("cri-sim-{}.sock", std::process::id()))
}

/// A seed that differs from run to run.
fn new_seed() -> u64 {
    std::time::UNIX_EPOCH.elapsed().map_or(1, |d| d.as_secs() ^ u64::from(d.subsec_nanos()) << 20)
}

fn profile_help() -> String {
    format!("The engine to behave like: {}", Profile::names())
}

fn profile(name: &str) -> Result<Profile, String> {
    Profile::named(name).ok_or_else(|| format!("want one of {}", Profile::names()))
}

fn source(text: &str) -> Result<Source, String> {
    Ok(if text == "-" { Source::Stdin } else { Source::File(text.into()) })
}

fn time(text: &str) -> Result<Duration, String> {
    let time = crate::script::time(text)?;
    if time.is_zero() { Err("want more than nothing".into()) } else { Ok(time) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(args: &[&str]) -> Result<Options, String> {
        Options::try_parse_from(["cri-sim"].iter().chain(args)).map_err(|e| e.to_string())
    }

    #[test]
    fn a_full_command_line() {
        let options = run(&[
            "--socket",
            "/tmp/x",
            "--script",
            "a",
            "--script",
            "-",
            "--workload",
            "--pods",
            "3",
            "--pace",
            "50ms",
        ])
        .unwrap();
        assert_eq!(options.state(), PathBuf::from("/tmp/x.state"));
        assert_eq!(options.scripts, [Source::File("a".into()), Source::Stdin]);
        assert_eq!(options.workload(), Some(Workload { pods: 3, pace: Duration::from_millis(50) }));
    }

    #[test]
    fn refusals_name_the_option() {
        for bad in [&["--pods", "many"][..], &["--profile", "docker"], &["--pace", "0"], &["--socket"], &["--fly"]] {
            assert!(run(bad).unwrap_err().contains(bad[0].trim_start_matches("--")), "{bad:?}");
        }
    }
}
