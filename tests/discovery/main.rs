//! Finding the engines of a node: layouts of nodes as they are found in the field, made of engines beneath a root of their own.

mod agents;
mod follows;
mod layouts;
mod nested;
mod node;
#[path = "../support/mod.rs"]
mod support;

use libtest_mimic::{Arguments, Trial};

fn main() {
    let trials = vec![
        Trial::ignorable_test("kubeadm_among_sockets_that_are_no_engines", layouts::kubeadm),
        Trial::ignorable_test("kubelet_drop_ins_count_more_than_its_file", layouts::drop_ins),
        Trial::ignorable_test("k3s_beside_an_empty_containerd", layouts::k3s),
        Trial::ignorable_test("k3s_that_starts_after_us_is_followed", follows::k3s_late),
        Trial::ignorable_test("an_engine_in_use_is_kept", follows::kept),
        Trial::ignorable_test("what_an_engine_leaves_behind_ends", follows::what_is_left_ends),
        Trial::ignorable_test("a_socket_made_anew_is_connected_to_at_once", follows::made_anew),
        Trial::ignorable_test("a_folder_that_is_not_there_yet_is_waited_for", follows::folder_comes),
        Trial::ignorable_test("crictl_and_rootless_engines", layouts::crictl_and_rootless),
        Trial::ignorable_test("a_socket_without_rights_is_listed_with_its_error", layouts::without_rights),
        Trial::ignorable_test("docker_beside_kind", nested::kind),
        Trial::ignorable_test("a_real_containerd_in_namespaces_of_its_own", nested::real_in_namespaces),
        Trial::ignorable_test("three_real_containerds_beside_two_engines", nested::real),
        Trial::ignorable_test("a_finder_reports_what_comes_and_goes", agents::finder),
        Trial::ignorable_test("the_example_in_c_follows_all_engines", agents::example_in_c),
        Trial::ignorable_test("the_example_in_go_follows_all_engines", agents::example_in_go),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
