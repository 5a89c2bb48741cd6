//! deploy/kubernetes, deploy/helm and deploy/image: every manifest is valid, has the rights that are documented and no others, and its
//! pod works on a real engine. What this machine lacks is a skipped test with its reason.

#[path = "../integrations/agent.rs"]
mod agent;
#[path = "../integrations/build.rs"]
mod build;
mod chart;
#[path = "../integrations/collector.rs"]
mod collector;
mod image;
mod manifests;
mod node;
#[path = "../support/release.rs"]
mod release;
#[path = "../support/mod.rs"]
mod support;
mod tools;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use support::{c, pypi};

/// Why a test did not pass.
#[derive(Clone)]
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

impl From<std::io::Error> for Obstacle {
    fn from(error: std::io::Error) -> Self {
        Obstacle::Fail(error.to_string())
    }
}

pub type Outcome = Result<(), Obstacle>;

fn main() {
    let trials = vec![
        trial("manifests::are_valid_in_every_version", manifests::are_valid_in_every_version),
        trial("manifests::break_only_the_documented_rules", manifests::break_only_the_documented_rules),
        trial("manifests::keep_the_promises", manifests::keep_the_promises),
        trial("manifests::a_mistake_is_found", manifests::a_mistake_is_found),
        trial("manifests::name_the_images_of_this_version", manifests::name_the_images_of_this_version),
        trial("chart::makes_what_kustomize_makes", chart::makes_what_kustomize_makes),
        trial("chart::is_valid_in_every_version", chart::is_valid_in_every_version),
        trial("chart::keeps_the_promises", chart::keeps_the_promises),
        trial("chart::passes_lint", chart::passes_lint),
        trial("chart::explains_each_value", chart::explains_each_value),
        trial("chart::tells_what_comes_next", chart::tells_what_comes_next),
        trial("chart::takes_the_documented_values", chart::takes_the_documented_values),
        trial("chart::is_of_this_version", chart::is_of_this_version),
        trial("chart::a_mistake_is_found", chart::a_mistake_is_found),
        trial("image::is_the_same_each_time", image::is_the_same_each_time),
        trial("image::has_the_program_and_nothing_else", image::has_the_program_and_nothing_else),
        trial("image::refuses_a_program_that_needs_libraries", image::refuses_a_program_that_needs_libraries),
        trial("node::the_commands_pod_tells_its_own_node", node::the_commands_pod_tells_its_own_node),
        trial("node::the_collectors_pod_tells_its_own_node", node::the_collectors_pod_tells_its_own_node),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn trial(name: &str, test: fn() -> Outcome) -> Trial {
    Trial::ignorable_test(name, move || match test() {
        Ok(()) => Ok(Completion::Completed),
        Err(Obstacle::Skip(reason)) => Ok(Completion::ignored_with(reason)),
        Err(Obstacle::Fail(what)) => Err(Failed::from(what)),
    })
}
