//! Tests of the installed files and of the packages (docs/packaging.md). Everything happens in a folder outside the repository, with the
//! tools that users have: pkg-config, CMake, the C compiler.

#[path = "packages/budgets.rs"]
mod budgets;
#[path = "support/c.rs"]
mod c;
#[path = "packages/cargo_c.rs"]
mod cargo_c;
#[path = "packages/debian.rs"]
mod debian;
#[path = "packages/debug_symbols.rs"]
mod debug_symbols;
#[path = "packages/empty_root.rs"]
mod empty_root;
#[path = "support/go.rs"]
mod go;
#[path = "packages/go_modules.rs"]
mod go_modules;
#[path = "support/go_user.rs"]
mod go_user;
#[path = "support/budgets.rs"]
mod limits;
#[path = "packages/prefix.rs"]
mod prefix;
#[path = "support/program.rs"]
mod program;
#[path = "support/release.rs"]
mod release;
#[path = "packages/reproducible.rs"]
mod reproducible;
#[path = "packages/shared_library.rs"]
mod shared_library;
#[path = "support/sim.rs"]
mod sim;
#[path = "packages/static_library.rs"]
mod static_library;
#[path = "packages/users.rs"]
mod users;

use libtest_mimic::{Arguments, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let is_long = arguments.include_ignored || arguments.ignored;
    let trials = vec![
        Trial::test("install_gives_what_is_documented", prefix::contents),
        Trial::test("uninstall_leaves_nothing", prefix::uninstalls),
        Trial::ignorable_test("the_shared_library_shows_only_the_c_abi", shared_library::shows_only_the_c_abi),
        Trial::ignorable_test("the_shared_library_versions_its_symbols", shared_library::versions_its_symbols),
        Trial::ignorable_test("debug_symbols_name_a_frame", debug_symbols::name_a_frame),
        Trial::ignorable_test("the_shared_library_runs_on_glibc_2_17", shared_library::glibc_floor),
        Trial::test("the_shared_library_does_what_the_tests_ask", shared_library::does_its_work),
        Trial::ignorable_test("the_static_library_shows_only_the_c_abi", static_library::shows_only_the_c_abi),
        Trial::test("the_static_library_goes_with_another_in_rust", static_library::goes_with_another),
        Trial::ignorable_test("pkg_config_builds_shared", users::pkg_config_shared),
        Trial::ignorable_test("pkg_config_builds_static", users::pkg_config_static),
        Trial::ignorable_test("pkg_config_builds_without_any_shared_library", users::pkg_config_all_static),
        Trial::ignorable_test("pkg_config_knows_what_rustc_knows", users::native_static_libs),
        Trial::ignorable_test("cmake_builds_each_target", users::cmake),
        Trial::ignorable_test("cmake_refuses_a_newer_version", users::cmake_refuses),
        Trial::ignorable_test("go_modules_are_all_that_a_user_needs", go_modules::are_all_that_a_user_needs),
        Trial::ignorable_test("go_source_refuses_the_tag_of_the_published_module", go_modules::source_refuses_the_tag),
        Trial::ignorable_test("cargo_c_installs_what_make_install_does", move || {
            cargo_c::installs_what_make_install_does(is_long)
        }),
        Trial::ignorable_test(
            "libraries_name_no_folder_of_this_machine",
            reproducible::names_no_folder_of_this_machine,
        ),
        Trial::ignorable_test("linking_gives_the_same_bytes", reproducible::links_to_the_same_bytes),
        Trial::ignorable_test(
            "debian_packages_are_the_same_bytes",
            reproducible::packs_debian_packages_to_the_same_bytes,
        ),
        Trial::ignorable_test("no_budget_is_exceeded", budgets::kept),
        Trial::ignorable_test("debian_packages_come_and_go", move || debian::in_a_fresh_root(is_long)),
    ];
    let conclusion = libtest_mimic::run(&arguments, trials);
    prefix::clean_up();
    conclusion.exit();
}
