//! The sub-commands. Each file has the arguments (`Args`), the action (`run`), and the examples for the help.

pub mod call;
pub mod completion;
pub mod doctor;
pub mod engines;
pub mod events;
pub mod history;
pub mod images;
pub mod info;
pub mod inspect;
pub mod logs;
pub mod manual;
pub mod pods;
pub mod ps;
pub mod stats;
pub mod top;
pub mod tree;
pub mod version;
pub mod whois;

/// The description of an example, and the example.
pub type Example = (&'static str, &'static str);

/// The examples of each sub-command.
pub const EXAMPLES: &[(&str, &[Example])] = &[
    ("ps", ps::EXAMPLES),
    ("pods", pods::EXAMPLES),
    ("inspect", inspect::EXAMPLES),
    ("whois", whois::EXAMPLES),
    ("tree", tree::EXAMPLES),
    ("events", events::EXAMPLES),
    ("top", top::EXAMPLES),
    ("stats", stats::EXAMPLES),
    ("logs", logs::EXAMPLES),
    ("history", history::EXAMPLES),
    ("images", images::EXAMPLES),
    ("info", info::EXAMPLES),
    ("engines", engines::EXAMPLES),
    ("doctor", doctor::EXAMPLES),
    ("call", call::EXAMPLES),
    ("version", &[]),
    ("completion", completion::EXAMPLES),
];
