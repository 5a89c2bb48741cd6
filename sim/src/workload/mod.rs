//! A random workload, like that of a busy node: services that are rolled, jobs that end or fail, crash loops.
//! `catalog` describes the pods, `kubelet_loop` runs them, and `populate` fills a node before a client watches it.

mod catalog;
mod kubelet_loop;
mod populate;

pub use kubelet_loop::run;
pub use populate::populate;
