//! What `make dist` makes, each installed and used from an empty folder, as those who got it do: docs/packaging.md.
//! The Debian packages are in tests/packages, in a Debian of their own.

mod bills;
#[path = "../support/c.rs"]
mod c;
mod conan;
mod conda;
mod dist;
#[path = "../support/go.rs"]
mod go;
#[path = "../support/go_user.rs"]
mod go_user;
mod languages;
#[path = "../support/pypi.rs"]
mod pypi;
#[path = "../support/release.rs"]
mod release;
#[path = "../support/sim.rs"]
mod sim;
mod tarballs;
mod user;
mod vcpkg;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

/// An ignored test has the reason.
pub type Outcome = Result<Completion, Failed>;

type Test = fn() -> Outcome;

const TESTS: &[(&str, Test)] = &[
    ("checksums_fit", tarballs::checksums_fit),
    ("installed_tree_is_used", tarballs::installed_tree_is_used),
    ("debug_symbols_fit_the_library", tarballs::debug_symbols_fit_the_library),
    ("command_is_used", tarballs::command_is_used),
    ("command_is_built_from_one_folder", tarballs::command_is_built_from_one_folder),
    ("simulator_is_used", tarballs::simulator_is_used),
    ("source_installs", tarballs::source_installs),
    ("wheel_is_used", languages::wheel_is_used),
    ("simulators_wheel_is_used", languages::simulators_wheel_is_used),
    ("crate_is_used", languages::crate_is_used),
    ("go_modules_are_used", languages::go_modules_are_used),
    ("bills_of_materials_list_what_is_linked_in", bills::list_what_is_linked_in),
    ("conan_package_is_used", conan::package_is_used),
    ("conda_packages_are_used", conda::packages_are_used),
    ("vcpkg_port_arranges_a_package", vcpkg::port_arranges_a_package),
    ("vcpkg_installs_the_port", vcpkg::installs_the_port),
];

fn main() {
    let arguments = Arguments::from_args();
    let is_long = arguments.include_ignored || arguments.ignored;
    let trials = TESTS.iter().map(|&(name, test)| {
        let run = move || if is_long { test() } else { Ok(Completion::ignored_with("a long test: make test-long")) };
        Trial::ignorable_test(name, run)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}
