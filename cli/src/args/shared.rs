//! Options that several sub-commands share.

use clap_complete::engine::ArgValueCompleter;

use super::complete::What;
use super::completes;
use crate::output::ListForm;

/// What to show. All that is given has to hold.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Selection")]
pub struct Selection {
    /// Only this namespace, or all that match a pattern with * and ?; may be repeated
    #[arg(short, long, value_name = "NAMESPACE", add = namespaces())]
    pub namespace: Vec<String>,
    /// All namespaces. This is the default; the option is there because kubectl has it
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub all_namespaces: bool,
    /// Only this pod: its name, namespace/name, its id, or the first hex digits of the id, at least 6
    #[arg(short, long, value_name = "POD", add = completes(What::Pods))]
    pub pod: Option<String>,
    /// Only containers that a Kubernetes label selector matches, by their labels and those of the pod: app=web, tier!=db,
    /// 'env in (a, b)', !app; may be repeated
    #[arg(short, long, value_name = "SELECTOR")]
    pub label: Vec<String>,
}

fn namespaces() -> ArgValueCompleter {
    completes(What::Namespaces)
}

/// How to print a list of containers.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Output")]
pub struct Listing {
    /// The form: table, wide, json, jsonl (one container in each line), yaml, name, or custom-columns=TITLE:.path,... with
    /// paths in the JSON, e.g. custom-columns=POD:.pod.name,PID:.pid
    #[arg(short, long, value_name = "FORM", default_value = "table", hide_default_value = true, add = forms())]
    pub output: ListForm,
    /// Print only ids, in full length
    #[arg(short, long)]
    pub quiet: bool,
    /// Do not shorten ids, names and columns
    #[arg(long)]
    pub no_trunc: bool,
}

/// The same for pods.
pub type PodListing = Listing;

fn forms() -> clap_complete::engine::ArgValueCandidates {
    clap_complete::engine::ArgValueCandidates::new(|| {
        ListForm::WORDS.iter().map(clap_complete::CompletionCandidate::new).collect()
    })
}
