//! A random workload that looks like a living node: services that are rolled, jobs that end or fail, crash loops.
//! `catalog` says what there is, `kubelet_loop` what happens to it.

mod catalog;
mod kubelet_loop;

pub use kubelet_loop::run;
