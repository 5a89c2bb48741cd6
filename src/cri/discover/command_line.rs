//! Reads which engine a kubelet's command line names. Pure.

/// A kubelet, or a distribution's program that has one in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Program {
    /// The name of the program.
    name: &'static str,
    /// The words that have to follow if the program also does other things.
    words: &'static [&'static str],
    /// The flag that names the engine.
    flag: &'static str,
    /// The engine that it starts itself if no other is named.
    pub own: Option<&'static str>,
    /// Its configuration file, with a folder of drop-ins beside it: `FILE.d`.
    pub file: Option<&'static str>,
}

const ENDPOINT: &str = "container-runtime-endpoint";
const K3S: &str = "unix:///run/k3s/containerd/containerd.sock";

static PROGRAMS: &[Program] = &[
    Program { name: "kubelet", words: &[], flag: ENDPOINT, own: None, file: None },
    Program { name: "hyperkube", words: &["kubelet"], flag: ENDPOINT, own: None, file: None },
    // MicroK8s has all of Kubernetes in one program.
    Program { name: "kubelite", words: &[], flag: ENDPOINT, own: None, file: None },
    Program {
        name: "k3s",
        words: &["server", "agent"],
        flag: ENDPOINT,
        own: Some(K3S),
        file: Some("/etc/rancher/k3s/config.yaml"),
    },
    Program {
        name: "rke2",
        words: &["server", "agent"],
        flag: ENDPOINT,
        own: Some(K3S),
        file: Some("/etc/rancher/rke2/config.yaml"),
    },
    Program {
        name: "k0s",
        words: &["worker"],
        flag: "cri-socket",
        own: Some("unix:///run/k0s/containerd.sock"),
        file: None,
    },
];

/// The relevant content of a kubelet's command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CommandLine {
    pub program: &'static Program,
    /// The engine that it names.
    pub endpoint: Option<String>,
    /// The flag that names it.
    pub flag: &'static str,
    /// `--config`.
    pub config: Option<String>,
    /// `--config-dir`: drop-ins of the configuration file.
    pub config_dir: Option<String>,
    /// `--kubelet-args-file` of MicroK8s: more flags, one a line.
    pub arguments_file: Option<String>,
}

impl Program {
    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }
}

impl CommandLine {
    /// Reads the bytes of /proc/PID/cmdline; `None` if the process is not a kubelet.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let mut words: Vec<&str> = text.split('\0').filter(|word| !word.is_empty()).collect();
        let first = *words.first()?;
        // k3s hides its arguments, some of which are secrets, behind another title: "/usr/local/bin/k3s server".
        let (path, title) = first.split_once(' ').unwrap_or((first, ""));
        let name = path.rsplit('/').next()?;
        words.splice(..1, title.split_whitespace());
        // Some builds link to the program by a name such as k3s-agent.
        let (name, role) = name.split_once('-').unwrap_or((name, ""));
        let program = PROGRAMS.iter().find(|program| program.name == name)?;
        let has_role = words.iter().copied().chain([role]).any(|word| program.words.contains(&word));
        // `k0s controller` has a kubelet only with a certain option, and that kubelet has a command line of its own.
        if !program.words.is_empty() && !has_role || program.words.is_empty() && !role.is_empty() {
            return None;
        }
        Some(Self::of(program, &words))
    }

    /// The flags of `program`.
    pub fn of(program: &'static Program, words: &[&str]) -> Self {
        let endpoint = flag(words, program.flag).map(|value| match program.flag {
            // k0s writes the kind of runtime in front: remote:unix:///run/crio/crio.sock.
            "cri-socket" => value.split_once(':').map_or(value.clone(), |(_, endpoint)| endpoint.to_owned()),
            _ => value,
        });
        CommandLine {
            program,
            endpoint,
            flag: program.flag,
            config: flag(words, "config"),
            config_dir: flag(words, "config-dir"),
            arguments_file: flag(words, "kubelet-args-file"),
        }
    }
}

/// The value of a flag in any of Go's spellings: `--flag=value`, `--flag value`, and with one dash. The last one counts.
pub(super) fn flag(words: &[&str], name: &str) -> Option<String> {
    let mut found = None;
    for (at, word) in words.iter().enumerate() {
        let Some(rest) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')).and_then(|w| w.strip_prefix(name))
        else {
            continue;
        };
        match rest.strip_prefix('=') {
            Some(value) => found = Some(value),
            None if rest.is_empty() => found = words.get(at + 1).copied().filter(|value| !value.starts_with('-')),
            None => {}
        }
    }
    found.map(|value| value.trim_matches(['"', '\''])).filter(|value| !value.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Option<CommandLine> {
        CommandLine::parse((words.join("\0") + "\0").as_bytes())
    }

    fn endpoint(words: &[&str]) -> Option<String> {
        parse(words).unwrap_or_else(|| panic!("{words:?}")).endpoint
    }

    #[test]
    fn kubelets_of_many_distributions() {
        let some = |text: &str| Some(text.to_owned());
        for (words, want) in [
            (
                &["/usr/bin/kubelet", "--container-runtime-endpoint=unix:///run/crio/crio.sock"][..],
                some("unix:///run/crio/crio.sock"),
            ),
            (&["kubelet", "--container-runtime-endpoint", "/run/x.sock", "--v=2"], some("/run/x.sock")),
            (&["kubelet", "-container-runtime-endpoint=/run/x.sock"], some("/run/x.sock")),
            (&["kubelet", "--container-runtime-endpoint=/a", "--container-runtime-endpoint=/b"], some("/b")),
            (&["kubelet", "--container-runtime-endpoint", "--v=2"], None),
            (&["kubelet", "--container-runtime-endpoint="], None),
            (&["kubelet", "--container-runtime-endpoints=/x"], None),
            (&["/hyperkube", "kubelet", "--container-runtime-endpoint=/x"], some("/x")),
            (&["/usr/local/bin/k3s server"], None),
            (&["/usr/local/bin/k3s", "agent", "--container-runtime-endpoint", "/run/x.sock"], some("/run/x.sock")),
            (&["/snap/microk8s/1/kubelite", "--kubelet-args-file=/a"], None),
            (
                &["/usr/bin/k0s", "worker", "--cri-socket=remote:unix:///run/crio/crio.sock"],
                some("unix:///run/crio/crio.sock"),
            ),
        ] {
            assert_eq!(endpoint(words), want, "{words:?}");
        }
        assert_eq!(parse(&["/usr/local/bin/k3s server"]).unwrap().program.own, Some(K3S));
        assert_eq!(parse(&["/usr/bin/rke2-agent"]).unwrap().program.own, Some(K3S));
        let it = parse(&["kubelet", "--config=/c.yaml", "--config-dir", "/c.d"]).unwrap();
        assert_eq!((it.config, it.config_dir), (some("/c.yaml"), some("/c.d")));
    }

    #[test]
    fn others() {
        for words in [
            &[""][..],
            &["kubelet-csr-approver"],
            &["/bin/sh", "-c", "kubelet --container-runtime-endpoint=/x"],
            &["k3s", "kubectl", "get", "nodes"],
            &["k3s kubectl"],
            &["k0s", "controller"],
            &["hyperkube", "scheduler"],
        ] {
            assert_eq!(parse(words), None, "{words:?}");
        }
        assert_eq!(CommandLine::parse(b""), None);
        assert!(CommandLine::parse(b"kubelet\0\xff\xfe\0").is_some());
    }
}
