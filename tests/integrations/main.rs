//! The agents in integrations/: each is built against an installed library, and run under its own host (sysdig, collectd, the
//! kernel's BPF, an OpenTelemetry Collector) on the simulated engine and on containerd. What this machine lacks is a skipped test with its reason.

mod agent;
mod build;
mod collectd;
mod collector;
mod ebpf;
mod fleet;
mod kubernetes;
mod otelcol;
mod prometheus;
#[path = "../support/mod.rs"]
mod support;
mod sysdig;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use support::{c, lab};

/// Why a test did not pass.
pub enum Obstacle {
    /// This machine lacks something.
    Skip(String),
    Fail(String),
}

impl From<String> for Obstacle {
    fn from(what: String) -> Self {
        Obstacle::Fail(what)
    }
}

impl From<&str> for Obstacle {
    fn from(what: &str) -> Self {
        Obstacle::Fail(what.into())
    }
}

pub type Outcome = Result<(), Obstacle>;

fn main() {
    let arguments = Arguments::from_args();
    // Who names a test wants it.
    let is_long = arguments.include_ignored || arguments.filter.is_some();
    let trials = vec![
        trial("sysdig::shows_what_happens", sysdig::shows_what_happens),
        trial("sysdig::filters_a_capture_file", sysdig::filters_a_capture_file),
        trial("sysdig::rules_match", sysdig::rules_match),
        trial("sysdig::names_the_container_of_a_system_call", sysdig::names_the_container_of_a_system_call),
        trial("sysdig::refuses_an_unknown_option", sysdig::refuses_an_unknown_option),
        trial("sysdig::shows_what_happens_on_containerd", sysdig::shows_what_happens_on_containerd),
        trial("ebpf::names_containers_that_live_5_ms", ebpf::names_containers_that_live_5_ms),
        trial("ebpf::names_processes_that_live_5_ms", ebpf::names_processes_that_live_5_ms),
        trial("collectd::reads_what_there_is", collectd::reads_what_there_is),
        trial("collectd::bounds_the_number_of_values", collectd::bounds_the_number_of_values),
        trial("collectd::notifies_of_ends", collectd::notifies_of_ends),
        trial("collectd::refuses_an_unknown_option", collectd::refuses_an_unknown_option),
        trial("collectd::reads_what_there_is_on_containerd", collectd::reads_what_there_is_on_containerd),
        trial("otelcol::passes_its_own_tests", otelcol::passes_its_own_tests),
        trial("otelcol::names_and_reports", otelcol::names_and_reports),
        trial("otelcol::a_killed_collector_loses_no_end", otelcol::a_killed_collector_loses_no_end),
        trial("otelcol::a_static_one_needs_no_shared_library", otelcol::a_static_one_needs_no_shared_library),
        trial("otelcol::a_dynamic_one_finds_the_library", move || {
            if is_long { otelcol::a_dynamic_one_finds_the_library() } else { Err(otelcol::takes_long()) }
        }),
        trial("otelcol::the_documented_configurations_are_valid", otelcol::the_documented_configurations_are_valid),
        trial("otelcol::names_reports_and_observes_on_containerd", otelcol::names_reports_and_observes_on_containerd),
        trial("fleet::a_small_one_tells_each_event_once", fleet::a_small_one_tells_each_event_once),
        trial("fleet::twenty_nodes_tell_each_event_once", move || {
            if is_long { fleet::twenty_nodes_tell_each_event_once() } else { Err(fleet::takes_long()) }
        }),
        trial("kubernetes::probes_tell_the_engines_state", kubernetes::probes_tell_the_engines_state),
        trial("kubernetes::the_queue_outlives_the_collector", kubernetes::the_queue_outlives_the_collector),
        trial("prometheus::serves_openmetrics", prometheus::serves_openmetrics),
        trial("prometheus::counts_an_end_once", prometheus::counts_an_end_once),
        trial("prometheus::bounds_the_number_of_series", prometheus::bounds_the_number_of_series),
        trial("prometheus::serves_openmetrics_on_containerd", prometheus::serves_openmetrics_on_containerd),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

fn trial(name: &str, test: impl Fn() -> Outcome + Send + 'static) -> Trial {
    Trial::ignorable_test(name, move || match test() {
        Ok(()) => Ok(Completion::Completed),
        Err(Obstacle::Skip(reason)) => Ok(Completion::ignored_with(reason)),
        Err(Obstacle::Fail(what)) => Err(Failed::from(what)),
    })
}

/// A containerd of our own: the newest that this machine can run.
pub fn containerd() -> Result<support::containerd::Containerd, Obstacle> {
    let lab = lab::lab().map_err(|reason| Obstacle::Skip(reason.into()))?;
    let package = lab.engines.last().ok_or("a lab without engines")?;
    Ok(support::containerd::Containerd::start(lab, package)?)
}
