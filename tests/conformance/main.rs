//! The bindings are equal: the conformance programmes of all languages get the same lines and answer the same, and what
//! they answer is true. See README.md here.

#[path = "../support/mod.rs"]
mod support;

mod language;
mod node;
mod normal;
mod party;
mod scenes;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use language::Language;
use node::{Real, Simulated};
use support::engines::{self, Candidate, Source};
use support::lab;

/// The simulated engines: those that send events, and those that have to be polled. Not cri-dockerd: its lists have whole seconds, its
/// statuses nanoseconds, so that a time is what its watcher has asked for last.
const PROFILES: &[&str] =
    &["containerd-2", "containerd-2.3", "containerd-1.7", "containerd-1.6", "crio", "crio-events-off"];

fn main() {
    let mut trials: Vec<Trial> = Language::ALL.iter().map(|language| takes_part(*language)).collect();
    trials.push(Trial::test("without_an_engine", || Ok(scenes::without_an_engine()?)));
    for profile in PROFILES {
        trials.push(Trial::test(format!("simulated_{profile}"), || {
            Ok(scenes::on_a_node(&mut Simulated::start(profile)?)?)
        }));
    }
    trials.extend(engines::candidates().into_iter().filter_map(on_real_engine));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// Whether a language's programme can be had.
fn takes_part(language: Language) -> Trial {
    Trial::ignorable_test(format!("{}_takes_part", language.name()), move || match language.available() {
        Err(reason) => Ok(Completion::ignored_with(reason)),
        Ok(()) => language.command().map(|_| Completion::Completed).map_err(Failed::from),
    })
}

fn on_real_engine(candidate: Candidate) -> Option<Trial> {
    if matches!(candidate.source, Ok(Source::Endpoint(_))) {
        return None; // Others use it: what they do would reach some programmes earlier than others.
    }
    Some(Trial::ignorable_test(format!("real_{}", candidate.name), move || {
        let source = match candidate.source {
            Ok(source) => source,
            Err(reason) if lab::is_required() => return Err(Failed::from(reason)),
            Err(reason) => return Ok(Completion::ignored_with(reason)),
        };
        scenes::on_a_node(&mut Real::start(&source)?)?;
        Ok(Completion::Completed)
    }))
}
