//! The libraries for other targets than this machine's (docs/packaging.md): made as a release makes them, unpacked, and used with
//! a foreign loader or an emulator, on a simulated engine that runs on this machine.

#[path = "../support/c.rs"]
mod c;
mod foreign;
#[path = "../support/go.rs"]
mod go;
mod go_modules;
#[path = "../support/go_user.rs"]
mod go_user;
#[path = "../support/layout.rs"]
mod layout;
mod library;
mod packages;
#[path = "../support/program.rs"]
mod program;
#[path = "../support/pypi.rs"]
mod pypi;
#[path = "../support/release.rs"]
mod release;
mod scripts;
#[path = "../support/sim.rs"]
mod sim;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use foreign::Foreign;

type Check = fn(&Foreign) -> Result<Completion, Failed>;

/// What is asked of each target.
const CHECKS: &[(&str, Check)] = &[
    ("the_libraries_show_only_the_c_abi", library::shows_only_the_c_abi),
    ("the_shared_library_needs_what_is_promised", library::needs_what_is_promised),
    ("structs_are_laid_out_as_promised", library::layout),
    ("c_programs_run_with_the_shared_library", library::c_programs),
    ("a_c_program_runs_with_the_static_library", library::static_program),
    ("debian_packages_hold_it", packages::debian),
    ("the_wheel_runs", packages::wheel_runs),
    ("auditwheel_agrees_with_the_wheel", packages::auditwheel),
    ("a_go_program_is_built_with_the_modules", go_modules::program_is_built),
];

fn main() {
    let arguments = Arguments::from_args();
    let is_long = arguments.include_ignored || arguments.ignored;
    let mut trials = vec![
        Trial::test("the_table_is_whole", scripts::table_is_whole),
        Trial::test("a_source_of_another_rust_is_refused", scripts::refuses_another_source),
    ];
    for target in foreign::targets().expect("scripts/targets") {
        if is_long {
            trials.extend(CHECKS.iter().map(|(name, check)| trial(&target, name, *check)));
        } else {
            trials.push(Trial::ignorable_test(target, || Ok(Completion::ignored_with("a long test: make test-long"))));
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    foreign::clean_up();
    conclusion.exit();
}

fn trial(target: &str, name: &str, check: Check) -> Trial {
    let target = target.to_owned();
    Trial::ignorable_test(format!("{target}::{name}"), move || match Foreign::made(&target)? {
        Ok(foreign) => check(&foreign),
        Err(reason) => Ok(Completion::ignored_with(reason)),
    })
}
