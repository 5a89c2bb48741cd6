//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::profile::Profile;
use crate::script::{CLAIMS, FAULTS, HELP as GRAMMAR};

#[derive(Clone, Debug)]
pub struct Options {
    pub socket: PathBuf,
    pub state: PathBuf,
    pub profile: Profile,
    pub scripts: Vec<Source>,
    /// `None`: no workload.
    pub workload: Option<Workload>,
    pub seed: u64,
    pub cgroups: bool,
    /// The folder of the fake /proc; `None`: real processes.
    pub fake_tree: Option<PathBuf>,
    /// How many containers run from the start, two in each pod.
    pub containers: usize,
    pub duration: Option<Duration>,
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

pub enum Parsed {
    Run(Box<Options>),
    Help,
    Version,
}

pub fn help() -> String {
    format!(
        "\
cri-sim: a simulated CRI engine on a unix socket, whose containers are real processes that do nothing

usage: cri-sim [OPTION...]
  --socket PATH       the socket (default: cri-sim-PID.sock in the folder for temporary files)
  --state DIR         the engine's state folder, made at start and removed at the end (default: SOCKET.state)
  --profile NAME      the engine to behave like: {}
  --script FILE       do what the file says, then go on serving; `-` is stdin, whose end ends the program
                      (may be repeated: one after the other)
  --workload          run a random workload, like that of a busy node
  --pods N            how many pods the workload keeps (12)
  --pace TIME         the workload does something every TIME on average (1s)
  --seed N            the same seed gives the same ids and the same workload (default: a new one, printed at start)
  --no-cgroups        do not give each process a cgroup, even where that is possible
  --containers N      run N containers from the start, two in each pod
  --fake-tree DIR     make no processes, only their entries in DIR/proc (made at start, removed at the end), for
                      clients with an option for the host's root; for --containers 10000
  --duration SECONDS  end after this time
  --help, --version

It prints `ready unix://SOCKET ...` once it accepts connections. SIGTERM, SIGINT, `quit` and the end of the time
end its processes and remove what it made; it then exits with 0.

Commands of a script, one in each line:
{GRAMMAR}
{CLAIMS}
{FAULTS}
The answer to each is one line, `ok COMMAND ...` or `error COMMAND: why`. The name of a pod is POD or NS/POD, that of a
container CONTAINER, POD/CONTAINER or NS/POD/CONTAINER. Of several attempts the newest is taken. An id, or its first
characters, is a name, too.
COMMAND of a container: sleep N, true, false, exit N, pause, or sh -c 'sleep 1; exit 3'; none: it runs for ever; sh -c
\"trap 'exit 3' TERM; sleep 9 & wait\" ends with 3 when it is asked to stop. Any other program does not exist, so that
the start fails.
",
        Profile::names()
    )
}

pub fn parse(args: &[String]) -> Result<Parsed, String> {
    let mut options = defaults();
    let mut workload = Workload { pods: 12, pace: Duration::from_secs(1) };
    let mut has_workload = false;
    let mut state = None;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} wants a value: see --help"));
        match arg.as_str() {
            "--help" | "-h" => return Ok(Parsed::Help),
            "--version" => return Ok(Parsed::Version),
            "--socket" => options.socket = value()?.into(),
            "--state" => state = Some(value()?.into()),
            "--profile" => options.profile = profile(value()?)?,
            "--script" => options.scripts.push(source(value()?)),
            "--workload" => has_workload = true,
            "--pods" => workload.pods = number(arg, value()?)?,
            "--pace" => workload.pace = time(arg, value()?)?,
            "--seed" => options.seed = number(arg, value()?)?,
            "--no-cgroups" => options.cgroups = false,
            "--fake-tree" => options.fake_tree = Some(value()?.into()),
            "--containers" => options.containers = number(arg, value()?)?,
            "--duration" => options.duration = Some(time(arg, value()?)?),
            _ => return Err(format!("unknown option {arg:?}: see --help")),
        }
    }
    options.workload = has_workload.then_some(workload);
    options.state = state.unwrap_or_else(|| {
        let mut beside = options.socket.clone().into_os_string();
        beside.push(".state");
        beside.into()
    });
    Ok(Parsed::Run(Box::new(options)))
}

fn defaults() -> Options {
    Options {
        socket: std::env::temp_dir().join(format!("cri-sim-{}.sock", std::process::id())),
        state: PathBuf::new(),
        profile: crate::profile::CONTAINERD_2,
        scripts: Vec::new(),
        workload: None,
        // It only has to differ from run to run.
        seed: std::time::UNIX_EPOCH.elapsed().map_or(1, |d| d.as_secs() ^ u64::from(d.subsec_nanos()) << 20),
        cgroups: true,
        fake_tree: None,
        containers: 0,
        duration: None,
    }
}

fn profile(name: &str) -> Result<Profile, String> {
    Profile::named(name).ok_or_else(|| format!("unknown profile {name:?}: want one of {}", Profile::names()))
}

fn source(text: &str) -> Source {
    if text == "-" { Source::Stdin } else { Source::File(text.into()) }
}

fn number<T: std::str::FromStr>(option: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{option} {text:?}: want a number"))
}

fn time(option: &str, text: &str) -> Result<Duration, String> {
    let time = crate::script::time(text).map_err(|e| format!("{option}: {e}"))?;
    if time.is_zero() { Err(format!("{option} {text:?}: want more than nothing")) } else { Ok(time) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(args: &[&str]) -> Result<Options, String> {
        let args: Vec<String> = args.iter().map(|a| (*a).to_owned()).collect();
        match parse(&args)? {
            Parsed::Run(options) => Ok(*options),
            _ => Err("not a run".into()),
        }
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
        assert_eq!(options.state, PathBuf::from("/tmp/x.state"));
        assert_eq!(options.scripts, [Source::File("a".into()), Source::Stdin]);
        assert_eq!(options.workload, Some(Workload { pods: 3, pace: Duration::from_millis(50) }));
    }

    #[test]
    fn refusals_name_the_option() {
        for bad in [&["--pods", "many"][..], &["--profile", "docker"], &["--pace", "0"], &["--socket"], &["--fly"]] {
            assert!(run(bad).unwrap_err().contains(bad[0].trim_start_matches("--")), "{bad:?}");
        }
    }
}
