//! A random workload that looks like a living node: services that are rolled, jobs that end or fail, crash loops.
//! `catalog` says what there is, `kubelet_loop` what happens to it; `populate` fills a node
//! before it is watched.

mod catalog;
mod kubelet_loop;
mod populate;

pub use kubelet_loop::run;
pub use populate::populate;
